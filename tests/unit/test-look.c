/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* os-release below a hostile root, the order of addresses, and looking at processes that are there or are not. */
#include "tools/look.h"

#include <arpa/inet.h>
#include <sched.h>

#include "helpers.h"

struct fixture {
        char path[32];
        int root;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-look-XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->root = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->root >= 0);
        assert_int_equal(
                mkdirat(f->root, "etc", 0755) | mkdirat(f->root, "usr", 0755) | mkdirat(f->root, "usr/lib", 0755), 0);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        close(f->root);
        remove_tree_at(f->path);
        free(f);
        return 0;
}

static void content(void **state) {
        static const struct {
                const char *text, *id, *version, *pretty;
        } cases[] = {
                { "", "", "", "" },
                { "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n", "debian", "12",
                  "Debian GNU/Linux 12 (bookworm)" },
                { "ID='a b'\nVERSION_ID=1\\ 2\nPRETTY_NAME='x\\y\"'", "a b", "1 2", "x\\y\"" },
                { "PRETTY_NAME=\"a\\\"b\\\\c\\$d\\", "", "", "a\"b\\c$d\\" },
                { "ID=first\n#ID=comment\n ID=blank\nID_LIKE=like\nMY_ID=mine\nID=last\n", "last", "", "" },
                { "ID=\"not closed\nVERSION_ID=\"\"trailing\n", "not closed", "", "" },
                { "ID\n=\nVERSION_ID\n", "", "", "" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = strdup(cases[i].text);
                struct os_release os;
                look_parse_os_release(text, &os);
                assert_string_equal(os.id, cases[i].id);
                assert_string_equal(os.version, cases[i].version);
                assert_string_equal(os.pretty, cases[i].pretty);
        }
}

static void long_values_are_cut(void **state) {
        char text[5000] = "PRETTY_NAME=";
        struct os_release os;

        (void) state;
        memset(text + strlen(text), 'x', 4000);
        look_parse_os_release(text, &os);
        assert_int_equal(strlen(os.pretty), sizeof os.pretty - 1);
}

static void places(void **state) {
        struct fixture *f = *state;
        struct os_release os;

        assert_int_equal(look_os_release(f->root, &os), -ENOENT);
        put_text(f->root, "usr/lib/os-release", "ID=vendor\n");
        assert_int_equal(look_os_release(f->root, &os), 0);
        assert_string_equal(os.id, "vendor");
        assert_int_equal(symlinkat("/usr/lib/../lib/os-release", f->root, "etc/os-release"), 0);
        assert_int_equal(look_os_release(f->root, &os), 0);
        assert_string_equal(os.id, "vendor");
        assert_int_equal(unlinkat(f->root, "etc/os-release", 0), 0);
        put_text(f->root, "etc/os-release", "ID=local\n");
        assert_int_equal(look_os_release(f->root, &os), 0);
        assert_string_equal(os.id, "local");
}

/* Neither a FIFO nor a device is opened, no link leads out, nothing large is read; and it is not looked elsewhere
 * then. */
static void hostile_files(void **state) {
        struct fixture *f = *state;
        struct os_release os = { .id = "before" };
        uint64_t begin = monotonic_usec();

        put_text(f->root, "usr/lib/os-release", "ID=vendor\n");
        assert_int_equal(mkfifoat(f->root, "etc/os-release", 0644), 0);
        assert_int_equal(look_os_release(f->root, &os), -EBADFD);
        assert_string_equal(os.id, "");
        assert_int_equal(unlinkat(f->root, "etc/os-release", 0), 0);
        assert_int_equal(mkdirat(f->root, "etc/os-release", 0755), 0);
        assert_int_equal(look_os_release(f->root, &os), -EISDIR);
        assert_int_equal(unlinkat(f->root, "etc/os-release", AT_REMOVEDIR), 0);
        assert_int_equal(symlinkat("os-release", f->root, "etc/os-release"), 0);
        assert_int_equal(look_os_release(f->root, &os), -ELOOP);
        assert_int_equal(unlinkat(f->root, "etc/os-release", 0), 0);
        assert_int_equal(symlinkat("../../../../../../../../etc/passwd", f->root, "etc/os-release"), 0);
        assert_int_equal(look_os_release(f->root, &os), 0); /* nothing is there, below this root */
        assert_string_equal(os.id, "vendor");
        assert_int_equal(unlinkat(f->root, "etc/os-release", 0), 0);
        put_text(f->root, "etc/os-release", "ID=large\n");
        _cleanup_close_ int fd = openat(f->root, "etc/os-release", O_WRONLY | O_CLOEXEC);
        assert_int_equal(ftruncate(fd, 100 * 1000 * 1000), 0);
        assert_int_equal(look_os_release(f->root, &os), -EFBIG);
        assert_true(monotonic_usec() - begin < 2000000);
}

static struct address make(const char *text, unsigned interface) {
        struct address a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET, .interface = interface };

        assert_int_equal(inet_pton(a.family, text, a.bytes), 1);
        return a;
}

