/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The lock that systemd's own programs know: on a host that runs systemd, systemd-nspawn and systemd-machined lock a
 * root directory or a disk image by a file in /run/systemd/nspawn/locks before they start, copy, rename or remove it.
 * Without it "machinectl remove" would take the tree from under a running container. Our own lock (lock.h) is on the
 * root itself, which they do not look at. */

#include <stdbool.h>

#include "basic/error.h"
#include "launcher/probe.h"

struct image_lock {
        int fd;        /* the lock lives on it */
        char name[64]; /* of the file */
};
#define IMAGE_LOCK_NONE ((struct image_lock){ .fd = -EBADF })

/* Takes the lock on ROOT, shared if the tree is used read-only. On a host without systemd nothing is made. Returns 0
 * or a negative errno; -EBUSY if somebody else has it. */
int image_lock_take(const struct root_probe *root, bool shared, struct image_lock *ret, struct error *error);

/* Lets go of it. The file is removed unless it is shared with somebody. */
void image_lock_release(struct image_lock *lock);

/* Removes the file that a killed process has left for the root or image at PATH, if nobody has locked it. */
void image_lock_clean(const char *path);
