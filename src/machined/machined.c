/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machined/machined.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/text.h"
#include "machined/client.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

/* As root's environment has it; a set-id caller's is not asked. */
static const char *bus_address(void) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");

        return address && *address ? address : SYSTEM_BUS;
}

bool machined_bus_present(void) {
        const char *address = bus_address(), *path = address + strlen("unix:path=");
        struct stat st;

        /* Anything but one plain path is looked at by libsystemd only (D-Bus Specification, "Server Addresses"). */
        if (!text_starts_with(address, "unix:path=") || strpbrk(path, ",;%"))
                return true;
        return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Something of what was asked for cannot be had if there is no bus. */
static bool is_mandatory(const struct machined_plan *plan) {
        return plan->register_ == MACHINED_YES || (!plan->keep_unit && scope_is_mandatory(plan));
}

int client_connect(struct libsystemd *lib, sd_bus **ret, struct error *error) {
        const char *address = bus_address();
        int r = libsystemd_open(lib, error);

        if (r < 0)
                return r;
        /* Other transports resolve names or start programs, which blocks, and cannot carry descriptors. */
        if (!text_starts_with(address, "unix:"))
                return error_set(error, EPROTONOSUPPORT, "$DBUS_SYSTEM_BUS_ADDRESS is no socket of this host: %s",
                                 address);
        r = lib->sd_bus_new(ret);
        if (r >= 0)
                r = lib->sd_bus_set_address(*ret, address);
        if (r >= 0)
                r = lib->sd_bus_set_bus_client(*ret, 1);
        if (r >= 0)
                r = lib->sd_bus_negotiate_fds(*ret, 1);
        if (r >= 0)
                r = lib->sd_bus_start(*ret);
        if (r < 0)
                return error_set(error, -r, "cannot connect to the system bus (%s): %m", address);
        return 0;
}

int machined_open(const struct machined_plan *plan, struct machined **ret, struct error *error) {
        struct machined *m = calloc(1, sizeof *m);

        if (!m)
                return error_memory(error);
        m->plan = *plan;
        m->leader_pidfd = -EBADF;
        int r = names_scope(plan->machine, m->unit, error);
        if (r < 0) {
                free(m);
                return r;
        }
        names_unit_path(m->unit, m->unit_path);
        client_step(m, STEP_CONNECT);
        if (plan->keep_unit && plan->register_ == MACHINED_NO) {
                m->step = STEP_OFF;
                m->deadline = 0;
        } else if (client_connect(&m->lib, &m->bus, &m->error) < 0) {
                client_close_bus(m);
                if (is_mandatory(plan)) {
                        r = -m->error.code;
                        if (error)
                                *error = m->error;
                        machined_free(m);
                        return r;
                }
        }
        *ret = m;
        return 0;
}

/* The leader is there and so is the bus. */
static void begin(struct machined *m) {
        if (m->plan.keep_unit)
                register_begin(m);
        else
                scope_begin(m);
}

int machined_enter(struct machined *m, pid_t leader, int leader_pidfd, struct error *error) {
        if (m->leader != 0)
                return error_set(error, EBUSY, "the machine %s is registered already", m->plan.machine);
        m->leader = leader;
        m->leader_pidfd = leader_pidfd;
        m->unit_gone = false;
        if (m->step == STEP_OFF) {
                m->events |= m->error.code != 0 && is_mandatory(&m->plan) ? MACHINED_FAILED : MACHINED_ENTERED;
                return 0;
        }
        m->error = (struct error){ 0 };
        if (m->step == STEP_IDLE)
                begin(m);
        return 0;
}

int machined_fd(const struct machined *m) {
        return m->bus ? m->lib.sd_bus_get_fd(m->bus) : -EBADF;
}

short machined_events(const struct machined *m) {
        int events = m->bus ? m->lib.sd_bus_get_events(m->bus) : 0;

        return (short) (events < 0 ? 0 : events);
}

uint64_t machined_deadline(const struct machined *m) {
        uint64_t deadline = m->deadline ? m->deadline : UINT64_MAX, theirs;

        if (m->events)
                return 1; /* something is to be told already */
        if (m->bus && m->lib.sd_bus_get_timeout(m->bus, &theirs) > 0 && theirs < deadline)
                deadline = theirs > 0 ? theirs : 1;
        return deadline == UINT64_MAX ? 0 : deadline;
}

/* The connection is gone: closed by the peer, or broken by what it sent. */
static void lost(struct machined *m, int code) {
        enum step step = m->step;

        client_close_bus(m);
        m->scope_made = m->registered = false;
        switch (step) {
        case STEP_LEAVING:
                m->events |= MACHINED_LEFT;
                m->leader = 0;
                break;
        case STEP_RUNNING:
                m->events |= MACHINED_BUS_LOST;
                break;
        case STEP_COLLISION:
                client_give_up(m, true); /* the error is set */
                break;
        case STEP_OFF:
                break;
        default:
                error_set(&m->error, code, "the connection to the system bus is lost: %m");
                if (is_mandatory(&m->plan))
                        m->events |= MACHINED_FAILED;
                else if (m->leader != 0)
                        m->events |= MACHINED_ENTERED;
                break;
        }
}

static int on_left(sd_bus_message *answer, void *userdata, sd_bus_error *e) {
        struct machined *m = userdata;

        (void) answer;
        (void) e;
        if (m->leaving_calls > 0)
                m->leaving_calls--;
        return 0;
}

static void left(struct machined *m) {
        for (size_t i = 0; i < LEAVE_CALLS; i++)
                if (m->leaving[i])
                        m->leaving[i] = m->lib.sd_bus_slot_unref(m->leaving[i]);
        m->leaving_calls = 0;
        m->leader = 0;
        m->leader_pidfd = -EBADF;
        m->scope_made = m->registered = false;
        client_step(m, STEP_IDLE);
        m->events |= MACHINED_LEFT;
}

static void timed_out(struct machined *m) {
        switch (m->step) {
        case STEP_CONNECT:
                lost(m, ETIMEDOUT);
                break;
        case STEP_PROBE:
        case STEP_SCOPE:
        case STEP_JOB:
                scope_timeout(m);
                break;
        case STEP_REGISTER:
                register_timeout(m);
                break;
        case STEP_COLLISION:
                client_give_up(m, true);
                break;
        case STEP_LEAVING:
                left(m);
                break;
        case STEP_IDLE:
        case STEP_RUNNING:
        case STEP_OFF:
                break;
        }
}

static void connected(struct machined *m) {
        client_step(m, STEP_IDLE);
        int r = m->plan.keep_unit ? 0 : scope_subscribe(m);

        if (r < 0) {
                m->step = STEP_CONNECT;
                lost(m, -r);
        } else if (m->leader != 0) {
                begin(m);
        }
}

unsigned machined_dispatch(struct machined *m) {
        enum { MESSAGES = 64 }; /* a peer that sends without end gets its turn, no more */

        for (unsigned i = 0; m->bus && i < MESSAGES; i++) {
                int r = m->lib.sd_bus_process(m->bus, NULL);
                if (r < 0 || m->lib.sd_bus_is_open(m->bus) <= 0) {
                        lost(m, r < 0 ? -r : ECONNRESET);
                        break;
                }
                if (m->step == STEP_CONNECT && m->lib.sd_bus_is_ready(m->bus) > 0)
                        connected(m);
                if (r == 0)
                        break;
        }
        if (m->step == STEP_LEAVING && m->leaving_calls == 0 && (!m->scope_made || m->unit_gone))
                left(m);
        if (m->deadline != 0 && clock_usec() >= m->deadline)
                timed_out(m);
        unsigned events = m->events;
        m->events = 0;
        return events;
}

const struct error *machined_error(const struct machined *m) {
        return m->error.code != 0 ? &m->error : NULL;
}

const char *machined_unit(const struct machined *m) {
        return m->scope_made ? m->unit : NULL;
}

int machined_leave(struct machined *m) {
        if (!m->bus || m->step == STEP_CONNECT || m->step == STEP_IDLE) {
                m->leader = 0;
                m->events |= MACHINED_LEFT;
                return 0;
        }
        if (m->step == STEP_LEAVING)
                return 0;
        client_step(m, STEP_LEAVING);
        if (m->registered)
                register_leave(m, on_left);
        if (m->scope_made)
                scope_leave(m, on_left);
        if (m->leaving_calls == 0) /* nothing was made: nobody will answer */
                left(m);
        return 0;
}

void machined_free(struct machined *m) {
        if (!m)
                return;
        client_close_bus(m);
        free(m->job);
        free(m->manager);
        free(m);
}
