/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A recording of the console in the form asciicast v2 (docs.asciinema.org/manual/asciicast/v2): a line of JSON with
 * the size and the terminal, then one for each event: what was shown, a new size and, if asked for, what was typed.
 *
 * JSON is UTF-8: a character that is cut is held back until it is whole, and what is none becomes U+FFFD. */

#include <stdbool.h>

#include "basic/error.h"
#include "console/session.h"

struct record_options {
        const char *path;
        const char *terminal; /* the payload's $TERM; NULL: not known */
        bool input;           /* what is typed too, but for what the PTY does not echo */
};

struct record;

/* Opens the file and empties it. *RET is the caller's to end with record_close(). Returns 0 or a negative errno. */
int record_open(const struct record_options *options, struct record **ret, struct error *e);

/* What fills it, from CONSOLE (borrowed); valid until record_close(). The first size that the sink is told begins the
 * recording. A write that fails (a full disk) is one warning; the recording stops and ends with a whole event. */
struct console_sink record_sink(struct record *r, const struct console *console);

/* Is there something that is not in the file yet? It goes there when the buffer is full, and by record_flush(). */
bool record_pending(const struct record *r);
void record_flush(struct record *r);

/* Writes what is pending. NULL does nothing. Returns NULL. */
struct record *record_close(struct record *r);
