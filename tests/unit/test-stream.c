/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's streams of all kinds: never blocking, never touching the flags that the caller shares. */
#include "console/stream.h"

#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>

#include "helpers.h"

/* A read or write that would wait ends the test rather than hang it. */
static void hang(int sig) {
        (void) sig;
        static const char text[] = "a stream has blocked\n";
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
                _exit(2);
        _exit(1);
}

static int guard(void **state) {
        (void) state;
        signal(SIGALRM, hang);
        alarm(20);
        return 0;
}

static void kinds(void **state) {
        int p[2], s[2], master, peer;

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
        assert_int_equal(openpty(&master, &peer, NULL, NULL, NULL), 0);
        _cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC);
        _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        _cleanup_close_ int path = open("/dev/null", O_PATH | O_CLOEXEC);
        const struct {
                int fd;
                bool for_writing;
                enum stream_kind kind;
        } cases[] = {
                { p[0], false, STREAM_NOWAIT }, { p[1], true, STREAM_NOWAIT },  { p[0], true, STREAM_NONE },
                { p[1], false, STREAM_NONE },   { s[0], false, STREAM_SOCKET }, { s[0], true, STREAM_SOCKET },
                { peer, false, STREAM_OWN },    { peer, true, STREAM_OWN },     { file, false, STREAM_READY },
                { file, true, STREAM_READY },   { path, false, STREAM_NONE },   { -1, false, STREAM_NONE },
                { 1000000, true, STREAM_NONE }, { null, true, STREAM_READY },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct stream stream = stream_open(cases[i].fd, cases[i].for_writing);
                if (stream.kind != cases[i].kind)
                        fail_msg("case %zu: kind %d", i, (int) stream.kind);
                bool own = cases[i].kind == STREAM_OWN;
                assert_int_equal(stream.owned, own);
                assert_int_equal(stream.terminal, own);
                assert_int_equal(stream.fd == cases[i].fd && stream.fd >= 0, cases[i].kind != STREAM_NONE && !own);
                int fd = stream.fd;
                stream_close(&stream);
                assert_int_equal(stream.kind, STREAM_NONE);
                if (own)
                        assert_int_equal(fcntl(fd, F_GETFD), -1); /* ours: closed */
                else if (fd >= 0)
                        assert_true(fcntl(fd, F_GETFD) >= 0); /* borrowed: not */
        }
        const int all[] = { p[0], p[1], s[0], s[1], master, peer };
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                close(all[i]);
}

static void what_is_closed(void **state) {
        struct stream s = STREAM_CLOSED;
        char byte = 0;

        (void) state;
        assert_int_equal(stream_read(&s, &byte, 1), -EBADF);
        assert_int_equal(stream_write(&s, &byte, 1), -EBADF);
        stream_close(&s);
        assert_int_equal(s.fd, -EBADF);
}

/* Reads and writes through a pair of descriptors of the same kind, until one side is empty or full. */
static void exchange(int in, int out, enum stream_kind kind) {
        struct stream r = stream_open(in, false), w = stream_open(out, true);
        int flags_in = fcntl(in, F_GETFL), flags_out = fcntl(out, F_GETFL);
        static char data[1 << 16], back[1 << 16];
        size_t written = 0, read_ = 0;
        ssize_t n;

        r.kind = w.kind = kind;
        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (char) (i % 253);
        assert_int_equal(stream_read(&r, back, sizeof back), -EAGAIN); /* nothing there yet */
        while ((n = stream_write(&w, data + written % 253, 4096)) > 0)
                written += (size_t) n;
        assert_int_equal(n, -EAGAIN); /* full */
        assert_true(written > 4096);
        while ((n = stream_read(&r, back, sizeof back)) > 0) {
                for (ssize_t i = 0; i < n; i++)
                        if (back[i] != (char) ((read_ + (size_t) i) % 253))
                                fail_msg("byte %zu is wrong", read_ + (size_t) i);
                read_ += (size_t) n;
        }
        assert_int_equal(n, -EAGAIN);
        assert_int_equal(read_, written);
        assert_int_equal(stream_write(&w, "x", 1), 1); /* and again */
        assert_int_equal(stream_read(&r, back, 1), 1);
        assert_int_equal(fcntl(in, F_GETFL), flags_in);
        assert_int_equal(fcntl(out, F_GETFL), flags_out);
}

