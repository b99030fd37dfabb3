/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files that the plan wants what passes through the console written to. */

#include "basic/error.h"
#include "console/session.h"
#include "launcher/plan.h"

struct console_files {
        struct log_file *log; /* each NULL if not asked for */
        struct record *record;
};

/* Opens them and adds them to CONSOLE. The caller ends them with console_files_close(), after console_close(). Returns
 * 0 or a negative errno. */
int console_files_open(const struct plan *plan, struct console *console, struct console_files *files, struct error *e);

/* Is something waiting to be written? Write it, when there is nothing else to do. */
bool console_files_pending(const struct console_files *files);
void console_files_flush(struct console_files *files);

/* The log pauses, or goes on. Returns what to say of it. */
const char *console_files_toggle_log(struct console_files *files);

void console_files_close(struct console_files *files);
