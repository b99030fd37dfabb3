/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done in the child: the mounts of its own namespaces are made, and all of them attached. */

#include "mounts/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/attach_target.h"
#include "mounts/context.h"
#include "mounts/idmap.h"
#include "mounts/inroot.h"

#define SHARED (1UL << 20) /* MS_SHARED, mount(2) */

/* The helper that makes an id map is the container's first second process. Were it number 2, the payload of a stub
 * could not be: numbers are given in order. Any number that cannot be in use and is below all limits (the least
 * kernel.pid_max is 301) will do. */
enum { IDMAP_HELPER_TID = 300 };

struct attach {
        const struct mount_list *list;
        int root;
        int *fds;
        bool tree_writable;
        bool exact;               /* every mount so far is at the very path that its op names */
        int masks;                /* the directory of the nodes that masks are made of, opened when first needed */
        uint64_t mask_attributes; /* what a clone of them has already */
};

/* The directory of OP's target if that can be had without a look-up: the root itself, or a mount that we have put at
 * exactly that path. One component below such a descriptor there is no link to go astray by. */
static int parent_of(const struct attach *a, size_t i, const char **ret_name) {
        const char *target = a->list->ops[i].target, *name = strrchr(target, '/');
        size_t n = (size_t) (name - target);

        *ret_name = name + 1;
        if (n == 0)
                return a->root;
        while (a->exact && i-- > 0) {
                const char *other = a->list->ops[i].target;
                if (a->fds[i] >= 0 && strlen(other) == n && memcmp(other, target, n) == 0)
                        return a->fds[i];
        }
        return -EBADF;
}

/* Puts a directory on its target in one call, if that is there: move_mount(2) does not follow a link in the last
 * component, and refuses a directory on anything else. */
