/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/sync.h"
#include "basic/syscalls.h"
#include "launcher/child.h"
#include "launcher/group.h"
#include "launcher/incoming.h"
#include "launcher/journal.h"
#include "mounts/attach.h"
#include "mounts/root.h"

/* Where the prepared descriptor of the plan's mount on TARGET is kept. Every plan has the targets asked for here. */
static int *mount_fd(const struct launch *launch, const char *target) {
        const struct mount_list *mounts = &launch->plan->mounts;
        size_t i = 0;

        while (mounts->ops[i].kind != MOUNT_NEW || !text_equal(mounts->ops[i].target, target))
                i++;
        return &launch->mount_fds[i];
}

/* What the child needs from its first moment. */
static int prepare_tree(struct launch *launch, struct error *error) {
        const struct plan *plan = launch->plan;
        size_t n = plan->mounts.count;

        launch->mount_fds = calloc(n, sizeof *launch->mount_fds);
        if (!launch->mount_fds)
                return error_memory(error);
        for (size_t i = 0; i < n; i++)
                launch->mount_fds[i] = -EBADF;
        /* A mount that is made anew for each boot: that of the last one went with its namespace. */
        launch->tree_fd = plan->probe->root.image.path ? image_mount_root(&plan->probe->root.image, error)
                                                       : root_clone(plan->probe->root.fd, plan->tree_read_only, error);
        if (launch->tree_fd < 0)
                return launch->tree_fd;
        return plan->filter ? filter_prepare(&plan->filter_request, &launch->filter, error) : 0;
}

static int prepare_host(struct launch *launch, struct error *error) {
        int r = journal_link(&launch->plan->journal, error);

        return r < 0 ? r : incoming_make(launch->plan, error);
}

static int prepare_mounts(struct launch *launch, struct error *error) {
        int r = mounts_prepare(&launch->plan->mounts, launch->tree_fd, launch->mount_fds, error);

        if (r < 0)
                return r;
        launch->run_host_fd = *mount_fd(launch, "/run/host");
        return 0;
}

/* The socket behind $NOTIFY_SOCKET. It is bound by the path of our own descriptor while the file system is detached,
 * so nothing of the image is near. Credentials come with each message: anyone in the container can write to it. */
static int prepare_notify(struct launch *launch, struct error *error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const int on = 1;
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return error_set(error, errno, "cannot make the notify socket: %m");
        launch->notify_fd = fd;
        size_t n = strlen(fd_path(launch->run_host_fd).text);
        memcpy(address.sun_path, fd_path(launch->run_host_fd).text, n);
        memcpy(address.sun_path + n, "/notify", sizeof "/notify");
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
            bind(fd, (struct sockaddr *) &address, sizeof address) < 0 ||
            fchmodat(launch->run_host_fd, "notify", 0222, 0) < 0)
                return error_set(error, errno, "cannot set up the notify socket: %m");
        return 0;
}

