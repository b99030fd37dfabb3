/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Viewers that say anything, read or do not read, come and go. What they type arrives in order and once; what each is
 * shown is the output in order, with the gaps that it is told of, up to the end. */
#include "console/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "fuzz.h"

enum { VIEWERS = 4, OUTPUT_LIMIT = 1 << 20 };

struct client {
        int fd; /* our end; negative: none */
        bool told;
        uint8_t *seen; /* what was shown, and zeros for what was missed */
        uint64_t at;
        uint8_t typed; /* the number of the next byte that is typed */
        uint8_t next;  /* … and of the next one of those that the payload has not taken, */
        size_t left;   /* of which there are so many */
};

struct state {
        struct source in;
        struct server *server;
        struct client clients[VIEWERS];
        uint64_t written;
        bool ended;
};

/* The payload's byte at POSITION: text, and never the same for long. */
static uint8_t output_byte(uint64_t position) {
        return (uint8_t) ('!' + (position ^ position >> 7 ^ position >> 13) % 90);
}

/* Typed bytes tell whose they are and their number. What was not taken of a packet comes again, and nothing else of
 * that viewer before it. */
static size_t on_input(void *userdata, const uint8_t *data, size_t size) {
        struct state *s = userdata;
        size_t n = take_number(&s->in, size);

        MUST(size > 0 && size <= PACKET_DATA_MAX && !s->ended);
        struct client *c = &s->clients[data[0] >> 6];
        for (size_t i = 0; i < size; i++)
                MUST(data[i] == (data[0] & 0xc0) + ((data[0] + i) & 0x3f));
        if (c->left > 0)
                MUST(size == c->left && (data[0] & 0x3f) == c->next);
        c->left = size - n;
        c->next = (uint8_t) (data[0] + n) & 0x3f;
        return n;
}

static void on_resize(void *userdata, const struct winsize *size) {
        (void) userdata;
        MUST(size->ws_row > 0 && size->ws_col > 0);
}

static void on_command(void *userdata, enum packet_command command, int number) {
        const struct state *s = userdata;

        MUST(!s->ended && command >= COMMAND_POWEROFF && command < COMMANDS && number >= 0 && number <= 64);
}

static void on_owner_gone(void *userdata) {
        const struct state *s = userdata;

        MUST(!s->ended);
}

static void on_enter(void *userdata, int fd) {
        const struct state *s = userdata;

        MUST(!s->ended && fcntl(fd, F_GETFD) >= 0);
}

/* ---- a viewer's end ---- */

static void hang_up(struct client *c) {
        c->fd = fd_close(c->fd);
}

static void see(struct client *c, const struct packet *p) {
        char number[32] = "";

        switch (p->kind) {
        case PACKET_OUTPUT:
                MUST(p->data_size > 0 && c->at + p->data_size <= OUTPUT_LIMIT);
                memcpy(c->seen + c->at, p->data, p->data_size);
                c->at += p->data_size;
                break;
        case PACKET_LAG:
                MUST(p->data_size > 0 && p->data_size < sizeof number);
                memcpy(number, p->data, p->data_size);
                unsigned long long missed = strtoull(number, NULL, 10);
                MUST(missed > 0 && c->at + missed <= OUTPUT_LIMIT);
                memset(c->seen + c->at, 0, missed);
                c->at += missed;
                break;
        case PACKET_EXIT:
                MUST(!c->told);
                c->told = true;
                break;
        default:
                MUST(p->kind == PACKET_ROLE || p->kind == PACKET_REFUSED);
                MUST(is_clean(p->data, p->data_size, ""));
        }
}

/* Returns whether there was something. */
static bool read_packets(struct client *c, size_t most) {
        static uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        bool any = false;

        for (; most > 0 && c->fd >= 0; most--) {
                int r = packet_receive(c->fd, buffer, &p, MSG_DONTWAIT);
                if (r == -EAGAIN)
                        break;
                MUST(r >= 0);
                any = true;
                if (r == 0)
                        hang_up(c);
                else
                        see(c, &p);
        }
        return any;
}

/* ---- what happens ---- */

static struct client *choose(struct state *s) {
        return &s->clients[take_byte(&s->in) % VIEWERS];
}

static void come(struct state *s) {
        struct client *c = choose(s);
        int pair[2];

        if (c->fd >= 0)
                return;
        MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        c->fd = pair[0];
        c->at = c->left = 0;
        c->told = false;
        MUST(server_add(s->server, pair[1]) == 0 || c->fd >= 0);
}

