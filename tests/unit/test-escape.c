/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "console/escape.h"
#include "unit.h"

#define K "\x1D"

static enum escape_hit scan(struct escape *escape, const char *text, uint64_t now) {
        size_t seen;
        char letter;

        return escape_scan(escape, text, strlen(text), now, &seen, &letter);
}

static void test_three_in_a_row(void **state) {
        struct escape escape = { .key = ESCAPE_KEY_DEFAULT };

        (void) state;
        assert_int_equal(scan(&escape, K, 5), ESCAPE_NOTHING);
        assert_int_equal(scan(&escape, K, 6), ESCAPE_NOTHING);
        assert_int_equal(scan(&escape, K, 7), ESCAPE_KILL);
        assert_int_equal(scan(&escape, K K K, 8), ESCAPE_KILL);
}

static void test_window_counts_from_the_first(void **state) {
        struct escape escape = { .key = ESCAPE_KEY_DEFAULT };

        (void) state;
        scan(&escape, K, 0);
        scan(&escape, K, 600000);
        assert_int_equal(scan(&escape, K, ESCAPE_WINDOW_USEC), ESCAPE_KILL);
        scan(&escape, K, 2000000);
        scan(&escape, K, 2600000);
        assert_int_equal(scan(&escape, K, 3000001), ESCAPE_NOTHING); /* too late: the first of a new count */
        assert_int_equal(scan(&escape, K, 3100000), ESCAPE_NOTHING);
        assert_int_equal(scan(&escape, K, 3200000), ESCAPE_KILL);
}

static void test_other_bytes_reset(void **state) {
        struct escape escape = { .key = ESCAPE_KEY_DEFAULT };

        (void) state;
        assert_int_equal(scan(&escape, K K "A" K K "\n" K K, 0), ESCAPE_NOTHING);
        assert_int_equal(scan(&escape, K, 1), ESCAPE_KILL);
}

static void test_letter_after_exactly_two(void **state) {
        struct escape escape = { .key = ESCAPE_KEY_DEFAULT };
        const char *text = "ab" K K "rest";
        char letter = 0;
        size_t seen;

        (void) state;
        assert_int_equal(escape_scan(&escape, text, strlen(text), 0, &seen, &letter), ESCAPE_COMMAND);
        assert_int_equal(letter, 'r');
        assert_int_equal(seen, 5);
        assert_int_equal(scan(&escape, K "r", 0), ESCAPE_NOTHING);
        assert_int_equal(scan(&escape, K K "R", 0), ESCAPE_NOTHING);
        scan(&escape, K K, 0);
        assert_int_equal(scan(&escape, "r", ESCAPE_WINDOW_USEC + 1), ESCAPE_NOTHING);
}

static void test_no_key(void **state) {
        struct escape escape = { .key = ESCAPE_KEY_NONE };

        (void) state;
        assert_int_equal(scan(&escape, K K K "\xFF\xFF\xFF", 0), ESCAPE_NOTHING);
}

/* However the bytes are cut into chunks, the same hits are found. */
static void test_chunks_do_not_matter(void **state) {
        const char *text = "x" K "y" K K K "z" K K "q" K K "." K K K;
        size_t size = strlen(text);

        (void) state;
        for (size_t chunk = 1; chunk <= size; chunk++) {
                struct escape escape = { .key = ESCAPE_KEY_DEFAULT };
                unsigned kills = 0, commands = 0;

                for (size_t at = 0; at < size;) {
                        size_t seen, n = size - at < chunk ? size - at : chunk;
                        char letter = 0;
                        enum escape_hit hit = escape_scan(&escape, text + at, n, 0, &seen, &letter);
                        kills += hit == ESCAPE_KILL;
                        commands += hit == ESCAPE_COMMAND && (letter == 'q' || letter == '.');
                        at += seen;
                }
                assert_int_equal(kills, 2);
                assert_int_equal(commands, 2);
        }
}

static void keys_have_names(void **state) {
        static const struct {
                const char *text, *name;
                int key;
        } cases[] = {
                { "^]", "^]", 0x1D }, { "^a", "^A", 1 },    { "^A", "^A", 1 },
                { "^@", "^@", 0 },    { "^_", "^_", 0x1F }, { "none", "none", ESCAPE_KEY_NONE },
        };
        static const char *const bad[] = { "", "^", "a", "^aa", "^?", "^1", "]", "None", "^\xc3\xa4" };
        char name[ESCAPE_NAME_SIZE];
        int key = 0;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(escape_parse(cases[i].text, &key), 0);
                assert_int_equal(key, cases[i].key);
                assert_string_equal(escape_name(key, name), cases[i].name);
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                assert_int_equal(escape_parse(bad[i], &key), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_have_names),
                cmocka_unit_test(test_three_in_a_row),
                cmocka_unit_test(test_window_counts_from_the_first),
                cmocka_unit_test(test_other_bytes_reset),
                cmocka_unit_test(test_letter_after_exactly_two),
                cmocka_unit_test(test_no_key),
                cmocka_unit_test(test_chunks_do_not_matter),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
