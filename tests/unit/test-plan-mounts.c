/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file systems of a container: which there are, in which order, with which flags and nodes. */
#include <linux/mount.h>
#include <sys/sysmacros.h>

#include "made.h"

enum { LOCKED = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

static const struct tree_entry *entry(const struct made *m, const char *target, const char *path) {
        const struct mount_op *op = made_mount(m, target);

        for (size_t i = 0; op && i < op->n_entries; i++)
                if (text_equal(op->entries[i].path, path))
                        return &op->entries[i];
        return NULL;
}

static void what_must_be_masked_is_masked(void **state) {
        static const char *const masked[] = { "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/sysrq-trigger",
                                              "/proc/timer_list" };
        static const char *const read_only[] = { "/proc/sys", "/proc/irq", "/proc/bus", "/sys", "/run/host" };
        const uint64_t all = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
        struct made *m = *state;

        assert_int_equal(made_try(m), 0);
        for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
                assert_non_null(made_mount(m, masked[i]));
                assert_int_equal(made_mount(m, masked[i])->kind, MOUNT_MASK);
        }
        for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++)
                assert_int_equal(made_mount(m, read_only[i])->attributes & all, all);
}

static void writable_api_means_no_masks(void **state) {
        struct made *m = *state;

        m->spec.api_vfs = API_VFS_WRITABLE;
        assert_int_equal(made_try(m), 0);
        assert_null(made_mount(m, "/proc/kcore"));
        assert_null(made_mount(m, "/proc/sys"));
        assert_non_null(made_mount(m, "/sys"));
        assert_false(made_mount(m, "/sys")->attributes & MOUNT_ATTR_RDONLY);
}

static void custom_mounts_come_last_and_in_order(void **state) {
        struct made *m = *state;
        struct mount_op deep = {
                .kind = MOUNT_NEW, .target = strdup("/a/b"), .type = strdup("tmpfs"), .origin = strdup("--tmpfs")
        };
        struct mount_op shallow = {
                .kind = MOUNT_NEW, .target = strdup("/a"), .type = strdup("tmpfs"), .origin = strdup("--tmpfs")
        };

        assert_int_equal(mount_list_add(&m->spec.mounts, &deep), 0);
        assert_int_equal(mount_list_add(&m->spec.mounts, &shallow), 0);
        assert_int_equal(made_try(m), 0);
        const struct mount_list *l = &m->plan.mounts;
        assert_string_equal(l->ops[l->count - 2].target, "/a");
        assert_string_equal(l->ops[l->count - 1].target, "/a/b");
}

/* What lies below another mount comes after it. */
static void parents_come_first(void **state) {
        struct made *m = *state;

        m->spec.start = START_BOOT;
        m->spec.private_network = true;
        made_plan(m);
        const struct mount_list *l = &m->plan.mounts;
        for (size_t i = 0; i < l->count; i++)
                for (size_t k = i + 1; k < l->count; k++) {
                        size_t n = strlen(l->ops[k].target);
                        if (strncmp(l->ops[i].target, l->ops[k].target, n) == 0 && l->ops[i].target[n] == '/')
                                fail_msg("%s comes before %s", l->ops[i].target, l->ops[k].target);
                }
}

/* A new instance of a file system that belongs to a namespace is made in there, everything else before. */
static void sides(void **state) {
        static const char *const child[] = { "proc", "sysfs", "mqueue", "cgroup2" };
        struct made *m = *state;

        m->spec.start = START_BOOT;
        made_plan(m);
        for (size_t i = 0; i < m->plan.mounts.count; i++) {
                const struct mount_op *op = &m->plan.mounts.ops[i];
                bool inside = false;
                if (op->kind != MOUNT_NEW)
                        continue;
                for (size_t k = 0; k < ELEMENTSOF(child); k++)
                        inside |= text_equal(op->type, child[k]);
                assert_int_equal(op->side, inside ? SIDE_CHILD : SIDE_PARENT);
                assert_true(op->attributes & MOUNT_ATTR_NOSUID);
                assert_string_equal(op->origin, "default");
        }
}

