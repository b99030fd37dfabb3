/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wrappers for real, and each of them made to look unimplemented. */
#include "basic/syscalls.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "basic/text.h"
#include "helpers.h"

#define VARIABLE "SPAWN_TEST_ENOSYS"

/* Each call with arguments that the kernel refuses, so that nothing happens where it is not missing. */
static long call_openat2(void) {
        return sys_openat2(-1, "x", &(struct open_how){ .flags = ~UINT64_C(0) });
}
static long call_clone3(void) {
        return sys_clone3(NULL, 0);
}
static long call_close_range(void) {
        return sys_close_range(5, 4, 0);
}
static long call_pidfd_open(void) {
        return sys_pidfd_open(-1, 0);
}
static long call_pidfd_send_signal(void) {
        return sys_pidfd_send_signal(-1, 0, NULL, 0);
}
static long call_fsopen(void) {
        return sys_fsopen("no such type", ~0U);
}
static long call_fsconfig(void) {
        return sys_fsconfig(-1, ~0U, NULL, NULL, 0);
}
static long call_fsmount(void) {
        return sys_fsmount(-1, ~0U, 0);
}
static long call_open_tree(void) {
        return sys_open_tree(-1, "x", ~0U);
}
static long call_move_mount(void) {
        return sys_move_mount(-1, "x", -1, "x", ~0U);
}
static long call_mount_setattr(void) {
        struct mount_attr attr = { 0 };
        return sys_mount_setattr(-1, "x", ~0U, &attr, sizeof attr);
}
static long call_pivot_root(void) {
        return sys_pivot_root("/no/such", "/no/such");
}
static long call_umount2(void) {
        return sys_umount2("/no/such", 0);
}
static long call_seccomp(void) {
        return sys_seccomp_filter(~0U, NULL);
}
static long call_keyctl(void) {
        return sys_keyctl_join_session();
}

static const struct {
        const char *name;
        long (*call)(void);
        bool refused;
} calls[] = {
#define ROW(name)                                                                                                     \
        { #name, call_##name, true }
        ROW(openat2),
        ROW(clone3),
        ROW(close_range),
        ROW(pidfd_open),
        ROW(pidfd_send_signal),
        ROW(fsopen),
        ROW(fsconfig),
        ROW(fsmount),
        ROW(open_tree),
        ROW(move_mount),
        ROW(mount_setattr),
        ROW(pivot_root),
        ROW(umount2),
        ROW(seccomp),
#undef ROW
        { "keyctl", call_keyctl, false },
};

static bool looks_missing(size_t i) {
        errno = 0;
        return calls[i].call() == -1 && errno == ENOSYS;
}

/* Sets the variable to FORM with each "@" replaced by the name of call I, and says whether the call is missing then.
 */
static bool missing_with(const char *form, size_t i) {
        char text[256], *p = text;

        for (; *form; form++)
                p = *form == '@' ? stpcpy(p, calls[i].name) : (*p = *form, p + 1);
        *p = 0;
        setenv(VARIABLE, text, 1);
        return looks_missing(i);
}

/* The variable is set in a child, and so is the session keyring that keyctl() makes. */
static void check_injection(void *userdata) {
        static const char *const hits[] = { "@", "@,uname", "uname,@", "a,@,b", "x@,@", "@x,@" };
        static const char *const misses[] = { "", "x@", "@x", "uname", "x@,@x" };

        (void) userdata;
        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                unsetenv(VARIABLE);
                if (looks_missing(i))
                        continue; /* not in this kernel, or denied to us */
                CHECK(!calls[i].refused || calls[i].call() == -1);
                for (size_t k = 0; k < ELEMENTSOF(hits); k++)
                        if (!missing_with(hits[k], i)) {
                                dprintf(2, "%s is not missing with %s\n", calls[i].name, getenv(VARIABLE));
                                _exit(1);
                        }
                for (size_t k = 0; k < ELEMENTSOF(misses); k++)
                        if (missing_with(misses[k], i)) {
                                dprintf(2, "%s is missing with %s\n", calls[i].name, getenv(VARIABLE));
                                _exit(1);
                        }
        }
}

static void each_can_be_made_to_look_missing(void **state) {
        (void) state;
        assert_int_equal(run_child(check_injection, NULL), 0);
}

