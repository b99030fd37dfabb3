/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "isolation/signals.h"

/* By pidfd; where a filter denies that by number, which is as safe: nobody but us reaps the leader. */
static int signal_leader(const struct launch *launch, int sig) {
        if (sys_pidfd_send_signal(launch->leader_pidfd, sig, NULL, 0) == 0)
                return 0;
        return errno == ENOSYS || errno == EPERM ? kill(launch->leader, sig) : -1;
}

void stop_kill(struct stop *stop, const struct launch *launch) {
        stop->phase = STOP_KILLED;
        stop->deadline_usec = 0;
        /* The kernel ends the whole PID namespace with its first process (pid_namespaces(7)). */
        if (signal_leader(launch, SIGKILL) < 0 && errno != ESRCH)
                log_warning("cannot kill the container: %s", strerror(errno));
}

/* The signals that the leader has a handler for or takes by signalfd(2): "SigCgt:" and "SigBlk:" of
 * proc_pid_status(5). PID 1 of a PID namespace does not even get others (but SIGKILL and SIGSTOP from outside): asking
 * with them would be waiting for nothing. */
static uint64_t taken_signals(pid_t leader) {
        static const char *const fields[] = { "\nSigCgt:", "\nSigBlk:" };
        _cleanup_free_ char *path = text_format("/proc/%d/status", (int) leader), *text = NULL;
        _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        uint64_t taken = 0;

        if (fd < 0 || fd_read_file(fd, PROBE_TEXT_LIMIT, &text, NULL) < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char *line = strstr(text, fields[i]);
                if (line)
                        taken |= strtoull(line + strlen(fields[i]), NULL, 16);
        }
        return taken;
}

static bool takes(uint64_t taken, int sig) {
        return taken & (UINT64_C(1) << (sig - 1));
}

enum answer { ANSWER_ASKED, ANSWER_NOT_YET, ANSWER_CANNOT };

static enum answer send(const struct launch *launch, int sig) {
        char name[SIGNAL_NAME_SIZE];

        if (signal_leader(launch, sig) < 0)
                return ANSWER_CANNOT;
        log_info("asked %s to end with %s; the same again kills it", launch->plan->machine, signal_name(sig, name));
        return ANSWER_ASKED;
}

/* A payload of no known kind gets what it has a handler for. */
static enum answer ask_by_disposition(const struct launch *launch, int asked) {
        const int choices[] = { launch->plan->spec->start == START_BOOT ? SIGRTMIN + 3 : asked, asked, SIGTERM };
        uint64_t taken = taken_signals(launch->leader);

        /* Our own stub takes this one and passes it on. */
        if (launch->plan->spec->as_pid2)
                return send(launch, SIGTERM);
        for (size_t i = 0; i < ELEMENTSOF(choices); i++)
                if (takes(taken, choices[i]))
                        return send(launch, choices[i]);
        return ANSWER_CANNOT;
}

/* An init that is still starting has no handlers yet, and what is sent to it is lost: unless it can be seen to take
 * the signal, it is sent again. One that waits in sigwaitinfo(2), as busybox does, takes it unseen; asking such a one
 * twice does no harm. */
static enum answer ask_init(const struct launch *launch, int sig, bool first) {
        bool seen = takes(taken_signals(launch->leader), sig);

        if (first)
                return send(launch, sig) == ANSWER_ASKED ? seen ? ANSWER_ASKED : ANSWER_NOT_YET : ANSWER_CANNOT;
        if (signal_leader(launch, sig) < 0)
                return ANSWER_CANNOT;
        return seen ? ANSWER_ASKED : ANSWER_NOT_YET;
}

static enum answer ask_initctl(const struct launch *launch) {
        if (init_request_poweroff(launch->run_fd) < 0)
                return ANSWER_NOT_YET;
        log_info("asked %s to power off through its /run/initctl; the same again kills it", launch->plan->machine);
        return ANSWER_ASKED;
}

