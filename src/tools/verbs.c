/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of spawnctl. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/text.h"
#include "console/protocol.h"
#include "isolation/signals.h"
#include "machined/machined.h"
#include "tools/tools.h"
#include "tools/usage.h"

enum { WAIT_STEP_MSEC = 1000 };

#define STATE_TOP_PARENT "/run"

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

static void add_row(struct table *table, const struct state *s, const char *service, const char *state) {
        char(*row)[TABLE_CELL] = table_add(table);

        if (!row)
                return;
        snprintf(row[0], TABLE_CELL, "%s", s->name);
        snprintf(row[1], TABLE_CELL, "%s", s->class);
        snprintf(row[2], TABLE_CELL, "%s", service);
        snprintf(row[3], TABLE_CELL, "%s", state);
        snprintf(row[4], TABLE_CELL, "%s", s->console);
        if (s->leader.pid > 0)
                snprintf(row[5], TABLE_CELL, "%d", (int) s->leader.pid);
        snprintf(row[6], TABLE_CELL, "%.*s", TABLE_CELL - 1, s->root);
}

static bool is_listed(const struct table *table, const char *name) {
        for (size_t i = 0; i < table->rows; i++)
                if (text_equal(table->cells[i][0], name))
                        return true;
        return false;
}

/* What the host's machined has beside ours. A host without one, or without an answer, has none. */
static void add_machined(struct table *table) {
        _cleanup_free_ struct machined_machine *list = NULL;
        struct error error = { 0 };
        size_t count = 0;

        if (!machined_bus_present())
                return;
        if (machined_list(&list, &count, &error) == -ETIMEDOUT)
                log_warning("%s", error.text);
        for (size_t i = 0; i < count; i++) {
                struct state s = { .leader = { list[i].leader, 0 } };
                if (text_equal(list[i].class, "host") || is_listed(table, list[i].name))
                        continue; /* ".host" is this host itself */
                snprintf(s.name, sizeof s.name, "%s", list[i].name);
                snprintf(s.class, sizeof s.class, "%s", list[i].class);
                snprintf(s.root, sizeof s.root, "%s", list[i].root);
                add_row(table, &s, list[i].service, "running");
        }
}

static int run_list(const struct request *q, struct error *error) {
        static const char *const titles[] = { "MACHINE", "CLASS", "SERVICE", "STATE", "CONSOLE", "LEADER", "ROOT" };
        struct table table = { .titles = titles, .numbers = 1U << 5, .columns = ELEMENTSOF(titles) };
        struct dirent **entries = NULL;
        int n = scandir(STATE_TOP, &entries, NULL, compare_entries);

        if (n < 0 && errno != ENOENT)
                return error_set(error, errno, "cannot read " STATE_TOP ": %m");
        for (int i = 0; i < n; i++) {
                struct state s;
                if (state_name_is_valid(entries[i]->d_name) && tools_find(entries[i]->d_name, &s, NULL) == 0)
                        add_row(&table, &s, "spawn", phase(&s));
                free(entries[i]);
        }
        free(entries);
        add_machined(&table);
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
                printf("Name=%s\nClass=%s\nState=%s\nReady=%s\nConsole=%s\nLeader=%d\nSupervisor=%d\nRootDirectory=%"
                       "s\n"
                       "Timestamp=%llu\n",
                       s.name, s.class, phase(&s), s.ready ? "yes" : "no", s.console, (int) s.leader.pid,
                       (int) s.supervisor.pid, root, (unsigned long long) s.started);
                return 0;
        }
        printf("{\"name\":\"%s\",\"class\":\"%s\",\"state\":\"%s\",\"ready\":%s,\"console\":\"%s\",\"leader\":%d,"
               "\"supervisor\":%d,"
               "\"started\":%llu,\"root\":",
               s.name, s.class, phase(&s), s.ready ? "true" : "false", s.console, (int) s.leader.pid,
               (int) s.supervisor.pid, (unsigned long long) s.started);
        json_string(s.root);
        puts("}");
        return 0;
}

static void print_usage(const char *cgroup) {
        struct usage u;
        char memory[32];

        if (!*cgroup || usage_read(cgroup, &u) < 0)
                return;
        top_size(memory, sizeof memory, u.memory);
        printf("       Tasks: %llu\n      Memory: %s\n         CPU: %.3fs\n", (unsigned long long) u.tasks, memory,
               (double) u.cpu_usec / 1e6);
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
        printf("%s\n       State: %s%s\n", s.name, phase(&s), s.ready ? ", ready" : "");
        print_since(s.started);
        print_usage(s.cgroup);
        printf("      Leader: %d\n  Supervisor: %d\n       Class: %s\n     Console: %s\n        Root: %s\n",
               (int) s.leader.pid, (int) s.supervisor.pid, s.class, s.console, root);
        return 0;
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
        { "list", OPERAND_NONE, "", run_list, "the machines that spawnctl can reach" },
        { "status", OPERAND_MACHINE, "NAME", run_status, "what a machine is, for people" },
        { "show", OPERAND_MACHINE, "NAME", run_show, "the same for programs" },
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
