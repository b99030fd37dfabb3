/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A tiny process that outlives a crash of the supervisor (SIGKILL and SIGSEGV too) and then kills the container,
 * restores the terminal and removes the cgroup.
 *
 * PR_SET_PDEATHSIG is not enough: the kernel clears it when the process changes its credentials or executes a
 * set-user-ID program (PR_SET_PDEATHSIG(2const)), so a payload such as setpriv(1) would live on. */

#include <stddef.h>
#include <sys/types.h>

#include "basic/error.h"
#include "console/terminal.h"

struct guardian_plan {
        int supervisor_pidfd;            /* whose death counts; negative: the calling process's */
        const struct terminal *terminal; /* restored if its modes are still ours; NULL: none */
        void (*clean)(void *userdata);   /* called at the end, after a crash only; NULL: nothing */
        void *userdata;
        const int *keep_fds; /* descriptors that CLEAN needs; all others are closed in the guardian */
        size_t keep_count;   /* at most GUARDIAN_KEEP_MAX */
};

#define GUARDIAN_KEEP_MAX 8

struct guardian {
        pid_t pid;
        int pidfd;   /* the guardian */
        int channel; /* SOCK_SEQPACKET, our end */
};

#define GUARDIAN_NONE ((struct guardian){ .pid = 0, .pidfd = -EBADF, .channel = -EBADF })

/* Starts it: own session, all signals blocked, named "spawn-guard", no exit signal (so it is not seen by SIGCHLD nor
 * by waitpid(-1) without __WALL). The plan is copied; PLAN->terminal must have been probed, it may be made raw later.
 * Call it while the process has one thread. *RET is the caller's to end with guardian_stop(). Returns 0 or a negative
 * errno. */
int guardian_start(const struct guardian_plan *plan, struct guardian *ret, struct error *e);

/* Hands it the leader by pidfd (the caller keeps its own descriptor), again after a reboot. Returns 0 or a negative
 * errno (-EPIPE: the guardian is gone, nothing is guarded any more). Does not block. */
int guardian_set_leader(const struct guardian *g, int pidfd);

/* Hands it the container's cgroup, the directory NAME (one component) in PARENT_FD (the caller keeps it): its
 * processes are killed and it is removed with its sub-groups after a crash. Returns as above; -EINVAL for a bad name.
 */
int guardian_set_cgroup(const struct guardian *g, int parent_fd, const char *name);

/* Tells it to end and does not wait: for when there is nothing to guard any more, so that it ends beside the caller's
 * own last work. guardian_stop() is still due. Harmless on GUARDIAN_NONE. */
void guardian_dismiss(const struct guardian *g);

/* Ends and reaps it: from here on nothing happens when the supervisor dies. Leaves GUARDIAN_NONE; harmless on that. */
void guardian_stop(struct guardian *g);
