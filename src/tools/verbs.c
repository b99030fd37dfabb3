/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of spawnctl. */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "console/protocol.h"
#include "isolation/signals.h"
#include "tools/tools.h"

enum { WAIT_STEP_MSEC = 100 };

static const char *phase(const struct state *s) {
        return process_lives(&s->leader) ? "running" : s->leader.pid > 0 ? "ended" : "starting";
}

int tools_find(const char *name, struct state *ret, struct error *error) {
        int r = state_read(name, ret, error);

        if (r < 0)
                return r;
        if (process_lives(&ret->supervisor))
                return 0;
        state_remove(name);
        return error_set(error, ENOENT, "there is no machine %s", name);
}

static int compare_entries(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int run_list(const struct request *q, struct error *error) {
        static const char *const titles[] = { "MACHINE", "CLASS", "STATE", "CONSOLE", "LEADER", "ROOT" };
        struct table table = { .titles = titles, .columns = ELEMENTSOF(titles) };
        struct dirent **entries = NULL;
        int n = scandir(STATE_TOP, &entries, NULL, compare_entries);

        if (n < 0 && errno != ENOENT)
                return error_set(error, errno, "cannot read " STATE_TOP ": %m");
        for (int i = 0; i < n; i++) {
                struct state s;
                if (state_name_is_valid(entries[i]->d_name) && tools_find(entries[i]->d_name, &s, NULL) == 0) {
                        char(*row)[TABLE_CELL] = table_add(&table);
                        if (!row)
                                break;
                        snprintf(row[0], TABLE_CELL, "%s", s.name);
                        snprintf(row[1], TABLE_CELL, "%s", s.class);
                        snprintf(row[2], TABLE_CELL, "%s", phase(&s));
                        snprintf(row[3], TABLE_CELL, "%s", s.console);
                        if (s.leader.pid > 0)
                                snprintf(row[4], TABLE_CELL, "%d", (int) s.leader.pid);
                        snprintf(row[5], TABLE_CELL, "%.*s", TABLE_CELL - 1, s.root);
                }
                free(entries[i]);
        }
        free(entries);
        table_print(&table, q->json, !q->no_legend);
        table_free(&table);
        return 0;
}

static void print_since(uint64_t started) {
        time_t t = (time_t) started;
        char text[64] = "";
        struct tm tm;

        if (localtime_r(&t, &tm))
                strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S %Z", &tm);
        printf("       Since: %s\n", text);
}

static int run_show(const struct request *q, struct error *error) {
        char root[sizeof((struct state *) 0)->root * 4];
        struct state s;
        int r = tools_find(q->name, &s, error);

        if (r < 0)
                return r;
        text_escape(root, sizeof root, s.root);
        if (!q->json) {
                printf("Name=%s\nClass=%s\nState=%s\nConsole=%s\nLeader=%d\nSupervisor=%d\nRootDirectory=%s\n"
                       "Timestamp=%llu\n",
                       s.name, s.class, phase(&s), s.console, (int) s.leader.pid, (int) s.supervisor.pid, root,
                       (unsigned long long) s.started);
                return 0;
        }
        printf("{\"name\":\"%s\",\"class\":\"%s\",\"state\":\"%s\",\"console\":\"%s\",\"leader\":%d,\"supervisor\":%d,"
               "\"started\":%llu,\"root\":",
               s.name, s.class, phase(&s), s.console, (int) s.leader.pid, (int) s.supervisor.pid,
               (unsigned long long) s.started);
        json_string(s.root);
        puts("}");
        return 0;
}

static int run_status(const struct request *q, struct error *error) {
        char root[sizeof((struct state *) 0)->root * 4];
        struct state s;

        if (q->json)
                return run_show(q, error);
        int r = tools_find(q->name, &s, error);
        if (r < 0)
                return r;
        text_escape(root, sizeof root, s.root);
        printf("%s\n       State: %s\n", s.name, phase(&s));
        print_since(s.started);
        printf("      Leader: %d\n  Supervisor: %d\n       Class: %s\n     Console: %s\n        Root: %s\n",
               (int) s.leader.pid, (int) s.supervisor.pid, s.class, s.console, root);
        return 0;
}

/* There is nothing to poll before the machine is there: its directory is looked at ten times a second. */
static int wait_running(const char *name, struct error *error) {
        const struct timespec step = { .tv_nsec = WAIT_STEP_MSEC * 1000 * 1000 };
        struct state s;
        int r;

        while ((r = tools_find(name, &s, error)) == -ENOENT || (r == 0 && !process_lives(&s.leader)))
                nanosleep(&step, NULL);
        return r;
}

static int run_wait(const struct request *q, struct error *error) {
        if (!q->wait_for || text_equal(q->wait_for, "exit"))
                return attach_wait_exit(q->name, error);
        if (text_equal(q->wait_for, "running"))
                return wait_running(q->name, error);
        error_set(error, EINVAL, "--for=%s: no such choice", q->wait_for);
        return error_hint(error, "there are running exit");
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
        { "list", OPERAND_NONE, "", run_list, "the machines that spawnctl can reach" },
        { "status", OPERAND_MACHINE, "NAME", run_status, "what a machine is, for people" },
        { "show", OPERAND_MACHINE, "NAME", run_show, "the same for programs" },
        { "attach", OPERAND_MACHINE, "NAME", attach_run, "come to its console; ^]^]d leaves it" },
        { "exec", OPERAND_WORDS, "NAME [--] COMMAND...", enter_exec, "run a command in it, beside what runs there" },
        { "shell", OPERAND_WORDS, "[USER@]NAME [COMMAND...]", enter_shell,
          "the user's shell, or a command, on a terminal" },
        { "login", OPERAND_MACHINE, "NAME", enter_login, "a login prompt on a terminal" },
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
