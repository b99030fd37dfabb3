/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/details.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "basic/fd.h"
#include "tools/tools.h"
#include "tools/usage.h"

const char *details_phase(const struct state *state) {
        return process_lives(&state->leader) ? "running" : state->leader.pid > 0 ? "ended" : "starting";
}

/* The payload chooses that of its processes (PR_SET_NAME(2const)): up to 15 bytes, of any kind. */
static void read_name(const struct process_id *p, char *ret, size_t size) {
        char path[32], text[32];

        snprintf(path, sizeof path, "/proc/%d/comm", (int) p->pid);
        _cleanup_close_ int fd = p->pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        if (n <= 0 || !process_lives(p))
                return;
        text[n - 1] = 0; /* the newline */
        text_escape(ret, size, text);
}

static void read_usage(struct details *d) {
        struct usage u;

        d->tasks = d->memory = d->cpu_nsec = UINT64_MAX;
        if (!*d->state.cgroup || usage_read(d->state.cgroup, &u) < 0)
                return;
        d->tasks = u.tasks;
        d->memory = u.memory;
        d->cpu_nsec = u.cpu_usec * 1000;
}

void details_gather(const struct state *state, struct details *ret) {
        time_t t = (time_t) state->started;
        struct tm tm;

        *ret = (struct details){ .state = *state,
                                 .service = "spawn",
                                 .leader = (uint64_t) state->leader.pid,
                                 .supervisor = (uint64_t) state->supervisor.pid };
        snprintf(ret->phase, sizeof ret->phase, "%s", details_phase(state));
        if (state->started > 0 && localtime_r(&t, &tm))
                strftime(ret->timestamp, sizeof ret->timestamp, "%a %Y-%m-%d %H:%M:%S %Z", &tm);
        read_name(&state->leader, ret->leader_name, sizeof ret->leader_name);
        read_name(&state->supervisor, ret->supervisor_name, sizeof ret->supervisor_name);
        read_usage(ret);
        look_at(&state->leader, 1, &ret->look);
}