/* Until it is seen to have taken the request: what comes before stage 2 it drops. */
static enum answer ask_runit(struct stop *stop, const struct launch *launch) {
        bool before = stop->requested;
        int r = init_request_runit(launch->run_fd, &stop->requested);

        if (r <= 0)
                return r == 0 ? ANSWER_ASKED : ANSWER_NOT_YET;
        if (signal_leader(launch, SIGCONT) < 0)
                return ANSWER_CANNOT;
        if (!before)
                log_info("asked %s to power off through its runit's stop file; the same again kills it",
                         launch->plan->machine);
        return ANSWER_NOT_YET;
}

/* Asks in the way of the init found, or with the signal that the user has chosen. */
static enum answer ask(struct stop *stop, const struct launch *launch, bool first) {
        const struct plan *plan = launch->plan;

        if (plan->kill_signal)
                return ask_init(launch, plan->kill_signal, first);
        switch (plan->init->method) {
        case STOP_SIGNAL:
                return ask_init(launch, init_signal(plan->init), first);
        case STOP_INITCTL:
                return ask_initctl(launch);
        case STOP_RUNIT:
                return ask_runit(stop, launch);
        case STOP_BY_DISPOSITION:
                break;
        }
        return ask_by_disposition(launch, stop->asked_with);
}

static void try_to_ask(struct stop *stop, const struct launch *launch, uint64_t now_usec) {
        switch (ask(stop, launch, stop->phase == STOP_NOT_ASKED)) {
        case ANSWER_ASKED:
                stop->phase = STOP_ASKED;
                break;
        case ANSWER_NOT_YET:
                stop->phase = STOP_TO_ASK;
                stop->retry_usec = now_usec + STOP_RETRY_USEC;
                break;
        case ANSWER_CANNOT:
                stop_kill(stop, launch);
        }
}

void stop_request(struct stop *stop, const struct launch *launch, int sig, uint64_t now_usec) {
        if (stop->phase != STOP_NOT_ASKED) {
                stop_kill(stop, launch);
                return;
        }
        stop->asked_with = sig;
        if (launch->plan->stop_timeout_usec > 0)
                stop->deadline_usec = now_usec + launch->plan->stop_timeout_usec;
        try_to_ask(stop, launch, now_usec);
}

/* The payload leads its session and group. Its number is ours to use until it is reaped. Of the signals that stop, a
 * PID 1 gets none but SIGSTOP, and that only from outside of its namespace (pid_namespaces(7)); our stub waits for
 * each. */
static void control_job(const struct launch *launch, int stub_signal, int sig) {
        if (launch->leader <= 0)
                return;
        if (launch->plan->spec->as_pid2)
                (void) signal_leader(launch, stub_signal);
        else
                (void) kill(-launch->leader, sig);
}

void stop_pause(const struct launch *launch) {
        control_job(launch, SIGTSTP, SIGSTOP);
}

void stop_resume(const struct launch *launch) {
        control_job(launch, SIGCONT, SIGCONT);
}

uint64_t stop_next(const struct stop *stop) {
        if (stop->phase == STOP_TO_ASK && (stop->deadline_usec == 0 || stop->retry_usec < stop->deadline_usec))
                return stop->retry_usec;
        return stop->phase == STOP_KILLED ? 0 : stop->deadline_usec;
}

void stop_tick(struct stop *stop, const struct launch *launch, uint64_t now_usec) {
        if (stop->phase != STOP_TO_ASK && stop->phase != STOP_ASKED)
                return;
        if (stop->deadline_usec > 0 && now_usec >= stop->deadline_usec) {
                log_notice("%s has not ended in time and is killed", launch->plan->machine);
                stop_kill(stop, launch);
        } else if (stop->phase == STOP_TO_ASK && now_usec >= stop->retry_usec)
                try_to_ask(stop, launch, now_usec);
}
