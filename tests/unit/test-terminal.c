/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "basic/fd.h"
#include "console/terminal.h"
#include "unit.h"

struct pair {
        int master, peer;
};

static struct pair open_pair(void) {
        struct pair p;
        int unlock = 0;

        p.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(p.master >= 0);
        assert_int_equal(ioctl(p.master, TIOCSPTLCK, &unlock), 0);
        p.peer = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(p.peer >= 0);
        return p;
}

static void close_pair(struct pair *p) {
        fd_close(p->peer);
        fd_close(p->master);
}

static struct termios modes(int fd) {
        struct termios t;

        memset(&t, 0, sizeof t);
        assert_int_equal(tcgetattr(fd, &t), 0);
        return t;
}

static void assert_same_modes(struct termios a, struct termios b) {
        assert_memory_equal(&a, &b, sizeof a);
}

static void test_one_terminal(void **state) {
        struct pair p = open_pair();
        struct termios before = modes(p.peer);
        struct terminal t;
        struct error e;

        (void) state;
        terminal_probe(p.peer, p.peer, &t);
        assert_true(t.same && terminal_present(&t) && !t.raw);
        assert_same_modes(before, modes(p.peer));
        assert_int_equal(terminal_make_raw(&t, &e), 0);
        assert_int_equal(modes(p.peer).c_lflag & (ICANON | ECHO | ISIG), 0);
        assert_int_equal(modes(p.peer).c_oflag & OPOST, 0);
        terminal_restore(&t);
        assert_same_modes(before, modes(p.peer));
        assert_false(t.raw);
        close_pair(&p);
}

static void test_two_terminals(void **state) {
        struct pair in = open_pair(), out = open_pair();
        struct termios in_before = modes(in.peer), out_before = modes(out.peer);
        struct terminal t;
        struct error e;

        (void) state;
        terminal_probe(in.peer, out.peer, &t);
        assert_false(t.same);
        assert_int_equal(terminal_make_raw(&t, &e), 0);
        assert_int_equal(modes(in.peer).c_lflag & ICANON, 0);
        assert_true(modes(in.peer).c_oflag & OPOST);
        assert_true(modes(out.peer).c_lflag & ICANON);
        assert_true(modes(out.peer).c_iflag & ICRNL);
        assert_int_equal(modes(out.peer).c_oflag & OPOST, 0);
        terminal_restore(&t);
        assert_same_modes(in_before, modes(in.peer));
        assert_same_modes(out_before, modes(out.peer));
        close_pair(&in);
        close_pair(&out);
}

static void test_no_terminal(void **state) {
        struct terminal t;
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        terminal_probe(p[0], -1, &t);
        assert_false(terminal_present(&t));
        assert_null(terminal_saved_modes(&t));
        assert_int_equal(terminal_make_raw(&t, NULL), 0);
        terminal_restore(&t);
        terminal_restore_if_ours(&t);
        close(p[0]);
        close(p[1]);
}

static void test_restore_if_ours(void **state) {
        struct pair p = open_pair();
        struct termios before = modes(p.peer), shell;
        struct terminal t;

        (void) state;
        terminal_probe(p.peer, p.peer, &t);
        struct terminal copy = t;
        assert_int_equal(terminal_make_raw(&t, NULL), 0);
        shell = modes(p.peer);
        shell.c_oflag |= OPOST; /* someone else's choice by now */
        assert_int_equal(tcsetattr(p.peer, TCSANOW, &shell), 0);
        terminal_restore_if_ours(&copy);
        assert_same_modes(shell, modes(p.peer));
        assert_int_equal(terminal_make_raw(&t, NULL), 0);
        terminal_restore_if_ours(&copy);
        assert_same_modes(before, modes(p.peer));
        close_pair(&p);
}

/* In a session of its own: another group is put in the foreground, restoring works from the background. */
static int foreground_child(int peer) {
        struct terminal t;

        setsid();
        if (ioctl(peer, TIOCSCTTY, 0) < 0)
                return 1;
        terminal_probe(peer, peer, &t);
        if (t.foreground != getpid() || terminal_in_background(&t) || terminal_make_raw(&t, NULL) < 0)
                return 2;
        pid_t other = fork();
        if (other == 0) {
                setpgid(0, 0);
                pause();
                _exit(0);
        }
        setpgid(other, other);
        if (tcsetpgrp(peer, other) < 0 || !terminal_in_background(&t))
                return 3;
        terminal_restore(&t);
        int r = tcgetpgrp(peer) == getpid() ? 0 : 4;
        kill(other, SIGKILL);
        waitpid(other, NULL, 0);
        return r;
}

static void test_foreground(void **state) {
        struct pair p = open_pair();
        struct termios before = modes(p.peer);
        int status;

        (void) state;
        pid_t child = fork();
        if (child == 0)
                _exit(foreground_child(p.peer));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        /* The end of the session's leader hangs the terminal up: look with a new peer. */
        _cleanup_close_ int peer = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(modes(peer).c_lflag, before.c_lflag);
        close_pair(&p);
}

static void test_size(void **state) {
        struct pair p = open_pair();
        struct winsize size = { .ws_row = 33, .ws_col = 101 };
        const int none[3] = { -1, -1, -1 }, third[3] = { -1, -1, p.peer };

        (void) state;
        unsetenv("LINES");
        unsetenv("COLUMNS");
        assert_int_equal(terminal_size(none).ws_row, 24);
        assert_int_equal(terminal_size(none).ws_col, 80);
        assert_int_equal(terminal_size(third).ws_col, 80); /* a terminal that does not know */
        setenv("LINES", "50", 1);
        setenv("COLUMNS", "70000", 1);
        assert_int_equal(terminal_size(none).ws_row, 50);
        assert_int_equal(terminal_size(none).ws_col, 80);
        ioctl(p.peer, TIOCSWINSZ, &size);
        assert_int_equal(terminal_size(third).ws_row, 33);
        assert_int_equal(terminal_size(third).ws_col, 101);
        close_pair(&p);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_terminal), cmocka_unit_test(test_two_terminals),
                cmocka_unit_test(test_no_terminal),  cmocka_unit_test(test_restore_if_ours),
                cmocka_unit_test(test_foreground),   cmocka_unit_test(test_size),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
