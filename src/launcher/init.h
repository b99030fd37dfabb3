/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The inits that an image may have, and how each is asked to power off. */

#include <stdbool.h>
#include <stddef.h>

#include "basic/error.h"

enum stop_method {
        STOP_SIGNAL,         /* a signal to PID 1 */
        STOP_INITCTL,        /* sysvinit's request record, written to the FIFO /run/initctl */
        STOP_RUNIT,          /* runit's stop file made executable, then SIGCONT */
        STOP_BY_DISPOSITION, /* unknown: whichever of SIGRTMIN+3, SIGTERM it has a handler for */
};

struct init_kind {
        const char *name;
        const char *file;   /* last component of the path that the init resolves to, or NULL */
        const char *marker; /* or bytes that the program holds, or NULL */
        enum stop_method method;
        int signal; /* STOP_SIGNAL; -N stands for SIGRTMIN+N */
};

/* The row for an init that resolves to PATH and whose first bytes are PROGRAM; the row "unknown" if none fits. */
const struct init_kind *init_identify(const char *path, const void *program, size_t size);
/* The row for a payload that is no init: by its signal dispositions. */
const struct init_kind *init_unknown(void);
/* The real signal number of a table entry (SIGRTMIN is not a constant in glibc). */
int init_signal(const struct init_kind *kind);

/* Where an init is looked for, in this order: the image's own choice first, as the kernel does it. NULL-terminated. */
extern const char *const init_candidates[];

/* Asks a sysvinit to go to runlevel 0 through RUN_FD, a descriptor of the container's /run (initctl(5) of sysvinit:
 * a fixed record of 384 bytes with a magic number). Returns 0 or a negative errno. */
int init_request_poweroff(int run_fd);

/* Asks a runit to power off through RUN_FD, a descriptor of the container's /run: the file of its stop request is made
 * executable, that of its reboot request is not (runit(8), runit-init(8)). Both are mode-0 files that stage 1 makes as
 * its last act; nothing is made here, and nothing but regular files of that very file system is changed. runit takes
 * the request in stage 2 when SIGCONT comes, and takes the executable bit away as it does. *REQUESTED is the caller's
 * memory from call to call, false at first. Returns 1 if the request stands and SIGCONT is to be sent, 0 if it was
 * taken, or a negative errno (-ENOENT: stage 1 is not over). */
int init_request_runit(int run_fd, bool *requested);
