/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Groups of the cgroup2 hierarchy, by descriptor (Documentation/admin-guide/cgroup-v2.rst of Linux). */

/* Moves the calling process into the group whose directory is GROUP_FD. Returns 0 or a negative errno. */
int cgroup_enter(int group_fd);

/* Kills what is left in the group NAME of directory PARENT_FD and removes it with all its sub-groups. A group whose
 * last process has just died stays busy for a moment: waits for it up to five seconds in all. Returns 0 (also when
 * there is no such group) or a negative errno. */
int cgroup_remove(int parent_fd, const char *name);
