/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/sync.h"
#include "basic/syscalls.h"
#include "isolation/capability.h"
#include "isolation/filter.h"
#include "isolation/limits.h"
#include "launcher/confine.h"
#include "launcher/user.h"
#include "mounts/attach.h"
#include "mounts/inroot.h"
#include "mounts/root.h"

/* The child dies with the supervisor from here on. The signal is lost if the supervisor died before prctl() was
 * reached, so look whether it still lives; getppid() says 0 across PID namespaces and cannot tell. */
static int tie_to_supervisor(const struct launch *launch, struct error *error) {
        struct pollfd p = { .fd = launch->supervisor_pidfd, .events = POLLIN };

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_set(error, errno, "cannot tie the payload to spawn: %m");
        if (poll(&p, 1, 0) > 0)
                _exit(EXIT_OURS);
        return 0;
}

/* A new session: the caller's terminal must not be the payload's controlling terminal. */
static int start_session(const struct launch *launch, struct error *error) {
        (void) launch;
        if (setsid() < 0)
                return error_set(error, errno, "cannot start a session: %m");
        confine_signals();
        return 0;
}

/* clone3() with CLONE_INTO_CGROUP puts the child in its group only after the namespaces were made: a cgroup namespace
 * made by clone3() itself would be rooted at the supervisor's group. */
static int make_cgroup_namespace(struct error *error) {
        return unshare(CLONE_NEWCGROUP) < 0 ? error_set(error, errno, "cannot make a cgroup namespace: %m") : 0;
}

/* Born in its group, the child needs no descriptor of it; a caller's limit for them may be low. */
static int stay_in_cgroup(const struct launch *launch, struct error *error) {
        if (!launch->in_group)
                return 0;
        fd_close(launch->cgroup_fd);
        fd_close(launch->cgroup_parent_fd);
        return make_cgroup_namespace(error);
}

/* Moved to its group by the supervisor, see group_join(). */
static int root_cgroup(const struct launch *launch, struct error *error) {
        return launch->cgroup_fd < 0 || launch->in_group ? 0 : make_cgroup_namespace(error);
}

static int enter_root(const struct launch *launch, struct error *error) {
        return root_enter(launch->tree_fd, error);
}

static int make_mounts(const struct launch *launch, struct error *error) {
        (void) error;
        mounts_make(&launch->plan->mounts, launch->mount_fds);
        return 0;
}

static int attach_mounts(const struct launch *launch, struct error *error) {
        const struct plan *plan = launch->plan;
        int r = mounts_attach(&plan->mounts, launch->tree_fd, launch->mount_fds, !plan->tree_read_only, error);
        if (r < 0)
                return r;
        r = mounts_verify(&plan->mounts, launch->tree_fd, launch->mount_fds, error);
        if (r >= 0)
                r = root_share(error);
        return r < 0 ? r : mounts_propagate(&plan->mounts, launch->mount_fds, error);
}

static int write_one(int root, const struct file_write *w) {
        size_t size = w->content ? w->size ? w->size : strlen(w->content) : 0;
        int r;

        switch (w->kind) {
        case WRITE_COPY:
                r = w->in_run ? inroot_mkdirs_parent(root, w->target, 0755) : 0;
                return r < 0 ? r : inroot_write_file(root, w->target, w->content, size, 0644);
        case WRITE_REPLACE:
                return inroot_replace_file(root, w->target, w->content, size, 0644);
        case WRITE_SYMLINK:
                return inroot_symlink_replace(root, w->content, w->target);
        case WRITE_DELETE:
                return inroot_unlink(root, w->target);
        case WRITE_DIRECTORY:
                return inroot_mkdirs(root, w->target, 0755);
        }
        return -EINVAL;
}

/* A copy that fails is a warning: the payload can do without. */
static int write_files(const struct launch *launch, struct error *error) {
        const struct plan *plan = launch->plan;

        (void) error;
        for (size_t i = 0; i < plan->n_writes; i++) {
                const struct file_write *w = &plan->writes[i];
                int r = write_one(launch->tree_fd, w);
                if (r < 0 && !(r == -ENOENT && w->kind == WRITE_DELETE))
                        log_warning("cannot %s %s in the root: %s", w->kind == WRITE_DELETE ? "delete" : "write",
                                    w->target, strerror(-r));
        }
        return 0;
}

static int bring_loopback_up(const struct launch *launch, struct error *error) {
        struct ifreq request = { .ifr_name = "lo" };

        if (!(launch->plan->namespaces & CLONE_NEWNET))
                return 0;
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_set(error, errno, "cannot make a socket to bring the loopback interface up: %m");
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return error_set(error, errno, "cannot look at the loopback interface: %m");
        request.ifr_flags |= IFF_UP;
        if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_set(error, errno, "cannot bring the loopback interface up: %m");
        return 0;
}

static int set_identity(const struct launch *launch, struct error *error) {
        const struct plan *plan = launch->plan;

        if (sethostname(plan->host_name, strlen(plan->host_name)) < 0)
                return error_set(error, errno, "cannot set the host name %s: %m", plan->host_name);
        return confine_keyring(error);
}

