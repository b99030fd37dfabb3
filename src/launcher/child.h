/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What runs between clone3 and exec, in the container's namespaces. It ends in the payload or in a SYNC_FAILED packet
 * whose error the parent prints. */

#include "launcher/launch.h"

/* Never returns. SYNC_FD is the child's end of the channel; *LAUNCH is the child's own copy. */
_Noreturn void child_run(struct launch *launch, int sync_fd);

/* Replaces the process by the payload: the init, the words or the user's shell. Returns a negative errno. */
struct user;
int child_execute(const struct launch *launch, const struct user *user, char *const environment[],
                  struct error *error);

/* The two of them that whoever enters later can ask for. WORDS and ENVIRONMENT end with NULL. */
int execute_words(int root, char *const words[], char *const environment[], struct error *error);
int execute_shell(int root, const struct user *user, char *const environment[], struct error *error);

/* As PID 1: forks, returns 0 in the process that is to become the payload; in PID 1 never returns. It reaps, relays
 * the orderly signals and ends with the payload's status. */
int stub_split(struct error *error);
