/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "isolation/affinity.h"

static void test_parse(void **state) {
        static const struct {
                const char *text;
                int cpus[8]; /* up to the first -1 */
        } table[] = {
                { "0", { 0, -1 } },
                { "0-3,7 9", { 0, 1, 2, 3, 7, 9, -1 } },
                { "3,3 3", { 3, -1 } },
                { "5-5", { 5, -1 } },
                { " 1, 2\t", { 1, 2, -1 } },
                { "1023", { 1023, -1 } },
                { "0-1,1-2", { 0, 1, 2, -1 } },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                cpu_set_t set, want;
                CPU_ZERO(&want);
                for (size_t c = 0; table[i].cpus[c] >= 0; c++)
                        CPU_SET((size_t) table[i].cpus[c], &want);
                memset(&set, 0xff, sizeof set);
                assert_int_equal(affinity_parse(table[i].text, &set, NULL), 0);
                assert_true(CPU_EQUAL(&set, &want));
        }
}

static void test_errors(void **state) {
        static const char *const bad[] = { "",
                                           ",",
                                           "-",
                                           "1-",
                                           "-1",
                                           "3-1",
                                           "5,3-1",
                                           "1024",
                                           "0-1024",
                                           "0-3-5",
                                           "a",
                                           "0x1",
                                           "1;2",
                                           "01",
                                           "99999999999999999999",
                                           "1-99999999999999999999" };
        cpu_set_t before, set;

        (void) state;
        memset(&before, 0x5a, sizeof before);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                struct error error = { 0 };
                set = before;
                if (affinity_parse(bad[i], &set, &error) >= 0)
                        fail_msg("%s is taken", bad[i]);
                assert_true(error.code > 0 && error.text[0]);
                assert_memory_equal(&set, &before, sizeof set);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
