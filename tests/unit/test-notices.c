/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service manager that runs us is told, on a socket of the test's own. */
#include "launcher/notices.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "helpers.h"

struct manager {
        char directory[32], path[64];
        int fd;
};

static int manager_set_up(void **state) {
        struct manager *m = calloc(1, sizeof *m);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(m->directory, "/tmp/test-notices-XXXXXX");
        if (!mkdtemp(m->directory))
                return -1;
        snprintf(m->path, sizeof m->path, "%s/notify", m->directory);
        strcpy(address.sun_path, m->path);
        m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        setenv("NOTIFY_SOCKET", m->path, 1);
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        *state = m;
        return bind(m->fd, (struct sockaddr *) &address, sizeof address);
}

static int manager_tear_down(void **state) {
        struct manager *m = *state;

        unsetenv("NOTIFY_SOCKET");
        unsetenv("WATCHDOG_USEC");
        close(m->fd);
        remove_tree_at(m->directory);
        free(m);
        return 0;
}

/* The next message, or an empty one. */
static const char *heard(const struct manager *m) {
        static char text[4096];
        ssize_t n = recv(m->fd, text, sizeof text - 1, 0);

        text[n > 0 ? n : 0] = 0;
        return text;
}

static void started_and_stopping(void **state) {
        struct manager *m = *state;
        struct notices n = { 0 };

        notices_started(&n, 4711, 1);
        assert_string_equal(heard(m), "X_NSPAWN_LEADER_PID=4711\nSTATUS=Container running.\nREADY=1");
        assert_int_equal(notices_next(&n), 0); /* no watchdog was asked for */
        notices_tick(&n, 1000000000);
        assert_string_equal(heard(m), "");
        notices_stopping(&n);
        notices_stopping(&n);
        assert_non_null(strstr(heard(m), "STOPPING=1"));
        assert_string_equal(heard(m), "");
        n.wait_for_payload = true;
        notices_started(&n, 1, 1);
        assert_null(strstr(heard(m), "READY"));
        notices_stopping(&n); /* of the next run */
        assert_non_null(strstr(heard(m), "STOPPING=1"));
}

static void the_watchdog_is_fed_twice_as_often(void **state) {
        struct manager *m = *state;
        struct notices n = { 0 };

        setenv("WATCHDOG_USEC", "4000000", 1);
        notices_started(&n, 1, 10);
        (void) heard(m);
        assert_int_equal(notices_next(&n), 10);
        notices_tick(&n, 10);
        assert_string_equal(heard(m), "WATCHDOG=1");
        assert_int_equal(notices_next(&n), 2000010);
        notices_tick(&n, 2000009);
        assert_string_equal(heard(m), "");
        notices_tick(&n, 2000010);
        assert_string_equal(heard(m), "WATCHDOG=1");
}

/* PID 1's words go on with what they may say; a word of anybody else's is dropped. */
static void the_payload_is_passed_on(void **state) {
        struct manager *m = *state;
        int p[2];
        const int on = 1;

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, p), 0);
        assert_int_equal(setsockopt(p[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
        static const char words[] = "READY=1\nSTATUS=up \033[2J\nMAINPID=1\nWATCHDOG=1";
        assert_int_equal(send(p[1], words, strlen(words), 0), strlen(words));
        notices_forward(p[0], getpid() + 1);
        assert_string_equal(heard(m), "");
        assert_int_equal(send(p[1], words, strlen(words), 0), strlen(words));
        notices_forward(p[0], getpid());
        const char *text = heard(m);
        assert_non_null(strstr(text, "READY=1"));
        assert_non_null(strstr(text, "STATUS=Container running: up "));
        assert_null(strstr(text, "MAINPID"));
        assert_null(strstr(text, "WATCHDOG"));
        assert_null(strchr(text, '\033'));
        /* A flood is read in turns. */
        for (int i = 0; i < 100; i++)
                if (send(p[1], "STATUS=x", 8, MSG_DONTWAIT) < 0)
                        break;
        notices_forward(p[0], getpid());
        int count = 0;
        while (*heard(m))
                count++;
        assert_true(count > 0 && count <= 16);
        close(p[0]);
        close(p[1]);
}

static void without_a_manager_nothing_happens(void **state) {
        struct notices n = { 0 };

        (void) state;
        unsetenv("NOTIFY_SOCKET");
        notices_started(&n, 1, 1);
        notices_stopping(&n);
        setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
        notices_started(&n, 1, 1);
        notices_stopping(&n);
        notices_forward(-1, 1);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, manager_set_up, manager_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(started_and_stopping),
                TEST(the_watchdog_is_fed_twice_as_often),
                TEST(the_payload_is_passed_on),
                TEST(without_a_manager_nothing_happens),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
