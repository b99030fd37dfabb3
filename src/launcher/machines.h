/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where machines are kept by their names. */

#include <stdbool.h>

#include "basic/error.h"

/* The directory or disk image (*RET_IMAGE) that holds the root of machine NAME, which is a valid name and so cannot
 * lead elsewhere. The caller frees *RET. Returns 0, or -ENOENT with *ERROR filled. */
int machine_find(const char *name, char **ret, bool *ret_image, struct error *error);
