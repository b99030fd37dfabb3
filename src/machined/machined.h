/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The container as the host's systemd knows it: a scope made by the service manager, a machine registered with
 * systemd-machined (org.freedesktop.systemd1(5), org.freedesktop.machine1(5)).
 *
 *      machined_open → machined_enter → … MACHINED_ENTERED → … → machined_leave → … MACHINED_LEFT → machined_free
 *
 * with machined_dispatch() called whenever machined_fd() polls for machined_events(), or machined_deadline() has come.
 * All three may change with every call. Nothing here blocks: there is no synchronous call, and each step is given up
 * after MACHINED_STEP_USEC, so a peer that hangs or lies can delay start and stop by that and no more. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

#define MACHINED_STEP_USEC UINT64_C(5000000)

enum machined_register {
        MACHINED_NO,   /* a scope only */
        MACHINED_YES,  /* what cannot be registered, fails */
        MACHINED_AUTO, /* where there is no machined, there is a note */
};

struct machined_device {
        const char *node; /* "/dev/net/tun", or a class: "char-pts" */
        char access[4];   /* letters of "rwm" */
};

/* What to tell the host. Everything is borrowed until machined_free(). */
struct machined_plan {
        const char *machine;        /* validated machine name */
        const uint8_t *id;          /* 16 bytes */
        const char *service;        /* what machined shows, e.g. "systemd-nspawn" */
        const char *root_directory; /* absolute, or NULL for an image */
        enum machined_register register_;
        bool keep_unit;                        /* no scope: stay in the current unit */
        const char *slice;                     /* NULL: machine.slice */
        const char *const *properties;         /* NAME=VALUE, NULL-terminated, or NULL */
        int kill_signal;                       /* 0: none; else KillSignal= and KillMode=mixed */
        bool boot;                             /* CoredumpReceive=yes where the manager knows it */
        const struct machined_device *devices; /* DeviceAllow= */
        size_t n_devices;
        const int *interfaces; /* indices of the host's network interfaces that belong to the machine */
        size_t n_interfaces;
};

enum machined_event {
        MACHINED_ENTERED = 1 << 0, /* scope made and machine registered; or given up, then machined_error() says why */
        MACHINED_FAILED = 1 << 1,  /* what was asked for cannot be had: machined_error() is the line to print */
        MACHINED_STOP_REQUESTED = 1 << 2, /* the manager asks to stop the scope (systemctl stop, machinectl terminate):
                                           * it waits for the payload to end, and kills after its own timeout */
        MACHINED_BUS_LOST = 1 << 3,       /* after ENTERED; nothing else will come, the container runs on */
        MACHINED_LEFT = 1 << 4,           /* machined_leave() is done, or its time is up */
};

struct machined;

/* Whether a system bus is there to connect to: a look at its socket ($DBUS_SYSTEM_BUS_ADDRESS or
 * /run/dbus/system_bus_socket); loads nothing. Where it is false machined_open() is not worth its cost. */
bool machined_bus_present(void);

/* A machine of systemd-machined's, whoever has started it. */
struct machined_machine {
        char name[65], class[16], service[64];
        pid_t leader;    /* 0: it has not said */
        char root[4096]; /* empty: none */
};

#define MACHINED_LIST_USEC UINT64_C(2000000)

/* Asks systemd-machined for the machines that it knows; blocks for MACHINED_LIST_USEC at most. The caller frees *RET,
 * also after an error. Returns 0 or a negative errno: there is no bus, no machined, or no answer. */
int machined_list(struct machined_machine **ret, size_t *ret_count, struct error *error);

/* Looks at what the user wrote in PLAN (machine name, slice, properties), before anything is started. Needs no bus.
 * Returns 0, or -EINVAL, -ENAMETOOLONG or -ENOMEM with *ERROR filled. */
int machined_check(const struct machined_plan *plan, struct error *error);

/* Loads libsystemd and begins to connect to the system bus. *PLAN is copied, what it points to is borrowed. *RET is
 * the caller's to end with machined_free(). Returns 0, or a negative errno with *ERROR filled where what was asked for
 * cannot be had. Where it is optional (see machined_register; a slice or properties make the scope mandatory) that is
 * no error: the client is inert then, and ENTERED follows upon machined_enter() with a note in machined_error(). */
int machined_open(const struct machined_plan *plan, struct machined **ret, struct error *error);

/* Begins to make the scope around the process LEADER and to register it. LEADER_PIDFD refers to it and is borrowed
 * until ENTERED or FAILED; negative: none. The leader must wait until then if it is to run in the scope. May be called
 * again after LEFT, for a reboot. Returns 0, or -EBUSY with *ERROR filled while another leader is in. */
int machined_enter(struct machined *m, pid_t leader, int leader_pidfd, struct error *error);

/* What to poll: a descriptor (owned by M) or -EBADF, and POLL… bits. */
int machined_fd(const struct machined *m);
short machined_events(const struct machined *m);
/* When to call machined_dispatch() at the latest: CLOCK_MONOTONIC in µs; 0: never. May be in the past. */
uint64_t machined_deadline(const struct machined *m);

/* Goes on with whatever is under way, without blocking, a bounded number of messages at a time. Returns a mask of enum
 * machined_event; each but STOP_REQUESTED comes at most once for one machined_enter() or machined_leave(). */
unsigned machined_dispatch(struct machined *m);

/* Why it FAILED, or what was given up with ENTERED (one line); NULL if nothing. Valid until the next call. */
const struct error *machined_error(const struct machined *m);

/* The name of the scope once it is made, else NULL. Valid until machined_leave() is done. */
const char *machined_unit(const struct machined *m);

/* The payload has ended, or is to: begins to unregister the machine, to kill what is left in the scope and to let go
 * of it. With LEFT the name of the scope is free again, or the time is up. Errors of the host are ignored: it is the
 * end. Always 0. */
int machined_leave(struct machined *m);

/* Closes the connection and frees everything; never blocks. NULL does nothing. */
void machined_free(struct machined *m);
