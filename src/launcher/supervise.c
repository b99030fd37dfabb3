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
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "basic/sync.h"
#include "basic/syscalls.h"
#include "console/escape.h"
#include "console/guardian.h"
#include "console/session.h"
#include "launcher/console_files.h"
#include "launcher/enter.h"
#include "launcher/group.h"
#include "launcher/image_lock.h"
#include "launcher/incoming.h"
#include "launcher/launch.h"
#include "launcher/notices.h"
#include "launcher/presence.h"
#include "launcher/registrar.h"
#include "launcher/stop.h"

enum {
        DRAIN_USEC = 5 * 1000 * 1000, /* for a reader that stalls when the payload is dead */
        REBOOTS_MAX = 10,             /* … in REBOOT_WINDOW_USEC: a loop, not a reboot */
        REBOOT_WINDOW_USEC = 20 * 1000 * 1000,
};

enum outcome { OUTCOME_ENDED, OUTCOME_REBOOT, OUTCOME_FAILED };

struct supervisor {
        const struct plan *plan;
        struct launch launch;
        struct console *console; /* NULL in pipe mode */
        struct console_files console_files;
        struct detach *detach;     /* who waits for us to run; NULL: nobody */
        struct presence *presence; /* NULL: it cannot be reached, and not be left */
        struct guardian guardian;
        struct registrar *registrar; /* NULL: nobody is told about the machine */
        bool entering, leaving;      /* what the registrar is busy with */
        int signal_fd;
        int pidfd; /* our own process */
        struct stop stop;
        struct notices notices;
        struct error error; /* what the child reported */
        bool ended;         /* the leader has */
        bool console_started;
        bool has_run;        /* the payload has been executed */
        uint64_t held_until; /* the console is not read, so that a viewer can follow; 0: it is */
        int status;          /* for our exit, with OUTCOME_ENDED */
};

/* Signals come as data, so that nothing of ours runs in a handler. */
static int open_signals(struct supervisor *s) {
        static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(handled); i++)
                sigaddset(&set, handled[i]);
        /* Setting the terminal's modes or writing to it from the background must not stop us half-way. */
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN); /* a log at the caller's limit for files is an error of write(2), not our end */
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
                [CONSOLE_DETACHED] = SESSION_DETACHED,
        };
        const unsigned closed = s->plan->probe->host.stream_was_closed;

        if (s->plan->console == CONSOLE_PIPE)
                return 0;
        struct console_options options = { .mode = modes[s->plan->console],
                                           .escape_key = s->plan->spec->escape_key,
                                           .plain = s->plan->console_plain,
                                           .safe = s->plan->spec->console_safe };
        for (int i = 0; i < 3; i++)
                options.streams[i] = closed & (1U << i) ? -EBADF : i;
        int r = console_open(&options, &s->console, &s->error);
        return r < 0 ? r : console_files_open(s->plan, s->console, &s->console_files, &s->error);
}

/* After a crash. */
static void clean_up(void *userdata) {
        const struct plan *plan = userdata;

        if (plan->incoming)
                incoming_remove(plan->machine);
        presence_clean(plan->machine);
        image_lock_clean(plan->probe->root.real_path);
}

/* Starts the guardian if there is none yet. */
static int start_guardian(struct supervisor *s) {
        if (s->guardian.pid > 0)
                return 0;
        const struct guardian_plan plan = {
                .supervisor_pidfd = s->pidfd,
                .terminal = s->console ? console_terminal(s->console) : NULL,
                .clean = clean_up,
                .userdata = (void *) s->plan,
        };
        return guardian_start(&plan, &s->guardian, &s->error);
}

/* The group is told to the guardian before it is made, so that no moment is left in which a crash would leave it
 * behind. The guardian comes after the move to the group "supervisor", for it is to be there too. */
static int make_group(struct supervisor *s) {
        struct launch *launch = &s->launch;
        int r = group_open(launch, &s->error);

        if (r >= 0)
                r = start_guardian(s);
        if (r >= 0)
                r = guardian_set_cgroup(&s->guardian, launch->cgroup_parent_fd, group_name(launch));
        return r < 0 ? r : group_make(launch, &s->error);
}

