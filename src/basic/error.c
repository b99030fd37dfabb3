/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/error.h"

#include <errno.h>
#include <stdio.h>

#include "basic/log.h"

int error_set(struct error *e, int code, const char *format, ...) {
        va_list ap;

        if (!e) {
                errno = code;
                return -code;
        }
        *e = (struct error){ .code = code };
        va_start(ap, format);
        errno = code;
        vsnprintf(e->text, sizeof e->text, format, ap);
        va_end(ap);
        return -code;
}

int error_hint(struct error *e, const char *format, ...) {
        va_list ap;

        if (!e)
                return -errno;
        va_start(ap, format);
        errno = e->code;
        vsnprintf(e->hint, sizeof e->hint, format, ap);
        va_end(ap);
        return -e->code;
}

int error_memory(struct error *e) {
        return error_set(e, ENOMEM, "out of memory");
}

int error_exit_status(const struct error *e) {
        return e->status ? e->status : EXIT_OURS;
}

void error_print(const struct error *e) {
        log_line(LOG_ERROR, "%s", e->text[0] ? e->text : "failed");
        if (e->hint[0])
                log_line(LOG_ERROR, "%s", e->hint);
}
