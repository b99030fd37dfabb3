/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is seen of a root: trees in which links lead out, files are no files, and inits are of many kinds. */
#include "launcher/probe.h"

#include "helpers.h"

struct fixture {
        char path[32];
        int fd;
        struct spec spec;
        struct probe probe;
        struct error error;
};

static int set_up(void **state) {
        static const char *const directories[] = { "etc",
                                                   "usr",
                                                   "usr/lib",
                                                   "sbin",
                                                   "bin",
                                                   "run",
                                                   "usr/share",
                                                   "usr/share/zoneinfo",
                                                   "usr/share/zoneinfo/Europe" };
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-probe-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(f->fd, directories[i], 0755) < 0)
                        return -1;
        spec_init(&f->spec);
        f->spec.directory = strdup(f->path);
        f->spec.start = START_BOOT;
        f->probe.root = (struct root_probe){ .fd = -EBADF, .lock_fd = -EBADF };
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        f->probe.host.zone = NULL; /* a constant in here */
        probe_free(&f->probe);
        spec_free(&f->spec);
        close(f->fd);
        remove_tree_at(f->path);
        free(f);
        return 0;
}

/* Looks, again if it has looked before. */
static const struct root_probe *look(struct fixture *f) {
        char *zone = f->probe.host.zone;

        f->probe.host.zone = NULL;
        probe_free(&f->probe);
        f->probe = (struct probe){ .root = { .fd = -EBADF, .lock_fd = -EBADF } };
        f->probe.host.zone = zone;
        if (probe_root(&f->spec, &f->probe.host, &f->probe.root, &f->error) < 0)
                fail_msg("%s", f->error.text);
        return &f->probe.root;
}

static void put_link(struct fixture *f, const char *target, const char *path) {
        unlinkat(f->fd, path, 0);
        assert_int_equal(symlinkat(target, f->fd, path), 0);
}

