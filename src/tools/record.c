/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl record: a viewer that writes what it is shown as an asciicast. */

#include "console/record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "console/viewer.h"
#include "tools/tools.h"

struct recorder {
        struct record *record;
        struct console_sink sink;
        int fd, signal_fd;
        int status; /* negative: it goes on */
};

static void on_packet(struct recorder *r, const struct packet *p) {
        if (p->kind == PACKET_SIZE)
                r->sink.resized(r->sink.userdata, &p->size);
        else if (p->kind == PACKET_OUTPUT)
                r->sink.output(r->sink.userdata, p->data, p->data_size);
        else if (p->kind == PACKET_EXIT)
                r->status = p->number;
        else if (p->kind == PACKET_LAG)
                log_notice("%.*s bytes of output came too fast and are not in the recording", (int) p->data_size,
                           (const char *) p->data);
}

static int on_server(struct recorder *r, const char *name, struct error *error) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        int n = packet_receive(r->fd, buffer, &p, MSG_DONTWAIT);

        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                return error_set(error, EPIPE, "the supervisor of %s has vanished, and the container with it", name);
        if (p.kind == PACKET_REFUSED)
                return error_set(error, EPROTO, "%.*s", (int) p.data_size, (const char *) p.data);
        on_packet(r, &p);
        return 0;
}

/* Until the container ends or we are asked to. What is pending is written when nothing else is to be done. */
static int loop(struct recorder *r, const char *name, struct error *error) {
        struct pollfd p[] = { { .fd = r->fd, .events = POLLIN }, { .fd = r->signal_fd, .events = POLLIN } };
        int n = 0;

        while (r->status < 0 && n >= 0) {
                if (poll(p, 2, record_pending(r->record) ? 0 : -1) == 0)
                        record_flush(r->record);
                if (p[1].revents)
                        return 0;
                if (p[0].revents)
                        n = on_server(r, name, error);
        }
        return n < 0 ? n : r->status;
}

static int open_signals(struct error *error) {
        static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                sigaddset(&set, numbers[i]);
        sigprocmask(SIG_BLOCK, &set, NULL);
        int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? error_set(error, errno, "cannot make a descriptor for signals: %m") : fd;
}

/* The payload's $TERM is not known here: a player takes its own. */
static int open_record(const struct request *q, struct recorder *r, struct error *error) {
        const struct viewer_options viewer = { .wants = WANTS_VIEW | WANTS_SIZES,
                                               .streams = { -EBADF, -EBADF, -EBADF } };
        const struct record_options options = { .path = q->paths[0] };
        int n = r->fd = state_connect(q->name, error);

        if (n >= 0)
                n = record_open(&options, &r->record, error);
        if (n < 0)
                return n;
        r->sink = record_sink(r->record, NULL);
        n = viewer_hello(r->fd, &viewer);
        return n < 0 ? error_set(error, -n, "cannot speak with the machine %s: %m", q->name) : 0;
}

int record_run(const struct request *q, struct error *error) {
        struct recorder r = { .fd = -EBADF, .status = -1 };

        if (q->paths[1])
                return error_set(error, EINVAL, "one word too many: %s", q->paths[1]);
        int n = r.signal_fd = open_signals(error);
        if (n >= 0)
                n = open_record(q, &r, error);
        if (n >= 0)
                n = loop(&r, q->name, error);
        record_close(r.record);
        fd_close(r.fd);
        fd_close(r.signal_fd);
        return n;
}
