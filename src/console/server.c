/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "console/ring.h"

enum {
        RING_LEAST = 64 * 1024, /* the ring is the viewers' queue too */
        TURN_PACKETS = 16,      /* to or from one viewer, before others get theirs */
        EVENTS = 16,
};

struct viewer {
        struct viewer *next;
        int fd;
        uint32_t events;     /* what the set watches it for */
        bool greeted;        /* its HELLO has come */
        bool writes;         /* what it types counts */
        bool blocked;        /* its socket is full */
        bool role_due;       /* it is to be told what it may do */
        bool size_due;       /* … and the size of the console */
        bool told_exit;      /* it knows of the end */
        bool gone;           /* to be freed at the end of this turn */
        uint64_t blocked_at; /* since when, µs */
        unsigned wants;
        struct winsize size;
        uint64_t position; /* in the ring */
        const char *role_text;
        size_t held_at, held_size; /* of INPUT that the payload has not taken yet */
        uint8_t packet[PACKET_SIZE_MAX];
};

struct server {
        struct server_options options;
        struct ring ring;
        int set;
        struct viewer *viewers;
        unsigned count, told;
        struct winsize size;         /* of the console; 0: not known yet */
        const struct viewer *typist; /* who typed last: the size follows it. Compared only */
        bool ended;
        int status;
};

/* ---- the viewers' roles ---- */

static void set_role(struct viewer *v, bool writes, const char *text) {
        v->writes = writes;
        v->role_due = true;
        v->role_text = text;
}

static bool has_writer(const struct server *s) {
        for (const struct viewer *v = s->viewers; v; v = v->next)
                if (v->writes && !v->gone)
                        return true;
        return s->options.typed_on;
}

static void follow_size(struct server *s, const struct viewer *v) {
        s->typist = v;
        if (v->size.ws_row > 0 && v->size.ws_col > 0 && !s->options.typed_on)
                s->options.hooks.resize(s->options.hooks.userdata, &v->size);
}

static void decide_role(struct server *s, struct viewer *v) {
        if (!(v->wants & WANTS_WRITE)) {
                set_role(v, false, NULL);
                return;
        }
        if (v->wants & WANTS_TAKE) {
                for (struct viewer *o = s->viewers; o; o = o->next)
                        if (o->writes)
                                set_role(o, false, "someone else has taken the console over: you are looking on");
        } else if (has_writer(s) && !(v->wants & WANTS_SHARE)) {
                set_role(v, false, "someone else is typing here: you are looking on (--take, --share)");
                return;
        }
        set_role(v, true, NULL);
        follow_size(s, v);
}

/* Someone who would have liked to type has waited for this. */
static void promote(struct server *s) {
        for (struct viewer *v = s->viewers; v && !has_writer(s); v = v->next)
                if (v->greeted && !v->gone && (v->wants & WANTS_WRITE)) {
                        set_role(v, true, "you can type now: whoever did has left");
                        follow_size(s, v);
                }
}

static void leave(struct server *s, struct viewer *v, bool on_purpose) {
        if (v->gone)
                return;
        v->gone = true;
        if (s->typist == v)
                s->typist = NULL;
        if ((v->wants & WANTS_OWN) && !on_purpose && !s->ended)
                s->options.hooks.owner_gone(s->options.hooks.userdata);
        if (v->writes)
                promote(s);
}

static void refuse(struct server *s, struct viewer *v, const char *why) {
        const struct packet p = { .kind = PACKET_REFUSED, .data = (const uint8_t *) why, .data_size = strlen(why) };

        (void) packet_send(v->fd, &p, MSG_DONTWAIT);
        leave(s, v, true);
}

/* ---- to a viewer ---- */

static int send_role(struct viewer *v) {
        const char *text = v->role_text ? v->role_text : "";
        const struct packet p = { .kind = PACKET_ROLE,
                                  .version = PROTOCOL_VERSION,
                                  .wants = WANTS_VIEW | (v->writes ? WANTS_WRITE : 0),
                                  .data = (const uint8_t *) text,
                                  .data_size = strlen(text) };
        int r = packet_send(v->fd, &p, MSG_DONTWAIT);

        if (r == 0)
                v->role_due = false;
        return r;
}

