/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory that machined mounts into: planned only where there is one to use it, made and removed. */
#include "launcher/incoming.h"

#include <linux/mount.h>

#include "made.h"

static void only_where_the_machine_is_announced(void **state) {
        struct made *m = *state;

        made_plan(m);
        assert_null(m->plan.incoming);
        assert_null(made_mount(m, "/run/host/incoming"));
        m->probe.host.bus = true;
        made_plan(m);
        assert_string_equal(m->plan.incoming, "/run/systemd/nspawn/propagate/foobar-x");
        const struct mount_op *op = made_mount(m, "/run/host/incoming");
        assert_string_equal(op->source, m->plan.incoming);
        assert_true(op->attributes & MOUNT_ATTR_RDONLY);
        assert_int_equal(op->propagation, 1UL << 19); /* MS_SLAVE */
        m->spec.registration = REGISTER_NO;
        made_plan(m);
        assert_null(m->plan.incoming);
}

static void made_and_removed(void **state) {
        static const char *const parents[] = { "/run/systemd/nspawn/propagate", "/run/systemd/nspawn",
                                               "/run/systemd" };
        bool there[ELEMENTSOF(parents)];
        struct plan plan = { .incoming = (char *) "/run/systemd/nspawn/propagate/spawn-test-machine" };
        struct error error = { 0 };
        struct stat st;

        (void) state;
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(parents); i++)
                there[i] = lstat(parents[i], &st) == 0;
        int made = incoming_make(&plan, &error), again = incoming_make(&plan, &error);
        int looked = lstat(plan.incoming, &st);
        incoming_remove("spawn-test-machine");
        int gone = access(plan.incoming, F_OK);
        incoming_remove("spawn-test-machine");
        for (size_t i = 0; i < ELEMENTSOF(parents); i++)
                if (!there[i])
                        rmdir(parents[i]);
        assert_int_equal(made | again | looked, 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0600);
        assert_int_equal(gone, -1);
        plan.incoming = NULL;
        assert_int_equal(incoming_make(&plan, &error), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(only_where_the_machine_is_announced),
                cmocka_unit_test(made_and_removed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