/* The two largest units. */
void details_ago(uint64_t then, uint64_t now, char ret[static DETAILS_AGO_SIZE]) {
        static const struct {
                uint64_t seconds;
                const char *name;
        } units[] = { { 31557600, "y" }, { 604800, "w" }, { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
        uint64_t left = now - then;
        size_t used = 0;
        int parts = 0;

        *ret = 0;
        if (then == 0 || then > now)
                return;
        for (size_t i = 0; i < ELEMENTSOF(units) && parts < 2; i++) {
                uint64_t n = left / units[i].seconds;
                left %= units[i].seconds;
                if (parts > 0 || n > 0 || units[i].seconds == 1)
                        parts++;
                if (n > 0 || (parts == 1 && units[i].seconds == 1))
                        used += (size_t) snprintf(ret + used, DETAILS_AGO_SIZE - used, "%llu%s ",
                                                  (unsigned long long) n, units[i].name);
        }
        snprintf(ret + used, DETAILS_AGO_SIZE - used, "ago");
}

/* ---- properties ---- */

/* TEXT: an array of char; NUMBER: uint64_t; YES_NO: bool; ADDRESSES: of the look. */
enum property_kind { TEXT, NUMBER, YES_NO, ADDRESSES };

#define AT(field) offsetof(struct details, field)

/* NAME for lines, KEY for JSON. */
static const struct property {
        const char *name, *key;
        enum property_kind kind;
        size_t offset;
} properties[] = {
        /* machinectl's */
        { "Name", "name", TEXT, AT(state.name) },
        { "Id", "id", TEXT, AT(state.id) },
        { "Timestamp", "timestamp", TEXT, AT(timestamp) },
        { "TimestampMonotonic", "timestamp_monotonic", NUMBER, AT(state.monotonic) },
        { "Service", "service", TEXT, AT(service) },
        { "Unit", "unit", TEXT, AT(state.unit) },
        { "Leader", "leader", NUMBER, AT(leader) },
        { "Class", "class", TEXT, AT(state.class) },
        { "RootDirectory", "root", TEXT, AT(state.root) },
        { "State", "state", TEXT, AT(phase) },
        /* ours */
        { "Ready", "ready", YES_NO, AT(state.ready) },
        { "Console", "console", TEXT, AT(state.console) },
        { "ConsoleLog", "log", TEXT, AT(state.log) },
        { "Supervisor", "supervisor", NUMBER, AT(supervisor) },
        { "Started", "started", NUMBER, AT(state.started) },
        { "ControlGroup", "cgroup", TEXT, AT(state.cgroup) },
        { "OS", "os", TEXT, AT(look.os.pretty) },
        { "OSId", "os_id", TEXT, AT(look.os.id) },
        { "OSVersion", "os_version", TEXT, AT(look.os.version) },
        { "Addresses", "addresses", ADDRESSES, AT(look) },
        { "TasksCurrent", "tasks", NUMBER, AT(tasks) },
        { "MemoryCurrent", "memory", NUMBER, AT(memory) },
        { "CPUUsageNSec", "cpu_nsec", NUMBER, AT(cpu_nsec) },
};

const char *details_property(size_t i) {
        return i < ELEMENTSOF(properties) ? properties[i].name : NULL;
}

enum { VALUE_SIZE = 4 * sizeof((struct state *) 0)->root };

/* As a line has it; empty for none. */
static void format_value(const struct details *d, const struct property *p, char ret[static VALUE_SIZE]) {
        const void *field = (const char *) d + p->offset;
        const struct look *look = field;
        size_t used = 0;

        *ret = 0;
        switch (p->kind) {
        case TEXT:
                text_escape(ret, VALUE_SIZE, field);
                break;
        case NUMBER:
                if (*(const uint64_t *) field != UINT64_MAX)
                        snprintf(ret, VALUE_SIZE, "%llu", (unsigned long long) *(const uint64_t *) field);
                break;
        case YES_NO:
                snprintf(ret, VALUE_SIZE, "%s", *(const bool *) field ? "yes" : "no");
                break;
        case ADDRESSES:
                for (size_t i = 0; i < look->address_count; i++)
                        used += (size_t) snprintf(ret + used, VALUE_SIZE - used, "%s%s", i ? " " : "",
                                                  look->addresses[i]);
                break;
        }
}

/* "-p A,B" and "-p A -p B" are the same. */
static bool is_wanted(const struct strv *wanted, const char *name) {
        size_t n = strlen(name);

        for (size_t i = 0; i < wanted->count; i++)
                for (const char *p = wanted->items[i]; *p; p += strcspn(p, ","), p += *p == ',')
                        if (strcspn(p, ",") == n && strncmp(p, name, n) == 0)
                                return true;
        return wanted->count == 0;
}

void details_print(const struct details *d, const struct strv *wanted, bool values_only) {
        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                char value[VALUE_SIZE];
                format_value(d, properties + i, value);
                if (!*value || !is_wanted(wanted, properties[i].name))
                        continue;
                if (values_only)
                        puts(value);
                else
                        printf("%s=%s\n", properties[i].name, value);
        }
}

static void print_addresses_json(const struct look *look) {
        putchar('[');
        for (size_t i = 0; i < look->address_count; i++)
                printf("%s\"%s\"", i ? "," : "", look->addresses[i]);
        putchar(']');
}

void details_print_json(const struct details *d) {
        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                const struct property *p = properties + i;
                const void *field = (const char *) d + p->offset;
                char value[VALUE_SIZE];
                printf("%s\"%s\":", i ? "," : "{", p->key);
                if (p->kind == TEXT)
                        json_string(field);
                else if (p->kind == NUMBER) {
                        format_value(d, p, value);
                        printf("%s", *value ? value : "null");
                } else if (p->kind == YES_NO)
                        printf("%s", *(const bool *) field ? "true" : "false");
                else
                        print_addresses_json(field);
        }
        puts("}");
}
