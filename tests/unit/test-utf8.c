/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "console/utf8.h"
#include "unit.h"

/* What the bytes are: "." a part, "W" the end of a character, "I" none, "B" a broken one before this byte. */
static const struct {
        const char *in, *steps;
} cases[] = {
        { "a\177", "WW" },
        { "\303\274", ".W" },
        { "\342\202\254", "..W" },
        { "\360\237\230\200", "...W" },
        { "\200\277", "II" },
        { "\300\257\301\201", "IIII" },
        { "\340\237\277", ".BII" },
        { "\340\240\200", "..W" },
        { "\355\240\200", ".BII" },
        { "\355\237\277", "..W" },
        { "\360\217\277\277", ".BIII" },
        { "\364\220\200\200", ".BIII" },
        { "\364\217\277\277", "...W" },
        { "\365\376\377", "III" },
        { "\342\202x", "..BW" },
        { "\303\303\274", ".B.W" },
};

static void test_table(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct utf8 u = { 0 };
                char steps[16] = "";
                for (const char *p = cases[i].in; *p;) {
                        enum utf8_step step = utf8_step(&u, (uint8_t) *p);
                        steps[strlen(steps)] = ".WIB"[step];
                        p += step != UTF8_BROKEN;
                }
                assert_string_equal(steps, cases[i].steps);
                assert_false(utf8_open(&u));
        }
}

/* Every byte is taken at once or after one refusal, and nothing leaves the four bytes. */
static void test_random(void **state) {
        struct utf8 u = { 0 };

        (void) state;
        srandom(3);
        for (int i = 0; i < 1000000; i++) {
                uint8_t byte = (uint8_t) (random() >> 3);
                if (utf8_step(&u, byte) == UTF8_BROKEN)
                        assert_int_not_equal(utf8_step(&u, byte), UTF8_BROKEN);
                assert_true(u.have <= 4 && u.wanted <= 4);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_random) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
