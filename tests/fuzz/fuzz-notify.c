/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a payload says of itself goes to the host's manager: nothing but the few words that may, in lines that are
 * ours, and it means the same when it is read again. */
#include "machined/notify.h"

#include "fuzz.h"

static void check_message(const struct notify_message *m) {
        MUST(memchr(m->status, 0, sizeof m->status));
        MUST(is_clean(m->status, strlen(m->status), ""));
        MUST(m->has_status || !m->status[0]);
        MUST(m->exit_status >= -1 && m->exit_status <= 255);
        MUST(m->error_number >= 0 && m->error_number <= 4095);
        MUST(m->n_extra <= NOTIFY_EXTRA_MAX);
        for (unsigned i = 0; i < m->n_extra; i++) {
                const char *e = m->extra[i];
                MUST(memchr(e, 0, sizeof m->extra[i]) && is_clean(e, strlen(e), ""));
                MUST(strncmp(e, "X_", 2) == 0 && strchr(e, '='));
                MUST(strncmp(e, "X_SYSTEMD_", 10) != 0 && strncmp(e, "X_SPAWN_", 8) != 0);
                MUST(strncmp(e, "X_NSPAWN_", 9) != 0);
        }
}

static bool starts_with_any(const char *line) {
        static const char *const allowed[] = { "STATUS=", "READY=1", "EXIT_STATUS=", "ERRNO=", "X_" };

        for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
                if (strncmp(line, allowed[i], strlen(allowed[i])) == 0)
                        return true;
        return false;
}

static void check_text(const struct notify_message *m, const char *text, size_t size) {
        size_t lines = 0;

        MUST(strlen(text) == size && size < NOTIFY_TEXT_SIZE);
        for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
                MUST(starts_with_any(p));
                lines++;
        }
        MUST(lines == m->n_extra + m->has_status + m->ready + (m->exit_status >= 0) + (m->error_number > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *bytes = (char *) exact(size), text[NOTIFY_TEXT_SIZE];
        struct notify_message m, again;

        memcpy(bytes, data, size);
        memset(&m, 0xa5, sizeof m);
        bool any = notify_parse(bytes, size, &m);
        free(bytes);
        check_message(&m);
        size_t n = notify_format(&m, "", true, text);
        check_text(&m, text, n);
        MUST(any == (n > 0 || m.stopping));
        (void) notify_parse(text, n, &again);
        m.stopping = false; /* never said upstream */
        MUST(m.ready == again.ready && strcmp(m.status, again.status) == 0 && m.exit_status == again.exit_status);
        MUST(m.error_number == again.error_number && m.n_extra == again.n_extra && !again.stopping);
        for (unsigned i = 0; i < m.n_extra; i++)
                MUST(strcmp(m.extra[i], again.extra[i]) == 0);
        n = notify_format(&m, "Container running: ", false, text);
        m.ready = false;
        check_text(&m, text, n);
        return 0;
}
