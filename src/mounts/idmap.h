/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Idmapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP): a bind whose files show other owners than they have on disk.
 * The map is that of a user namespace, which needs no process once the mount holds it. */

#include <sys/types.h>

#include "basic/error.h"
#include "mounts/op.h"

struct owner {
        uid_t uid;
        gid_t gid;
};

/* Makes a user namespace that maps one owner: what belongs to DISK on disk shows as SHOWN, and what SHOWN makes
 * belongs to DISK. All other ids are unmapped: they show as the overflow ids (65534), and who has them can make
 * nothing (EOVERFLOW). A helper process holds the namespace for as long as this takes; it gets the number TID in the
 * caller's PID namespace, so that no number is used up there, or any if that is 0 or clone3(2)
 * is missing. PROC is a procfs of the caller's
 * PID namespace. CAP_SETUID, CAP_SETGID and, to show as root, CAP_SETFCAP are needed (user_namespaces(7)). Returns a
 * descriptor that the caller owns, or a negative errno. */
int idmap_namespace(int proc, const struct owner *disk, const struct owner *shown, pid_t tid);

/* Maps the owner of the root of the detached MOUNT to SHOWN, on all mounts below it too if OP is recursive; OP is what
 * it is for. PROC and TID as above. Returns 0 or a negative errno with *ERROR filled: the source and its type of file
 * system are named where that cannot be mapped. */
int idmap_set(int mount, const struct mount_op *op, int proc, const struct owner *shown, pid_t tid,
              struct error *error);
