/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The payload's control group: where it is, made and removed. All by descriptor in a cgroup2 mount of our own. */

#include "launcher/launch.h"

/* Opens the directory that the payload's group is to be made in. With GROUP_UNIT the calling process moves to the
 * group "supervisor" there; with GROUP_SCOPE the leader must be in the scope by now. PARENT is opened first, so that
 * whoever cleans up after a crash knows of the group before it exists. Returns 0 or a negative errno. */
int group_open(struct launch *launch, struct error *error);
/* Whether LEADER is in the scope UNIT in the cgroup2 hierarchy. On a host whose manager keeps its units in cgroup v1
 * it is not: what is called "payload" would be made at the top, where the next container's would be too. */
bool group_scope_is_cgroup2(pid_t leader, const char *unit);
/* The group's name there. */
const char *group_name(const struct launch *launch);
/* Makes the group. Returns 0 or a negative errno with ERROR set. */
int group_make(struct launch *launch, struct error *error);

/* Moves the leader to the group, if there is one and the leader was not born there: without clone3(), or where the
 * group was not known yet. It could not go there by itself: under nsdelegate, which systemd sets, nobody crosses the
 * root of his cgroup namespace, and the leader has one by then. Moving a process holds up every fork and exit of the
 * host for a moment: only where it must be. Then lets the group have what controllers there are, which the kernel
 * refuses as long as a process is in the group above. Returns 0 or a negative errno with ERROR set. */
int group_join(const struct launch *launch, struct error *error);
/* Holds the group to the plan's devices, where that is ours to do. Before the payload is let go, beside the child's
 * own work. Returns 0 or a negative errno; a kernel or a sandbox without bpf(2) is no error. */
int group_restrict(const struct launch *launch, struct error *error);
/* Removes the group with its sub-groups; all its processes have ended. */
void group_remove(struct launch *launch);
