/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The payload's group in its three places, on a real cgroup2 hierarchy. */
#include "launcher/group.h"

#include "basic/cgroup.h"
#include "made.h"

struct unit {
        char name[64], path[4096]; /* a group below our own, and its path */
        int top, fd;
        struct made *made;
};

/* A group that stands for a unit of the service manager's; skips where there is no cgroup2. */
static void make_unit(struct made *m, struct unit *u) {
        char *own = NULL;

        *u = (struct unit){ .made = m };
        need_root();
        u->top = cgroup_path(0, &own) < 0 ? -1 : cgroup_open(own);
        if (u->top < 0) {
                free(own);
                print_message("there is no cgroup2 here\n");
                skip();
        }
        snprintf(u->name, sizeof u->name, "spawn-test-%d.service", (int) getpid());
        snprintf(u->path, sizeof u->path, "%s/%s", own[1] ? own : "", u->name);
        free(own);
        assert_int_equal(mkdirat(u->top, u->name, 0755), 0);
        u->fd = openat(u->top, u->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        m->probe.host.cgroup = (struct cgroup_place){ .available = true, .path = u->path };
        m->spec.start = START_BOOT;
        made_plan(m);
}

static void remove_unit(struct unit *u) {
        assert_int_equal(cgroup_remove(u->top, u->name), 0);
        close(u->fd);
        close(u->top);
}

static bool is_in(pid_t pid, const char *end) {
        _cleanup_free_ char *path = NULL;

        if (cgroup_path(pid, &path) < 0)
                return false;
        size_t n = strlen(path), m = strlen(end);
        return n >= m && strcmp(path + n - m, end) == 0;
}

static void below_ours(void **state) {
        struct unit u;
        struct launch launch = LAUNCH_NONE;
        struct error error = { 0 };

        make_unit(*state, &u);
        launch.plan = &u.made->plan;
        launch.group = GROUP_BELOW;
        assert_int_equal(group_open(&launch, &error), 0);
        assert_string_equal(group_name(&launch), u.made->plan.group_name);
        assert_int_equal(group_make(&launch, &error), 0);
        assert_int_equal(faccessat(u.fd, group_name(&launch), F_OK, 0), 0);
        group_remove(&launch);
        assert_int_equal(faccessat(u.fd, u.made->plan.group_name, F_OK, 0), -1);
        close(launch.cgroup_parent_fd);
        remove_unit(&u);
}

/* A service's own process, as the manager has started it. */
static void be_a_service(void *userdata) {
        struct unit *u = userdata;
        struct launch launch = LAUNCH_NONE;
        struct error error = { 0 };

        CHECK(cgroup_enter(u->fd) == 0);
        launch.plan = &u->made->plan;
        launch.group = GROUP_UNIT;
        CHECK(group_open(&launch, &error) == 0);
        CHECK(is_in(0, ".service/supervisor"));
        CHECK(strcmp(group_name(&launch), "payload") == 0);
        CHECK(group_make(&launch, &error) == 0);
        CHECK(faccessat(u->fd, "payload", F_OK, 0) == 0);
        group_remove(&launch);
        CHECK(faccessat(u->fd, "payload", F_OK, 0) < 0);
}

static void in_our_unit(void **state) {
        struct unit u;

        make_unit(*state, &u);
        assert_int_equal(run_child(be_a_service, &u), 0);
        remove_unit(&u);
}

static void wait_in_scope(void *userdata) {
        struct unit *u = userdata;

        CHECK(cgroup_enter(u->fd) == 0);
        pause();
}

static void in_a_scope(void **state) {
        struct unit u;
        struct launch launch = LAUNCH_NONE;
        struct error error = { 0 };

        make_unit(*state, &u);
        launch.plan = &u.made->plan;
        launch.group = GROUP_SCOPE;
        launch.leader = start_child(wait_in_scope, &u);
        for (int i = 0; i < 500 && !is_in(launch.leader, u.path); i++)
                usleep(10000);
        assert_true(group_scope_is_cgroup2(launch.leader, u.name));
        assert_false(group_scope_is_cgroup2(launch.leader, "another.scope"));
        assert_int_equal(group_open(&launch, &error), 0);
        assert_int_equal(group_make(&launch, &error), 0);
        assert_false(is_in(launch.leader, ".service/payload"));
        assert_int_equal(group_join(&launch, &error), 0);
        assert_true(is_in(launch.leader, ".service/payload"));
        assert_false(group_scope_is_cgroup2(launch.leader, u.name));
        assert_false(is_in(0, "supervisor"));
        kill(launch.leader, SIGKILL);
        wait_for(launch.leader);
        assert_false(group_scope_is_cgroup2(launch.leader, u.name));
        group_remove(&launch);
        close(launch.cgroup_parent_fd);
        remove_unit(&u);
}

static void a_place_that_is_gone(void **state) {
        struct unit u;
        struct launch launch = LAUNCH_NONE;
        struct error error = { 0 };

        make_unit(*state, &u);
        remove_unit(&u);
        launch.plan = &u.made->plan;
        launch.group = GROUP_BELOW;
        assert_int_equal(group_open(&launch, &error), -ENOENT);
        assert_non_null(strstr(error.text, u.path));
        assert_true(launch.cgroup_parent_fd < 0);
        u.made->probe.host.cgroup.path = NULL;
        assert_int_equal(group_open(&launch, &error), -EXDEV);
        group_remove(&launch);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(below_ours),
                MADE_TEST(in_our_unit),
                MADE_TEST(in_a_scope),
                MADE_TEST(a_place_that_is_gone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
