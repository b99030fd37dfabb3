/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of spawnctl, and those that are short. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "console/protocol.h"
#include "isolation/signals.h"
#include "tools/tools.h"

enum { WAIT_STEP_MSEC = 1000 };

#define STATE_TOP_PARENT "/run"

int tools_find(const char *name, struct state *ret, struct error *error) {
        int r = state_read(name, ret, error);

        if (r < 0)
                return r;
        if (process_lives(&ret->supervisor))
                return 0;
        state_remove(name);
        return error_set(error, ENOENT, "there is no machine %s", name);
}

/* What changes when a machine comes: its directory in the top one, and its state there. */
static void watch(int fd, const char *name) {
        _cleanup_free_ char *path = text_format(STATE_TOP "/%s", name);

        if (path)
                (void) inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR);
        if (inotify_add_watch(fd, STATE_TOP, IN_CREATE | IN_ONLYDIR) < 0)
                (void) inotify_add_watch(fd, STATE_TOP_PARENT, IN_CREATE | IN_ONLYDIR);
}

/* A machine that is not there yet is waited for as well; one that was, and ends without being ready, is an error. */
static int wait_until(const char *name, bool ready, struct error *error) {
        _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char events[sizeof(struct inotify_event) + NAME_MAX + 1];
        bool was_there = false;
        struct state s;

        if (fd < 0)
                return error_set(error, errno, "cannot wait: %m");
        for (;;) {
                watch(fd, name); /* before the look: nothing is missed */
                int r = tools_find(name, &s, error);
                bool runs = r == 0 && process_lives(&s.leader);
                if (runs && (s.ready || !ready))
                        return 0;
                if (r < 0 && r != -ENOENT)
                        return r;
                if (was_there && r == -ENOENT)
                        return error_set(error, ESRCH, "%s has ended without being ready", name);
                was_there |= r == 0;
                struct pollfd p = { .fd = fd, .events = POLLIN };
                (void) poll(&p, 1, WAIT_STEP_MSEC); /* a supervisor that is killed changes no file */
                while (read(fd, events, sizeof events) > 0)
                        ;
        }
}

static int run_wait(const struct request *q, struct error *error) {
        if (!q->wait_for || text_equal(q->wait_for, "exit"))
                return attach_wait_exit(q->name, error);
        if (text_equal(q->wait_for, "running"))
                return wait_until(q->name, false, error);
        if (text_equal(q->wait_for, "ready"))
                return wait_until(q->name, true, error);
        error_set(error, EINVAL, "--for=%s: no such choice", q->wait_for);
        return error_hint(error, "there are running ready exit");
}

static int run_poweroff(const struct request *q, struct error *error) {
        return tools_command(q->name, COMMAND_POWEROFF, 0, error);
}

static int run_reboot(const struct request *q, struct error *error) {
        return tools_command(q->name, COMMAND_REBOOT, 0, error);
}

static int run_terminate(const struct request *q, struct error *error) {
        return tools_command(q->name, COMMAND_KILL, 0, error);
}

static int run_kill(const struct request *q, struct error *error) {
        int sig = q->signal ? signal_parse(q->signal) : SIGTERM;

        if (sig <= 0)
                return error_set(error, EINVAL, "--signal=%s: no such signal", q->signal);
        return tools_command(q->name, COMMAND_SIGNAL, sig, error);
}

const struct verb verb_table[] = {
        { "list", OPERAND_NONE, "", status_list, "the machines that spawnctl can reach" },
        { "status", OPERAND_MACHINES, "NAME...", status_status, "what a machine is, for people" },
        { "show", OPERAND_MACHINES, "NAME...", status_show, "the same for programs (-p, --value)" },
        { "top", OPERAND_NONE, "", top_run, "what they use: tasks, processors, memory, disks" },
        { "attach", OPERAND_MACHINE, "NAME", attach_run, "come to its console; ^]^]d leaves it" },
        { "exec", OPERAND_WORDS, "NAME [--] COMMAND...", enter_exec, "run a command in it, beside what runs there" },
        { "shell", OPERAND_WORDS, "[USER@]NAME [COMMAND...]", enter_shell,
          "the user's shell, or a command, on a terminal" },
        { "login", OPERAND_MACHINE, "NAME", enter_login, "a login prompt on a terminal" },
        { "log", OPERAND_MACHINE, "NAME", log_run, "what its console has shown (--console-log=)" },
        { "record", OPERAND_PATHS, "NAME FILE", record_run, "record its console, to be played by asciinema" },
        { "copy-to", OPERAND_PATHS, "NAME PATH [PATH]", transfer_copy_to, "copy a file or a directory into it" },
        { "copy-from", OPERAND_PATHS, "NAME PATH [PATH]", transfer_copy_from, "and out of it" },
        { "bind", OPERAND_PATHS, "NAME PATH [PATH]", transfer_bind, "mount a file or directory of the host in it" },
        { "wait", OPERAND_MACHINE, "NAME", run_wait, "wait until it runs or has ended (--for=)" },
        { "poweroff", OPERAND_MACHINE, "NAME", run_poweroff, "ask it to power off" },
        { "reboot", OPERAND_MACHINE, "NAME", run_reboot, "ask it to reboot" },
        { "terminate", OPERAND_MACHINE, "NAME", run_terminate, "kill it with all its processes" },
        { "kill", OPERAND_MACHINE, "NAME", run_kill, "send a signal to its first process (-s)" },
};
const size_t verb_count = ELEMENTSOF(verb_table);
