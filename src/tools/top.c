/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl top: what the machines use, and how much of it just now. */

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/text.h"
#include "tools/tools.h"
#include "tools/usage.h"

enum { ONCE_MSEC = 500, REDRAW_MSEC = 1000 };

#define CLEAR "\033[H\033[J"

struct sample {
        char name[STATE_NAME_MAX + 1];
        struct usage usage;
        uint64_t usec; /* CLOCK_MONOTONIC */
};

struct samples {
        struct sample *list;
        size_t count;
};

static int compare_names(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_sample(struct samples *s, const struct state *state) {
        struct sample *more = realloc(s->list, (s->count + 1) * sizeof *more);
        struct sample *new;

        if (!more)
                return;
        s->list = more;
        new = more + s->count;
        *new = (struct sample){ .usec = clock_usec() };
        snprintf(new->name, sizeof new->name, "%s", state->name);
        s->count += usage_read(state->cgroup, &new->usage) >= 0;
}

static int take_samples(struct samples *ret, struct error *error) {
        struct dirent **entries = NULL;
        int n = scandir(STATE_TOP, &entries, NULL, compare_names);

        *ret = (struct samples){ 0 };
        if (n < 0 && errno != ENOENT)
                return error_set(error, errno, "cannot read " STATE_TOP ": %m");
        for (int i = 0; i < n; i++) {
                struct state state;
                if (state_name_is_valid(entries[i]->d_name) && tools_find(entries[i]->d_name, &state, NULL) == 0 &&
                    *state.cgroup && process_lives(&state.leader))
                        add_sample(ret, &state);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

static const struct sample *find_sample(const struct samples *s, const char *name) {
        for (size_t i = 0; i < s->count; i++)
                if (text_equal(s->list[i].name, name))
                        return s->list + i;
        return NULL;
}

void top_size(char *buffer, size_t size, uint64_t bytes) {
        static const char units[] = "BKMGTPE";
        double value = (double) bytes;
        size_t unit = 0;

        for (; value >= 1024 && unit + 2 < sizeof units; unit++)
                value /= 1024;
        snprintf(buffer, size, unit == 0 ? "%.0f%c" : "%.1f%c", value, units[unit]);
}

/* For people with units, for programs in bytes. */
static void put_size(char *cell, uint64_t bytes, bool json) {
        if (json)
                snprintf(cell, TABLE_CELL, "%llu", (unsigned long long) bytes);
        else
                top_size(cell, TABLE_CELL, bytes);
}

/* How much a second. What ended processes had is missing afterwards (usage.h): less than before counts as nothing. */
static uint64_t rate(uint64_t now, uint64_t before, uint64_t usec) {
        return now <= before || usec == 0 ? 0 : (uint64_t) ((double) (now - before) * 1e6 / (double) usec);
}

static void add_row(struct table *table, const struct sample *now, const struct sample *before, bool json) {
        const struct usage none = now->usage, *old = before ? &before->usage : &none;
        uint64_t usec = before ? now->usec - before->usec : 0;
        char(*row)[TABLE_CELL] = table_add(table);

        if (!row)
                return;
        snprintf(row[0], TABLE_CELL, "%s", now->name);
        snprintf(row[1], TABLE_CELL, "%llu", (unsigned long long) now->usage.tasks);
        snprintf(row[2], TABLE_CELL, "%.1f", (double) rate(now->usage.cpu_usec, old->cpu_usec, usec) / 1e4);
        put_size(row[3], now->usage.memory, json);
        put_size(row[4], rate(now->usage.read, old->read, usec), json);
        put_size(row[5], rate(now->usage.written, old->written, usec), json);
}

static void print_samples(const struct request *q, const struct samples *now, const struct samples *before) {
        static const char *const titles[] = { "MACHINE", "TASKS", "CPU", "MEMORY", "READ", "WRITTEN" };
        struct table table = { .titles = titles, .numbers = 0x3e, .columns = ELEMENTSOF(titles) };

        for (size_t i = 0; i < now->count; i++)
                add_row(&table, now->list + i, find_sample(before, now->list[i].name), q->json);
        table_print(&table, q->json, !q->no_legend);
        table_free(&table);
}

int top_run(const struct request *q, struct error *error) {
        const bool live = !q->json && isatty(STDOUT_FILENO);
        struct samples before = { 0 }, now = { 0 };
        int r = take_samples(&before, error);

        while (r >= 0) {
                (void) poll(NULL, 0, live ? REDRAW_MSEC : ONCE_MSEC);
                r = take_samples(&now, error);
                if (r < 0)
                        break;
                if (live)
                        fputs(CLEAR, stdout);
                print_samples(q, &now, &before);
                free(before.list);
                before = now;
                if (!live)
                        break;
                if (fflush(stdout) != 0)
                        r = error_set(error, EIO, "cannot write to standard output");
        }
        free(before.list);
        return r;
}
