/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/user.h"
#include "unit.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "1000:x:0:0:a name that looks like a uid:/evil:/bin/sh\n"
                             "short:x:5\n"
                             "minus:x:-1:0::/:/bin/sh\n"
                             "wrap:x:4294967295:0::/:/bin/sh\n"
                             "hex:x:0x0:0::/:/bin/sh\n"
                             "plus:x:+5:0::/:/bin/sh\n"
                             "alice:x:1001:100:Alice:/home/alice:/bin/zsh\n"
                             "relative:x:1002:100::home:sh\n";
static const char group[] =
        "root:x:0:\nusers:x:100:alice\naudio:x:29:bob,alice\nvideo:x:44:alicex,xalice\nbad:x:y:alice\n";

static void finds_a_user_by_name(void **state) {
        struct user u;

        (void) state;
        assert_int_equal(user_parse_passwd(passwd, "alice", 0, &u), 1);
        assert_int_equal(u.uid, 1001);
        assert_int_equal(u.gid, 100);
        assert_string_equal(u.home, "/home/alice");
        assert_string_equal(u.shell, "/bin/zsh");
        user_free(&u);
        assert_int_equal(user_parse_passwd(passwd, "nobody", 0, &u), 0);
}

static void skips_lines_that_are_not_well_formed(void **state) {
        static const char *const bad[] = { "short", "minus", "wrap", "hex", "plus" };
        struct user u;

        (void) state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                assert_int_equal(user_parse_passwd(passwd, bad[i], 0, &u), 0);
        assert_int_equal(user_parse_passwd(passwd, "relative", 0, &u), 1);
        assert_null(u.home);
        assert_null(u.shell);
        user_free(&u);
}

static void collects_supplementary_groups(void **state) {
        gid_t *groups;
        size_t n;

        (void) state;
        assert_int_equal(user_parse_groups(group, "alice", 100, &groups, &n), 0);
        assert_int_equal(n, 2);
        assert_int_equal(groups[0], 100);
        assert_int_equal(groups[1], 29);
        free(groups);
}

struct tree {
        char path[64];
        int fd;
};

static void write_file(const struct tree *t, const char *name, const char *text) {
        int fd = openat(t->fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        close(fd);
}

static int set_up(void **state) {
        struct tree *t = calloc(1, sizeof *t);

        strcpy(t->path, "/tmp/test-user-XXXXXX");
        assert_non_null(mkdtemp(t->path));
        t->fd = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(t->fd, "etc", 0755), 0);
        write_file(t, "etc/passwd", passwd);
        write_file(t, "etc/group", group);
        *state = t;
        return 0;
}

static int tear_down(void **state) {
        struct tree *t = *state;

        unlinkat(t->fd, "etc/passwd", 0);
        unlinkat(t->fd, "etc/group", 0);
        unlinkat(t->fd, "etc", AT_REMOVEDIR);
        rmdir(t->path);
        close(t->fd);
        free(t);
        return 0;
}

static void digits_are_a_uid_and_never_a_name(void **state) {
        struct tree *t = *state;
        struct error e = { 0 };
        struct user u;

        assert_int_equal(user_lookup(t->fd, "1000", &u, &e), 0);
        assert_int_equal(u.uid, 1000);
        user_free(&u);
        assert_int_equal(user_lookup(t->fd, "1001", &u, &e), 0);
        assert_string_equal(u.name, "alice");
        assert_int_equal(u.n_groups, 2);
        user_free(&u);
}

static void root_needs_no_entry(void **state) {
        struct tree *t = *state;
        struct error e = { 0 };
        struct user u;

        unlinkat(t->fd, "etc/passwd", 0);
        assert_int_equal(user_lookup(t->fd, NULL, &u, &e), 0);
        assert_int_equal(u.uid, 0);
        assert_string_equal(u.home, "/root");
        user_free(&u);
        assert_int_equal(user_lookup(t->fd, "alice", &u, &e), -ENOENT);
        assert_non_null(strstr(e.text, "/etc/passwd"));
        /* A FIFO in its place must not hang. */
        assert_int_equal(mkfifoat(t->fd, "etc/passwd", 0644), 0);
        assert_true(user_lookup(t->fd, "alice", &u, &e) < 0);
}

static void an_unknown_name_is_an_error_with_a_hint(void **state) {
        struct tree *t = *state;
        struct error e = { 0 };
        struct user u;

        assert_int_equal(user_lookup(t->fd, "mallory", &u, &e), -ESRCH);
        assert_non_null(strstr(e.text, "mallory"));
        assert_true(e.hint[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_a_user_by_name),
                cmocka_unit_test(skips_lines_that_are_not_well_formed),
                cmocka_unit_test(collects_supplementary_groups),
                cmocka_unit_test_setup_teardown(digits_are_a_uid_and_never_a_name, set_up, tear_down),
                cmocka_unit_test_setup_teardown(root_needs_no_entry, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_unknown_name_is_an_error_with_a_hint, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
