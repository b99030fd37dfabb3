/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The viewers of one container's console. What the payload writes goes into a ring (ring.h), and each viewer has its
 * position in it: the ring is everybody's queue. A viewer that does not read is passed over by the ring and goes on
 * further down, told how much it has missed; it delays neither the payload nor another viewer, and costs no memory.
 *
 * Driven by the caller's loop: server_dispatch() whenever server_fd() polls readable. Nothing here blocks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "basic/error.h"
#include "console/protocol.h"

#define SERVER_VIEWERS_MAX 64u

/* Called from server_dispatch(), server_feed() and server_add(). */
struct server_hooks {
        void *userdata;
        /* Takes what was typed; returns how many bytes. For the rest it is asked again by server_feed(). */
        size_t (*input)(void *userdata, const uint8_t *data, size_t size);
        void (*resize)(void *userdata, const struct winsize *size);
        void (*command)(void *userdata, enum packet_command command, int number);
        /* The viewer that the container was to live with has gone without a word. */
        void (*owner_gone)(void *userdata);
        /* Somebody wants to come into the container; FD is borrowed, and forgotten here afterwards. May be NULL. */
        void (*enter)(void *userdata, int fd);
};

struct server_options {
        int listener;      /* a listening SOCK_SEQPACKET socket; it becomes the server's. Negative: none */
        uid_t uid;         /* who may connect, beside root */
        size_t scrollback; /* how much of the past a new viewer is shown */
        bool blind;        /* there is no console: who wants to see or type is refused */
        bool typed_on;     /* the console has a terminal of its own: who types is beside it, and its size stays */
        struct server_hooks hooks;
};

struct server;

/* *RET is the caller's to end with server_close(). Returns 0 or a negative errno. */
int server_open(const struct server_options *options, struct server **ret, struct error *e);

/* A viewer that is connected already; FD becomes the server's. What it has said by now is taken in at once. Returns 0
 * or a negative errno. */
int server_add(struct server *s, int fd);

int server_fd(const struct server *s);
void server_dispatch(struct server *s);

/* The payload's output. */
void server_output(struct server *s, const uint8_t *data, size_t size);

/* The console has this size from now on. */
void server_resized(struct server *s, const struct winsize *size);

/* Every viewer is told TEXT, a sentence that must live as long as the server. */
void server_tell(struct server *s, const char *text);

/* Until when the payload is better not read: CLOCK_MONOTONIC in µs; 0: it can be. The viewer that the container lives
 * with sets the pace, as the terminal does in a run without a server, but only as long as it goes on reading: one that
 * stands still for SERVER_STALL_USEC delays nobody any more, until it moves again. */
#define SERVER_STALL_USEC 100000
uint64_t server_hold_until(const struct server *s, uint64_t now_usec);

/* The payload may take input that it would not take before. */
void server_feed(struct server *s);

/* The container has ended: every viewer, now or later, is told once it has been shown all. */
void server_exit(struct server *s, int status);

/* Has a viewer still to be shown something, or to be told of the end? */
bool server_pending(const struct server *s);

/* How many viewers have been told of the end. */
unsigned server_told(const struct server *s);

/* Closes everything. NULL does nothing. Returns NULL. */
struct server *server_close(struct server *s);
