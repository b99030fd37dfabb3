/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/sync.h"
#include "basic/syscalls.h"
#include "console/escape.h"
#include "console/guardian.h"
#include "console/session.h"
#include "launcher/launch.h"
#include "launcher/stop.h"

enum {
        DRAIN_USEC = 5 * 1000 * 1000, /* for a reader that stalls when the payload is dead */
        REBOOTS_MAX = 10,             /* … in REBOOT_WINDOW_USEC: a loop, not a reboot */
        REBOOT_WINDOW_USEC = 20 * 1000 * 1000,
        NOTIFY_BATCH = 16, /* messages read a turn, so that a flood starves nobody */
};

enum outcome { OUTCOME_ENDED, OUTCOME_REBOOT, OUTCOME_FAILED };

struct supervisor {
        const struct plan *plan;
        struct launch launch;
        struct console *console; /* NULL in pipe mode */
        struct guardian guardian;
        int signal_fd;
        int pidfd; /* our own process */
        struct stop stop;
        struct error error; /* what the child reported */
        bool ended;         /* the leader has */
        bool console_started;
        int status; /* for our exit, with OUTCOME_ENDED */
};

static uint64_t now_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* Signals come as data, so that nothing of ours runs in a handler. */
static int open_signals(struct supervisor *s) {
        static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(handled); i++)
                sigaddset(&set, handled[i]);
        /* Setting the terminal's modes or writing to it from the background must not stop us half-way. */
        signal(SIGPIPE, SIG_IGN);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return error_set(&s->error, errno, "cannot block signals: %m");
        s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (s->signal_fd < 0)
                return error_set(&s->error, errno, "cannot make a descriptor for signals: %m");
        s->pidfd = sys_pidfd_open(getpid(), 0);
        return s->pidfd < 0 ? error_set(&s->error, errno, "cannot open a descriptor of our own process: %m") : 0;
}

static int open_console(struct supervisor *s) {
        static const enum session_mode modes[] = {
                [CONSOLE_INTERACTIVE] = SESSION_INTERACTIVE,
                [CONSOLE_READ_ONLY] = SESSION_READ_ONLY,
                [CONSOLE_PASSIVE] = SESSION_PASSIVE,
        };
        const unsigned closed = s->plan->probe->host.stream_was_closed;

        if (s->plan->console == CONSOLE_PIPE)
                return 0;
        struct console_options options = { .mode = modes[s->plan->console], .escape_key = ESCAPE_KEY_DEFAULT };
        for (int i = 0; i < 3; i++)
                options.streams[i] = closed & (1U << i) ? -EBADF : i;
        return console_open(&options, &s->console, &s->error);
}

/* Starts the guardian if there is none yet. */
static int start_guardian(struct supervisor *s) {
        if (s->guardian.pid > 0)
                return 0;
        const struct guardian_plan plan = {
                .supervisor_pidfd = s->pidfd,
                .terminal = s->console ? console_terminal(s->console) : NULL,
        };
        return guardian_start(&plan, &s->guardian, &s->error);
}

/* The group is told to the guardian before it is made, so that no moment is left in which a crash would leave it
 * behind. */
static int make_cgroup(struct supervisor *s) {
        struct launch *launch = &s->launch;
        int r = start_guardian(s);

        if (r >= 0 && launch->cgroup_parent_fd < 0) {
                r = launch_open_cgroup(launch, &s->error);
                if (r >= 0)
                        r = guardian_set_cgroup(&s->guardian, launch->cgroup_parent_fd, s->plan->cgroup_name);
        }
        return r < 0 ? r : launch_make_cgroup(launch, &s->error);
}

/* Everything from the plan to a running child. Without a group the guardian is started beside the child's own work:
 * the child is not let go before, and until then its parent-death signal cannot have been cleared. */
static int start(struct supervisor *s) {
        struct launch *launch = &s->launch;
        int r;

        launch->plan = s->plan;
        launch->supervisor_pidfd = s->pidfd;
        r = s->plan->own_cgroup ? make_cgroup(s) : 0;
        if (r >= 0)
                r = launch_start(launch, &s->error);
        if (r >= 0)
                r = launch_prepare(launch, &s->error);
        if (r >= 0)
                r = launch_hand_over(launch, &s->error);
        if (r >= 0 && s->console)
                r = console_attach_pty(s->console, &launch->pty, &s->error);
        if (r >= 0)
                r = start_guardian(s);
        if (r >= 0)
                r = guardian_set_leader(&s->guardian, launch->leader_pidfd);
        /* With a PTY the child is let go when the terminal is raw: see on_sync(). */
        if (r >= 0 && !s->console)
                r = sync_send(launch->sync_fd, SYNC_GO, NULL);
        if (r == -EPIPE)
                r = 0; /* the child has failed and says why in its packet */
        if (r < 0 && !s->error.code)
                error_set(&s->error, -r, "cannot start the container: %m");
        return r;
}

