/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/sync.h"
#include "basic/syscalls.h"
#include "console/protocol.h"
#include "launcher/child.h"
#include "launcher/confine.h"
#include "mounts/inroot.h"

enum { REQUEST_MSEC = 10000 }; /* how long a client may take for what it has to say */

/* ---- the request ---- */

/* The fixed part; user, chdir, the words and the variables follow, each with its NUL. */
struct head {
        uint32_t terminal, words, variables;
};

void enter_request_free(struct enter_request *q) {
        free(q->user);
        free(q->chdir);
        strv_free(&q->words);
        strv_free(&q->environment);
        *q = (struct enter_request){ 0 };
}

/* Appends TEXT and its NUL; -EMSGSIZE where there is no room. */
static int put(char *bytes, size_t *used, const char *text) {
        size_t n = strlen(text ? text : "") + 1;

        if (n > ENTER_SIZE_MAX - *used)
                return -EMSGSIZE;
        memcpy(bytes + *used, text ? text : "", n);
        *used += n;
        return 0;
}

int enter_ask(int fd, const struct enter_request *q, const int streams[static 3]) {
        const struct head head = { q->terminal, (uint32_t) q->words.count, (uint32_t) q->environment.count };
        const struct packet hello = { .kind = PACKET_ENTER, .version = PROTOCOL_VERSION };
        _cleanup_free_ char *bytes = malloc(ENTER_SIZE_MAX);
        size_t used = sizeof head;
        int r;

        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, &head, sizeof head);
        r = put(bytes, &used, q->user);
        if (r >= 0)
                r = put(bytes, &used, q->chdir);
        for (size_t i = 0; r >= 0 && i < q->words.count; i++)
                r = put(bytes, &used, q->words.items[i]);
        for (size_t i = 0; r >= 0 && i < q->environment.count; i++)
                r = put(bytes, &used, q->environment.items[i]);
        if (r >= 0)
                r = packet_send(fd, &hello, 0);
        if (r >= 0)
                r = sync_send_fds(fd, streams, 3);
        if (r >= 0 && send(fd, bytes, used, MSG_NOSIGNAL) < 0)
                r = -errno;
        return r;
}

/* Takes the next string off; NULL where there is none. */
static const char *take(const char **p, const char *end) {
        const char *text = *p, *nul = *p < end ? memchr(*p, 0, (size_t) (end - *p)) : NULL;

        if (!nul)
                return NULL;
        *p = nul + 1;
        return text;
}

