/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "console/pty.h"
#include "unit.h"

/* A fresh, still detached devpts; -1 where that is not allowed. */
static int make_devpts(void) {
        _cleanup_close_ int fs = sys_fsopen("devpts", FSOPEN_CLOEXEC);

        if (fs < 0)
                return -1;
        sys_fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0);
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -1;
        return sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

static int devpts = -EBADF;

static int set_up(void **state) {
        (void) state;
        devpts = make_devpts();
        if (devpts < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
                devpts = make_devpts();
        return 0;
}

static int tear_down(void **state) {
        (void) state;
        devpts = fd_close(devpts);
        return 0;
}

static void allocate(struct pty *ret) {
        struct error e = { 0 };

        if (devpts < 0)
                skip();
        if (pty_allocate(devpts, ret, &e) < 0)
                fail_msg("%s", e.text);
}

static void test_allocate(void **state) {
        struct pty pty, other;
        char buffer[64];

        (void) state;
        allocate(&pty);
        allocate(&other);
        assert_int_equal(pty.number, 0);
        assert_int_equal(other.number, 1);
        assert_true(fcntl(pty.master, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(pty.peer, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(pty.master, F_GETFL) & O_NONBLOCK);
        assert_false(fcntl(pty.peer, F_GETFL) & O_NONBLOCK);
        assert_int_equal(write(pty.peer, "hello\n", 6), 6);
        assert_int_equal(read(pty.master, buffer, sizeof buffer), 7);
        assert_memory_equal(buffer, "hello\r\n", 7);
        pty_close(&pty);
        pty_close(&other);
        assert_int_equal(pty.master, -EBADF);
        pty_close(&pty);
        pty_close(NULL);
}

/* What is no devpts is refused, although it has a device of the right number under the right name. */
static void test_wrong_file_system(void **state) {
        char directory[] = "/tmp/test-pty-XXXXXX";
        struct error e = { 0 };
        struct pty pty;

        (void) state;
        assert_non_null(mkdtemp(directory));
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(pty_allocate(fd, &pty, &e), -ENOENT);
        assert_int_equal(symlinkat("/dev/ptmx", fd, "ptmx"), 0);
        assert_int_equal(pty_allocate(fd, &pty, &e), -ELOOP);
        unlinkat(fd, "ptmx", 0);
        if (mknodat(fd, "ptmx", S_IFCHR | 0666, 5 << 8 | 2) == 0)
                assert_true(pty_allocate(fd, &pty, &e) < 0);
        unlinkat(fd, "ptmx", 0);
        if (mknodat(fd, "ptmx", S_IFREG | 0666, 0) == 0)
                assert_int_equal(pty_allocate(fd, &pty, &e), -EPERM);
        unlinkat(fd, "ptmx", 0);
        rmdir(directory);
}

static void test_size(void **state) {
        struct winsize size = { .ws_row = 33, .ws_col = 101 }, got;
        struct pty pty;

        (void) state;
        allocate(&pty);
        assert_int_equal(pty_set_size(&pty, &size), 0);
        assert_int_equal(ioctl(pty.peer, TIOCGWINSZ, &got), 0);
        assert_int_equal(got.ws_row, 33);
        assert_int_equal(got.ws_col, 101);
        pty_close(&pty);
}

/* The erase key removes a whole multibyte character when the caller's terminal says so. */
static void test_modes(void **state) {
        struct termios from;
        char buffer[64];
        struct pty pty;

        (void) state;
        allocate(&pty);
        assert_int_equal(tcgetattr(pty.peer, &from), 0);
        from.c_iflag = IUTF8 | IGNCR;
        from.c_lflag = 0;
        from.c_cc[VERASE] = '#';
        cfsetospeed(&from, B9600);
        assert_int_equal(pty_set_modes(&pty, &from), 0);
        assert_int_equal(write(pty.master, "a\xC3\x9F#b\n", 6), 6);
        assert_int_equal(read(pty.peer, buffer, sizeof buffer), 3);
        assert_memory_equal(buffer, "ab\n", 3);
        assert_int_equal(tcgetattr(pty.peer, &from), 0);
        assert_int_equal(cfgetospeed(&from), B9600);
        assert_true(from.c_lflag & ICANON);
        assert_false(from.c_iflag & IGNCR);
        pty_close(&pty);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_allocate),
                cmocka_unit_test(test_wrong_file_system),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_modes),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
