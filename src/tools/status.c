/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What machines there are, and what each of them is: list, status and show. */

#include <dirent.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/text.h"
#include "machined/machined.h"
#include "tools/details.h"
#include "tools/tools.h"
#include "tools/tree.h"

enum { LABEL_WIDTH = 16, COLUMNS_USUAL = 80 };

/* ---- list ---- */

enum column { MACHINE, CLASS, SERVICE, OS, VERSION, ADDRESS, STATE, CONSOLE, LEADER, ROOT };

struct listing {
        struct table table;
        struct process_id *leaders; /* of each row */
};

static void add_row(struct listing *l, const struct state *s, const char *service, const char *state) {
        struct process_id *more = realloc(l->leaders, (l->table.rows + 1) * sizeof *more);
        char(*row)[TABLE_CELL];

        if (!more)
                return;
        l->leaders = more;
        row = table_add(&l->table);
        if (!row)
                return;
        l->leaders[l->table.rows - 1] = s->leader;
        snprintf(row[MACHINE], TABLE_CELL, "%s", s->name);
        snprintf(row[CLASS], TABLE_CELL, "%s", s->class);
        snprintf(row[SERVICE], TABLE_CELL, "%s", service);
        snprintf(row[STATE], TABLE_CELL, "%s", state);
        snprintf(row[CONSOLE], TABLE_CELL, "%s", s->console);
        if (s->leader.pid > 0)
                snprintf(row[LEADER], TABLE_CELL, "%d", (int) s->leader.pid);
        snprintf(row[ROOT], TABLE_CELL, "%.*s", TABLE_CELL - 1, s->root);
}

static bool is_listed(const struct table *table, const char *name) {
        for (size_t i = 0; i < table->rows; i++)
                if (text_equal(table->cells[i][MACHINE], name))
                        return true;
        return false;
}

/* What the host's machined has beside ours. A host without one, or without an answer, has none. */
static void add_machined(struct listing *l) {
        _cleanup_free_ struct machined_machine *list = NULL;
        struct error error = { 0 };
        size_t count = 0;

        if (!machined_bus_present())
                return;
        if (machined_list(&list, &count, &error) == -ETIMEDOUT)
                log_warning("%s", error.text);
        for (size_t i = 0; i < count; i++) {
                struct state s = { .leader = { list[i].leader, process_start(list[i].leader) } };
                if (text_equal(list[i].class, "host") || is_listed(&l->table, list[i].name))
                        continue; /* ".host" is this host itself */
                snprintf(s.name, sizeof s.name, "%s", list[i].name);
                snprintf(s.class, sizeof s.class, "%s", list[i].class);
                snprintf(s.root, sizeof s.root, "%s", list[i].root);
                add_row(l, &s, list[i].service, "running");
        }
}

