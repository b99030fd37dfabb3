/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the host is asked for anything, and where the payload's group is then. No bus is needed. */
#include "launcher/registrar.h"

#include "made.h"

static void where_the_group_is(void **state) {
        static const struct {
                enum start_mode start;
                enum registration registration;
                bool bus, keep_unit, delegated, no_cgroup;
                enum group_place group;
                bool announce;
        } cases[] = {
                { START_BOOT, REGISTER_AUTO, .bus = false, .group = GROUP_BELOW },
                { START_COMMAND, REGISTER_AUTO, .bus = false, .group = GROUP_BELOW },
                { START_BOOT, REGISTER_AUTO, .bus = true, .group = GROUP_SCOPE, .announce = true },
                { START_COMMAND, REGISTER_AUTO, .bus = true, .group = GROUP_SCOPE, .announce = true },
                { START_BOOT, REGISTER_YES, .bus = true, .group = GROUP_SCOPE, .announce = true },
                { START_BOOT, REGISTER_NO, .bus = true, .group = GROUP_BELOW },
                { START_COMMAND, REGISTER_NO, .bus = true, .group = GROUP_BELOW },
                { START_BOOT, REGISTER_AUTO, .keep_unit = true, .group = GROUP_BELOW },
                { START_BOOT, REGISTER_AUTO, .keep_unit = true, .delegated = true, .group = GROUP_UNIT },
                { START_COMMAND, REGISTER_NO, .keep_unit = true, .delegated = true, .group = GROUP_UNIT },
                { START_BOOT, REGISTER_YES, .bus = true, .keep_unit = true, .delegated = true, .group = GROUP_UNIT,
                  .announce = true },
                { START_BOOT, REGISTER_AUTO, .bus = true, .delegated = true, .group = GROUP_SCOPE, .announce = true },
                { START_BOOT, REGISTER_AUTO, .no_cgroup = true, .group = GROUP_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct made *m = *state;
                m->spec.start = cases[i].start;
                m->spec.registration = cases[i].registration;
                m->spec.keep_unit = cases[i].keep_unit;
                m->probe.host.bus = cases[i].bus;
                m->probe.host.cgroup.delegated = cases[i].delegated;
                m->probe.host.cgroup.available = !cases[i].no_cgroup;
                made_plan(m);
                if (m->plan.group != cases[i].group || m->plan.announce != cases[i].announce)
                        fail_msg("case %zu: group %d, announce %d", i, (int) m->plan.group, m->plan.announce);
        }
}

static void what_needs_a_bus_says_so(void **state) {
        struct made *m = *state;

        m->spec.registration = REGISTER_YES;
        assert_int_equal(made_try(m), -ENOENT);
        assert_non_null(strstr(m->error.text, "no system bus here, and --register=yes"));
        m->spec.registration = REGISTER_AUTO;
        m->spec.slice = strdup("x");
        assert_int_equal(made_try(m), -ENOENT);
        assert_non_null(strstr(m->error.text, "--slice"));
        m->spec.keep_unit = true; /* ignored, with a note */
        struct capture c = capture_start(STDERR_FILENO);
        int r = made_try(m);
        _cleanup_free_ char *notes = capture_end(&c);
        assert_int_equal(r, 0);
        assert_non_null(strstr(notes, "--slice is ignored with --keep-unit"));
}

/* Before anything is started: the names and values that the manager would refuse. */
static void names_and_values_are_checked(void **state) {
        static const struct {
                const char *slice, *property, *says;
        } cases[] = {
                { "foo", NULL, NULL },
                { "foo.service", NULL, "foo.service" },
                { NULL, "MemoryMax=1G", NULL },
                { NULL, "MemoryMax=lots", "MemoryMax" },
                { NULL, "NoSuchProperty=1", "NoSuchProperty" },
        };
        struct made *m = *state;

        m->probe.host.bus = true;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                free(m->spec.slice);
                m->spec.slice = cases[i].slice ? strdup(cases[i].slice) : NULL;
                strv_free(&m->spec.properties);
                if (cases[i].property)
                        assert_int_equal(strv_add(&m->spec.properties, cases[i].property), 0);
                int r = made_try(m);
                if ((r < 0) != (cases[i].says != NULL) || (r < 0 && !strstr(m->error.text, cases[i].says)))
                        fail_msg("case %zu: %d %s", i, r, m->error.text);
        }
        assert_null(registrar_close(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(where_the_group_is),
                MADE_TEST(what_needs_a_bus_says_so),
                MADE_TEST(names_and_values_are_checked),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