static int send_size(const struct server *s, struct viewer *v) {
        int r = packet_send(v->fd, &(struct packet){ .kind = PACKET_SIZE, .size = s->size }, MSG_DONTWAIT);

        if (r == 0)
                v->size_due = false;
        return r;
}

/* The ring has passed it over. It goes on in the middle, so that it is not passed over again at once. */
static int send_lag(struct server *s, struct viewer *v) {
        uint64_t position = ring_safe(&s->ring, s->ring.written - s->ring.size / 2);
        char text[24];
        int n = snprintf(text, sizeof text, "%llu", (unsigned long long) (position - v->position));
        const struct packet p = { .kind = PACKET_LAG, .data = (const uint8_t *) text, .data_size = (size_t) n };
        int r = packet_send(v->fd, &p, MSG_DONTWAIT);

        if (r == 0)
                v->position = position;
        return r;
}

static int send_output(struct server *s, struct viewer *v) {
        struct packet p = { .kind = PACKET_OUTPUT };

        p.data_size = ring_read(&s->ring, v->position, &p.data);
        if (p.data_size > PACKET_DATA_MAX)
                p.data_size = PACKET_DATA_MAX;
        int r = packet_send(v->fd, &p, MSG_DONTWAIT);
        if (r == 0)
                v->position += p.data_size;
        return r;
}

static int send_exit(struct server *s, struct viewer *v) {
        const struct packet p = { .kind = PACKET_EXIT, .number = s->status };
        int r = packet_send(v->fd, &p, MSG_DONTWAIT);

        if (r == 0) {
                v->told_exit = true;
                s->told++;
        }
        return r;
}

static bool has_pending(const struct server *s, const struct viewer *v) {
        return v->greeted && !v->gone &&
               (v->role_due || v->size_due || v->position < s->ring.written || (s->ended && !v->told_exit));
}

static int send_next(struct server *s, struct viewer *v) {
        if (v->role_due)
                return send_role(v);
        if (v->size_due)
                return send_size(s, v);
        if (v->position < ring_begin(&s->ring))
                return send_lag(s, v);
        return v->position < s->ring.written ? send_output(s, v) : send_exit(s, v);
}

static void watch(struct server *s, struct viewer *v) {
        uint32_t events = (v->held_size > 0 ? 0 : EPOLLIN) | (has_pending(s, v) ? EPOLLOUT : 0);
        struct epoll_event event = { .events = events, .data.ptr = v };

        if (!v->gone && events != v->events && epoll_ctl(s->set, EPOLL_CTL_MOD, v->fd, &event) == 0)
                v->events = events;
}

static void push(struct server *s, struct viewer *v) {
        if (!(v->wants & WANTS_VIEW))
                v->position = s->ring.written;
        for (unsigned i = 0; i < TURN_PACKETS && has_pending(s, v) && !v->blocked; i++) {
                int r = send_next(s, v);
                if (r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM) {
                        v->blocked = true;
                        v->blocked_at = clock_usec();
                } else if (r < 0)
                        leave(s, v, false);
        }
        watch(s, v);
}

static void push_all(struct server *s) {
        for (struct viewer *v = s->viewers; v; v = v->next)
                push(s, v);
}

/* ---- from a viewer ---- */

static void on_hello(struct server *s, struct viewer *v, const struct packet *p) {
        uint64_t past = s->options.scrollback < s->ring.written ? s->options.scrollback : s->ring.written;

        if (v->greeted)
                return;
        if (p->version != PROTOCOL_VERSION) {
                refuse(s, v, "this container was started by another version of spawn");
                return;
        }
        if (s->options.blind && (p->wants & (WANTS_VIEW | WANTS_WRITE))) {
                refuse(s, v, "it has no console: it was started in pipe mode (--console=pipe)");
                return;
        }
        v->greeted = true;
        v->wants = p->wants;
        v->size = p->size;
        v->size_due = (v->wants & WANTS_SIZES) && s->size.ws_row > 0;
        v->position = past > 0 ? ring_safe(&s->ring, s->ring.written - past) : s->ring.written;
        decide_role(s, v);
}

