/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Mounts from a file of fstab(5) lines. libmount reads the lines and knows the options; it is loaded only here. */

#include "basic/error.h"
#include "mounts/op.h"

/* Appends the mounts of FILE to *LIST, in their order; each has the origin "FILE:LINE". Mount points are paths inside
 * the container, whether written /x or x; sources are the host's, relative ones against the working directory. Lines
 * of swap and those with `noauto` are left out, `nofail` makes a mount optional, `X-mount.mkdir` has a missing mount
 * point made. Propagation is private unless the options say otherwise. Returns 0 or a negative errno with *ERROR
 * filled and *LIST as it was: -EINVAL for a malformed line, which the error names ("FILE:LINE: …"), -EOPNOTSUPP where
 * there is no libmount. */
int fstab_load(const char *file, struct mount_list *list, struct error *error);
