/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/text.h"
#include "unit.h"

static void escapes_what_drives_a_terminal(void **state) {
        static const struct {
                const char *in, *out;
        } cases[] = {
                { "plain", "plain" },
                { "\x1b]52;c\x07", "\\x1b]52;c\\x07" },
                { "a\nb\tc", "a\\x0ab\\x09c" },
                { "\xc3\x9f", "\xc3\x9f" },
                { "\xc2\x9b", "\\xc2\\x9b" },
                { "\xff\xfe", "\\xff\\xfe" },
                { "\xc3", "\\xc3" },
                { "\xe2\x82\xac", "\xe2\x82\xac" },
                { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
                { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
                { "\x7f", "\\x7f" },
        };
        char buffer[64];

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                assert_int_equal(text_escape(buffer, sizeof buffer, cases[i].in), strlen(cases[i].out));
                assert_string_equal(buffer, cases[i].out);
        }
        assert_true(text_escape(buffer, 6, "\x01\x02\x03") < 6);
        assert_string_equal(buffer, "\\x01");
}

static void numbers_are_whole_and_in_range(void **state) {
        static const char *const bad[] = { "", " 5", "5 ", "+5", "-5", "0x5", "05", "5a", "1e3", "５" };
        uint64_t u = 42;
        int64_t s;

        (void) state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                assert_int_equal(parse_unsigned(bad[i], 0, 100, &u), -EINVAL);
        assert_int_equal(u, 42);
        assert_int_equal(parse_unsigned("101", 0, 100, &u), -ERANGE);
        assert_int_equal(parse_unsigned("18446744073709551615", 0, UINT64_MAX, &u), 0);
        assert_true(u == UINT64_MAX);
        assert_int_equal(parse_unsigned("18446744073709551616", 0, UINT64_MAX, &u), -ERANGE);
        assert_int_equal(parse_signed("-1000", -1000, 1000, &s), 0);
        assert_int_equal(s, -1000);
        assert_int_equal(parse_signed("-1001", -1000, 1000, &s), -ERANGE);
        assert_int_equal(parse_signed("--5", -1000, 1000, &s), -EINVAL);
}

static void sizes_times_and_booleans(void **state) {
        uint64_t v;
        bool b;

        (void) state;
        assert_int_equal(parse_size("8M", &v), 0);
        assert_int_equal(v, 8 << 20);
        assert_int_equal(parse_size("1KB", &v), 0);
        assert_int_equal(v, 1024);
        assert_int_equal(parse_size("16E", &v), -ERANGE);
        assert_int_equal(parse_size("M", &v), -EINVAL);
        assert_int_equal(parse_size("1MM", &v), -EINVAL);
        assert_int_equal(parse_duration("90", &v), 0);
        assert_int_equal(v, 90000000);
        assert_int_equal(parse_duration("1.5s", &v), 0);
        assert_int_equal(v, 1500000);
        assert_int_equal(parse_duration("500ms", &v), 0);
        assert_int_equal(v, 500000);
        assert_int_equal(parse_duration("2min", &v), 0);
        assert_int_equal(v, 120000000);
        assert_int_equal(parse_duration("5 s", &v), -EINVAL);
        assert_int_equal(parse_duration("-5", &v), -EINVAL);
        assert_int_equal(parse_duration("99999999999999999999", &v), -ERANGE);
        assert_int_equal(parse_boolean("YES", &b), 0);
        assert_true(b);
        assert_int_equal(parse_boolean("off", &b), 0);
        assert_false(b);
        assert_int_equal(parse_boolean("2", &b), -EINVAL);
}

static void distances(void **state) {
        (void) state;
        assert_int_equal(text_distance("bind", "bind"), 0);
        assert_int_equal(text_distance("bidn", "bind"), 1);
        assert_int_equal(text_distance("", "bind"), 4);
        assert_true(text_distance("x", "0123456789012345678901234567890123456789012345678901234567890123456789") ==
                    SIZE_MAX);
}

static void environments(void **state) {
        struct strv v = { 0 };

        (void) state;
        assert_int_equal(strv_setenv(&v, "A=1"), 0);
        assert_int_equal(strv_setenv(&v, "AB=2"), 0);
        assert_int_equal(strv_setenv(&v, "A=3"), 0);
        assert_int_equal(v.count, 2);
        assert_string_equal(strv_getenv(&v, "A"), "3");
        assert_null(strv_getenv(&v, "B"));
        assert_null(v.items[2]);
        strv_free(&v);
        assert_int_equal(strv_split(&v, ",a,,b c,", ", "), 0);
        assert_int_equal(v.count, 3);
        assert_true(strv_contains(&v, "b"));
        strv_free(&v);
}

static void ids(void **state) {
        char plain[ID128_PLAIN_SIZE], dashed[ID128_DASHED_SIZE];
        struct id128 id, other;

        (void) state;
        assert_int_equal(id128_parse("0123456789ABCDEF0123456789abcdef", &id), 0);
        id128_plain(&id, plain);
        id128_dashed(&id, dashed);
        assert_string_equal(plain, "0123456789abcdef0123456789abcdef");
        assert_string_equal(dashed, "01234567-89ab-cdef-0123-456789abcdef");
        assert_int_equal(id128_parse(dashed, &other), 0);
        assert_memory_equal(&id, &other, sizeof id);
        assert_int_equal(id128_parse("00000000000000000000000000000000", &id), -EINVAL);
        assert_int_equal(id128_parse("0123456789abcdef0123456789abcde", &id), -EINVAL);
        assert_int_equal(id128_parse("01234567089ab-cdef-0123-456789abcdef", &id), -EINVAL);
        assert_int_equal(id128_parse("", &id), -EINVAL);
        assert_int_equal(id128_random(&id), 0);
        assert_int_equal(id.bytes[6] >> 4, 4);
        assert_int_equal(id.bytes[8] >> 6, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(escapes_what_drives_a_terminal),
                cmocka_unit_test(numbers_are_whole_and_in_range),
                cmocka_unit_test(sizes_times_and_booleans),
                cmocka_unit_test(distances),
                cmocka_unit_test(environments),
                cmocka_unit_test(ids),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
