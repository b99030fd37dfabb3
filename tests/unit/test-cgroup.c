/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups: as plain directories, and for real on a cgroup2 mount that only this test has. */
#include "basic/cgroup.h"

#include <sched.h>
#include <sys/mount.h>

#include "helpers.h"

static void groups_are_removed_depth_first(void **state) {
        char dir[] = "/tmp/test-cgroup-XXXXXX";

        (void) state;
        assert_non_null(mkdtemp(dir));
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(cgroup_remove(fd, "a"), 0);
        assert_int_equal(mkdirat(fd, "a", 0755) | mkdirat(fd, "a/b", 0755) | mkdirat(fd, "a/b/c", 0755) |
                                 mkdirat(fd, "a/d", 0755),
                         0);
        assert_int_equal(cgroup_remove(fd, "a"), 0);
        assert_int_equal(faccessat(fd, "a", F_OK, 0), -1);
        assert_int_equal(rmdir(dir), 0);
}

/* What is no group is left alone, and nothing is waited for. */
static void what_is_no_group_stays(void **state) {
        char dir[] = "/tmp/test-cgroup-XXXXXX";
        uint64_t start = monotonic_usec();

        (void) state;
        assert_non_null(mkdtemp(dir));
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(fd, "target", 0755), 0);
        assert_int_equal(symlinkat("target", fd, "link"), 0);
        assert_true(cgroup_remove(fd, "link") < 0);
        assert_int_equal(faccessat(fd, "target", F_OK, 0), 0);
        assert_int_equal(faccessat(fd, "link", F_OK, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(mkdirat(fd, "a", 0755), 0);
        put_text(fd, "a/file", "x");
        assert_int_equal(cgroup_remove(fd, "a"), -ENOTEMPTY);
        assert_int_equal(faccessat(fd, "a/file", F_OK, 0), 0);
        assert_int_equal(cgroup_remove(-1, "a"), -EBADF);
        assert_true(monotonic_usec() - start < 2000000);
        remove_tree_at(dir);
}

static void depth_is_bounded(void **state) {
        char dir[] = "/tmp/test-cgroup-XXXXXX";

        (void) state;
        assert_non_null(mkdtemp(dir));
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int at = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < 100; i++) {
                assert_int_equal(mkdirat(at, "d", 0755), 0);
                int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                fd_close(at);
                at = next;
        }
        fd_close(at);
        assert_int_equal(cgroup_remove(fd, "d"), -ELOOP);
        remove_tree_at(dir);
}

static void entering_needs_a_group(void **state) {
        _cleanup_close_ int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void) state;
        assert_int_equal(cgroup_enter(fd), -ENOENT);
        assert_int_equal(cgroup_enter(-1), -EBADF);
}

/* Our own group; skips where there is none. */
static int open_cgroup2(void) {
        _cleanup_free_ char *own = NULL;

        need_root();
        int fd = cgroup_path(0, &own) < 0 ? -1 : cgroup_open(own);
        if (fd < 0) {
                print_message("this kernel has no cgroup2\n");
                skip();
        }
        assert_true(fd >= 0);
        return fd;
}

struct member {
        int group, ready;
};

static void sleep_in_group(void *userdata) {
        const struct member *m = userdata;

        if (cgroup_enter(m->group) < 0 || write(m->ready, "r", 1) != 1)
                _exit(1);
        pause();
}

/* A process that waits in the group TOP/PATH, which is made if it is missing. */
static pid_t start_member(int top, const char *path) {
        int p[2];
        char byte;

        if (mkdirat(top, path, 0755) < 0)
                assert_int_equal(errno, EEXIST);
        _cleanup_close_ int group = openat(top, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(group >= 0);
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        struct member m = { group, p[1] };
        pid_t pid = start_child(sleep_in_group, &m);
        close(p[1]);
        ssize_t n = read(p[0], &byte, 1);
        close(p[0]);
        assert_int_equal(n, 1);
        return pid;
}

static bool is_in(pid_t pid, const char *group) {
        char path[64], *text = NULL;

        snprintf(path, sizeof path, "/proc/%d/cgroup", (int) pid);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_read_file(fd, 65536, &text, NULL), 0);
        bool found = strstr(text, group);
        free(text);
        return found;
}

static void wait_in_place(void *userdata) {
        (void) userdata;
        pause();
}

/* From outside, and back from /proc. Controllers are handed on where there are any. */
static void processes_are_moved_and_found(void **state) {
        _cleanup_close_ int top = open_cgroup2();
        char name[64], path[80], *found = NULL;

        (void) state;
        snprintf(name, sizeof name, "spawn-test-%d", (int) getpid());
        snprintf(path, sizeof path, "/%s", name);
        assert_int_equal(mkdirat(top, name, 0755), 0);
        _cleanup_close_ int group = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        pid_t pid = start_child(wait_in_place, NULL);
        assert_int_equal(cgroup_move(group, pid), 0);
        assert_int_equal(cgroup_path(pid, &found), 0);
        assert_non_null(strstr(found, path));
        free(found);
        assert_int_equal(cgroup_path(0, &found), 0);
        assert_null(strstr(found, path));
        free(found);
        cgroup_enable_controllers(group);
        cgroup_enable_controllers(-1);
        kill(pid, SIGKILL);
        wait_for(pid);
        assert_int_equal(cgroup_move(group, pid), -ESRCH);
        assert_int_equal(cgroup_path(pid, &found), -ENOENT);
        assert_int_equal(cgroup_remove(top, name), 0);
}

