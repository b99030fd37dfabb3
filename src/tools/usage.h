/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a control group uses, with all groups below it. */

#include <stdint.h>

struct usage {
        uint64_t cpu_usec;      /* of processor time, since the group was made */
        uint64_t memory;        /* bytes */
        uint64_t tasks;         /* threads */
        uint64_t read, written; /* bytes from and to disks */
};

/* Reads what group PATH (state.h) uses. Where the group has not the controller (memory, pids, io) its processes are
 * asked, one by one: memory that they share is counted for each then, and what ended ones have read and written is
 * missing. Returns 0 or a negative errno: -ENOENT: there is no such group, or no cgroup2. */
int usage_read(const char *path, struct usage *ret);
