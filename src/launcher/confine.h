/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What each process of the container is held to, the payload and whatever enters later: nothing of the caller's goes
 * in, and no more rights than the plan gives. Each changes the calling process. They return 0 or a negative errno with
 * *ERROR filled. */

#include "launcher/launch.h"
#include "launcher/user.h"

/* Signals that the caller ignores or blocks (nohup(1), a job's mask) are none of the container's: every one starts
 * with its default action, as the kernel starts a first process. */
void confine_signals(void);

/* Login session and OOM score, while /proc is the host's. */
int confine_attributes(const struct launch *launch, struct error *error);

/* A keyring of its own: the caller's session keys are none of the payload's. Where keyrings are not in the kernel or
 * not permitted there is nothing to leak either. */
int confine_keyring(struct error *error);

/* Resource limits, CPU affinity, personality. */
int confine_limits(const struct launch *launch, struct error *error);

/* System calls, capabilities, user and groups, no_new_privs. The kernel clears the parent-death signal by the way
 * (PR_SET_PDEATHSIG(2const)). */
int confine_privileges(const struct launch *launch, const struct user *user, struct error *error);

/* Enters the directory PATH of the tree ROOT. Returns 0 or a negative errno. */
int confine_directory(int root, const char *path);

/* The plan's environment for USER, appended to *ENV, which is empty. */
int confine_environment(const struct plan *plan, const struct user *user, struct strv *env, struct error *error);

/* Descriptors below FIRST are passed on, all others close at the exec. */
int confine_descriptors(int first, struct error *error);
