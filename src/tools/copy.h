/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Copies files and directories from one tree to another by descriptors: neither side can lead the other out of its
 * tree, whatever it renames meanwhile. */

#include <stdbool.h>

#include "basic/error.h"

enum { COPY_DEPTH_MAX = 128 /* of directories; each holds descriptors */ };

struct copy_options {
        int signal_fd;      /* what can be read here ends the copying; -EBADF: nothing does */
        bool replaces;      /* a file that is there already */
        bool strips_rights; /* set-user-ID and set-group-ID bits are left away */
};

/* Copies NAME in the directory FROM, whatever it is, to the directory TO as NEW_NAME: content (with holes, shared
 * where the file system can), owner, mode, times, attributes user.*. Links are copied as such, never followed. Devices
 * and sockets inside of a directory are passed over with a notice; on their own they are refused.
 *
 * All or nothing: what is unfinished has another name, and is removed when it fails. Returns 0 or a negative errno
 * (-EEXIST: NEW_NAME is taken, by what cannot be replaced; -EINTR: SIGNAL_FD). The descriptors are borrowed. */
int copy_tree(int from, const char *name, int to, const char *new_name, const struct copy_options *options,
              struct error *error);
