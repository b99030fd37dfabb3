/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The host's terminal, which belongs to the caller: its modes are saved, made raw and put back. */

#include <errno.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "basic/error.h"

/* Plain data and only borrowed descriptors: a copy of it in another process (the guardian) can restore too. */
struct terminal {
        int input, output;       /* borrowed; -EBADF where that stream is no terminal */
        bool same;               /* both are one terminal: OUTPUT is left out of what follows */
        bool raw;                /* our modes are in force */
        pid_t foreground;        /* foreground group of INPUT when probed; 0: not our controlling terminal */
        struct termios saved[2]; /* modes of input and output when probed */
        struct termios ours[2];  /* the modes that terminal_make_raw() sets */
};

#define TERMINAL_NONE ((struct terminal){ .input = -EBADF, .output = -EBADF })

/* Looks at descriptors INPUT and OUTPUT and saves the modes of those that are terminals; changes nothing. Neither
 * being one is no error. Negative descriptors are no terminals. */
void terminal_probe(int input, int output, struct terminal *ret);

/* Is there a terminal at the input or output side? */
bool terminal_present(const struct terminal *t);

/* The modes that were found, of the input side first; NULL without a terminal. */
const struct termios *terminal_saved_modes(const struct terminal *t);

/* Is the calling process in the background of its controlling terminal? Then the modes are not ours to change. */
bool terminal_in_background(const struct terminal *t);

/* Raw modes: one terminal for both gets what cfmakeraw(3) sets; with two, the input keeps its own output flags and the
 * output its own input and local flags. Without terminals it does nothing. In a background process group the kernel
 * stops the caller with SIGTTOU until it is in the foreground (unless that signal is blocked), as it should be.
 * Returns 0 or a negative errno. */
int terminal_make_raw(struct terminal *t, struct error *e);

/* Puts the saved modes back at once (TCSANOW), and the foreground group if it is another one now and the old one still
 * exists; works from a background group too. Does nothing if the modes are not ours. Keeps errno. */
void terminal_restore(struct terminal *t);

/* The same from another process after a crash: each side only if its modes are still exactly those we had set, so that
 * a shell which has taken over meanwhile is not disturbed. Works without a controlling terminal. */
void terminal_restore_if_ours(const struct terminal *t);

/* Window size of the first of STREAMS (negative: none) that is a terminal and knows it, else $COLUMNS and $LINES, else
 * 80x24; each of the two numbers falls back on its own. */
struct winsize terminal_size(const int streams[static 3]);
