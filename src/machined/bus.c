/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/text.h"
#include "machined/client.h"

void client_step(struct machined *m, enum step step) {
        bool waits = step != STEP_IDLE && step != STEP_RUNNING && step != STEP_OFF;

        if (m->call)
                m->call = m->lib.sd_bus_slot_unref(m->call);
        m->step = step;
        m->deadline = waits ? clock_usec() + MACHINED_STEP_USEC : 0;
}

int client_call(struct machined *m, sd_bus_message *message, sd_bus_message_handler_t callback) {
        /* Twice the step's time: the step's own end comes first, whatever libsystemd does. */
        int r = m->lib.sd_bus_call_async(m->bus, &m->call, message, callback, m, 2 * MACHINED_STEP_USEC);

        m->lib.sd_bus_message_unref(message);
        return r < 0 ? r : 0;
}

void client_leave_call(struct machined *m, sd_bus_message *message, sd_bus_message_handler_t answered) {
        sd_bus_slot **slot = m->leaving;

        while (slot < m->leaving + LEAVE_CALLS && *slot)
                slot++;
        if (slot < m->leaving + LEAVE_CALLS &&
            m->lib.sd_bus_call_async(m->bus, slot, message, answered, m, 2 * MACHINED_STEP_USEC) >= 0)
                m->leaving_calls++;
        m->lib.sd_bus_message_unref(message);
}

void client_give_up(struct machined *m, bool mandatory) {
        m->events |= mandatory ? MACHINED_FAILED : MACHINED_ENTERED;
        client_step(m, m->bus ? STEP_RUNNING : STEP_OFF);
}

void client_close_bus(struct machined *m) {
        client_step(m, STEP_OFF);
        for (size_t i = 0; i < LEAVE_CALLS; i++)
                if (m->leaving[i])
                        m->leaving[i] = m->lib.sd_bus_slot_unref(m->leaving[i]);
        if (m->bus) {
                /* Not the variant that flushes first: it waits for the peer to read. */
                m->lib.sd_bus_close(m->bus);
                m->bus = m->lib.sd_bus_unref(m->bus);
        }
}

static int append_strings(struct machined *m, sd_bus_message *message, const struct strv *words) {
        int r = m->lib.sd_bus_message_open_container(message, 'a', "s");

        for (size_t i = 0; r >= 0 && i < words->count; i++)
                r = m->lib.sd_bus_message_append(message, "s", words->items[i]);
        return r < 0 ? r : m->lib.sd_bus_message_close_container(message);
}

static int append_pairs(struct machined *m, sd_bus_message *message, const struct strv *words) {
        int r = m->lib.sd_bus_message_open_container(message, 'a', "(ss)");

        for (size_t i = 0; r >= 0 && i + 1 < words->count; i += 2)
                r = m->lib.sd_bus_message_append(message, "(ss)", words->items[i], words->items[i + 1]);
        return r < 0 ? r : m->lib.sd_bus_message_close_container(message);
}

static int append_addresses(struct machined *m, sd_bus_message *message, const struct property *p) {
        int r = m->lib.sd_bus_message_open_container(message, 'a', "(iayu)");

        for (size_t i = 0; r >= 0 && i < p->n_addresses; i++) {
                const struct property_address *a = p->addresses + i;
                r = m->lib.sd_bus_message_open_container(message, 'r', "iayu");
                if (r >= 0)
                        r = m->lib.sd_bus_message_append(message, "i", (int32_t) a->family);
                if (r >= 0)
                        r = m->lib.sd_bus_message_append_array(message, 'y', a->bytes, a->size);
                if (r >= 0)
                        r = m->lib.sd_bus_message_append(message, "u", a->prefix);
                if (r >= 0)
                        r = m->lib.sd_bus_message_close_container(message);
        }
        return r < 0 ? r : m->lib.sd_bus_message_close_container(message);
}

static int append_value(struct machined *m, sd_bus_message *message, const struct property *p) {
        switch (p->type) {
        case PROPERTY_BOOLEAN:
                return m->lib.sd_bus_message_append(message, "b", (int) p->number);
        case PROPERTY_U64:
                return m->lib.sd_bus_message_append(message, "t", p->number);
        case PROPERTY_U32:
                return m->lib.sd_bus_message_append(message, "u", (uint32_t) p->number);
        case PROPERTY_S32:
                return m->lib.sd_bus_message_append(message, "i", (int32_t) p->number);
        case PROPERTY_STRING:
                return m->lib.sd_bus_message_append(message, "s", p->words.items[0]);
        case PROPERTY_STRINGS:
                return append_strings(m, message, &p->words);
        case PROPERTY_BYTES:
                return m->lib.sd_bus_message_append_array(message, 'y', p->bytes, p->n_bytes);
        case PROPERTY_PAIRS:
                return append_pairs(m, message, &p->words);
        case PROPERTY_LIMITS:
                if (p->words.count == 0)
                        return m->lib.sd_bus_message_append(message, "a(st)", 0);
                return m->lib.sd_bus_message_append(message, "a(st)", 1, p->words.items[0], p->number);
        case PROPERTY_ADDRESSES:
                return append_addresses(m, message, p);
        }
        return -EINVAL;
}

int client_append_property(struct machined *m, sd_bus_message *message, const struct property *property) {
        static const char *const signatures[] = {
                [PROPERTY_BOOLEAN] = "b",    [PROPERTY_U64] = "t",
                [PROPERTY_U32] = "u",        [PROPERTY_S32] = "i",
                [PROPERTY_STRING] = "s",     [PROPERTY_STRINGS] = "as",
                [PROPERTY_BYTES] = "ay",     [PROPERTY_PAIRS] = "a(ss)",
                [PROPERTY_LIMITS] = "a(st)", [PROPERTY_ADDRESSES] = "a(iayu)",
        };
        int r = m->lib.sd_bus_message_open_container(message, 'r', "sv");

        if (r >= 0)
                r = m->lib.sd_bus_message_append(message, "s", property->name);
        if (r >= 0)
                r = m->lib.sd_bus_message_open_container(message, 'v', signatures[property->type]);
        if (r >= 0)
                r = append_value(m, message, property);
        if (r >= 0)
                r = m->lib.sd_bus_message_close_container(message);
        if (r >= 0)
                r = m->lib.sd_bus_message_close_container(message);
        return r < 0 ? r : 0;
}

bool client_is_absent(const sd_bus_error *e) {
        static const char *const names[] = {
                "org.freedesktop.DBus.Error.ServiceUnknown",
                "org.freedesktop.DBus.Error.NameHasNoOwner",
                /* what the bus hands on from a manager that cannot start the service */
                "org.freedesktop.systemd1.NoSuchUnit",
                "org.freedesktop.systemd1.LoadFailed",
                "org.freedesktop.systemd1.UnitMasked",
                "org.freedesktop.systemd1.ShuttingDown",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(e->name, names[i]))
                        return true;
        return e->name && text_starts_with(e->name, "org.freedesktop.DBus.Error.Spawn.");
}

struct client_words client_words(const sd_bus_error *e) {
        struct client_words words;

        text_escape(words.text, sizeof words.text, e->message ? e->message : e->name ? e->name : "no reason given");
        return words;
}