/* The image has no say in where these lie. */
static void mount_points_of_the_image_are_no_links(void **state) {
        static const char *const top[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };
        struct made *m = *state;

        m->spec.start = START_BOOT;
        made_plan(m);
        for (size_t i = 0; i < ELEMENTSOF(top); i++) {
                const struct mount_op *op = made_mount(m, top[i]);
                assert_non_null(op);
                assert_true(op->real_directory && op->create && !op->optional);
        }
}

static void devices(void **state) {
        static const struct {
                const char *path;
                unsigned major, minor;
        } nodes[] = { { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
                      { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
        static const char *const links[][2] = { { "fd", "/proc/self/fd" },
                                                { "stdin", "/proc/self/fd/0" },
                                                { "stdout", "/proc/self/fd/1" },
                                                { "stderr", "/proc/self/fd/2" },
                                                { "ptmx", "pts/ptmx" } };
        struct made *m = *state;

        made_plan(m);
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                const struct tree_entry *e = entry(m, "/dev", nodes[i].path);
                assert_non_null(e);
                assert_int_equal(e->kind, ENTRY_CHARACTER);
                assert_int_equal(e->device, makedev(nodes[i].major, nodes[i].minor));
                assert_int_equal(e->mode, 0666);
        }
        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                assert_non_null(entry(m, "/dev", links[i][0]));
                assert_string_equal(entry(m, "/dev", links[i][0])->content, links[i][1]);
        }
        /* Nothing else that is a device. */
        const struct mount_op *dev = made_mount(m, "/dev");
        size_t devices = 0;
        for (size_t i = 0; i < dev->n_entries; i++)
                devices += dev->entries[i].kind == ENTRY_CHARACTER || dev->entries[i].kind == ENTRY_BLOCK;
        assert_int_equal(devices, ELEMENTSOF(nodes));
}

/* Nodes that a host may lack, and links to what may not be there. */
static void devices_that_depend_on_the_host(void **state) {
        static const char *const paths[] = { "core", "fuse", "net/tun", "console" };
        struct made *m = *state;

        for (unsigned bits = 0; bits < 16; bits++) {
                m->probe.host.has_kcore = bits & 1;
                m->probe.host.has_fuse = bits & 2;
                m->probe.host.has_tun = bits & 4;
                m->spec.console = bits & 8 ? CONSOLE_PASSIVE : CONSOLE_PIPE;
                made_plan(m);
                for (unsigned i = 0; i < ELEMENTSOF(paths); i++)
                        assert_int_equal(entry(m, "/dev", paths[i]) != NULL, (bits >> i) & 1);
        }
        assert_int_equal(entry(m, "/dev", "fuse")->device, makedev(10, 229));
        assert_int_equal(entry(m, "/dev", "net/tun")->device, makedev(10, 200));
        assert_true(entry(m, "/dev", "fuse")->optional); /* a device cgroup may deny it */
        assert_string_equal(entry(m, "/dev", "console")->content, "pts/0");
}

static void what_the_payload_is_told_of_the_host(void **state) {
        char uuid[ID128_DASHED_SIZE + 1];
        struct made *m = *state;

        made_plan(m);
        assert_string_equal(entry(m, "/run/host", "container-manager")->content, "systemd-nspawn\n");
        assert_string_equal(entry(m, "/run/host", "os-release")->content, m->probe.host.os_release);
        id128_dashed(&m->plan.machine_id, uuid);
        strcat(uuid, "\n");
        assert_string_equal(entry(m, "/run/host", "container-uuid")->content, uuid);
        id128_dashed(&m->plan.boot_id, uuid);
        strcat(uuid, "\n");
        assert_string_equal(entry(m, "/run/host", "proc-sys-kernel-random-boot-id")->content, uuid);
        assert_string_equal(made_mount(m, "/proc/sys/kernel/random/boot_id")->source,
                            "/run/host/proc-sys-kernel-random-boot-id");
        assert_int_equal(made_mount(m, "/run/host")->attributes & LOCKED, LOCKED);
        m->probe.host.os_release = NULL;
        made_plan(m);
        assert_null(entry(m, "/run/host", "os-release"));
        assert_non_null(entry(m, "/run/host", "container-uuid"));
}

/* Masks are made of nodes that nobody may open. */
static void masks_have_their_nodes(void **state) {
        static const char *const nodes[] = { "reg", "dir", "fifo", "sock", "chr", "blk" };
        struct made *m = *state;

        made_plan(m);
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                char path[32];
                snprintf(path, sizeof path, "inaccessible/%s", nodes[i]);
                const struct tree_entry *e = entry(m, "/run/host", path);
                assert_non_null(e);
                assert_int_equal(e->mode, 0);
        }
}

