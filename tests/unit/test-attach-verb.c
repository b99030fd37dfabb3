/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the end of a viewer means for spawnctl attach; what is said to a session that answers nothing. */
#include <sys/socket.h>

#include "console/protocol.h"
#include "console/viewer.h"
#include "made-run.h"
#include "tools/tools.h"

static void ends(void **state) {
        static const struct {
                struct viewer_result result;
                int status;
                const char *says;
        } cases[] = {
                { { .end = VIEWER_TOLD, .status = 42 }, 42, "" },
                { { .end = VIEWER_TOLD, .status = 0 }, 0, "" },
                { { .end = VIEWER_LEFT, .status = 0 }, 0, "" },
                { { .end = VIEWER_LEFT, .status = 143 }, 143, "" },
                { { .end = VIEWER_LOST }, -EPIPE, "the supervisor of m1 has vanished, and the container with it" },
                { { .end = VIEWER_REFUSED, .text = "not %s you" }, -EPROTO, "not %s you" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct error e = { 0 };
                struct capture c = capture_start(STDERR_FILENO);
                int r = attach_judge("m1", &cases[i].result, &e);
                _cleanup_free_ char *text = capture_end(&c);
                assert_int_equal(r, cases[i].status);
                assert_string_equal(e.text, cases[i].says);
                assert_int_equal(strstr(text, "m1 runs on") != NULL, cases[i].result.end == VIEWER_LEFT);
        }
}

/* What a machine's socket gets, up to the end of the connection: one kind a packet. */
static void receive(int listener, char *ret, struct packet *command) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        assert_true(fd >= 0);
        while (packet_receive(fd, buffer, &p, 0) > 0) {
                *ret++ = (char) ('0' + p.kind);
                if (p.kind == PACKET_COMMAND)
                        *command = p;
        }
        *ret = 0;
        close(fd);
}

static void commands(void **state) {
        struct state_place place;
        struct packet command = { 0 };
        struct error e = { 0 };
        char kinds[16];

        (void) state;
        in_a_run_of_our_own();
        made_machine(getpid(), &place);
        assert_int_equal(tools_command("m1", COMMAND_KILL, 0, &e), -ENOENT); /* it has no socket yet */
        int listener = state_listen(&place, &e);
        assert_true(listener >= 0);
        assert_int_equal(tools_command("m1", COMMAND_SIGNAL, 12, &e), 0);
        receive(listener, kinds, &command);
        assert_string_equal(kinds, "145"); /* HELLO, COMMAND, DETACH */
        assert_int_equal(command.command, COMMAND_SIGNAL);
        assert_int_equal(command.number, 12);
        close(listener);
        state_drop(&place, "m1");
}

static void answer(void *userdata) {
        const struct packet p = { .kind = PACKET_EXIT, .number = 7 };
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet hello;
        int fd = accept4(*(int *) userdata, NULL, NULL, SOCK_CLOEXEC);

        CHECK(fd >= 0);
        CHECK(packet_send(fd, &(struct packet){ .kind = PACKET_ROLE }, 0) >= 0);
        CHECK(packet_send(fd, &p, 0) >= 0);
        fd = accept4(*(int *) userdata, NULL, NULL, SOCK_CLOEXEC); /* and to the second nothing is said */
        CHECK(fd >= 0);
        CHECK(packet_receive(fd, buffer, &hello, 0) == 1);
}

static void waiting_for_the_end(void **state) {
        struct state_place place;
        struct error e = { 0 };

        (void) state;
        in_a_run_of_our_own();
        made_machine(getpid(), &place);
        int listener = state_listen(&place, &e);
        assert_true(listener >= 0);
        assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
        pid_t pid = start_child(answer, &listener);
        assert_int_equal(attach_wait_exit("m1", &e), 7);
        int r = attach_wait_exit("m1", &e);
        assert_true(r == -EPIPE || r == -ECONNRESET);
        assert_non_null(strstr(e.text, "the supervisor of m1 has vanished"));
        assert_int_equal(wait_for(pid), 0);
        close(listener);
        state_drop(&place, "m1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ends),
                cmocka_unit_test(commands),
                cmocka_unit_test(waiting_for_the_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
