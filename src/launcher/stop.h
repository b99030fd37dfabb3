/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How a container is asked to end, and made to. Times are CLOCK_MONOTONIC in microseconds. */

#include <stdbool.h>
#include <stdint.h>

#include "launcher/launch.h"

enum stop_phase {
        STOP_NOT_ASKED,
        STOP_TO_ASK, /* asked, but perhaps before the init was ready for it: again every STOP_RETRY_USEC */
        STOP_ASKED,
        STOP_KILLED,
};

#define STOP_RETRY_USEC 500000

struct stop {
        enum stop_phase phase;
        int asked_with;         /* the signal that spawn got */
        bool requested;         /* STOP_RUNIT: see init_request_runit() */
        uint64_t retry_usec;    /* STOP_TO_ASK: when to try again */
        uint64_t deadline_usec; /* when to kill; 0: never */
};

/* A signal that asks for the end (SIGTERM, SIGINT, SIGHUP, SIGQUIT) has come. The first one asks in the way that the
 * payload understands and starts the clock; the second kills. A payload that takes no such signal is killed at once.
 */
void stop_request(struct stop *stop, const struct launch *launch, int sig, uint64_t now_usec);
/* When stop_tick() has something to do; 0: never. */
uint64_t stop_next(const struct stop *stop);
void stop_tick(struct stop *stop, const struct launch *launch, uint64_t now_usec);
/* Stops the payload as the shell stops a job, and lets it go on: the processes of its group, or those of the command
 * below our own PID 1. */
void stop_pause(const struct launch *launch);
void stop_resume(const struct launch *launch);
/* Kills the container now. */
void stop_kill(struct stop *stop, const struct launch *launch);
