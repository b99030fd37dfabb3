/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the host can see of a container that may be left and come back to: the directory /run/spawn/NAME with
 *
 *      lock    flock(2)ed by the supervisor for as long as the name is taken
 *      state   who and what it is, as JSON, written atomically
 *      socket  where viewers connect (console/server.h), for root only
 *
 * Nothing in it is trusted to be true after a crash: the lock dies with its holder, and the processes are known by
 * number and start time. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

#define STATE_TOP "/run/spawn"
#define STATE_NAME_MAX 64

struct process_id {
        pid_t pid;      /* 0: none */
        uint64_t start; /* clock ticks after boot, proc_pid_stat(5), field 22 */
};

struct state {
        char name[STATE_NAME_MAX + 1];
        char root[4096];
        char log[4096];    /* of --console-log=, absolute; empty: none */
        char cgroup[4096]; /* of the payload, as the host's cgroup2 names it; empty: none */
        char unit[256];    /* of the host's systemd that the payload is in; empty: none */
        char id[33];       /* the machine's, 32 hexadecimal digits */
        char class[16];    /* "container" */
        char console[16];  /* "detached", … */
        struct process_id supervisor, leader;
        bool ready;         /* the payload has said so (READY=1, sd_notify(3)) */
        uint64_t started;   /* seconds since the epoch */
        uint64_t monotonic; /* the same moment: µs of CLOCK_MONOTONIC; 0: not known */
};

struct state_place {
        int directory, lock;
};
#define STATE_PLACE_NONE ((struct state_place){ .directory = -EBADF, .lock = -EBADF })

/* When PID was started; 0 if there is no such process, or only its zombie. */
uint64_t process_start(pid_t pid);
/* Is it still that very process? */
bool process_lives(const struct process_id *p);

/* Is NAME one that a machine can have? What is not is never made part of a path. */
bool state_name_is_valid(const char *name);

/* Takes the name: makes its directory, locks it, and removes what a crash has left there. Returns 0 or a negative
 * errno; -EBUSY names the holder. */
int state_take(const char *name, struct state_place *ret, struct error *e);

/* Makes the socket and listens. Returns a descriptor, which is the caller's, or a negative errno. */
int state_listen(const struct state_place *place, struct error *e);

/* Writes the file, all or nothing. Returns 0 or a negative errno. */
int state_write(const struct state_place *place, const struct state *state, struct error *e);

/* Lets go of the name, which anybody can take from then on; the socket stays for those who come late. */
void state_release(struct state_place *place);

/* Lets go of the name NAME and removes all that is there of it. */
void state_drop(struct state_place *place, const char *name);

/* Removes what is left of NAME if nobody holds it. Harmless when there is nothing. */
void state_remove(const char *name);

/* Reads the state of NAME. Returns 0 or a negative errno (-ENOENT: no such machine). */
int state_read(const char *name, struct state *ret, struct error *e);

/* Connects to its socket. Returns a descriptor, which is the caller's, or a negative errno. */
int state_connect(const char *name, struct error *e);
