/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/text.h"

enum { FILE_LIMIT = 65536, LOCK_TRIES = 50, LOCK_PAUSE_NSEC = 2 * 1000 * 1000 };

struct place_path {
        char text[sizeof STATE_TOP + STATE_NAME_MAX + 2];
};

static struct place_path place_path(const char *name) {
        struct place_path p;

        snprintf(p.text, sizeof p.text, STATE_TOP "/%s", name);
        return p;
}

bool state_name_is_valid(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n > STATE_NAME_MAX || name[0] == '.' || name[0] == '-')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && !strchr("-._", name[i]))
                        return false;
        return true;
}

/* ---- processes ---- */

uint64_t process_start(pid_t pid) {
        _cleanup_free_ char *path = text_format("/proc/%d/stat", (int) pid), *text = NULL;
        _cleanup_close_ int fd = path && pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

        if (fd < 0 || fd_read_file(fd, FILE_LIMIT, &text, NULL) < 0)
                return 0;
        /* "4711 (name with ) and blanks) S 1 …": the third field is behind the last parenthesis. */
        char *p = strrchr(text, ')');
        if (p && (p[2] == 'Z' || p[2] == 'X')) /* dead, and only not reaped yet */
                return 0;
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        return p ? strtoull(p + 1, NULL, 10) : 0;
}

bool process_lives(const struct process_id *p) {
        return p->pid > 0 && p->start > 0 && process_start(p->pid) == p->start;
}

/* ---- taking the name ---- */

static int open_directory(const char *name, bool *ret_made) {
        struct place_path path = place_path(name);

        if (mkdir(STATE_TOP, 0755) < 0 && errno != EEXIST)
                return -errno;
        *ret_made = mkdir(path.text, 0755) == 0;
        if (!*ret_made && errno != EEXIST)
                return -errno;
        int fd = open(path.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Returns a descriptor that holds the lock, or a negative errno: -EWOULDBLOCK, or -ENOENT when the file was removed
 * beside us, by whom had the lock before. */
static int lock_file(int directory, int flags) {
        _cleanup_close_ int fd = openat(directory, "lock", flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0644);
        struct stat st;

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
                return -errno;
        return st.st_nlink == 0 ? -ENOENT : TAKE_FD(fd);
}

static void remove_files(int directory) {
        static const char *const files[] = { "socket", "state", "state.new" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(directory, files[i], 0);
}

static int name_in_use(const char *name, struct error *e) {
        struct state state = { 0 };

        if (state_read(name, &state, NULL) == 0 && process_lives(&state.supervisor))
                error_set(e, EBUSY, "there is a machine %s already (process %d)", name, (int) state.supervisor.pid);
        else
                error_set(e, EBUSY, "there is a machine %s already", name);
        return error_hint(e, "name this one with --machine=NAME, or see spawnctl status %s", name);
}

int state_take(const char *name, struct state_place *ret, struct error *e) {
        const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NSEC };
        int lock = -EWOULDBLOCK;

        if (!state_name_is_valid(name))
                return error_set(e, EINVAL, "%s is no name for a machine", name);
        /* Someone who removes what is stale holds the lock for a moment, and may take the directory from under us. */
        for (int i = 0; i < LOCK_TRIES && lock < 0; i++) {
                bool made = false;
                _cleanup_close_ int directory = open_directory(name, &made);
                if (directory < 0 && directory != -ENOENT)
                        return error_set(e, -directory, "cannot make %s: %m", place_path(name).text);
                lock = directory < 0 ? directory : lock_file(directory, O_CREAT);
                if (lock >= 0) {
                        if (!made)
                                remove_files(directory);
                        *ret = (struct state_place){ .directory = TAKE_FD(directory), .lock = lock };
                        return 0;
                }
                if (lock != -EWOULDBLOCK && lock != -ENOENT)
                        break;
                nanosleep(&pause, NULL);
        }
        return lock == -EWOULDBLOCK ? name_in_use(name, e)
                                    : error_set(e, -lock, "cannot lock %s: %m", place_path(name).text);
}

int state_listen(const struct state_place *place, struct error *e) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return error_set(e, errno, "cannot make the session's socket: %m");
        snprintf(address.sun_path, sizeof address.sun_path, "%.32s/socket", fd_path(place->directory).text);
        /* The umask has left no write permission to others, and connecting takes that (unix(7)). */
        if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 ||
            fchmodat(place->directory, "socket", 0600, 0) < 0 || listen(fd, 16) < 0)
                return error_set(e, errno, "cannot set up the session's socket: %m");
        return TAKE_FD(fd);
}

void state_release(struct state_place *place) {
        place->lock = fd_close(place->lock);
        place->directory = fd_close(place->directory);
}

/* The lock is held: nobody takes the name between these. */
static void remove_all(int directory, const char *path) {
        remove_files(directory);
        (void) unlinkat(directory, "lock", 0);
        (void) rmdir(path);
        (void) rmdir(STATE_TOP);
}

void state_drop(struct state_place *place, const char *name) {
        struct place_path path = place_path(name);

        remove_all(place->directory, path.text);
        state_release(place);
}