static bool attach_directly(const struct attach *a, size_t i) {
        const char *name;
        int parent = parent_of(a, i, &name);

        return parent >= 0 && sys_move_mount(a->fds[i], "", parent, name, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static int is_directory(int fd, bool *ret) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        *ret = S_ISDIR(st.st_mode);
        return 0;
}

/* Makes OP's missing target in the image. */
static int make_target(const struct attach *a, const struct mount_op *op, int mount, struct error *error) {
        bool directory = true;
        int r = is_directory(mount, &directory);

        if (r >= 0)
                r = inroot_mkdirs_parent(a->root, op->target, 0755);
        if (r >= 0)
                r = directory ? inroot_mkdirs(a->root, op->target, 0755) : inroot_touch(a->root, op->target, 0644);
        if (r >= 0)
                return 0;
        op_error(op, -r, error, "cannot make the mount point %s in the root: %m", op->target);
        return r == -EROFS && !a->tree_writable && error
                       ? error_hint(error, "the tree is mounted read-only: make %s in it beforehand", op->target)
                       : r;
}

/* Opens the target of op I, which the file system MOUNT is to be put on. */
static int open_or_make_target(const struct attach *a, const struct mount_op *op, int mount, struct error *error) {
        int fd = target_open(a->root, op);

        if (fd == -ENOENT && op->create) {
                int r = make_target(a, op, mount, error);
                if (r < 0)
                        return r;
                fd = target_open(a->root, op);
        }
        return fd < 0 ? target_error(a->root, op, fd, error) : fd;
}

static int explain_move(const struct mount_op *op, int mount, int target, int code, struct error *error) {
        bool from = false, to = false;

        if (is_directory(mount, &from) >= 0 && is_directory(target, &to) >= 0 && from != to)
                return op_error(op, from ? ENOTDIR : EISDIR, error, "cannot mount %s on %s, which is %s",
                                from ? "a directory" : "a file", op->target, to ? "a directory" : "none");
        return op_error(op, code, error, "cannot mount on %s: %m", op->target);
}

static int move_to(const struct mount_op *op, int mount, int target, struct error *error) {
        if (sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return explain_move(op, mount, target, errno, error);
        return 0;
}

static int attach_new(struct attach *a, size_t i, struct error *error) {
        const struct mount_op *op = &a->list->ops[i];

        if (op->side == SIDE_CHILD && a->fds[i] < 0) {
                int fd = context_mount(op, op->type, op->options, op->attributes, error);
                if (fd < 0)
                        return fd;
                a->fds[i] = fd;
        } else if (op->side == SIDE_PARENT && op->n_entries > 0 && op->attributes & MOUNT_ATTR_RDONLY) {
                int r = mount_change(a->fds[i], op, 0);
                if (r < 0)
                        return op_error(op, -r, error, "cannot make %s read-only: %m", op->target);
        }
        if (attach_directly(a, i))
                return 0;
        _cleanup_close_ int target = open_or_make_target(a, op, a->fds[i], error);
        if (target < 0)
                return target;
        a->exact = a->exact && op->real_directory && strchr(op->target + 1, '/') == NULL;
        return move_to(op, a->fds[i], target, error);
}

/* A clone of FROM with the attributes of OP and nothing of FROM's propagation. */
static int clone_with_attributes(const struct mount_op *op, int from, const char *name, uint64_t has,
                                 struct error *error) {
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0) |
                         (*name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH);
        _cleanup_close_ int mount = sys_open_tree(from, name, flags);
        int r;

        if (mount < 0)
                return op_error(op, errno, error, "cannot clone what is mounted on %s: %m", op->target);
        if ((op->attributes & ~has) == 0 && op->clear == 0 && op->propagation == 0)
                return TAKE_FD(mount);
        r = mount_change(mount, op, op->propagation);
        return r < 0 ? op_error(op, -r, error, "cannot set the attributes of %s: %m", op->target) : TAKE_FD(mount);
}

/* The container's own procfs, mounted by us. */
static int find_proc(const struct attach *a, size_t before) {
        for (size_t i = 0; i < before; i++)
                if (a->fds[i] >= 0 && a->list->ops[i].kind == MOUNT_NEW && text_equal(a->list->ops[i].type, "proc"))
                        return a->fds[i];
        return -EBADF;
}

/* Has to be done while the bind is detached: a mount that can be reached is not mapped any more (mount_setattr(2)). */
static int map_owner(const struct attach *a, size_t i, int target, struct error *error) {
        const struct mount_op *op = &a->list->ops[i];
        struct owner shown = { 0, 0 };
        struct stat st;

        if (op->id_map == ID_MAP_NONE)
                return 0;
        if (op->id_map == ID_MAP_OWNER) {
                if (fstat(target, &st) < 0)
                        return op_error(op, errno, error, "cannot look at %s: %m", op->target);
                shown = (struct owner){ st.st_uid, st.st_gid };
        }
        return idmap_set(a->fds[i], op, find_proc(a, i), &shown, IDMAP_HELPER_TID, error);
}

static int attach_bind(struct attach *a, size_t i, struct error *error) {
        const struct mount_op *op = &a->list->ops[i];

        if (op->source_in_root) {
                _cleanup_close_ int source = inroot_open(a->root, op->source, O_PATH, 0);
                if (source < 0)
                        return op_error(op, -source, error, "cannot bind %s of the root: %m", op->source);
                int fd = clone_with_attributes(op, source, "", 0, error);
                if (fd < 0)
                        return fd;
                a->fds[i] = fd;
        }
        _cleanup_close_ int target = open_or_make_target(a, op, a->fds[i], error);
        if (target < 0)
                return target;
        int r = map_owner(a, i, target, error);
        if (r < 0)
                return r;
        a->exact = false;
        return move_to(op, a->fds[i], target, error);
}

/* Binds a part of the tree on itself. */
static int attach_self(struct attach *a, size_t i, struct error *error) {
        const struct mount_op *op = &a->list->ops[i];
        _cleanup_close_ int target = target_open(a->root, op);

        if (target == -ENOENT && op->optional)
                return 0;
        if (target < 0)
                return target_error(a->root, op, target, error);
        int fd = clone_with_attributes(op, target, "", 0, error);
        if (fd < 0)
                return fd;
        a->fds[i] = fd;
        return move_to(op, fd, target, error);
}

/* Finds the nodes that masks are made of: ours and attached by now, so that no image can choose what covers a file. A
 * detached mount could not be cloned before Linux 6.15. */
static int open_masks(struct attach *a, size_t before, const struct mount_op *op, struct error *error) {
        for (size_t i = 0; i < before; i++) {
                const struct mount_op *other = &a->list->ops[i];
                for (size_t j = 0; a->fds[i] >= 0 && other->kind == MOUNT_NEW && j < other->n_entries; j++) {
                        if (!text_equal(other->entries[j].path, "inaccessible"))
                                continue;
                        a->masks = openat(a->fds[i], "inaccessible", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                        a->mask_attributes = other->attributes;
                        return a->masks < 0 ? op_error(op, errno, error, "cannot open the nodes that mask files: %m")
                                            : 0;
                }
        }
        return op_error(op, ENOENT, error, "there is nothing to make %s inaccessible with", op->target);
}

/* The node to cover something of MODE with. The device nodes may be missing: a file does as well. */
static const char *mask_name(int masks, mode_t mode) {
        switch (mode & S_IFMT) {
        case S_IFDIR:
                return "dir";
        case S_IFIFO:
                return "fifo";
        case S_IFSOCK:
                return "sock";
        case S_IFCHR:
                return faccessat(masks, "chr", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? "chr" : "reg";
        case S_IFBLK:
                return faccessat(masks, "blk", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? "blk" : "reg";
        default:
                return "reg";
        }
}

static int attach_mask(struct attach *a, size_t i, struct error *error) {
        const struct mount_op *op = &a->list->ops[i];
        _cleanup_close_ int target = target_open(a->root, op);
        struct stat st;

        if (target == -ENOENT && op->optional)
                return 0;
        if (target < 0)
                return target_error(a->root, op, target, error);
        if (fstat(target, &st) < 0)
                return op_error(op, errno, error, "cannot look at %s: %m", op->target);
        int r = a->masks >= 0 ? 0 : open_masks(a, i, op, error);
        if (r < 0)
                return r;
        int fd = clone_with_attributes(op, a->masks, mask_name(a->masks, st.st_mode), a->mask_attributes, error);
        if (fd < 0)
                return fd;
        a->fds[i] = fd;
        return move_to(op, fd, target, error);
}

static int attach_one(struct attach *a, size_t i, struct error *error) {
        static int (*const by_kind[])(struct attach *, size_t, struct error *) = {
                [MOUNT_NEW] = attach_new,
                [MOUNT_BIND] = attach_bind,
                [MOUNT_ATTACH] = attach_self,
                [MOUNT_MASK] = attach_mask,
        };
        const struct mount_op *op = &a->list->ops[i];

        /* Optional and already given up by mounts_prepare(). */
        if (op_is_prepared(op) && a->fds[i] < 0)
                return 0;
        int r = by_kind[op->kind](a, i, error);
        if (r >= 0)
                return 0;
        a->fds[i] = fd_close(a->fds[i]);
        /* What hides or protects something may be without an object, never fail: that is no option. */
        if (!op->optional || op->kind == MOUNT_MASK || op->kind == MOUNT_ATTACH)
                return r;
        log_debug("nothing is mounted on %s: %s", op->target, error ? error->text : strerror(-r));
        return 0;
}

void mounts_make(const struct mount_list *list, int *fds) {
        for (size_t i = 0; i < list->count; i++) {
                const struct mount_op *op = &list->ops[i];
                if (op->kind == MOUNT_NEW && op->side == SIDE_CHILD && !text_equal(op->type, "cgroup2"))
                        fds[i] = context_mount(op, op->type, op->options, op->attributes, NULL);
                if (fds[i] < 0)
                        fds[i] = -EBADF;
        }
}

int mounts_attach(const struct mount_list *list, int root, int *fds, bool tree_writable, struct error *error) {
        struct attach a = {
                .list = list, .root = root, .fds = fds, .tree_writable = tree_writable, .exact = true, .masks = -EBADF
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->count; i++)
                r = attach_one(&a, i, error);
        fd_close(a.masks);
        return r;
}

int mounts_propagate(const struct mount_list *list, const int *fds, struct error *error) {
        for (size_t i = 0; i < list->count; i++) {
                const struct mount_op *op = &list->ops[i];
                struct mount_attr attr = { .propagation = op->propagation };
                unsigned flags = AT_EMPTY_PATH | (op->recursive ? AT_RECURSIVE : 0);

                if (fds[i] < 0 || op->propagation == 0 || op->propagation == SHARED)
                        continue;
                if (sys_mount_setattr(fds[i], "", flags, &attr, sizeof attr) < 0)
                        return op_error(op, errno, error, "cannot set the propagation of %s: %m", op->target);
        }
        return 0;
}
