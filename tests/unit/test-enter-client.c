/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl exec, shell and login up to the session's socket, and a helper behind it that is the test's own. */
#include <sys/socket.h>

#include "basic/sync.h"
#include "console/protocol.h"
#include "launcher/enter.h"
#include "made-run.h"
#include "tools/tools.h"

/* They block signals, which is the process's own: each is run in a child. */
struct call {
        int (*verb)(const struct request *q, struct error *error);
        struct request request;
        int expected;
        const char *says;
};

static void run(void *userdata) {
        struct call *c = userdata;
        struct error e = { 0 };
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        CHECK(dup2(null, STDIN_FILENO) == STDIN_FILENO); /* no terminal */
        CHECK(dup2(null, STDOUT_FILENO) == STDOUT_FILENO);
        int r = c->verb(&c->request, &e);
        if (r != c->expected || !strstr(e.text, c->says)) {
                dprintf(STDERR_FILENO, "%d, %s\n", r, e.text);
                _exit(1);
        }
}

static void refused(void **state) {
        char *words[] = { (char[]){ "w" } };
        char *bad[] = { (char[]){ "=x" }, NULL };
        struct call calls[] = {
                { enter_exec, { .name = "m9" }, -EINVAL, "needs a command" },
                { enter_exec, { .name = "m9", .words = words, .word_count = 1 }, -ENOENT, "no machine m9" },
                { enter_exec, { .name = "..", .words = words, .word_count = 1 }, -EINVAL, ".." },
                { enter_exec, { .name = "m9", .words = words, .word_count = 1, .escape = "nokey" }, -EINVAL, "nokey" },
                { enter_exec,
                  { .name = "m9", .words = words, .word_count = 1, .environment = { bad, 1 } },
                  -EINVAL,
                  "NAME=VALUE" },
                { enter_shell, { .name = "alice@m9", .user = "bob" }, -EINVAL, "exclude each other" },
                { enter_shell, { .name = "alice@m9" }, -ENOENT, "no machine m9" },
                { enter_login, { .name = "m9" }, -ENOTTY, "needs a terminal" },
        };

        (void) state;
        in_a_run_of_our_own();
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                assert_int_equal(run_child(run, calls + i), 0);
}

/* What the helper answers: ANSWER, or nothing at all. */
struct helper {
        int listener;
        bool answers;
        enum sync_step step;
        struct error error;
};

static void help(void *userdata) {
        const struct helper *h = userdata;
        const int none = -EBADF;
        uint8_t buffer[PACKET_SIZE_MAX];
        static char bytes[ENTER_SIZE_MAX];
        struct enter_request q;
        struct packet p;
        int streams[3], fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC);

        CHECK(fd >= 0);
        CHECK(packet_receive(fd, buffer, &p, 0) == 1 && p.kind == PACKET_ENTER);
        CHECK(sync_receive_fds(fd, streams, 3) == 0);
        CHECK(streams[0] >= 0 && streams[1] >= 0 && streams[2] >= 0);
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        CHECK(n > 0 && enter_decode(bytes, (size_t) n, &q) == 0);
        CHECK(!q.terminal && q.words.count == 2 && text_equal(q.words.items[1], "a b"));
        CHECK(text_equal(q.user, "alice"));
        if (!h->answers)
                return;
        CHECK(sync_send_fds(fd, &none, 1) == 0);
        CHECK(sync_send(fd, h->step, &h->error) == 0);
}

static void answered(void **state) {
        char *words[] = { (char[]){ "w" }, (char[]){ "a b" } };
        const struct request request = { .name = "m1", .words = words, .word_count = 2, .user = "alice" };
        struct helper helpers[] = {
                { .answers = true, .step = SYNC_ENDED, .error = { .code = 7 } },
                { .answers = true, .step = SYNC_ENDED, .error = { .code = 0 } },
                { .answers = true,
                  .step = SYNC_FAILED,
                  .error = { .code = ENOENT, .status = 127, .text = "no such x" } },
                { .answers = true, .step = SYNC_PREPARED }, /* which is none: as one that has vanished */
                { .answers = false },
        };
        const struct call calls[] = { { enter_exec, request, 7, "" },
                                      { enter_exec, request, 0, "" },
                                      { enter_exec, request, 127, "no such x" },
                                      { enter_exec, request, 137, "" },
                                      { enter_exec, request, -EPIPE, "cannot enter the machine m1" } };
        struct state_place place;
        struct error e = { 0 };

        (void) state;
        in_a_run_of_our_own();
        made_machine(getpid(), &place);
        int listener = state_listen(&place, &e);
        assert_true(listener >= 0);
        assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                struct call call = calls[i];
                helpers[i].listener = listener;
                pid_t pid = start_child(help, helpers + i);
                assert_int_equal(run_child(run, &call), 0);
                assert_int_equal(wait_for(pid), 0);
        }
        close(listener);
        state_drop(&place, "m1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(refused),
                cmocka_unit_test(answered),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
