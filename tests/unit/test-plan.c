/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans from invented hosts and roots: no root is needed, nothing is changed. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/capability.h"
#include "made.h"

static bool has_entry(const struct made *m, const char *target, const char *path) {
        const struct mount_op *op = made_mount(m, target);

        for (size_t i = 0; op && i < op->n_entries; i++)
                if (text_equal(op->entries[i].path, path))
                        return true;
        return false;
}

static void a_boot_gets_everything(void **state) {
        struct made *m = *state;

        m->spec.start = START_BOOT;
        assert_int_equal(made_try(m), 0);
        assert_string_equal(m->plan.machine, "foobar-x");
        assert_int_equal(m->plan.group, GROUP_BELOW);
        assert_int_equal(m->plan.console, CONSOLE_READ_ONLY);
        assert_non_null(made_mount(m, "/tmp"));
        assert_true(has_entry(m, "/dev", "console"));
        assert_false(made_mount(m, "/sys/fs/cgroup")->attributes & MOUNT_ATTR_RDONLY);
        assert_int_equal(m->plan.namespaces,
                         CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP);
        assert_null(strv_getenv(&m->plan.environment, "LANG"));
        assert_string_equal(strv_getenv(&m->plan.environment, "container"), "systemd-nspawn");
        assert_string_equal(strv_getenv(&m->plan.environment, "container_host_id"), "host");
        assert_string_equal(strv_getenv(&m->plan.environment, "container_host_version_id"), "7");
}

static void a_command_pays_for_less(void **state) {
        struct made *m = *state;

        m->spec.start = START_COMMAND;
        assert_int_equal(made_try(m), 0);
        assert_int_equal(m->plan.group, GROUP_BELOW);
        assert_int_equal(m->plan.console, CONSOLE_PIPE);
        assert_null(made_mount(m, "/tmp"));
        assert_false(has_entry(m, "/dev", "console"));
        assert_false(made_mount(m, "/sys/fs/cgroup")->attributes & MOUNT_ATTR_RDONLY);
        assert_string_equal(strv_getenv(&m->plan.environment, "LANG"), "C.UTF-8");
        assert_string_equal(strv_getenv(&m->plan.environment, "TERM"), "dumb");
}

static void without_a_group_the_callers_is_seen(void **state) {
        struct made *m = *state;

        m->probe.host.cgroup.available = false;
        assert_int_equal(made_try(m), 0);
        assert_int_equal(m->plan.group, GROUP_NONE);
        assert_true(made_mount(m, "/sys/fs/cgroup")->attributes & MOUNT_ATTR_RDONLY);
        assert_false(m->plan.device_filter);
}

static void a_private_network_brings_its_capability_and_its_part_of_proc(void **state) {
        struct made *m = *state;

        m->spec.private_network = true;
        assert_int_equal(made_try(m), 0);
        assert_true(m->plan.namespaces & CLONE_NEWNET);
        assert_true(m->plan.bounding & (UINT64_C(1) << CAP_NET_ADMIN));
        assert_non_null(made_mount(m, "/proc/sys/net"));
        assert_true(made_mount(m, "/proc/sys/net")->clear & MOUNT_ATTR_RDONLY);
        assert_non_null(made_mount(m, "/sys/firmware"));
}

static void capabilities_add_up_and_dropping_wins(void **state) {
        struct made *m = *state;
        const uint64_t ipc_lock = UINT64_C(1) << CAP_IPC_LOCK, chown = UINT64_C(1) << CAP_CHOWN;

        m->spec.capabilities_added = ipc_lock | chown;
        m->spec.capabilities_dropped = chown;
        assert_int_equal(made_try(m), 0);
        assert_int_equal(m->plan.bounding, (CAPABILITY_DEFAULT | ipc_lock) & ~chown);
}

static void ambient_must_be_held(void **state) {
        struct made *m = *state;

        m->spec.capabilities_ambient = UINT64_C(1) << CAP_SYS_MODULE;
        assert_int_equal(made_try(m), -EINVAL);
        assert_non_null(strstr(m->error.text, "--ambient-capability"));
        assert_true(m->error.hint[0]);
}

