/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Carries out a list of mounts (mounts/op.h), all by descriptor (fsopen(2), open_tree(2), mount_setattr(2),
 * move_mount(2)). FDS has one descriptor for each op, -EBADF where there is none; the caller owns and closes them.
 * After mounts_attach() it is the mounted file system's root, or -EBADF for an optional mount that was left out. */

#include <stdbool.h>

#include "basic/error.h"
#include "mounts/op.h"

/* In the parent, before clone3(), in the host's namespaces: makes and fills the new file systems and clones the bind
 * sources of SIDE_PARENT. A file system with entries stays writable here even if it is to be read-only, so that the
 * caller can add to it (a bound socket): mounts_attach() makes it read-only. ENTRY_SOCKET is left to the caller. ROOT
 * is the tree's descriptor; nothing of it is used yet. Returns 0 or a negative errno with *ERROR filled; FDS is then
 * filled up to the one that failed. */
int mounts_prepare(const struct mount_list *list, int root, int *fds, struct error *error);

/* In the child, in its namespaces: makes the file systems that belong to them (SIDE_CHILD), not yet attached. What
 * fails here is tried again by mounts_attach(), which reports it; so is cgroup2, whose instance shows the group that
 * its maker is in at that moment, and the child may enter its own later. */
void mounts_make(const struct mount_list *list, int *fds);

/* In the child, in its own mount namespace with ROOT as its "/" (root_enter()): makes what is SIDE_CHILD and not yet
 * made, and attaches everything, in order. A missing target is made only if the op says so and TREE_WRITABLE is true
 * or the target lies in another mount of the list. The nodes of masks come from the directory "inaccessible" of
 * whichever earlier MOUNT_NEW has that entry. Returns 0 or a negative errno with *ERROR filled. */
int mounts_attach(const struct mount_list *list, int root, int *fds, bool tree_writable, struct error *error);

/* In the child after mounts_attach(): looks up every target again and reads back from the kernel (fstatfs(2),
 * fstat(2)) that what was promised is there: file system type, read-only, nosuid, nodev, noexec, masks of mode 0 and
 * no content. A mount that a later one of the list covers is left out. Returns 0 or a negative errno (-EPROTO: a
 * promise is not kept) with *ERROR filled; the launch must end then. */
int mounts_verify(const struct mount_list *list, int root, const int *fds, struct error *error);

/* In the child after root_share(): gives those mounts that ask for it (an fstab's `private`, `slave`, `unbindable`)
 * their own propagation back. No system call where none does. Returns 0 or a negative errno with *ERROR filled. */
int mounts_propagate(const struct mount_list *list, const int *fds, struct error *error);