static void an_empty_tree(void **state) {
        struct fixture *f = *state;
        const struct root_probe *r = look(f);
        struct stat st;

        assert_string_equal(r->path, f->path);
        assert_string_equal(r->real_path, f->path);
        assert_int_equal(fstat(r->fd, &st), 0);
        assert_true(st.st_ino == r->inode && st.st_dev == r->device);
        assert_int_equal(fcntl(r->fd, F_GETFD) & fcntl(r->lock_fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(r->lock_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        assert_false(r->is_host_root || r->has_os_release || r->has_resolv_conf || r->has_localtime);
        assert_null(r->init_path);
        assert_null(r->machine_id_text);
        assert_ptr_equal(r->init, init_unknown());
}

static void roots_that_are_none(void **state) {
        static const struct {
                const char *path, *says, *hint;
                int r;
        } cases[] = {
                { "/no/such/root", "cannot open the root directory /no/such/root: No such", "--directory", -ENOENT },
                { "/dev/null", "/dev/null is not a directory", "", -ENOTDIR },
                { "/dev/null/x", "/dev/null/x", "", -ENOTDIR },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct probe p;
                free(f->spec.directory);
                f->spec.directory = strdup(cases[i].path);
                f->error = (struct error){ 0 };
                memset(&p, 0, sizeof p);
                int r = probe_root(&f->spec, &p.host, &p.root, &f->error);
                if (r != cases[i].r || !strstr(f->error.text, cases[i].says) || !strstr(f->error.hint, cases[i].hint))
                        fail_msg("%s: %d %s (%s)", cases[i].path, r, f->error.text, f->error.hint);
                probe_free(&p); /* what was opened is in there */
        }
}

static void the_hosts_root_is_known(void **state) {
        struct fixture *f = *state;

        free(f->spec.directory);
        f->spec.directory = strdup("/proc/self/root");
        assert_true(look(f)->is_host_root);
        free(f->spec.directory);
        f->spec.directory = strdup(f->path);
        assert_false(look(f)->is_host_root);
}

/* The directory itself is the user's: a link there is followed, and what it leads to is told. */
static void the_path_of_the_root_is_the_users(void **state) {
        char link[64];
        struct fixture *f = *state;

        snprintf(link, sizeof link, "%s-link", f->path);
        assert_int_equal(symlink(f->path, link), 0);
        free(f->spec.directory);
        f->spec.directory = strdup(link);
        const struct root_probe *r = look(f);
        unlink(link);
        assert_string_equal(r->path, link);
        assert_string_equal(r->real_path, f->path);
}

/* A link that is absolute stays in the tree; one that leads out of it leads to its top. */
static void os_release(void **state) {
        struct fixture *f = *state;

        put_text(f->fd, "usr/lib/os-release", "ID=x\n");
        assert_true(look(f)->has_os_release);
        put_link(f, "/usr/lib/os-release", "etc/os-release");
        assert_true(look(f)->has_os_release);
        put_link(f, "../../../../../usr/lib/os-release", "etc/os-release");
        assert_true(look(f)->has_os_release);
        unlinkat(f->fd, "usr/lib/os-release", 0);
        put_link(f, "/etc/passwd", "etc/os-release"); /* there is one on the host only */
        assert_false(look(f)->has_os_release);
        put_link(f, "../../../../../../etc/passwd", "etc/os-release");
        assert_false(look(f)->has_os_release);
        put_link(f, "os-release", "etc/os-release");
        assert_false(look(f)->has_os_release);
        put_link(f, "/proc/self/root/etc/passwd", "etc/os-release");
        assert_false(look(f)->has_os_release);
        unlinkat(f->fd, "etc/os-release", 0);
        assert_int_equal(mkfifoat(f->fd, "etc/os-release", 0644), 0); /* and nobody waits */
        assert_false(look(f)->has_os_release);
        unlinkat(f->fd, "etc/os-release", 0);
        assert_int_equal(mkdirat(f->fd, "etc/os-release", 0755), 0);
        assert_false(look(f)->has_os_release);
}

static void machine_ids(void **state) {
        struct fixture *f = *state;
        char large[8192];

        put_text(f->fd, "etc/machine-id", "0123456789abcdef0123456789abcdef\nmore\n");
        assert_string_equal(look(f)->machine_id_text, "0123456789abcdef0123456789abcdef");
        put_text(f->fd, "etc/machine-id", "uninitialized");
        assert_string_equal(look(f)->machine_id_text, "uninitialized");
        put_text(f->fd, "etc/machine-id", "");
        assert_string_equal(look(f)->machine_id_text, "");
        memset(large, 'a', sizeof large);
        put_bytes(f->fd, "etc/machine-id", large, sizeof large, 0644);
        assert_null(look(f)->machine_id_text);
        put_link(f, "/proc/sys/kernel/random/uuid", "etc/machine-id");
        assert_null(look(f)->machine_id_text);
        put_link(f, "../../../etc/hostname", "etc/machine-id");
        assert_null(look(f)->machine_id_text);
        unlinkat(f->fd, "etc/machine-id", 0);
        assert_int_equal(mkfifoat(f->fd, "etc/machine-id", 0644), 0);
        assert_null(look(f)->machine_id_text);
}

static void put_init(struct fixture *f, const char *path, const char *content) {
        unlinkat(f->fd, path, 0);
        put_bytes(f->fd, path, content, strlen(content), 0755);
}

static void inits_in_their_order(void **state) {
        struct fixture *f = *state;

        put_init(f, "init", "x");
        assert_string_equal(look(f)->init_path, "/init");
        put_init(f, "bin/init", "x");
        assert_string_equal(look(f)->init_path, "/bin/init");
        assert_int_equal(mkdirat(f->fd, "usr/lib/systemd", 0755), 0);
        put_init(f, "usr/lib/systemd/systemd", "x");
        assert_string_equal(look(f)->init_path, "/usr/lib/systemd/systemd");
        assert_string_equal(look(f)->init->name, "systemd");
        put_init(f, "sbin/init", "x");
        assert_string_equal(look(f)->init_path, "/sbin/init");
        assert_ptr_equal(look(f)->init, init_unknown());
        put_link(f, "../usr/lib/systemd/systemd", "sbin/init");
        assert_string_equal(look(f)->init_path, "/sbin/init");
        assert_string_equal(look(f)->init_resolved, "/usr/lib/systemd/systemd");
        assert_string_equal(look(f)->init->name, "systemd");
        f->spec.start = START_COMMAND; /* nobody asks */
        assert_null(look(f)->init_path);
}

static void inits_by_what_they_hold(void **state) {
        struct fixture *f = *state;

        put_init(f, "sbin/init",
                 "\x7f"
                 "ELF BusyBox is a multi-call binary that");
        assert_string_equal(look(f)->init->name, "busybox");
        put_init(f, "sbin/init",
                 "\x7f"
                 "ELF /run/initctl");
        assert_string_equal(look(f)->init->name, "sysvinit");
        put_init(f, "bin/busybox", "x");
        put_link(f, "/bin/busybox", "sbin/init");
        assert_string_equal(look(f)->init->name, "busybox");
        assert_string_equal(look(f)->init_resolved, "/bin/busybox");
}

static void inits_that_are_none(void **state) {
        static const char *const targets[] = { "/bin/sh", "../../../../../bin/sh", "init", "/proc/self/exe", "/usr",
                                               "/gone" };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                put_link(f, targets[i], "sbin/init");
                if (look(f)->init_path)
                        fail_msg("%s is an init", targets[i]);
        }
        unlinkat(f->fd, "sbin/init", 0);
        assert_int_equal(mkfifoat(f->fd, "sbin/init", 0755), 0);
        assert_null(look(f)->init_path);
        put_init(f, "init", "x"); /* the next one counts */
        assert_string_equal(look(f)->init_path, "/init");
}

static void resolv_conf(void **state) {
        static const struct {
                const char *target;
                const char *in_run; /* NULL: not in /run */
        } links[] = {
                { "/run/x/resolv.conf", "/run/x/resolv.conf" },
                { "../run/x/resolv.conf", "/run/x/resolv.conf" },
                { "../run/../etc/passwd", NULL },
                { "/run/x/../../etc/shadow", NULL },
                { "../../run/x", NULL },
                { "/etc/other", NULL },
                { "/running/x", NULL },
                { "run/x", NULL },
                { "resolv.conf", NULL },
        };
        struct fixture *f = *state;

        put_text(f->fd, "etc/resolv.conf", "");
        assert_true(look(f)->has_resolv_conf);
        assert_false(look(f)->resolv_conf_in_run);
        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                put_link(f, links[i].target, "etc/resolv.conf");
                const struct root_probe *r = look(f);
                assert_false(r->has_resolv_conf);
                if (r->resolv_conf_in_run != (links[i].in_run != NULL) ||
                    !text_equal(r->resolv_conf_target, links[i].in_run))
                        fail_msg("%s: %s", links[i].target, r->resolv_conf_target);
        }
        f->spec.resolv_conf = RESOLV_CONF_OFF;
        put_text(f->fd, "run/x", "");
        put_link(f, "/run/x", "etc/resolv.conf");
        assert_false(look(f)->has_resolv_conf || look(f)->resolv_conf_in_run); /* nobody asks */
}

static void time_zones(void **state) {
        struct fixture *f = *state;

        put_text(f->fd, "usr/share/zoneinfo/Europe/Berlin", "TZif");
        f->probe.host.zone = (char *) "Europe/Berlin";
        put_link(f, "../usr/share/zoneinfo/Europe/Berlin", "etc/localtime");
        assert_true(look(f)->has_localtime && look(f)->has_host_zone);
        assert_string_equal(look(f)->localtime_zone, "Europe/Berlin");
        f->probe.host.zone = (char *) "Asia/Tokyo";
        assert_false(look(f)->has_host_zone);
        f->probe.host.zone = (char *) "../../../etc/localtime";
        assert_false(look(f)->has_host_zone);
        put_link(f, "/usr/share/zoneinfo/Gone", "etc/localtime");
        assert_false(look(f)->has_localtime);
        assert_string_equal(look(f)->localtime_zone, "Gone");
        unlinkat(f->fd, "etc/localtime", 0);
        put_text(f->fd, "etc/localtime", "TZif");
        assert_true(look(f)->has_localtime);
        assert_null(look(f)->localtime_zone);
        f->spec.timezone = TIMEZONE_OFF;
        assert_false(look(f)->has_localtime);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(an_empty_tree),
                TEST(roots_that_are_none),
                TEST(the_hosts_root_is_known),
                TEST(the_path_of_the_root_is_the_users),
                TEST(os_release),
                TEST(machine_ids),
                TEST(inits_in_their_order),
                TEST(inits_by_what_they_hold),
                TEST(inits_that_are_none),
                TEST(resolv_conf),
                TEST(time_zones),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
