/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which devices a plan allows, from invented hosts. */
#include <errno.h>

#include "made.h"

static const struct device_use *find(const struct made *m, const char *node) {
        for (size_t i = 0; i < m->plan.devices.count; i++)
                if (text_equal(m->plan.devices.uses[i].node, node))
                        return &m->plan.devices.uses[i];
        return NULL;
}

static void property(struct made *m, const char *text) {
        strv_free(&m->spec.properties);
        assert_int_equal(strv_add(&m->spec.properties, text), 0);
}

static void the_usual_ones(void **state) {
        struct made *m = *state;

        made_plan(m);
        assert_true(m->plan.device_filter);
        assert_non_null(find(m, "/dev/null"));
        assert_int_equal(find(m, "char-pts")->rule.minor, DEVICE_ANY);
        assert_int_equal(find(m, "char-pts")->rule.access, DEVICE_READ | DEVICE_WRITE);
        assert_null(find(m, "/dev/sda"));
}

static void what_the_spec_names_is_added(void **state) {
        const struct device_use use = { (char *) "/dev/sda", "--bind", DEVICE_BOUND, { 'b', 8, 0, DEVICE_READ } };
        struct made *m = *state;

        assert_int_equal(device_list_add(&m->probe.host.devices, &use, NULL), 0);
        made_plan(m);
        assert_string_equal(find(m, "/dev/sda")->origin, "--bind");
        device_list_free(&m->probe.host.devices);
}

static void policies(void **state) {
        struct made *m = *state;

        property(m, "DevicePolicy=strict");
        made_plan(m);
        assert_true(m->plan.device_filter);
        assert_null(find(m, "/dev/null"));
        assert_non_null(find(m, "/dev/fuse"));
        property(m, "DevicePolicy=auto");
        made_plan(m);
        assert_false(m->plan.device_filter);
        property(m, "DevicePolicy=open");
        assert_int_equal(made_try(m), -EINVAL);
        assert_non_null(strstr(m->error.text, "DevicePolicy=open"));
        assert_non_null(strstr(m->error.hint, "closed"));
}

/* They need no manager, and other properties do. */
static void which_properties_are_ours(void **state) {
        (void) state;
        assert_true(device_property("DeviceAllow=/dev/sda r"));
        assert_true(device_property("DevicePolicy="));
        assert_false(device_property("MemoryMax=1G"));
}

static void a_unit_has_its_own_policy(void **state) {
        struct made *m = *state;

        m->spec.keep_unit = true;
        m->probe.host.cgroup.delegated = true;
        made_plan(m);
        assert_false(m->plan.device_filter);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(the_usual_ones),
                MADE_TEST(what_the_spec_names_is_added),
                MADE_TEST(policies),
                cmocka_unit_test(which_properties_are_ours),
                MADE_TEST(a_unit_has_its_own_policy),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
