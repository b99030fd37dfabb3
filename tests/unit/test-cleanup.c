/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a run is removed, and nothing else; in a /run of our own. */
#include "launcher/cleanup.h"

#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>

#include "basic/cgroup.h"
#include "basic/text.h"
#include "helpers.h"
#include "launcher/state.h"

#define PROPAGATE "/run/systemd/nspawn/propagate"

static void open_scene(void) {
        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("run", "/run", "tmpfs", 0, NULL) == 0);
        CHECK(mkdir("/run/systemd", 0755) == 0 && mkdir("/run/systemd/nspawn", 0755) == 0 &&
              mkdir(PROPAGATE, 0700) == 0);
        CHECK(mkdir(PROPAGATE "/cleaned", 0600) == 0 && mkdir(PROPAGATE "/cleaned-not", 0600) == 0);
        CHECK(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/no-bus", 1) == 0);
}

static bool there(const char *path) {
        return access(path, F_OK) == 0;
}

static int clean(const char *machine, const char *directory, struct error *error) {
        struct spec spec;

        spec_init(&spec);
        spec.machine = machine ? strdup(machine) : NULL;
        spec.directory = directory ? strdup(directory) : NULL;
        int r = cleanup(&spec, error);
        spec_free(&spec);
        return r;
}

static void what_is_left(void *userdata) {
        struct state state = { .name = "cleaned", .supervisor = { getpid(), 1 } };
        struct state_place place = STATE_PLACE_NONE;
        struct error error = { 0 };

        (void) userdata;
        open_scene();
        CHECK(clean("not-there", NULL, &error) == 0);
        CHECK(state_take("cleaned", &place, &error) == 0 && state_write(&place, &state, &error) == 0);
        state_release(&place);
        CHECK(clean("cleaned", NULL, &error) == 0);
        CHECK(!there("/run/spawn") && !there(PROPAGATE "/cleaned") && there(PROPAGATE "/cleaned-not"));
        /* … by the name of the root; and once more, when there is nothing */
        CHECK(mkdir("/run/cleaned", 0755) == 0 && mkdir(PROPAGATE "/cleaned", 0600) == 0);
        CHECK(clean(NULL, "/run/cleaned", &error) == 0 && !there(PROPAGATE "/cleaned") && there("/run/cleaned"));
        CHECK(clean(NULL, "/run/cleaned", &error) == 0);
}

static void one_that_runs(void *userdata) {
        struct state state = { .name = "cleaned", .supervisor = { getpid(), process_start(getpid()) } };
        struct state_place place = STATE_PLACE_NONE;
        struct error error = { 0 };

        (void) userdata;
        open_scene();
        CHECK(state_take("cleaned", &place, &error) == 0 && state_write(&place, &state, &error) == 0);
        CHECK(clean("cleaned", NULL, &error) == -EBUSY);
        CHECK(strstr(error.text, "the machine cleaned runs (process ") && there(PROPAGATE "/cleaned"));
        CHECK(there("/run/spawn/cleaned/state"));
}

static void no_name(void *userdata) {
        struct error error = { 0 };

        (void) userdata;
        CHECK(clean(NULL, NULL, &error) == -EINVAL && strstr(error.text, "--cleanup needs to know which machine"));
        CHECK(clean(NULL, "/", &error) == -EINVAL);
}

static void a_group(void **state) {
        _cleanup_free_ char *ours = NULL;
        char dead[64], alive[64];
        struct error error = { 0 };
        struct stat st;

        (void) state;
        need_root();
        if (cgroup_path(0, &ours) < 0) {
                print_message("our group is not in our cgroup namespace\n");
                skip();
        }
        _cleanup_close_ int fd = cgroup_open(ours);
        assert_true(fd >= 0);
        pid_t gone = start_child(no_name, NULL);
        assert_int_equal(wait_for(gone), 0);
        snprintf(dead, sizeof dead, "spawn-test-cleanup-%d", (int) gone);
        snprintf(alive, sizeof alive, "spawn-test-cleanup-%d", (int) getpid());
        assert_int_equal(mkdirat(fd, dead, 0755), 0);
        assert_int_equal(mkdirat(fd, alive, 0755), 0);
        int r = clean("test-cleanup", NULL, &error);
        int dead_stays = fstatat(fd, dead, &st, 0), alive_stays = unlinkat(fd, alive, AT_REMOVEDIR);
        (void) unlinkat(fd, dead, AT_REMOVEDIR);
        assert_int_equal(r, 0);
        assert_int_equal(dead_stays, -1);
        assert_int_equal(alive_stays, 0);
}

static void (*const scenes[])(void *) = { what_is_left, one_that_runs, no_name };

static void all_scenes(void **state) {
        (void) state;
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(scenes); i++)
                assert_int_equal(run_child(scenes[i], NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(all_scenes), cmocka_unit_test(a_group) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
