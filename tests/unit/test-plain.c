/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "console/plain.h"

static const struct {
        const char *in, *out;
} cases[] = {
        { "", "" },
        { "one\r\ntwo\r\n", "one\ntwo\n" },
        { "\033[0;32m  OK  \033[0m] Started\r\n", "  OK  ] Started\n" },
        { "10%\r20%\r30%\r\n", "10%\n20%\n30%\n" },
        { "a\r\r\nb", "a\nb" },
        { "a\rb", "a\nb" },
        { "tab\tbell\a back\b del\177 nul", "tab\tbell back del nul" },
        { "\033]0;title\avisible", "visible" },
        { "\033]8;;http://x\033\\link\033]8;;\033\\", "link" },
        { "\033P1$r0m\033\\after", "after" },
        { "\033(Bx\033)0y\033=z\0337", "xyz" },
        { "\033[?25l\033[2J\033[1;1Hhome", "home" },
        { "\033[31\033[0mx", "x" },
        { "\033]never ended\nnext", "\nnext" },
        { "\033[12\030x", "x" },
        { "gr\303\274n \342\202\254 \360\237\230\200", "gr\303\274n \342\202\254 \360\237\230\200" },
        { "\303", "" },
        { "\303(", "?(" },
        { "\300\257", "??" },
        { "\355\240\200", "???" },
        { "\364\220\200\200", "????" },
        { "\302\233mx", "mx" },
        { "\377\376", "??" },
        { "\342\202x", "?x" },
        { "\303\033[0mx", "?x" },
};

static void test_table(void **state) {
        uint8_t out[256];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct plain p = { 0 };
                size_t n = plain_filter(&p, (const uint8_t *) cases[i].in, strlen(cases[i].in), out);
                out[n] = 0;
                assert_string_equal((char *) out, cases[i].out);
        }
}

/* However the bytes are cut, the same comes out. */
static void test_any_cut(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t cut = 0; cut <= strlen(cases[i].in); cut++) {
                        const uint8_t *in = (const uint8_t *) cases[i].in;
                        uint8_t out[256];
                        struct plain p = { 0 };
                        size_t n = plain_filter(&p, in, cut, out);
                        n += plain_filter(&p, in + cut, strlen(cases[i].in) - cut, out + n);
                        out[n] = 0;
                        assert_string_equal((char *) out, cases[i].out);
                }
}

/* Random bytes, in place: never more than promised, and only what a journal shows as text. */
static void test_in_place(void **state) {
        struct plain p = { 0 };

        (void) state;
        srandom(7);
        for (int round = 0; round < 20000; round++) {
                uint8_t buffer[64 + PLAIN_EXTRA];
                size_t size = (size_t) random() % 64;
                for (size_t i = 0; i < size; i++)
                        buffer[PLAIN_EXTRA + i] =
                                random() % 4 ? (uint8_t) random() : "\033[]\r\n\\\303\240"[random() % 8];
                size_t n = plain_filter(&p, buffer + PLAIN_EXTRA, size, buffer);
                assert_true(n <= size + PLAIN_EXTRA);
                for (size_t i = 0; i < n; i++)
                        assert_true((buffer[i] >= 0x20 && buffer[i] != 0x7f) || buffer[i] == '\n' ||
                                    buffer[i] == '\t');
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_any_cut),
                cmocka_unit_test(test_in_place),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
