/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/text.h"

enum { CHUNK_SIZE = 64 * 1024, ATTRIBUTES_SIZE = 64 * 1024 };

/* An object on its way. FROM is opened O_PATH: what it is does not change any more. */
struct object {
        int from;           /* the object itself */
        int to;             /* the directory that gets it */
        const char *name;   /* the name it gets there */
        const char *called; /* for messages */
        struct stat st;
        unsigned depth;
};

struct copier {
        const struct copy_options *options;
        struct error *error;
        dev_t own_device; /* of the directory that is being made */
        ino_t own_inode;
};

/* Returns 0 or a negative errno. */
static int copy_object(const struct copier *c, const struct object *o);

static int failed(const struct copier *c, int code, const char *called) {
        return error_set(c->error, code, "cannot copy %s: %s", called, strerror(code));
}

static bool is_interrupted(const struct copier *c) {
        struct pollfd p = { .fd = c->options->signal_fd, .events = POLLIN };

        return p.fd >= 0 && poll(&p, 1, 0) > 0;
}

/* ---- content ---- */

/* Copies what is between AT and END, or until there is no more. */
static int copy_range(const struct copier *c, int in, int out, off_t at, off_t end) {
        char bytes[CHUNK_SIZE];

        while (at < end) {
                size_t want = end - at < CHUNK_SIZE ? (size_t) (end - at) : CHUNK_SIZE;
                ssize_t n = pread(in, bytes, want, at);
                if (n == 0)
                        return 0;
                if (is_interrupted(c))
                        return -EINTR;
                if (n < 0 || pwrite(out, bytes, (size_t) n, at) != n)
                        return errno ? -errno : -ENOSPC;
                at += n;
        }
        return 0;
}

/* A file system that can shares the blocks; one that knows of holes has them passed over. */
static int copy_content(const struct copier *c, int in, int out, off_t size) {
        if (ioctl(out, FICLONE, in) == 0)
                return 0;
        if (size == 0) /* procfs and its like know no sizes */
                return copy_range(c, in, out, 0, LLONG_MAX);
        for (off_t at = 0;;) {
                off_t data = lseek(in, at, SEEK_DATA);
                if (data < 0 && errno == ENXIO) /* a hole, up to the end */
                        return ftruncate(out, size) < 0 ? -errno : 0;
                off_t end = data < 0 ? -1 : lseek(in, data, SEEK_HOLE);
                int r = end < 0 ? copy_range(c, in, out, at, LLONG_MAX) : copy_range(c, in, out, data, end);
                if (r < 0 || end < 0)
                        return r;
                at = end;
        }
}

/* ---- attributes ---- */

/* Only user.*: the others are rights (security.capability), or mean something to one host only. */
static void copy_attributes(int in, int out) {
        _cleanup_free_ char *names = malloc(ATTRIBUTES_SIZE);
        _cleanup_free_ char *value = malloc(ATTRIBUTES_SIZE);
        ssize_t n = names && value ? flistxattr(in, names, ATTRIBUTES_SIZE) : -1;

        for (const char *p = names; n > 0 && p < names + n; p += strlen(p) + 1) {
                ssize_t size = text_starts_with(p, "user.") ? fgetxattr(in, p, value, ATTRIBUTES_SIZE) : -1;
                if (size >= 0)
                        (void) fsetxattr(out, p, value, (size_t) size, 0);
        }
}

/* Owner, mode and times of what was made, in this order: a change of owner takes rights away. By descriptor: whoever
 * may write to the directory could have put another file's name in the place of ours (link(2)). */
static int copy_metadata(const struct copier *c, const struct object *o, int made) {
        const struct timespec times[2] = { o->st.st_atim, o->st.st_mtim };
        mode_t mode = o->st.st_mode & (c->options->strips_rights ? 01777 : 07777);

        if (fchownat(made, "", o->st.st_uid, o->st.st_gid, AT_EMPTY_PATH) < 0 ||
            (!S_ISLNK(o->st.st_mode) && chmod(fd_path(made).text, mode) < 0))
                return failed(c, errno, o->called);
        (void) utimensat(made, "", times, AT_EMPTY_PATH);
        return 0;
}

