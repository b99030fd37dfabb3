/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made ready in the parent: new file systems with their content, and clones of what is bound. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "mounts/attach.h"
#include "mounts/context.h"

/* linux/fs.h and sys/mount.h, which have it too, cannot be included beside linux/mount.h. */
#define PRIVATE (1UL << 18) /* MS_PRIVATE, mount(2) */
#define SHARED (1UL << 20)  /* MS_SHARED */

static int make_file(int mount, const struct tree_entry *entry) {
        if (!entry->content || !*entry->content)
                return mknodat(mount, entry->path, S_IFREG | entry->mode, 0) < 0 ? -errno : 0;
        _cleanup_close_ int fd =
                openat(mount, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry->mode);
        return fd < 0 ? -errno : fd_write_all(fd, entry->content, strlen(entry->content));
}

/* The umask is 0 here. */
static int make_entry(int mount, const struct tree_entry *entry) {
        int r = 0;

        switch (entry->kind) {
        case ENTRY_DIRECTORY:
                r = mkdirat(mount, entry->path, entry->mode);
                break;
        case ENTRY_FILE:
                return make_file(mount, entry);
        case ENTRY_SYMLINK:
                r = symlinkat(entry->content, mount, entry->path);
                break;
        case ENTRY_FIFO:
                r = mknodat(mount, entry->path, S_IFIFO | entry->mode, 0);
                break;
        case ENTRY_SOCKET:
                /* bind(2) makes its node itself and accepts no other. One that nobody may use is never bound. */
                r = entry->mode == 0 ? mknodat(mount, entry->path, S_IFSOCK, 0) : 0;
                break;
        case ENTRY_CHARACTER:
                r = mknodat(mount, entry->path, S_IFCHR | entry->mode, entry->device);
                break;
        case ENTRY_BLOCK:
                r = mknodat(mount, entry->path, S_IFBLK | entry->mode, entry->device);
                break;
        }
        return r < 0 ? -errno : 0;
}

static int make_entries(int mount, const struct mount_op *op, struct error *error) {
        for (size_t i = 0; i < op->n_entries; i++) {
                const struct tree_entry *entry = &op->entries[i];
                int r = make_entry(mount, entry);
                if (r < 0 && !entry->optional)
                        return op_error(op, -r, error, "cannot make %s in %s: %m", entry->path, op->target);
                if (r < 0)
                        log_debug("%s of %s is left out: %s", entry->path, op->target, strerror(-r));
        }
        return 0;
}

static int prepare_new(const struct mount_op *op, struct error *error) {
        /* Nothing can be made on a read-only mount: mounts_attach() sets the flag when it is filled. */
        uint64_t later = op->n_entries > 0 ? MOUNT_ATTR_RDONLY : 0;
        _cleanup_close_ int mount = context_mount(op, op->type, op->options, op->attributes & ~later, error);
        int r;

        if (mount < 0)
                return mount;
        r = make_entries(mount, op, error);
        return r < 0 ? r : TAKE_FD(mount);
}

static int prepare_bind(const struct mount_op *op, struct error *error) {
        int r;

        if (!op->source)
                return context_mount(op, "tmpfs", "mode=0755", op->attributes, error);
        /* The path is looked up here and never again. */
        _cleanup_close_ int mount = sys_open_tree(
                AT_FDCWD, op->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0));
        if (mount < 0)
                return op_error(op, errno, error, "cannot bind %s: %m", op->source);
        /* The clone of a shared mount is its peer: what the payload mounts below would show up on the host. So even
         * what is to be shared in the container starts as private: root_share() gives it a peer group of its own. */
        r = mount_change(mount, op, op->propagation && op->propagation != SHARED ? op->propagation : PRIVATE);
        return r < 0 ? op_error(op, -r, error, "cannot set the attributes of %s: %m", op->source) : TAKE_FD(mount);
}

static int prepare_all(const struct mount_list *list, int *fds, struct error *error) {
        for (size_t i = 0; i < list->count; i++) {
                const struct mount_op *op = &list->ops[i];
                if (!op_is_prepared(op))
                        continue;
                int fd = op->kind == MOUNT_NEW ? prepare_new(op, error) : prepare_bind(op, error);
                if (fd < 0 && !op->optional)
                        return fd;
                if (fd < 0)
                        log_debug("nothing is mounted on %s: %s", op->target, error ? error->text : strerror(-fd));
                fds[i] = fd < 0 ? -EBADF : fd;
        }
        return 0;
}

int mounts_prepare(const struct mount_list *list, int root, int *fds, struct error *error) {
        (void) root;
        for (size_t i = 0; i < list->count; i++)
                fds[i] = -EBADF;
        mode_t mask = umask(0);
        int r = prepare_all(list, fds, error);
        umask(mask);
        return r;
}
