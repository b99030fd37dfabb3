/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The viewer, with a terminal on one side and a server played by the test on the other. */
#include <poll.h>
#include <pty.h>

#include "console/escape.h"
#include "console/viewer.h"
#include "helpers.h"

struct session {
        int master, slave, server, client;
        unsigned wants;
        bool hangup_leaves;
        struct viewer_result *result; /* shared with the child */
        struct termios before;
        pid_t pid;
};

static void view(void *userdata) {
        struct session *s = userdata;
        const struct viewer_options o = { .name = "m1",
                                          .wants = s->wants,
                                          .streams = { s->slave, s->slave, s->slave },
                                          .escape_key = ESCAPE_KEY_DEFAULT,
                                          .hangup_leaves = s->hangup_leaves };
        fd_close(s->master);
        fd_close(s->server);
        CHECK(dup2(s->slave, STDERR_FILENO) >= 0);
        CHECK(viewer_hello(s->client, &o) == 0);
        CHECK(viewer_run(s->client, &o, s->result, NULL) == 0);
}

static struct session start(unsigned wants) {
        struct session s = { .wants = wants };
        struct winsize size = { .ws_row = 12, .ws_col = 34 };
        int pair[2];

        s.result = mmap(NULL, sizeof *s.result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_int_equal(openpty(&s.master, &s.slave, NULL, NULL, &size), 0);
        assert_int_equal(tcgetattr(s.slave, &s.before), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        s.server = pair[0];
        s.client = pair[1];
        s.pid = start_child(view, &s);
        s.client = fd_close(s.client);
        struct termios now;
        for (int i = 0; i < 1000; i++) { /* until it is raw: what is typed counts from then on */
                assert_int_equal(tcgetattr(s.slave, &now), 0);
                if (!(now.c_lflag & ICANON))
                        break;
                usleep(5000);
        }
        return s;
}

/* The next packet; the text of its data is static. */
static const char *expect(const struct session *s, enum packet_kind kind, struct packet *ret) {
        static uint8_t buffer[PACKET_SIZE_MAX + 1];
        struct packet p;

        assert_int_equal(packet_receive(s->server, buffer, &p, 0), 1);
        assert_int_equal(p.kind, kind);
        buffer[sizeof(struct packet_head) + p.data_size] = 0;
        if (ret)
                *ret = p;
        return (const char *) p.data;
}

static void type(const struct session *s, const char *text) {
        assert_int_equal(write(s->master, text, strlen(text)), strlen(text));
}

static void finish(struct session *s, enum viewer_end end, int status) {
        struct termios now;

        assert_int_equal(wait_for(s->pid), 0);
        assert_int_equal(s->result->end, end);
        assert_int_equal(s->result->status, status);
        assert_int_equal(tcgetattr(s->slave, &now), 0);
        assert_int_equal(now.c_lflag, s->before.c_lflag);
        assert_int_equal(now.c_iflag, s->before.c_iflag);
        assert_int_equal(now.c_oflag, s->before.c_oflag);
        fd_close(s->master), fd_close(s->slave), fd_close(s->server);
        munmap(s->result, sizeof *s->result);
}

static void shows_types_and_learns_the_end(void **state) {
        struct session s = start(WANTS_VIEW | WANTS_WRITE);
        char text[64] = "";
        struct packet p;

        (void) state;
        expect(&s, PACKET_HELLO, &p);
        assert_int_equal(p.version, PROTOCOL_VERSION);
        assert_int_equal(p.wants, WANTS_VIEW | WANTS_WRITE);
        assert_int_equal(p.size.ws_row, 12);
        assert_int_equal(p.size.ws_col, 34);
        type(&s, "ls\r\x03\x1d");
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "ls\r\x03\x1d");
        p = (struct packet){ .kind = PACKET_OUTPUT, .data = (const uint8_t *) "a\nb\xFF", .data_size = 4 };
        assert_int_equal(packet_send(s.server, &p, 0), 0);
        p = (struct packet){ .kind = PACKET_EXIT, .number = 77 };
        assert_int_equal(packet_send(s.server, &p, 0), 0);
        assert_int_equal(wait_for(s.pid), 0);
        assert_int_equal(read(s.master, text, sizeof text), 4);
        assert_string_equal(text, "a\nb\xFF"); /* no byte is rewritten: the terminal was raw */
        assert_int_equal(s.result->end, VIEWER_TOLD);
        assert_int_equal(s.result->status, 77);
        fd_close(s.master), fd_close(s.slave), fd_close(s.server);
        munmap(s.result, sizeof *s.result);
}

static void the_menu(void **state) {
        struct session s = start(WANTS_VIEW | WANTS_WRITE);
        struct packet p;

        (void) state;
        expect(&s, PACKET_HELLO, NULL);
        type(&s, "a\x1d\x1dpb");
        expect(&s, PACKET_COMMAND, &p);
        assert_int_equal(p.command, COMMAND_POWEROFF);
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "a\x1d\x1d"
                                                            "b");
        type(&s, "\x1d\x1d"
                 "xr");
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "\x1d\x1d"
                                                            "xr"); /* no letter of ours */
        type(&s, "\x1d\x1d\x1d");
        expect(&s, PACKET_COMMAND, &p);
        assert_int_equal(p.command, COMMAND_KILL);
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "\x1d\x1d\x1d");
        type(&s, "\x1d\x1dl");
        expect(&s, PACKET_COMMAND, &p);
        assert_int_equal(p.command, COMMAND_LOG);
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "\x1d\x1d");
        type(&s, "\x1d\x1d."
                 "d"); /* for a console within */
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "\x1d\x1d"
                                                            "d");
        type(&s, "z\x1d\x1d"
                 "d");
        assert_string_equal(expect(&s, PACKET_INPUT, NULL), "z\x1d\x1d");
        expect(&s, PACKET_DETACH, NULL);
        finish(&s, VIEWER_LEFT, 0);
}