static void say_bytes(struct state *s) {
        const struct client *c = choose(s);
        const uint8_t *bytes;
        size_t n = take_bytes(&s->in, take_byte(&s->in), &bytes);
        struct packet p;

        if (c->fd >= 0 && (packet_decode(bytes, n, &p) < 0 || p.kind != PACKET_INPUT))
                (void) send(c->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say_packet(struct state *s) {
        const struct client *c = choose(s);
        struct packet p = { .kind = take_byte(&s->in) % (PACKET_KINDS + 1),
                            .version = take_byte(&s->in) % 8 ? PROTOCOL_VERSION : 2,
                            .wants = take_byte(&s->in),
                            .command = take_byte(&s->in) % 8,
                            .number = take_byte(&s->in),
                            .size = { .ws_row = take_byte(&s->in), .ws_col = take_byte(&s->in) } };

        if (c->fd >= 0 && p.kind != PACKET_INPUT)
                (void) packet_send(c->fd, &p, MSG_DONTWAIT);
}

static void type(struct state *s) {
        struct client *c = choose(s);
        uint8_t bytes[255], mark = (uint8_t) ((c - s->clients) << 6);
        struct packet p = { .kind = PACKET_INPUT, .data = bytes, .data_size = take_byte(&s->in) };

        for (size_t i = 0; i < p.data_size; i++)
                bytes[i] = mark | (c->typed++ & 0x3f);
        if (c->fd >= 0)
                (void) packet_send(c->fd, &p, MSG_DONTWAIT);
}

static void hello(struct state *s) {
        const struct client *c = choose(s);
        struct packet p = { .kind = PACKET_HELLO, .version = PROTOCOL_VERSION, .wants = take_byte(&s->in) };

        if (c->fd >= 0)
                (void) packet_send(c->fd, &p, MSG_DONTWAIT);
}

static void write_output(struct state *s) {
        static uint8_t bytes[65280];
        size_t n = take_byte(&s->in) * 256U;

        if (s->ended || s->written + n > OUTPUT_LIMIT)
                return;
        for (size_t i = 0; i < n; i++)
                bytes[i] = output_byte(s->written + i);
        s->written += n;
        server_output(s->server, bytes, n);
}

static void dispatch(struct state *s) {
        server_dispatch(s->server);
}

static void feed(struct state *s) {
        server_feed(s->server);
}

static void read_some(struct state *s) {
        struct client *c = choose(s);

        (void) read_packets(c, take_byte(&s->in));
}

static void rare(struct state *s) {
        struct client *c = choose(s);

        switch (take_byte(&s->in) % 8) {
        case 0:
                hang_up(c);
                break;
        case 1:
                s->ended = true;
                server_exit(s->server, take_byte(&s->in));
                break;
        default:
                break;
        }
}

/* Everybody reads to the end. What was shown ends where the output does, so that is where it is compared from. */
static void finish(struct state *s) {
        if (!s->ended) {
                s->ended = true;
                server_exit(s->server, 7);
        }
        for (unsigned turn = 0, quiet = 0; quiet < 3; turn++) {
                bool any = false;
                server_dispatch(s->server);
                for (size_t i = 0; i < VIEWERS; i++)
                        any |= read_packets(&s->clients[i], SIZE_MAX);
                quiet = any ? 0 : quiet + 1;
                MUST(turn < 100000);
        }
        MUST(!server_pending(s->server));
        for (size_t i = 0; i < VIEWERS; i++) {
                const struct client *c = &s->clients[i];
                if (!c->told || c->at == 0) /* who does not want to view is shown nothing */
                        continue;
                MUST(c->at <= s->written);
                uint64_t start = s->written - c->at;
                for (uint64_t k = 0; k < c->at; k++)
                        MUST(c->seen[k] == 0 || c->seen[k] == output_byte(start + k));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static void (*const acts[])(struct state *) = { come,         say_bytes, say_packet, hello,     type,
                                                        write_output, dispatch,  feed,       read_some, rare };
        static uint8_t seen[VIEWERS][OUTPUT_LIMIT];
        struct state s = { .in = { data, size } };
        struct server_options o = { .listener = -EBADF,
                                    .scrollback = take_number(&s.in, 1000) * 100,
                                    .hooks = { &s, on_input, on_resize, on_command, on_owner_gone, on_enter } };

        for (size_t i = 0; i < VIEWERS; i++)
                s.clients[i] = (struct client){ .fd = -EBADF, .seen = seen[i] };
        MUST(server_open(&o, &s.server, NULL) == 0);
        while (s.in.size > 0)
                acts[take_byte(&s.in) % (sizeof acts / sizeof acts[0])](&s);
        finish(&s);
        for (size_t i = 0; i < VIEWERS; i++)
                hang_up(&s.clients[i]);
        server_close(s.server);
        return 0;
}
