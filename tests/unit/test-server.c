/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The viewers of a session, over socket pairs. */
#include <poll.h>
#include <stdlib.h>

#include "console/server.h"
#include "helpers.h"

struct fixture {
        struct server *server;
        char typed[256];
        size_t typed_size, room;
        struct winsize size;
        enum packet_command command;
        int number, gone, entered;
};

static size_t on_input(void *userdata, const uint8_t *data, size_t size) {
        struct fixture *f = userdata;
        size_t n = size < f->room ? size : f->room;

        memcpy(f->typed + f->typed_size, data, n);
        f->typed_size += n;
        f->room -= n;
        f->typed[f->typed_size] = 0;
        return n;
}

static void on_resize(void *userdata, const struct winsize *size) {
        ((struct fixture *) userdata)->size = *size;
}

static void on_command(void *userdata, enum packet_command command, int number) {
        struct fixture *f = userdata;

        f->command = command;
        f->number = number;
}

static void on_owner_gone(void *userdata) {
        ((struct fixture *) userdata)->gone++;
}

/* As a helper that is forked has the descriptor: beyond the server's reach. */
static void on_enter(void *userdata, int fd) {
        ((struct fixture *) userdata)->entered = dup(fd);
}

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);
        const struct server_options o = { .listener = -EBADF,
                                          .scrollback = 100000,
                                          .hooks = { f, on_input, on_resize, on_command, on_owner_gone, on_enter } };

        f->entered = -EBADF;
        f->room = sizeof f->typed - 1;
        *state = f;
        return server_open(&o, &f->server, NULL);
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        server_close(f->server);
        free(f);
        return 0;
}

static void say(int fd, const struct packet *p) {
        assert_int_equal(packet_send(fd, p, 0), 0);
}

/* A viewer that has said hello. */
static int view(struct fixture *f, unsigned wants, unsigned short rows) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        say(pair[0], &(struct packet){ .kind = PACKET_HELLO,
                                       .version = PROTOCOL_VERSION,
                                       .wants = wants,
                                       .size = { .ws_row = rows, .ws_col = 80 } });
        assert_int_equal(server_add(f->server, pair[1]), 0);
        return pair[0];
}

static void output(struct fixture *f, const char *text) {
        server_output(f->server, (const uint8_t *) text, strlen(text));
}

/* The next packet, which is to be of KIND; the text of its data is static. */
static const char *expect(int fd, enum packet_kind kind, struct packet *ret) {
        static uint8_t buffer[PACKET_SIZE_MAX + 1];
        struct packet p;

        assert_int_equal(packet_receive(fd, buffer, &p, 0), 1);
        assert_int_equal(p.kind, kind);
        buffer[sizeof(struct packet_head) + p.data_size] = 0;
        if (ret)
                *ret = p;
        return (const char *) p.data;
}

static void expect_nothing(int fd) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;

        assert_int_equal(packet_receive(fd, buffer, &p, 0), -EAGAIN);
}

static void shows_the_past_and_the_present(void **state) {
        struct fixture *f = *state;

        output(f, "past ");
        int a = view(f, WANTS_VIEW, 24);
        expect(a, PACKET_ROLE, NULL);
        assert_string_equal(expect(a, PACKET_OUTPUT, NULL), "past ");
        output(f, "present");
        assert_string_equal(expect(a, PACKET_OUTPUT, NULL), "present");
        expect_nothing(a);
        int silent = view(f, 0, 24); /* wants to be told of the end only */
        expect(silent, PACKET_ROLE, NULL);
        expect_nothing(silent);
        server_exit(f->server, 7);
        struct packet p;
        expect(silent, PACKET_EXIT, &p);
        assert_int_equal(p.number, 7);
        int late = view(f, WANTS_VIEW, 24);
        expect(late, PACKET_ROLE, NULL);
        assert_string_equal(expect(late, PACKET_OUTPUT, NULL), "past present");
        expect(late, PACKET_EXIT, &p);
        assert_int_equal(p.number, 7);
        assert_int_equal(server_told(f->server), 3);
        assert_false(server_pending(f->server));
        fd_close(a), fd_close(silent), fd_close(late);
}

