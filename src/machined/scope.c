/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scope: a unit around processes that somebody else than the manager has started (systemd.scope(5)). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "machined/client.h"

static void start(struct machined *m);

/* What the user wrote is not left out silently; a scope that nobody asked for is. */
bool scope_is_mandatory(const struct machined_plan *plan) {
        return plan->register_ == MACHINED_YES || plan->slice || (plan->properties && plan->properties[0]);
}

void scope_failed(struct machined *m) {
        client_give_up(m, scope_is_mandatory(&m->plan));
}

void scope_timeout(struct machined *m) {
        error_set(&m->error, ETIMEDOUT, "the service manager has not made the scope %s in time", m->unit);
        scope_failed(m);
}

/* The bus hands a signal on to whomever its sender names, so any user could send us a forged one: only what comes from
 * the manager, by the unique name that the bus itself stamps on it, is taken. */
static bool from_manager(struct machined *m, sd_bus_message *signal) {
        const char *sender = m->lib.sd_bus_message_get_sender(signal);

        return m->manager && text_equal(sender, m->manager);
}

static int on_request_stop(sd_bus_message *signal, void *userdata, sd_bus_error *e) {
        struct machined *m = userdata;

        (void) e;
        if (from_manager(m, signal) && m->scope_made && m->step != STEP_LEAVING &&
            text_equal(m->lib.sd_bus_message_get_path(signal), m->unit_path))
                m->events |= MACHINED_STOP_REQUESTED;
        return 0;
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *e) {
        struct machined *m = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        (void) e;
        if (m->step != STEP_JOB || !from_manager(m, signal) ||
            m->lib.sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) < 0 || !text_equal(path, m->job))
                return 0;
        if (text_equal(result, "done")) {
                register_begin(m);
                return 0;
        }
        struct client_words words;
        text_escape(words.text, sizeof words.text, result);
        error_set(&m->error, EIO, "the service manager could not start the scope %s: %s", m->unit, words.text);
        m->scope_made = false;
        scope_failed(m);
        return 0;
}

static int on_unit_removed(sd_bus_message *signal, void *userdata, sd_bus_error *e) {
        struct machined *m = userdata;
        const char *unit;

        (void) e;
        if (from_manager(m, signal) && m->lib.sd_bus_message_read(signal, "s", &unit) >= 0 &&
            text_equal(unit, m->unit))
                m->unit_gone = true;
        return 0;
}

/* After `systemctl daemon-reexec` the manager is another peer on the bus. */
static int on_owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *e) {
        struct machined *m = userdata;
        const char *name, *before, *now;

        (void) e;
        if (!text_equal(m->lib.sd_bus_message_get_sender(signal), "org.freedesktop.DBus") ||
            m->lib.sd_bus_message_read(signal, "sss", &name, &before, &now) < 0 || !text_equal(name, SYSTEMD_NAME))
                return 0;
        free(m->manager);
        m->manager = *now ? strdup(now) : NULL;
        return 0;
}

/* Given to libsystemd, which else closes the connection when the bus refuses a match. */
static int on_match(sd_bus_message *answer, void *userdata, sd_bus_error *e) {
        (void) answer;
        (void) userdata;
        (void) e;
        return 0;
}

int scope_subscribe(struct machined *m) {
        static const struct {
                const char *match;
                sd_bus_message_handler_t handler;
        } signals[] = {
                { "type='signal',sender='" SYSTEMD_NAME "',path='" SYSTEMD_PATH "',interface='" SYSTEMD_MANAGER
                  "',member='JobRemoved'",
                  on_job_removed },
                { "type='signal',sender='" SYSTEMD_NAME "',path='" SYSTEMD_PATH "',interface='" SYSTEMD_MANAGER
                  "',member='UnitRemoved'",
                  on_unit_removed },
                { "type='signal',sender='" SYSTEMD_NAME "',interface='org.freedesktop.systemd1.Scope',"
                  "member='RequestStop'",
                  on_request_stop },
                { "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                  "member='NameOwnerChanged',arg0='" SYSTEMD_NAME "'",
                  on_owner_changed },
        };
        sd_bus_message *subscribe = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(signals); i++)
                r = m->lib.sd_bus_add_match_async(m->bus, NULL, signals[i].match, signals[i].handler, on_match, m);
        /* Without a subscriber the manager does not announce that a unit is gone. */
        if (r >= 0)
                r = m->lib.sd_bus_message_new_method_call(m->bus, &subscribe, SYSTEMD_NAME, SYSTEMD_PATH,
                                                          SYSTEMD_MANAGER, "Subscribe");
        if (r >= 0)
                r = m->lib.sd_bus_call_async(m->bus, NULL, subscribe, on_match, m, 0);
        m->lib.sd_bus_message_unref(subscribe);
        return r < 0 ? r : 0;
}

