/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing files of the image: always by the descriptor of the directory and a last component that is not followed. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "basic/fd.h"
#include "mounts/inroot.h"

/* Opens the regular file NAME for writing. What is there is looked at before it is opened: opening wakes a device's
 * driver, and waits on a FIFO. */
static int open_existing(int parent, const char *name) {
        _cleanup_close_ int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat before, after;

        if (fd < 0 || fstat(fd, &before) < 0)
                return -errno;
        if (!S_ISREG(before.st_mode))
                return S_ISDIR(before.st_mode) ? -EISDIR : S_ISLNK(before.st_mode) ? -ELOOP : -EBADFD;
        _cleanup_close_ int file = openat(parent, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (file < 0 || fstat(file, &after) < 0)
                return -errno;
        if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
                return -EAGAIN;
        return ftruncate(file, 0) < 0 ? -errno : TAKE_FD(file);
}

static int make_new(int parent, const char *name, mode_t mode) {
        mode_t mask = umask(0);
        int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, mode);
        int r = fd < 0 ? -errno : fd;

        umask(mask);
        return r;
}

int inroot_write_file(int root, const char *path, const void *data, size_t size, mode_t mode) {
        char name[NAME_MAX + 1];
        _cleanup_close_ int parent = inroot_open_parent(root, path, name);

        if (parent < 0)
                return parent;
        _cleanup_close_ int fd = open_existing(parent, name);
        if (fd == -ENOENT)
                fd = make_new(parent, name, mode);
        return fd < 0 ? fd : fd_write_all(fd, data, size);
}

/* A name that an image cannot have guessed. */
struct temporary {
        char name[32];
};

static int temporary_name(struct temporary *ret) {
        uint64_t random;

        if (getrandom(&random, sizeof random, 0) != sizeof random)
                return -errno;
        snprintf(ret->name, sizeof ret->name, ".spawn-%016" PRIx64, random);
        return 0;
}

/* Puts the temporary file in the place of NAME, or removes it. */
static int take_place(int parent, const struct temporary *temporary, const char *name) {
        if (renameat(parent, temporary->name, parent, name) >= 0)
                return 0;
        int r = -errno;
        unlinkat(parent, temporary->name, 0);
        return r;
}

int inroot_replace_file(int root, const char *path, const void *data, size_t size, mode_t mode) {
        char name[NAME_MAX + 1];
        struct temporary temporary;
        _cleanup_close_ int parent = inroot_open_parent(root, path, name);
        int r;

        if (parent < 0)
                return parent;
        r = temporary_name(&temporary);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = make_new(parent, temporary.name, mode);
        if (fd < 0)
                return fd;
        r = fd_write_all(fd, data, size);
        if (r < 0) {
                unlinkat(parent, temporary.name, 0);
                return r;
        }
        return take_place(parent, &temporary, name);
}

int inroot_symlink_replace(int root, const char *target, const char *path) {
        char name[NAME_MAX + 1];
        struct temporary temporary;
        _cleanup_close_ int parent = inroot_open_parent(root, path, name);
        int r;

        if (parent < 0)
                return parent;
        if (symlinkat(target, parent, name) >= 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        r = temporary_name(&temporary);
        if (r < 0)
                return r;
        if (symlinkat(target, parent, temporary.name) < 0)
                return -errno;
        return take_place(parent, &temporary, name);
}

int inroot_unlink(int root, const char *path) {
        char name[NAME_MAX + 1];
        _cleanup_close_ int parent = inroot_open_parent(root, path, name);

        if (parent < 0)
                return parent;
        return unlinkat(parent, name, 0) < 0 ? -errno : 0;
}