static void a_stalled_viewer_delays_nobody(void **state) {
        struct fixture *f = *state;
        int stalled = view(f, WANTS_VIEW, 24), reader = view(f, WANTS_VIEW, 24);
        char block[1025];
        size_t seen = 0;
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        uint64_t begin = monotonic_usec();

        memset(block, 'x', sizeof block - 1);
        block[sizeof block - 1] = 0;
        for (int i = 0; i < 20000; i++) { /* 20 MiB */
                output(f, block);
                while (packet_receive(reader, buffer, &p, 0) > 0)
                        seen += p.kind == PACKET_OUTPUT ? p.data_size : 0;
        }
        assert_true(monotonic_usec() - begin < 20 * 1000000);
        assert_int_equal(seen, 20000 * 1024);
        server_exit(f->server, 0);
        bool lagged = false, ended = false;
        while (!ended) {
                int r = packet_receive(stalled, buffer, &p, 0);
                if (r == -EAGAIN) {
                        server_dispatch(f->server);
                        continue;
                }
                assert_int_equal(r, 1);
                lagged |= p.kind == PACKET_LAG;
                ended = p.kind == PACKET_EXIT;
        }
        assert_true(lagged);
        fd_close(stalled), fd_close(reader);
}

static void type(struct fixture *f, int fd, const char *text) {
        say(fd, &(struct packet){ .kind = PACKET_INPUT, .data = (const uint8_t *) text, .data_size = strlen(text) });
        server_dispatch(f->server);
}

static unsigned role(int fd) {
        struct packet p;

        expect(fd, PACKET_ROLE, &p);
        return p.wants;
}

static void one_types_at_a_time(void **state) {
        struct fixture *f = *state;
        const unsigned both = WANTS_VIEW | WANTS_WRITE;
        int a = view(f, both, 10), b = view(f, both, 20), looks = view(f, WANTS_VIEW, 30);

        assert_int_equal(role(a), both);
        assert_int_equal(role(b), WANTS_VIEW);
        assert_int_equal(role(looks), WANTS_VIEW);
        assert_int_equal(f->size.ws_row, 10);
        type(f, b, "no");
        type(f, looks, "no");
        type(f, a, "a");
        assert_string_equal(f->typed, "a");
        int t = view(f, both | WANTS_TAKE, 40);
        server_dispatch(f->server);
        assert_int_equal(role(t), both);
        assert_int_equal(role(a), WANTS_VIEW);
        assert_int_equal(f->size.ws_row, 40);
        int s = view(f, both | WANTS_SHARE, 50);
        assert_int_equal(role(s), both);
        type(f, t, "t");
        assert_int_equal(f->size.ws_row, 40);
        type(f, s, "s");
        type(f, a, "no");
        assert_string_equal(f->typed, "ats");
        assert_int_equal(f->size.ws_row, 50);
        say(t, &(struct packet){ .kind = PACKET_SIZE, .size = { .ws_row = 41, .ws_col = 80 } });
        server_dispatch(f->server);
        assert_int_equal(f->size.ws_row, 50); /* t did not type last */
        fd_close(t), fd_close(s);
        server_dispatch(f->server);
        server_dispatch(f->server);
        struct pollfd p[] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
        assert_int_equal(poll(p, 2, 0), 1); /* one of those who waited, and only one */
        assert_int_equal(role(p[0].revents ? a : b), both);
        fd_close(a), fd_close(b), fd_close(looks);
}

static void input_waits_for_the_payload(void **state) {
        struct fixture *f = *state;
        int a = view(f, WANTS_VIEW | WANTS_WRITE, 24);

        f->room = 3;
        type(f, a, "abcdef");
        type(f, a, "ghi");
        assert_string_equal(f->typed, "abc");
        f->room = 5;
        server_feed(f->server);
        assert_string_equal(f->typed, "abcdef");
        server_dispatch(f->server);
        assert_string_equal(f->typed, "abcdefgh");
        f->room = 5;
        server_feed(f->server);
        assert_string_equal(f->typed, "abcdefghi");
        f->room = 0;
        type(f, a, "x");
        fd_close(a); /* gone while it waits: the set must not report it for ever */
        server_dispatch(f->server);
        struct pollfd p = { .fd = server_fd(f->server), .events = POLLIN };
        assert_int_equal(poll(&p, 1, 0), 0);
}

