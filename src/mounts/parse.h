/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The mounts of the command line and of settings files, from words to data (systemd-nspawn(1): --bind=, --tmpfs=,
 * --inaccessible=). Nothing is looked at on the host or in the root.
 *
 * ORIGIN says where the word came from ("--bind", "FILE:LINE"): it begins error messages and is copied to the op. All
 * return 0 with *RET filled, to be freed with mount_op_free(), or a negative errno (-EINVAL, -ENOMEM) with *ERROR
 * filled and *RET untouched. */

#include <stdbool.h>

#include "basic/error.h"
#include "mounts/op.h"

/* "[+]SOURCE[:TARGET[:OPTIONS]]"; a backslash makes the next byte an ordinary one, as in `\:`. An empty SOURCE is an
 * empty directory of nobody's, `+` takes it from the container's tree. OPTIONS: rbind, norbind, noidmap, idmap,
 * rootidmap, owneridmap. */
int mount_parse_bind(const char *text, bool read_only, const char *origin, struct mount_op *ret, struct error *error);

/* "PATH[:OPTIONS]": options of tmpfs(5), and ro, nosuid, nodev, noexec, … of the mount. Without any: mode=0755. */
int mount_parse_tmpfs(const char *text, const char *origin, struct mount_op *ret, struct error *error);

/* "PATH", to be covered with an empty node of its own type that nobody can read. */
int mount_parse_inaccessible(const char *text, const char *origin, struct mount_op *ret, struct error *error);

/* A path inside the container in its one form: absolute, no "//", "/." or trailing slash; ".." is refused. The caller
 * frees *RET. Returns 0, -EINVAL or -ENOMEM. */
int mount_normalise(const char *path, char **ret);
