/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Groups of the cgroup2 hierarchy, by descriptor (Documentation/admin-guide/cgroup-v2.rst of Linux). */

#include <stdbool.h>
#include <sys/types.h>

/* Moves the calling process into the group whose directory is GROUP_FD. Returns 0 or a negative errno. */
int cgroup_enter(int group_fd);

/* Moves process PID, as seen from here, into the group. Returns 0 or a negative errno (-ESRCH: there is none). */
int cgroup_move(int group_fd, pid_t pid);

/* Lets the sub-groups of GROUP_FD have every controller that it has itself, each as far as the kernel allows: a group
 * with processes of its own hands none on ("no internal processes"). */
void cgroup_enable_controllers(int group_fd);

/* The path of process PID (0: our own) in the cgroup2 hierarchy, as our cgroup namespace shows it: the line "0::PATH"
 * of proc_pid_cgroup(5), or the root where there is no such line. Returns 0 or a negative errno: -ENOENT for no
 * process or a kernel without groups, -EXDEV for a group outside of the namespace. The caller frees *RET. */
int cgroup_path(pid_t pid, char **ret);

/* The unit of the host's systemd that process PID is in: the first component of its group's path that is no slice, if
 * it has the name of a service or scope; in the cgroup2 hierarchy or systemd's own of v1. Returns 0 or a negative
 * errno: -ENOENT: it is in none. The caller frees *RET. */
int cgroup_unit(pid_t pid, char **ret);
/* The same of a group's path; NULL: it is in none. The caller frees. */
char *cgroup_unit_of(const char *path);

/* Opens the directory of the group PATH (as cgroup_path() gives it) for changes below it: where the host has cgroup2
 * mounted, writable; our own group also where it has not (a v1 host, a sandbox). The host's mounts and the options of
 * the hierarchy stay as they are. Returns a descriptor, or a negative errno: -ENOENT where there is no such group. */
int cgroup_open(const char *path);

/* Whether a service manager has marked the group PATH as one whose inside it leaves to others (systemd, "Control Group
 * APIs and Delegation"). */
bool cgroup_is_delegated(const char *path);

/* Kills what is left in the group NAME of directory PARENT_FD and removes it with all its sub-groups. A group whose
 * last process has just died stays busy for a moment: waits for it up to five seconds in all. Returns 0 (also when
 * there is no such group) or a negative errno. */
int cgroup_remove(int parent_fd, const char *name);
