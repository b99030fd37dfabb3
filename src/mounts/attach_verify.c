/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After the set-up: what was promised is read back from the kernel, by the paths that the payload will use. */

#include <errno.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/attach.h"
#include "mounts/attach_target.h"
#include "mounts/context.h"
#include "mounts/inroot.h"

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c of Linux; statfs(2) lists it */
#endif
#define NOSYMFOLLOW 0x2000 /* f_flags, statfs(2): the C library has no name for it */

static const struct {
        const char *type;
        unsigned long magic;
} magics[] = {
        { "proc", PROC_SUPER_MAGIC },     { "sysfs", SYSFS_MAGIC },   { "tmpfs", TMPFS_MAGIC },
        { "devpts", DEVPTS_SUPER_MAGIC }, { "mqueue", MQUEUE_MAGIC }, { "cgroup2", CGROUP2_SUPER_MAGIC },
        { "ramfs", RAMFS_MAGIC },
};

static const struct {
        uint64_t attribute;
        unsigned long flag; /* f_flags of statfs(2): the values of <sys/statvfs.h> */
        const char *name;
} flags[] = {
        { MOUNT_ATTR_RDONLY, 1, "read-only" },
        { MOUNT_ATTR_NOSUID, 2, "nosuid" },
        { MOUNT_ATTR_NODEV, 4, "nodev" },
        { MOUNT_ATTR_NOEXEC, 8, "noexec" },
        { MOUNT_ATTR_NOSYMFOLLOW, NOSYMFOLLOW, "nosymfollow" },
};

static int broken(const struct mount_op *op, struct error *error, const char *what) {
        return op_error(op, EPROTO, error, "%s in the container is not what it has to be: %s", op->target, what);
}

static int verify_type(const struct mount_op *op, const struct statfs *fs, struct error *error) {
        for (size_t i = 0; i < ELEMENTSOF(magics); i++)
                if (text_equal(op->type, magics[i].type) && (unsigned long) fs->f_type != magics[i].magic)
                        return broken(op, error, "another file system is there");
        return 0;
}

static int verify_flags(const struct mount_op *op, const struct statfs *fs, struct error *error) {
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (op->attributes & flags[i].attribute && !((unsigned long) fs->f_flags & flags[i].flag))
                        return op_error(op, EPROTO, error, "%s in the container is not what it has to be: not %s",
                                        op->target, flags[i].name);
        return 0;
}

/* A mask is the very node that was made for it, and nobody but who overrides permissions can open it; there is nothing
 * in it then either. An empty directory of a tmpfs has a size, though. */
static int verify_mask(const struct mount_op *op, int target, int mask, struct error *error) {
        struct stat found, made;

        if (fstat(target, &found) < 0 || fstat(mask, &made) < 0)
                return op_error(op, errno, error, "cannot look at %s: %m", op->target);
        if (found.st_dev != made.st_dev || found.st_ino != made.st_ino)
                return broken(op, error, "its mask is not there");
        if ((found.st_mode & 07777) != 0 || (!S_ISDIR(found.st_mode) && found.st_size != 0))
                return broken(op, error, "its mask can be read");
        return 0;
}

/* Nothing is promised about it. It is not looked at either: statfs(2) would wait for a file server that is gone. */
static bool nothing_promised(const struct mount_op *op) {
        return op->kind == MOUNT_BIND && op->attributes == 0;
}

static int verify_one(const struct mount_op *op, int root, int fd, struct error *error) {
        _cleanup_close_ int target = target_open(root, op);
        struct statfs fs;
        int r;

        if (target < 0)
                return target_error(root, op, target, error);
        if (fstatfs(target, &fs) < 0)
                return op_error(op, errno, error, "cannot look at %s: %m", op->target);
        r = op->kind == MOUNT_NEW ? verify_type(op, &fs, error) : 0;
        if (r >= 0)
                r = verify_flags(op, &fs, error);
        return r >= 0 && op->kind == MOUNT_MASK ? verify_mask(op, target, fd, error) : r;
}

/* Is PATH the path OTHER or below it? Both are canonical. */
static bool is_below(const char *path, const char *other) {
        size_t n = strlen(other);

        return strncmp(path, other, n) == 0 && (path[n] == '/' || path[n] == 0);
}

/* Does a later mount of the list lie over the target of op I? Looked at only when something is amiss: a user may well
 * cover /proc or /dev. The image cannot add to the list. */
static bool is_covered(const struct mount_list *list, int root, const int *fds, size_t i) {
        _cleanup_free_ char *path = NULL;

        (void) inroot_resolve(root, list->ops[i].target, &path);
        for (size_t j = i + 1; j < list->count; j++) {
                _cleanup_free_ char *other = NULL;
                if (fds[j] < 0)
                        continue;
                (void) inroot_resolve(root, list->ops[j].target, &other);
                if (is_below(path ? path : list->ops[i].target, other ? other : list->ops[j].target))
                        return true;
        }
        return false;
}

int mounts_verify(const struct mount_list *list, int root, const int *fds, struct error *error) {
        for (size_t i = 0; i < list->count; i++) {
                if (fds[i] < 0 || nothing_promised(&list->ops[i]))
                        continue;
                int r = verify_one(&list->ops[i], root, fds[i], error);
                if (r < 0 && !is_covered(list, root, fds, i))
                        return r;
        }
        return 0;
}