/* Appends a property of ours: NAME, the D-Bus type, the value. */
#define APPEND(m, message, name, ...) (m)->lib.sd_bus_message_append(message, "(sv)", name, __VA_ARGS__)

static int append_leader(struct machined *m, sd_bus_message *message) {
        if (m->by_pid || m->leader_pidfd < 0 || m->lib.sd_bus_can_send(m->bus, 'h') <= 0) {
                m->by_pid = true;
                return APPEND(m, message, "PIDs", "au", 1, (uint32_t) m->leader);
        }
        return APPEND(m, message, "PIDFDs", "ah", 1, m->leader_pidfd);
}

static int append_devices(struct machined *m, sd_bus_message *message) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < m->plan.n_devices; i++)
                r = APPEND(m, message, "DeviceAllow", "a(ss)", 1, m->plan.devices[i].node, m->plan.devices[i].access);
        return r;
}

static int append_user(struct machined *m, sd_bus_message *message, struct error *error) {
        int r = 0;

        for (const char *const *p = m->plan.properties; r == 0 && p && *p; p++) {
                struct property property;
                r = property_parse(*p, &property, error);
                if (r < 0)
                        return r;
                r = client_append_property(m, message, &property);
                property_free(&property);
        }
        return r;
}

static int append_properties(struct machined *m, sd_bus_message *message, struct error *error) {
        const struct machined_plan *plan = &m->plan;
        const char *us = NULL;
        char description[160], slice[UNIT_NAME_SIZE];
        int r = names_slice(plan->slice ? plan->slice : "machine", slice, error);

        if (r == 0)
                r = m->lib.sd_bus_get_unique_name(m->bus, &us); /* known: the bus is ready */
        snprintf(description, sizeof description, "Container %s", plan->machine);
        if (r >= 0)
                r = append_leader(m, message);
        if (r >= 0)
                r = APPEND(m, message, "Description", "s", description);
        if (r >= 0)
                r = APPEND(m, message, "Delegate", "b", 1);
        if (r >= 0)
                r = APPEND(m, message, "CollectMode", "s", "inactive-or-failed");
        if (r >= 0)
                r = APPEND(m, message, "AddRef", "b", 1);
        if (r >= 0)
                r = APPEND(m, message, "Slice", "s", slice);
        if (r >= 0)
                r = APPEND(m, message, "Controller", "s", us);
        if (r >= 0)
                r = APPEND(m, message, "DevicePolicy", "s", "closed");
        if (r >= 0)
                r = append_devices(m, message);
        if (r >= 0)
                r = APPEND(m, message, "TasksMax", "t", UINT64_C(16384));
        if (r >= 0 && plan->kill_signal > 0)
                r = APPEND(m, message, "KillSignal", "i", (int32_t) plan->kill_signal);
        if (r >= 0 && plan->kill_signal > 0)
                r = APPEND(m, message, "KillMode", "s", "mixed");
        if (r >= 0 && m->coredump_receive)
                r = APPEND(m, message, "CoredumpReceive", "b", 1);
        return r < 0 ? r : append_user(m, message, error);
}

static void on_start_refused(struct machined *m, const sd_bus_error *e) {
        struct client_words words = client_words(e);

        if (!m->by_pid &&
            (text_equal(e->name, "org.freedesktop.DBus.Error.PropertyReadOnly") ||
             text_equal(e->name, "org.freedesktop.DBus.Error.UnknownProperty")) &&
            (!e->message || strstr(e->message, "PIDFDs"))) {
                m->by_pid = true; /* an older systemd */
                start(m);
                return;
        }
        if (text_equal(e->name, "org.freedesktop.systemd1.UnitExists")) {
                error_set(&m->error, EEXIST, "the scope %s is there already", m->unit);
                error_hint(&m->error, "If it is left over from an earlier run: systemctl stop '%s'", m->unit);
                register_name_holder(m);
                return;
        }
        if (client_is_absent(e))
                error_set(&m->error, ENOPKG, "no scope: systemd does not run on this host's bus (%s)", words.text);
        else
                error_set(&m->error, EIO, "the service manager refuses the scope %s: %s", m->unit, words.text);
        scope_failed(m);
}

