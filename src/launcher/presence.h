/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How spawnctl reaches a container: its name taken in /run/spawn, its socket, the viewers of its console. Every
 * container has one where that can be had; one that can be left (plan->session) must. The supervisor owns it and
 * drives it by presence_fd(). */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "console/server.h"
#include "console/session.h"
#include "launcher/plan.h"

struct presence;

/* What viewers ask of the supervisor. */
struct presence_hooks {
        void *userdata;
        void (*command)(void *userdata, enum packet_command command, int number);
        void (*enter)(void *userdata, int fd); /* FD is borrowed */
};

/* Takes the plan's name and begins to listen; what CONSOLE shows is kept and shown to viewers (NULL: there is none).
 * VIEWER_FD is one that is there from the start and becomes the presence's, or negative. *RET is the caller's to end
 * with presence_close(). Returns 0 or a negative errno. */
int presence_open(const struct plan *plan, struct console *console, int viewer_fd, const struct presence_hooks *hooks,
                  struct presence **ret, struct error *e);

int presence_fd(const struct presence *p);
void presence_dispatch(struct presence *p);
/* Until when the console is better not dispatched, for the sake of the viewer that was there from the start; see
 * server_hold_until(). 0: it can be. */
uint64_t presence_hold_until(const struct presence *p, uint64_t now_usec);
/* The console has been dispatched: it may take what it would not take before. */
void presence_feed(struct presence *p);

/* The viewers are told TEXT, which must live as long as P. */
void presence_tell(struct presence *p, const char *text);

/* The payload runs, as LEADER; again after a reboot. */
int presence_started(struct presence *p, pid_t leader, struct error *e);

/* It has said that it is ready. */
int presence_ready(struct presence *p, struct error *e);

/* All is over, with STATUS. Tells the viewers; a slow one is waited for a little. Returns whether somebody may still
 * come to hear of it: not, if a viewer that was there from the start has been told. */
bool presence_end(struct presence *p, int status);

/* Answers those who come late, for a moment. The name is free again meanwhile, and nothing but *P is used, so that all
 * else can be given up before: a root that is held open could not be unmounted. */
void presence_linger(struct presence *p);

struct presence *presence_close(struct presence *p);

/* After a crash: removes what it left. NAME is the machine's. */
void presence_clean(const char *name);