static void paths_are_resolved_below_a_root(void **state) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
        _cleanup_close_ int root = open("/proc/self", O_PATH | O_CLOEXEC);
        struct stat a, b;

        (void) state;
        _cleanup_close_ int fd = sys_openat2(root, "/../../status", &how);
        if (fd < 0 && errno == ENOSYS)
                skip();
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(stat("/proc/self/status", &b), 0);
        assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
        assert_int_equal(sys_openat2(root, "/etc/passwd", &how), -1);
        assert_int_equal(errno, ENOENT);
}

static void check_close_range(void *userdata) {
        (void) userdata;
        int a = fcntl(STDERR_FILENO, F_DUPFD, 20), b = fcntl(STDERR_FILENO, F_DUPFD, 30);

        CHECK(sys_close_range(20, 29, 0) == 0);
        CHECK(fcntl(a, F_GETFD) == -1 && fcntl(b, F_GETFD) == 0);
        CHECK(sys_close_range(30, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) == 0);
        CHECK(fcntl(b, F_GETFD) == FD_CLOEXEC);
}

static void ranges_are_closed(void **state) {
        (void) state;
        assert_int_equal(run_child(check_close_range, NULL), 0);
}

static void wait_for_end(void *userdata) {
        (void) userdata;
        pause();
}

static void processes_are_signalled_by_descriptor(void **state) {
        (void) state;
        pid_t pid = start_child(wait_for_end, NULL);
        _cleanup_close_ int fd = sys_pidfd_open(pid, 0);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        assert_true(fd >= 0);
        assert_int_equal(poll(&p, 1, 0), 0);
        assert_int_equal(sys_pidfd_send_signal(fd, SIGUSR1, NULL, 0), 0);
        assert_int_equal(poll(&p, 1, 5000), 1);
        int status = wait_for(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
        assert_int_equal(sys_pidfd_send_signal(fd, SIGUSR1, NULL, 0), -1);
        assert_int_equal(errno, ESRCH);
}

/* One child by sys_clone_any(); with a group that only clone3() could put it into. */
static void check_clone(void *userdata) {
        int pidfd = -1, status;
        struct clone_args args = {
                .flags = CLONE_PIDFD | CLONE_NEWUTS | (userdata ? CLONE_INTO_CGROUP : 0),
                .pidfd = (uint64_t) (uintptr_t) &pidfd,
                .exit_signal = SIGCHLD,
                .cgroup = (uint64_t) -1, /* clone3() would say EBADF or EINVAL */
        };

        if (userdata)
                setenv(VARIABLE, userdata, 1);
        pid_t pid = sys_clone_any(&args);
        if (pid == 0)
                _exit(sethostname("inside", 6) == 0 && getppid() > 0 ? 42 : 1);
        CHECK(pid > 0);
        CHECK(pidfd >= 0 && fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
        struct pollfd p = { .fd = pidfd, .events = POLLIN };
        CHECK(poll(&p, 1, 5000) == 1);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        char name[65];
        CHECK(gethostname(name, sizeof name) == 0 && !text_equal(name, "inside"));
}

static void clones_with_and_without_clone3(void **state) {
        char missing[] = "clone3";

        (void) state;
        need_root();
        assert_int_equal(run_child(check_clone, NULL), 0);
        assert_int_equal(run_child(check_clone, missing), 0);
}

/* Only where clone3 is missing or denied is clone(2) tried: a real failure stays one. */
static void check_clone_failure(void *userdata) {
        struct clone_args args = { .flags = CLONE_NEWNS | CLONE_FS, .exit_signal = SIGCHLD };

        if (userdata)
                setenv(VARIABLE, userdata, 1);
        pid_t pid = sys_clone_any(&args);
        if (pid == 0)
                _exit(1);
        CHECK(pid == -1 && errno == EINVAL);
}

static void failures_of_clone_are_told(void **state) {
        char missing[] = "clone3";

        (void) state;
        assert_int_equal(run_child(check_clone_failure, NULL), 0);
        assert_int_equal(run_child(check_clone_failure, missing), 0);
}

/* The mount calls in their usual order, in a mount namespace that dies with the child. Userdata: a directory. */
static void check_mounts(void *userdata) {
        struct mount_attr private = { .propagation = 1UL << 18 }, read_only = { .attr_set = MOUNT_ATTR_RDONLY };
        const char *dir = userdata;

        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private) == 0);
        int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
        CHECK(fs >= 0 && fcntl(fs, F_GETFD) == FD_CLOEXEC);
        CHECK(sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0711", 0) == 0);
        CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
        int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC);
        CHECK(mount >= 0);
        CHECK(mkdirat(mount, "sub", 0700) == 0);
        CHECK(sys_move_mount(mount, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH) == 0);
        struct stat st;
        CHECK(stat(dir, &st) == 0 && (st.st_mode & 07777) == 0711);
        int tree = sys_open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        CHECK(tree >= 0);
        CHECK(sys_mount_setattr(tree, "", AT_EMPTY_PATH, &read_only, sizeof read_only) == 0);
        CHECK(mkdirat(tree, "no", 0700) == -1 && errno == EROFS);
        CHECK(mkdirat(mount, "yes", 0700) == 0);
        CHECK(sys_umount2(dir, 2 /* MNT_DETACH */) == 0);
        CHECK(stat(dir, &st) == 0 && (st.st_mode & 07777) == 0700);
        /* As root_enter() does it. */
        CHECK(sys_move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0);
        CHECK(fchdir(tree) == 0);
        CHECK(sys_pivot_root(".", ".") == 0 || errno == EINVAL);
}

