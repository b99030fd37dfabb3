/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is seen of the host, compared with what the test sees itself; and of hosts that are made in a mount namespace.
 */
#include <linux/capability.h>
#include <pty.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "basic/syscalls.h"
#include "helpers.h"
#include "launcher/probe.h"

struct fixture {
        struct spec spec;
        struct probe probe;
        struct error error;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        spec_init(&f->spec);
        f->probe.root = (struct root_probe){ .fd = -EBADF, .lock_fd = -EBADF };
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        probe_free(&f->probe);
        spec_free(&f->spec);
        free(f);
        return 0;
}

static const struct host_probe *look(struct fixture *f) {
        char *environment[] = { (char *) "A=1", (char *) "B=", (char *) "TERM=x", NULL };

        probe_free(&f->probe);
        f->probe = (struct probe){ .root = { .fd = -EBADF, .lock_fd = -EBADF } };
        CHECK(probe_host(&f->spec, environment, 5, &f->probe.host, &f->error) == 0);
        return &f->probe.host;
}

static void this_host(void **state) {
        struct fixture *f = *state;
        const struct host_probe *h = look(f);
        struct utsname names;
        struct rlimit limit;
        char cwd[4096], text[32] = "";

        assert_int_equal(h->root, geteuid() == 0);
        assert_int_equal(h->stream_was_closed, 5);
        assert_int_equal(uname(&names), 0);
        assert_string_equal(h->host_name, names.nodename);
        assert_string_equal(h->working_directory, getcwd(cwd, sizeof cwd));
        assert_int_equal(h->environ.count, 3);
        assert_string_equal(strv_getenv(&h->environ, "A"), "1");
        assert_string_equal(strv_getenv(&h->environ, "B"), "");
        _cleanup_close_ int fd = open("/proc/sys/fs/nr_open", O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, text, sizeof text - 1) > 0);
        assert_int_equal(h->nr_open, strtoull(text, NULL, 10));
        if (prlimit(1, RLIMIT_NPROC, NULL, &limit) == 0) {
                assert_int_equal(h->init_nproc.rlim_cur, limit.rlim_cur);
                assert_int_equal(h->init_nproc.rlim_max, limit.rlim_max);
        }
        assert_int_equal(h->has_kcore, access("/proc/kcore", F_OK) == 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(h->stream_is_terminal[i], isatty(i));
}

/* Only what the spec makes matter is looked at. */
static void what_nobody_asks_for_is_not_looked_at(void **state) {
        struct fixture *f = *state;

        f->spec.start = START_COMMAND;
        f->spec.resolv_conf = RESOLV_CONF_OFF;
        f->spec.timezone = TIMEZONE_OFF;
        const struct host_probe *h = look(f);
        assert_int_equal(h->devices.count, 0);
        assert_false(h->resolv_conf || h->resolv_static || h->resolv_uplink || h->resolv_stub || h->localtime);
        assert_null(h->zone);
}

static void our_own_group(void **state) {
        char *text = NULL, line[4096];
        struct fixture *f = *state;

        f->spec.start = START_BOOT;
        const struct host_probe *h = look(f);
        _cleanup_close_ int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_read_file(fd, 65536, &text, NULL), 0);
        assert_int_equal(h->cgroup.available, !strstr(text, "0::/.."));
        if (h->cgroup.available) {
                snprintf(line, sizeof line, "0::%s\n", h->cgroup.path);
                assert_true(strstr(text, line) || !strstr(text, "0::/"));
        }
        free(text);
}

static void terminals_are_seen(void *userdata) {
        struct fixture *f = userdata;
        int master, peer;

        CHECK(openpty(&master, &peer, NULL, NULL, NULL) == 0);
        CHECK(dup2(peer, 1) == 1);
        close(0);
        const struct host_probe *h = look(f);
        CHECK(!h->stream_is_terminal[0] && h->stream_is_terminal[1]);
}

static void streams(void **state) {
        assert_int_equal(run_child(terminals_are_seen, *state), 0);
}

static void capabilities_held(void *userdata) {
        struct fixture *f = userdata;
        struct capability_sets sets;

        CHECK(sys_capget(&sets) == 0);
        uint64_t before = look(f)->bounding;
        CHECK(before & (UINT64_C(1) << CAP_CHOWN));
        CHECK(look(f)->root);
        CHECK(setresuid(12345, 12345, 12345) == 0);
        CHECK(!look(f)->root);
}

static void capabilities(void **state) {
        need_root();
        assert_int_equal(run_child(capabilities_held, *state), 0);
}

