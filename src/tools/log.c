/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl log: the files of --console-log= (console/log_file.h), the oldest first. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "console/log_file.h"
#include "console/protocol.h"
#include "tools/tools.h"

enum { ROTATION_MSEC = 20 }; /* it is renamed, and the next one not there yet */

#define STAMP_FORMAT "%Y-%m-%dT%H:%M:%S"

struct reader {
        const char *path;
        int fd;                     /* of the file that is read now */
        char since[LOG_STAMP_SIZE]; /* what is older is passed over; empty: nothing is */
        bool begun; /* lines are in order of time: all that follow the first of the right age are too */
};

int log_since(const char *text, time_t now, char ret[static LOG_STAMP_SIZE]) {
        static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", STAMP_FORMAT };
        struct tm utc = { 0 };
        uint64_t usec;

        if (parse_duration(text, &usec) >= 0) {
                now -= (time_t) (usec / 1000000);
                return gmtime_r(&now, &utc) && strftime(ret, LOG_STAMP_SIZE, STAMP_FORMAT, &utc) > 0 ? 0 : -EINVAL;
        }
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                utc = (struct tm){ 0 };
                const char *end = strptime(text, formats[i], &utc);
                if (end && !*end)
                        return strftime(ret, LOG_STAMP_SIZE, STAMP_FORMAT, &utc) > 0 ? 0 : -EINVAL;
        }
        return -EINVAL;
}

/* Its directory may be one that the payload writes to: neither a link nor a FIFO is opened for what it is. */
static int open_regular(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EBADFD;
}

/* How many of the SIZE bytes, which are whole lines, are of lines that are too old. */
static size_t too_old(struct reader *r, const char *data, size_t size) {
        size_t at = 0, n = strlen(r->since);

        while (!r->begun && at < size) {
                const char *end = memchr(data + at, '\n', size - at);
                r->begun = size - at >= n && strncmp(data + at, r->since, n) >= 0;
                if (!r->begun)
                        at = end ? (size_t) (end + 1 - data) : size;
        }
        return at;
}

/* What is in FD from where it stands. Of a line that goes on behind the block the begin is read once more. */
static int print_rest(struct reader *r, int fd, struct error *error) {
        char data[65536];
        struct stat st;
        ssize_t n;

        /* With rotate=0 it is emptied instead. */
        if (fstat(fd, &st) == 0 && lseek(fd, 0, SEEK_CUR) > st.st_size)
                (void) lseek(fd, 0, SEEK_SET);
        while ((n = read(fd, data, sizeof data)) > 0) {
                size_t size = (size_t) n;
                const char *last = r->begun ? NULL : memrchr(data, '\n', size);
                if (last) {
                        size = (size_t) (last + 1 - data);
                        (void) lseek(fd, (off_t) size - n, SEEK_CUR);
                }
                size_t skip = too_old(r, data, size);
                if (fwrite(data + skip, 1, size - skip, stdout) != size - skip)
                        return error_set(error, EIO, "cannot write to standard output");
        }
        if (n < 0)
                return error_set(error, errno, "cannot read %s: %m", r->path);
        return fflush(stdout) == 0 ? 0 : error_set(error, EIO, "cannot write to standard output");
}

/* The name of a file that was rotated I times; 0: of the one that is written now. NULL without memory. */
static char *name_of(const struct reader *r, unsigned i) {
        return i == 0 ? strdup(r->path) : text_format("%s.%u", r->path, i);
}

/* How often the file of *R has been rotated. Where it has none yet, or its file has gone: one more than any that is
 * there. While they are renamed, the last one first, there is a gap of one. */
