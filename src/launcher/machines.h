/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where machines are kept by their names. */

#include <stdbool.h>

#include "launcher/spec.h"

/* The directory or disk image (*RET_IMAGE) that holds the root of machine NAME, which is a valid name and so cannot
 * lead elsewhere. The caller frees *RET. Returns 0, or -ENOENT with *ERROR filled. */
int machine_find(const char *name, char **ret, bool *ret_image, struct error *error);

/* The path of the root that SPEC asks for: what is given; with a machine's name alone that machine's; without either
 * WORKING_DIRECTORY, which may be NULL. The caller frees *RET. Returns 0 or a negative errno. */
int machine_root(const struct spec *spec, const char *working_directory, char **ret, bool *ret_image,
                 struct error *error);
