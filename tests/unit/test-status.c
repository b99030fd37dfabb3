/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list, status and show of machines that are made up; those that run are tested by whole programs. */
#include "made-run.h"
#include "tools/tools.h"

static char *printed(int (*verb)(const struct request *q, struct error *error), const struct request *q, int expected,
                     struct error *e) {
        *e = (struct error){ 0 };
        struct capture c = capture_start(STDOUT_FILENO);
        int r = verb(q, e);
        char *text = capture_end(&c);

        assert_int_equal(r, expected);
        return text;
}

static void no_machines(void **state) {
        struct error e;

        (void) state;
        in_a_run_of_our_own();
        _cleanup_free_ char *text = printed(status_list, &(struct request){ 0 }, 0, &e);
        _cleanup_free_ char *json = printed(status_list, &(struct request){ .json = true }, 0, &e);
        assert_string_equal(text, "No machines.\n");
        assert_string_equal(json, "[]\n");
}

/* Starting, with an old file that says little: no line is made up. */
static void one_that_starts(void **state) {
        char *names[] = { (char[]){ "m1" }, NULL };
        struct request q = { .names = { names, 1 } };
        struct state_place place;
        struct error e;

        (void) state;
        in_a_run_of_our_own();
        setenv("TZ", "UTC", 1);
        made_machine(0, &place);
        _cleanup_free_ char *list = printed(status_list, &(struct request){ .no_legend = true }, 0, &e);
        assert_string_equal(list, "m1 container spawn - - - starting detached\n");
        _cleanup_free_ char *text = printed(status_status, &q, 0, &e);
        assert_true(text_starts_with(text, "m1\n           Since: Thu 1970-01-01 00:16:40 UTC; "));
        assert_non_null(strstr(text, "\n         Service: spawn; class container\n           State: starting\n"));
        assert_non_null(strstr(text, "\n            Root: /a root\\x0a\n"));
        assert_null(strstr(text, "Leader"));
        assert_null(strstr(text, "OS"));
        assert_null(strstr(text, "Group"));
        _cleanup_free_ char *lines = printed(status_show, &q, 0, &e);
        assert_non_null(strstr(lines, "\nLeader=0\n"));
        assert_null(strstr(lines, "Unit="));
        state_drop(&place, "m1");
}

static void several_names(void **state) {
        char *names[] = { (char[]){ "m8" }, (char[]){ "m1" }, (char[]){ "m9" }, (char[]){ "m1" }, NULL };
        char *properties[] = { (char[]){ "Name,State" }, NULL };
        struct request q = { .names = { names, 4 }, .properties = { properties, 1 } };
        struct state_place place;
        struct error e;

        (void) state;
        in_a_run_of_our_own();
        made_machine(0, &place);
        struct capture c = capture_start(STDERR_FILENO);
        _cleanup_free_ char *text = printed(status_show, &q, -ENOENT, &e);
        _cleanup_free_ char *errors = capture_end(&c);
        assert_non_null(strstr(errors, "there is no machine m8\n"));
        assert_string_equal(e.text, "there is no machine m9");
        assert_string_equal(text, "Name=m1\nState=starting\n\nName=m1\nState=starting\n");
        q.names.count = 2;
        q.value = true;
        _cleanup_free_ char *values = printed(status_show, &q, -ENOENT, &e);
        assert_string_equal(values, "m1\nstarting\n");
        q.json = true;
        _cleanup_free_ char *json = printed(status_status, &q, -ENOENT, &e);
        assert_true(text_starts_with(json, "{\"name\":\"m1\","));
        assert_true(text_ends_with(json, "}\n"));
        state_drop(&place, "m1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_machines),
                cmocka_unit_test(one_that_starts),
                cmocka_unit_test(several_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
