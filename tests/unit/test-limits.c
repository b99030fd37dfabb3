/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "isolation/limits.h"

#define INF RLIM_INFINITY

static void test_parse(void **state) {
        static const struct {
                const char *text;
                int resource;
                rlim_t soft, hard;
        } table[] = {
                { "NOFILE=1024", RLIMIT_NOFILE, 1024, 1024 },
                { "RLIMIT_NOFILE=1024:4096", RLIMIT_NOFILE, 1024, 4096 },
                { "rlimit_nofile=0", RLIMIT_NOFILE, 0, 0 },
                { "nproc=5:infinity", RLIMIT_NPROC, 5, INF },
                { "AS=infinity", RLIMIT_AS, INF, INF },
                { "MEMLOCK=64K", RLIMIT_MEMLOCK, 65536, 65536 },
                { "STACK=8M:1G", RLIMIT_STACK, 8 << 20, 1 << 30 },
                { "CORE=0:infinity", RLIMIT_CORE, 0, INF },
                { "CPU=90", RLIMIT_CPU, 90, 90 },
                { "CPU=2min", RLIMIT_CPU, 120, 120 },
                { "CPU=1500ms", RLIMIT_CPU, 2, 2 },
                { "RTTIME=200000", RLIMIT_RTTIME, 200000, 200000 },
                { "RTTIME=5ms:1s", RLIMIT_RTTIME, 5000, 1000000 },
                { "NICE=0", RLIMIT_NICE, 0, 0 },
                { "NICE=30:40", RLIMIT_NICE, 30, 40 },
                { "NICE=-20", RLIMIT_NICE, 40, 40 },
                { "NICE=+19", RLIMIT_NICE, 1, 1 },
                { "NICE=+0:-5", RLIMIT_NICE, 20, 25 },
                { "RTPRIO=99", RLIMIT_RTPRIO, 99, 99 },
                { "MSGQUEUE=800K", RLIMIT_MSGQUEUE, 819200, 819200 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                struct rlimit limit;
                int resource;
                if (limit_parse(table[i].text, &resource, &limit, NULL) != 0)
                        fail_msg("%s is not taken", table[i].text);
                if (resource != table[i].resource || limit.rlim_cur != table[i].soft ||
                    limit.rlim_max != table[i].hard)
                        fail_msg("%s: %d %llu %llu", table[i].text, resource, (unsigned long long) limit.rlim_cur,
                                 (unsigned long long) limit.rlim_max);
        }
}

static void test_parse_errors(void **state) {
        static const char *const bad[] = {
                "",
                "NOFILE",
                "=1",
                "NOFILE=",
                "NOFILE=:",
                "NOFILE=1:",
                "NOFILE=:1",
                "NOFILE=-1",
                "NOFILE=1K",
                "NOFILE=2:1",
                "NOFILE=1:2:3",
                "NOFIL=1",
                "NOFILE =1",
                "NICE=41",
                "NICE=-21",
                "NICE=+20",
                "NICE=+-5",
                "CPU=1x",
                "AS=1Q",
                "NOFILES=1",
                "RLIMIT_=1",
                "AS=18446744073709551616",
                "NOFILE=infinity:5",
                "RLIMIT_RLIMIT_AS=1",
                "NOFILE=0x10",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                struct error error = { 0 };
                struct rlimit limit = { 7, 8 };
                int resource = -7;
                if (limit_parse(bad[i], &resource, &limit, &error) >= 0)
                        fail_msg("%s is taken", bad[i]);
                assert_true(error.code > 0 && error.text[0]);
                assert_true(resource == -7 && limit.rlim_cur == 7 && limit.rlim_max == 8);
        }
}

static void test_text(void **state) {
        char buffer[LIMIT_TEXT_SIZE];

        (void) state;
        assert_string_equal(limit_format(INF, buffer), "infinity");
        assert_string_equal(limit_format(0, buffer), "0");
        assert_string_equal(limit_format(INF - 1, buffer), "18446744073709551614");
        assert_string_equal(limit_name(RLIMIT_NOFILE), "RLIMIT_NOFILE");
        assert_null(limit_name(-1));
        assert_null(limit_name(RLIM_NLIMITS));
        for (int i = 0; i < RLIM_NLIMITS; i++)
                assert_non_null(limit_name(i));
}

static void test_defaults(void **state) {
        struct rlimit l[RLIM_NLIMITS];
        const struct rlimit nproc = { 11, 12 }, sigpending = { 13, 14 };
        static const int unlimited[] = { RLIMIT_AS,    RLIMIT_CPU, RLIMIT_DATA,  RLIMIT_FSIZE,
                                         RLIMIT_LOCKS, RLIMIT_RSS, RLIMIT_RTTIME };

        (void) state;
        limits_defaults(l, 1048576, &nproc, &sigpending);
        for (size_t i = 0; i < ELEMENTSOF(unlimited); i++)
                assert_true(l[unlimited[i]].rlim_cur == INF && l[unlimited[i]].rlim_max == INF);
        assert_true(l[RLIMIT_CORE].rlim_cur == 0 && l[RLIMIT_CORE].rlim_max == INF);
        assert_true(l[RLIMIT_MEMLOCK].rlim_cur == 8 << 20 && l[RLIMIT_MEMLOCK].rlim_max == 8 << 20);
        assert_true(l[RLIMIT_MSGQUEUE].rlim_cur == 819200 && l[RLIMIT_MSGQUEUE].rlim_max == 819200);
        assert_true(l[RLIMIT_NICE].rlim_max == 0 && l[RLIMIT_RTPRIO].rlim_max == 0);
        assert_true(l[RLIMIT_STACK].rlim_cur == 8 << 20 && l[RLIMIT_STACK].rlim_max == INF);
        assert_true(l[RLIMIT_NOFILE].rlim_cur == 1024 && l[RLIMIT_NOFILE].rlim_max == 512 * 1024);
        assert_true(l[RLIMIT_NPROC].rlim_cur == 11 && l[RLIMIT_NPROC].rlim_max == 12);
        assert_true(l[RLIMIT_SIGPENDING].rlim_cur == 13 && l[RLIMIT_SIGPENDING].rlim_max == 14);
        limits_defaults(l, 4096, &nproc, &sigpending);
        assert_true(l[RLIMIT_NOFILE].rlim_cur == 1024 && l[RLIMIT_NOFILE].rlim_max == 4096);
        limits_defaults(l, 512, &nproc, &sigpending);
        assert_true(l[RLIMIT_NOFILE].rlim_cur == 512 && l[RLIMIT_NOFILE].rlim_max == 512);
}

static void own_limits(struct rlimit *ret) {
        for (int i = 0; i < RLIM_NLIMITS; i++)
                if (getrlimit(i, &ret[i]) < 0)
                        _exit(100);
}

static int apply_as_user(void) {
        struct rlimit wanted[RLIM_NLIMITS], now[RLIM_NLIMITS];

        own_limits(wanted);
        wanted[RLIMIT_NOFILE] = (struct rlimit){ 100, 200 };
        if (limits_apply(wanted, NULL) < 0)
                return 1;
        own_limits(now);
        if (now[RLIMIT_NOFILE].rlim_cur != 100 || now[RLIMIT_NOFILE].rlim_max != 200)
                return 2;
        if (geteuid() == 0 && setuid(65534) < 0)
                return 3;
        /* No way up any more: as close as possible. */
        wanted[RLIMIT_NOFILE] = (struct rlimit){ 1000, 2000 };
        if (limits_apply(wanted, NULL) < 0)
                return 4;
        own_limits(now);
        if (now[RLIMIT_NOFILE].rlim_cur != 200 || now[RLIMIT_NOFILE].rlim_max != 200)
                return 5;
        wanted[RLIMIT_NOFILE] = (struct rlimit){ 150, 2000 };
        if (limits_apply(wanted, NULL) < 0)
                return 6;
        own_limits(now);
        return now[RLIMIT_NOFILE].rlim_cur == 150 && now[RLIMIT_NOFILE].rlim_max == 200 ? 0 : 7;
}

static int apply_defaults(void) {
        struct rlimit wanted[RLIM_NLIMITS], now[RLIM_NLIMITS];

        own_limits(now);
        limits_defaults(wanted, 1048576, &now[RLIMIT_NPROC], &now[RLIMIT_SIGPENDING]);
        if (limits_apply(wanted, NULL) < 0)
                return 1;
        own_limits(now);
        return now[RLIMIT_CORE].rlim_cur == 0 && now[RLIMIT_NOFILE].rlim_cur == 1024 ? 0 : 2;
}

static int in_child(int (*function)(void)) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(function());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_apply(void **state) {
        (void) state;
        assert_int_equal(in_child(apply_as_user), 0);
        assert_int_equal(in_child(apply_defaults), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),    cmocka_unit_test(test_parse_errors), cmocka_unit_test(test_text),
                cmocka_unit_test(test_defaults), cmocka_unit_test(test_apply),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
