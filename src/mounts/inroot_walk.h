/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Looking up a path inside a root in user space: for kernels and sandboxes without openat2(2). Part of
 * mounts/inroot.h. */

#include <sys/types.h>

/* As inroot_open(), component by component: each directory is opened by descriptor without following links, each link
 * is read and followed here. With RET_PATH the canonical path goes there as well (the caller frees). */
int inroot_walk(int root, const char *path, int flags, mode_t mode, char **ret_path);
