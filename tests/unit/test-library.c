/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Libraries at the point of use. */
#include "basic/library.h"

#include "helpers.h"

struct table {
        double (*first)(const char *, char **);
        int (*second)(const char *);
};

static void functions_are_found(void **state) {
        const struct library_symbol symbols[] = { { "strtod", offsetof(struct table, first) },
                                                  { "atoi", offsetof(struct table, second) } };
        struct table t = { 0 };
        struct error e = { 0 };

        (void) state;
        assert_int_equal(library_open("libc.so.6", "numbers are read by", symbols, 2, &t, &e), 0);
        assert_true(t.first("2.5", NULL) == 2.5);
        assert_int_equal(t.second("7"), 7);
}

/* Neither leaves half a table. */
static void what_is_missing_is_named(void **state) {
        const struct library_symbol symbols[] = { { "atoi", offsetof(struct table, second) },
                                                  { "no_such_function", offsetof(struct table, first) } };
        struct table t = { 0 };
        struct error e = { 0 };

        (void) state;
        assert_int_equal(library_open("libc.so.6", "numbers are read by", symbols, 2, &t, &e), -EOPNOTSUPP);
        assert_non_null(strstr(e.text, "the libc of this host has no no_such_function()"));
        assert_null(t.second);
        assert_int_equal(library_open("libnone.so.9", "nothing is read by", symbols, 1, &t, &e), -EOPNOTSUPP);
        assert_non_null(strstr(e.text, "nothing is read by libnone, which cannot be loaded: libnone.so.9"));
        assert_null(t.second);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(functions_are_found),
                cmocka_unit_test(what_is_missing_is_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
