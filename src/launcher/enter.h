/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Commands that come into a running container (spawnctl exec, shell, login).
 *
 * The client connects to the session's socket and says ENTER (console/protocol.h); the supervisor forks a helper,
 * hands it the connection and forgets about it: nothing that a client says can hold it up. The helper is told the
 * rest:
 *
 *      client → helper: descriptors (basic/sync.h), request
 *      helper → client: descriptors: the PTY's master, or none; then FAILED and a sentence, ENDED and the status
 *      client → helper: GO (with a PTY, once it has the right size), COMMAND packets with signals
 *
 * The attack that all this order is made for: a container's root may trace whatever it can see (ptrace(2)). The helper
 * joins group and namespaces and gives up all rights that the payload has not, all while it is still outside of the
 * PID namespace. Only the process that it forks then is inside, and holds nothing more than the payload does. */

#include <stdbool.h>
#include <sys/ioctl.h>

#include "basic/text.h"
#include "launcher/launch.h"

#define ENTER_SIZE_MAX (64 * 1024)

struct enter_request {
        bool terminal;     /* on a PTY of its own; else on the three descriptors that are sent */
        char *user;        /* NULL: the payload's */
        char *chdir;       /* NULL: the home for a shell, else "/" */
        struct strv words; /* none: the user's shell */
        struct strv environment;
};
void enter_request_free(struct enter_request *q);

/* The client's side: says ENTER, then all of *Q with STREAMS (borrowed; negative: none). Returns 0 or a negative
 * errno; -EMSGSIZE for words of more than ENTER_SIZE_MAX bytes in all. */
int enter_ask(int fd, const struct enter_request *q, const int streams[static 3]);

/* The helper's: the request as bytes. Never trusts them: returns 0, or -EPROTO. *RET is the caller's in any case. */
int enter_decode(const char *bytes, size_t size, struct enter_request *ret);

/* In the supervisor: answers the client on the other end of FD, which stays the caller's, from a process of its own.
 * Returns 0 or a negative errno. */
int enter_fork(const struct launch *launch, int fd);
