/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machines that systemd-machined knows, for a program that has nothing else to do meanwhile. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "machined/client.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define MACHINE "org.freedesktop.machine1.Machine"

struct listing {
        struct libsystemd lib;
        sd_bus *bus;
        uint64_t deadline;
};

static uint64_t time_left(const struct listing *l) {
        uint64_t now = clock_usec();

        return now < l->deadline ? l->deadline - now : 0;
}

/* A call waits for the connection with a patience that is libsystemd's own: it is made before. */
static int wait_ready(struct listing *l) {
        for (;;) {
                int r = l->lib.sd_bus_process(l->bus, NULL);
                if (r < 0)
                        return r;
                if (l->lib.sd_bus_is_ready(l->bus) > 0)
                        return 0;
                struct pollfd p = { .fd = l->lib.sd_bus_get_fd(l->bus) };
                int events = l->lib.sd_bus_get_events(l->bus);
                p.events = (short) (events > 0 ? events : 0);
                if (r == 0 && poll(&p, 1, (int) (time_left(l) / 1000)) <= 0)
                        return -ETIMEDOUT;
        }
}

/* Nothing is started for it: a machined that does not run knows no machines. */
static int call(struct listing *l, sd_bus_message *message, sd_bus_message **ret) {
        uint64_t left = time_left(l);
        int r = l->lib.sd_bus_message_set_auto_start(message, 0);

        if (r >= 0)
                r = left == 0 ? -ETIMEDOUT : l->lib.sd_bus_call(l->bus, message, left, NULL, ret);
        l->lib.sd_bus_message_unref(message);
        return r;
}

/* Reads property NAME, of TYPE ("u" or "s"), into *RET, or of a string as much as SIZE holds. */
static void get_property(struct listing *l, const char *path, const char *name, const char *type, void *ret,
                         size_t size) {
        sd_bus_message *message = NULL, *reply = NULL;
        const char *text = NULL;
        int r = l->lib.sd_bus_message_new_method_call(l->bus, &message, MACHINED_NAME, path, PROPERTIES, "Get");

        if (r >= 0 && l->lib.sd_bus_message_append(message, "ss", MACHINE, name) >= 0)
                r = call(l, message, &reply);
        else
                l->lib.sd_bus_message_unref(message);
        if (r >= 0 && reply && *type == 's' && l->lib.sd_bus_message_read(reply, "v", type, &text) > 0 && text)
                snprintf(ret, size, "%s", text);
        else if (r >= 0 && reply && *type == 'u')
                (void) l->lib.sd_bus_message_read(reply, "v", type, ret);
        l->lib.sd_bus_message_unref(reply);
}

static int add(struct listing *l, struct machined_machine **list, size_t *count, const char *const words[static 4]) {
        struct machined_machine m = { .leader = 0 }, *more = realloc(*list, (*count + 1) * sizeof *more);
        uint32_t leader = 0;

        if (!more)
                return -ENOMEM;
        *list = more;
        snprintf(m.name, sizeof m.name, "%s", words[0]);
        snprintf(m.class, sizeof m.class, "%s", words[1]);
        snprintf(m.service, sizeof m.service, "%s", words[2]);
        get_property(l, words[3], "Leader", "u", &leader, sizeof leader);
        get_property(l, words[3], "RootDirectory", "s", m.root, sizeof m.root);
        m.leader = (pid_t) leader;
        more[(*count)++] = m;
        return 0;
}

static int list_machines(struct listing *l, struct machined_machine **list, size_t *count) {
        sd_bus_message *message = NULL, *reply = NULL;
        const char *words[4];
        int r = l->lib.sd_bus_message_new_method_call(l->bus, &message, MACHINED_NAME, MACHINED_PATH, MACHINED_MANAGER,
                                                      "ListMachines");

        if (r >= 0)
                r = call(l, message, &reply);
        if (r >= 0)
                r = l->lib.sd_bus_message_enter_container(reply, 'a', "(ssso)");
        while (r >= 0 &&
               (r = l->lib.sd_bus_message_read(reply, "(ssso)", &words[0], &words[1], &words[2], &words[3])) > 0)
                r = add(l, list, count, words);
        l->lib.sd_bus_message_unref(reply);
        return r;
}

int machined_list(struct machined_machine **ret, size_t *ret_count, struct error *error) {
        struct listing l = { .deadline = clock_usec() + MACHINED_LIST_USEC };

        *ret = NULL;
        *ret_count = 0;
        int r = client_connect(&l.lib, &l.bus, error);
        if (r >= 0) {
                r = wait_ready(&l);
                if (r >= 0)
                        r = list_machines(&l, ret, ret_count);
                if (r < 0)
                        error_set(error, -r, "systemd-machined does not say which machines it knows: %s",
                                  strerror(-r));
        }
        if (l.bus) {
                l.lib.sd_bus_close(l.bus);
                l.lib.sd_bus_unref(l.bus);
        }
        return r < 0 ? r : 0;
}