static int take_list(const char **p, const char *end, uint32_t count, struct strv *ret) {
        for (uint32_t i = 0; i < count; i++) {
                const char *text = take(p, end);
                if (!text)
                        return -EPROTO;
                if (strv_add(ret, text) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int enter_decode(const char *bytes, size_t size, struct enter_request *ret) {
        const char *p = bytes + sizeof(struct head), *end = bytes + size;
        struct head head;

        *ret = (struct enter_request){ 0 };
        if (size < sizeof head)
                return -EPROTO;
        memcpy(&head, bytes, sizeof head);
        const char *user = take(&p, end), *directory = user ? take(&p, end) : NULL;
        if (!directory)
                return -EPROTO;
        ret->terminal = head.terminal != 0;
        ret->user = *user ? strdup(user) : NULL;
        ret->chdir = *directory ? strdup(directory) : NULL;
        if ((*user && !ret->user) || (*directory && !ret->chdir))
                return -ENOMEM;
        int r = take_list(&p, end, head.words, &ret->words);
        if (r >= 0)
                r = take_list(&p, end, head.variables, &ret->environment);
        return r >= 0 && p != end ? -EPROTO : r;
}

/* ---- the helper ---- */

struct helper {
        struct launch launch; /* a copy, with a tree of its own */
        const struct plan *plan;
        int fd; /* the client */
        struct enter_request request;
        int streams[3];
        struct user user;
        struct strv environment;
};

static int receive_request(struct helper *h, struct error *error) {
        const struct timeval patience = { .tv_sec = REQUEST_MSEC / 1000 };
        _cleanup_free_ char *bytes = malloc(ENTER_SIZE_MAX);
        ssize_t n = -1;

        if (!bytes)
                return error_memory(error);
        (void) fcntl(h->fd, F_SETFL, 0); /* the server's end does not block */
        (void) setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        int r = sync_receive_fds(h->fd, h->streams, 3);
        if (r >= 0)
                n = recv(h->fd, bytes, ENTER_SIZE_MAX, MSG_TRUNC);
        if (r >= 0)
                r = n < 0 ? -errno : n > ENTER_SIZE_MAX ? -EMSGSIZE : enter_decode(bytes, (size_t) n, &h->request);
        return r < 0 ? error_set(error, -r, "the request to enter the container cannot be read: %s", strerror(-r)) : 0;
}

/* The group first: what enters counts as the container's from then on, and ends with it. */
static int join(struct helper *h, struct error *error) {
        const struct launch *l = &h->launch;
        const int namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWPID |
                               (int) (h->plan->namespaces & CLONE_NEWNET);
        int r = l->cgroup_fd >= 0 ? cgroup_enter(l->cgroup_fd) : 0;

        if (r < 0)
                return error_set(error, -r, "cannot enter the container's control group: %s", strerror(-r));
        r = confine_attributes(l, error);
        if (r >= 0)
                r = confine_keyring(error);
        if (r < 0)
                return r;
        /* Of the PID namespace only children are members. */
        if (setns(l->leader_pidfd, namespaces) < 0)
                return error_set(error, errno, "cannot enter the container's namespaces: %m");
        /* A directory of the host's would be a way out for whoever traces the process that is forked later. */
        h->launch.cgroup_fd = fd_close(h->launch.cgroup_fd);
        h->launch.leader_pidfd = fd_close(h->launch.leader_pidfd);
        h->launch.tree_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return h->launch.tree_fd < 0 ? error_set(error, errno, "cannot open the container's root: %m") : 0;
}

/* The container's own devpts: pty_allocate() looks at what it finds there. */
static int open_terminal(struct helper *h, struct error *error) {
        struct sync_packet packet;
        int r = 0;

        if (h->request.terminal) {
                _cleanup_close_ int devpts = inroot_open(h->launch.tree_fd, "/dev/pts", O_PATH | O_DIRECTORY, 0);
                r = devpts < 0
                            ? error_set(error, -devpts, "cannot open the container's /dev/pts: %s", strerror(-devpts))
                            : pty_allocate(devpts, &h->launch.pty, error);
        }
        int sent = sync_send_fds(h->fd, &h->launch.pty.master, 1);
        if (r >= 0 && sent < 0)
                r = error_set(error, -sent, "the client has gone");
        if (r < 0 || !h->request.terminal)
                return r;
        if (sync_receive(h->fd, &packet) <= 0 || packet.step != SYNC_GO)
                return error_set(error, EPIPE, "the client has gone");
        for (int i = 0; i < 3; i++) {
                fd_close(h->streams[i]);
                h->streams[i] = fcntl(h->launch.pty.peer, F_DUPFD_CLOEXEC, 3);
        }
        return 0;
}

static int prepare_environment(struct helper *h, struct error *error) {
        static const char *const of_the_payload[] = { "NOTIFY_SOCKET=", "LISTEN_PID=", "LISTEN_FDS=",
                                                      "LISTEN_FDNAMES=" };
        struct strv all = { 0 };
        int r = confine_environment(h->plan, &h->user, &all, error);

        for (size_t i = 0; r >= 0 && i < all.count; i++) {
                bool skip = false;
                for (size_t k = 0; k < ELEMENTSOF(of_the_payload); k++)
                        skip |= text_starts_with(all.items[i], of_the_payload[k]);
                if (!skip && strv_add(&h->environment, all.items[i]) < 0)
                        r = error_memory(error);
        }
        for (size_t i = 0; r >= 0 && i < h->request.environment.count; i++)
                if (strv_setenv(&h->environment, h->request.environment.items[i]) < 0)
                        r = error_memory(error);
        strv_free(&all);
        return r;
}

static int set_streams(struct helper *h, struct error *error) {
        if (h->request.terminal && h->user.uid != 0 && fchown(h->launch.pty.peer, h->user.uid, (gid_t) -1) < 0)
                return error_set(error, errno, "cannot give the terminal to %s: %m", h->user.name);
        h->launch.pty.peer = fd_close(h->launch.pty.peer);
        h->launch.pty.master = fd_close(h->launch.pty.master);
        for (int i = 0; i < 3; i++) {
                if (h->streams[i] < 0)
                        close(i);
                else if (dup2(h->streams[i], i) < 0)
                        return error_set(error, errno, "cannot set up standard stream %d: %m", i);
                h->streams[i] = fd_close(h->streams[i]);
        }
        return 0;
}

/* Everything that needs more rights than the payload has is behind us after this. */
static int become_less(struct helper *h, struct error *error) {
        const struct enter_request *q = &h->request;
        int r = user_lookup(h->launch.tree_fd, q->user ? q->user : h->plan->user, &h->user, error);

        if (r >= 0)
                r = prepare_environment(h, error);
        if (r >= 0)
                r = set_streams(h, error);
        if (r >= 0)
                r = confine_limits(&h->launch, error);
        if (r >= 0)
                r = confine_privileges(&h->launch, &h->user, error);
        if (r < 0)
                return r;
        if (q->chdir) {
                r = confine_directory(h->launch.tree_fd, q->chdir);
                return r < 0 ? error_set(error, -r, "cannot enter the directory %s of the container: %s", q->chdir,
                                         strerror(-r))
                             : 0;
        }
        if (q->words.count == 0 && h->user.home)
                (void) confine_directory(h->launch.tree_fd, h->user.home);
        return 0;
}

/* The only process that the container can see. */
_Noreturn static void be_the_command(struct helper *h) {
        struct error error = { 0 };
        int r;

        confine_signals();
        if (setsid() < 0)
                error_set(&error, errno, "cannot start a session: %m");
        else if (h->request.terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
                error_set(&error, errno, "cannot make the terminal the controlling one: %m");
        else if (strv_add(&h->environment, "") < 0)
                error_memory(&error);
        else {
                h->environment.items[--h->environment.count] = NULL;
                r = h->request.words.count > 0
                            ? execute_words(h->launch.tree_fd, h->request.words.items, h->environment.items, &error)
                            : execute_shell(h->launch.tree_fd, &h->user, h->environment.items, &error);
                if (!error.code)
                        error_set(&error, r < 0 ? -r : EIO, "the command cannot be started: %m");
        }
        (void) sync_send(h->fd, SYNC_FAILED, &error);
        _exit(error_exit_status(&error));
}

/* A client that is gone takes its command with it: a terminal's by hang-up, as when a line drops. */
static void on_client(struct helper *h, pid_t pid) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        int r = packet_receive(h->fd, buffer, &p, MSG_DONTWAIT);

        if (r == -EAGAIN)
                return;
        if (r <= 0) {
                (void) kill(-pid, h->request.terminal ? SIGHUP : SIGKILL);
                _exit(0); /* the container's PID 1 reaps */
        }
        if (p.kind == PACKET_COMMAND && p.command == COMMAND_SIGNAL && kill(-pid, p.number) < 0)
                (void) kill(pid, p.number);
}

_Noreturn static void wait_for_end(struct helper *h, pid_t pid, int signal_fd) {
        int status;

        for (;;) {
                struct pollfd p[] = { { .fd = h->fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };
                (void) poll(p, ELEMENTSOF(p), -1);
                if (waitpid(pid, &status, WNOHANG | __WALL) == pid)
                        break;
                if (p[1].revents) {
                        struct signalfd_siginfo info;
                        (void) !read(signal_fd, &info, sizeof info);
                }
                if (p[0].revents)
                        on_client(h, pid);
        }
        struct error ended = { .code = WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status)
                                                           : WEXITSTATUS(status) };
        (void) sync_send(h->fd, SYNC_ENDED, &ended);
        _exit(0);
}

_Noreturn static void serve(struct helper *h) {
        struct error error = { 0 };
        sigset_t child;
        int r = receive_request(h, &error);

        if (r >= 0)
                r = join(h, &error);
        if (r >= 0)
                r = open_terminal(h, &error);
        else
                (void) sync_send_fds(h->fd, &h->launch.pty.master, 1); /* none */
        if (r >= 0)
                r = become_less(h, &error);
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &child, NULL);
        int signal_fd = r < 0 ? -1 : signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
        pid_t pid = r < 0 ? -1 : fork();
        if (pid == 0)
                be_the_command(h);
        if (r >= 0 && (pid < 0 || signal_fd < 0))
                error_set(&error, errno, "cannot start a process in the container: %m");
        if (pid > 0) {
                for (int i = 0; i < 3; i++)
                        close(i); /* who reads them is to see the command's end */
                wait_for_end(h, pid, signal_fd);
        }
        (void) sync_send(h->fd, SYNC_FAILED, &error);
        struct error ended = { .code = error_exit_status(&error) };
        (void) sync_send(h->fd, SYNC_ENDED, &ended);
        _exit(0);
}

/* Keeps what a helper needs, by the lowest numbers, and nothing else of the supervisor's: PTY, sockets, root. */
static int keep_only(struct helper *h) {
        int *const kept[] = { &h->fd, &h->launch.leader_pidfd, &h->launch.cgroup_fd };
        int top = 3;

        for (size_t i = 0; i < ELEMENTSOF(kept); i++) {
                if (*kept[i] < 0)
                        continue;
                int copy = fcntl(*kept[i], F_DUPFD_CLOEXEC, 512);
                if (copy < 0)
                        copy = fcntl(*kept[i], F_DUPFD_CLOEXEC, top);
                if (copy < 0)
                        return -errno;
                *kept[i] = copy;
        }
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                if (*kept[i] >= 0) {
                        if (dup3(*kept[i], top, O_CLOEXEC) < 0)
                                return -errno;
                        *kept[i] = top++;
                }
        return sys_close_range((unsigned) top, ~0U, 0) < 0 ? -errno : 0;
}

int enter_fork(const struct launch *launch, int fd) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid > 0) /* at once: it only forks */
                return waitpid(pid, NULL, __WALL) < 0 ? -errno : 0;
        if (fork() != 0)
                _exit(0);
        struct helper h = { .launch = *launch, .plan = launch->plan, .fd = fd, .streams = { -EBADF, -EBADF, -EBADF } };
        h.launch.pty = PTY_NONE;
        confine_signals();
        if (keep_only(&h) < 0 || setsid() < 0)
                _exit(EXIT_OURS);
        serve(&h);
}
