/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/context.h"

static int open_file(struct image *image, int flags, struct error *error) {
        struct stat st;

        /* O_EXCL on a block device claims it, unless it is mounted or claimed already (open(2)): the loop device would
         * not, and two users of a file system destroy it. A FIFO must not make us wait. */
        if (stat(image->path, &st) < 0)
                return error_set(error, errno, "cannot open the disk image %s: %m", image->path);
        if (S_ISDIR(st.st_mode)) {
                error_set(error, EISDIR, "%s is a directory, not a disk image", image->path);
                return error_hint(error, "--directory takes it");
        }
        if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
                return error_set(error, EINVAL, "%s is neither a file nor a block device, so it is no disk image",
                                 image->path);
        image->fd = open(image->path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (S_ISBLK(st.st_mode) ? O_EXCL : 0));
        if (image->fd < 0)
                return -errno;
        if (fstat(image->fd, &st) < 0)
                return error_set(error, errno, "cannot look at the disk image %s: %m", image->path);
        image->device = st.st_dev;
        image->inode = st.st_ino;
        image->size = (uint64_t) st.st_size;
        if (S_ISBLK(st.st_mode) && ioctl(image->fd, BLKGETSIZE64, &image->size) < 0)
                return error_set(error, errno, "cannot ask for the size of %s: %m", image->path);
        return image->size > 0 ? 0 : error_set(error, EINVAL, "the disk image %s is empty", image->path);
}

int image_open(const char *path, bool read_only, struct image *ret, struct error *error) {
        int r = -EROFS;

        *ret = IMAGE_NONE;
        ret->path = strdup(path);
        if (!ret->path)
                return error_memory(error);
        if (!read_only)
                r = open_file(ret, O_RDWR, error);
        if (ret->fd < 0 && (r == -EROFS || r == -EACCES || r == -EPERM || r == -ETXTBSY)) {
                ret->read_only = true;
                r = open_file(ret, O_RDONLY, error);
                if (r >= 0 && !read_only)
                        log_notice("%s cannot be written: the container's root is read-only", path);
        }
        if (r < 0 && ret->fd < 0 && (!error || !error->code)) {
                error_set(error, -r, "cannot open the disk image %s: %s", path, strerror(-r));
                return r == -EBUSY ? error_hint(error, "it is mounted or in use by another program") : r;
        }
        return r < 0 ? r : image_scan(ret, error);
}

int image_attach(struct image *image, bool without_trace, struct error *error) {
        image->read_only |= without_trace;
        for (size_t i = 0; i < IMAGE_PARTS; i++) {
                struct image_partition *p = &image->parts[i];
                if (!p->found)
                        continue;
                p->read_only |= image->read_only;
                int r = loop_attach(image->fd, image->path, p->offset, p->size, p->read_only, &p->loop, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

const char *image_part_target(enum image_part part) {
        static const char *const targets[IMAGE_PARTS] = {
                [PART_ROOT] = "/",   [PART_USR] = "/usr", [PART_HOME] = "/home", [PART_SRV] = "/srv",
                [PART_VAR] = "/var", [PART_TMP] = "/tmp", [PART_BOOT] = "/boot",
        };

        return targets[part];
}

/* A device that cannot be written has no journal replayed: what the last user has left unfinished is not seen. */
static const char *options_of(const struct image_partition *p) {
        static const struct {
                const char *type, *writable, *read_only;
        } table[] = {
                { "ext4", NULL, "ro,noload" },
                { "xfs", NULL, "ro,norecovery" },
                { "btrfs", NULL, "ro,rescue=nologreplay" },
                { "vfat", "umask=0077", "ro,umask=0077" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (text_equal(p->type, table[i].type))
                        return p->read_only ? table[i].read_only : table[i].writable;
        return p->read_only ? "ro" : NULL;
}

/* Devices are not for an image to bring along: those of the container are on a tmpfs of ours. */
int image_mount_op(const struct image *image, enum image_part part, const char *target, struct mount_op *ret) {
        const struct image_partition *p = &image->parts[part];
        const char *options = options_of(p);

        *ret = (struct mount_op){
                .kind = MOUNT_NEW,
                .side = SIDE_PARENT,
                .target = strdup(target),
                .source = strdup(p->loop.device),
                .type = strdup(p->type),
                .options = options ? strdup(options) : NULL,
                .attributes = MOUNT_ATTR_NODEV | (p->read_only ? MOUNT_ATTR_RDONLY : 0),
                .origin = strdup("--image"),
        };
        if (part == PART_ESP || part == PART_BOOT)
                ret->attributes |= MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        ret->optional = part == PART_ESP || part == PART_BOOT; /* kernels without vfat boot all the same */
        if (ret->target && ret->source && ret->type && ret->origin && (ret->options || !options))
                return 0;
        mount_op_free(ret);
        return -ENOMEM;
}

int image_mount_root(const struct image *image, struct error *error) {
        _cleanup_(mount_op_free) struct mount_op op = { 0 };

        if (image_mount_op(image, PART_ROOT, "/", &op) < 0)
                return error_memory(error);
        int fd = context_mount(&op, op.type, op.options, op.attributes, error);
        if (fd == -EROFS || fd == -EUCLEAN)
                return error_hint(error, "fsck may repair it");
        return fd;
}

void image_close(struct image *image) {
        if (!image->path)
                return;
        for (size_t i = 0; i < IMAGE_PARTS; i++)
                if (image->parts[i].found)
                        loop_close(&image->parts[i].loop);
        fd_close(image->fd);
        free(image->path);
        *image = IMAGE_NONE;
}
