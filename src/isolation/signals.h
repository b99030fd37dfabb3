/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Signals by name (signal(7)). */

enum { SIGNAL_NAME_SIZE = 16 };

/* The signal that TEXT names: "TERM", "SIGTERM", "RTMIN+3", "RTMAX-2", in any case, or a number 1…SIGRTMAX. Returns
 * the signal or -EINVAL. */
int signal_parse(const char *text);

/* The name of SIG, "SIGTERM" or "SIGRTMIN+3"; a number if it has none. Written to BUFFER, which is returned. */
const char *signal_name(int sig, char buffer[static SIGNAL_NAME_SIZE]);

/* Prints the names of all signals to standard output, one a line. */
void signal_list(void);
