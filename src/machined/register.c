/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registration with systemd-machined (org.freedesktop.machine1(5)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "machined/client.h"

static void register_plain(struct machined *m);

static void failed(struct machined *m) {
        client_give_up(m, m->plan.register_ == MACHINED_YES);
}

void register_timeout(struct machined *m) {
        error_set(&m->error, ETIMEDOUT, "systemd-machined does not answer: the machine %s is not registered",
                  m->plan.machine);
        failed(m);
}

static bool is_unknown_method(const sd_bus_error *e) {
        return text_equal(e->name, "org.freedesktop.DBus.Error.UnknownMethod") ||
               text_equal(e->name, "org.freedesktop.DBus.Error.UnknownInterface") ||
               text_equal(e->name, "org.freedesktop.DBus.Error.InvalidArgs");
}

static void refused(struct machined *m, const sd_bus_error *e) {
        struct client_words words = client_words(e);

        if (text_equal(e->name, "org.freedesktop.machine1.MachineExists")) {
                error_set(&m->error, EEXIST, "a machine %s is registered already", m->plan.machine);
                error_hint(&m->error, "--machine=NAME gives this one another name");
                register_name_holder(m);
                return;
        }
        if (client_is_absent(e)) {
                error_set(&m->error, ENOPKG, "the machine %s is not registered: there is no systemd-machined (%s)",
                          m->plan.machine, words.text);
                if (m->plan.register_ == MACHINED_YES)
                        error_hint(&m->error, "It comes with systemd-container; --register=no does without");
        } else {
                error_set(&m->error, EIO, "systemd-machined refuses the machine %s: %s", m->plan.machine, words.text);
        }
        failed(m);
}

static int on_registered(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        struct machined *m = userdata;
        const sd_bus_error *e = m->lib.sd_bus_message_get_error(answer);

        (void) ret_error;
        if (m->lib.sd_bus_is_open(m->bus) <= 0)
                return 0;
        if (e) {
                refused(m, e);
                return 0;
        }
        m->registered = true;
        m->events |= MACHINED_ENTERED;
        client_step(m, STEP_RUNNING);
        return 0;
}

static int on_registered_ex(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        struct machined *m = userdata;
        const sd_bus_error *e = m->lib.sd_bus_message_get_error(answer);

        if (e && is_unknown_method(e) && m->lib.sd_bus_is_open(m->bus) > 0) {
                register_plain(m); /* systemd before 259 */
                return 0;
        }
        return on_registered(answer, userdata, ret_error);
}

static int append_interfaces(struct machined *m, sd_bus_message *message) {
        return m->lib.sd_bus_message_append_array(message, 'i', m->plan.interfaces,
                                                  m->plan.n_interfaces * sizeof m->plan.interfaces[0]);
}

/* A variant that holds an array: VALUE appends the array. */
#define APPEND_ARRAY(m, message, name, signature, value)                                                              \
        ((m)->lib.sd_bus_message_open_container(message, 'r', "sv") < 0 ||                                            \
                         (m)->lib.sd_bus_message_append(message, "s", name) < 0 ||                                    \
                         (m)->lib.sd_bus_message_open_container(message, 'v', signature) < 0 || (value) < 0 ||        \
                         (m)->lib.sd_bus_message_close_container(message) < 0 ||                                      \
                         (m)->lib.sd_bus_message_close_container(message) < 0                                         \
                 ? -ENOMEM                                                                                            \
                 : 0)

/* RegisterMachineEx(s name, a(sv) properties), systemd 259. The leader is given by descriptor, so that it is that
 * process or none. */
static int compose_ex(struct machined *m, sd_bus_message *message) {
        const struct machined_plan *plan = &m->plan;
        int r = m->lib.sd_bus_message_append(message, "s", plan->machine);

        if (r >= 0)
                r = m->lib.sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = APPEND_ARRAY(m, message, "Id", "ay",
                                 m->lib.sd_bus_message_append_array(message, 'y', plan->id, 16));
        if (r >= 0)
                r = m->lib.sd_bus_message_append(message, "(sv)(sv)(sv)", "Service", "s", plan->service, "Class", "s",
                                                 "container", "LeaderPIDFD", "h", m->leader_pidfd);
        if (r >= 0 && plan->root_directory)
                r = m->lib.sd_bus_message_append(message, "(sv)", "RootDirectory", "s", plan->root_directory);
        if (r >= 0 && plan->n_interfaces > 0)
                r = APPEND_ARRAY(m, message, "NetworkInterfaces", "ai", append_interfaces(m, message));
        return r < 0 ? r : m->lib.sd_bus_message_close_container(message);
}

/* RegisterMachineWithNetwork(s name, ay id, s service, s class, u leader, s root, ai interfaces). The unit is that of
 * the leader's cgroup, which is our scope by now. */
static int compose(struct machined *m, sd_bus_message *message) {
        const struct machined_plan *plan = &m->plan;
        int r = m->lib.sd_bus_message_append(message, "s", plan->machine);

        if (r >= 0)
                r = m->lib.sd_bus_message_append_array(message, 'y', plan->id, 16);
        if (r >= 0)
                r = m->lib.sd_bus_message_append(message, "ssus", plan->service, "container", (uint32_t) m->leader,
                                                 plan->root_directory ? plan->root_directory : "");
        return r < 0 ? r : append_interfaces(m, message);
}

static void call(struct machined *m, const char *method, int (*composer)(struct machined *, sd_bus_message *),
                 sd_bus_message_handler_t answered) {
        sd_bus_message *message = NULL;
        int r;

        client_step(m, STEP_REGISTER);
        r = m->lib.sd_bus_message_new_method_call(m->bus, &message, MACHINED_NAME, MACHINED_PATH, MACHINED_MANAGER,
                                                  method);
        if (r >= 0)
                r = composer(m, message);
        if (r >= 0)
                r = client_call(m, TAKE_PTR(message), answered);
        if (r >= 0)
                return;
        if (message)
                m->lib.sd_bus_message_unref(message);
        error_set(&m->error, -r, "cannot ask systemd-machined to register the machine %s: %m", m->plan.machine);
        failed(m);
}

static void register_plain(struct machined *m) {
        call(m, "RegisterMachineWithNetwork", compose, on_registered);
}

void register_begin(struct machined *m) {
        if (m->plan.register_ == MACHINED_NO) {
                m->events |= MACHINED_ENTERED;
                client_step(m, STEP_RUNNING);
                return;
        }
        if (m->leader_pidfd >= 0 && m->lib.sd_bus_can_send(m->bus, 'h') > 0)
                call(m, "RegisterMachineEx", compose_ex, on_registered_ex);
        else
                register_plain(m);
}

/* Leader, Service and RootDirectory out of the answer to GetAll. */
static int on_holder_properties(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        struct machined *m = userdata;
        const char *name, *signature, *service = "", *root = "";
        char shown_service[64], shown_root[256];
        uint32_t leader = 0;
        char type;

        (void) ret_error;
        if (m->lib.sd_bus_is_open(m->bus) <= 0)
                return 0;
        if (!m->lib.sd_bus_message_get_error(answer) &&
            m->lib.sd_bus_message_enter_container(answer, 'a', "{sv}") > 0) {
                while (m->lib.sd_bus_message_enter_container(answer, 'e', "sv") > 0) {
                        if (m->lib.sd_bus_message_read(answer, "s", &name) < 0 ||
                            m->lib.sd_bus_message_peek_type(answer, &type, &signature) < 0)
                                break;
                        int r;
                        if (text_equal(name, "Leader") && text_equal(signature, "u"))
                                r = m->lib.sd_bus_message_read(answer, "v", "u", &leader);
                        else if (text_equal(name, "Service") && text_equal(signature, "s"))
                                r = m->lib.sd_bus_message_read(answer, "v", "s", &service);
                        else if (text_equal(name, "RootDirectory") && text_equal(signature, "s"))
                                r = m->lib.sd_bus_message_read(answer, "v", "s", &root);
                        else
                                r = m->lib.sd_bus_message_skip(answer, "v");
                        if (r < 0 || m->lib.sd_bus_message_exit_container(answer) < 0)
                                break;
                }
                text_escape(shown_service, sizeof shown_service, service);
                text_escape(shown_root, sizeof shown_root, root);
                error_set(&m->error, EEXIST, "a machine %s runs already: PID %u%s%s%s%s", m->plan.machine, leader,
                          *service ? ", started by " : "", shown_service, *root ? ", in " : "", shown_root);
                error_hint(&m->error, "--machine=NAME gives this one another name");
        }
        client_give_up(m, true);
        return 0;
}

static int on_holder(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        struct machined *m = userdata;
        sd_bus_message *message = NULL;
        const char *path;

        (void) ret_error;
        if (m->lib.sd_bus_is_open(m->bus) <= 0)
                return 0;
        client_step(m, STEP_COLLISION);
        if (!m->lib.sd_bus_message_get_error(answer) && m->lib.sd_bus_message_read(answer, "o", &path) >= 0 &&
            m->lib.sd_bus_message_new_method_call(m->bus, &message, MACHINED_NAME, path,
                                                  "org.freedesktop.DBus.Properties", "GetAll") >= 0 &&
            m->lib.sd_bus_message_append(message, "s", "org.freedesktop.machine1.Machine") >= 0 &&
            client_call(m, TAKE_PTR(message), on_holder_properties) >= 0)
                return 0;
        if (message)
                m->lib.sd_bus_message_unref(message);
        client_give_up(m, true);
        return 0;
}

void register_name_holder(struct machined *m) {
        sd_bus_message *message = NULL;

        client_step(m, STEP_COLLISION);
        if (m->lib.sd_bus_message_new_method_call(m->bus, &message, MACHINED_NAME, MACHINED_PATH, MACHINED_MANAGER,
                                                  "GetMachine") >= 0 &&
            m->lib.sd_bus_message_append(message, "s", m->plan.machine) >= 0 &&
            client_call(m, TAKE_PTR(message), on_holder) >= 0)
                return;
        if (message)
                m->lib.sd_bus_message_unref(message);
        client_give_up(m, true);
}

void register_leave(struct machined *m, sd_bus_message_handler_t answered) {
        sd_bus_message *message = NULL;

        if (m->lib.sd_bus_message_new_method_call(m->bus, &message, MACHINED_NAME, MACHINED_PATH, MACHINED_MANAGER,
                                                  "UnregisterMachine") >= 0 &&
            m->lib.sd_bus_message_append(message, "s", m->plan.machine) >= 0)
                client_leave_call(m, TAKE_PTR(message), answered);
        if (message)
                m->lib.sd_bus_message_unref(message);
}
