/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files between host and container, whose first process is a child with a root of its own here. */
#include "made-run.h"
#include "tools/tools.h"

struct fixture {
        char here[32], root[32];
        int ready[2];
        pid_t leader;
        struct state_place place;
        struct error error;
};

static void be_the_leader(void *userdata) {
        struct fixture *f = userdata;

        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(chroot(f->root) == 0);
        CHECK(write(f->ready[1], "x", 1) == 1);
        for (;;)
                pause();
}

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);
        char c;

        *state = f;
        if (geteuid() != 0)
                return 0;
        strcpy(f->here, "/tmp/test-transfer-XXXXXX");
        strcpy(f->root, "/tmp/test-transfer-XXXXXX");
        assert_non_null(mkdtemp(f->here));
        assert_non_null(mkdtemp(f->root));
        assert_int_equal(pipe2(f->ready, O_CLOEXEC), 0);
        f->leader = start_child(be_the_leader, f);
        assert_int_equal(read(f->ready[0], &c, 1), 1);
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        if (f->leader > 0) {
                kill(f->leader, SIGKILL);
                wait_for(f->leader);
                close(f->ready[0]);
                close(f->ready[1]);
                remove_tree_at(f->here);
                remove_tree_at(f->root);
        }
        free(f);
        return 0;
}

static void begin(struct fixture *f) {
        in_a_run_of_our_own();
        made_machine(f->leader, &f->place);
}

static void end(struct fixture *f) {
        state_drop(&f->place, "m1");
}

static int run(struct fixture *f, int (*verb)(const struct request *q, struct error *error), const char *from,
               const char *to) {
        f->error = (struct error){ 0 };
        return verb(&(struct request){ .name = "m1", .paths = { from, to } }, &f->error);
}

static char *content(const char *directory, const char *name) {
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char *text = NULL;

        if (fd >= 0)
                assert_int_equal(fd_read_file(fd, 10000, &text, NULL), 0);
        return text;
}

static void there_and_back(void **state) {
        struct fixture *f = *state;

        begin(f);
        _cleanup_free_ char *file = text_format("%s/file", f->here), *back = text_format("%s/back", f->here);
        put_text(AT_FDCWD, file, "words");
        assert_int_equal(chmod(file, 04755), 0);
        assert_int_equal(run(f, transfer_copy_to, file, "/"), 0); /* into a directory: under its own name */
        assert_int_equal(run(f, transfer_copy_to, file, "/other"), 0);
        _cleanup_free_ char *one = content(f->root, "file"), *two = content(f->root, "other");
        assert_string_equal(one, "words");
        assert_string_equal(two, "words");
        assert_int_equal(run(f, transfer_copy_from, "/other", back), 0);
        struct stat st;
        assert_int_equal(stat(back, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755); /* no program of theirs is root's here */
        assert_int_equal(run(f, transfer_copy_to, file, "/other"), -EEXIST);
        assert_non_null(strstr(f->error.hint, "--force"));
        end(f);
}

/* Whatever the links in the container say, they mean the container. */
static void links_stay_inside(void **state) {
        struct fixture *f = *state;

        begin(f);
        _cleanup_free_ char *file = text_format("%s/file", f->here), *link = text_format("%s/out", f->root);
        put_text(AT_FDCWD, file, "words");
        assert_int_equal(symlink(f->here, link), 0);
        assert_int_equal(run(f, transfer_copy_to, file, "/out/escaped"), -ENOENT);
        _cleanup_free_ char *escaped = content(f->here, "escaped");
        assert_null(escaped);
        assert_int_equal(run(f, transfer_copy_from, "/out/file", f->here), -ENOENT);
        assert_non_null(strstr(f->error.text, "the container's /out/file"));
        end(f);
}

static void what_cannot_be(void **state) {
        struct fixture *f = *state;

        begin(f);
        assert_int_equal(run(f, transfer_copy_to, "/no/such/file", NULL), -ENOENT);
        assert_non_null(strstr(f->error.text, "the host's /no/such/file"));
        assert_int_equal(run(f, transfer_copy_from, "/", f->here), -EINVAL);
        assert_int_equal(run(f, transfer_bind, "/no/such/file", NULL), -ENOENT);
        assert_int_equal(run(f, transfer_bind, f->here, "/missing"), -ENOENT);
        assert_string_equal(f->error.hint, "--mkdir makes it");
        end(f);
}

/* Its number may be another process's by now: nothing is looked for below that one's root. */
static void a_leader_that_is_another(void **state) {
        struct fixture *f = *state;

        begin(f);
        struct state s;
        assert_int_equal(tools_find("m1", &s, &f->error), 0);
        s.leader.start++;
        assert_int_equal(state_write(&f->place, &s, &f->error), 0);
        assert_int_equal(run(f, transfer_copy_to, "/etc/hostname", "/"), -ESRCH);
        assert_int_equal(run(f, transfer_bind, "/etc", "/"), -ESRCH);
        end(f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(there_and_back),
                TEST(links_stay_inside),
                TEST(what_cannot_be),
                TEST(a_leader_that_is_another),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