static void on_sync(struct supervisor *s) {
        struct sync_packet packet;
        int r = sync_receive(s->launch.sync_fd, &packet);

        if (r > 0 && packet.step == SYNC_PREPARED) {
                if (s->console && !s->console_started) {
                        s->console_started = true;
                        if (console_start(s->console, &s->error) < 0) {
                                stop_kill(&s->stop, &s->launch);
                                return;
                        }
                }
                if (s->console)
                        (void) sync_send(s->launch.sync_fd, SYNC_GO, NULL);
                return;
        }
        if (r > 0 && packet.step == SYNC_FAILED)
                s->error = packet.error;
        /* The other end closed at the exec: the payload runs. */
        s->launch.sync_fd = fd_close(s->launch.sync_fd);
}

/* Stops as a job: the terminal is given back, the container runs on. */
static void suspend(struct supervisor *s) {
        if (s->console)
                console_suspend(s->console);
        (void) kill(getpid(), SIGSTOP);
        if (s->console)
                console_resume(s->console);
}

static void on_signal(struct supervisor *s) {
        struct signalfd_siginfo info;

        if (read(s->signal_fd, &info, sizeof info) != sizeof info)
                return;
        switch (info.ssi_signo) {
        case SIGWINCH:
                if (s->console)
                        console_resize(s->console);
                return;
        case SIGTSTP:
                suspend(s);
                return;
        case SIGCONT:
                if (s->console && s->console_started)
                        console_resume(s->console);
                return;
        default:
                stop_request(&s->stop, &s->launch, (int) info.ssi_signo, now_usec());
        }
}

/* What the payload says of itself (sd_notify(3)). It is read so that a sender never blocks on a full socket; anyone
 * inside can write here, so it is never more than a debug line. */
static void on_notify(struct supervisor *s) {
        char text[4096];

        for (int i = 0; i < NOTIFY_BATCH; i++) {
                ssize_t n = recv(s->launch.notify_fd, text, sizeof text - 1, MSG_DONTWAIT | MSG_TRUNC);
                if (n < 0)
                        return;
                if ((size_t) n >= sizeof text)
                        continue;
                text[n] = 0;
                log_debug("%s says: %s", s->plan->machine, text);
        }
}

static void on_console(struct supervisor *s) {
        unsigned events = console_dispatch(s->console);

        if (events & CONSOLE_ESCAPE_KILL)
                stop_kill(&s->stop, &s->launch);
        if (events & CONSOLE_OUTPUT_GONE)
                log_notice("nobody reads the console of %s any more: its output is dropped", s->plan->machine);
        if (events & CONSOLE_INPUT_LOST)
                log_notice("%s does not read its console: what is typed is dropped", s->plan->machine);
        if ((events & CONSOLE_TERMINAL_GONE) && s->stop.phase == STOP_NOT_ASKED)
                stop_request(&s->stop, &s->launch, SIGHUP, now_usec());
}

static void on_leader(struct supervisor *s) {
        s->ended = true;
}

/* Milliseconds until the stop clock has something to do, as poll(2) takes them. */
static int poll_timeout(const struct supervisor *s) {
        uint64_t next = stop_next(&s->stop), now = next > 0 ? now_usec() : 0;

        if (next == 0)
                return -1;
        return next <= now ? 0 : (int) ((next - now + 999) / 1000 > 60000 ? 60000 : (next - now + 999) / 1000);
}

static void loop(struct supervisor *s) {
        while (!s->ended) {
                struct {
                        int fd;
                        void (*handle)(struct supervisor *);
                } sources[] = {
                        { s->signal_fd, on_signal },
                        { s->launch.sync_fd, on_sync },
                        { s->console_started ? console_fd(s->console) : -1, on_console },
                        { s->launch.notify_fd, on_notify },
                        { s->launch.leader_pidfd, on_leader },
                };
                struct pollfd p[ELEMENTSOF(sources)];

                for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                        p[i] = (struct pollfd){ .fd = sources[i].fd, .events = POLLIN };
                if (poll(p, ELEMENTSOF(p), poll_timeout(s)) < 0 && errno != EINTR) {
                        error_set(&s->error, errno, "cannot wait for events: %m");
                        stop_kill(&s->stop, &s->launch);
                        break;
                }
                for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                        if (p[i].revents)
                                sources[i].handle(s);
                stop_tick(&s->stop, &s->launch, now_usec());
        }
}

/* A child that failed before the exec has its packet still in the channel. */
static void collect_error(struct supervisor *s) {
        while (s->launch.sync_fd >= 0)
                on_sync(s);
}