static void commands_and_the_owner(void **state) {
        struct fixture *f = *state;
        int a = view(f, WANTS_VIEW | WANTS_OWN, 24), b = view(f, WANTS_VIEW | WANTS_OWN, 24);

        say(a, &(struct packet){ .kind = PACKET_COMMAND, .command = COMMAND_SIGNAL, .number = 15 });
        server_dispatch(f->server);
        assert_int_equal(f->command, COMMAND_SIGNAL);
        assert_int_equal(f->number, 15);
        say(a, &(struct packet){ .kind = PACKET_DETACH });
        fd_close(a);
        server_dispatch(f->server);
        assert_int_equal(f->gone, 0);
        fd_close(b);
        server_dispatch(f->server);
        assert_int_equal(f->gone, 1);
}

static void rubbish_is_refused(void **state) {
        static const struct packet bad[] = {
                { .kind = PACKET_HELLO, .version = PROTOCOL_VERSION + 1 },
                { .kind = PACKET_INPUT },
                { .kind = PACKET_EXIT },
                { .kind = PACKET_COMMAND, .command = COMMAND_KILL },
        };
        struct fixture *f = *state;
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        int pair[2];

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
                say(pair[0], &bad[i]);
                assert_int_equal(server_add(f->server, pair[1]), 0);
                server_dispatch(f->server);
                expect(pair[0], PACKET_REFUSED, NULL);
                assert_int_equal(f->command, 0);
                fd_close(pair[0]);
        }
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_int_equal(server_add(f->server, pair[1]), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(send(pair[0], "rubbish", 7, MSG_NOSIGNAL), 7);
        server_dispatch(f->server);
        server_dispatch(f->server);
        assert_true(packet_receive(pair[0], buffer, &p, 0) <= 0);
        fd_close(pair[0]);
}

/* Whoever enters is the helper's alone from then on, whatever its socket has to say. */
static void who_enters_is_forgotten(void **state) {
        struct fixture *f = *state;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        say(pair[0], &(struct packet){ .kind = PACKET_ENTER, .version = PROTOCOL_VERSION });
        assert_int_equal(server_add(f->server, pair[1]), 0);
        assert_true(f->entered >= 0);
        server_dispatch(f->server);
        assert_int_equal(send(pair[0], "to the helper", 13, MSG_NOSIGNAL), 13);
        struct pollfd p = { .fd = server_fd(f->server), .events = POLLIN };
        assert_int_equal(poll(&p, 1, 0), 0);
        server_dispatch(f->server);
        char buffer[32];
        assert_int_equal(recv(f->entered, buffer, sizeof buffer, 0), 13);
        fd_close(f->entered);
        fd_close(pair[0]);
}

static int reopen(struct fixture *f, bool blind, bool typed_on) {
        const struct server_options o = { .listener = -EBADF,
                                          .scrollback = 1000,
                                          .blind = blind,
                                          .typed_on = typed_on,
                                          .hooks = { f, on_input, on_resize, on_command, on_owner_gone, on_enter } };

        f->server = server_close(f->server);
        return server_open(&o, &f->server, NULL);
}

/* Those who want to know are told the size before anything is shown, and when it changes; all hear what is said. */
static void sizes_and_remarks(void **state) {
        struct fixture *f = *state;
        struct packet p;

        output(f, "past");
        server_resized(f->server, &(struct winsize){ .ws_row = 20, .ws_col = 70 });
        int fd = view(f, WANTS_VIEW | WANTS_SIZES, 0), other = view(f, WANTS_VIEW, 0);
        expect(fd, PACKET_ROLE, NULL);
        expect(fd, PACKET_SIZE, &p);
        assert_int_equal(p.size.ws_row, 20);
        assert_int_equal(p.size.ws_col, 70);
        assert_string_equal(expect(fd, PACKET_OUTPUT, NULL), "past");
        expect(other, PACKET_ROLE, NULL);
        expect(other, PACKET_OUTPUT, NULL);
        server_resized(f->server, &(struct winsize){ .ws_row = 21, .ws_col = 70 });
        expect(fd, PACKET_SIZE, &p);
        assert_int_equal(p.size.ws_row, 21);
        expect_nothing(other);
        server_tell(f->server, "a remark");
        assert_string_equal(expect(fd, PACKET_ROLE, NULL), "a remark");
        assert_string_equal(expect(other, PACKET_ROLE, NULL), "a remark");
        fd_close(fd), fd_close(other);
}

