/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/personality.h>

#include "basic/fd.h"
#include "isolation/personality.h"

static void test_known(void **state) {
        static const struct {
                const char *name;
                unsigned long value;
        } table[] = {
#if defined(__x86_64__)
                { "x86-64", PER_LINUX },
                { "x86", PER_LINUX32 },
#elif defined(__aarch64__)
                { "arm64", PER_LINUX },
                { "arm", PER_LINUX32 },
#endif
                { NULL, 0 },
        };

        (void) state;
        for (size_t i = 0; table[i].name; i++) {
                unsigned long value = 77;
                assert_int_equal(personality_parse(table[i].name, &value, NULL), 0);
                assert_int_equal(value, table[i].value);
        }
}

static void test_unknown(void **state) {
        static const char *const bad[] = { "", "sparc", "X86-64", "x86_64 ", "0", "pdp11" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                struct error error = { 0 };
                unsigned long value = 77;
                assert_int_equal(personality_parse(bad[i], &value, &error), -EINVAL);
                assert_int_equal(value, 77);
#if defined(__x86_64__)
                assert_non_null(strstr(error.hint, "x86-64"));
#endif
                assert_int_equal(personality_parse(bad[i], &value, NULL), -EINVAL);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
