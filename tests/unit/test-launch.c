/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parent half of a launch: what is made ready, what is started, and that nothing is left. */
#include "launcher/launch.h"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "basic/sync.h"
#include "basic/syscalls.h"
#include "launcher/group.h"
#include "tiny.h"

static size_t count_descriptors(void) {
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static char *read_mounts(void) {
        _cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        char *text = NULL;

        assert_int_equal(fd_read_file(fd, 16 << 20, &text, NULL), 0);
        return text;
}

static struct launch begin(struct tiny *t) {
        struct launch launch = LAUNCH_NONE;

        launch.plan = &t->plan;
        launch.group = t->plan.group;
        launch.supervisor_pidfd = sys_pidfd_open(getpid(), 0);
        if (launch_start(&launch, &t->error) < 0)
                fail_msg("%s", t->error.text);
        assert_true(launch.leader > 0);
        assert_true(launch.leader_pidfd >= 0 && launch.sync_fd >= 0);
        if (launch_prepare(&launch, &t->error) < 0)
                fail_msg("%s", t->error.text);
        return launch;
}

/* Ends a child that is not to go on. */
static void abandon(struct launch *launch) {
        kill(launch->leader, SIGKILL);
        wait_for(launch->leader);
}

static void end(struct launch *launch) {
        launch_end(launch);
        launch->supervisor_pidfd = fd_close(launch->supervisor_pidfd);
}

static void hand_over(struct tiny *t, struct launch *launch) {
        if (launch_hand_over(launch, &t->error) < 0)
                fail_msg("%s", t->error.text);
}

static void expect(struct tiny *t, const struct launch *launch, enum sync_step step) {
        struct sync_packet packet = { 0 };
        int r = sync_receive(launch->sync_fd, &packet);

        if (r != 1 || packet.step != step)
                fail_msg("%d: step %d: %s", r, (int) packet.step, packet.error.text);
        t->error = packet.error;
}

/* Lets the child, which is prepared, go on to its exec. */
static void let_go(struct launch *launch) {
        struct sync_packet packet;

        assert_int_equal(sync_send(launch->sync_fd, SYNC_GO, NULL), 0);
        assert_int_equal(sync_receive(launch->sync_fd, &packet), 0);
}

static void nothing_is_harmless(void **state) {
        struct launch launch = LAUNCH_NONE;
        const size_t n = count_descriptors();

        (void) state;
        launch_end(&launch);
        group_remove(&launch);
        launch_end(&launch);
        assert_int_equal(count_descriptors(), n);
}

/* All is detached or anonymous: neither the host nor the tree can tell that anything has happened. */
static void preparing_changes_nothing(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "--console=passive", "--bind=/etc", "--tmpfs=/new", "true");
        const size_t n = count_descriptors();
        _cleanup_free_ char *before = read_mounts();
        struct launch launch = begin(t);
        _cleanup_free_ char *during = read_mounts();
        assert_string_equal(before, during);
        assert_int_equal(faccessat(t->fd, "new", F_OK, 0), -1);
        assert_int_equal(faccessat(t->fd, "run/host", F_OK, 0), -1);
        for (size_t i = 0; i < t->plan.mounts.count; i++)
                assert_true(launch.mount_fds[i] < 0 || fcntl(launch.mount_fds[i], F_GETFD) == FD_CLOEXEC);
        const int fds[] = { launch.tree_fd, launch.notify_fd, launch.kmsg_fd, launch.pty.master, launch.pty.peer };
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(launch.pty.number, 0);
        assert_true(launch.filter.count > 0);
        abandon(&launch);
        end(&launch);
        assert_int_equal(count_descriptors(), n);
        _cleanup_free_ char *after = read_mounts();
        assert_string_equal(before, after);
}

static void the_notify_socket_takes_messages(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct tiny *t = *state;
        struct stat st;
        char text[16];

        tiny_need(t);
        tiny_plan(t, "true");
        struct launch launch = begin(t);
        assert_int_equal(fstatat(launch.run_host_fd, "notify", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, S_IFSOCK | 0222);
        snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", fd_path(launch.run_host_fd).text);
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(sendto(fd, "READY=1", 7, 0, (struct sockaddr *) &address, sizeof address), 7);
        union {
                char buffer[CMSG_SPACE(sizeof(struct ucred))];
                struct cmsghdr align;
        } control;
        struct iovec v = { text, sizeof text };
        struct msghdr m = {
                .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.buffer, .msg_controllen = sizeof control
        };
        assert_int_equal(recvmsg(launch.notify_fd, &m, 0), 7);
        assert_memory_equal(text, "READY=1", 7);
        assert_non_null(CMSG_FIRSTHDR(&m));
        assert_int_equal(CMSG_FIRSTHDR(&m)->cmsg_type, SCM_CREDENTIALS);
        assert_int_equal(recvmsg(launch.notify_fd, &m, 0), -1); /* it never blocks */
        assert_int_equal(errno, EAGAIN);
        abandon(&launch);
        end(&launch);
}

static void a_source_that_is_missing(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "--bind=/no/such/source:/x", "true");
        const size_t n = count_descriptors();
        struct launch launch = LAUNCH_NONE;
        launch.plan = &t->plan;
        assert_int_equal(launch_start(&launch, &t->error), 0);
        assert_int_equal(launch_prepare(&launch, &t->error), -ENOENT);
        assert_non_null(strstr(t->error.text, "--bind: cannot bind /no/such/source"));
        abandon(&launch);
        launch_end(&launch);
        assert_int_equal(count_descriptors(), n);
}

