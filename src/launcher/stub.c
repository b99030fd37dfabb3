/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PID 1 of --as-pid2: reaps what is orphaned, takes the orderly signals, ends with the payload's status. */

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/syscalls.h"
#include "launcher/child.h"

enum { STUB_GRACE_SECONDS = 90 };

/* What a signal asks for: the same numbers as systemd's PID 1 understands (systemd(1), SIGNALS). */
static int reboot_command(int sig) {
        if (sig == SIGRTMIN + 3 || sig == SIGRTMIN + 4 || sig == SIGRTMIN + 13 || sig == SIGRTMIN + 14)
                return RB_POWER_OFF;
        if (sig == SIGINT || sig == SIGRTMIN + 5 || sig == SIGRTMIN + 6 || sig == SIGRTMIN + 15 ||
            sig == SIGRTMIN + 16)
                return RB_AUTOBOOT;
        return 0;
}

/* Reaps everything that has ended. Returns true with *RET_STATUS once PAYLOAD is among it. */
static bool reap(pid_t payload, int *ret_status) {
        bool ended = false;
        pid_t pid;
        int status;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == payload) {
                        *ret_status = status;
                        ended = true;
                }
        return ended;
}

static void ask_to_end(pid_t payload) {
        kill(payload, SIGTERM);
        kill(payload, SIGCONT);
        kill(payload, SIGHUP);
}

/* PID 1's own descriptors would keep files of the caller open for as long as the container runs. */
static void let_go_of_everything(void) {
        (void) prctl(PR_SET_NAME, "spawn-stub");
        if (setsid() < 0) {
                /* A session leader already. */
        }
        if (sys_close_range(0, ~0U, 0) < 0)
                for (int fd = 0; fd < 1024; fd++)
                        close(fd);
}

static _Noreturn void stub_run(pid_t payload) {
        sigset_t all;
        time_t deadline = 0;
        int command = 0, status = 0;

        let_go_of_everything();
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        while (!reap(payload, &status)) {
                struct timespec wait = { .tv_sec = 1 };
                int sig = command ? sigtimedwait(&all, NULL, &wait) : sigwaitinfo(&all, NULL);
                if (command && time(NULL) >= deadline)
                        break;
                if (sig < 0 || command || sig == SIGCHLD)
                        continue;
                /* SIGTERM and SIGHUP are for the payload: PID 1 only passes them on. */
                if (sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT || sig == SIGUSR1 || sig == SIGUSR2) {
                        kill(payload, sig);
                        continue;
                }
                /* spawn has been stopped as a job, or goes on. */
                if (sig == SIGTSTP || sig == SIGCONT) {
                        kill(-payload, sig == SIGTSTP ? SIGSTOP : SIGCONT);
                        continue;
                }
                command = reboot_command(sig);
                if (command) {
                        deadline = time(NULL) + STUB_GRACE_SECONDS;
                        ask_to_end(payload);
                }
        }
        if (command)
                (void) reboot(command);
        _exit(WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status));
}

int stub_split(struct error *error) {
        pid_t payload = fork();

        if (payload < 0)
                return error_set(error, errno, "cannot fork the payload from PID 1: %m");
        if (payload > 0)
                stub_run(payload);
        /* The console can be taken only by a session leader, and PID 1 led the session. */
        if (setsid() < 0)
                return error_set(error, errno, "cannot start a session: %m");
        return 0;
}