static void identity_of_the_tree_wins(void **state) {
        char text[ID128_PLAIN_SIZE];
        struct made *m = *state;

        m->probe.root.machine_id_text = (char *) "0123456789abcdef0123456789abcdef";
        m->spec.origin[SETTING_UUID] = "--uuid";
        assert_int_equal(id128_parse("ffffffffffffffffffffffffffffffff", &m->spec.uuid), 0);
        assert_int_equal(made_try(m), 0);
        id128_plain(&m->plan.machine_id, text);
        assert_string_equal(text, "0123456789abcdef0123456789abcdef");
        m->probe.root.machine_id_text = (char *) "uninitialized";
        assert_int_equal(made_try(m), 0);
        id128_plain(&m->plan.machine_id, text);
        assert_string_equal(text, "ffffffffffffffffffffffffffffffff");
}

static void a_root_without_init_is_refused_for_a_boot_only(void **state) {
        struct made *m = *state;

        m->probe.root.init_path = NULL;
        m->spec.start = START_SHELL;
        assert_int_equal(made_try(m), 0);
        m->spec.start = START_BOOT;
        assert_int_equal(made_try(m), -ENOENT);
        assert_non_null(strstr(m->error.text, "no init"));
}

static void the_hosts_own_root_is_refused(void **state) {
        struct made *m = *state;

        m->probe.root.is_host_root = true;
        assert_int_equal(made_try(m), -EINVAL);
}

static void nameless_roots_ask_for_a_name(void **state) {
        struct made *m = *state;

        m->probe.root.real_path = (char *) "/srv/___";
        assert_int_equal(made_try(m), -EINVAL);
        assert_non_null(strstr(m->error.hint, "--machine"));
}

/* All eight combinations of terminals at 0, 1 and 2, for a command and a boot. */
static void the_console_is_chosen_by_the_streams(void **state) {
        (void) state;
        for (unsigned i = 0; i < 8; i++) {
                const bool tty[3] = { i & 1, i & 2, i & 4 };
                bool both = tty[0] && tty[1];
                assert_int_equal(console_resolve(CONSOLE_DEFAULT, START_COMMAND, tty),
                                 both ? CONSOLE_INTERACTIVE : CONSOLE_PIPE);
                assert_int_equal(console_resolve(CONSOLE_DEFAULT, START_BOOT, tty),
                                 both ? CONSOLE_INTERACTIVE : CONSOLE_READ_ONLY);
                assert_int_equal(console_resolve(CONSOLE_AUTOPIPE, START_BOOT, tty),
                                 both ? CONSOLE_INTERACTIVE : CONSOLE_PIPE);
                assert_int_equal(console_resolve(CONSOLE_PASSIVE, START_BOOT, tty), CONSOLE_PASSIVE);
                assert_int_equal(console_resolve(CONSOLE_INTERACTIVE, START_COMMAND, tty), CONSOLE_INTERACTIVE);
        }
}

static void what_needs_a_console_is_refused_without(void **state) {
        struct made *m = *state;

        m->spec.console_safe = true;
        m->spec.console = CONSOLE_PASSIVE;
        assert_int_equal(made_try(m), 0);
        m->spec.console = CONSOLE_PIPE;
        assert_int_equal(made_try(m), -EINVAL);
        assert_string_equal(m->error.text, "--console-filter=safe needs a console, and in pipe mode there is none");
        m->spec.console = CONSOLE_DEFAULT;
        m->spec.record = strdup("/r");
        assert_int_equal(made_try(m), -EINVAL);
        assert_non_null(strstr(m->error.text, "--record needs a console"));
        assert_non_null(strstr(m->error.text, "no terminal"));
        assert_true(m->error.hint[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(a_boot_gets_everything),
                MADE_TEST(a_command_pays_for_less),
                MADE_TEST(without_a_group_the_callers_is_seen),
                MADE_TEST(a_private_network_brings_its_capability_and_its_part_of_proc),
                MADE_TEST(capabilities_add_up_and_dropping_wins),
                MADE_TEST(ambient_must_be_held),
                MADE_TEST(identity_of_the_tree_wins),
                MADE_TEST(a_root_without_init_is_refused_for_a_boot_only),
                MADE_TEST(the_hosts_own_root_is_refused),
                MADE_TEST(nameless_roots_ask_for_a_name),
                MADE_TEST(the_console_is_chosen_by_the_streams),
                MADE_TEST(what_needs_a_console_is_refused_without),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
