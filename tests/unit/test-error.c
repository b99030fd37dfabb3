/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors: one sentence, what to do about it, an exit status. */
#include "basic/error.h"

#include "helpers.h"

static void errors_say_what_and_what_to_do(void **state) {
        struct error e;

        (void) state;
        assert_int_equal(error_set(&e, ENOENT, "cannot open %s: %m", "/x"), -ENOENT);
        assert_string_equal(e.text, "cannot open /x: No such file or directory");
        assert_int_equal(e.code, ENOENT);
        assert_int_equal(error_hint(&e, "make %s", "it"), -ENOENT);
        assert_string_equal(e.hint, "make it");
        assert_string_equal(e.text, "cannot open /x: No such file or directory");
        assert_int_equal(error_set(NULL, EIO, "nobody listens"), -EIO);
        assert_int_equal(error_hint(NULL, "so nobody is told"), -EIO);
        assert_int_equal(error_memory(NULL), -ENOMEM);
}

static void the_code_is_what_m_stands_for(void **state) {
        struct error e;

        (void) state;
        errno = EPERM;
        error_set(&e, EBUSY, "%m");
        assert_string_equal(e.text, strerror(EBUSY));
        errno = EPERM;
        error_hint(&e, "%m");
        assert_string_equal(e.hint, strerror(EBUSY));
}

static void exit_statuses(void **state) {
        struct error e;

        (void) state;
        error_set(&e, ENOENT, "x");
        assert_int_equal(error_exit_status(&e), 125);
        e.status = EXIT_NOT_FOUND;
        assert_int_equal(error_exit_status(&e), 127);
        e.status = EXIT_CANNOT_EXECUTE;
        assert_int_equal(error_exit_status(&e), 126);
}

/* What is set anew has nothing of the error before. */
static void nothing_is_left_of_an_earlier_one(void **state) {
        struct error e;

        (void) state;
        error_set(&e, ENOENT, "a long sentence about something that is missing");
        error_hint(&e, "look for it");
        e.status = EXIT_NOT_FOUND;
        assert_int_equal(error_memory(&e), -ENOMEM);
        assert_string_equal(e.text, "out of memory");
        assert_string_equal(e.hint, "");
        assert_int_equal(e.status, 0);
        for (size_t i = strlen(e.text); i < sizeof e.text; i++)
                assert_int_equal(e.text[i], 0); /* it is sent as it is: no old bytes */
}

static void long_sentences_are_cut(void **state) {
        char name[5000];
        struct error e;

        (void) state;
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = 0;
        error_set(&e, EINVAL, "%s", name);
        error_hint(&e, "%s", name);
        assert_int_equal(strlen(e.text), sizeof e.text - 1);
        assert_int_equal(strlen(e.hint), sizeof e.hint - 1);
}

static char *printed(const struct error *e) {
        struct capture c = capture_start(STDERR_FILENO);

        error_print(e);
        return capture_end(&c);
}

static void printing(void **state) {
        struct error e = { 0 };

        (void) state;
        _cleanup_free_ char *empty = printed(&e);
        assert_string_equal(empty, "spawn: failed\n");
        error_set(&e, ENOENT, "no %s", "a\nb\x1b");
        _cleanup_free_ char *one = printed(&e);
        assert_string_equal(one, "spawn: no a\\x0ab\\x1b\n");
        error_hint(&e, "make it");
        _cleanup_free_ char *two = printed(&e);
        assert_string_equal(two, "spawn: no a\\x0ab\\x1b\nspawn: make it\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(errors_say_what_and_what_to_do),
                cmocka_unit_test(the_code_is_what_m_stands_for),
                cmocka_unit_test(exit_statuses),
                cmocka_unit_test(nothing_is_left_of_an_earlier_one),
                cmocka_unit_test(long_sentences_are_cut),
                cmocka_unit_test(printing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
