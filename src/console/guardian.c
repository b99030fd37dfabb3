/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/syscalls.h"

#define LEADER_WAIT_MSEC 5000
#define KEPT_MAX (GUARDIAN_KEEP_MAX + 4)

enum message_kind { MESSAGE_LEADER = 1, MESSAGE_CGROUP };

/* One packet, with one descriptor beside it. */
struct message {
        enum message_kind kind;
        char name[NAME_MAX + 1];
};

/* What the guardian knows; lives in the guardian only. */
struct guarded {
        struct guardian_plan plan;
        struct terminal terminal;
        int supervisor, channel, leader, cgroup_parent;
        char cgroup[NAME_MAX + 1];
};

/* ---- the messages ---- */

static int send_message(int channel, const struct message *message, int fd) {
        struct iovec v = { .iov_base = (void *) message, .iov_len = sizeof *message };
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct msghdr m = {
                .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
        };
        ssize_t n;

        control.header =
                (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        do
                n = sendmsg(channel, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

/* Returns 1, 0 at the end of the channel, -EAGAIN when there is nothing more now, or another negative errno. */
static int receive_message(int channel, struct message *ret, int *ret_fd) {
        struct iovec v = { .iov_base = ret, .iov_len = sizeof *ret };
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct msghdr m = {
                .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
        };

        ssize_t n = recvmsg(channel, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n <= 0)
                return n < 0 ? -errno : 0;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(int)))
                return -EBADMSG;
        memcpy(ret_fd, CMSG_DATA(h), sizeof *ret_fd);
        return 1;
}

static void replace_fd(int *fd, int by) {
        fd_close(*fd);
        *fd = by;
}

/* Takes in all that has been sent. Returns false when no more can come. */
static bool take_messages(struct guarded *g) {
        struct message message;
        int fd = -EBADF, r;

        while ((r = receive_message(g->channel, &message, &fd)) != 0) {
                if (r == -EINTR || r == -EBADMSG)
                        continue;
                if (r < 0)
                        return r == -EAGAIN;
                if (message.kind == MESSAGE_LEADER) {
                        replace_fd(&g->leader, fd);
                } else {
                        replace_fd(&g->cgroup_parent, fd);
                        memcpy(g->cgroup, message.name, sizeof g->cgroup);
                }
        }
        return false;
}

/* ---- the guardian itself ---- */

static void close_range_or_each(unsigned first, unsigned last) {
        struct rlimit limit;

        if (first > last || sys_close_range(first, last, 0) == 0)
                return;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > 65536)
                limit.rlim_cur = 65536;
        for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; fd++)
                close((int) fd);
}

static int compare_fds(const void *a, const void *b) {
        return *(const int *) a - *(const int *) b;
}

/* Closes everything else: an open pipe end of the caller's would keep its reader waiting for the end of file. */
static void close_others(const struct guarded *g) {
        int kept[KEPT_MAX] = { g->supervisor, g->channel, g->terminal.input, g->terminal.output };
        size_t count = 4;
        unsigned next = 0;

        for (size_t i = 0; i < g->plan.keep_count; i++)
                kept[count++] = g->plan.keep_fds[i];
        qsort(kept, count, sizeof kept[0], compare_fds);
        for (size_t i = 0; i < count; i++) {
                if (kept[i] < (int) next)
                        continue;
                if (kept[i] > (int) next)
                        close_range_or_each(next, (unsigned) kept[i] - 1);
                next = (unsigned) kept[i] + 1;
        }
        close_range_or_each(next, ~0U);
}

static void wait_for_death(struct guarded *g) {
        struct pollfd p[] = { { .fd = g->supervisor, .events = POLLIN }, { .fd = g->channel, .events = POLLIN } };

        for (;;) {
                if (poll(p, ELEMENTSOF(p), -1) < 0 && errno != EINTR && errno != EAGAIN)
                        _exit(EXIT_FAILURE);
                bool dead = p[0].revents != 0;
                if (p[1].fd >= 0 && !take_messages(g))
                        p[1].fd = -1; /* our end was closed: what counts is the process */
                if (dead)
                        return;
        }
}

