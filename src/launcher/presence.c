/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/presence.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "basic/cgroup.h"
#include "basic/clock.h"
#include "basic/fd.h"
#include "console/safe.h"
#include "launcher/state.h"

enum {
        TELL_MSEC = 1000,               /* how long a slow viewer is waited for at the end */
        LINGER_MSEC = 2000,             /* how long late ones are still answered */
        SAFE_PIECE = 8192,              /* filtered at once */
        SCROLLBACK_UNASKED = 64 * 1024, /* of a console that was not started to be left */
};

struct presence {
        struct console *console; /* borrowed; NULL when it has ended */
        struct presence_hooks hooks;
        struct state_place place;
        struct state state;
        struct server *server;
        struct safe safe; /* for --console-filter=safe */
        bool has_owner;   /* a viewer that was there from the start */
};

/* ---- between server and console ---- */

static size_t on_input(void *userdata, const uint8_t *data, size_t size) {
        struct presence *p = userdata;

        return console_type(p->console, data, size);
}

static void on_resize(void *userdata, const struct winsize *size) {
        struct presence *p = userdata;

        if (p->console)
                console_set_size(p->console, size);
}

static void on_command(void *userdata, enum packet_command command, int number) {
        struct presence *p = userdata;

        p->hooks.command(p->hooks.userdata, command, number);
}

static void on_enter(void *userdata, int fd) {
        struct presence *p = userdata;

        p->hooks.enter(p->hooks.userdata, fd);
}

static void on_owner_gone(void *userdata) {
        on_command(userdata, COMMAND_STOP, SIGHUP);
}

static void on_output(void *userdata, const uint8_t *data, size_t size) {
        struct presence *p = userdata;

        server_output(p->server, data, size);
}

/* Before the ring, so that nothing unsafe is in it: whoever comes later can be shown any part of it. */
static void on_output_safe(void *userdata, const uint8_t *data, size_t size) {
        struct presence *p = userdata;
        uint8_t buffer[SAFE_EXTRA + SAFE_PIECE];

        for (size_t n; size > 0; data += n, size -= n) {
                n = size < SAFE_PIECE ? size : SAFE_PIECE;
                server_output(p->server, buffer, safe_filter(&p->safe, data, n, buffer));
        }
}

static void on_console_resized(void *userdata, const struct winsize *size) {
        struct presence *p = userdata;

        server_resized(p->server, size);
}

/* ---- the interface ---- */

static int open_server(struct presence *p, const struct plan *plan, struct error *e) {
        bool asked = plan->session || plan->spec->origin[SETTING_SCROLLBACK];
        struct server_options options = {
                .listener = state_listen(&p->place, e),
                .uid = getuid(),
                .scrollback = asked ? (size_t) plan->spec->scrollback : SCROLLBACK_UNASKED,
                .blind = !p->console,
                .typed_on = plan->console == CONSOLE_INTERACTIVE,
                .hooks = { p, on_input, on_resize, on_command, on_owner_gone, on_enter },
        };

        if (options.listener < 0)
                return options.listener;
        int r = server_open(&options, &p->server, e);
        if (r < 0)
                fd_close(options.listener);
        return r;
}

static const char *console_name(enum console_mode mode) {
        switch (mode) {
        case CONSOLE_INTERACTIVE:
                return "interactive";
        case CONSOLE_READ_ONLY:
                return "read-only";
        case CONSOLE_PASSIVE:
                return "passive";
        case CONSOLE_DETACHED:
                return "detached";
        default:
                return "none";
        }
}

static void fill_state(struct state *s, const struct plan *plan) {
        *s = (struct state){ .class = "container",
                             .supervisor = { getpid(), process_start(getpid()) },
                             .started = (uint64_t) time(NULL),
                             .monotonic = clock_usec() };
        snprintf(s->name, sizeof s->name, "%s", plan->machine);
        id128_plain(&plan->machine_id, s->id);
        snprintf(s->console, sizeof s->console, "%s", console_name(plan->console));
        snprintf(s->root, sizeof s->root, "%s", plan->probe->root.real_path);
        /* It has been opened by now. */
        _cleanup_free_ char *log = plan->spec->console_log.path ? realpath(plan->spec->console_log.path, NULL) : NULL;
        snprintf(s->log, sizeof s->log, "%s", log ? log : "");
}

