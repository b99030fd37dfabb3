/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One root, one owner: a lock on the root directory itself, which dies with the process that holds it. */

#include "launcher/probe.h"

/* Takes the lock, shared if the tree is used read-only. It lives on ROOT->lock_fd. Returns 0 or a negative errno;
 * -EBUSY names the holder by pid and machine. A file system that cannot lock is a debug line. */
int lock_root(const struct root_probe *root, bool shared, struct error *error);