static int compare_entries(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_ours(struct listing *l, struct error *error) {
        struct dirent **entries = NULL;
        int n = scandir(STATE_TOP, &entries, NULL, compare_entries);

        if (n < 0 && errno != ENOENT)
                return error_set(error, errno, "cannot read " STATE_TOP ": %m");
        for (int i = 0; i < n; i++) {
                struct state s;
                if (state_name_is_valid(entries[i]->d_name) && tools_find(entries[i]->d_name, &s, NULL) == 0)
                        add_row(l, &s, "spawn", details_phase(&s));
                free(entries[i]);
        }
        free((void *) entries);
        return 0;
}

/* For people the first address, and a mark if there are more: as machinectl does. */
static void put_addresses(char *cell, const struct look *look, bool json) {
        size_t used = 0, count = json ? look->address_count : look->address_count > 0;

        for (size_t i = 0; i < count && used < TABLE_CELL; i++)
                used += (size_t) snprintf(cell + used, TABLE_CELL - used, "%s%s", i ? " " : "", look->addresses[i]);
        if (!json && look->address_count > 1)
                snprintf(cell + used, TABLE_CELL - used, "…");
}

static void add_looks(struct listing *l, bool json) {
        _cleanup_free_ struct look *looks = calloc(l->table.rows + 1, sizeof *looks);

        if (!looks)
                return;
        look_at(l->leaders, l->table.rows, looks);
        for (size_t i = 0; i < l->table.rows; i++) {
                char(*row)[TABLE_CELL] = l->table.cells[i];
                snprintf(row[OS], TABLE_CELL, "%s", looks[i].os.id);
                snprintf(row[VERSION], TABLE_CELL, "%s", looks[i].os.version);
                put_addresses(row[ADDRESS], looks + i, json);
        }
}

int status_list(const struct request *q, struct error *error) {
        static const char *const titles[] = { "MACHINE",   "CLASS", "SERVICE", "OS",     "VERSION",
                                              "ADDRESSES", "STATE", "CONSOLE", "LEADER", "ROOT" };
        struct listing l = {
                .table = { .titles = titles, .numbers = 1U << LEADER, .columns = ELEMENTSOF(titles), .shown = LEADER }
        };
        int r = add_ours(&l, error);

        if (r >= 0) {
                add_machined(&l);
                add_looks(&l, q->json);
                table_print(&l.table, q->json, !q->no_legend);
        }
        free(l.leaders);
        table_free(&l.table);
        return r;
}

/* ---- one or more ---- */

static bool machined_knows(const char *name) {
        _cleanup_free_ struct machined_machine *list = NULL;
        size_t count = 0;

        if (!machined_bus_present() || machined_list(&list, &count, NULL) < 0)
                return false;
        for (size_t i = 0; i < count; i++)
                if (text_equal(list[i].name, name))
                        return true;
        return false;
}

static int find(const char *name, struct details *ret, struct error *error) {
        struct state s;
        int r = tools_find(name, &s, error);

        if (r == -ENOENT && machined_knows(name))
                return error_set(error, ENOENT, "the machine %s is systemd-machined's: machinectl status %s shows it",
                                 name, name);
        if (r >= 0)
                details_gather(&s, ret);
        return r;
}

/* One that is missing does not keep the others from being shown. */
static int for_each(const struct request *q, void (*print)(const struct request *q, const struct details *d),
                    struct error *error) {
        bool any = false;
        int result = 0;

        for (size_t i = 0; i < q->names.count; i++) {
                struct error e = { 0 };
                struct details d = { 0 };
                int r = find(q->names.items[i], &d, &e);
                if (r >= 0 && q->json)
                        details_print_json(&d);
                else if (r >= 0) {
                        if (any)
                                putchar('\n');
                        print(q, &d);
                        any = true;
                } else {
                        if (result < 0)
                                error_print(error);
                        *error = e;
                        result = r;
                }
        }
        return result;
}

static void show(const struct request *q, const struct details *d) {
        details_print(d, &q->properties, q->value);
}

int status_show(const struct request *q, struct error *error) {
        return for_each(q, show, error);
}

/* ---- for people ---- */

/* The terminal's width; 0 where there is none to cut lines for. */
static size_t width(void) {
        const char *text = getenv("COLUMNS");
        struct winsize size;
        uint64_t n;

        if (!isatty(STDOUT_FILENO))
                return 0;
        if (text && parse_unsigned(text, 1, 10000, &n) == 0)
                return (size_t) n;
        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS_USUAL;
}

static void put(const char *label, const char *value) {
        char escaped[4 * sizeof((struct state *) 0)->root];

        text_escape(escaped, sizeof escaped, value);
        if (*escaped)
                printf("%*s: %s\n", LABEL_WIDTH, label, escaped);
}

static void put_process(const char *label, uint64_t pid, const char *name) {
        if (pid > 0)
                printf("%*s: %llu%s%s%s\n", LABEL_WIDTH, label, (unsigned long long) pid, *name ? " (" : "", name,
                       *name ? ")" : "");
}

static void put_addresses_below(const struct look *look) {
        for (size_t i = 0; i < look->address_count; i++)
                printf("%*s%c %s\n", LABEL_WIDTH, i ? "" : "Address", i ? ' ' : ':', look->addresses[i]);
        if (look->addresses_left_out > 0)
                printf("%*s  and %u more\n", LABEL_WIDTH, "", look->addresses_left_out);
}

static void put_usage(const struct details *d) {
        char memory[32];

        if (d->tasks == UINT64_MAX)
                return;
        top_size(memory, sizeof memory, d->memory);
        printf("%*s: %llu\n%*s: %s\n%*s: %.3fs\n", LABEL_WIDTH, "Tasks", (unsigned long long) d->tasks, LABEL_WIDTH,
               "Memory", memory, LABEL_WIDTH, "CPU", (double) d->cpu_nsec / 1e9);
}

static void put_group(const struct details *d) {
        const struct tree_options options = { .utf8 = text_equal(nl_langinfo(CODESET), "UTF-8"),
                                              .columns = width(),
                                              .indent = LABEL_WIDTH + 2 };

        put("Group", d->state.cgroup);
        if (*d->state.cgroup && process_lives(&d->state.leader)) {
                (void) fflush(stdout);
                (void) tree_show(d->state.cgroup, &options);
        }
}

static void print_status(const struct request *q, const struct details *d) {
        char ago[DETAILS_AGO_SIZE];

        (void) q;
        details_ago(d->state.started, (uint64_t) time(NULL), ago);
        printf("%s%s%s%s\n", d->state.name, *d->state.id ? "(" : "", d->state.id, *d->state.id ? ")" : "");
        printf("%*s: %s%s%s\n", LABEL_WIDTH, "Since", d->timestamp, *ago ? "; " : "", ago);
        put_process("Leader", d->leader, d->leader_name);
        put_process("Supervisor", d->supervisor, d->supervisor_name);
        printf("%*s: %s; class %s\n", LABEL_WIDTH, "Service", d->service, d->state.class);
        printf("%*s: %s%s\n", LABEL_WIDTH, "State", d->phase, d->state.ready ? ", ready" : "");
        put("Console", d->state.console);
        put("Root", d->state.root);
        put_addresses_below(&d->look);
        put("OS", d->look.os.pretty);
        put_usage(d);
        put("Unit", d->state.unit);
        put_group(d);
}

int status_status(const struct request *q, struct error *error) {
        (void) setlocale(LC_CTYPE, "");
        return for_each(q, print_status, error);
}
