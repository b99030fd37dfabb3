/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The channel between the two halves of a launch: a SOCK_SEQPACKET pair with named steps. The child starts early and
 * does what needs its namespaces while the parent makes ready what does not; descriptors go over when they are there.
 *
 * One packet is one step; message boundaries come from the kernel, so nothing is framed by hand. The end that the
 * child holds closes at exec: the parent reads that as "the payload runs". */

#include <stddef.h>

#include "basic/error.h"

enum sync_step {
        SYNC_FDS = 1,  /* parent: carries descriptors, see sync_send_fds() */
        SYNC_PREPARED, /* child: everything is set up and verified, only the exec is left */
        SYNC_GO,       /* parent: go on to the exec */
        SYNC_FAILED,   /* child: carries a struct error, the child exits after it */
        SYNC_ENDED,    /* of a command that has entered: the error's code is its status */
};

struct sync_packet {
        enum sync_step step;
        struct error error; /* meaningful with SYNC_FAILED and SYNC_ENDED */
};

/* A connected pair, close-on-exec. Returns 0 or a negative errno. */
int sync_pair(int ret_fds[static 2]);
/* Sends STEP, with ERROR if it is not NULL. Returns 0 or a negative errno (-EPIPE: the other half is gone). */
int sync_send(int fd, enum sync_step step, const struct error *error);
/* Receives one packet, blocking. Returns 1, 0 at the end of the channel, or a negative errno. */
int sync_receive(int fd, struct sync_packet *ret);

/* Sends N descriptors, of which any may be negative (none), in as few packets as the kernel allows (SCM_MAX_FD,
 * unix(7)). The caller keeps its own. Returns 0 or a negative errno (-EPIPE: the other half is gone). */
int sync_send_fds(int fd, const int *fds, size_t n);
/* Receives exactly N, close-on-exec, blocking; -EBADF where there is none. They are the caller's to close. Returns 0,
 * or a negative errno (-EPIPE: the other half is gone; -EPROTO: something else came); none is left open then. */
int sync_receive_fds(int fd, int *ret_fds, size_t n);
