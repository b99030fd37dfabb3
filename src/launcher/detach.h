/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A container that can be left has a supervisor in the background from the start: a process cannot leave the terminal
 * that others wait for it on. The caller's process waits for the container to run and prints what is said until then;
 * with --detach it returns, with --detachable it becomes the container's first viewer. */

#include <stdbool.h>

#include "basic/error.h"
#include "launcher/probe.h"
#include "launcher/spec.h"

struct presence;

/* The supervisor's side. Its standard error is a packet socket to the caller until the container runs. */
struct detach {
        bool waits;                 /* the caller does */
        int viewer_fd;              /* a viewer that is connected already, for the server to take; or -EBADF */
        struct presence *lingering; /* what is left when all is over, for presence_linger(); or NULL */
};
#define DETACH_NONE ((struct detach){ .viewer_fd = -EBADF })

/* Does this run need a supervisor of its own? */
bool detach_wanted(const struct spec *spec, const struct host_probe *host);

/* Splits the process. Returns 0 in the supervisor, in a session of its own and without the caller's descriptors;
 * 1 in the caller when all is over, with *RET_STATUS for its exit; or a negative errno. Call it before anything of the
 * container is made. */
int detach(const struct spec *spec, const struct host_probe *host, struct detach *ret, int *ret_status,
           struct error *error);

/* The container runs, as MACHINE: the caller is let go. Harmless the second time. */
void detach_ready(struct detach *d, const char *machine);
/* It has ended before that, with STATUS. */
void detach_failed(struct detach *d, int status);