static void feed(struct server *s, struct viewer *v) {
        if (v->held_size == 0)
                return;
        size_t n = s->options.hooks.input(s->options.hooks.userdata, v->packet + v->held_at, v->held_size);
        v->held_at += n;
        v->held_size -= n;
}

static void on_input(struct server *s, struct viewer *v, const struct packet *p) {
        if (!v->writes || s->ended)
                return;
        if (s->typist != v)
                follow_size(s, v);
        v->held_at = (size_t) (p->data - v->packet);
        v->held_size = p->data_size;
        feed(s, v);
}

static void on_enter(struct server *s, struct viewer *v, const struct packet *p) {
        if (v->greeted || !s->options.hooks.enter || p->version != PROTOCOL_VERSION) {
                refuse(s, v, "nobody can enter here like this");
                return;
        }
        if (!s->ended)
                s->options.hooks.enter(s->options.hooks.userdata, v->fd);
        leave(s, v, true);
}

static void on_packet(struct server *s, struct viewer *v, const struct packet *p) {
        if (!v->greeted && p->kind != PACKET_HELLO && p->kind != PACKET_ENTER) {
                refuse(s, v, "this is not how a viewer begins");
                return;
        }
        switch (p->kind) {
        case PACKET_HELLO:
                on_hello(s, v, p);
                return;
        case PACKET_INPUT:
                on_input(s, v, p);
                return;
        case PACKET_SIZE:
                v->size = p->size;
                if (s->typist == v)
                        follow_size(s, v);
                return;
        case PACKET_COMMAND:
                if (!s->ended)
                        s->options.hooks.command(s->options.hooks.userdata, p->command, p->number);
                return;
        case PACKET_DETACH:
                leave(s, v, true);
                return;
        case PACKET_ENTER:
                on_enter(s, v, p);
                return;
        default:
                refuse(s, v, "a viewer does not say that");
        }
}

static void pull(struct server *s, struct viewer *v) {
        struct packet p;

        for (unsigned i = 0; i < TURN_PACKETS && v->held_size == 0 && !v->gone; i++) {
                int r = packet_receive(v->fd, v->packet, &p, MSG_DONTWAIT);
                if (r == -EAGAIN)
                        return;
                if (r <= 0)
                        leave(s, v, false);
                else
                        on_packet(s, v, &p);
        }
}

/* ---- coming and going ---- */

/* The mode of the socket keeps others out already; who may pass it is looked at too, since a directory can be made
 * accessible by mistake. */
static bool is_welcome(const struct server *s, int fd) {
        struct ucred peer;
        socklen_t size = sizeof peer;

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
               (peer.uid == 0 || peer.uid == s->options.uid);
}

int server_add(struct server *s, int fd) {
        struct viewer *v = s->count < SERVER_VIEWERS_MAX ? calloc(1, sizeof *v) : NULL;
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = v };

        if (!v || epoll_ctl(s->set, EPOLL_CTL_ADD, fd, &event) < 0) {
                free(v);
                fd_close(fd);
                return -ENOMEM;
        }
        *v = (struct viewer){ .next = s->viewers, .fd = fd, .events = EPOLLIN };
        s->viewers = v;
        s->count++;
        pull(s, v);
        push_all(s); /* roles may have changed */
        return 0;
}