static void payloads_start_and_end(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "sh", "-c", "exit 7");
        const size_t n = count_descriptors();
        struct launch launch = begin(t);
        hand_over(t, &launch);
        assert_true(launch.tree_fd < 0 && !launch.mount_fds && launch.run_host_fd < 0);
        expect(t, &launch, SYNC_PREPARED);
        assert_true(launch.run_fd < 0); /* a command is not asked to end by a file in its /run */
        let_go(&launch);
        int status = wait_for(launch.leader);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
        end(&launch);
        assert_int_equal(count_descriptors(), n);
}

/* A filter of the host's sandbox that denies clone3(2). */
static void without_clone3(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "sh", "-c", "test $$ = 1");
        setenv("SPAWN_TEST_ENOSYS", "clone3", 1);
        struct launch launch = begin(t);
        unsetenv("SPAWN_TEST_ENOSYS");
        hand_over(t, &launch);
        expect(t, &launch, SYNC_PREPARED);
        let_go(&launch);
        assert_int_equal(wait_for(launch.leader), 0);
        end(&launch);
}

static void nothing_runs_before_it_is_let_go(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "touch", "/tmp/ran");
        struct launch launch = begin(t);
        hand_over(t, &launch);
        expect(t, &launch, SYNC_PREPARED);
        struct pollfd p = { .fd = launch.leader_pidfd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, 100), 0);
        assert_int_equal(faccessat(t->fd, "tmp/ran", F_OK, 0), -1);
        assert_int_equal(sync_send(launch.sync_fd, SYNC_GO, NULL), 0);
        assert_int_equal(wait_for(launch.leader), 0);
        assert_int_equal(faccessat(t->fd, "tmp/ran", F_OK, 0), 0);
        end(&launch);
}

static void what_fails_in_the_child_is_told(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "--user=nobody-here", "true");
        struct launch launch = begin(t);
        hand_over(t, &launch);
        expect(t, &launch, SYNC_FAILED);
        assert_non_null(strstr(t->error.text, "nobody-here"));
        assert_int_equal(WEXITSTATUS(wait_for(launch.leader)), EXIT_OURS);
        end(&launch);
}

static void start_unprivileged(void *userdata) {
        const struct capability_sets none = { 0 };
        struct tiny *t = userdata;
        struct launch launch = LAUNCH_NONE;

        launch.plan = &t->plan;
        CHECK(sys_capset(&none) == 0);
        CHECK(launch_start(&launch, &t->error) == -EPERM);
        CHECK(strstr(t->error.text, "cannot make a mount of the root") && strstr(t->error.hint, "root is needed"));
        CHECK(launch.leader == 0 && launch.leader_pidfd < 0 && launch.sync_fd < 0);
        launch_end(&launch);
}

static void without_rights_a_hint(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "true");
        assert_int_equal(run_child(start_unprivileged, t), 0);
}

static void a_boot_has_a_group_of_its_own(void **state) {
        char path[64], *groups = NULL;
        struct tiny *t = *state;

        tiny_need(t);
        assert_int_equal(symlinkat("bin/busybox", t->fd, "init"), 0);
        tiny_plan(t, "-b");
        if (t->plan.group == GROUP_NONE) {
                print_message("there is no cgroup2 here\n");
                skip();
        }
        struct launch launch = LAUNCH_NONE;
        launch.plan = &t->plan;
        launch.group = t->plan.group;
        launch.supervisor_pidfd = sys_pidfd_open(getpid(), 0);
        if (group_open(&launch, &t->error) < 0)
                fail_msg("%s", t->error.text);
        assert_int_equal(faccessat(launch.cgroup_parent_fd, group_name(&launch), F_OK, 0), -1);
        assert_int_equal(group_make(&launch, &t->error), 0);
        launch.cgroup_fd = fd_close(launch.cgroup_fd);
        assert_int_equal(group_make(&launch, &t->error), 0); /* one that is there is used */
        assert_int_equal(launch_start(&launch, &t->error), 0);
        assert_int_equal(launch_prepare(&launch, &t->error), 0);
        hand_over(t, &launch);
        expect(t, &launch, SYNC_PREPARED);
        assert_int_equal(faccessat(launch.run_fd, "host/container-manager", F_OK, 0), 0);
        snprintf(path, sizeof path, "/proc/%d/cgroup", (int) launch.leader);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_read_file(fd, 65536, &groups, NULL), 0);
        assert_non_null(strstr(groups, group_name(&launch)));
        free(groups);
        kill(launch.leader, SIGKILL);
        wait_for(launch.leader);
        group_remove(&launch);
        assert_int_equal(faccessat(launch.cgroup_parent_fd, group_name(&launch), F_OK, 0), -1);
        launch.cgroup_parent_fd = fd_close(launch.cgroup_parent_fd);
        end(&launch);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_harmless),
                TINY_TEST(preparing_changes_nothing),
                TINY_TEST(the_notify_socket_takes_messages),
                TINY_TEST(a_source_that_is_missing),
                TINY_TEST(payloads_start_and_end),
                TINY_TEST(without_clone3),
                TINY_TEST(nothing_runs_before_it_is_let_go),
                TINY_TEST(what_fails_in_the_child_is_told),
                TINY_TEST(without_rights_a_hint),
                TINY_TEST(a_boot_has_a_group_of_its_own),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