void state_remove(const char *name) {
        struct place_path path = place_path(name);
        _cleanup_close_ int directory = open(path.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_close_ int lock = directory < 0 ? -EBADF : lock_file(directory, 0);

        if (lock >= 0)
                remove_all(directory, path.text);
        else if (lock == -ENOENT) { /* an empty one, or somebody is about to take it: then it is not empty */
                (void) rmdir(path.text);
                (void) rmdir(STATE_TOP);
        }
}

/* ---- the file ---- */

static void put_string(FILE *f, const char *key, const char *value) {
        fprintf(f, "\"%s\":\"", key);
        for (const char *p = value; *p; p++) {
                if (*p == '"' || *p == '\\')
                        fprintf(f, "\\%c", *p);
                else if ((unsigned char) *p < 0x20)
                        fprintf(f, "\\u%04x", (unsigned char) *p);
                else
                        fputc(*p, f);
        }
        fputs("\",", f);
}

static void put_number(FILE *f, const char *key, uint64_t value, const char *after) {
        fprintf(f, "\"%s\":%llu%s", key, (unsigned long long) value, after);
}

static int print_state(const struct state *s, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);

        if (!f)
                return -ENOMEM;
        fputc('{', f);
        put_string(f, "name", s->name);
        put_string(f, "class", s->class);
        put_string(f, "root", s->root);
        put_string(f, "log", s->log);
        put_string(f, "cgroup", s->cgroup);
        put_string(f, "unit", s->unit);
        put_string(f, "id", s->id);
        put_string(f, "console", s->console);
        put_number(f, "supervisor", (uint64_t) s->supervisor.pid, ",");
        put_number(f, "supervisor_start", s->supervisor.start, ",");
        put_number(f, "leader", (uint64_t) s->leader.pid, ",");
        put_number(f, "leader_start", s->leader.start, ",");
        put_number(f, "ready", s->ready, ",");
        put_number(f, "monotonic", s->monotonic, ",");
        put_number(f, "started", s->started, "}\n");
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

int state_write(const struct state_place *place, const struct state *state, struct error *e) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = print_state(state, &text, &size);

        if (r < 0)
                return error_memory(e);
        _cleanup_close_ int fd =
                openat(place->directory, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        r = fd < 0 ? -errno : fd_write_all(fd, text, size);
        if (r == 0 && renameat(place->directory, "state.new", place->directory, "state") < 0)
                r = -errno;
        return r < 0 ? error_set(e, -r, "cannot write %s/state: %m", place_path(state->name).text) : 0;
}

/* The value of KEY. A quote within a value is escaped, so '"KEY":' occurs nowhere else. */
static const char *find_value(const char *text, const char *key) {
        char pattern[40];
        int n = snprintf(pattern, sizeof pattern, "\"%s\":", key);
        const char *p = strstr(text, pattern);

        return p ? p + n : "";
}

static void get_string(const char *text, const char *key, char *ret, size_t size) {
        const char *p = find_value(text, key);
        unsigned code;
        size_t n = 0;

        for (p += *p == '"'; *p && *p != '"' && n + 1 < size; p++) {
                if (*p != '\\') {
                        ret[n++] = *p;
                        continue;
                }
                if (!*++p)
                        break;
                if (*p == 'u' && sscanf(p + 1, "%4x", &code) == 1 && strlen(p) > 4) {
                        ret[n++] = (char) code;
                        p += 4;
                } else
                        ret[n++] = *p;
        }
        ret[n] = 0;
}

static uint64_t get_number(const char *text, const char *key) {
        return strtoull(find_value(text, key), NULL, 10);
}

int state_read(const char *name, struct state *ret, struct error *e) {
        _cleanup_free_ char *text = NULL, *path = NULL;

        if (!state_name_is_valid(name))
                return error_set(e, EINVAL, "%s is no name for a machine", name);
        path = text_format(STATE_TOP "/%s/state", name);
        _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
        int r = fd < 0 ? -errno : fd_read_file(fd, FILE_LIMIT, &text, NULL);
        if (r < 0 || !text)
                return r == -ENOENT ? error_set(e, ENOENT, "there is no machine %s", name)
                                    : error_set(e, -r, "cannot read the state of %s: %m", name);
        *ret = (struct state){
                .supervisor = { (pid_t) get_number(text, "supervisor"), get_number(text, "supervisor_start") },
                .leader = { (pid_t) get_number(text, "leader"), get_number(text, "leader_start") },
                .ready = get_number(text, "ready") != 0,
                .started = get_number(text, "started"),
                .monotonic = get_number(text, "monotonic"),
        };
        snprintf(ret->name, sizeof ret->name, "%s", name);
        get_string(text, "root", ret->root, sizeof ret->root);
        get_string(text, "log", ret->log, sizeof ret->log);
        get_string(text, "cgroup", ret->cgroup, sizeof ret->cgroup);
        get_string(text, "unit", ret->unit, sizeof ret->unit);
        get_string(text, "id", ret->id, sizeof ret->id);
        get_string(text, "class", ret->class, sizeof ret->class);
        get_string(text, "console", ret->console, sizeof ret->console);
        return 0;
}

int state_connect(const char *name, struct error *e) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        if (!state_name_is_valid(name))
                return error_set(e, EINVAL, "%s is no name for a machine", name);
        if (fd < 0)
                return error_set(e, errno, "cannot make a socket: %m");
        snprintf(address.sun_path, sizeof address.sun_path, STATE_TOP "/%s/socket", name);
        if (connect(fd, (struct sockaddr *) &address, sizeof address) == 0)
                return TAKE_FD(fd);
        if (errno == ENOENT || errno == ECONNREFUSED)
                return error_set(e, ENOENT, "there is no machine %s", name);
        if (errno == EACCES || errno == EPERM) {
                error_set(e, errno, "the machine %s is not yours: %m", name);
                return error_hint(e, "use sudo");
        }
        return error_set(e, errno, "cannot connect to the machine %s: %m", name);
}
