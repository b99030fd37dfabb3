/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Idmapped mounts for real, on detached clones of a directory: nothing is ever attached. Without root these are
 * skipped. */

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "mounts/idmap.h"

enum { UID = 1234, GID = 567, OVERFLOW = 65534 };

struct fixture {
        char path[32]; /* belongs to UID and GID, as does `theirs` in it; `roots` does not */
        int directory, proc, mount;
        struct mount_op op;
        struct error error;
};

static int clone_of(const char *path, bool recursive) {
        return sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
}

static void make_file(int directory, const char *name, uid_t uid, gid_t gid) {
        int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(fchown(fd, uid, gid), 0);
        close(fd);
}

static int setup(void **state) {
        static struct fixture f;

        f = (struct fixture){ .proc = -EBADF, .directory = -EBADF, .mount = -EBADF };
        *state = &f;
        if (geteuid() != 0)
                return 0;
        strcpy(f.path, "/tmp/test-idmap-XXXXXX");
        assert_non_null(mkdtemp(f.path));
        f.directory = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(fchown(f.directory, UID, GID), 0);
        make_file(f.directory, "theirs", UID, GID);
        make_file(f.directory, "roots", 0, 0);
        f.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        f.mount = clone_of(f.path, true);
        assert_true(f.mount >= 0);
        f.op = (struct mount_op){ .kind = MOUNT_BIND, .source = f.path, .recursive = true };
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        if (geteuid() != 0)
                return 0;
        unsetenv("SPAWN_TEST_ENOSYS");
        for (const char *const *name = (const char *const[]){ "theirs", "roots", "new", NULL }; *name; name++)
                unlinkat(f->directory, *name, 0);
        close(f->mount);
        close(f->proc);
        close(f->directory);
        assert_int_equal(rmdir(f->path), 0);
        /* No helper is left, not even a dead one. */
        assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
        assert_int_equal(errno, ECHILD);
        return 0;
}

static void needs_root(void) {
        if (geteuid() != 0)
                skip();
}

static void assert_owner(int directory, const char *name, uid_t uid, gid_t gid) {
        struct stat st;

        assert_int_equal(fstatat(directory, name, &st, AT_EMPTY_PATH), 0);
        assert_int_equal(st.st_uid, uid);
        assert_int_equal(st.st_gid, gid);
}

