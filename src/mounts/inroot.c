/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/inroot_walk.h"

enum { MAX_TRIES = 32 };

int inroot_open(int root, const char *path, int flags, mode_t mode) {
        /* With O_PATH openat2(2) refuses every flag that has no meaning there. */
        int all = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY);
        struct open_how how = {
                .flags = (unsigned) all,
                .mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? mode & 07777 : 0,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        int fd = -1;

        /* EAGAIN: something was renamed or mounted anywhere on the system while a ".." was looked up. An image that
         * does so without end must not hold us for ever. */
        for (unsigned i = 0; i < MAX_TRIES; i++) {
                fd = sys_openat2(root, path, &how);
                if (fd >= 0)
                        return fd;
                if (errno != EAGAIN)
                        break;
        }
        /* EPERM is what the filters of older sandboxes say to calls that they do not know. */
        return errno == ENOSYS || errno == EPERM ? inroot_walk(root, path, all, mode, NULL) : -errno;
}

/* Splits PATH before its last component. Returns the length of what comes before, or -EINVAL. */
static ssize_t split_last(const char *path, char ret_name[static NAME_MAX + 1]) {
        size_t end = strlen(path), start;

        while (end > 0 && path[end - 1] == '/')
                end--;
        for (start = end; start > 0 && path[start - 1] != '/';)
                start--;
        if (end - start > NAME_MAX)
                return -ENAMETOOLONG;
        memcpy(ret_name, path + start, end - start);
        ret_name[end - start] = 0;
        if (!*ret_name || text_equal(ret_name, ".") || text_equal(ret_name, ".."))
                return -EINVAL;
        return (ssize_t) start;
}

int inroot_open_parent(int root, const char *path, char ret_name[static NAME_MAX + 1]) {
        ssize_t n = split_last(path, ret_name);
        char parent[PATH_MAX];

        if (n < 0)
                return (int) n;
        if (n >= PATH_MAX)
                return -ENAMETOOLONG;
        memcpy(parent, path, (size_t) n);
        parent[n] = 0;
        return inroot_open(root, n > 0 ? parent : ".", O_PATH | O_DIRECTORY, 0);
}

/* Opens the directory NAME of DIRFD, made with exactly MODE if it is missing. */
static int enter_or_make(int dirfd, const char *name, mode_t mode) {
        mode_t mask = umask(0);
        int r = mkdirat(dirfd, name, mode) < 0 ? -errno : 0;

        umask(mask);
        if (r < 0 && r != -EEXIST)
                return r;
        r = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return r < 0 ? -errno : r;
}

/* As inroot_mkdirs() for the first N bytes of PATH. */
static int make_directories(int root, const char *path, size_t n, mode_t mode) {
        char prefix[PATH_MAX], name[NAME_MAX + 1];
        int r;

        if (n >= sizeof prefix)
                return -ENAMETOOLONG;
        memcpy(prefix, path, n);
        prefix[n] = 0;
        for (char *p = prefix, *end = prefix + n; p < end; *p = '/') {
                p += strspn(p, "/");
                p += strcspn(p, "/");
                *p = 0;
                _cleanup_close_ int fd = inroot_open(root, prefix, O_PATH | O_DIRECTORY, 0);
                if (fd == -ENOENT) {
                        _cleanup_close_ int parent = inroot_open_parent(root, prefix, name);
                        if (parent < 0)
                                return parent;
                        fd = enter_or_make(parent, name, mode);
                }
                r = fd;
                if (r < 0)
                        return r;
        }
        return 0;
}

int inroot_mkdirs(int root, const char *path, mode_t mode) {
        size_t n = strlen(path);

        while (n > 0 && path[n - 1] == '/')
                n--;
        /* Mostly it is there. */
        _cleanup_close_ int fd = inroot_open(root, n > 0 ? path : "/", O_PATH | O_DIRECTORY, 0);
        return fd == -ENOENT ? make_directories(root, path, n, mode) : fd < 0 ? fd : 0;
}

