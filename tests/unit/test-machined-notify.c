/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "machined/notify.h"
#include "unit.h"

static bool parse(const char *text, struct notify_message *m) {
        return notify_parse(text, strlen(text), m);
}

static void test_parse(void **state) {
        struct notify_message m;

        (void) state;
        assert_true(parse("READY=1\nSTATUS=up: a=b\nX_EXAMPLE=1\nEXIT_STATUS=7\nERRNO=2\nSTOPPING=1\n", &m));
        assert_true(m.ready && m.stopping && m.has_status);
        assert_string_equal(m.status, "up: a=b");
        assert_int_equal(m.exit_status, 7);
        assert_int_equal(m.error_number, 2);
        assert_int_equal(m.n_extra, 1);
        assert_string_equal(m.extra[0], "X_EXAMPLE=1");
}

static void test_dropped(void **state) {
        static const char *const cases[] = {
                "",
                "READY=0",
                "READY",
                "ready=1",
                "WATCHDOG=1",
                "MAINPID=1",
                "FDSTORE=1",
                "BUSNAME=a",
                "X_SYSTEMD_A=1",
                "X_NSPAWN_LEADER_PID=1",
                "X_SPAWN_A=1",
                "X_=1",
                "X_a=1",
                "ERRNO=0",
                "ERRNO=-1",
                "EXIT_STATUS=256",
                "EXIT_STATUS=",
                " READY=1",
        };
        struct notify_message m;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                if (parse(cases[i], &m))
                        fail_msg("\"%s\" is taken", cases[i]);
        assert_false(notify_parse("READY=1\0X", 9, &m));
        assert_true(notify_parse("READY=1\0", 8, &m));
}

static void test_bounds(void **state) {
        char text[NOTIFY_DATAGRAM_MAX + 2], out[NOTIFY_TEXT_SIZE];
        struct notify_message m;
        size_t n = 0;

        (void) state;
        memset(text, 'a', sizeof text);
        memcpy(text, "STATUS=", 7);
        assert_false(notify_parse(text, NOTIFY_DATAGRAM_MAX + 1, &m));
        assert_true(notify_parse(text, NOTIFY_DATAGRAM_MAX, &m));
        assert_int_equal(strlen(m.status), NOTIFY_STATUS_SIZE - 1);
        assert_true(parse("STATUS=\033]0;x\007\nREADY=1", &m));
        assert_string_equal(m.status, "\\x1b]0;x\\x07");
        for (unsigned i = 0; i < 20; i++)
                n += (size_t) snprintf(text + n, sizeof text - n, "X_N%u=%0150u\n", i, i);
        assert_true(notify_parse(text, n, &m));
        assert_int_equal(m.n_extra, NOTIFY_EXTRA_MAX);
        assert_true(notify_format(&m, "", true, out) < NOTIFY_TEXT_SIZE);
}

static void test_format(void **state) {
        struct notify_message m;
        char out[NOTIFY_TEXT_SIZE];

        (void) state;
        parse("READY=1\nSTATUS=up\nX_A=b\nERRNO=5\nEXIT_STATUS=0", &m);
        assert_true(notify_format(&m, "Container running: ", true, out) > 0);
        assert_string_equal(out, "STATUS=Container running: up\nREADY=1\nEXIT_STATUS=0\nERRNO=5\nX_A=b");
        parse("READY=1", &m);
        assert_int_equal(notify_format(&m, "p", false, out), 0);
        assert_string_equal(out, "");
}

/* NAME begins with '/' or, for an abstract one, with '@'. */
static int open_socket(char path[static 64], const char *name) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int yes = 1, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        snprintf(path, 64, "%s%d", name, (int) getpid());
        strcpy(a.sun_path, path);
        if (*path == '@')
                a.sun_path[0] = 0;
        else
                unlink(path);
        assert_int_equal(bind(fd, (void *) &a,
                              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path) + (*path == '/'))),
                         0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes), 0);
        return fd;
}

