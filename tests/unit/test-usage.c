/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What groups use, against real groups and this process. */
#include "basic/cgroup.h"
#include "helpers.h"
#include "tools/tools.h"
#include "tools/usage.h"

static void our_own_group(void **state) {
        _cleanup_free_ char *path = NULL;
        struct usage a, b;

        (void) state;
        need_root();
        if (cgroup_path(0, &path) < 0 || usage_read(path, &a) < 0) {
                print_message("there is no cgroup2 here\n");
                skip();
        }
        assert_true(a.tasks >= 1);
        assert_true(a.memory > 100000);
        for (volatile unsigned i = 0; i < 300000000; i++)
                ;
        assert_int_equal(usage_read(path, &b), 0);
        assert_true(b.cpu_usec >= a.cpu_usec + 1000);
}

static void no_such_group(void **state) {
        struct usage u;

        (void) state;
        assert_true(usage_read("/no/such/group", &u) < 0);
        assert_int_equal(u.tasks, 0);
}

static void sizes(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } cases[] = {
                { 0, "0B" }, { 1023, "1023B" }, { 1024, "1.0K" }, { 1536 * 1024, "1.5M" }, { UINT64_MAX, "16.0E" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[32];
                top_size(text, sizeof text, cases[i].bytes);
                assert_string_equal(text, cases[i].text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(our_own_group),
                cmocka_unit_test(no_such_group),
                cmocka_unit_test(sizes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