int inroot_mkdirs_parent(int root, const char *path, mode_t mode) {
        char name[NAME_MAX + 1], parent[PATH_MAX];
        ssize_t n = split_last(path, name);

        if (n < 0)
                return (int) n;
        if (n >= PATH_MAX)
                return -ENAMETOOLONG;
        memcpy(parent, path, (size_t) n);
        parent[n] = 0;
        return inroot_mkdirs(root, parent, mode);
}

int inroot_touch(int root, const char *path, mode_t mode) {
        char name[NAME_MAX + 1];
        _cleanup_close_ int parent = inroot_open_parent(root, path, name);

        if (parent < 0)
                return parent;
        mode_t mask = umask(0);
        _cleanup_close_ int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        int r = fd < 0 ? -errno : 0;
        umask(mask);
        return r == -EEXIST ? 0 : r;
}

/* Opens for reading what the O_PATH descriptor FD of ROOT's PATH stands for. By way of procfs it is the very same
 * file; where that is missing the path is looked up again and must lead to it. */
static int reopen(int root, const char *path, int fd, const struct stat *expected) {
        const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        struct stat st;
        _cleanup_close_ int again = open(fd_path(fd).text, flags);

        if (again < 0 && errno != ENOENT && errno != ENOTDIR)
                return -errno;
        if (again < 0) {
                again = inroot_open(root, path, flags, 0);
                if (again < 0)
                        return again;
        }
        if (fstat(again, &st) < 0)
                return -errno;
        return st.st_dev == expected->st_dev && st.st_ino == expected->st_ino ? TAKE_FD(again) : -EAGAIN;
}

int inroot_read(int root, const char *path, size_t limit, char **ret_data, size_t *ret_size) {
        _cleanup_close_ int fd = inroot_open(root, path, O_PATH, 0);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EBADFD;
        if (st.st_size > 0 && (size_t) st.st_size > limit)
                return -EFBIG;
        _cleanup_close_ int file = reopen(root, path, fd, &st);
        return file < 0 ? file : fd_read_file(file, limit, ret_data, ret_size);
}

int inroot_stat(int root, const char *path, struct stat *ret) {
        _cleanup_close_ int fd = inroot_open(root, path, O_PATH, 0);

        if (fd < 0)
                return fd;
        return fstat(fd, ret) < 0 ? -errno : 0;
}

int inroot_readlink(int root, const char *path, char **ret_target) {
        _cleanup_close_ int fd = inroot_open(root, path, O_PATH | O_NOFOLLOW, 0);
        char target[PATH_MAX];

        if (fd < 0)
                return fd;
        ssize_t n = readlinkat(fd, "", target, sizeof target);
        if (n < 0)
                return errno == ENOENT ? -EINVAL : -errno; /* readlinkat(2) on an O_PATH descriptor of no link */
        if ((size_t) n >= sizeof target)
                return -ENAMETOOLONG;
        *ret_target = strndup(target, (size_t) n);
        return *ret_target ? 0 : -ENOMEM;
}

const char *inroot_mode_kind(mode_t mode) {
        switch (mode & S_IFMT) {
        case S_IFDIR:
                return "a directory";
        case S_IFREG:
                return "a file";
        case S_IFLNK:
                return "a symbolic link";
        case S_IFIFO:
                return "a FIFO";
        case S_IFSOCK:
                return "a socket";
        case S_IFCHR:
                return "a character device";
        case S_IFBLK:
                return "a block device";
        default:
                return "something unknown";
        }
}

const char *inroot_kind(int root, const char *path) {
        _cleanup_close_ int fd = inroot_open(root, path, O_PATH | O_NOFOLLOW, 0);
        struct stat st;

        if (fd < 0)
                return fd == -ENOENT ? "missing" : "out of reach";
        return fstat(fd, &st) < 0 ? "out of reach" : inroot_mode_kind(st.st_mode);
}
