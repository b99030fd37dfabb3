/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lookup in user space against the kernel's: the same answer for every path, but for what only the walk can say,
 * the canonical path. */
#include "mounts/inroot_walk.h"

#include <limits.h>

#include "basic/syscalls.h"
#include "basic/text.h"
#include "helpers.h"
#include "mounts/inroot.h"

struct fixture {
        char path[32];
        int root;
};

static int set_up(void **state) {
        static const char *const links[][2] = {
                { "/a/b", "absolute" },     { "a/b", "relative" },       { "../../../a", "up" },
                { "absolute/c", "chain" },  { "loop", "loop" },          { "/", "top" },
                { "..", "a/b/parent" },     { "gone", "dangling" },      { "/proc/self/root", "magic" },
                { "a//b/./c/", "slashes" }, { "relative/file", "file" }, { "../../../../etc", "out" },
        };
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-walk-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->root = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (mkdirat(f->root, "a", 0755) < 0 || mkdirat(f->root, "a/b", 0755) < 0 ||
            mkdirat(f->root, "a/b/c", 0755) < 0)
                return -1;
        put_text(f->root, "a/b/file", "x");
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlinkat(links[i][0], f->root, links[i][1]) < 0)
                        return -1;
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

static const char *const paths[] = {
        "/",
        "a",
        "/a/b/c",
        "a/../a/./b//c",
        "../../a",
        "..",
        "absolute",
        "absolute/c",
        "relative/c/",
        "up",
        "up/b/c",
        "chain",
        "chain/..",
        "top",
        "top/a/b",
        "a/b/parent",
        "a/b/parent/b",
        "loop",
        "loop/x",
        "dangling",
        "dangling/x",
        "slashes",
        "file",
        "file/",
        "file/x",
        "a/b/file/..",
        "out",
        "out/passwd",
        "gone",
        "a/gone/..",
        "",
        ".",
        "./",
        "a/b/file",
        "absolute/file",
        "a/b/c/../../b/file",
        "//a",
        "a/",
        "a/b/file/",
        "relative/../..",
        "top/top/top/a",
        "a/b/parent/parent",
};

static const int flags[] = { O_PATH,   O_PATH | O_NOFOLLOW,    O_PATH | O_DIRECTORY,
                             O_RDONLY, O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW };

static void the_same_as_the_kernels(void **state) {
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                for (size_t k = 0; k < ELEMENTSOF(flags); k++) {
                        struct open_how how = { .flags = (uint64_t) (flags[k] | O_CLOEXEC),
                                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
                        struct stat a, b;
                        int kernel, code;
                        /* ".." together with a rename or mount anywhere on the machine (openat2(2)): again. */
                        do {
                                kernel = sys_openat2(f->root, paths[i], &how);
                                code = kernel < 0 ? errno : 0;
                        } while (code == EAGAIN);
                        if (code == ENOSYS || code == EPERM)
                                skip();
                        int walk = inroot_walk(f->root, paths[i], flags[k] | O_CLOEXEC, 0, NULL);
                        if ((walk < 0 ? -walk : 0) != code)
                                fail_msg("\"%s\", flags %x: %d, the kernel %d", paths[i], (unsigned) flags[k], walk,
                                         code);
                        if (walk >= 0) {
                                assert_int_equal(fstat(walk, &a) | fstat(kernel, &b), 0);
                                if (a.st_ino != b.st_ino || a.st_dev != b.st_dev)
                                        fail_msg("\"%s\" is something else", paths[i]);
                                assert_int_equal(fcntl(walk, F_GETFD), FD_CLOEXEC);
                        }
                        fd_close(walk);
                        fd_close(kernel);
                }
}

static void canonical_paths(void **state) {
        static const struct {
                const char *path, *canonical;
        } cases[] = {
                { "/", "/" },
                { "..", "/" },
                { "a/../a/./b//c", "/a/b/c" },
                { "absolute", "/a/b" },
                { "up/b/c", "/a/b/c" },
                { "chain", "/a/b/c" },
                { "top/a", "/a" },
                { "a/b/parent", "/a" },
                { "file", "/a/b/file" },
                { "slashes", "/a/b/c" },
                { "a/b/parent/b/..", "/a" },
                { ".", "/" },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *path = NULL;
                assert_int_equal(inroot_resolve(f->root, cases[i].path, &path), 0);
                if (!text_equal(path, cases[i].canonical))
                        fail_msg("%s: %s", cases[i].path, path);
                free(path);
        }
        char *path = NULL;
        assert_int_equal(inroot_resolve(f->root, "dangling", &path), -ENOENT);
        assert_int_equal(inroot_resolve(f->root, "loop", &path), -ELOOP);
        assert_int_equal(inroot_resolve(f->root, "out/passwd", &path), -ENOENT);
        assert_null(path);
}

/* Forty links are followed, as by the kernel, and not one more. */
static void links_are_counted(void **state) {
        struct fixture *f = *state;
        char name[16], target[16];

        for (int i = 0; i < 50; i++) {
                snprintf(name, sizeof name, "l%d", i + 1);
                snprintf(target, sizeof target, i ? "l%d" : "a", i);
                assert_int_equal(symlinkat(target, f->root, name), 0);
        }
        for (int i = 38; i <= 43; i++) {
                struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
                snprintf(name, sizeof name, "l%d", i);
                int kernel = sys_openat2(f->root, name, &how),
                    walk = inroot_walk(f->root, name, O_PATH | O_CLOEXEC, 0, NULL);
                assert_int_equal(walk >= 0, i <= 40);
                assert_int_equal(kernel >= 0, i <= 40);
                fd_close(walk);
                fd_close(kernel);
        }
}

static void long_paths_are_refused(void **state) {
        struct fixture *f = *state;
        static char path[PATH_MAX + 10];

        memset(path, '/', PATH_MAX - 2);
        path[PATH_MAX - 2] = 'a';
        _cleanup_close_ int fd = inroot_walk(f->root, path, O_PATH | O_CLOEXEC, 0, NULL);
        assert_true(fd >= 0);
        strcat(path, "/");
        assert_int_equal(inroot_walk(f->root, path, O_PATH | O_CLOEXEC, 0, NULL), -ENAMETOOLONG);
}

static void files_are_made(void **state) {
        struct fixture *f = *state;
        struct stat st;

        _cleanup_close_ int fd =
                inroot_walk(f->root, "absolute/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640, NULL);
        assert_true(fd >= 0);
        assert_int_equal(fstatat(f->root, "a/b/new", &st, 0), 0);
        assert_int_equal(inroot_walk(f->root, "a/b/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640, NULL),
                         -EEXIST);
        assert_int_equal(inroot_walk(f->root, "dangling", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640, NULL),
                         -EEXIST);
        assert_int_equal(inroot_walk(f->root, "no/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0640, NULL), -ENOENT);
        assert_int_equal(faccessat(f->root, "gone", F_OK, 0), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_same_as_the_kernels), TEST(canonical_paths), TEST(links_are_counted),
                TEST(long_paths_are_refused),  TEST(files_are_made),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
