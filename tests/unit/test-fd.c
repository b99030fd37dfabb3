/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: ownership, whole reads and writes, the three streams. */
#include "basic/fd.h"

#include <sys/sysmacros.h>
#include <sys/time.h>

#include "helpers.h"

static void taking_leaves_nothing(void **state) {
        int fd = 7;
        char *p = (char *) &fd;

        (void) state;
        assert_int_equal(TAKE_FD(fd), 7);
        assert_int_equal(fd, -EBADF);
        assert_ptr_equal(TAKE_PTR(p), &fd);
        assert_null(p);
}

static void closing_keeps_errno(void **state) {
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        errno = 5;
        assert_int_equal(fd_close(-1), -EBADF);
        assert_int_equal(errno, 5);
        assert_int_equal(fd_close(p[0]), -EBADF);
        assert_int_equal(fcntl(p[0], F_GETFD), -1);
        errno = 5;
        assert_int_equal(fd_close(p[0]), -EBADF); /* not open: close(2) says EBADF */
        assert_int_equal(errno, 5);
        {
                _cleanup_close_ int scoped = p[1];
                assert_true(fcntl(scoped, F_GETFD) >= 0);
        }
        assert_int_equal(fcntl(p[1], F_GETFD), -1);
}

static void files_are_read_up_to_a_limit(void **state) {
        char *text;
        size_t size;
        int p[2];

        (void) state;
        for (size_t length = 0; length <= 5000; length += 1250) {
                char data[5000] = { 0 };
                memset(data, 'x', length);
                assert_int_equal(pipe(p), 0);
                assert_int_equal(fd_write_all(p[1], data, length), 0);
                close(p[1]);
                int r = fd_read_file(p[0], 3750, &text, &size);
                close(p[0]);
                assert_int_equal(r, length > 3750 ? -EFBIG : 0);
                if (r < 0)
                        continue;
                assert_int_equal(size, length);
                assert_int_equal(strlen(text), length);
                free(text);
        }
}

/* Sizes around the limit and around those at which the buffer grows, in a file of bytes that include NUL. */
static void limits_are_exact(void **state) {
        static const size_t sizes[] = { 0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 100000 };
        static char data[100001];

        (void) state;
        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (char) (i % 7);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_close_ int fd = memfd_create("data", MFD_CLOEXEC);
                char *text = NULL;
                size_t size = 99;
                assert_int_equal(fd_write_all(fd, data, sizes[i]), 0);
                lseek(fd, 0, SEEK_SET);
                assert_int_equal(fd_read_file(fd, sizes[i], &text, &size), 0);
                assert_int_equal(size, sizes[i]);
                assert_memory_equal(text, data, size);
                assert_int_equal(text[size], 0);
                free(text);
                if (sizes[i] == 0)
                        continue;
                text = data;
                size = 99;
                lseek(fd, 0, SEEK_SET);
                assert_int_equal(fd_read_file(fd, sizes[i] - 1, &text, &size), -EFBIG);
                assert_ptr_equal(text, data); /* nothing is given out on failure */
                assert_int_equal(size, 99);
        }
}

static void what_cannot_be_read_is_an_error(void **state) {
        _cleanup_close_ int dir = open("/", O_RDONLY | O_CLOEXEC);
        char *text = NULL;

        (void) state;
        assert_int_equal(fd_read_file(dir, 100, &text, NULL), -EISDIR);
        assert_int_equal(fd_read_file(-1, 100, &text, NULL), -EBADF);
        assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
        assert_int_equal(fd_write_all(-1, "", 0), 0);
        assert_null(text);
}

static void nothing(int sig) {
        (void) sig;
}

/* A writer whose pipe is small and who is interrupted all the time, and the reader of it too. */
static void write_interrupted(void *userdata) {
        const int *p = userdata;
        struct sigaction action = { .sa_handler = nothing };
        struct itimerval often = { { 0, 500 }, { 0, 500 } };
        static char data[300000];

        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (char) (i * 31 % 251);
        CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
        CHECK(fd_write_all(p[1], data, sizeof data) == 0);
}

static void interruptions_lose_nothing(void **state) {
        struct sigaction action = { .sa_handler = nothing }, before;
        struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
        char *text;
        size_t size;
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        assert_true(fcntl(p[1], F_SETPIPE_SZ, 4096) >= 4096);
        pid_t pid = start_child(write_interrupted, p);
        close(p[1]);
        usleep(20000); /* let it block */
        sigaction(SIGALRM, &action, &before);
        setitimer(ITIMER_REAL, &often, NULL);
        int r = fd_read_file(p[0], 300000, &text, &size);
        setitimer(ITIMER_REAL, &never, NULL);
        sigaction(SIGALRM, &before, NULL);
        close(p[0]);
        int status = wait_for(pid);
        assert_int_equal(r, 0);
        assert_int_equal(status, 0);
        assert_int_equal(size, 300000);
        for (size_t i = 0; i < size; i++)
                if (text[i] != (char) (i * 31 % 251))
                        fail_msg("byte %zu is wrong", i);
        free(text);
}

static void descriptors_have_paths(void **state) {
        _cleanup_close_ int fd = open("/etc", O_PATH | O_CLOEXEC);
        struct stat a, b;

        (void) state;
        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(stat(fd_path(fd).text, &b), 0);
        assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
        assert_string_equal(fd_path(2147483647).text, "/proc/self/fd/2147483647");
}

/* Userdata: which of the three streams are closed, as bits. */
static void fill(void *userdata) {
        unsigned wanted = *(const unsigned *) userdata, closed = 99;
        struct stat st[3];

        for (int i = 0; i < 3; i++)
                CHECK(fstat(i, &st[i]) == 0);
        for (int i = 0; i < 3; i++)
                if (wanted & (1U << i))
                        close(i);
        if (fd_fill_standard_streams(&closed) < 0 || closed != wanted)
                _exit(2);
        for (int i = 0; i < 3; i++) {
                struct stat now;
                int flags = fcntl(i, F_GETFL);
                if (fstat(i, &now) < 0 || flags < 0 || fcntl(i, F_GETFD) & FD_CLOEXEC)
                        _exit(3);
                if (!(wanted & (1U << i)) && (now.st_ino != st[i].st_ino || now.st_dev != st[i].st_dev))
                        _exit(4);
                if (!(wanted & (1U << i)))
                        continue;
                if (now.st_rdev != makedev(1, 3) || (flags & O_ACCMODE) != (i == 0 ? O_RDONLY : O_WRONLY))
                        _exit(5);
        }
        int next = open("/", O_PATH);
        if (next < 3)
                _exit(6);
}

static void closed_streams_are_filled(void **state) {
        (void) state;
        for (unsigned i = 0; i < 8; i++)
                assert_int_equal(run_child(fill, &i), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(taking_leaves_nothing),           cmocka_unit_test(closing_keeps_errno),
                cmocka_unit_test(files_are_read_up_to_a_limit),    cmocka_unit_test(limits_are_exact),
                cmocka_unit_test(what_cannot_be_read_is_an_error), cmocka_unit_test(interruptions_lose_nothing),
                cmocka_unit_test(descriptors_have_paths),          cmocka_unit_test(closed_streams_are_filled),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