static void accept_viewers(struct server *s) {
        int fd;

        while ((fd = accept4(s->options.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
                if (is_welcome(s, fd))
                        (void) server_add(s, fd);
                else
                        fd_close(fd);
        }
}

static void sweep(struct server *s) {
        for (struct viewer **at = &s->viewers; *at;) {
                struct viewer *v = *at;
                if (!v->gone) {
                        at = &v->next;
                        continue;
                }
                *at = v->next;
                /* To close is not enough: a set watches open files, epoll(7), and a helper that was forked for this
                 * one has it open still. */
                (void) epoll_ctl(s->set, EPOLL_CTL_DEL, v->fd, NULL);
                fd_close(v->fd);
                free(v);
                s->count--;
        }
}

static void on_event(struct server *s, struct viewer *v, uint32_t events) {
        if (events & EPOLLOUT)
                v->blocked = false;
        if (v->held_size > 0 && (events & (EPOLLHUP | EPOLLERR)))
                leave(s, v, false); /* or the set would report it for ever */
        pull(s, v);
        push(s, v);
}

void server_dispatch(struct server *s) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(s->set, events, EVENTS, 0);

        for (int i = 0; i < n; i++) {
                struct viewer *v = events[i].data.ptr;
                if (!v)
                        accept_viewers(s);
                else if (!v->gone)
                        on_event(s, v, events[i].events);
        }
        if (n > 0)
                push_all(s);
        sweep(s);
}

/* ---- the caller's side ---- */

void server_output(struct server *s, const uint8_t *data, size_t size) {
        ring_write(&s->ring, data, size);
        push_all(s);
}

void server_resized(struct server *s, const struct winsize *size) {
        s->size = *size;
        for (struct viewer *v = s->viewers; v; v = v->next)
                v->size_due |= (v->wants & WANTS_SIZES) != 0;
        push_all(s);
}

void server_tell(struct server *s, const char *text) {
        for (struct viewer *v = s->viewers; v; v = v->next)
                if (v->wants & WANTS_VIEW)
                        set_role(v, v->writes, text);
        push_all(s);
}

uint64_t server_hold_until(const struct server *s, uint64_t now) {
        for (const struct viewer *v = s->viewers; v; v = v->next)
                if ((v->wants & WANTS_OWN) && v->blocked && !v->gone &&
                    s->ring.written - v->position > s->ring.size / 2 && v->blocked_at + SERVER_STALL_USEC > now)
                        return v->blocked_at + SERVER_STALL_USEC;
        return 0;
}

void server_feed(struct server *s) {
        for (struct viewer *v = s->viewers; v; v = v->next) {
                if (v->held_size == 0 || v->gone)
                        continue;
                feed(s, v);
                watch(s, v);
        }
}

void server_exit(struct server *s, int status) {
        s->ended = true;
        s->status = status;
        for (struct viewer *v = s->viewers; v; v = v->next) {
                v->held_size = 0;
                push(s, v);
        }
}

bool server_pending(const struct server *s) {
        for (const struct viewer *v = s->viewers; v; v = v->next)
                if (has_pending(s, v))
                        return true;
        return false;
}

unsigned server_told(const struct server *s) {
        return s->told;
}

int server_fd(const struct server *s) {
        return s->set;
}

int server_open(const struct server_options *options, struct server **ret, struct error *e) {
        size_t size = options->scrollback < RING_LEAST ? RING_LEAST : options->scrollback;
        struct epoll_event event = { .events = EPOLLIN };
        struct server *s = calloc(1, sizeof *s);

        if (!s)
                return error_memory(e);
        *s = (struct server){ .options = *options, .set = epoll_create1(EPOLL_CLOEXEC) };
        /* Touched only as far as it is used. */
        void *data = options->blind ? NULL
                                    : mmap(NULL, size, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data && data != MAP_FAILED)
                ring_init(&s->ring, data, size);
        if (s->set < 0 || data == MAP_FAILED ||
            (options->listener >= 0 && epoll_ctl(s->set, EPOLL_CTL_ADD, options->listener, &event) < 0)) {
                int r = error_set(e, errno, "cannot prepare the session: %m");
                s->options.listener = -EBADF; /* still the caller's */
                server_close(s);
                return r;
        }
        *ret = s;
        return 0;
}

struct server *server_close(struct server *s) {
        if (!s)
                return NULL;
        for (struct viewer *v = s->viewers; v; v = v->next)
                v->gone = true;
        sweep(s);
        if (s->ring.data)
                munmap(s->ring.data, s->ring.size);
        fd_close(s->options.listener);
        fd_close(s->set);
        free(s);
        return NULL;
}
