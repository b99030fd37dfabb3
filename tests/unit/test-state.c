/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory by which a session is found, in a /run of our own. */
#include <stdlib.h>
#include <sys/socket.h>

#include "made-run.h"

static struct state sample(void) {
        struct state s = { .name = "m1",
                           .root = "/a \"root\"\\ with\n\xC3\xA4 and \"leader\":77",
                           .log = "/var/log/with \"quotes\"",
                           .cgroup = "/machine.slice/a\\x2db.scope/payload",
                           .unit = "machine-a\\x2db.scope",
                           .id = "1d44a6d3f7b547bdb5e1b2b0b0f03965",
                           .class = "container",
                           .console = "detached",
                           .supervisor = { getpid(), process_start(getpid()) },
                           .leader = { 12, 34 },
                           .ready = true,
                           .started = 1234567890123,
                           .monotonic = UINT64_C(1) << 60 };
        return s;
}

static void what_is_written_is_read(void **state) {
        struct state_place place;
        struct error e = { 0 };

        (void) state;
        in_a_run_of_our_own();
        assert_int_equal(state_take("m1", &place, &e), 0);
        struct state s = sample(), got;
        assert_int_equal(state_write(&place, &s, &e), 0);
        assert_int_equal(state_read("m1", &got, &e), 0);
        assert_string_equal(got.root, s.root);
        assert_string_equal(got.log, s.log);
        assert_string_equal(got.unit, s.unit);
        assert_string_equal(got.id, s.id);
        assert_true(got.monotonic == s.monotonic);
        assert_string_equal(got.cgroup, s.cgroup);
        assert_string_equal(got.class, s.class);
        assert_string_equal(got.console, s.console);
        assert_int_equal(got.leader.pid, 12);
        assert_int_equal(got.leader.start, 34);
        assert_int_equal(got.started, s.started);
        assert_true(got.ready);
        assert_true(process_lives(&got.supervisor));
        assert_false(process_lives(&(struct process_id){ getpid(), got.supervisor.start + 1 }));
        assert_int_equal(faccessat(place.directory, "state.new", F_OK, 0), -1);
        state_release(&place);
        state_remove("m1");
        assert_int_equal(state_read("m1", &got, &e), -ENOENT);
        assert_int_equal(access(STATE_TOP, F_OK), -1);
        assert_int_equal(state_take("m1", &place, &e), 0);
        assert_int_equal(state_write(&place, &s, &e), 0);
        state_drop(&place, "m1");
        assert_int_equal(place.lock, -EBADF);
        assert_int_equal(access(STATE_TOP, F_OK), -1);
}

static void one_holder_at_a_time(void **state) {
        struct state_place place, second;
        struct error e = { 0 };

        (void) state;
        in_a_run_of_our_own();
        assert_int_equal(state_take("m1", &place, &e), 0);
        struct state s = sample();
        assert_int_equal(state_write(&place, &s, &e), 0);
        assert_int_equal(state_take("m1", &second, &e), -EBUSY);
        assert_non_null(strstr(e.text, "m1"));
        state_remove("m1"); /* not while it is held */
        assert_int_equal(state_read("m1", &s, &e), 0);
        state_release(&place); /* as a crash leaves it */
        assert_int_equal(state_take("m1", &second, &e), 0);
        assert_int_equal(state_read("m1", &s, &e), -ENOENT);
        state_release(&second);
        state_remove("m1");
}

static void who_may_connect(void **state) {
        struct state_place place;
        struct error e = { 0 };
        struct stat st;

        (void) state;
        in_a_run_of_our_own();
        assert_int_equal(state_connect("m1", &e), -ENOENT);
        assert_int_equal(state_take("m1", &place, &e), 0);
        int listener = state_listen(&place, &e);
        assert_true(listener >= 0);
        assert_int_equal(stat(STATE_TOP "/m1/socket", &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        int fd = state_connect("m1", &e);
        assert_true(fd >= 0);
        fd_close(fd);
        fd_close(listener);
        assert_int_equal(state_connect("m1", &e), -ENOENT); /* stale */
        state_release(&place);
        state_remove("m1");
}

static void names_that_are_none(void **state) {
        static const char *const bad[] = { "", ".", "..", ".x", "-x", "a/b", "../m", "a b", "a\n", "\xC3\xA4" };
        char too_long[STATE_NAME_MAX + 2];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(state_name_is_valid(bad[i]));
        memset(too_long, 'a', sizeof too_long - 1);
        too_long[sizeof too_long - 1] = 0;
        assert_false(state_name_is_valid(too_long));
        assert_true(state_name_is_valid(too_long + 1));
        assert_true(state_name_is_valid("debian-13.test"));
}

/* Anything may lie there after a crash. */
static void rubbish_is_survived(void **state) {
        struct state s;
        char bytes[300];

        (void) state;
        in_a_run_of_our_own();
        assert_int_equal(mkdir(STATE_TOP, 0755), 0);
        assert_int_equal(mkdir(STATE_TOP "/m1", 0755), 0);
        srand(3);
        for (int i = 0; i < 2000; i++) {
                size_t n = (size_t) rand() % sizeof bytes;
                for (size_t k = 0; k < n; k++)
                        bytes[k] = "\"\\u:{},leadroot0919"[rand() % 19];
                memcpy(bytes, "{\"root\":\"", n > 9 ? 9 : n);
                put_bytes(AT_FDCWD, STATE_TOP "/m1/state", bytes, n, 0644);
                assert_int_equal(state_read("m1", &s, NULL), 0);
                assert_true(strlen(s.root) < sizeof s.root);
        }
        state_remove("m1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(one_holder_at_a_time),
                cmocka_unit_test(who_may_connect),         cmocka_unit_test(names_that_are_none),
                cmocka_unit_test(rubbish_is_survived),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
