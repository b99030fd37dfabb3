/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A part of a disk image as a block device (loop(4)). */

#include <stdbool.h>
#include <stdint.h>

#include "basic/error.h"

struct loop {
        int fd;          /* of the block device; owned */
        char device[24]; /* "/dev/loop0" */
};
#define LOOP_NONE ((struct loop){ .fd = -EBADF })

/* Makes SIZE bytes from OFFSET on of the file FD (that of NAME, for people) a block device. FD stays the caller's. The
 * device is gone with its last user: our descriptor, then the file system that is mounted from it. Returns 0 or a
 * negative errno with *ERROR filled. */
int loop_attach(int fd, const char *name, uint64_t offset, uint64_t size, bool read_only, struct loop *ret,
                struct error *error);
void loop_close(struct loop *loop);
