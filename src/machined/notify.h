/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The protocol of sd_notify(3) in both directions: what the payload's PID 1 says of itself, what we say to the service
 * manager that runs us. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
        NOTIFY_DATAGRAM_MAX = 4096, /* what a payload may send at once; longer ones are dropped */
        NOTIFY_STATUS_SIZE = 256,
        NOTIFY_EXTRA_MAX = 8,
        NOTIFY_EXTRA_SIZE = 128,
        NOTIFY_TEXT_SIZE = 2048, /* the longest text that notify_format() makes */
};

/* What of a payload's message goes further. All else is dropped: WATCHDOG= (our own life is not the payload's),
 * MAINPID= and BUSNAME= (would make the host's manager follow another process), FDSTORE=, X_SYSTEMD_* and X_SPAWN_*,
 * X_NSPAWN_* (said by the host's programs only). Values hold no control bytes: those are shown as \xNN. */
struct notify_message {
        bool ready;
        bool stopping;
        bool has_status;
        char status[NOTIFY_STATUS_SIZE];
        int exit_status;  /* 0…255, -1: none */
        int error_number; /* errno, 0: none */
        unsigned n_extra;
        char extra[NOTIFY_EXTRA_MAX][NOTIFY_EXTRA_SIZE]; /* "X_NAME=VALUE" */
};

/* Parses the SIZE bytes of a datagram. Never fails: what is not understood is left out, a datagram that is too long or
 * holds a NUL byte yields nothing. Returns whether anything is left. */
bool notify_parse(const char *data, size_t size, struct notify_message *ret);

/* Writes what goes upstream of M: "STATUS=" PREFIX and the payload's status, READY=1 (if WITH_READY), EXIT_STATUS=,
 * ERRNO=, X_…; STOPPING=1 is not among it, as it is we that would be stopping. Returns the length, 0 if there is
 * nothing to say. */
size_t notify_format(const struct notify_message *m, const char *prefix, bool with_ready,
                     char ret[static NOTIFY_TEXT_SIZE]);

/* Reads one datagram of the payload's notify socket FD (SO_PASSCRED is set). It counts only if LEADER sent it, the
 * payload's PID 1 as our PID namespace numbers it. Never blocks; no descriptor that is sent along is ever ours.
 * Returns 1 with *RET filled, 0 for a datagram that does not count, -EAGAIN when there is none, or another negative
 * errno. */
int notify_receive(int fd, pid_t leader, struct notify_message *ret);

/* Sends TEXT ("READY=1\nSTATUS=…") to $NOTIFY_SOCKET, an absolute path or an abstract name after '@'. Never blocks: a
 * manager that does not read loses the message. Returns 1 when sent, 0 where there is no manager to tell, or a
 * negative errno. */
int notify_send(const char *text);

/* Whether the manager that runs us wants to hear WATCHDOG=1 (sd_watchdog_enabled(3)): at least every *RET_USEC, from
 * $WATCHDOG_USEC if $WATCHDOG_PID is ours or not set. Returns 1, 0 if not wanted, -EINVAL for values that are no
 * numbers. */
int notify_watchdog(uint64_t *ret_usec);
