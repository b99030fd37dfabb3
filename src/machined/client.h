/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The inside of struct machined, for the files of this room. One call is under way at a time; its answer begins the
 * next step:
 *
 *      CONNECT → IDLE ─(enter)→ [PROBE] → SCOPE → JOB → REGISTER → [COLLISION] → RUNNING ─(leave)→ LEAVING → IDLE
 *
 * OFF is the end of the bus. */

#include "machined/library.h"
#include "machined/machined.h"
#include "machined/names.h"
#include "machined/property.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define MACHINED_NAME "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER "org.freedesktop.machine1.Manager"

enum step {
        STEP_CONNECT,
        STEP_IDLE,
        STEP_PROBE,     /* does the manager know CoredumpReceive=? */
        STEP_SCOPE,     /* StartTransientUnit is called */
        STEP_JOB,       /* its job runs */
        STEP_REGISTER,  /* RegisterMachine… is called */
        STEP_COLLISION, /* who has the name? */
        STEP_RUNNING,
        STEP_LEAVING,
        STEP_OFF,
};

enum { LEAVE_CALLS = 4 };

struct machined {
        struct machined_plan plan;
        struct libsystemd lib;
        sd_bus *bus; /* NULL once it is lost */
        enum step step;
        uint64_t deadline; /* of the step, 0: none */
        unsigned events;
        struct error error;
        sd_bus_slot *call;     /* the call under way */
        pid_t leader;          /* 0: none */
        int leader_pidfd;      /* borrowed */
        bool by_pid;           /* the manager does not know PIDFDs= */
        bool coredump_receive; /* the manager knows it */
        char unit[UNIT_NAME_SIZE];
        char unit_path[UNIT_PATH_SIZE];
        char *job;       /* object path */
        char *manager;   /* unique name of the manager, of whom alone signals are taken */
        bool scope_made; /* by us, for this leader */
        bool registered;
        sd_bus_slot *leaving[LEAVE_CALLS];
        unsigned leaving_calls; /* without an answer yet */
        bool unit_gone;
};

/* Loads libsystemd and begins to connect to the system bus. *RET is the caller's, and may be set after an error too.
 * Returns 0 or a negative errno. */
int client_connect(struct libsystemd *lib, sd_bus **ret, struct error *error);

/* bus.c */

/* Enters STEP, with its deadline. The call that was under way is forgotten: a late answer does nothing. */
void client_step(struct machined *m, enum step step);
/* Sends MESSAGE, whose answer goes to CALLBACK with M. Takes over MESSAGE. Returns 0 or a negative errno. */
int client_call(struct machined *m, sd_bus_message *message, sd_bus_message_handler_t callback);
/* Ends the way in: what failed was mandatory (FAILED) or not (ENTERED with a note). Use with client_scope_failed() or
 * client_register_failed(), which know which. */
void client_give_up(struct machined *m, bool mandatory);
/* Everything is closed; what was under way gets no answer. */
void client_close_bus(struct machined *m);
/* Appends PROPERTY as (sv). Returns 0 or a negative errno. */
int client_append_property(struct machined *m, sd_bus_message *message, const struct property *property);
/* Whether an answer says that the service itself is not there (neither running nor to be started). */
bool client_is_absent(const sd_bus_error *e);
/* The words of an answer's error with control bytes escaped: they come from another process. */
struct client_words {
        char text[256];
};
struct client_words client_words(const sd_bus_error *e);

/* scope.c */

int scope_subscribe(struct machined *m); /* the signals of the manager; 0 or a negative errno */
void scope_begin(struct machined *m);
void scope_timeout(struct machined *m);
/* FAILED or a note, as the plan has it: m->error is filled. */
void scope_failed(struct machined *m);
bool scope_is_mandatory(const struct machined_plan *plan);
/* Sends what ends the scope. */
void scope_leave(struct machined *m, sd_bus_message_handler_t answered);

/* register.c */

void register_begin(struct machined *m); /* with register=no: ENTERED */
void register_timeout(struct machined *m);
void register_leave(struct machined *m, sd_bus_message_handler_t answered);
/* Asks machined who has our name, and fails with that. m->error holds what is said if nobody answers. */
void register_name_holder(struct machined *m);
/* Sends one call of the end, whose answer is only counted. */
void client_leave_call(struct machined *m, sd_bus_message *message, sd_bus_message_handler_t answered);