/* With a reader and writer that never goes away, who reads /proc/kmsg waits for ever instead of seeing its end. */
static int prepare_kmsg(struct launch *launch, struct error *error) {
        launch->kmsg_fd = openat(launch->run_host_fd, "proc-kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        return launch->kmsg_fd < 0 ? error_set(error, errno, "cannot open the container's kernel log: %m") : 0;
}

static int prepare_pty(struct launch *launch, struct error *error) {
        if (launch->plan->console == CONSOLE_PIPE)
                return 0;
        int r = pty_allocate(*mount_fd(launch, "/dev/pts"), &launch->pty, error);
        if (r < 0)
                return r;
        /* The plan's /dev/console is a link to pts/0: the first number of a new instance. */
        return launch->pty.number == 0
                       ? 0
                       : error_set(error, EPROTO, "the console is pts/%u and not pts/0", launch->pty.number);
}

int launch_prepare(struct launch *launch, struct error *error) {
        static int (*const steps[])(struct launch *, struct error *) = { prepare_host, prepare_mounts, prepare_notify,
                                                                         prepare_kmsg, prepare_pty };
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r = steps[i](launch, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One call makes all namespaces, and the child is born in its group; see start_session() for its cgroup namespace. */
static pid_t clone_child(struct launch *launch, int *ret_pidfd) {
        struct clone_args args = {
                .flags = CLONE_PIDFD | launch->plan->namespaces,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = SIGCHLD,
        };
        if (launch->cgroup_fd >= 0) {
                args.flags = (args.flags & ~(uint64_t) CLONE_NEWCGROUP) | CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t) launch->cgroup_fd;
        }
        pid_t pid = sys_clone_any(&args);
        launch->in_group = (args.flags & CLONE_INTO_CGROUP) != 0;
        return pid;
}

static void close_mounts(struct launch *launch) {
        for (size_t i = 0; launch->mount_fds && i < launch->plan->mounts.count; i++)
                fd_close(launch->mount_fds[i]);
        free(launch->mount_fds);
        launch->mount_fds = NULL;
        launch->run_host_fd = -EBADF;
        launch->tree_fd = fd_close(launch->tree_fd);
}

int launch_start(struct launch *launch, struct error *error) {
        int channel[2], pidfd = -EBADF;
        int r = prepare_tree(launch, error);

        if (r == -EPERM)
                return error_hint(error, "root is needed, with CAP_SYS_ADMIN");
        if (r < 0)
                return r;
        r = sync_pair(channel);
        if (r < 0)
                return error_set(error, -r, "cannot make the channel to the child: %m");
        _cleanup_close_ int ours = channel[0], theirs = channel[1];
        pid_t pid = clone_child(launch, &pidfd);
        if (pid < 0) {
                error_set(error, errno, "cannot make the container's namespaces: %m");
                return errno == EPERM ? error_hint(error, "root is needed, with CAP_SYS_ADMIN") : -error->code;
        }
        if (pid == 0) {
                fd_close(TAKE_FD(ours));
                child_run(launch, theirs);
        }
        launch->leader = pid;
        launch->leader_pidfd = pidfd;
        launch->sync_fd = TAKE_FD(ours);
        return 0;
}

/* What goes over besides the mounts, in this order. A group means that the child has been moved there. */
enum handed { HANDED_PEER, HANDED_CGROUP, HANDED_COUNT };

int launch_hand_over(struct launch *launch, struct error *error) {
        const int others[HANDED_COUNT] = {
                [HANDED_PEER] = launch->pty.peer, [HANDED_CGROUP] = launch->in_group ? -EBADF : launch->cgroup_fd
        };
        int r = group_join(launch, error);

        if (r < 0)
                return r;
        r = sync_send_fds(launch->sync_fd, others, HANDED_COUNT);
        if (r >= 0)
                r = sync_send_fds(launch->sync_fd, launch->mount_fds, launch->plan->mounts.count);
        if (r < 0)
                return r == -EPIPE ? r : error_set(error, -r, "cannot hand the mounts to the child: %m");
        /* Closed now, that happens beside the child's work. At the end these would be the last descriptors of the file
         * systems, and closing them would be what everybody waits for. */
        if (launch->plan->spec->start == START_BOOT)
                launch->run_fd = TAKE_FD(*mount_fd(launch, "/run"));
        close_mounts(launch);
        return 0;
}

int launch_receive(struct launch *launch, int sync_fd, struct error *error) {
        size_t n = launch->plan->mounts.count;
        int others[HANDED_COUNT];
        _cleanup_free_ int *mounts = calloc(n, sizeof *mounts);

        if (!mounts)
                return error_memory(error);
        int r = sync_receive_fds(sync_fd, others, HANDED_COUNT);
        if (r >= 0)
                r = sync_receive_fds(sync_fd, mounts, n);
        if (r == -EPIPE)
                return error_set(error, EPIPE, "spawn has gone before the payload could be started");
        if (r < 0)
                return error_set(error, -r, "cannot take the mounts over: %m");
        launch->pty.peer = others[HANDED_PEER];
        if (!launch->in_group)
                fd_close(launch->cgroup_fd);
        launch->cgroup_fd = others[HANDED_CGROUP];
        for (size_t i = 0; i < n; i++)
                if (mounts[i] >= 0)
                        launch->mount_fds[i] = mounts[i];
        return 0;
}

void launch_end(struct launch *launch) {
        close_mounts(launch);
        launch->run_fd = fd_close(launch->run_fd);
        launch->notify_fd = fd_close(launch->notify_fd);
        launch->kmsg_fd = fd_close(launch->kmsg_fd);
        launch->sync_fd = fd_close(launch->sync_fd);
        launch->leader_pidfd = fd_close(launch->leader_pidfd);
        launch->leader = 0;
        pty_close(&launch->pty);
        filter_set_free(&launch->filter);
}