static int on_started(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        struct machined *m = userdata;
        const sd_bus_error *e = m->lib.sd_bus_message_get_error(answer);
        const char *job, *sender;

        (void) ret_error;
        if (m->lib.sd_bus_is_open(m->bus) <= 0)
                return 0; /* libsystemd answers for a peer that is gone: the loss itself is handled */
        if (e) {
                on_start_refused(m, e);
                return 0;
        }
        sender = m->lib.sd_bus_message_get_sender(answer);
        free(m->manager);
        free(m->job);
        m->manager = sender ? strdup(sender) : NULL;
        m->job = m->lib.sd_bus_message_read(answer, "o", &job) < 0 ? NULL : strdup(job);
        m->scope_made = true;
        if (!m->manager || !m->job) {
                error_set(&m->error, EPROTO, "the service manager's answer cannot be read");
                scope_failed(m);
                return 0;
        }
        client_step(m, STEP_JOB);
        return 0;
}

static void start(struct machined *m) {
        sd_bus_message *message = NULL;
        struct error why = { 0 };
        int r;

        client_step(m, STEP_SCOPE);
        r = m->lib.sd_bus_message_new_method_call(m->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                                  "StartTransientUnit");
        if (r >= 0)
                r = m->lib.sd_bus_message_append(message, "ss", m->unit, "fail");
        if (r >= 0)
                r = m->lib.sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = append_properties(m, message, &why);
        if (r >= 0)
                r = m->lib.sd_bus_message_close_container(message);
        if (r >= 0)
                r = m->lib.sd_bus_message_append(message, "a(sa(sv))", 0);
        if (r >= 0)
                r = client_call(m, TAKE_PTR(message), on_started);
        if (r >= 0)
                return;
        if (message)
                m->lib.sd_bus_message_unref(message);
        if (why.code != 0)
                m->error = why;
        else
                error_set(&m->error, -r, "cannot ask for the scope %s: %m", m->unit);
        scope_failed(m);
}

static int on_probed(sd_bus_message *answer, void *userdata, sd_bus_error *e) {
        struct machined *m = userdata;

        (void) e;
        if (m->lib.sd_bus_is_open(m->bus) <= 0)
                return 0;
        m->coredump_receive = !m->lib.sd_bus_message_get_error(answer);
        start(m);
        return 0;
}

void scope_begin(struct machined *m) {
        sd_bus_message *message = NULL;
        int r = 0;

        if (!m->plan.boot) {
                start(m);
                return;
        }
        /* An unknown property fails the whole call. init.scope is the one scope that is always there. */
        client_step(m, STEP_PROBE);
        r = m->lib.sd_bus_message_new_method_call(m->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH "/unit/init_2escope",
                                                  "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = m->lib.sd_bus_message_append(message, "ss", "org.freedesktop.systemd1.Scope", "CoredumpReceive");
        if (r >= 0)
                r = client_call(m, TAKE_PTR(message), on_probed);
        if (r >= 0)
                return;
        if (message)
                m->lib.sd_bus_message_unref(message);
        start(m);
}

/* One call of the end: METHOD with TYPES… of arguments. */
#define LEAVE(m, answered, method, ...)                                                                               \
        ({                                                                                                            \
                sd_bus_message *_message = NULL;                                                                      \
                if ((m)->lib.sd_bus_message_new_method_call((m)->bus, &_message, SYSTEMD_NAME, SYSTEMD_PATH,          \
                                                            SYSTEMD_MANAGER, method) >= 0 &&                          \
                    (m)->lib.sd_bus_message_append(_message, __VA_ARGS__) >= 0)                                       \
                        client_leave_call(m, TAKE_PTR(_message), answered);                                           \
                if (_message)                                                                                         \
                        (m)->lib.sd_bus_message_unref(_message);                                                      \
        })

void scope_leave(struct machined *m, sd_bus_message_handler_t answered) {
        LEAVE(m, answered, "AbandonScope", "s", m->unit);
        LEAVE(m, answered, "KillUnit", "ssi", m->unit, "all", (int32_t) SIGKILL);
        LEAVE(m, answered, "UnrefUnit", "s", m->unit);
}