/* The viewer that the container lives with is waited for while it goes on reading, and nobody else is. */
static void the_owner_sets_the_pace(void **state) {
        struct fixture *f = *state;
        char text[1024];
        struct packet p;

        memset(text, 'x', sizeof text);
        for (unsigned own = 0; own <= WANTS_OWN; own += WANTS_OWN) {
                assert_int_equal(reopen(f, false, false), 0);
                int fd = view(f, WANTS_VIEW | own, 24);
                assert_int_equal(server_hold_until(f->server, monotonic_usec()), 0);
                for (unsigned i = 0; i < 1024 && !server_hold_until(f->server, monotonic_usec()); i++)
                        server_output(f->server, (const uint8_t *) text, sizeof text);
                uint64_t now = monotonic_usec(), until = server_hold_until(f->server, now);
                assert_int_equal(until > now, own != 0);
                assert_int_equal(server_hold_until(f->server, now + 2 * SERVER_STALL_USEC), 0); /* it stands still */
                uint8_t buffer[PACKET_SIZE_MAX];
                for (unsigned i = 0; i < 20000 && packet_receive(fd, buffer, &p, MSG_DONTWAIT) > 0; i++) {
                        if (p.kind == PACKET_LAG)
                                assert_int_equal(own, 0);
                        server_dispatch(f->server);
                }
                assert_int_equal(server_hold_until(f->server, monotonic_usec()), 0);
                assert_false(server_pending(f->server));
                fd_close(fd);
        }
}

/* Commands, and the end, are for everybody; to see and to type needs a console. */
static void no_console(void **state) {
        struct fixture *f = *state;

        assert_int_equal(reopen(f, true, false), 0);
        for (unsigned wants = WANTS_VIEW; wants <= (WANTS_VIEW | WANTS_WRITE); wants++) {
                int fd = view(f, wants, 24);
                assert_non_null(strstr(expect(fd, PACKET_REFUSED, NULL), "pipe mode"));
                fd_close(fd);
        }
        int fd = view(f, 0, 24);
        expect(fd, PACKET_ROLE, NULL);
        say(fd, &(struct packet){ .kind = PACKET_COMMAND, .command = COMMAND_REBOOT });
        server_dispatch(f->server);
        assert_int_equal(f->command, COMMAND_REBOOT);
        output(f, "nobody sees this");
        expect_nothing(fd);
        server_exit(f->server, 7);
        struct packet p;
        expect(fd, PACKET_EXIT, &p);
        assert_int_equal(p.number, 7);
        fd_close(fd);
}

/* Somebody types on a terminal that is not a viewer: it keeps its size, and who types too asks for it. */
static void beside_a_terminal(void **state) {
        struct fixture *f = *state;
        struct packet p;

        assert_int_equal(reopen(f, false, true), 0);
        int one = view(f, WANTS_VIEW | WANTS_WRITE, 24), two = view(f, WANTS_VIEW | WANTS_WRITE | WANTS_SHARE, 25);
        assert_non_null(strstr(expect(one, PACKET_ROLE, &p), "someone else is typing"));
        assert_false(p.wants & WANTS_WRITE);
        expect(two, PACKET_ROLE, &p);
        assert_true(p.wants & WANTS_WRITE);
        say(two, &(struct packet){ .kind = PACKET_INPUT, .data = (const uint8_t *) "x", .data_size = 1 });
        server_dispatch(f->server);
        assert_string_equal(f->typed, "x");
        assert_int_equal(f->size.ws_row, 0);
        fd_close(two);
        server_dispatch(f->server);
        expect_nothing(one); /* the terminal is still there */
        fd_close(one);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(shows_the_past_and_the_present),
                TEST(a_stalled_viewer_delays_nobody),
                TEST(one_types_at_a_time),
                TEST(input_waits_for_the_payload),
                TEST(commands_and_the_owner),
                TEST(rubbish_is_refused),
                TEST(who_enters_is_forgotten),
                TEST(no_console),
                TEST(sizes_and_remarks),
                TEST(the_owner_sets_the_pace),
                TEST(beside_a_terminal),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