/* What the payload has set up there and not taken back is undone; and nothing is written if there is nothing. */
static void a_terminal_is_left_as_it_was(void **state) {
        static const char *const shown[] = { "\033[?25l\033[?1049h", "plain" };
        static const char *const undone[] = { "\033[?1049l", "plain" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(shown); i++) {
                struct session s = start(WANTS_VIEW | WANTS_WRITE);
                char text[256] = "";
                expect(&s, PACKET_HELLO, NULL);
                const struct packet p = { .kind = PACKET_OUTPUT,
                                          .data = (const uint8_t *) shown[i],
                                          .data_size = strlen(shown[i]) };
                assert_int_equal(packet_send(s.server, &p, 0), 0);
                const struct packet end = { .kind = PACKET_EXIT };
                assert_int_equal(packet_send(s.server, &end, 0), 0);
                assert_int_equal(wait_for(s.pid), 0);
                assert_true(read(s.master, text, sizeof text - 1) > 0);
                assert_non_null(strstr(text, undone[i]));
                assert_int_equal(strlen(text) == strlen(shown[i]), i == 1);
                fd_close(s.master), fd_close(s.slave), fd_close(s.server);
                munmap(s.result, sizeof *s.result);
        }
}

static void who_only_looks_types_nothing(void **state) {
        struct session s = start(WANTS_VIEW);

        (void) state;
        expect(&s, PACKET_HELLO, NULL);
        type(&s, "rm\x1d\x1dp\x1d\x1d\x1d");
        usleep(100000);
        type(&s, "\x1d\x1d");
        type(&s, "d");
        expect(&s, PACKET_DETACH, NULL);
        finish(&s, VIEWER_LEFT, 0);
}

static void signals_and_sizes(void **state) {
        struct session s = start(WANTS_VIEW | WANTS_WRITE);
        struct packet p;

        (void) state;
        expect(&s, PACKET_HELLO, NULL);
        assert_int_equal(ioctl(s.master, TIOCSWINSZ, &(struct winsize){ .ws_row = 50, .ws_col = 60 }), 0);
        assert_int_equal(kill(s.pid, SIGWINCH), 0);
        expect(&s, PACKET_SIZE, &p);
        assert_int_equal(p.size.ws_row, 50);
        assert_int_equal(kill(s.pid, SIGTERM), 0);
        expect(&s, PACKET_DETACH, NULL);
        finish(&s, VIEWER_LEFT, EXIT_SIGNAL_BASE + SIGTERM);

        s = start(WANTS_VIEW | WANTS_WRITE | WANTS_OWN);
        expect(&s, PACKET_HELLO, NULL);
        assert_int_equal(kill(s.pid, SIGTERM), 0); /* it ends with the container */
        expect(&s, PACKET_COMMAND, &p);
        assert_int_equal(p.command, COMMAND_STOP);
        assert_int_equal(p.number, SIGTERM);
        assert_int_equal(kill(s.pid, SIGHUP), 0); /* without a DETACH: its end is waited for */
        expect(&s, PACKET_COMMAND, &p);
        assert_int_equal(p.command, COMMAND_STOP);
        assert_int_equal(p.number, SIGHUP);
        assert_int_equal(kill(s.pid, SIGHUP), 0); /* the same once more */
        const struct packet end = { .kind = PACKET_EXIT, .number = 3 };
        assert_int_equal(packet_send(s.server, &end, 0), 0);
        finish(&s, VIEWER_TOLD, 3);
}

static void a_server_that_vanishes(void **state) {
        struct session s = start(WANTS_VIEW);

        (void) state;
        s.server = fd_close(s.server);
        finish(&s, VIEWER_LOST, EXIT_OURS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(shows_types_and_learns_the_end), cmocka_unit_test(the_menu),
                cmocka_unit_test(who_only_looks_types_nothing),   cmocka_unit_test(signals_and_sizes),
                cmocka_unit_test(a_server_that_vanishes),         cmocka_unit_test(a_terminal_is_left_as_it_was),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