static void mounts_by_descriptor(void **state) {
        char dir[] = "/tmp/test-syscalls-XXXXXX";

        (void) state;
        need_root();
        assert_non_null(mkdtemp(dir));
        assert_int_equal(run_child(check_mounts, dir), 0);
        assert_int_equal(rmdir(dir), 0);
}

static uint64_t status_mask(const char *field) {
        char *text = NULL;
        _cleanup_close_ int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

        CHECK(fd_read_file(fd, 65536, &text, NULL) == 0);
        const char *line = strstr(text, field);
        CHECK(line);
        uint64_t mask = strtoull(line + strlen(field), NULL, 16);
        free(text);
        return mask;
}

static void check_capabilities(void *userdata) {
        const uint64_t chown = UINT64_C(1) << CAP_CHOWN, high = UINT64_C(1) << CAP_BPF; /* one in each word */
        struct capability_sets sets, again;

        (void) userdata;
        CHECK(sys_capget(&sets) == 0);
        CHECK(sets.effective == status_mask("\nCapEff:"));
        CHECK(sets.permitted == status_mask("\nCapPrm:"));
        CHECK(sets.inheritable == status_mask("\nCapInh:"));
        CHECK(sets.permitted & chown);
        sets.permitted &= chown | high;
        sets.effective = chown;
        sets.inheritable = sets.permitted & high;
        CHECK(sys_capset(&sets) == 0);
        CHECK(sys_capget(&again) == 0);
        CHECK(again.effective == sets.effective && again.permitted == sets.permitted &&
              again.inheritable == sets.inheritable);
        CHECK(status_mask("\nCapPrm:") == sets.permitted);
        CHECK(status_mask("\nCapInh:") == sets.inheritable);
        sets.effective = sets.permitted | UINT64_C(1) << CAP_SYS_ADMIN;
        CHECK(sys_capset(&sets) == -1 && errno == EPERM);
}

static void capabilities_are_64_bits(void **state) {
        (void) state;
        need_root();
        assert_int_equal(run_child(check_capabilities, NULL), 0);
}

static void check_filter(void *userdata) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { ELEMENTSOF(code), code };

        (void) userdata;
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(sys_seccomp_filter(0, &program) == 0);
        CHECK(syscall(SYS_getpgid, 0) == -1 && errno == EXDEV);
}

static void filters_are_installed(void **state) {
        (void) state;
        assert_int_equal(run_child(check_filter, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_can_be_made_to_look_missing),
                cmocka_unit_test(paths_are_resolved_below_a_root),
                cmocka_unit_test(ranges_are_closed),
                cmocka_unit_test(processes_are_signalled_by_descriptor),
                cmocka_unit_test(clones_with_and_without_clone3),
                cmocka_unit_test(failures_of_clone_are_told),
                cmocka_unit_test(mounts_by_descriptor),
                cmocka_unit_test(capabilities_are_64_bits),
                cmocka_unit_test(filters_are_installed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
