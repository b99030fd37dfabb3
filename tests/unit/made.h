/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Plans from invented hosts and roots: no root is needed, nothing is changed. */

#include "helpers.h"
#include "launcher/plan.h"

struct made {
        struct spec spec;
        struct probe probe;
        struct plan plan;
        struct error error;
};

static inline int made_set_up(void **state) {
        struct made *m = calloc(1, sizeof *m);

        spec_init(&m->spec);
        m->spec.container_service = strdup("systemd-nspawn"); /* as spec_parse() does */
        m->probe.host = (struct host_probe){ .root = true,
                                             .bounding = UINT64_MAX,
                                             .nr_open = 1048576,
                                             .cgroup = { .available = true, .path = (char *) "/" },
                                             .os_release = (char *) "ID=host\nVERSION_ID=\"7\"\n" };
        m->probe.root = (struct root_probe){ .fd = -1,
                                             .lock_fd = -1,
                                             .path = (char *) "/srv/x",
                                             .real_path = (char *) "/srv/foo_bar-.x",
                                             .init = init_identify("systemd", NULL, 0),
                                             .init_path = (char *) "/sbin/init",
                                             .has_os_release = true };
        *state = m;
        return 0;
}

static inline int made_tear_down(void **state) {
        struct made *m = *state;

        plan_free(&m->plan);
        strv_free(&m->probe.host.environ);
        spec_free(&m->spec);
        free(m);
        return 0;
}

/* Makes the plan, again if there was one. Returns what plan_make() does. */
static inline int made_try(struct made *m) {
        plan_free(&m->plan);
        m->probe.root.read_only = m->spec.read_only; /* as probe_root() does */
        return plan_make(&m->spec, &m->probe, &m->plan, &m->error);
}

static inline void made_plan(struct made *m) {
        if (made_try(m) < 0)
                fail_msg("%s", m->error.text);
}

static inline const struct mount_op *made_mount(const struct made *m, const char *target) {
        for (size_t i = 0; i < m->plan.mounts.count; i++)
                if (text_equal(m->plan.mounts.ops[i].target, target))
                        return &m->plan.mounts.ops[i];
        return NULL;
}

#define MADE_TEST(f) cmocka_unit_test_setup_teardown(f, made_set_up, made_tear_down)
