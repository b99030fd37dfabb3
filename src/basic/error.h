/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What went wrong, in one sentence: filled where it happens, printed once at the top.
 *
 * A function that can fail returns 0 or a negative errno and takes a `struct error *`. The struct has no pointers,
 * so the child sends it to the parent as it is. */

#include <stdarg.h>

enum exit_status {
        EXIT_OURS = 125, /* spawn itself failed: nothing of the payload ran */
        EXIT_CANNOT_EXECUTE = 126,
        EXIT_NOT_FOUND = 127,
        EXIT_REBOOT = 133, /* with --keep-unit: the payload asked for a reboot, the manager is to start us again */
        EXIT_SIGNAL_BASE = 128, /* plus the number of the signal that ended the payload */
};

struct error {
        int code;       /* errno, positive */
        int status;     /* exit status that it leads to; 0 means EXIT_OURS */
        char text[768]; /* one sentence, no newline, with the path or name in it */
        char hint[256]; /* what to do about it, or empty */
};

/* Fills *E with CODE (an errno, positive) and a sentence. The text of the errno is not added: end the format with
 * ": %m" where it helps (errno is set to CODE before formatting). E may be NULL. Returns -CODE. */
int error_set(struct error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds what the user can do. Returns -e->code, so that `return error_hint(...)` ends a function; with a NULL E, which
 * error_set() was given as well, what that has left in errno. */
int error_hint(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory is exhausted. Returns -ENOMEM. */
int error_memory(struct error *e);

/* The exit status that *E leads to. */
int error_exit_status(const struct error *e);

/* Prints *E (and its hint on a second line) to standard error. */
void error_print(const struct error *e);