/* Begins to tell the host about the machine. The child works on meanwhile, up to where it is handed the mounts. */
static int begin_registration(struct supervisor *s) {
        int r = 0;

        if (!s->plan->announce)
                return 0;
        if (!s->registrar)
                r = registrar_open(s->plan, &s->registrar, &s->error);
        if (r >= 0)
                r = machined_enter(registrar_client(s->registrar), s->launch.leader, s->launch.leader_pidfd,
                                   &s->error);
        s->entering = r >= 0;
        return r;
}

/* The child gets what it waits for. With a PTY it is let go when the terminal is raw: see on_sync(). */
static int let_child_go(struct supervisor *s) {
        int r = launch_hand_over(&s->launch, &s->error);

        if (r >= 0 && !s->console)
                r = sync_send(s->launch.sync_fd, SYNC_GO, NULL);
        return r == -EPIPE ? 0 : r; /* the child has failed and says why in its packet */
}

/* A viewer has asked for it. A reboot is the signal by which the kernel itself tells an init of Ctrl-Alt-Del
 * (reboot(2)): all inits know it. */
static void on_command(void *userdata, enum packet_command command, int number) {
        struct supervisor *s = userdata;

        switch (command) {
        case COMMAND_POWEROFF:
                if (s->stop.phase == STOP_NOT_ASKED)
                        stop_request(&s->stop, &s->launch, SIGTERM, clock_usec());
                return;
        case COMMAND_STOP:
                stop_request(&s->stop, &s->launch, number > 0 ? number : SIGTERM, clock_usec());
                return;
        case COMMAND_REBOOT:
        case COMMAND_SIGNAL:
                if (s->has_run && s->launch.leader_pidfd >= 0)
                        (void) sys_pidfd_send_signal(s->launch.leader_pidfd,
                                                     command == COMMAND_REBOOT ? SIGINT : number, NULL, 0);
                return;
        case COMMAND_LOG:
                presence_tell(s->presence, console_files_toggle_log(&s->console_files));
                return;
        case COMMAND_KILL:
        case COMMANDS:
                stop_kill(&s->stop, &s->launch);
        }
}

/* Somebody wants to run a command beside the payload. */
static void on_enter(void *userdata, int fd) {
        const struct supervisor *s = userdata;
        struct error error = { 0 };
        const int none = -EBADF;
        int r = -ESRCH;

        if (s->has_run && !s->ended && s->launch.leader_pidfd >= 0)
                r = enter_fork(&s->launch, fd);
        if (r >= 0)
                return;
        error_set(&error, -r, r == -ESRCH ? "the machine does not run yet" : "cannot start a process: %s",
                  strerror(-r));
        (void) sync_send_fds(fd, &none, 1);
        (void) sync_send(fd, SYNC_FAILED, &error);
}

/* The guardian is there before anything that a crash would leave. */
static int take_name(struct supervisor *s) {
        const struct presence_hooks hooks = { s, on_command, on_enter };
        struct error error = { 0 };
        int r = start_guardian(s);

        if (r < 0 || s->presence)
                return r;
        int viewer_fd = s->detach ? TAKE_FD(s->detach->viewer_fd) : -EBADF;
        r = presence_open(s->plan, s->console, viewer_fd, &hooks, &s->presence, &error);
        if (r < 0 && s->plan->session) {
                s->error = error;
                if (!error.hint[0] && !s->plan->spec->detach)
                        error_hint(&s->error, "--detachable=no starts it all the same, as one that cannot be left");
        } else if (r < 0)
                log_info("spawnctl cannot reach this one: %s", error.text);
        return s->plan->session ? r : 0;
}

/* The viewers are told when nothing of the container is left but what they have still to be shown. */
static void close_presence(struct supervisor *s) {
        if (s->detach)
                detach_failed(s->detach, s->status);
        if (s->presence && presence_end(s->presence, s->status) && s->detach && s->plan->session && s->has_run)
                s->detach->lingering = TAKE_PTR(s->presence);
        s->presence = presence_close(s->presence);
}

/* Everything from the plan to a running child. Without a group the guardian is started beside the child's own work:
 * the child is not let go before, and until then its parent-death signal cannot have been cleared. */