static void order_of_addresses(void **state) {
        static const char *const sorted[] = { "10.0.0.1",    "192.0.2.7",   "192.0.2.8", "192.0.2.1",
                                              "169.254.0.1", "2001:db8::1", "fd00::1",   "fe80::1" };
        struct address a[ELEMENTSOF(sorted)], b[ELEMENTSOF(sorted)];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(sorted); i++)
                a[i] = make(sorted[i], i == 3 ? 9 : 2);
        for (size_t i = 0; i < ELEMENTSOF(sorted); i++)
                b[i] = a[(i * 3 + 5) % ELEMENTSOF(sorted)];
        qsort(b, ELEMENTSOF(b), sizeof *b, look_compare_addresses);
        for (size_t i = 0; i < ELEMENTSOF(sorted); i++) {
                char text[INET6_ADDRSTRLEN];
                assert_non_null(inet_ntop(b[i].family, b[i].bytes, text, sizeof text));
                assert_string_equal(text, sorted[i]);
        }
}

struct leader {
        const char *root;
        int ready;
};

static void be_a_leader(void *userdata) {
        const struct leader *l = userdata;

        CHECK(chroot(l->root) == 0);
        CHECK(unshare(CLONE_NEWNET) == 0); /* with a loopback interface that is down */
        CHECK(write(l->ready, "x", 1) == 1);
        for (;;)
                pause();
}

static void several_machines(void **state) {
        struct fixture *f = *state;
        struct look looks[5];
        int p[2];
        char c;

        need_root();
        put_text(f->root, "etc/os-release", "ID=made\nVERSION_ID=7\nPRETTY_NAME=\"Made \x1b[31m\"\n");
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        pid_t pid = start_child(be_a_leader, &(struct leader){ f->path, p[1] });
        assert_int_equal(read(p[0], &c, 1), 1);
        const struct process_id right = { pid, process_start(pid) }, wrong = { pid, right.start + 1 };
        const struct process_id leaders[5] = { { 0, 0 }, right, wrong, { getpid(), process_start(getpid()) }, right };
        memset(looks, 'x', sizeof looks);
        look_at(leaders, 5, looks);
        kill(pid, SIGKILL);
        wait_for(pid);
        close(p[0]);
        close(p[1]);
        for (size_t i = 0; i < 5; i++) {
                bool seen = i == 1 || i == 4; /* the fourth has this host's root */
                assert_string_equal(looks[i].os.id, seen ? "made" : "");
                assert_string_equal(looks[i].os.pretty, seen ? "Made \x1b[31m" : "");
                assert_int_equal(looks[i].address_count, 0);
                assert_int_equal(looks[i].addresses_left_out, 0);
        }
        memset(looks, 'x', sizeof looks);
        look_at(leaders, 2, looks); /* it has ended */
        assert_string_equal(looks[1].os.id, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(content),       TEST(long_values_are_cut), TEST(places),
                TEST(hostile_files), TEST(order_of_addresses),  TEST(several_machines),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
