/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "console/guardian.h"
#include "unit.h"

static uint64_t now_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static bool ends_within(int pidfd, int msec) {
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        return poll(&p, 1, msec) == 1;
}

static pid_t start_sleeper(void) {
        pid_t pid = fork();

        if (pid == 0)
                for (;;)
                        pause();
        assert_true(pid > 0);
        return pid;
}

/* A supervisor to be killed: starts a guardian for LEADER, says "ready" and waits. */
static void supervise(int ready, int terminal_fd, int leader, int cgroup_parent, bool crash) {
        struct terminal t;
        struct guardian g;
        struct error e;

        terminal_probe(terminal_fd, terminal_fd, &t);
        if (guardian_start(&(struct guardian_plan){ .supervisor_pidfd = -EBADF, .terminal = &t }, &g, &e) < 0 ||
            terminal_make_raw(&t, &e) < 0 || guardian_set_leader(&g, leader) < 0 ||
            guardian_set_cgroup(&g, cgroup_parent, "group") < 0)
                _exit(1);
        if (write(ready, &g.pid, sizeof g.pid) != sizeof g.pid)
                _exit(2);
        if (crash) {
                signal(SIGSEGV, SIG_DFL);
                raise(SIGSEGV);
        }
        for (;;)
                pause();
}

/* The supervisor is killed with SIGKILL, with its whole process group, or crashes: the leader dies, the terminal is
 * as it was, the (here: made up) cgroup is gone, and so is the guardian. */
static void check_death(bool crash) {
        char directory[] = "/tmp/test-guardian-XXXXXX", path[128];
        struct termios before = { 0 }, after = { 0 };
        int ready[2], unlock = 0;
        pid_t guardian;

        assert_non_null(mkdtemp(directory));
        _cleanup_close_ int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(parent, "group", 0700), 0);
        assert_int_equal(mkdirat(parent, "group/a", 0700), 0);
        assert_int_equal(mkdirat(parent, "group/a/b", 0700), 0);
        assert_int_equal(mkdirat(parent, "group/c", 0700), 0);
        _cleanup_close_ int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(ioctl(master, TIOCSPTLCK, &unlock), 0);
        _cleanup_close_ int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(tcgetattr(peer, &before), 0);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);

        pid_t leader = start_sleeper();
        _cleanup_close_ int leader_fd = sys_pidfd_open(leader, 0);
        pid_t supervisor = fork();
        if (supervisor == 0) {
                setpgid(0, 0);
                supervise(ready[1], peer, leader_fd, parent, crash);
        }
        close(ready[1]);
        assert_int_equal(read(ready[0], &guardian, sizeof guardian), sizeof guardian);
        _cleanup_close_ int guardian_fd = sys_pidfd_open(guardian, 0);
        assert_true(guardian_fd >= 0);
        if (!crash) {
                assert_false(ends_within(leader_fd, 20));
                assert_int_equal(tcgetattr(peer, &after), 0);
                assert_int_equal(after.c_lflag & ICANON, 0);
                kill(-supervisor, SIGKILL);
        }
        assert_true(ends_within(leader_fd, 5000));
        assert_int_equal(waitpid(leader, NULL, 0), leader);
        assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
        assert_true(ends_within(guardian_fd, 5000));
        assert_int_equal(tcgetattr(peer, &after), 0);
        assert_memory_equal(&before, &after, sizeof before);
        snprintf(path, sizeof path, "%s/group", directory);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(rmdir(directory), 0);
        close(ready[0]);
}

static void test_supervisor_killed(void **state) {
        (void) state;
        check_death(false);
}

static void test_supervisor_crashes(void **state) {
        (void) state;
        check_death(true);
}

/* In the ordinary case nothing is touched, no process is left, and waitpid(-1) never sees the guardian. */
static void test_stop(void **state) {
        struct guardian g;
        struct error e;

        (void) state;
        pid_t leader = start_sleeper();
        _cleanup_close_ int leader_fd = sys_pidfd_open(leader, 0);
        assert_int_equal(guardian_start(&(struct guardian_plan){ .supervisor_pidfd = -EBADF }, &g, &e), 0);
        assert_int_equal(guardian_set_leader(&g, leader_fd), 0);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
        pid_t pid = g.pid;
        guardian_stop(&g);
        assert_int_equal(kill(pid, 0), -1);
        assert_int_equal(g.channel, -EBADF);
        guardian_stop(&g);
        assert_false(ends_within(leader_fd, 20));
        kill(leader, SIGKILL);
        waitpid(leader, NULL, 0);
}

static void touch_byte(void *userdata) {
        if (write(*(int *) userdata, "c", 1) < 0)
                _exit(1);
}

/* A new leader takes the place of the old one; `clean` runs with the descriptor it asked for, and no other is open:
 * the reader of the pipe sees the end of file although the supervisor's copy of another pipe was inherited. */