/* ---- each kind ---- */

/* By way of the descriptor: what is opened is what was looked at, never a FIFO or a device put in its place. */
static int reopen(int fd, int flags) {
        return open(fd_path(fd).text, flags | O_CLOEXEC | O_NOCTTY);
}

static int copy_file(const struct copier *c, const struct object *o) {
        _cleanup_close_ int in = reopen(o->from, O_RDONLY);
        if (in < 0)
                return failed(c, errno, o->called);
        _cleanup_close_ int out = openat(o->to, o->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (out < 0)
                return failed(c, errno, o->called);
        errno = 0;
        int r = copy_content(c, in, out, o->st.st_size);
        if (r < 0)
                return failed(c, -r, o->called);
        copy_attributes(in, out);
        return TAKE_FD(out);
}

/* What has no content is opened after it was made, and is to be of the kind that was made. */
static int open_made(const struct copier *c, const struct object *o) {
        _cleanup_close_ int fd = openat(o->to, o->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return failed(c, errno, o->called);
        return (st.st_mode & S_IFMT) == (o->st.st_mode & S_IFMT) ? TAKE_FD(fd) : failed(c, ESTALE, o->called);
}

static int copy_link(const struct copier *c, const struct object *o) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(o->from, "", target, sizeof target - 1);

        if (n < 0)
                return failed(c, errno, o->called);
        target[n] = 0;
        return symlinkat(target, o->to, o->name) < 0 ? failed(c, errno, o->called) : open_made(c, o);
}

static int copy_fifo(const struct copier *c, const struct object *o) {
        return mkfifoat(o->to, o->name, 0600) < 0 ? failed(c, errno, o->called) : open_made(c, o);
}

static int copy_entry(const struct copier *c, const struct object *parent, int from, int to, const char *name) {
        _cleanup_free_ char *called = text_format("%s/%s", parent->called, name);
        _cleanup_close_ int fd = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct object o = { .from = fd, .to = to, .name = name, .called = called, .depth = parent->depth + 1 };

        if (!called)
                return error_memory(c->error);
        if (fd < 0 && errno == ENOENT) /* it has gone meanwhile */
                return 0;
        if (fd < 0 || fstat(fd, &o.st) < 0)
                return failed(c, errno, called);
        return copy_object(c, &o);
}

static int copy_entries(const struct copier *c, const struct object *o, int out) {
        int in = reopen(o->from, O_RDONLY | O_DIRECTORY);
        DIR *d = in < 0 ? NULL : fdopendir(in);
        struct dirent *e;
        int r = 0;

        if (!d) {
                r = failed(c, errno, o->called);
                fd_close(in);
                return r;
        }
        while (r >= 0 && (errno = 0, e = readdir(d)))
                if (!text_equal(e->d_name, ".") && !text_equal(e->d_name, ".."))
                        r = copy_entry(c, o, dirfd(d), out, e->d_name);
        if (r >= 0 && errno)
                r = failed(c, errno, o->called);
        if (r >= 0)
                copy_attributes(dirfd(d), out);
        closedir(d);
        return r;
}

static int copy_directory(const struct copier *c, const struct object *o) {
        struct copier below = *c;
        struct stat st;

        if (o->depth >= COPY_DEPTH_MAX)
                return error_set(c->error, ELOOP, "%s is deeper than %d directories", o->called, COPY_DEPTH_MAX);
        if (o->st.st_dev == c->own_device && o->st.st_ino == c->own_inode)
                return error_set(c->error, EINVAL, "%s is the copy itself: a directory cannot be copied into itself",
                                 o->called);
        if (mkdirat(o->to, o->name, 0700) < 0)
                return failed(c, errno, o->called);
        _cleanup_close_ int out = openat(o->to, o->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (out < 0 || fstat(out, &st) < 0)
                return failed(c, errno, o->called);
        if (o->depth == 0) {
                below.own_device = st.st_dev;
                below.own_inode = st.st_ino;
        }
        int r = copy_entries(&below, o, out);
        return r < 0 ? r : TAKE_FD(out);
}

static const struct {
        mode_t kind;
        int (*copy)(const struct copier *c, const struct object *o); /* a descriptor of the copy. NULL: it cannot be */
        const char *text;
} kinds[] = {
        { S_IFREG, copy_file, "a file" }, { S_IFDIR, copy_directory, "a directory" },
        { S_IFLNK, copy_link, "a link" }, { S_IFIFO, copy_fifo, "a FIFO" },
        { S_IFSOCK, NULL, "a socket" },   { S_IFCHR, NULL, "a device" },
        { S_IFBLK, NULL, "a device" },
};

static int copy_object(const struct copier *c, const struct object *o) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if ((o->st.st_mode & S_IFMT) != kinds[i].kind)
                        continue;
                if (is_interrupted(c))
                        return failed(c, EINTR, o->called);
                if (kinds[i].copy) {
                        _cleanup_close_ int made = kinds[i].copy(c, o);
                        return made < 0 ? made : copy_metadata(c, o, made);
                }
                if (o->depth == 0)
                        return error_set(c->error, EINVAL, "%s is %s: it cannot be copied", o->called, kinds[i].text);
                log_notice("%s is %s: not copied", o->called, kinds[i].text);
                return 0;
        }
        return failed(c, EINVAL, o->called);
}