static unsigned find_position(const struct reader *r) {
        struct stat ours = { 0 }, st;
        bool has_file = r->fd >= 0 && fstat(r->fd, &ours) == 0;
        unsigned top = 0, missing = 0;

        for (unsigned i = 0; i <= LOG_FILE_ROTATE_MAX + 1 && missing < 2; i++) {
                _cleanup_free_ char *name = name_of(r, i);
                if (!name || lstat(name, &st) < 0) {
                        missing++;
                        continue;
                }
                if (has_file && st.st_ino == ours.st_ino && st.st_dev == ours.st_dev)
                        return i;
                missing = 0;
                top = i + 1;
        }
        return top;
}

/* Reads what is left of the file of *R and goes on to the next, if there is one. The files may be renamed meanwhile:
 * the next is the one that is before ours both before and after it is opened. Returns 1, 0, or a negative errno. */
static int go_on(struct reader *r, struct error *error) {
        unsigned position = find_position(r);

        if (position == 0)
                return 0;
        int result = r->fd < 0 ? 0 : print_rest(r, r->fd, error);
        if (result < 0)
                return result;
        _cleanup_free_ char *name = name_of(r, position - 1);
        if (!name)
                return error_memory(error);
        _cleanup_close_ int fd = open_regular(name);
        if (fd == -ENOENT)
                return position > 1; /* renamed: again. Or it is not made yet */
        if (fd < 0)
                return error_set(error, -fd, "cannot read %s: %s", name, strerror(-fd));
        if (find_position(r) == position) {
                fd_close(r->fd);
                r->fd = TAKE_FD(fd);
        }
        return 1;
}

/* All that is there now. */
static int print_all(struct reader *r, struct error *error) {
        int result;

        do
                result = go_on(r, error);
        while (result > 0);
        return result < 0 || r->fd < 0 ? result : print_rest(r, r->fd, error);
}

static bool has_ended(int machine) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        int r;

        while ((r = packet_receive(machine, buffer, &p, MSG_DONTWAIT)) > 0)
                if (p.kind == PACKET_EXIT)
                        return true;
        return r != -EAGAIN;
}

static int follow(struct reader *r, int machine, struct error *error) {
        _cleanup_close_ int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char events[4096];
        bool ended = false;
        int result;

        if (changes < 0)
                return error_set(error, errno, "cannot watch %s: %m", r->path);
        for (;;) {
                int watch = inotify_add_watch(changes, r->path, IN_MODIFY | IN_MOVE_SELF | IN_DONT_FOLLOW);
                if (watch < 0 && errno != ENOENT)
                        return error_set(error, errno, "cannot watch %s: %m", r->path);
                result = print_all(r, error);
                if (ended || result < 0)
                        return result;
                struct pollfd p[] = { { .fd = changes, .events = POLLIN }, { .fd = machine, .events = POLLIN } };
                (void) poll(p, ELEMENTSOF(p), watch < 0 ? ROTATION_MSEC : -1);
                while (read(changes, events, sizeof events) > 0)
                        ;
                ended = p[1].revents && has_ended(machine); /* the last words are read then */
        }
}

static int print_log(struct reader *r, const struct request *q, struct error *error) {
        _cleanup_close_ int machine = q->follow ? tools_follow(q->name, error) : -EBADF;

        if (q->follow && machine < 0)
                return machine;
        int result = q->follow ? follow(r, machine, error) : print_all(r, error);
        return result >= 0 && r->fd < 0 ? error_set(error, ENOENT, "cannot read %s: %m", r->path) : result;
}

int log_run(const struct request *q, struct error *error) {
        struct state s;
        int r = tools_find(q->name, &s, error);

        if (r < 0)
                return r;
        if (!*s.log) {
                error_set(error, ENOENT, "the console of %s has no log", q->name);
                return error_hint(error, "it is started with --console-log=FILE");
        }
        struct reader reader = { .path = s.log, .fd = -EBADF, .begun = !q->since };
        if (q->since && log_since(q->since, time(NULL), reader.since) < 0)
                return error_set(error, EINVAL, "--since=%s: neither YYYY-MM-DD[THH:MM[:SS]] nor a time span",
                                 q->since);
        r = print_log(&reader, q, error);
        fd_close(reader.fd);
        return r;
}
