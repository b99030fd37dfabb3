/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/root.h"

#include <errno.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"

/* linux/fs.h and sys/mount.h, which have them too, cannot be included beside linux/mount.h. */
#define PRIVATE (1UL << 18) /* MS_PRIVATE, mount(2) */
#define SHARED (1UL << 20)  /* MS_SHARED */
#define DETACH 2            /* MNT_DETACH, umount2(2) */

int root_clone(int rootfd, bool read_only, struct error *error) {
        struct mount_attr attr = { .attr_set = read_only ? MOUNT_ATTR_RDONLY : 0, .propagation = PRIVATE };
        _cleanup_close_ int tree =
                sys_open_tree(rootfd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

        if (tree >= 0 && sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) >= 0)
                return TAKE_FD(tree);
        if (errno == ENOSYS)
                return error_set(error, ENOSYS, "this kernel cannot mount by descriptor: Linux 5.12 is needed");
        if (tree < 0)
                return error_set(error, errno, "cannot make a mount of the root: %m");
        return error_set(error, errno, "cannot make the root a%s mount: %m", read_only ? " read-only" : " private");
}

static int set_propagation(unsigned long propagation) {
        struct mount_attr attr = { .propagation = propagation };

        return sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr);
}

/* The working directory is the new root, and "/" still the old one below it. */
static int exchange_root(struct error *error) {
        /* The old root ends up on top of the new one, both at ".": no directory of the image is needed to put it on
         * (pivot_root(2), "pivot_root(".", ".")"). The working directory is "/" afterwards, here and below. */
        if (sys_pivot_root(".", ".") >= 0)
                return sys_umount2(".", DETACH) < 0 ? error_set(error, errno, "cannot detach the host's root: %m") : 0;
        if (errno != EINVAL)
                return error_set(error, errno, "cannot make the tree the root: %m");
        log_debug("the host runs from its initial ramfs: the tree covers it");
        return chroot(".") < 0 ? error_set(error, errno, "cannot make the tree the root: %m") : 0;
}

int root_enter(int tree_fd, struct error *error) {
        /* All of it: a shared mount would carry the move, and the detaching of what lies below, to the host. */
        if (set_propagation(PRIVATE) < 0)
                return error_set(error, errno, "cannot make the mounts private: %m");
        if (sys_move_mount(tree_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return errno == ENOSYS ? error_set(error, ENOSYS,
                                                   "this kernel cannot mount by descriptor: Linux 5.12 is needed")
                                       : error_set(error, errno, "cannot mount the tree: %m");
        if (fchdir(tree_fd) < 0)
                return error_set(error, errno, "cannot enter the tree: %m");
        return exchange_root(error);
}

int root_share(struct error *error) {
        return set_propagation(SHARED) < 0 ? error_set(error, errno, "cannot make the mounts shared: %m") : 0;
}
