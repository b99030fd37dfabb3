/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that looks for us: what it finds, and what it waits for. */
#include "tools/apart.h"

#include "helpers.h"

static void says(int fd, void *userdata) {
        CHECK(fd_write_all(fd, userdata, strlen(userdata)) == 0);
}

static void says_and_waits(int fd, void *userdata) {
        says(fd, userdata);
        for (;;)
                pause();
}

static void what_it_has_found(void **state) {
        struct apart a;
        char text[32];
        size_t n;

        (void) state;
        assert_int_equal(apart_start(says, (char[]){ "found" }, &a), 0);
        assert_int_equal(apart_read(&a, text, 2, 5000, &n), 0);
        assert_int_equal(n, 2);
        assert_int_equal(apart_read(&a, text + 2, sizeof text - 2, 5000, &n), -EPIPE);
        assert_int_equal(n, 3);
        assert_memory_equal(text, "found", 5);
        pid_t pid = a.pid;
        apart_end(&a);
        assert_int_equal(kill(pid, 0), -1); /* it has been waited for */
        assert_int_equal(a.fd, -EBADF);
        apart_end(&a);
}

static void one_that_waits(void **state) {
        uint64_t begin = monotonic_usec();
        struct apart a;
        char text[32];
        size_t n;

        (void) state;
        assert_int_equal(apart_start(says_and_waits, (char[]){ "found" }, &a), 0);
        assert_int_equal(apart_read(&a, text, sizeof text, 200, &n), -ETIMEDOUT);
        assert_int_equal(n, 5);
        pid_t pid = a.pid;
        apart_end(&a);
        assert_int_equal(kill(pid, 0), -1);
        uint64_t took = monotonic_usec() - begin;
        assert_true(took >= 200000 && took < 5000000);
}

/* What the parent has not written yet is not written twice. */
static void what_is_buffered(void **state) {
        struct capture c = capture_start(STDOUT_FILENO);
        struct apart a;
        size_t n;

        (void) state;
        fputs("once", stdout);
        int r = apart_start(says, (char[]){ "" }, &a);
        int s = apart_read(&a, &(char){ 0 }, 1, 5000, &n);
        apart_end(&a);
        _cleanup_free_ char *text = capture_end(&c);
        assert_int_equal(r, 0);
        assert_int_equal(s, -EPIPE);
        assert_string_equal(text, "once");
}

static void make_one(void *userdata) {
        struct apart a;

        CHECK(apart_start(says_and_waits, (char[]){ "" }, &a) == 0);
        CHECK(write(*(int *) userdata, &a.pid, sizeof a.pid) == sizeof a.pid);
        kill(getpid(), SIGKILL);
}

static void it_dies_with_its_parent(void **state) {
        int p[2];
        pid_t pid;

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        assert_int_equal(run_child(make_one, p + 1), SIGKILL);
        assert_int_equal(read(p[0], &pid, sizeof pid), sizeof pid);
        close(p[1]);
        /* It holds the other end as well: that is closed when it is dead. */
        assert_int_equal(read(p[0], &pid, 1), 0);
        close(p[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_it_has_found),
                cmocka_unit_test(one_that_waits),
                cmocka_unit_test(what_is_buffered),
                cmocka_unit_test(it_dies_with_its_parent),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