static void pipes_do_not_block(void **state) {
        static const enum stream_kind ways[] = { STREAM_NOWAIT, STREAM_CAREFUL };
        char byte;
        int p[2];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                assert_int_equal(pipe2(p, O_CLOEXEC), 0);
                exchange(p[0], p[1], ways[i]);
                struct stream r = stream_open(p[0], false), w = stream_open(p[1], true);
                r.kind = w.kind = ways[i];
                close(p[1]);
                assert_int_equal(stream_read(&r, &byte, 1), 0); /* the end */
                close(p[0]);
                assert_int_equal(pipe2(p, O_CLOEXEC), 0);
                w.fd = p[1];
                close(p[0]);
                signal(SIGPIPE, SIG_IGN);
                assert_int_equal(stream_write(&w, "x", 1), -EPIPE);
                signal(SIGPIPE, SIG_DFL);
                close(p[1]);
        }
}

static void sockets_do_not_block(void **state) {
        char byte;
        int s[2];

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
        exchange(s[0], s[1], STREAM_SOCKET);
        struct stream stream = stream_open(s[0], false);
        close(s[1]);
        assert_int_equal(stream_read(&stream, &byte, 1), 0);
        assert_int_equal(stream_write(&stream, "x", 1), -EPIPE); /* and no SIGPIPE */
        close(s[0]);
}

/* What the caller's terminal has for flags stays, although ours does not wait. */
static void terminals_have_a_description_of_ours(void **state) {
        struct termios t;
        char text[16];
        int master, peer;

        (void) state;
        assert_int_equal(openpty(&master, &peer, NULL, NULL, NULL), 0);
        assert_int_equal(tcgetattr(peer, &t), 0);
        cfmakeraw(&t);
        assert_int_equal(tcsetattr(peer, TCSANOW, &t), 0);
        struct stream r = stream_open(peer, false), w = stream_open(peer, true);
        assert_true(fcntl(r.fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(w.fd, F_GETFL) & O_NONBLOCK);
        assert_false(fcntl(peer, F_GETFL) & O_NONBLOCK);
        assert_int_equal(stream_read(&r, text, sizeof text), -EAGAIN);
        assert_int_equal(write(master, "abc", 3), 3);
        struct pollfd p = { .fd = r.fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, 5000), 1);
        assert_int_equal(stream_read(&r, text, sizeof text), 3);
        ssize_t n;
        size_t written = 0;
        while ((n = stream_write(&w, "0123456789", 10)) > 0)
                written += (size_t) n;
        assert_int_equal(n, -EAGAIN); /* nobody reads the master */
        assert_true(written > 100);
        stream_close(&r);
        stream_close(&w);
        assert_true(fcntl(peer, F_GETFD) >= 0);
        close(master);
        close(peer);
}

/* Where the node cannot be opened: as little at a time as surely fits, and only after a look. */
static void terminals_that_cannot_be_reopened(void **state) {
        char data[4096] = { 0 };
        int master, peer;

        (void) state;
        assert_int_equal(openpty(&master, &peer, NULL, NULL, NULL), 0);
        struct stream w = { .kind = STREAM_CAREFUL, .fd = peer, .terminal = true };
        ssize_t n = stream_write(&w, data, sizeof data);
        assert_true(n > 0 && n <= 64);
        struct stream r = { .kind = STREAM_CAREFUL, .fd = peer, .terminal = true };
        assert_int_equal(stream_read(&r, data, sizeof data), -EAGAIN);
        close(master);
        close(peer);
}

/* A file goes on where the caller's description is, and what is appended stays appended. */
static void files_share_their_offset(void **state) {
        _cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC);
        char text[8] = "";

        (void) state;
        assert_int_equal(write(file, "ab", 2), 2);
        struct stream w = stream_open(file, true);
        assert_int_equal(stream_write(&w, "cd", 2), 2);
        assert_int_equal(write(file, "ef", 2), 2);
        stream_close(&w);
        assert_int_equal(lseek(file, 1, SEEK_SET), 1);
        struct stream r = stream_open(file, false);
        assert_int_equal(stream_read(&r, text, 2), 2);
        assert_int_equal(read(file, text + 2, 8 - 2), 3);
        assert_string_equal(text, "bcdef");
        assert_int_equal(stream_read(&r, text, 1), 0);
        stream_close(&r);
}

static void full_devices_are_told(void **state) {
        _cleanup_close_ int full = open("/dev/full", O_RDWR | O_CLOEXEC);

        (void) state;
        struct stream w = stream_open(full, true);
        assert_int_equal(stream_write(&w, "x", 1), -ENOSPC);
        stream_close(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds),
                cmocka_unit_test(what_is_closed),
                cmocka_unit_test(pipes_do_not_block),
                cmocka_unit_test(sockets_do_not_block),
                cmocka_unit_test(terminals_have_a_description_of_ours),
                cmocka_unit_test(terminals_that_cannot_be_reopened),
                cmocka_unit_test(files_share_their_offset),
                cmocka_unit_test(full_devices_are_told),
        };
        return cmocka_run_group_tests(tests, guard, NULL);
}
