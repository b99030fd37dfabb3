/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a mount goes: targets that are links, files, missing, by the rules of each op. */
#include "mounts/attach_target.h"

#include "helpers.h"

struct fixture {
        char path[32];
        int root;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-target-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->root = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (mkdirat(f->root, "dir", 0755) < 0 || symlinkat("dir", f->root, "link") < 0 ||
            symlinkat("/etc", f->root, "out") < 0 || symlinkat("loop", f->root, "loop") < 0 ||
            symlinkat("file", f->root, "to-file") < 0)
                return -1;
        put_text(f->root, "file", "x");
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

static const struct {
        const char *target;
        bool real_directory, no_follow, create;
        int r;            /* 0: opens */
        const char *what; /* the path that is opened, or what the error says */
} cases[] = {
        { "/dir", false, false, false, 0, "dir" },
        { "/link", false, false, false, 0, "dir" },
        { "/link", false, true, false, 0, "link" },
        { "/to-file", false, false, false, 0, "file" },
        { "/file", false, false, false, 0, "file" },
        { "/dir", true, false, false, 0, "dir" },
        { "/link", true, false, false, -ENOTDIR, "/link in the root is a symbolic link: it must be a directory" },
        { "/file", true, false, false, -ENOTDIR, "/file in the root is a file: it must be a directory" },
        { "/out", false, false, false, -ENOENT, "there is no /out in the root to mount on" },
        { "/none", false, false, false, -ENOENT, "there is no /none in the root to mount on" },
        { "/none", false, false, true, -ENOENT, "cannot open the mount point /none in the root: No such file" },
        { "/none", true, false, false, -ENOENT, "there is no /none in the root to mount on" },
        { "/loop", false, false, false, -ELOOP, "cannot open the mount point /loop in the root: Too many levels" },
        { "/file/x", false, false, false, -ENOTDIR,
          "cannot open the mount point /file/x in the root: Not a directory" },
};

static void targets(void **state) {
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct mount_op op = { .target = (char *) cases[i].target,
                                             .real_directory = cases[i].real_directory,
                                             .no_follow = cases[i].no_follow,
                                             .create = cases[i].create,
                                             .origin = (char *) "--bind" };
                struct error e = { 0 };
                struct stat a, b;
                _cleanup_close_ int fd = target_open(f->root, &op);
                if (cases[i].r < 0) {
                        if (fd != cases[i].r || target_error(f->root, &op, fd, &e) != fd || e.code != -fd ||
                            strncmp(e.text, "--bind: ", 8) != 0 || !strstr(e.text, cases[i].what))
                                fail_msg("case %zu: %d %s", i, fd, e.text);
                        continue;
                }
                if (fd < 0)
                        fail_msg("case %zu: %d", i, fd);
                assert_true(fcntl(fd, F_GETFL) & O_PATH); /* nothing is woken */
                assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
                assert_int_equal(fstat(fd, &a) | fstatat(f->root, cases[i].what, &b, AT_SYMLINK_NOFOLLOW), 0);
                assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(targets, set_up, tear_down) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
