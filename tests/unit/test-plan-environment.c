/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The payload's environment: all that is in it, and nothing else. */
#include "made.h"

static const char *variable(const struct made *m, const char *name) {
        return strv_getenv(&m->plan.environment, name);
}

static void the_whole_of_it(void **state) {
        static const char *const boot[] = { "PATH", "container",         "container_uuid",           "NOTIFY_SOCKET",
                                            "TERM", "container_host_id", "container_host_version_id" };
        char uuid[ID128_DASHED_SIZE];
        struct made *m = *state;

        assert_int_equal(strv_add(&m->probe.host.environ, "SECRET=x"), 0);
        assert_int_equal(strv_add(&m->probe.host.environ, "PATH=/callers"), 0);
        assert_int_equal(strv_add(&m->probe.host.environ, "LD_PRELOAD=/x"), 0);
        m->spec.start = START_BOOT;
        made_plan(m);
        assert_int_equal(m->plan.environment.count, ELEMENTSOF(boot));
        for (size_t i = 0; i < ELEMENTSOF(boot); i++)
                assert_non_null(variable(m, boot[i]));
        id128_dashed(&m->plan.machine_id, uuid);
        assert_string_equal(variable(m, "container_uuid"), uuid);
        assert_string_equal(variable(m, "PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        assert_string_equal(variable(m, "NOTIFY_SOCKET"), "/run/host/notify");
        m->spec.start = START_COMMAND;
        made_plan(m);
        assert_int_equal(m->plan.environment.count, ELEMENTSOF(boot) + 1);
        assert_string_equal(variable(m, "LANG"), "C.UTF-8");
}

static void the_manager_has_the_name_asked_for(void **state) {
        struct made *m = *state;

        free(m->spec.container_service);
        m->spec.container_service = strdup("rkt");
        made_plan(m);
        assert_string_equal(variable(m, "container"), "rkt");
}

/* What the caller says of its terminal holds only where the payload writes to it. */
static void the_terminal(void **state) {
        static const struct {
                const char *term;
                bool terminal;
                const char *expected;
        } cases[] = { { "TERM=xterm", true, "xterm" },
                      { "TERM=xterm", false, "dumb" },
                      { "TERM=", true, "dumb" },
                      { "X=1", true, "dumb" } };
        struct made *m = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                strv_free(&m->probe.host.environ);
                m->probe.host.environ = (struct strv){ 0 };
                assert_int_equal(strv_add(&m->probe.host.environ, cases[i].term), 0);
                assert_int_equal(strv_add(&m->probe.host.environ, "COLORTERM=truecolor"), 0);
                assert_int_equal(strv_add(&m->probe.host.environ, "NO_COLOR="), 0);
                m->probe.host.stream_is_terminal[1] = cases[i].terminal;
                made_plan(m);
                assert_string_equal(variable(m, "TERM"), cases[i].expected);
                assert_int_equal(variable(m, "COLORTERM") != NULL, cases[i].terminal);
                assert_int_equal(variable(m, "NO_COLOR") != NULL, cases[i].terminal);
        }
}

static void the_hosts_release(void **state) {
        static const struct {
                const char *text, *id, *version, *variant, *build;
        } cases[] = {
                { "ID=debian\nVERSION_ID=\"12\"\n", "debian", "12", NULL, NULL },
                { "VERSION_ID='39'\nID=fedora\nVARIANT_ID=server\nBUILD_ID=20", "fedora", "39", "server", "20" },
                { "NAME=\"ID=no\"\nXID=no\n", NULL, NULL, NULL, NULL },
                { "ID=\nVERSION_ID=\"\"\n", "", "", NULL, NULL },
                { "ID=\"\nVERSION_ID='x\"", "\"", "'x\"", NULL, NULL },
                { "", NULL, NULL, NULL, NULL },
                { NULL, NULL, NULL, NULL, NULL },
        };
        struct made *m = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                m->probe.host.os_release = (char *) cases[i].text;
                made_plan(m);
                bool right = text_equal(variable(m, "container_host_id"), cases[i].id) &&
                             text_equal(variable(m, "container_host_version_id"), cases[i].version) &&
                             text_equal(variable(m, "container_host_variant_id"), cases[i].variant) &&
                             text_equal(variable(m, "container_host_build_id"), cases[i].build);
                if (!right)
                        fail_msg("case %zu: %s %s", i, variable(m, "container_host_id"),
                                 variable(m, "container_host_version_id"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(the_whole_of_it),
                MADE_TEST(the_manager_has_the_name_asked_for),
                MADE_TEST(the_terminal),
                MADE_TEST(the_hosts_release),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