/* ---- all of it ---- */

/* As far as it can be. Links are removed, never followed. */
static void remove_tree(int at, const char *name, unsigned depth) {
        struct dirent *e;

        if (unlinkat(at, name, 0) == 0 || errno != EISDIR || depth > COPY_DEPTH_MAX)
                return;
        int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        while (d && (e = readdir(d)))
                if (!text_equal(e->d_name, ".") && !text_equal(e->d_name, ".."))
                        remove_tree(dirfd(d), e->d_name, depth + 1);
        if (d)
                closedir(d);
        else
                fd_close(fd);
        (void) unlinkat(at, name, AT_REMOVEDIR);
}

/* Gives it its name. Some file systems do not know RENAME_NOREPLACE: there it was looked at just before. */
static int finish(const struct copier *c, int to, const char *temporary, const char *name) {
        if (!c->options->replaces && renameat2(to, temporary, to, name, RENAME_NOREPLACE) == 0)
                return 0;
        if ((c->options->replaces || errno == EINVAL) && renameat(to, temporary, to, name) == 0)
                return 0;
        if (errno == EEXIST || errno == ENOTEMPTY || errno == EISDIR || errno == ENOTDIR)
                return error_set(c->error, EEXIST, "%s is there already", name);
        return error_set(c->error, errno, "cannot make %s: %m", name);
}

static int check_free(const struct copier *c, int to, const char *name) {
        struct stat st;

        if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (c->options->replaces && !S_ISDIR(st.st_mode)))
                return 0;
        error_set(c->error, EEXIST, "%s is there already", name);
        return S_ISDIR(st.st_mode) ? -EEXIST : error_hint(c->error, "--force replaces it");
}

int copy_tree(int from, const char *name, int to, const char *new_name, const struct copy_options *options,
              struct error *error) {
        const struct copier c = { .options = options, .error = error };
        _cleanup_close_ int fd = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct object o = { .from = fd, .to = to, .called = name };
        char temporary[32];
        unsigned random;
        int r;

        if (fd < 0 || fstat(fd, &o.st) < 0)
                return failed(&c, errno, name);
        r = check_free(&c, to, new_name);
        if (r < 0)
                return r;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
                return failed(&c, EIO, name);
        snprintf(temporary, sizeof temporary, ".spawn-copy-%08x", random);
        o.name = temporary;
        r = copy_object(&c, &o);
        if (r >= 0)
                r = finish(&c, to, temporary, new_name);
        if (r < 0)
                remove_tree(to, temporary, 0);
        return r;
}
