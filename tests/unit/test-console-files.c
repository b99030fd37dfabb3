/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/console_files.h"
#include "made.h"

static struct console *open_console(void) {
        struct console_options o = { .mode = SESSION_READ_ONLY, .streams = { -1, -1, -1 } };
        struct console *c = NULL;

        assert_int_equal(console_open(&o, &c, NULL), 0);
        return c;
}

/* Nothing asked for: nothing opened. */
static void test_none(void **state) {
        struct made *m = *state;
        struct console_files files = { 0 };

        m->spec.console = CONSOLE_READ_ONLY;
        made_plan(m);
        struct console *c = open_console();
        assert_int_equal(console_files_open(&m->plan, c, &files, &m->error), 0);
        assert_null(files.log);
        assert_non_null(strstr(console_files_toggle_log(&files), "there is no log"));
        console_close(c);
        console_files_close(&files);
}

static void test_cannot_open(void **state) {
        struct made *m = *state;
        struct console_files files = { 0 };

        m->spec.console = CONSOLE_PASSIVE;
        m->spec.console_log = (struct console_log){ .path = strdup("/proc/nothing/here"), .size = 4096 };
        made_plan(m);
        struct console *c = open_console();
        assert_int_equal(console_files_open(&m->plan, c, &files, &m->error), -ENOENT);
        assert_non_null(strstr(m->error.text, "/proc/nothing/here"));
        console_close(c);
        console_files_close(&files);
}

int main(void) {
        const struct CMUnitTest tests[] = { MADE_TEST(test_none), MADE_TEST(test_cannot_open) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