static void kill_leader(const struct guarded *g) {
        struct pollfd p = { .fd = g->leader, .events = POLLIN };
        int r;

        if (g->leader < 0)
                return;
        (void) sys_pidfd_send_signal(g->leader, SIGKILL, NULL, 0);
        do
                r = poll(&p, 1, LEADER_WAIT_MSEC);
        while (r < 0 && errno == EINTR);
}

static void __attribute__((noreturn)) run(struct guarded *g) {
        setsid(); /* neither the terminal's signals nor a killpg() of the caller's group reach us */
        prctl(PR_SET_NAME, "spawn-guard");
        if (chdir("/") < 0) /* the caller's directory must not be kept busy */
                _exit(EXIT_FAILURE);
        close_others(g);
        wait_for_death(g);
        terminal_restore_if_ours(&g->terminal);
        kill_leader(g);
        if (g->cgroup_parent >= 0)
                (void) cgroup_remove(g->cgroup_parent, g->cgroup);
        if (g->plan.clean)
                g->plan.clean(g->plan.userdata);
        _exit(EXIT_SUCCESS);
}

/* A fork without an exit signal, and with all signals blocked in the child from its first instruction. */
static pid_t start_process(struct guarded *g, int *ret_pidfd) {
        struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) ret_pidfd };
        sigset_t all, before;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before);
        pid_t pid = sys_clone_any(&args);
        if (pid == 0)
                run(g);
        int saved = errno;
        sigprocmask(SIG_SETMASK, &before, NULL);
        errno = saved;
        return pid;
}

int guardian_start(const struct guardian_plan *plan, struct guardian *ret, struct error *e) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, self = -EBADF;
        struct guarded g = { .plan = *plan, .terminal = TERMINAL_NONE, .leader = -EBADF, .cgroup_parent = -EBADF };
        int pair[2], pidfd = -EBADF;

        if (plan->keep_count > GUARDIAN_KEEP_MAX)
                return error_set(e, EINVAL, "the guardian is to keep too many descriptors");
        if (plan->terminal)
                g.terminal = *plan->terminal;
        g.supervisor = plan->supervisor_pidfd;
        if (g.supervisor < 0)
                g.supervisor = self = sys_pidfd_open(getpid(), 0);
        if (g.supervisor < 0)
                return error_set(e, errno, "cannot open a pidfd for the guardian: %m");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(e, errno, "cannot make the guardian's channel: %m");
        ours = pair[0];
        theirs = g.channel = pair[1];
        pid_t pid = start_process(&g, &pidfd);
        if (pid < 0)
                return error_set(e, errno, "cannot start the guardian: %m");
        *ret = (struct guardian){ .pid = pid, .pidfd = pidfd, .channel = TAKE_FD(ours) };
        return 0;
}

int guardian_set_leader(const struct guardian *g, int pidfd) {
        struct message message = { .kind = MESSAGE_LEADER };

        return send_message(g->channel, &message, pidfd);
}

int guardian_set_cgroup(const struct guardian *g, int parent_fd, const char *name) {
        struct message message = { .kind = MESSAGE_CGROUP };
        size_t length = strlen(name);

        if (length == 0 || length > NAME_MAX || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return -EINVAL;
        memcpy(message.name, name, length);
        return send_message(g->channel, &message, parent_fd);
}

void guardian_dismiss(const struct guardian *g) {
        if (g->pidfd < 0)
                return;
        if (sys_pidfd_send_signal(g->pidfd, SIGKILL, NULL, 0) < 0)
                (void) kill(g->pid, SIGKILL); /* a filter denies the call; the number is ours until it is reaped */
}

void guardian_stop(struct guardian *g) {
        siginfo_t info;

        if (g->pidfd >= 0) {
                guardian_dismiss(g);
                while (waitid(P_PIDFD, (id_t) g->pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
                        ;
        }
        fd_close(g->pidfd);
        fd_close(g->channel);
        *g = GUARDIAN_NONE;
}
