/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machined/notify.h"

#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"

static void take_status(const char *value, struct notify_message *m) {
        m->has_status = true;
        text_escape(m->status, sizeof m->status, value);
}

static void take_ready(const char *value, struct notify_message *m) {
        m->ready = m->ready || text_equal(value, "1");
}

static void take_stopping(const char *value, struct notify_message *m) {
        m->stopping = m->stopping || text_equal(value, "1");
}

static void take_exit_status(const char *value, struct notify_message *m) {
        uint64_t number;

        if (parse_unsigned(value, 0, 255, &number) == 0)
                m->exit_status = (int) number;
}

static void take_errno(const char *value, struct notify_message *m) {
        uint64_t number;

        if (parse_unsigned(value, 1, 4095, &number) == 0) /* MAX_ERRNO of the kernel */
                m->error_number = (int) number;
}

static void take_extra(const char *key, const char *value, struct notify_message *m) {
        static const char *const reserved[] = { "X_SYSTEMD_", "X_NSPAWN_", "X_SPAWN_" };
        size_t n = strlen(key);

        for (size_t i = 0; i < ELEMENTSOF(reserved); i++)
                if (text_starts_with(key, reserved[i]))
                        return;
        if (m->n_extra >= NOTIFY_EXTRA_MAX || n < 3 || n > NOTIFY_EXTRA_SIZE / 2 ||
            strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != n)
                return;
        char *entry = m->extra[m->n_extra++];
        memcpy(entry, key, n);
        entry[n++] = '=';
        text_escape(entry + n, NOTIFY_EXTRA_SIZE - n, value);
}

static void take(char *line, struct notify_message *m) {
        static const struct {
                const char *key;
                void (*take)(const char *value, struct notify_message *m);
        } keys[] = {
                { "READY", take_ready },       { "STATUS", take_status },
                { "STOPPING", take_stopping }, { "EXIT_STATUS", take_exit_status },
                { "ERRNO", take_errno },
        };
        char *value = strchr(line, '=');

        if (!value)
                return;
        *value++ = 0;
        if (text_starts_with(line, "X_"))
                take_extra(line, value, m);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (text_equal(line, keys[i].key))
                        keys[i].take(value, m);
}

bool notify_parse(const char *data, size_t size, struct notify_message *ret) {
        struct notify_message m = { .exit_status = -1 };
        char text[NOTIFY_DATAGRAM_MAX + 1];

        *ret = m;
        while (size > 0 && data[size - 1] == 0) /* some senders count the end of their string */
                size--;
        if (size > NOTIFY_DATAGRAM_MAX || (size > 0 && memchr(data, 0, size)))
                return false;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = 0;
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = 0;
                take(line, &m);
        }
        *ret = m;
        return m.ready || m.stopping || m.has_status || m.exit_status >= 0 || m.error_number > 0 || m.n_extra > 0;
}

size_t notify_format(const struct notify_message *m, const char *prefix, bool with_ready,
                     char ret[static NOTIFY_TEXT_SIZE]) {
        size_t n = 0;

        *ret = 0;
/* All of it fits: the sizes of the parts are bounded by the struct, the prefix is ours. */
#define ADD(...)                                                                                                      \
        do {                                                                                                          \
                int _length = snprintf(ret + n, NOTIFY_TEXT_SIZE - n, __VA_ARGS__);                                   \
                if (_length > 0 && (size_t) _length < NOTIFY_TEXT_SIZE - n)                                           \
                        n += (size_t) _length;                                                                        \
                ret[n] = 0;                                                                                           \
        } while (0)
        if (m->has_status)
                ADD("STATUS=%s%s\n", prefix, m->status);
        if (m->ready && with_ready)
                ADD("READY=1\n");
        if (m->exit_status >= 0)
                ADD("EXIT_STATUS=%d\n", m->exit_status);
        if (m->error_number > 0)
                ADD("ERRNO=%d\n", m->error_number);
        for (unsigned i = 0; i < m->n_extra; i++)
                ADD("%s\n", m->extra[i]);
#undef ADD
        if (n > 0)
                ret[--n] = 0; /* the last newline */
        return n;
}