static int start(struct supervisor *s) {
        struct launch *launch = &s->launch;
        int r;

        launch->plan = s->plan;
        launch->supervisor_pidfd = s->pidfd;
        launch->group = s->plan->group;
        r = launch->group == GROUP_BELOW || launch->group == GROUP_UNIT ? make_group(s) : 0;
        if (r >= 0 && s->plan->session)
                r = take_name(s);
        if (r >= 0)
                r = launch_start(launch, &s->error);
        if (r >= 0)
                r = begin_registration(s);
        if (r >= 0 && launch->cgroup_fd >= 0)
                r = group_restrict(launch, &s->error);
        if (r >= 0 && s->plan->incoming) /* a directory of the host's is about to be made */
                r = start_guardian(s);
        if (r >= 0)
                r = launch_prepare(launch, &s->error);
        if (r >= 0 && s->console) /* before the PTY tells its size */
                r = take_name(s);
        if (r >= 0 && s->console)
                r = console_attach_pty(s->console, &launch->pty, &s->error);
        if (r >= 0)
                r = start_guardian(s);
        if (r >= 0)
                r = guardian_set_leader(&s->guardian, launch->leader_pidfd);
        if (r >= 0 && !s->entering)
                r = let_child_go(s);
        if (r < 0 && !s->error.code)
                error_set(&s->error, -r, "cannot start the container: %m");
        return r;
}

static void on_running(struct supervisor *s) {
        struct error error = { 0 };

        notices_started(&s->notices, s->launch.leader, clock_usec());
        s->has_run = true;
        if (!s->console) /* beside a payload that has its own streams: it has not waited for this */
                (void) take_name(s);
        if (!s->presence)
                return;
        if (presence_started(s->presence, s->launch.leader, &error) < 0)
                log_warning("%s", error.text);
        if (s->detach && s->plan->spec->wait == WAIT_RUNNING)
                detach_ready(s->detach, s->plan->machine);
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
        if (r == 0 && !s->error.code && !s->ended)
                on_running(s);
        s->launch.sync_fd = fd_close(s->launch.sync_fd);
}

/* Stops as a job. With a console the terminal is given back and the container runs on; a command that has our own
 * streams would go on reading and writing the terminal, so it stops with us. */
static void suspend(struct supervisor *s) {
        if (s->console)
                console_suspend(s->console);
        else
                stop_pause(&s->launch);
        (void) kill(getpid(), SIGSTOP);
        if (s->console)
                console_resume(s->console);
        else
                stop_resume(&s->launch);
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
                stop_request(&s->stop, &s->launch, (int) info.ssi_signo, clock_usec());
        }
}

static void on_notify(struct supervisor *s) {
        struct error error = { 0 };

        if (!notices_forward(s->launch.notify_fd, s->launch.leader))
                return;
        if (s->presence && presence_ready(s->presence, &error) < 0)
                log_warning("%s", error.text);
        if (s->detach)
                detach_ready(s->detach, s->plan->machine);
}

/* The menu of a terminal that is ours; see viewer.c for that of a viewer. */
static void on_menu(struct supervisor *s, char letter) {
        switch (letter) {
        case 'd':
                log_warning("this console cannot be left: --detachable starts one that can");
                return;
        case 'p':
                on_command(s, COMMAND_POWEROFF, 0);
                return;
        case 'r':
                on_command(s, COMMAND_REBOOT, 0);
                return;
        case 'l':
                log_warning("%s", console_files_toggle_log(&s->console_files));
                return;
        case '?':
                escape_print_menu(s->plan->spec->escape_key);
                return;
        default: /* '.' */
                return;
        }
}

static void on_console(struct supervisor *s) {
        unsigned events = console_dispatch(s->console);

        if (s->presence)
                presence_feed(s->presence);
        if (events & CONSOLE_ESCAPE_KILL)
                stop_kill(&s->stop, &s->launch);
        if (events & CONSOLE_ESCAPE_COMMAND)
                on_menu(s, console_command(s->console));
        if ((events & CONSOLE_OUTPUT_GONE) && !s->plan->session)
                log_notice("nobody reads the console of %s any more: its output is dropped", s->plan->machine);
        if (events & CONSOLE_INPUT_LOST)
                log_notice("%s does not read its console: what is typed is dropped", s->plan->machine);
        if ((events & CONSOLE_TERMINAL_GONE) && s->stop.phase == STOP_NOT_ASKED)
                stop_request(&s->stop, &s->launch, SIGHUP, clock_usec());
}

static void on_presence(struct supervisor *s) {
        presence_dispatch(s->presence);
}

