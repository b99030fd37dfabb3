/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "basic/text.h"

static enum log_level current_level = LOG_INFO;

void log_set_level(enum log_level level) {
        current_level = level;
}

enum log_level log_level(void) {
        return current_level;
}

void log_line(enum log_level level, const char *format, ...) {
        char plain[1100], line[sizeof plain * 4 + 16];
        int saved = errno;
        struct termios t;
        va_list ap;

        if (level > current_level)
                return;
        va_start(ap, format);
        vsnprintf(plain, sizeof plain, format, ap);
        va_end(ap);

        /* The other programs say their own name. */
        const char *name = text_equal(program_invocation_short_name, "spawnctl") ? "spawnctl" : "spawn";
        size_t n = (size_t) snprintf(line, sizeof line, "%s: ", name);
        n += text_escape(line + n, sizeof line - n - 2, plain);
        /* A terminal with OPOST off does not turn LF into CR LF: without the CR the next line starts in mid-screen. */
        if (tcgetattr(STDERR_FILENO, &t) == 0 && !(t.c_oflag & OPOST))
                line[n++] = '\r';
        line[n++] = '\n';
        if (write(STDERR_FILENO, line, n) < 0) {
                /* Nobody is left to tell. */
        }
        errno = saved;
}
