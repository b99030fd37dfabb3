/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is said to the service manager that runs us (sd_notify(3)). Where there is none, each of these is a look at the
 * environment and no more; nothing here blocks or fails. Times are CLOCK_MONOTONIC in microseconds. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct notices {
        bool wait_for_payload;  /* READY=1 is the payload's to say (--notify-ready) */
        bool stopping;          /* has been said */
        uint64_t watchdog_usec; /* how often we are to say that we live; 0: never */
        uint64_t watchdog_at;   /* when next */
};

/* The payload runs: its PID here, and that we are ready unless that is the payload's to say. */
void notices_started(struct notices *n, pid_t leader, uint64_t now_usec);
/* Passes on what the payload's PID 1 has sent to NOTIFY_FD, as far as it may say it; a bounded number of messages.
 * Returns whether it has said that it is ready. */
bool notices_forward(int notify_fd, pid_t leader);
/* The container has been asked to end, or has ended. Said once. */
void notices_stopping(struct notices *n);
/* When notices_tick() has something to do; 0: never. */
uint64_t notices_next(const struct notices *n);
/* Says that we live, if it is time to. */
void notices_tick(struct notices *n, uint64_t now_usec);