/* The machine is known to the host, or cannot be: the child can go on. */
static void on_entered(struct supervisor *s) {
        struct machined *client = registrar_client(s->registrar);
        const struct error *note = machined_error(client);
        int r = 0;

        if (note)
                log_notice("%s", note->text);
        /* No manager made a scope, or not in this hierarchy: the group goes where it would be without one. */
        const char *unit = machined_unit(client);
        if (s->launch.group == GROUP_SCOPE && !(unit && group_scope_is_cgroup2(s->launch.leader, unit)))
                s->launch.group = GROUP_BELOW;
        if (s->launch.group != GROUP_NONE && s->launch.cgroup_fd < 0)
                r = make_group(s);
        if (r >= 0)
                r = group_restrict(&s->launch, &s->error);
        if (r >= 0)
                r = let_child_go(s);
        if (r < 0)
                stop_kill(&s->stop, &s->launch);
}

static void on_registrar(struct supervisor *s) {
        struct machined *client = registrar_client(s->registrar);
        unsigned events = machined_dispatch(client);

        if (events & (MACHINED_ENTERED | MACHINED_FAILED))
                s->entering = false;
        if (events & MACHINED_LEFT)
                s->leaving = false;
        if (events & MACHINED_FAILED) {
                s->error = *machined_error(client);
                stop_kill(&s->stop, &s->launch);
        }
        if (events & MACHINED_ENTERED)
                on_entered(s);
        if (events & MACHINED_STOP_REQUESTED && s->stop.phase == STOP_NOT_ASKED)
                stop_request(&s->stop, &s->launch, SIGTERM, clock_usec());
        if (events & MACHINED_BUS_LOST)
                log_warning("the system bus has gone: %s runs on, and cannot be stopped through it any more",
                            s->plan->machine);
}

static void on_leader(struct supervisor *s) {
        s->ended = true;
}