int presence_open(const struct plan *plan, struct console *console, int viewer_fd, const struct presence_hooks *hooks,
                  struct presence **ret, struct error *e) {
        struct presence *p = calloc(1, sizeof *p);

        if (!p) {
                fd_close(viewer_fd);
                return error_memory(e);
        }
        *p = (struct presence){ .console = console, .hooks = *hooks, .place = STATE_PLACE_NONE };
        fill_state(&p->state, plan);
        int r = state_take(plan->machine, &p->place, e);
        if (r >= 0)
                r = open_server(p, plan, e);
        if (r >= 0 && plan->session) /* who has started it in the background can see it coming */
                r = state_write(&p->place, &p->state, e);
        if (r >= 0 && console)
                r = console_add_sink(console, &(struct console_sink){
                                                      .userdata = p,
                                                      .output = plan->spec->console_safe ? on_output_safe : on_output,
                                                      .resized = on_console_resized });
        if (r < 0) {
                fd_close(viewer_fd);
                presence_close(p);
                return r;
        }
        if (viewer_fd >= 0)
                p->has_owner = server_add(p->server, viewer_fd) == 0;
        *ret = p;
        return 0;
}

int presence_fd(const struct presence *p) {
        return server_fd(p->server);
}

void presence_dispatch(struct presence *p) {
        server_dispatch(p->server);
}

uint64_t presence_hold_until(const struct presence *p, uint64_t now_usec) {
        return p->has_owner ? server_hold_until(p->server, now_usec) : 0;
}

void presence_feed(struct presence *p) {
        server_feed(p->server);
}

void presence_tell(struct presence *p, const char *text) {
        server_tell(p->server, text);
}

int presence_started(struct presence *p, pid_t leader, struct error *e) {
        p->state.leader = (struct process_id){ leader, process_start(leader) };
        p->state.ready = false;
        _cleanup_free_ char *group = NULL; /* it has not moved yet: what it is in is the payload's */
        _cleanup_free_ char *unit = NULL;
        snprintf(p->state.cgroup, sizeof p->state.cgroup, "%s", cgroup_path(leader, &group) >= 0 ? group : "");
        snprintf(p->state.unit, sizeof p->state.unit, "%s", cgroup_unit(leader, &unit) >= 0 ? unit : "");
        return state_write(&p->place, &p->state, e);
}

int presence_ready(struct presence *p, struct error *e) {
        if (p->state.ready)
                return 0;
        p->state.ready = true;
        return state_write(&p->place, &p->state, e);
}

/* Serves on until DEADLINE, or until every viewer knows the end if ONLY_PENDING. */
static void serve(struct presence *p, uint64_t deadline, bool only_pending) {
        for (;;) {
                uint64_t now = clock_msec();
                struct pollfd s = { .fd = server_fd(p->server), .events = POLLIN };

                server_dispatch(p->server);
                if (now >= deadline || (only_pending && !server_pending(p->server)))
                        return;
                (void) poll(&s, 1, (int) (deadline - now));
        }
}

bool presence_end(struct presence *p, int status) {
        p->console = NULL; /* it is closed already */
        server_exit(p->server, status);
        serve(p, clock_msec() + TELL_MSEC, true);
        return !p->has_owner || server_told(p->server) == 0;
}

void presence_linger(struct presence *p) {
        state_release(&p->place);
        serve(p, clock_msec() + LINGER_MSEC, false);
}

struct presence *presence_close(struct presence *p) {
        if (!p)
                return NULL;
        bool taken = p->state.name[0] && (p->place.lock >= 0 || p->server);

        p->server = server_close(p->server);
        if (p->place.lock >= 0)
                state_drop(&p->place, p->state.name);
        else if (taken)
                state_remove(p->state.name);
        free(p);
        return NULL;
}

void presence_clean(const char *name) {
        state_remove(name);
}