/* What the end of the leader means. A PID namespace's reboot(2) ends its first process by SIGHUP for a restart and by
 * SIGINT for halt and power-off (reboot(2), "Behavior inside PID namespaces"); no other SIGHUP or SIGINT can end a
 * PID 1. */
static enum outcome judge(struct supervisor *s, const siginfo_t *info) {
        if (s->error.code) {
                s->status = error_exit_status(&s->error);
                return OUTCOME_FAILED;
        }
        if (info->si_code == CLD_EXITED)
                s->status = info->si_status;
        else if (info->si_status == SIGINT)
                s->status = 0;
        else if (info->si_status == SIGHUP && s->stop.phase == STOP_NOT_ASKED)
                return OUTCOME_REBOOT;
        else if (info->si_status == SIGHUP)
                s->status = 0;
        else
                s->status = EXIT_SIGNAL_BASE + info->si_status;
        return OUTCOME_ENDED;
}

/* Shows what the payload has still written. A reader that stalls is waited for until the deadline or until someone
 * asks for the end. */
static void drain(struct supervisor *s) {
        struct signalfd_siginfo info;

        while (console_drain(s->console, DRAIN_USEC, s->signal_fd) == -EINTR) {
                if (read(s->signal_fd, &info, sizeof info) != sizeof info)
                        continue;
                if (info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT && info.ssi_signo != SIGTSTP)
                        return;
        }
}

/* With the leader ends all that such a guardian is there for. */
static bool guards_leader_only(const struct supervisor *s) {
        return !s->console && !s->plan->own_cgroup;
}

static enum outcome finish(struct supervisor *s) {
        siginfo_t info = { 0 };

        if (guards_leader_only(s))
                guardian_dismiss(&s->guardian);
        if (s->console_started)
                drain(s);
        /* P_PIDFD: the very process, whatever has happened to its number (waitid(2), Linux 5.4). */
        if (waitid(P_PIDFD, (id_t) s->launch.leader_pidfd, &info, WEXITED | __WALL) < 0)
                error_set(&s->error, errno, "cannot wait for the container's end: %m");
        collect_error(s);
        enum outcome outcome = judge(s, &info);
        launch_remove_cgroup(&s->launch);
        return outcome;
}

static enum outcome run_once(struct supervisor *s) {
        enum outcome outcome;

        s->stop = (struct stop){ 0 };
        s->ended = false;
        if (start(s) < 0) {
                s->status = error_exit_status(&s->error);
                if (s->launch.leader_pidfd >= 0) {
                        struct error why = s->error;
                        stop_kill(&s->stop, &s->launch);
                        (void) finish(s);
                        s->error = why;
                }
                outcome = OUTCOME_FAILED;
        } else {
                loop(s);
                outcome = finish(s);
        }
        return outcome;
}

/* Counts reboots; a container that does nothing else is stopped. */
static bool reboots_too_fast(unsigned *count, uint64_t *window_start) {
        uint64_t now = now_usec();

        if (now - *window_start > REBOOT_WINDOW_USEC) {
                *window_start = now;
                *count = 0;
        }
        return ++*count > REBOOTS_MAX;
}

static enum outcome run_until_end(struct supervisor *s) {
        uint64_t window_start = now_usec();
        unsigned reboots = 0;

        for (;;) {
                enum outcome outcome = run_once(s);
                if (outcome != OUTCOME_REBOOT) {
                        s->console = console_close(s->console);
                        launch_end(&s->launch);
                        return outcome;
                }
                if (reboots_too_fast(&reboots, &window_start)) {
                        error_set(&s->error, ELOOP, "%s reboots too often: more than %d times in %d seconds",
                                  s->plan->machine, REBOOTS_MAX, REBOOT_WINDOW_USEC / 1000000);
                        s->status = EXIT_OURS;
                        s->console = console_close(s->console);
                        launch_end(&s->launch);
                        return OUTCOME_FAILED;
                }
                log_info("%s reboots", s->plan->machine);
                if (guards_leader_only(s))
                        guardian_stop(&s->guardian);
                launch_end(&s->launch);
        }
}

int supervise(const struct plan *plan) {
        struct supervisor s = {
                .plan = plan,
                .launch = LAUNCH_NONE,
                .guardian = GUARDIAN_NONE,
                .signal_fd = -EBADF,
                .pidfd = -EBADF,
        };
        int r = open_signals(&s);

        if (r >= 0)
                r = open_console(&s);
        enum outcome outcome = r < 0 ? OUTCOME_FAILED : run_until_end(&s);
        s.console = console_close(s.console);
        if (outcome == OUTCOME_FAILED) {
                error_print(&s.error);
                s.status = error_exit_status(&s.error);
        }
        guardian_stop(&s.guardian);
        fd_close(s.launch.cgroup_parent_fd);
        fd_close(s.signal_fd);
        fd_close(s.pidfd);
        return s.status;
}