static uint64_t sooner(uint64_t a, uint64_t b) {
        return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Milliseconds until a clock has something to do, as poll(2) takes them. */
static int poll_timeout(const struct supervisor *s) {
        uint64_t next = stop_next(&s->stop);

        next = sooner(next, notices_next(&s->notices));
        next = sooner(next, s->held_until);
        if (s->registrar)
                next = sooner(next, machined_deadline(registrar_client(s->registrar)));
        if (next == 0)
                return -1;
        uint64_t now = clock_usec();
        return next <= now ? 0 : (int) ((next - now + 999) / 1000 > 60000 ? 60000 : (next - now + 999) / 1000);
}

/* poll(2) until the next clock; what the console's files hold back is written before anything is waited for. */
static int wait_for_events(struct supervisor *s, struct pollfd *p, nfds_t count) {
        if (console_files_pending(&s->console_files)) {
                int n = poll(p, count, 0);
                if (n != 0)
                        return n;
                console_files_flush(&s->console_files);
        }
        return poll(p, count, poll_timeout(s));
}

static void loop(struct supervisor *s) {
        while (!s->ended) {
                s->held_until = s->presence ? presence_hold_until(s->presence, clock_usec()) : 0;
                struct machined *client = s->registrar ? registrar_client(s->registrar) : NULL;
                struct {
                        int fd;
                        void (*handle)(struct supervisor *);
                        short events;
                } sources[] = {
                        { s->signal_fd, on_signal, POLLIN },
                        { s->launch.sync_fd, on_sync, POLLIN },
                        { s->console_started && !s->held_until ? console_fd(s->console) : -1, on_console, POLLIN },
                        { s->launch.notify_fd, on_notify, POLLIN },
                        { s->presence ? presence_fd(s->presence) : -1, on_presence, POLLIN },
                        { client ? machined_fd(client) : -1, on_registrar, client ? machined_events(client) : 0 },
                        { s->launch.leader_pidfd, on_leader, POLLIN },
                };
                struct pollfd p[ELEMENTSOF(sources)];

                for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                        p[i] = (struct pollfd){ .fd = sources[i].fd, .events = sources[i].events };
                if (wait_for_events(s, p, ELEMENTSOF(p)) < 0 && errno != EINTR) {
                        error_set(&s->error, errno, "cannot wait for events: %m");
                        stop_kill(&s->stop, &s->launch);
                        break;
                }
                for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                        if (p[i].revents)
                                sources[i].handle(s);
                uint64_t due = client ? machined_deadline(client) : 0;
                if (due > 0 && due <= clock_usec())
                        on_registrar(s);
                stop_tick(&s->stop, &s->launch, clock_usec());
                notices_tick(&s->notices, clock_usec());
                if (s->stop.phase != STOP_NOT_ASKED)
                        notices_stopping(&s->notices);
        }
}

/* Takes the machine out of the host's books, so that its name is free again. Bounded by the client's own deadlines. */
static void leave(struct supervisor *s) {
        struct machined *client = s->registrar ? registrar_client(s->registrar) : NULL;

        if (!client || s->launch.leader == 0)
                return;
        s->leaving = true;
        s->entering = false;
        (void) machined_leave(client);
        while (s->leaving) {
                uint64_t due = machined_deadline(client), now = clock_usec();
                struct pollfd p = { .fd = machined_fd(client), .events = machined_events(client) };
                if (due == 0 && p.fd < 0)
                        return;
                if (poll(&p, 1, due == 0 ? -1 : due <= now ? 0 : (int) ((due - now) / 1000 + 1)) < 0 && errno != EINTR)
                        return;
                if (machined_dispatch(client) & MACHINED_LEFT)
                        s->leaving = false;
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

/* With leader and group ends all that such a guardian is there for. */
static bool guards_container_only(const struct supervisor *s) {
        return !s->console && !s->plan->incoming;
}

static enum outcome finish(struct supervisor *s) {
        siginfo_t info = { 0 };

        notices_stopping(&s->notices);
        if (s->console_started)
                drain(s);
        /* P_PIDFD: the very process, whatever has happened to its number (waitid(2), Linux 5.4). */
        if (waitid(P_PIDFD, (id_t) s->launch.leader_pidfd, &info, WEXITED | __WALL) < 0)
                error_set(&s->error, errno, "cannot wait for the container's end: %m");
        collect_error(s);
        enum outcome outcome = judge(s, &info);
        group_remove(&s->launch);
        if (guards_container_only(s)) { /* it ends beside what is still to be done here */
                if (outcome != OUTCOME_REBOOT)
                        close_presence(s);
                guardian_dismiss(&s->guardian);
        }
        leave(s);
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
                } else
                        group_remove(&s->launch);
                outcome = OUTCOME_FAILED;
        } else {
                loop(s);
                outcome = finish(s);
        }
        return outcome;
}

/* Counts reboots; a container that does nothing else is stopped. */
static bool reboots_too_fast(unsigned *count, uint64_t *window_start) {
        uint64_t now = clock_usec();

        if (now - *window_start > REBOOT_WINDOW_USEC) {
                *window_start = now;
                *count = 0;
        }
        return ++*count > REBOOTS_MAX;
}

static enum outcome run_until_end(struct supervisor *s) {
        uint64_t window_start = clock_usec();
        unsigned reboots = 0;

        for (;;) {
                enum outcome outcome = run_once(s);
                /* The service's own manager starts it again: RestartForceExitStatus=133 of the unit. */
                if (outcome == OUTCOME_REBOOT && s->plan->spec->keep_unit) {
                        s->status = EXIT_REBOOT;
                        outcome = OUTCOME_ENDED;
                }
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
                if (guards_container_only(s))
                        guardian_stop(&s->guardian);
                launch_end(&s->launch);
        }
}

int supervise(const struct plan *plan, struct detach *detach) {
        struct supervisor s = {
                .plan = plan,
                .detach = detach,
                .launch = LAUNCH_NONE,
                .guardian = GUARDIAN_NONE,
                .notices = { .wait_for_payload = plan->spec->notify_ready },
                .signal_fd = -EBADF,
                .pidfd = -EBADF,
        };
        int r = open_signals(&s);

        if (r >= 0)
                r = open_console(&s);
        enum outcome outcome = r < 0 ? OUTCOME_FAILED : run_until_end(&s);
        s.console = console_close(s.console);
        console_files_close(&s.console_files);
        if (outcome == OUTCOME_FAILED) {
                error_print(&s.error);
                s.status = error_exit_status(&s.error);
        }
        if (plan->incoming)
                incoming_remove(plan->machine);
        close_presence(&s);
        guardian_stop(&s.guardian);
        s.registrar = registrar_close(s.registrar);
        fd_close(s.launch.cgroup_parent_fd);
        fd_close(s.signal_fd);
        fd_close(s.pidfd);
        return s.status;
}
