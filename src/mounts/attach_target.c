/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/attach_target.h"

#include <errno.h>
#include <fcntl.h>

#include "mounts/context.h"
#include "mounts/inroot.h"

int target_open(int root, const struct mount_op *op) {
        int flags = O_PATH;

        if (op->real_directory)
                flags |= O_DIRECTORY | O_NOFOLLOW;
        else if (op->no_follow)
                flags |= O_NOFOLLOW;
        return inroot_open(root, op->target, flags, 0);
}

int target_error(int root, const struct mount_op *op, int r, struct error *error) {
        if (op->real_directory && (r == -ENOTDIR || r == -ELOOP))
                return op_error(op, -r, error, "%s in the root is %s: it must be a directory", op->target,
                                inroot_kind(root, op->target));
        if (r == -ENOENT && !op->create)
                return op_error(op, ENOENT, error, "there is no %s in the root to mount on", op->target);
        return op_error(op, -r, error, "cannot open the mount point %s in the root: %m", op->target);
}
