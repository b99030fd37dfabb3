/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Carries a plan out and decides nothing. The parent half clones the root's mounts, calls clone3 once and makes ready
 * by descriptor what does not belong to the new namespaces; the child half (child.h) makes what does, is handed the
 * rest, attaches, verifies, drops and executes. Both work at the same time. */

#include <stdbool.h>
#include <sys/types.h>

#include "console/pty.h"
#include "isolation/filter.h"
#include "launcher/plan.h"

struct launch {
        const struct plan *plan; /* borrowed */
        int supervisor_pidfd;    /* borrowed: our own process, so that the child can see us die */
        int tree_fd;             /* detached clone of the root's mounts */
        int *mount_fds;          /* one for each mount of the plan, until the child has its copies */
        int run_host_fd;         /* the container's /run/host; borrowed from mount_fds */
        int run_fd;              /* its /run, for an init that is asked by a file there */
        int notify_fd;           /* datagram socket behind /run/host/notify */
        int kmsg_fd;             /* keeps /proc/kmsg's FIFO open, so that a reader waits rather than spins */
        struct pty pty;          /* PTY_NONE in pipe mode */
        struct filter_set filter;
        enum group_place group; /* the plan's, or what it has come to */
        int cgroup_parent_fd;   /* the directory of the payload's group, or -EBADF */
        int cgroup_fd;          /* the payload's group */
        bool in_group;          /* the child was born in it */
        int sync_fd;            /* our end of the channel to the child */
        pid_t leader;
        int leader_pidfd;
};

#define LAUNCH_NONE                                                                                                   \
        ((struct launch){ .supervisor_pidfd = -EBADF,                                                                 \
                          .tree_fd = -EBADF,                                                                          \
                          .run_fd = -EBADF,                                                                           \
                          .run_host_fd = -EBADF,                                                                      \
                          .notify_fd = -EBADF,                                                                        \
                          .kmsg_fd = -EBADF,                                                                          \
                          .pty = PTY_NONE,                                                                            \
                          .cgroup_parent_fd = -EBADF,                                                                 \
                          .cgroup_fd = -EBADF,                                                                        \
                          .sync_fd = -EBADF,                                                                          \
                          .leader_pidfd = -EBADF })

/* Starts the child. Afterwards leader and leader_pidfd are set; the child reports on sync_fd. Returns 0 or a negative
 * errno. */
int launch_start(struct launch *launch, struct error *error);

/* Makes mounts, PTY and sockets ready while the child works, all detached or anonymous: nothing is left behind if the
 * caller dies now. Returns 0 or a negative errno. */
int launch_prepare(struct launch *launch, struct error *error);

/* Gives the child what launch_prepare() has made; most of it is closed here then. Returns 0 or a negative errno
 * (-EPIPE: the child has failed and says why). */
int launch_hand_over(struct launch *launch, struct error *error);
/* The child's side of it: waits, and fills its own copy of *LAUNCH. */
int launch_receive(struct launch *launch, int sync_fd, struct error *error);

/* Closes what belongs to one start. Harmless on LAUNCH_NONE. supervisor_pidfd stays. */
void launch_end(struct launch *launch);