static void tmp_is_a_boots(void **state) {
        static const struct {
                enum start_mode start;
                int asked; /* -1: not */
                bool there;
        } cases[] = { { START_BOOT, -1, true }, { START_COMMAND, -1, false }, { START_SHELL, -1, false },
                      { START_BOOT, 0, false }, { START_COMMAND, 1, true },   { START_COMMAND, 0, false },
                      { START_SHELL, 1, true } };
        struct made *m = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                m->spec.start = cases[i].start;
                m->spec.origin[SETTING_TMPFS_TMP] = cases[i].asked >= 0 ? "$SYSTEMD_NSPAWN_TMPFS_TMP" : NULL;
                m->spec.tmpfs_tmp = cases[i].asked > 0;
                made_plan(m);
                assert_int_equal(made_mount(m, "/tmp") != NULL, cases[i].there);
        }
}

static void api_file_systems_by_mode(void **state) {
        struct made *m = *state;

        for (int net = 0; net < 2; net++)
                for (int api = API_VFS_READ_ONLY; api <= API_VFS_WRITABLE; api++) {
                        m->spec.private_network = net;
                        m->spec.api_vfs = (enum api_vfs) api;
                        made_plan(m);
                        bool writable = api == API_VFS_WRITABLE;
                        assert_int_equal(made_mount(m, "/proc/sys") != NULL, !writable);
                        assert_int_equal(made_mount(m, "/proc/sys/net") != NULL,
                                         !writable && (net || api == API_VFS_NETWORK));
                        assert_int_equal(made_mount(m, "/sys/firmware") != NULL, net && !writable);
                        assert_int_equal(made_mount(m, "/sys")->attributes & MOUNT_ATTR_RDONLY,
                                         writable ? 0 : MOUNT_ATTR_RDONLY);
                        /* Of the container, not of the host's: shown in all. */
                        assert_non_null(made_mount(m, "/proc/sys/kernel/random/boot_id"));
                }
}

/* The plan has copies: it outlives what was parsed, and the other way round. */
static void custom_mounts_are_copied(void **state) {
        struct mount_op op = { .kind = MOUNT_BIND,
                               .recursive = true,
                               .attributes = MOUNT_ATTR_RDONLY,
                               .target = strdup("/to"),
                               .source = strdup("/from"),
                               .origin = strdup("--bind-ro") };
        struct made *m = *state;

        assert_int_equal(mount_list_add(&m->spec.mounts, &op), 0);
        made_plan(m);
        const struct mount_op *copy = made_mount(m, "/to"), *asked = &m->spec.mounts.ops[0];
        assert_true(copy->recursive && copy->kind == MOUNT_BIND && copy->attributes == MOUNT_ATTR_RDONLY);
        assert_string_equal(copy->source, "/from");
        assert_string_equal(copy->origin, "--bind-ro");
        assert_null(copy->type);
        assert_ptr_not_equal(copy->target, asked->target);
        assert_ptr_not_equal(copy->source, asked->source);
        assert_string_equal(asked->target, "/to");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(what_must_be_masked_is_masked),
                MADE_TEST(writable_api_means_no_masks),
                MADE_TEST(custom_mounts_come_last_and_in_order),
                MADE_TEST(parents_come_first),
                MADE_TEST(sides),
                MADE_TEST(mount_points_of_the_image_are_no_links),
                MADE_TEST(devices),
                MADE_TEST(devices_that_depend_on_the_host),
                MADE_TEST(what_the_payload_is_told_of_the_host),
                MADE_TEST(masks_have_their_nodes),
                MADE_TEST(tmp_is_a_boots),
                MADE_TEST(api_file_systems_by_mode),
                MADE_TEST(custom_mounts_are_copied),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
