/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/image_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"

#define TOP "/run/systemd/nspawn"
#define LOCKS TOP "/locks"

static void name_of(const struct stat *st, char *ret, size_t size) {
        if (S_ISBLK(st->st_mode))
                snprintf(ret, size, "block-%u:%u", major(st->st_rdev), minor(st->st_rdev));
        else
                snprintf(ret, size, "inode-%ju:%ju", (uintmax_t) st->st_dev, (uintmax_t) st->st_ino);
}

/* Opens the directory of the locks. -ENOENT: this host's PID 1 is not systemd (sd_booted(3)). */
static int open_locks(bool make) {
        if (make && access("/run/systemd/system", F_OK) < 0)
                return -ENOENT;
        if (make && ((mkdir(TOP, 0755) < 0 && errno != EEXIST) || (mkdir(LOCKS, 0755) < 0 && errno != EEXIST)))
                return -errno;
        int fd = open(LOCKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* A lock of the open file, as systemd takes it: unlike others of fcntl(2) it is not lost when a process closes some
 * other descriptor of the file. */
static int lock_whole(int fd, short type) {
        struct flock whole = { .l_type = type, .l_whence = SEEK_SET };

        return fcntl(fd, F_OFD_SETLK, &whole) < 0 ? -errno : 0;
}

/* Returns a descriptor that holds the lock or a negative errno: -EAGAIN, or -ESTALE when the file was removed between
 * its opening and its locking by whom had it before. */
static int lock_file(int directory, const char *name, int flags, short type) {
        _cleanup_close_ int fd = openat(directory, name, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
        struct stat st;
        int r = fd < 0 ? -errno : lock_whole(fd, type);

        if (r < 0)
                return r == -EACCES ? -EAGAIN : r;
        return fstat(fd, &st) < 0 ? -errno : st.st_nlink == 0 ? -ESTALE : TAKE_FD(fd);
}

int image_lock_take(const struct root_probe *root, bool shared, struct image_lock *ret, struct error *error) {
        _cleanup_close_ int locks = open_locks(true);
        struct image_lock result;
        struct stat st;

        if (locks == -ENOENT)
                return 0;
        if (locks < 0)
                return error_set(error, -locks, "cannot make %s: %m", LOCKS);
        if (fstat(root->lock_fd, &st) < 0)
                return error_set(error, errno, "cannot look at %s: %m", root->path);
        name_of(&st, result.name, sizeof result.name);
        do
                result.fd = lock_file(locks, result.name, O_CREAT, shared ? F_RDLCK : F_WRLCK);
        while (result.fd == -ESTALE);
        if (result.fd == -EAGAIN) {
                error_set(error, EBUSY, "%s is in use by another program, which has locked %s in %s", root->path,
                          result.name, LOCKS);
                return error_hint(error, "is it started, copied or removed by systemd-nspawn or machinectl?");
        }
        if (result.fd < 0)
                return error_set(error, -result.fd, "cannot lock %s in %s: %m", result.name, LOCKS);
        *ret = result;
        return 0;
}

void image_lock_release(struct image_lock *lock) {
        _cleanup_close_ int locks = lock->fd >= 0 ? open_locks(false) : -EBADF;

        /* Who has a shared lock can have it alone if there is nobody else. */
        if (locks >= 0 && lock_whole(lock->fd, F_WRLCK) == 0)
                (void) unlinkat(locks, lock->name, 0);
        lock->fd = fd_close(lock->fd);
}

void image_lock_clean(const char *path) {
        _cleanup_close_ int locks = open_locks(false);
        char name[sizeof((struct image_lock *) NULL)->name];
        struct stat st;

        if (locks < 0 || stat(path, &st) < 0)
                return;
        name_of(&st, name, sizeof name);
        _cleanup_close_ int fd = lock_file(locks, name, 0, F_WRLCK);
        if (fd >= 0)
                (void) unlinkat(locks, name, 0);
}