/* The three standard streams: our own PTY's peer, or the caller's descriptors as they are. */
static int set_streams(const struct launch *launch, const struct user *user, struct error *error) {
        if (launch->plan->console == CONSOLE_PIPE) {
                for (int i = 0; i < 3; i++)
                        if (launch->plan->probe->host.stream_was_closed & (1U << i))
                                close(i);
                return 0;
        }
        if (user->uid != 0 && fchown(launch->pty.peer, user->uid, (gid_t) -1) < 0)
                return error_set(error, errno, "cannot give the console to %s: %m", user->name);
        for (int i = 0; i < 3; i++)
                if (dup2(launch->pty.peer, i) < 0)
                        return error_set(error, errno, "cannot set up standard stream %d: %m", i);
        return 0;
}

/* A command owns the console: job control and ^C need a controlling terminal (credentials(7)). An init starts without
 * one, as the kernel starts it; what it starts on /dev/console (a getty, a shell) could else not take it. */
static int take_console(const struct launch *launch, struct error *error) {
        if (launch->plan->console == CONSOLE_PIPE || launch->plan->spec->start == START_BOOT)
                return 0;
        if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
                return error_set(error, errno, "cannot make the console the controlling terminal: %m");
        return 0;
}

static int enter_working_directory(const struct launch *launch, const struct user *user, struct error *error) {
        const struct plan *plan = launch->plan;
        const char *home = user->home ? user->home : "/";
        int r;

        if (plan->working_directory) {
                r = confine_directory(launch->tree_fd, plan->working_directory);
                if (r >= 0)
                        return 0;
                error_set(error, -r, "cannot enter the working directory %s of the container: %m",
                          plan->working_directory);
                return error_hint(error, "--chdir takes a directory inside the container");
        }
        if (plan->spec->start == START_SHELL && confine_directory(launch->tree_fd, home) < 0)
                log_debug("cannot enter %s, staying in /", home);
        return 0;
}

/* The parent makes the terminal raw, and in time registers the machine, before the payload's first instruction. */
static int wait_for_go(int sync_fd, struct error *error) {
        struct sync_packet packet;

        if (sync_send(sync_fd, SYNC_PREPARED, NULL) < 0 || sync_receive(sync_fd, &packet) <= 0 ||
            packet.step != SYNC_GO)
                return error_set(error, EPIPE, "spawn has gone before the payload could be started");
        return 0;
}

static int become_payload(const struct launch *launch, int sync_fd, struct error *error) {
        const struct plan *plan = launch->plan;
        struct user user;
        struct strv env = { 0 };
        int r;

        r = user_lookup(launch->tree_fd, plan->user, &user, error);
        if (r < 0)
                return r;
        r = confine_environment(plan, &user, &env, error);
        if (r >= 0)
                r = confine_descriptors(3 + plan->probe->host.sockets, error);
        if (r >= 0)
                r = set_streams(launch, &user, error);
        if (r >= 0)
                r = confine_privileges(launch, &user, error);
        if (r >= 0)
                r = tie_to_supervisor(launch, error); /* again: the credentials have changed */
        if (r >= 0)
                r = enter_working_directory(launch, &user, error);
        /* Only now: a PID 1 that held more than the payload would be the payload's to trace and use. */
        if (r >= 0 && plan->spec->as_pid2)
                r = stub_split(error);
        if (r >= 0)
                r = take_console(launch, error);
        if (r >= 0)
                r = wait_for_go(sync_fd, error);
        if (r >= 0)
                r = child_execute(launch, &user, env.items, error);
        strv_free(&env);
        user_free(&user);
        return r;
}

typedef int (*const child_step)(const struct launch *, struct error *);

/* While the parent makes its part ready. Limits come later: a low RLIMIT_NOFILE would refuse what it hands over. */
static child_step alone[] = {
        tie_to_supervisor, stay_in_cgroup, start_session, confine_attributes, enter_root, make_mounts,
        bring_loopback_up, set_identity,   NULL,
};
static child_step with_everything[] = { root_cgroup, attach_mounts, write_files, confine_limits, NULL };

static int run_steps(const struct launch *launch, child_step *steps, struct error *error) {
        int r = 0;

        for (; r >= 0 && *steps; steps++)
                r = (*steps)(launch, error);
        return r;
}

_Noreturn void child_run(struct launch *launch, int sync_fd) {
        struct error error = { 0 };
        int r = run_steps(launch, alone, &error);

        if (r >= 0)
                r = launch_receive(launch, sync_fd, &error);
        if (r >= 0)
                r = run_steps(launch, with_everything, &error);
        if (r >= 0)
                r = become_payload(launch, sync_fd, &error);
        if (!error.code)
                error_set(&error, r < 0 ? -r : EIO, "the container could not be set up: %m");
        (void) sync_send(sync_fd, SYNC_FAILED, &error);
        _exit(error_exit_status(&error));
}
