/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where a mount goes: part of mounts/attach.h. */

#include "basic/error.h"
#include "mounts/op.h"

/* Opens (O_PATH) what OP's target is in ROOT now, by the rules of the op: real_directory, no_follow. Returns a
 * descriptor that the caller owns or a negative errno. */
int target_open(int root, const struct mount_op *op);

/* Says why target_open() has returned R. Returns R. */
int target_error(int root, const struct mount_op *op, int r, struct error *error);