static void test_send_and_receive(void **state) {
        static const char *const names[] = { "/tmp/spawn-notify-", "@spawn-notify-" };

        (void) state;
        for (size_t i = 0; i < 2; i++) {
                char path[64];
                struct notify_message m;
                _cleanup_close_ int fd = open_socket(path, names[i]);

                setenv("NOTIFY_SOCKET", path, 1);
                assert_int_equal(notify_receive(fd, getpid(), &m), -EAGAIN);
                assert_int_equal(notify_send("READY=1\nSTATUS=hello"), 1);
                assert_int_equal(notify_receive(fd, getpid(), &m), 1);
                assert_string_equal(m.status, "hello");
                assert_int_equal(notify_send("READY=1"), 1); /* of another process than the leader */
                assert_int_equal(notify_receive(fd, getppid(), &m), 0);
                pid_t child = fork();
                if (child == 0)
                        _exit(notify_send("READY=1") == 1 ? 0 : 1);
                int status;
                waitpid(child, &status, 0);
                assert_int_equal(status, 0);
                assert_int_equal(notify_receive(fd, getpid(), &m), 0);
                if (*path == '/')
                        unlink(path);
        }
        unsetenv("NOTIFY_SOCKET");
}

/* The lowest number that is free, which is the next one's. */
static int next_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        close(fd);
        return fd;
}

static void test_descriptors_are_not_taken(void **state) {
        char path[64];
        struct notify_message m;
        _cleanup_close_ int fd = open_socket(path, "@spawn-notify-fds-");
        _cleanup_close_ int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int many[100];
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof many)];
        } control = { 0 };
        char ready[] = "READY=1";
        struct iovec vector = { ready, 7 };
        struct msghdr message = { .msg_name = &a,
                                  .msg_namelen = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path)),
                                  .msg_iov = &vector,
                                  .msg_iovlen = 1,
                                  .msg_control = &control,
                                  .msg_controllen = sizeof control };

        (void) state;
        memcpy(a.sun_path + 1, path + 1, strlen(path + 1));
        for (size_t i = 0; i < 100; i++)
                many[i] = from;
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof many),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), many, sizeof many);
        assert_int_equal(sendmsg(from, &message, 0), 7);
        int before = next_fd();
        assert_int_equal(notify_receive(fd, getpid(), &m), 1);
        assert_true(m.ready);
        assert_int_equal(next_fd(), before);
}

static void test_long_datagram(void **state) {
        char path[64], text[NOTIFY_DATAGRAM_MAX * 2];
        struct notify_message m;
        _cleanup_close_ int fd = open_socket(path, "@spawn-notify-long-");

        (void) state;
        memset(text, 'a', sizeof text);
        memcpy(text, "READY=1\nSTATUS=", 15);
        text[sizeof text - 1] = 0;
        setenv("NOTIFY_SOCKET", path, 1);
        assert_int_equal(notify_send(text), 1);
        assert_int_equal(notify_receive(fd, getpid(), &m), 0);
        for (unsigned i = 0; i < 100000 && notify_send("READY=1") == 1; i++) /* nobody reads: never blocks */
                assert_true(i < 99999);
        unsetenv("NOTIFY_SOCKET");
}

static void test_no_target(void **state) {
        char name[200] = "/";

        (void) state;
        unsetenv("NOTIFY_SOCKET");
        assert_int_equal(notify_send("READY=1"), 0);
        setenv("NOTIFY_SOCKET", "relative", 1);
        assert_int_equal(notify_send("READY=1"), -EAFNOSUPPORT);
        setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
        assert_int_equal(notify_send("READY=1"), -ENOENT);
        memset(name, '/', 150);
        setenv("NOTIFY_SOCKET", name, 1);
        assert_int_equal(notify_send("READY=1"), -EINVAL);
        unsetenv("NOTIFY_SOCKET");
}

static void test_watchdog(void **state) {
        uint64_t usec = 0;
        char pid[16];

        (void) state;
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        assert_int_equal(notify_watchdog(&usec), 0);
        setenv("WATCHDOG_USEC", "3000000", 1);
        assert_int_equal(notify_watchdog(&usec), 1);
        assert_int_equal(usec, 3000000);
        setenv("WATCHDOG_PID", "1", 1);
        assert_int_equal(notify_watchdog(&usec), 0);
        snprintf(pid, sizeof pid, "%d", (int) getpid());
        setenv("WATCHDOG_PID", pid, 1);
        assert_int_equal(notify_watchdog(&usec), 1);
        setenv("WATCHDOG_USEC", "soon", 1);
        assert_int_equal(notify_watchdog(&usec), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_dropped),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_send_and_receive),
                cmocka_unit_test(test_descriptors_are_not_taken),
                cmocka_unit_test(test_long_datagram),
                cmocka_unit_test(test_no_target),
                cmocka_unit_test(test_watchdog),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
