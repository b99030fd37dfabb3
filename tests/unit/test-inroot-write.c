/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of files of the image that fail half-way or meet what changes meanwhile: nothing is left, nothing else hit.
 */
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <sys/resource.h>

#include "basic/syscalls.h"
#include "basic/text.h"
#include "helpers.h"
#include "mounts/inroot.h"

struct fixture {
        char path[32];
        int root;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-write-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->root = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (mkdirat(f->root, "etc", 0755) < 0)
                return -1;
        put_text(f->root, "etc/file", "before");
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

static size_t count_entries(const struct fixture *f) {
        int fd = openat(f->root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fdopendir(fd);
        size_t n = 0;

        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 2;
}

static bool holds(const struct fixture *f, const char *path, const char *expected) {
        char *text = NULL;
        _cleanup_close_ int fd = openat(f->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || fd_read_file(fd, 65536, &text, NULL) < 0)
                return false;
        bool same = text_equal(text, expected);
        free(text);
        return same;
}

/* Where a disk is full after a few bytes: by the process's own limit, with the signal that comes with it ignored. */
static void write_with_no_room(void *userdata) {
        struct fixture *f = userdata;
        const struct rlimit limit = { 4, 4 };

        signal(SIGXFSZ, SIG_IGN);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        CHECK(inroot_replace_file(f->root, "/etc/file", "much more", 9, 0644) == -EFBIG);
        CHECK(holds(f, "etc/file", "before")); /* all or nothing */
        CHECK(inroot_replace_file(f->root, "/etc/new", "much more", 9, 0644) == -EFBIG);
        CHECK(faccessat(f->root, "etc/new", F_OK, 0) == -1);
        CHECK(count_entries(f) == 1); /* no temporary file */
        CHECK(inroot_write_file(f->root, "/etc/file", "much more", 9, 0644) == -EFBIG);
}

static void full_disks(void **state) {
        assert_int_equal(run_child(write_with_no_room, *state), 0);
}

static void write_read_only(void *userdata) {
        struct fixture *f = userdata;
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
        int tree = sys_open_tree(f->root, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

        CHECK(tree >= 0 && sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0);
        CHECK(inroot_write_file(tree, "/etc/file", "x", 1, 0644) == -EROFS);
        CHECK(inroot_write_file(tree, "/etc/new", "x", 1, 0644) == -EROFS);
        CHECK(inroot_replace_file(tree, "/etc/file", "x", 1, 0644) == -EROFS);
        CHECK(inroot_symlink_replace(tree, "x", "/etc/new") == -EROFS);
        CHECK(inroot_unlink(tree, "/etc/file") == -EROFS);
        CHECK(inroot_mkdirs(tree, "/etc/a/b", 0755) == -EROFS);
        CHECK(inroot_mkdirs(tree, "/etc", 0755) == 0); /* it is there */
        CHECK(holds(f, "etc/file", "before") && count_entries(f) == 1);
}

static void read_only_trees(void **state) {
        need_root();
        assert_int_equal(run_child(write_read_only, *state), 0);
}

static void bytes_of_all_values(void **state) {
        static const char data[] = "TZif\0\0\n\xff\0end";
        struct fixture *f = *state;
        char *text;
        size_t size;

        assert_int_equal(inroot_write_file(f->root, "/etc/file", data, sizeof data, 0644), 0);
        assert_int_equal(inroot_read(f->root, "/etc/file", 100, &text, &size), 0);
        assert_int_equal(size, sizeof data);
        assert_memory_equal(text, data, size);
        free(text);
        assert_int_equal(inroot_write_file(f->root, "/etc/file", "", 0, 0644), 0); /* shorter: nothing old is left */
        assert_true(holds(f, "etc/file", ""));
        assert_int_equal(inroot_replace_file(f->root, "/etc/new", data, sizeof data, 0600), 0);
        assert_int_equal(inroot_read(f->root, "/etc/new", sizeof data, &text, &size), 0);
        assert_int_equal(size, sizeof data);
        free(text);
}

static void names_that_are_none(void **state) {
        static const char *const paths[] = { "/", "..", "/etc/..", "/etc/.", "", "." };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                assert_true(inroot_write_file(f->root, paths[i], "x", 1, 0644) < 0);
                assert_true(inroot_replace_file(f->root, paths[i], "x", 1, 0644) < 0);
                assert_true(inroot_symlink_replace(f->root, "x", paths[i]) < 0);
                assert_true(inroot_unlink(f->root, paths[i]) < 0);
        }
        assert_int_equal(inroot_write_file(f->root, "/no/file", "x", 1, 0644), -ENOENT);
        assert_int_equal(inroot_write_file(f->root, "/etc/file/x", "x", 1, 0644), -ENOTDIR);
        assert_true(holds(f, "etc/file", "before") && count_entries(f) == 1);
}

/* Another process makes the file a link to a file outside, and a file again, all the time. */
static void exchange(void *userdata) {
        struct fixture *f = userdata;

        for (;;) {
                CHECK(symlinkat("../../outside", f->root, "etc/.link") == 0);
                CHECK(renameat(f->root, "etc/.link", f->root, "etc/race") == 0);
                CHECK(mknodat(f->root, "etc/.file", S_IFREG | 0644, 0) == 0);
                CHECK(renameat(f->root, "etc/.file", f->root, "etc/race") == 0);
        }
}

static void links_are_not_followed_in_a_race(void **state) {
        struct fixture *f = *state;
        unsigned written = 0, refused = 0;

        assert_int_equal(mkdirat(f->root, "tree", 0755) | mkdirat(f->root, "tree/etc", 0755), 0);
        put_text(f->root, "outside", "untouched");
        struct fixture inner = { .root = openat(f->root, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC) };
        pid_t pid = start_child(exchange, &inner);
        uint64_t start = monotonic_usec(), now = start;
        bool odd = false;
        for (; !odd && (now < start + 300000 || (!(written && refused) && now < start + 20000000));
             now = monotonic_usec()) {
                int r = inroot_write_file(inner.root, "/etc/race", "x", 1, 0644);
                if (r == 0)
                        written++;
                else if (r == -ELOOP || r == -EAGAIN || r == -EEXIST)
                        refused++;
                else
                        odd = true;
        }
        kill(pid, SIGKILL);
        int status = wait_for(pid);
        close(inner.root);
        assert_true(WIFSIGNALED(status));
        assert_false(odd);
        assert_true(written > 0 && refused > 0);
        assert_true(holds(f, "outside", "untouched"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(full_disks),
                TEST(read_only_trees),
                TEST(bytes_of_all_values),
                TEST(names_that_are_none),
                TEST(links_are_not_followed_in_a_race),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
