/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A root file system in a disk image: a bare file system, or partitions in a GPT or MBR (the UAPI group's
 * "Discoverable Partitions Specification"). What is in it is as hostile as the rest of the image: the table is read by
 * libblkid, which looks for the few kinds of content that are served and no others; then the kernel mounts. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"
#include "mounts/loop.h"
#include "mounts/op.h"

enum image_part {
        PART_ROOT,
        PART_USR, /* refused: what is looked for in a root could be in it */
        PART_HOME,
        PART_SRV,
        PART_VAR,
        PART_TMP,
        PART_ESP,  /* what firmware starts from: /efi, or /boot where there is no /efi and no PART_BOOT */
        PART_BOOT, /* more of the same for the boot loader: /boot */
        IMAGE_PARTS
};

struct image_partition {
        bool found, read_only;
        int number;            /* in the table; 0: the image has none */
        uint64_t offset, size; /* bytes */
        const char *type;      /* of the file system, as fsopen(2) takes it */
        struct loop loop;
};

struct image {
        int fd;     /* owned */
        char *path; /* NULL: there is no image */
        dev_t device;
        ino_t inode;
        uint64_t size;
        bool read_only;    /* asked for, or the file cannot be written */
        const char *table; /* "gpt", "dos", or NULL for a bare file system */
        struct image_partition parts[IMAGE_PARTS];
};
#define IMAGE_NONE ((struct image){ .fd = -EBADF })

/* Opens the file or block device PATH and finds what is in it; nothing is changed, and nothing is attached. Returns 0
 * or a negative errno with *ERROR filled; image_close() is for the caller in any case. */
int image_open(const char *path, bool read_only, struct image *ret, struct error *error);

/* The part of image_open() that reads the content: FD and SIZE are set. Returns 0 or a negative errno. */
int image_scan(struct image *image, struct error *error);

/* Makes block devices of the partitions. With WITHOUT_TRACE they are read-only, and journals are not replayed: so may
 * be looked at what somebody else uses. Returns 0 or a negative errno with *ERROR filled. */
int image_attach(struct image *image, bool without_trace, struct error *error);

/* The mount of PART at TARGET, to be made in the parent. OP's strings are the caller's. Returns 0 or -ENOMEM. */
int image_mount_op(const struct image *image, enum image_part part, const char *target, struct mount_op *ret);

/* A new detached mount of the root partition. Returns a descriptor for the caller, or a negative errno. */
int image_mount_root(const struct image *image, struct error *error);

/* Where PART belongs, or NULL: PART_ESP has two places. */
const char *image_part_target(enum image_part part);

void image_close(struct image *image);
