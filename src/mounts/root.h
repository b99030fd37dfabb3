/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The container's root as a mount of its own, and the way into it (pivot_root(2), mount_namespaces(7)). */

#include <stdbool.h>

#include "basic/error.h"

/* In the parent: a detached copy of the tree at ROOTFD with all mounts below it, private, read-only with READ_ONLY
 * (all of it). Returns a descriptor that the caller owns, or a negative errno with *ERROR filled. It is gone with its
 * last descriptor: nothing is left behind. */
int root_clone(int rootfd, bool read_only, struct error *error);

/* In the child, in a mount namespace of its own: makes TREE_FD (of root_clone()) its root and working directory and
 * detaches everything else, so that nothing of the host is left in the namespace. On a host whose "/" is the initial
 * ramfs, which cannot be exchanged, the tree covers "/" instead. Returns 0 or a negative errno with *ERROR filled. */
int root_enter(int tree_fd, struct error *error);

/* In the child, last: makes every mount of the namespace a shared one in a peer group of its own: what systemd
 * expects to find (CONTAINER_INTERFACE of systemd). Nothing of it reaches the host. */
int root_share(struct error *error);