/* A tmpfs on DIRECTORY, for this process alone. */
static void cover(const char *directory) {
        int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);

        CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
        int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
        CHECK(sys_move_mount(mount, "", AT_FDCWD, directory, MOVE_MOUNT_F_EMPTY_PATH) == 0);
        close(mount);
        close(fs);
}

static void put(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
        close(fd);
}

static void private_mounts(void) {
        struct mount_attr private = { .propagation = 1UL << 18 };

        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private) == 0);
}

static void look_at_files(void *userdata) {
        struct fixture *f = userdata;

        private_mounts();
        cover("/etc");
        const struct host_probe *h = look(f);
        CHECK(!h->resolv_conf && !h->localtime && !h->zone);
        put("/etc/resolv.conf", "nameserver 127.0.0.1\n");
        put("/etc/os-release", "ID=made\n");
        CHECK(symlink("/usr/share/zoneinfo/Mars/Base", "/etc/localtime") == 0);
        h = look(f);
        CHECK(h->resolv_conf && text_equal(h->os_release, "ID=made\n"));
        CHECK(text_equal(h->zone, "Mars/Base") && !h->localtime); /* a link to nothing */
        unlink("/etc/localtime");
        put("/etc/localtime", "TZif");
        h = look(f);
        CHECK(!h->zone && h->localtime);
        unlink("/etc/localtime");
        CHECK(symlink("/etc/resolv.conf", "/etc/localtime") == 0);
        CHECK(!look(f)->zone); /* in no zone directory */
        /* A FIFO is not waited for, a huge file not read. */
        unlink("/etc/os-release");
        CHECK(mkfifo("/etc/os-release", 0644) == 0);
        (void) look(f);
        unlink("/etc/os-release");
        put("/etc/os-release", "");
        CHECK(truncate("/etc/os-release", PROBE_TEXT_LIMIT + 1) == 0);
        h = look(f);
        CHECK(!h->os_release || strlen(h->os_release) <= PROBE_TEXT_LIMIT);
}

static void files_of_the_host(void **state) {
        struct fixture *f = *state;

        need_root();
        f->spec.resolv_conf = RESOLV_CONF_AUTO;
        f->spec.timezone = TIMEZONE_AUTO;
        assert_int_equal(run_child(look_at_files, f), 0);
}

static void look_at_devices(void *userdata) {
        struct fixture *f = userdata;

        private_mounts();
        cover("/dev");
        const struct host_probe *h = look(f);
        CHECK(!h->has_fuse && !h->has_tun);
        put("/dev/fuse", "");
        CHECK(mkdir("/dev/net", 0755) == 0 && mkdir("/dev/net/tun", 0755) == 0);
        h = look(f);
        CHECK(h->has_fuse && !h->has_tun);
}

static void devices_of_the_host(void **state) {
        need_root();
        assert_int_equal(run_child(look_at_devices, *state), 0);
}

/* The group as a process sees it that has a cgroup namespace and was put elsewhere is not ours to use. */
static void look_at_groups(void *userdata) {
        static const struct {
                const char *text, *path;
        } cases[] = {
                { "0::/\n", "/" },
                { "0::/a/b\n", "/a/b" },
                { "12:cpu,cpuacct:/x\n1:name=systemd:/y\n0::/user.slice\n", "/user.slice" },
                { "0::/../x\n", NULL },
                /* A host whose cgroup2 nobody has mounted yet. */
                { "12:cpu:/x\n", "/" },
                { "1:name=0::/fake:/y\n", "/" },
                { "1:name=0::/fake:/y\n0::/x\n", "/x" },
                { "", "/" },
        };
        struct fixture *f = userdata;
        char path[] = "/tmp/test-probe-XXXXXX";
        int file = mkstemp(path);

        private_mounts();
        CHECK(file >= 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                put(path, cases[i].text);
                int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
                CHECK(tree >= 0);
                CHECK(sys_move_mount(tree, "", AT_FDCWD, "/proc/self/cgroup", MOVE_MOUNT_F_EMPTY_PATH) == 0);
                const struct cgroup_place *place = &look(f)->cgroup;
                bool right = text_equal(place->path, cases[i].path) && place->available == (cases[i].path != NULL);
                CHECK(sys_umount2("/proc/self/cgroup", 2) == 0);
                close(tree);
                if (!right)
                        unlink(path);
                CHECK(right);
        }
        unlink(path);
}

static void groups_of_all_kinds(void **state) {
        struct fixture *f = *state;

        need_root();
        f->spec.start = START_BOOT;
        assert_int_equal(run_child(look_at_groups, f), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(this_host),           TEST(what_nobody_asks_for_is_not_looked_at),
                TEST(our_own_group),       TEST(streams),
                TEST(capabilities),        TEST(files_of_the_host),
                TEST(devices_of_the_host), TEST(groups_of_all_kinds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
