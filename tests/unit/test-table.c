/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables, for people and as JSON. */
#include "helpers.h"
#include "tools/tools.h"

static const char *const titles[] = { "NAME", "SIZE", "MORE" };

static struct table sample(void) {
        struct table t = { .titles = titles, .numbers = 1U << 1, .columns = ELEMENTSOF(titles) };
        char(*row)[TABLE_CELL] = table_add(&t);

        strcpy(row[0], "a");
        strcpy(row[1], "17");
        strcpy(row[2], "x");
        row = table_add(&t);
        strcpy(row[0], "long\x1b[m");
        return t;
}

static char *printed(const struct table *t, bool json, bool legend) {
        struct capture c = capture_start(STDOUT_FILENO);

        table_print(t, json, legend);
        return capture_end(&c);
}

static void for_people(void **state) {
        struct table t = sample();

        (void) state;
        _cleanup_free_ char *with = printed(&t, false, true), *without = printed(&t, false, false);
        assert_string_equal(with,
                            "NAME       SIZE MORE\na          17   x\nlong\\x1b[m -    -\n\n2 machines listed.\n");
        assert_string_equal(without, "a          17 x\nlong\\x1b[m -  -\n");
        t.shown = 2;
        _cleanup_free_ char *fewer = printed(&t, false, false);
        assert_string_equal(fewer, "a          17\nlong\\x1b[m -\n");
        table_free(&t);
        _cleanup_free_ char *none = printed(&t, false, true), *nothing = printed(&t, false, false);
        assert_string_equal(none, "No machines.\n");
        assert_string_equal(nothing, "");
}

static void for_programs(void **state) {
        struct table t = sample();

        (void) state;
        t.shown = 2; /* of people */
        _cleanup_free_ char *text = printed(&t, true, true);
        assert_string_equal(text, "[{\"name\":\"a\",\"size\":17,\"more\":\"x\"},"
                                  "{\"name\":\"long\\u001b[m\",\"size\":null,\"more\":\"\"}]\n");
        table_free(&t);
        _cleanup_free_ char *none = printed(&t, true, true);
        assert_string_equal(none, "[]\n");
}

static void strings(void **state) {
        static const struct {
                const char *text, *json;
        } cases[] = {
                { "", "\"\"" },
                { "a\"b\\c", "\"a\\\"b\\\\c\"" },
                { "\n\x7f", "\"\\u000a\\u007f\"" },
                { "\xC3\xA4\xff", "\"\xC3\xA4\\\\xff\"" },
                { "\xE2\x80", "\"\\\\xe2\\\\x80\"" }, /* cut off */
                { "\xC2\x9B", "\"\\\\xc2\\\\x9b\"" }, /* a control, of C1 */
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct capture c = capture_start(STDOUT_FILENO);
                json_string(cases[i].text);
                _cleanup_free_ char *text = capture_end(&c);
                assert_string_equal(text, cases[i].json);
        }
}

static void many_rows(void **state) {
        struct table t = { .titles = titles, .columns = ELEMENTSOF(titles) };

        (void) state;
        for (int i = 0; i < 1000; i++)
                snprintf(table_add(&t)[2], TABLE_CELL, "%d", i);
        assert_int_equal(t.rows, 1000);
        assert_string_equal(t.cells[999][2], "999");
        assert_string_equal(t.cells[999][0], "");
        table_free(&t);
        assert_int_equal(t.rows, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(for_people),
                cmocka_unit_test(for_programs),
                cmocka_unit_test(strings),
                cmocka_unit_test(many_rows),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
