/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/notices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/log.h"
#include "machined/notify.h"

enum { BATCH = 16 }; /* messages a turn, so that a payload that floods us starves nobody */

static void say(const char *text) {
        int r = notify_send(text);

        if (r < 0)
                log_debug("cannot tell the service manager: %s", strerror(-r));
}

void notices_started(struct notices *n, pid_t leader, uint64_t now_usec) {
        char text[128];

        snprintf(text, sizeof text, "X_NSPAWN_LEADER_PID=%d\nSTATUS=Container running.%s", (int) leader,
                 n->wait_for_payload ? "" : "\nREADY=1");
        say(text);
        n->stopping = false;
        if (n->watchdog_usec == 0 && notify_watchdog(&n->watchdog_usec) <= 0)
                n->watchdog_usec = 0;
        n->watchdog_at = n->watchdog_usec > 0 ? now_usec : 0;
}

bool notices_forward(int notify_fd, pid_t leader) {
        struct notify_message message;
        bool ready = false;
        char text[NOTIFY_TEXT_SIZE];

        for (int i = 0; i < BATCH; i++) {
                int r = notify_receive(notify_fd, leader, &message);
                if (r < 0)
                        break;
                ready |= r > 0 && message.ready;
                if (r > 0 && notify_format(&message, "Container running: ", message.ready, text) > 0)
                        say(text);
        }
        return ready;
}

void notices_stopping(struct notices *n) {
        if (!n->stopping)
                say("STOPPING=1\nSTATUS=Container terminating...");
        n->stopping = true;
}

uint64_t notices_next(const struct notices *n) {
        return n->watchdog_at;
}

/* Half the time is what sd_watchdog_enabled(3) advises. */
void notices_tick(struct notices *n, uint64_t now_usec) {
        if (n->watchdog_at == 0 || now_usec < n->watchdog_at)
                return;
        say("WATCHDOG=1");
        n->watchdog_at = now_usec + n->watchdog_usec / 2;
}
