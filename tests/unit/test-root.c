/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree as a mount of its own, and the way into it: in children with a mount namespace each. */
#include "mounts/root.h"

#include <dirent.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/statvfs.h>

#include "basic/syscalls.h"
#include "basic/text.h"
#include "helpers.h"

#define SHARED (1UL << 20)
#define PRIVATE (1UL << 18)

struct fixture {
        char path[32];
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-enter-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        _cleanup_close_ int fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (mkdirat(fd, "proc", 0755) < 0 || mkdirat(fd, "below", 0755) < 0 || mkdirat(fd, "etc", 0755) < 0)
                return -1;
        put_text(fd, "etc/hostname", "inside");
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        remove_tree_at(f->path);
        free(f);
        return 0;
}

/* A namespace that stands for the host's, all of it shared as systemd has it, with a mount below the tree. Returns the
 * tree's descriptor. */
static int make_host(struct fixture *f) {
        struct mount_attr attr = { .propagation = SHARED };
        char below[64];

        CHECK(unshare(CLONE_NEWNS) == 0);
        attr.propagation = PRIVATE;
        CHECK(sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) == 0);
        attr.propagation = SHARED;
        CHECK(sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) == 0);
        int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
        CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
        int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
        CHECK(mkdirat(mount, "there", 0755) == 0);
        snprintf(below, sizeof below, "%s/below", f->path);
        CHECK(sys_move_mount(mount, "", AT_FDCWD, below, MOVE_MOUNT_F_EMPTY_PATH) == 0);
        int fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(fd >= 0);
        return fd;
}

static size_t count_mounts(void) {
        char *text = NULL;
        size_t n = 0;
        _cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

        CHECK(fd_read_file(fd, 16 << 20, &text, NULL) == 0);
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                n++;
        free(text);
        return n;
}

static bool is_read_only(int dirfd, const char *path) {
        _cleanup_close_ int fd = openat(dirfd, path, O_PATH | O_CLOEXEC);
        struct statvfs fs;

        CHECK(fd >= 0 && fstatvfs(fd, &fs) == 0);
        return fs.f_flag & ST_RDONLY;
}

static void check_clone(void *userdata) {
        struct error e = { 0 };
        int root = make_host(userdata);
        size_t before = count_mounts();

        for (int read_only = 0; read_only < 2; read_only++) {
                int tree = root_clone(root, read_only, &e);
                CHECK(tree >= 0 && fcntl(tree, F_GETFD) == FD_CLOEXEC);
                CHECK(count_mounts() == before); /* it is nowhere */
                CHECK(faccessat(tree, "etc/hostname", F_OK, 0) == 0);
                CHECK(faccessat(tree, "below/there", F_OK, 0) == 0); /* with what is mounted below */
                CHECK(is_read_only(tree, ".") == read_only);
                CHECK(is_read_only(tree, "below") == read_only);
                CHECK(!is_read_only(root, ".") && !is_read_only(root, "below")); /* the host's is as it was */
                close(tree);
        }
        CHECK(root_clone(-1, false, &e) == -EBADF);
        CHECK(strstr(e.text, "cannot make a mount of the root"));
        static const char *const calls[] = { "open_tree", "mount_setattr" };
        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                setenv("SPAWN_TEST_ENOSYS", calls[i], 1);
                CHECK(root_clone(root, false, &e) == -ENOSYS);
                CHECK(strstr(e.text, "5.12"));
        }
}

static void cloning(void **state) {
        need_root();
        assert_int_equal(run_child(check_clone, *state), 0);
}

/* The propagation of each mount of this namespace, as mountinfo has it: is any (or none) of a peer group? */
static bool all_shared(bool shared) {
        char *text = NULL;
        bool all = true;
        _cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

        CHECK(fd_read_file(fd, 16 << 20, &text, NULL) == 0);
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
                *end = 0;
                all &= (strstr(line, " shared:") != NULL) == shared;
        }
        free(text);
        return all;
}

static void mount_proc(void) {
        int fs = sys_fsopen("proc", FSOPEN_CLOEXEC);

        CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
        int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
        CHECK(sys_move_mount(mount, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) == 0);
        close(mount);
        close(fs);
}

static void enter(void *userdata) {
        int tree = *(const int *) userdata;
        struct error e = { 0 };
        char cwd[64];

        CHECK(unshare(CLONE_NEWNS) == 0);
        if (root_enter(tree, &e) < 0) {
                dprintf(STDERR_FILENO, "%s\n", e.text);
                _exit(1);
        }
        CHECK(text_equal(getcwd(cwd, sizeof cwd), "/"));
        CHECK(access("/etc/hostname", F_OK) == 0 && access("/below/there", F_OK) == 0);
        CHECK(access("/tmp", F_OK) == -1 && access("/../tmp", F_OK) == -1); /* the host has it */
        mount_proc();
        /* Nothing of the host is left: the tree, what is below it, and this proc. */
        CHECK(count_mounts() == 3);
        CHECK(all_shared(false));
        CHECK(root_share(&e) == 0);
        CHECK(all_shared(true));
}

/* The other namespace is entered by another process: what it does must not be seen here, where all is shared. */
static void check_enter(void *userdata) {
        struct error e = { 0 };
        int root = make_host(userdata), tree = root_clone(root, false, &e), status;
        size_t before = count_mounts();

        CHECK(tree >= 0);
        pid_t pid = fork();
        if (pid == 0) {
                enter(&tree);
                _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
        CHECK(count_mounts() == before);
        CHECK(access("/tmp", F_OK) == 0);
        CHECK(!all_shared(false));
}

static void entering(void **state) {
        need_root();
        assert_int_equal(run_child(check_enter, *state), 0);
}

static void check_failures(void *userdata) {
        struct error e = { 0 };
        int root = make_host(userdata), tree = root_clone(root, false, &e);

        CHECK(tree >= 0);
        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(root_enter(root, &e) < 0 && strstr(e.text, "cannot mount the tree")); /* attached, not detached */
        setenv("SPAWN_TEST_ENOSYS", "move_mount", 1);
        CHECK(root_enter(tree, &e) == -ENOSYS && strstr(e.text, "5.12"));
        setenv("SPAWN_TEST_ENOSYS", "mount_setattr", 1);
        CHECK(root_share(&e) == -ENOSYS);
        setenv("SPAWN_TEST_ENOSYS", "pivot_root", 1);
        CHECK(root_enter(tree, &e) == -ENOSYS && strstr(e.text, "cannot make the tree the root"));
}

static void failures(void **state) {
        need_root();
        assert_int_equal(run_child(check_failures, *state), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(cloning), TEST(entering), TEST(failures) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