static void units(void **state) {
        static const struct {
                const char *path, *unit;
        } cases[] = {
                { "/machine.slice/machine-a\\x2db.scope/payload", "machine-a\\x2db.scope" },
                { "/system.slice/spawn@x.service", "spawn@x.service" },
                { "/user.slice/user-0.slice/user@0.service/app.slice/x.scope", "user@0.service" },
                { "/init.scope", "init.scope" },
                { "/spawn-m1-12/x.scope", NULL }, /* of the payload's, below what is no unit */
                { "/machine.slice", NULL },
                { "/a.slice/b/c.service", NULL },
                { "/", NULL },
                { "", NULL },
        };
        char *unit = NULL;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                unit = cgroup_unit_of(cases[i].path);
                if (!unit || !cases[i].unit)
                        assert_true(!unit && !cases[i].unit);
                else
                        assert_string_equal(unit, cases[i].unit);
                free(unit);
        }
        assert_int_equal(cgroup_unit(INT32_MAX, &unit), -ENOENT);
}

static void processes_enter_and_are_killed(void **state) {
        _cleanup_close_ int top = open_cgroup2();
        char name[64], inner[96], innermost[128];

        (void) state;
        snprintf(name, sizeof name, "spawn-test-%d", (int) getpid());
        snprintf(inner, sizeof inner, "%s/inner", name);
        snprintf(innermost, sizeof innermost, "%s/innermost", inner);
        assert_int_equal(mkdirat(top, name, 0755), 0);
        pid_t members[] = { start_member(top, inner), start_member(top, innermost), start_member(top, innermost) };
        assert_true(is_in(members[0], inner));
        assert_true(is_in(members[2], innermost));
        assert_false(is_in(getpid(), name));

        uint64_t start = monotonic_usec();
        assert_int_equal(cgroup_remove(top, name), 0);
        assert_true(monotonic_usec() - start < 4000000);
        assert_int_equal(faccessat(top, name, F_OK, 0), -1);
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                int status = wait_for(members[i]);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        }
        assert_int_equal(cgroup_remove(top, name), 0);
}

static void end_late(void *userdata) {
        usleep(100000);
        kill(*(const pid_t *) userdata, SIGKILL);
}

/* A group that cannot be killed whole (before Linux 5.14) is waited for: here the members' end comes from elsewhere.
 * cgroup.kill would be as quick, so only the outcome is looked at. */
static void a_busy_group_is_waited_for(void **state) {
        _cleanup_close_ int top = open_cgroup2();
        char name[64];

        (void) state;
        snprintf(name, sizeof name, "spawn-test-busy-%d", (int) getpid());
        pid_t member = start_member(top, name);
        pid_t killer = start_child(end_late, &member);
        assert_int_equal(cgroup_remove(top, name), 0);
        assert_int_equal(wait_for(killer), 0);
        assert_true(WIFSIGNALED(wait_for(member)));
        assert_int_equal(faccessat(top, name, F_OK, 0), -1);
}

/* What /proc says of the cgroup2 hierarchy's options. */
static void read_options(char *ret, size_t size) {
        char line[4096];
        FILE *f = fopen("/proc/mounts", "re");

        *ret = 0;
        while (f && fgets(line, sizeof line, f))
                if (strstr(line, " cgroup2 "))
                        snprintf(ret, size, "%s", line);
        if (f)
                fclose(f);
}

/* A host without a mount of cgroup2, or with one that is read-only: our own group is had, and nothing else. */
static void open_where_none_is_mounted(void *userdata) {
        _cleanup_free_ char *own = NULL, *after = NULL;
        char group[64];

        (void) userdata;
        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0);
        CHECK(cgroup_path(0, &own) == 0);
        CHECK(cgroup_open("/there-is-none") == -ENOENT);
        _cleanup_close_ int fd = cgroup_open(own);
        CHECK(fd >= 0);
        snprintf(group, sizeof group, "spawn-test-%d", (int) getpid());
        CHECK(mkdirat(fd, group, 0755) == 0);
        CHECK(cgroup_remove(fd, group) == 0);
        CHECK(cgroup_path(0, &after) == 0); /* we are in our cgroup namespace again */
        CHECK(strcmp(own, after) == 0);
}

/* nsdelegate and its like are the host's: a mount of cgroup2 in the first cgroup namespace would turn them off. */
static void the_options_of_the_host_stay(void **state) {
        char before[4096], set[4096], after[4096];
        const char *flags[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
        unsigned long changed = 0;

        (void) state;
        fd_close(open_cgroup2());
        read_options(before, sizeof before);
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                changed += !strstr(before, "nsdelegate") &&
                           mount(NULL, flags[i], NULL, MS_REMOUNT, "nsdelegate,memory_recursiveprot") == 0;
        read_options(set, sizeof set);
        fd_close(open_cgroup2());
        int status = run_child(open_where_none_is_mounted, NULL);
        read_options(after, sizeof after);
        for (size_t i = 0; changed > 0 && i < ELEMENTSOF(flags); i++)
                (void) mount(NULL, flags[i], NULL, MS_REMOUNT, "");
        assert_int_equal(status, 0);
        assert_string_equal(set, after);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(groups_are_removed_depth_first),
                cmocka_unit_test(what_is_no_group_stays),
                cmocka_unit_test(depth_is_bounded),
                cmocka_unit_test(entering_needs_a_group),
                cmocka_unit_test(processes_are_moved_and_found),
                cmocka_unit_test(units),
                cmocka_unit_test(processes_enter_and_are_killed),
                cmocka_unit_test(a_busy_group_is_waited_for),
                cmocka_unit_test(the_options_of_the_host_stay),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
