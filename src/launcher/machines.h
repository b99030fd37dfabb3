/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where machines are kept by their names. */

#include "basic/error.h"

/* The directory that holds the root of machine NAME, which is a valid name and so cannot lead elsewhere. The caller
 * frees *RET. Returns 0 or a negative errno with *ERROR filled: -ENOENT, or -EOPNOTSUPP for a disk image. */
int machine_find(const char *name, char **ret, struct error *error);
