/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The other end of a session (server.h): a terminal, or two streams, that show a container's console and type into it.
 * The terminal is raw meanwhile and given back however this ends, by a guardian even after SIGKILL. */

#include <stdbool.h>

#include "basic/error.h"
#include "console/protocol.h"

struct viewer_options {
        const char *name;   /* the machine's, for messages */
        unsigned wants;     /* enum packet_wants */
        int streams[3];     /* borrowed; negative: none */
        int escape_key;     /* a byte or ESCAPE_KEY_NONE; only effective when the input is a terminal */
        bool greets;        /* says how to leave, once it is let in */
        bool hangup_leaves; /* a terminal that hangs up leaves a container running that was to end with us */
};

enum viewer_end {
        VIEWER_TOLD,    /* the container has ended: its exit status is in `status` */
        VIEWER_LEFT,    /* it goes on without us; `status` is 0, or 128+n for a signal that we got */
        VIEWER_REFUSED, /* `text` says why */
        VIEWER_LOST,    /* the server has vanished */
};

struct viewer_result {
        enum viewer_end end;
        int status;
        char text[256];
};

/* Says HELLO on FD, a connected session socket. It need not be listened to yet. Returns 0 or a negative errno. */
int viewer_hello(int fd, const struct viewer_options *options);

/* Stays until the end. FD is borrowed, and HELLO has been said on it. Returns 0 or a negative errno. */
int viewer_run(int fd, const struct viewer_options *options, struct viewer_result *ret, struct error *e);
