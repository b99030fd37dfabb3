/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The steps that mounts/attach.h is made of: one file system, one attribute call, one message. */

#include <stdbool.h>
#include <stdint.h>

#include "basic/error.h"
#include "mounts/op.h"

/* Is OP's mount made ready by mounts_prepare()? */
bool op_is_prepared(const struct mount_op *op);

/* Fills *ERROR with "ORIGIN: sentence" (without the origin where that is "default"). Returns -CODE. */
int op_error(const struct mount_op *op, int code, struct error *error, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* A new, detached mount of a file system TYPE with OPTIONS (comma separated, or NULL) and ATTRIBUTES (MOUNT_ATTR_*),
 * made in the caller's namespaces; OP is what it is for. Returns a descriptor of its root that the caller owns, or a
 * negative errno with *ERROR filled, the kernel's own message in it where there is one (fsopen(2)). */
int context_mount(const struct mount_op *op, const char *type, const char *options, uint64_t attributes,
                  struct error *error);

/* Sets and clears what OP asks for on the mount FD (on all below it if OP is recursive), and PROPAGATION (MS_*, or 0)
 * with it, in one mount_setattr(2); no call where nothing is asked. Returns 0 or a negative errno. */
int mount_change(int fd, const struct mount_op *op, unsigned long propagation);