static unsigned open_descriptors(void) {
        unsigned n = 0;
        DIR *d = opendir("/proc/self/fd");

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static int set(struct fixture *f, uid_t uid, gid_t gid) {
        const struct owner shown = { uid, gid };

        return idmap_set(f->mount, &f->op, f->proc, &shown, 0, &f->error);
}

static void as_root(void **state) {
        struct fixture *f = *state;

        needs_root();
        unsigned before = open_descriptors();
        assert_int_equal(set(f, 0, 0), 0);
        assert_int_equal(open_descriptors(), before);
        assert_owner(f->mount, "", 0, 0);
        assert_owner(f->mount, "theirs", 0, 0);
        assert_owner(f->mount, "roots", OVERFLOW, OVERFLOW);
        /* What root makes belongs to them; giving it to anybody else is not possible. */
        make_file(f->mount, "new", 0, 0);
        assert_owner(f->directory, "new", UID, GID);
        assert_int_equal(fchownat(f->mount, "new", 5, 0, 0), -1);
        assert_int_equal(errno, EOVERFLOW);
        /* The directory itself is as it was. */
        assert_owner(f->directory, "", UID, GID);
        assert_owner(f->directory, "roots", 0, 0);
}

static void as_another(void **state) {
        struct fixture *f = *state;

        needs_root();
        assert_int_equal(set(f, 42, 43), 0);
        assert_owner(f->mount, "", 42, 43);
        assert_owner(f->mount, "theirs", 42, 43);
        assert_owner(f->mount, "roots", OVERFLOW, OVERFLOW);
        assert_int_equal(mkdirat(f->mount, "new", 0755), -1);
        assert_int_equal(errno, EOVERFLOW);
}

static void what_is_roots_already(void **state) {
        struct fixture *f = *state;

        needs_root();
        assert_int_equal(fchown(f->directory, 0, 0), 0);
        assert_int_equal(set(f, 0, 0), 0);
        assert_owner(f->mount, "", 0, 0);
        assert_owner(f->mount, "roots", 0, 0);
        assert_owner(f->mount, "theirs", OVERFLOW, OVERFLOW);
}

static void the_largest_ids(void **state) {
        struct fixture *f = *state;

        needs_root();
        assert_int_equal(fchown(f->directory, 4294967294U, 4294967294U), 0);
        assert_int_equal(set(f, 4294967294U, 0), 0);
        assert_owner(f->mount, "", 4294967294U, 0);
}

static void a_file(void **state) {
        struct fixture *f = *state;
        char path[64];

        needs_root();
        snprintf(path, sizeof path, "%.40s/theirs", f->path);
        close(f->mount);
        f->mount = clone_of(path, false);
        f->op.recursive = false;
        assert_int_equal(set(f, 0, 0), 0);
        assert_owner(f->mount, "", 0, 0);
}

static void what_cannot_be_mapped_is_named(void **state) {
        struct fixture *f = *state;

        needs_root();
        close(f->mount);
        f->mount = clone_of("/proc/sys", false);
        f->op = (struct mount_op){ .kind = MOUNT_BIND, .source = (char *) "/proc/sys", .origin = (char *) "--bind" };
        assert_int_equal(set(f, 0, 0), -EINVAL);
        assert_non_null(strstr(f->error.text, "--bind: cannot map the owner of /proc/sys: "));
        assert_non_null(strstr(f->error.text, "(proc)"));
        assert_string_equal(f->error.hint, "");
        f->op.recursive = true;
        f->error = (struct error){ 0 };
        assert_int_equal(set(f, 0, 0), -EINVAL);
        assert_non_null(strstr(f->error.hint, "norbind"));
}

static void mapped_already(void **state) {
        struct fixture *f = *state;

        needs_root();
        assert_int_equal(set(f, 0, 0), 0);
        assert_int_equal(set(f, 0, 0), -EPERM);
        assert_non_null(strstr(f->error.text, "mapped already"));
}

static void without_procfs(void **state) {
        struct fixture *f = *state;

        needs_root();
        close(f->proc);
        f->proc = -EBADF;
        unsigned before = open_descriptors();
        assert_int_equal(set(f, 0, 0), -EBADF);
        assert_non_null(strstr(f->error.text, "cannot make a user namespace"));
        assert_int_equal(open_descriptors(), before);
}

static void without_clone3(void **state) {
        struct fixture *f = *state;

        needs_root();
        setenv("SPAWN_TEST_ENOSYS", "clone3", 1);
        assert_int_equal(set(f, 0, 0), 0);
        assert_owner(f->mount, "", 0, 0);
}

static void without_mount_setattr(void **state) {
        struct fixture *f = *state;

        needs_root();
        setenv("SPAWN_TEST_ENOSYS", "mount_setattr", 1);
        assert_int_equal(set(f, 0, 0), -ENOSYS);
        assert_non_null(strstr(f->error.hint, "5.12"));
}

/* As the first process of a PID namespace: the next one after the helper is number 2. */
static int first_process(void) {
        const struct owner disk = { UID, GID }, shown = { 0, 0 };
        int fs = sys_fsopen("proc", FSOPEN_CLOEXEC);

        if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return 1;
        int proc = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
        if (proc < 0)
                return 2;
        if (idmap_namespace(proc, &disk, &shown, 300) < 0)
                return 3;
        pid_t pid = fork();
        if (pid == 0)
                _exit(0);
        return waitpid(pid, NULL, 0) == pid && pid == 2 ? 0 : 4;
}

static void uses_up_no_process_number(void **state) {
        struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
        int status;

        (void) state;
        needs_root();
        pid_t pid = sys_clone_any(&args);
        if (pid == 0)
                _exit(first_process());
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(as_root, setup, teardown),
                cmocka_unit_test_setup_teardown(as_another, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_roots_already, setup, teardown),
                cmocka_unit_test_setup_teardown(the_largest_ids, setup, teardown),
                cmocka_unit_test_setup_teardown(a_file, setup, teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_mapped_is_named, setup, teardown),
                cmocka_unit_test_setup_teardown(mapped_already, setup, teardown),
                cmocka_unit_test_setup_teardown(without_procfs, setup, teardown),
                cmocka_unit_test_setup_teardown(without_clone3, setup, teardown),
                cmocka_unit_test_setup_teardown(without_mount_setattr, setup, teardown),
                cmocka_unit_test_setup_teardown(uses_up_no_process_number, setup, teardown),
        };

        return cmocka_run_group_tests_name("idmap", tests, NULL, NULL);
}
