/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A log of what the payload writes to its console: the raw bytes, or plain lines (plain.h) each with an RFC 3339 time
 * stamp in UTC with milliseconds. It never grows beyond a size: it is rotated, at a line's end where it has lines. */

#include <stdbool.h>
#include <stdint.h>

#include "basic/error.h"
#include "console/session.h"

#define LOG_FILE_SIZE_DEFAULT (16u * 1024 * 1024)
#define LOG_FILE_SIZE_MIN 4096u
#define LOG_FILE_ROTATE_DEFAULT 3u
#define LOG_FILE_ROTATE_MAX 999u

struct log_file_options {
        const char *path;
        bool raw;
        uint64_t size;   /* bytes that each file may have, at least LOG_FILE_SIZE_MIN */
        unsigned rotate; /* older files that are kept */
};

struct log_file;

/* Opens the log, which is appended to. *RET is the caller's to end with log_file_close(). Returns 0 or a negative
 * errno.
 */
int log_file_open(const struct log_file_options *options, struct log_file **ret, struct error *e);

/* What fills it; valid until log_file_close(). A write that fails (a full disk) is one warning, and the log stops. */
struct console_sink log_file_sink(struct log_file *l);

/* Nothing is written until the next call of this; a log of lines says so. Returns whether it pauses now. */
bool log_file_toggle(struct log_file *l);

/* Ends an unfinished last line of text. NULL does nothing. Returns NULL. */
struct log_file *log_file_close(struct log_file *l);
