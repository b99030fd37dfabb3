/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Our own messages: lines on standard error, each one write, each beginning with "spawn: ".
 *
 * What came out of an image (a path, a name, a user's words) is shown with control bytes as \xNN, so that a hostile
 * name cannot drive the reader's terminal. */

enum log_level {
        LOG_ERROR,   /* always shown */
        LOG_WARNING, /* always shown */
        LOG_NOTICE,  /* shown unless --quiet */
        LOG_INFO,    /* shown unless --quiet */
        LOG_DEBUG,   /* shown with SYSTEMD_LOG_LEVEL=debug */
};

/* The highest level that is shown; the one mutable global of the program. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* Prints one line. The line ends in CR LF where standard error is a terminal in raw mode. Keeps errno. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
