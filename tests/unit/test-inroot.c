/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths of a hostile image. Every test runs three times: with openat2(2), as on a kernel that has none, and as in a
 * sandbox whose filter says EPERM to it. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/inroot.h"

struct fixture {
        char path[32]; /* a directory that holds `tree`, the root, and `outside`, which must not be reached */
        int top, root;
};

static void put_file(int dirfd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void put_link(int dirfd, const char *target, const char *path) {
        assert_int_equal(symlinkat(target, dirfd, path), 0);
}

static int setup(void **state) {
        static struct fixture f;
        char absolute[64], name[16], target[16];

        strcpy(f.path, "/tmp/test-inroot-XXXXXX");
        assert_non_null(mkdtemp(f.path));
        f.top = open(f.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(f.top, "outside", 0755), 0);
        assert_int_equal(mkdirat(f.top, "tree", 0755), 0);
        put_file(f.top, "outside/secret", "outside");
        f.root = openat(f.top, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(f.root >= 0);
        assert_int_equal(mkdirat(f.root, "etc", 0755), 0);
        assert_int_equal(mkdirat(f.root, "etc/deep", 0755), 0);
        put_file(f.root, "etc/hostname", "inside");
        put_link(f.root, "/etc/hostname", "etc/absolute");
        put_link(f.root, "../etc/hostname", "etc/relative");
        put_link(f.root, "../../../../../../../../etc/hostname", "etc/up");
        put_link(f.root, "../outside/secret", "dots");
        snprintf(absolute, sizeof absolute, "%s/outside/secret", f.path);
        put_link(f.root, absolute, "escape");
        snprintf(absolute, sizeof absolute, "%s/outside", f.path);
        put_link(f.root, absolute, "escape-directory");
        put_link(f.root, "etc", "directory");
        put_link(f.root, "/etc/", "slash");
        put_link(f.root, "loop", "loop");
        put_link(f.root, "pong", "ping");
        put_link(f.root, "ping", "pong");
        put_link(f.root, "/nothing", "dangling");
        put_link(f.root, "/", "root");
        put_link(f.root, "etc/hostname", "l1");
        for (int i = 2; i <= 41; i++) {
                snprintf(name, sizeof name, "l%d", i);
                snprintf(target, sizeof target, "l%d", i - 1);
                put_link(f.root, target, name);
        }
        assert_int_equal(mkfifoat(f.root, "etc/fifo", 0644), 0);
        *state = &f;
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st, (void) type, (void) ftw;
        return remove(path);
}

static int teardown(void **state) {
        struct fixture *f = *state;
        char text[8] = "";
        _cleanup_close_ int fd = openat(f->top, "outside/secret", O_RDONLY | O_CLOEXEC);

        /* Whatever a test did: what is outside is as it was. */
        assert_int_equal(read(fd, text, sizeof text), 7);
        assert_string_equal(text, "outside");
        fd_close(f->root);
        fd_close(f->top);
        return nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void lookups(void **state) {
        static const struct {
                const char *path;
                int error; /* 0: it is /etc/hostname of the tree */
        } cases[] = {
                { "/etc/hostname", 0 },
                { "etc/hostname", 0 },
                { "//etc/./deep//../hostname", 0 },
                { "../../../etc/hostname", 0 },
                { "/etc/absolute", 0 },
                { "/etc/relative", 0 },
                { "/etc/up", 0 },
                { "/directory/hostname", 0 },
                { "/slash/hostname", 0 },
                { "/slash/../etc/hostname", 0 },
                { "/root/root/root/etc/absolute", 0 },
                { "/l40", 0 },
                { "/l41", ELOOP },
                { "/loop", ELOOP },
                { "/loop/etc", ELOOP },
                { "/ping", ELOOP },
                { "/dots", ENOENT },
                { "/escape", ENOENT },
                { "/escape-directory/secret", ENOENT },
                { "/dangling", ENOENT },
                { "/outside/secret", ENOENT },
                { "/../outside/secret", ENOENT },
                { "/etc/../../outside/secret", ENOENT },
                { "/etc/hostname/", ENOTDIR },
                { "/etc/hostname/..", ENOTDIR },
                { "/etc/hostname/x", ENOTDIR },
                { "/etc/missing/../hostname", ENOENT },
                { "", ENOENT },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = NULL, *resolved = NULL;
                size_t size = 0;
                int r = inroot_read(f->root, cases[i].path, 100, &text, &size);

                if (r != -cases[i].error)
                        print_error("%s: %d\n", cases[i].path, r);
                assert_int_equal(r, -cases[i].error);
                assert_int_equal(inroot_resolve(f->root, cases[i].path, &resolved), -cases[i].error);
                if (cases[i].error)
                        continue;
                assert_string_equal(text, "inside");
                assert_int_equal(size, 6);
                assert_string_equal(resolved, "/etc/hostname");
        }
}

static void open_flags(void **state) {
        struct fixture *f = *state;
        struct stat st, expected;

        _cleanup_close_ int top = inroot_open(f->root, "/..", O_PATH | O_DIRECTORY, 0);
        assert_true(top >= 0);
        assert_true(fcntl(top, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fstat(top, &st), 0);
        assert_int_equal(fstat(f->root, &expected), 0);
        assert_int_equal(st.st_ino, expected.st_ino);

        assert_int_equal(inroot_open(f->root, "/dots", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
        assert_int_equal(inroot_open(f->root, "/etc/hostname", O_PATH | O_DIRECTORY, 0), -ENOTDIR);
        assert_int_equal(inroot_open(f->root, "/directory", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0), -ENOTDIR);
        assert_int_equal(inroot_open(f->root, "/etc", O_WRONLY, 0), -EISDIR);
        _cleanup_close_ int link = inroot_open(f->root, "/dots", O_PATH | O_NOFOLLOW, 0);
        assert_int_equal(fstat(link, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        _cleanup_close_ int file = inroot_open(f->root, "/etc/new", O_WRONLY | O_CREAT, 0600);
        assert_true(file >= 0);
        assert_true(fcntl(file, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(inroot_open(f->root, "/etc/absolute", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
        /* Through a dangling link a file is made inside the root. */
        _cleanup_close_ int made = inroot_open(f->root, "/dangling", O_WRONLY | O_CREAT, 0600);
        assert_true(made >= 0);
        assert_int_equal(faccessat(f->root, "nothing", F_OK, 0), 0);
}

static void long_paths(void **state) {
        struct fixture *f = *state;
        char path[PATH_MAX + 8], name[NAME_MAX + 1];

        memset(path, 'a', sizeof path - 1);
        path[sizeof path - 1] = 0;
        assert_int_equal(inroot_open(f->root, path, O_PATH, 0), -ENAMETOOLONG);
        assert_int_equal(inroot_open_parent(f->root, path, name), -ENAMETOOLONG);
        assert_int_equal(inroot_mkdirs(f->root, path, 0755), -ENAMETOOLONG);
        path[300] = 0;
        assert_int_equal(inroot_open_parent(f->root, path, name), -ENAMETOOLONG);
        assert_int_equal(inroot_touch(f->root, path, 0644), -ENAMETOOLONG);
        for (size_t i = 0; i < sizeof path - 1; i++)
                path[i] = i % 2 ? '.' : '/';
        path[PATH_MAX - 1] = 0;
        _cleanup_close_ int fd = inroot_open(f->root, path, O_PATH | O_DIRECTORY, 0);
        assert_true(fd >= 0);
}

static void parents(void **state) {
        struct fixture *f = *state;
        char name[NAME_MAX + 1];
        static const char *const without[] = { "", "/", "..", "/etc/..", "/etc/.", "//" };

        for (size_t i = 0; i < ELEMENTSOF(without); i++)
                assert_int_equal(inroot_open_parent(f->root, without[i], name), -EINVAL);
        _cleanup_close_ int a = inroot_open_parent(f->root, "/directory/absolute//", name);
        assert_string_equal(name, "absolute");
        assert_int_equal(faccessat(a, "hostname", F_OK, 0), 0);
        _cleanup_close_ int b = inroot_open_parent(f->root, "dots", name);
        assert_string_equal(name, "dots");
        assert_int_equal(faccessat(b, "etc/hostname", F_OK, 0), 0);
        assert_int_equal(inroot_open_parent(f->root, "/escape-directory/x", name), -ENOENT);
}

static void directories(void **state) {
        struct fixture *f = *state;
        struct stat st;

        umask(077);
        assert_int_equal(inroot_mkdirs(f->root, "/slash/one//two/./three/", 0751), 0);
        assert_int_equal(inroot_mkdirs(f->root, "/slash/one/two/three", 0700), 0);
        assert_int_equal(fstatat(f->root, "etc/one/two/three", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0751);
        assert_int_equal(fstatat(f->root, "etc/one", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0751);
        assert_int_equal(inroot_mkdirs_parent(f->root, "/var/lib/x", 0755), 0);
        assert_int_equal(fstatat(f->root, "var/lib", &st, 0), 0);
        assert_int_equal(fstatat(f->root, "var/lib/x", &st, 0), -1);
        assert_int_equal(inroot_mkdirs_parent(f->root, "/x", 0755), 0);
        assert_int_equal(inroot_mkdirs(f->root, "/", 0755), 0);
        assert_int_equal(inroot_mkdirs(f->root, "/etc/hostname/x", 0755), -ENOTDIR);
        assert_int_equal(inroot_mkdirs(f->root, "/loop/x", 0755), -ELOOP);
        /* A dangling link is neither followed nor replaced. */
        assert_true(inroot_mkdirs(f->root, "/escape-directory/made", 0755) < 0);
        assert_true(inroot_mkdirs(f->root, "/dangling/made", 0755) < 0);
        assert_int_equal(inroot_mkdirs(f->root, "/../outside/made", 0755), 0);
        assert_int_equal(faccessat(f->top, "outside/made", F_OK, 0), -1);
        assert_int_equal(faccessat(f->root, "outside/made", F_OK, 0), 0);

        assert_int_equal(inroot_touch(f->root, "/etc/one/file", 0644), 0);
        assert_int_equal(fstatat(f->root, "etc/one/file", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
        assert_int_equal(inroot_touch(f->root, "/etc/hostname", 0600), 0);
        assert_int_equal(inroot_touch(f->root, "/dangling", 0600), 0);
        assert_int_equal(faccessat(f->root, "nothing", F_OK, 0), -1);
        assert_int_equal(umask(022), 077);
}

static void reading(void **state) {
        struct fixture *f = *state;
        char *text = NULL;

        alarm(10);
        assert_int_equal(inroot_read(f->root, "/etc/hostname", 5, &text, NULL), -EFBIG);
        assert_int_equal(inroot_read(f->root, "/etc", 5, &text, NULL), -EISDIR);
        assert_int_equal(inroot_read(f->root, "/etc/fifo", 5, &text, NULL), -EBADFD);
        if (mknodat(f->root, "device", S_IFCHR | 0666, makedev(1, 5)) == 0)
                assert_int_equal(inroot_read(f->root, "/device", 5, &text, NULL), -EBADFD);
        assert_null(text);
        assert_int_equal(inroot_read(f->root, "/etc/hostname", 6, &text, NULL), 0);
        assert_string_equal(text, "inside");
        free(text);
        alarm(0);
}

static void assert_content(struct fixture *f, const char *path, const char *expected) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(inroot_read(f->root, path, 100, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void writing(void **state) {
        struct fixture *f = *state;
        struct stat st, before;

        alarm(10);
        umask(077);
        assert_int_equal(inroot_write_file(f->root, "/etc/made", "new\n", 4, 0644), 0);
        assert_int_equal(fstatat(f->root, "etc/made", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
        assert_int_equal(fstatat(f->root, "etc/hostname", &before, 0), 0);
        assert_int_equal(inroot_write_file(f->root, "/etc/hostname", "x", 1, 0600), 0);
        assert_content(f, "/etc/hostname", "x");
        assert_int_equal(fstatat(f->root, "etc/hostname", &st, 0), 0);
        assert_int_equal(st.st_ino, before.st_ino);
        assert_int_equal(st.st_mode, before.st_mode);
        assert_int_equal(inroot_write_file(f->root, "/etc/absolute", "y", 1, 0644), -ELOOP);
        assert_int_equal(inroot_write_file(f->root, "/dots", "y", 1, 0644), -ELOOP);
        assert_int_equal(inroot_write_file(f->root, "/dangling", "y", 1, 0644), -ELOOP);
        assert_int_equal(inroot_write_file(f->root, "/etc/fifo", "y", 1, 0644), -EBADFD);
        assert_int_equal(inroot_write_file(f->root, "/etc", "y", 1, 0644), -EISDIR);
        assert_int_equal(inroot_write_file(f->root, "/escape-directory/secret", "y", 1, 0644), -ENOENT);
        assert_content(f, "/etc/hostname", "x");

        assert_int_equal(inroot_replace_file(f->root, "/etc/hostname", "z", 1, 0640), 0);
        assert_content(f, "/etc/hostname", "z");
        assert_int_equal(fstatat(f->root, "etc/hostname", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0640);
        assert_int_not_equal(st.st_ino, before.st_ino);
        assert_int_equal(inroot_replace_file(f->root, "/dots", "z", 1, 0644), 0);
        assert_string_equal(inroot_kind(f->root, "/dots"), "a file");
        assert_int_equal(inroot_replace_file(f->root, "/etc/fifo", "z", 1, 0644), 0);
        assert_content(f, "/etc/fifo", "z");
        assert_int_equal(inroot_replace_file(f->root, "/etc/deep", "z", 1, 0644), -EISDIR);
        umask(022);
        alarm(0);
}

static size_t count_entries(int root, const char *path) {
        int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char buffer[8192];
        size_t n = 0;
        long size;

        assert_true(fd >= 0);
        while ((size = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
                for (long at = 0; at < size; n++)
                        at += *(unsigned short *) (buffer + at + 16); /* d_reclen */
        close(fd);
        return n;
}

static void links(void **state) {
        struct fixture *f = *state;
        char *target = NULL;
        struct stat st;

        assert_int_equal(inroot_readlink(f->root, "/etc/hostname", &target), -EINVAL);
        assert_int_equal(inroot_readlink(f->root, "/missing", &target), -ENOENT);
        assert_int_equal(inroot_readlink(f->root, "/directory/relative", &target), 0);
        assert_string_equal(target, "../etc/hostname");
        free(target);

        size_t n = count_entries(f->root, "etc");
        assert_int_equal(inroot_symlink_replace(f->root, "/new", "/etc/link"), 0);
        assert_int_equal(inroot_symlink_replace(f->root, "/newer", "/etc/link"), 0);
        assert_int_equal(inroot_readlink(f->root, "/etc/link", &target), 0);
        assert_string_equal(target, "/newer");
        free(target);
        assert_int_equal(inroot_symlink_replace(f->root, "/newer", "/etc/hostname"), 0);
        assert_string_equal(inroot_kind(f->root, "/etc/hostname"), "a symbolic link");
        assert_int_equal(inroot_symlink_replace(f->root, "/newer", "/etc/deep"), -EISDIR);
        /* No temporary name is left. */
        assert_int_equal(count_entries(f->root, "etc"), n + 1);

        assert_int_equal(inroot_unlink(f->root, "/etc/link"), 0);
        assert_int_equal(inroot_unlink(f->root, "/etc/link"), -ENOENT);
        assert_int_equal(inroot_unlink(f->root, "/directory"), 0);
        assert_int_equal(inroot_unlink(f->root, "/etc/deep"), -EISDIR);
        assert_int_equal(inroot_stat(f->root, "/etc/deep", &st), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_int_equal(inroot_stat(f->root, "/escape", &st), -ENOENT);
        assert_string_equal(inroot_kind(f->root, "/etc/fifo"), "a FIFO");
        assert_string_equal(inroot_kind(f->root, "/escape"), "a symbolic link");
        assert_string_equal(inroot_kind(f->root, "/nowhere"), "missing");
}

/* The host's own root, as its procfs is at hand: no object is reached through a magic link. */
static void magic_links(void **state) {
        struct fixture *f = *state;
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        char path[64];

        assert_int_equal(inroot_stat(root, "/proc/self/status", &st), 0);
        assert_int_equal(inroot_stat(root, "/proc/mounts", &st), 0);
        assert_int_equal(inroot_stat(root, "/proc/self/exe", &st), -ELOOP);
        assert_int_equal(inroot_stat(root, "/proc/self/cwd", &st), -ELOOP);
        assert_int_equal(inroot_stat(root, "/proc/self/root/etc", &st), -ELOOP);
        assert_int_equal(inroot_stat(root, "/proc/self/ns/mnt", &st), -ELOOP);
        snprintf(path, sizeof path, "/proc/self/fd/%d/outside/secret", f->top);
        assert_int_equal(inroot_stat(root, path, &st), -ELOOP);
        put_link(f->root, path, "magic");
        assert_int_equal(inroot_stat(f->root, "/magic", &st), -ENOENT);
}

/* Someone exchanges a directory and a file with links that lead out, again and again, while we look up what is below.
 */
static void race(void **state) {
        struct fixture *f = *state;
        unsigned found = 0;

        assert_int_equal(mkdirat(f->root, "flip", 0755), 0);
        put_file(f->root, "flip/secret", "inside");
        put_link(f->root, "../outside", "etc/flop");
        put_file(f->root, "file", "inside");
        put_link(f->root, "../outside/secret", "etc/link");
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                for (;;) {
                        syscall(SYS_renameat2, f->root, "flip", f->root, "etc/flop", RENAME_EXCHANGE);
                        syscall(SYS_renameat2, f->root, "file", f->root, "etc/link", RENAME_EXCHANGE);
                }
        for (unsigned i = 0; i < 30000; i++) {
                static const char *const paths[] = { "/flip/secret", "/file", "/etc/../flip/../flip/secret" };
                char text[8] = "";
                _cleanup_close_ int fd = inroot_open(f->root, paths[i % 3], O_RDONLY, 0);
                if (fd < 0)
                        continue;
                assert_int_equal(read(fd, text, 7), 6);
                assert_string_equal(text, "inside");
                found++;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_true(found > 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lookups, setup, teardown),
        cmocka_unit_test_setup_teardown(open_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(long_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(parents, setup, teardown),
        cmocka_unit_test_setup_teardown(directories, setup, teardown),
        cmocka_unit_test_setup_teardown(reading, setup, teardown),
        cmocka_unit_test_setup_teardown(writing, setup, teardown),
        cmocka_unit_test_setup_teardown(links, setup, teardown),
        cmocka_unit_test_setup_teardown(magic_links, setup, teardown),
        cmocka_unit_test_setup_teardown(race, setup, teardown),
};

/* Makes openat2(2) answer EPERM for good, as the filters of older sandboxes do to what they do not know. */
static int forbid_openat2(void) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = ELEMENTSOF(code), .filter = code };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return sys_seccomp_filter(0, &program) < 0 ? -errno : 0;
}

int main(void) {
        int failed = cmocka_run_group_tests_name("inroot", tests, NULL, NULL);

        setenv("SPAWN_TEST_ENOSYS", "openat2", 1);
        assert_int_equal(sys_openat2(AT_FDCWD, ".", &(struct open_how){ .flags = O_PATH }), -1);
        assert_int_equal(errno, ENOSYS);
        failed += cmocka_run_group_tests_name("inroot-enosys", tests, NULL, NULL);
        unsetenv("SPAWN_TEST_ENOSYS");
        if (forbid_openat2() < 0) {
                print_message("no system call filter can be set here: the run with EPERM is skipped\n");
                return failed;
        }
        return failed + cmocka_run_group_tests_name("inroot-eperm", tests, NULL, NULL);
}