static void test_new_leader_and_clean(void **state) {
        int cleaned[2], other[2];
        char byte;

        (void) state;
        pid_t first = start_sleeper(), second = start_sleeper();
        assert_int_equal(pipe2(cleaned, O_CLOEXEC), 0);
        assert_int_equal(pipe2(other, O_CLOEXEC), 0);
        _cleanup_close_ int first_fd = sys_pidfd_open(first, 0), second_fd = sys_pidfd_open(second, 0);
        pid_t supervisor = fork();
        if (supervisor == 0) {
                struct guardian_plan plan = {
                        .supervisor_pidfd = -EBADF,
                        .clean = touch_byte,
                        .userdata = &cleaned[1],
                        .keep_fds = &cleaned[1],
                        .keep_count = 1,
                };
                struct guardian g;
                if (guardian_start(&plan, &g, NULL) < 0 || guardian_set_leader(&g, first_fd) < 0 ||
                    guardian_set_leader(&g, second_fd) < 0)
                        _exit(1);
                _exit(0); /* without guardian_stop(): that is a crash too */
        }
        close(cleaned[1]);
        close(other[1]);
        assert_true(ends_within(second_fd, 5000));
        assert_int_equal(read(cleaned[0], &byte, 1), 1);
        assert_int_equal(read(other[0], &byte, 1), 0);
        assert_false(ends_within(first_fd, 0));
        kill(first, SIGKILL);
        while (wait(NULL) > 0)
                ;
        close(cleaned[0]);
        close(other[0]);
}

static void test_bad_names(void **state) {
        struct guardian g = GUARDIAN_NONE;

        (void) state;
        assert_int_equal(guardian_set_cgroup(&g, 0, ""), -EINVAL);
        assert_int_equal(guardian_set_cgroup(&g, 0, ".."), -EINVAL);
        assert_int_equal(guardian_set_cgroup(&g, 0, "a/b"), -EINVAL);
}

static const char *cgroup_base(void) {
        struct stat st;

        if (stat("/sys/fs/cgroup/cgroup.procs", &st) == 0)
                return "/sys/fs/cgroup";
        return stat("/sys/fs/cgroup/unified/cgroup.procs", &st) == 0 ? "/sys/fs/cgroup/unified" : NULL;
}

/* Real cgroups where this process may make some: a busy one is emptied and removed. */
static void test_real_cgroup(void **state) {
        static const char name[] = "spawn-test-guardian";
        const char *base = cgroup_base();
        char path[256], text[32];

        (void) state;
        if (!base)
                skip();
        snprintf(path, sizeof path, "%s/%s", base, name);
        if (mkdir(path, 0755) < 0)
                skip();
        snprintf(path, sizeof path, "%s/%s/inner", base, name);
        assert_int_equal(mkdir(path, 0755), 0);
        pid_t member = start_sleeper();
        snprintf(path, sizeof path, "%s/%s/inner/cgroup.procs", base, name);
        _cleanup_close_ int procs = open(path, O_WRONLY | O_CLOEXEC);
        snprintf(text, sizeof text, "%d", member);
        assert_int_equal(fd_write_all(procs, text, strlen(text)), 0);
        _cleanup_close_ int parent = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        pid_t supervisor = fork();
        if (supervisor == 0) {
                struct guardian g;
                struct guardian_plan plan = { .supervisor_pidfd = -EBADF };
                if (guardian_start(&plan, &g, NULL) < 0 || guardian_set_cgroup(&g, parent, name) < 0)
                        _exit(1);
                kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(member, NULL, 0), member);
        assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
        snprintf(path, sizeof path, "%s/%s", base, name);
        uint64_t until = now_usec() + 5000000;
        while (access(path, F_OK) == 0 && now_usec() < until)
                usleep(1000);
        assert_int_equal(access(path, F_OK), -1);
}

static void test_cost(void **state) {
        uint64_t start = 0, stop = 0;
        const unsigned rounds = 50;

        (void) state;
        for (unsigned i = 0; i < rounds; i++) {
                struct guardian g;
                uint64_t a = now_usec();
                assert_int_equal(guardian_start(&(struct guardian_plan){ .supervisor_pidfd = -EBADF }, &g, NULL), 0);
                uint64_t b = now_usec();
                guardian_stop(&g);
                start += b - a;
                stop += now_usec() - b;
        }
        print_message("guardian: start %u us, stop %u us\n", (unsigned) (start / rounds), (unsigned) (stop / rounds));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_supervisor_killed),
                cmocka_unit_test(test_supervisor_crashes),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_new_leader_and_clean),
                cmocka_unit_test(test_bad_names),
                cmocka_unit_test(test_real_cgroup),
                cmocka_unit_test(test_cost),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
