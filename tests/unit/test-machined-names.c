/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "machined/names.h"
#include "unit.h"

static void test_scope(void **state) {
        static const char *const cases[][2] = {
                { "debian", "machine-debian.scope" },
                { "a-b", "machine-a\\x2db.scope" },
                { "web.example", "machine-web.example.scope" },
                { ".hidden", "machine-\\x2ehidden.scope" },
                { "a_b", "machine-a_b.scope" },
        };
        char unit[UNIT_NAME_SIZE], name[260];
        struct error e = { 0 };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(names_scope(cases[i][0], unit, &e), 0);
                assert_string_equal(unit, cases[i][1]);
        }
        memset(name, '-', 64);
        name[64] = 0;
        assert_int_equal(names_scope(name, unit, &e), -ENAMETOOLONG);
        memset(name, 'a', sizeof name);
        name[241] = 0;
        assert_int_equal(names_scope(name, unit, &e), 0);
        assert_int_equal(strlen(unit), 255);
        name[241] = 'a';
        name[242] = 0;
        assert_int_equal(names_scope(name, unit, &e), -ENAMETOOLONG);
}

static void test_slice(void **state) {
        static const char *const good[][2] = {
                { "foo", "foo.slice" },   { "foo.slice", "foo.slice" }, { "machine-web", "machine-web.slice" },
                { "-.slice", "-.slice" }, { "a b", "a\\x20b.slice" },   { "v1.2", "v1.2.slice" },
        };
        static const char *const bad[] = { "", "/foo", "foo.service", "a--b", "-a", "a-", ".slice", "a@b" };
        char slice[UNIT_NAME_SIZE], name[300];

        (void) state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                assert_int_equal(names_slice(good[i][0], slice, NULL), 0);
                assert_string_equal(slice, good[i][1]);
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct error e = { 0 };
                assert_int_equal(names_slice(bad[i], slice, &e), -EINVAL);
                assert_non_null(strstr(e.text, bad[i]));
        }
        memset(name, 'a', sizeof name);
        name[sizeof name - 1] = 0;
        assert_int_equal(names_slice(name, slice, NULL), -ENAMETOOLONG);
}

static void test_path(void **state) {
        char path[UNIT_PATH_SIZE], unit[UNIT_NAME_SIZE];

        (void) state;
        names_unit_path("machine-a.scope", path);
        assert_string_equal(path, "/org/freedesktop/systemd1/unit/machine_2da_2escope");
        names_unit_path("1a", path);
        assert_string_equal(path, "/org/freedesktop/systemd1/unit/_31a");
        memset(unit, '-', sizeof unit);
        unit[255] = 0;
        names_unit_path(unit, path);
        assert_int_equal(strlen(path), strlen("/org/freedesktop/systemd1/unit/") + 255 * 3);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_scope), cmocka_unit_test(test_slice),
                                            cmocka_unit_test(test_path) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
