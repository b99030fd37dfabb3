/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/text.h"
#include "tools/apart.h"

enum {
        TREE_MSEC = 3000,
        TREE_BYTES = 2 * 1024 * 1024,
        PROCESSES_LIMIT = 4 * 1024 * 1024, /* bytes of cgroup.procs */
        COMMAND_SIZE = 512,                /* bytes of a command line, before they are escaped */
        LINE_SIZE = 1024,
        PREFIX_SIZE = 160,
};

struct strokes {
        const char *branch, *last, *bar, *gap, *more;
};
static const struct strokes unicode = { "├─", "└─", "│ ", "  ", "…" }, ascii = { "|-", "`-", "| ", "  ", "..." };

struct tree {
        FILE *out;
        const struct strokes *strokes;
        size_t columns, lines;
};

/* ---- width ---- */

/* How many columns the character at TEXT takes, of N bytes of well-formed UTF-8. */
static size_t width_of(const char *text, size_t n) {
        static const unsigned char first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
        wchar_t c = (wchar_t) ((unsigned char) *text & first[n]);

        for (size_t i = 1; i < n; i++)
                c = c << 6 | ((unsigned char) text[i] & 0x3f);
        int width = wcwidth(c);
        return width < 0 ? 1 : (size_t) width;
}

static size_t length_of(const char *text) {
        size_t n = text_utf8_length(text);

        return n > 0 ? n : 1;
}

static size_t width_of_text(const char *text) {
        size_t width = 0;

        for (; *text; text += length_of(text))
                width += width_of(text, length_of(text));
        return width;
}

size_t tree_cut(const char *text, size_t columns, const char *mark) {
        size_t reserve = width_of_text(mark), used = 0, n = 0;

        if (columns == 0 || width_of_text(text) <= columns)
                return strlen(text);
        while (used + width_of(text + n, length_of(text + n)) + reserve <= columns) {
                used += width_of(text + n, length_of(text + n));
                n += length_of(text + n);
        }
        return n;
}

/* ---- what is in a group ---- */

struct content {
        pid_t *processes;
        char **groups;
        size_t process_count, group_count; /* of these two */
        size_t left_out;
};

static void content_free(struct content *c) {
        for (size_t i = 0; i < c->group_count; i++)
                free(c->groups[i]);
        free((void *) c->groups);
        free(c->processes);
}

static int compare_processes(const void *a, const void *b) {
        const pid_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int compare_groups(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Those of other PID namespaces are 0 (cgroup-v2.rst). */
static void read_processes(int group, struct content *c) {
        _cleanup_close_ int fd = openat(group, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        char *end;

        if (fd < 0 || fd_read_file(fd, PROCESSES_LIMIT, &text, NULL) < 0)
                return;
        for (char *p = text; *p; p = end + strspn(end, "\n")) {
                long pid = strtol(p, &end, 10);
                if (end == p)
                        return;
                if (pid > 0 && c->process_count < TREE_ENTRIES)
                        c->processes[c->process_count++] = (pid_t) pid;
                else
                        c->left_out += pid > 0;
        }
}

static void read_groups(int group, struct content *c) {
        int fd = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        while (d && (e = readdir(d))) {
                if (e->d_type != DT_DIR || text_equal(e->d_name, ".") || text_equal(e->d_name, ".."))
                        continue;
                char *name = c->group_count < TREE_ENTRIES ? strdup(e->d_name) : NULL;
                if (name)
                        c->groups[c->group_count++] = name;
                else
                        c->left_out++;
        }
        if (d)
                closedir(d);
        else
                fd_close(fd);
}

static int read_content(int group, struct content *ret) {
        *ret = (struct content){ .processes = calloc(TREE_ENTRIES, sizeof *ret->processes),
                                 .groups = (char **) calloc(TREE_ENTRIES, sizeof *ret->groups) };
        if (!ret->processes || !ret->groups)
                return -ENOMEM;
        read_processes(group, ret);
        read_groups(group, ret);
        qsort(ret->processes, ret->process_count, sizeof *ret->processes, compare_processes);
        qsort((void *) ret->groups, ret->group_count, sizeof *ret->groups, compare_groups);
        return 0;
}

/* ---- lines ---- */

static void print_line(struct tree *t, const char *prefix, const char *stroke, const char *text) {
        char line[PREFIX_SIZE + LINE_SIZE + 16];

        snprintf(line, sizeof line, "%s%s%s", prefix, stroke, text);
        size_t n = tree_cut(line, t->columns, t->strokes->more);
        fprintf(t->out, "%.*s%s\n", (int) n, line, line[n] ? t->strokes->more : "");
        t->lines++;
}

/* At most SIZE bytes of FILE of process PID; returns how many. */
static size_t read_process(pid_t pid, const char *file, char *buffer, size_t size) {
        char path[64];

        snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, file);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buffer, size);
        return n < 0 ? 0 : (size_t) n;
}

/* The words of its command line; a process without, as a zombie, has its name in brackets (proc_pid_cmdline(5)). */
static void describe(pid_t pid, int width, char ret[static LINE_SIZE]) {
        char text[COMMAND_SIZE + 1];
        size_t n = read_process(pid, "cmdline", text, COMMAND_SIZE);
        size_t used = (size_t) snprintf(ret, LINE_SIZE, "%*d ", width, (int) pid);

        while (n > 0 && !text[n - 1])
                n--;
        for (size_t i = 0; i < n; i++)
                if (!text[i])
                        text[i] = ' ';
        text[n] = 0;
        if (n > 0) {
                text_escape(ret + used, LINE_SIZE - used, text);
                return;
        }
        n = read_process(pid, "comm", text, COMMAND_SIZE);
        text[n > 0 ? n - 1 : 0] = 0;
        ret[used++] = '[';
        used += text_escape(ret + used, LINE_SIZE - used - 1, text);
        memcpy(ret + used, "]", 2);
}

static void print_group(struct tree *t, int group, const char *prefix, unsigned depth);

static void print_below(struct tree *t, int group, const char *name, const char *prefix, bool last, unsigned depth) {
        _cleanup_close_ int below = openat(group, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        char longer[PREFIX_SIZE], text[LINE_SIZE];

        text_escape(text, sizeof text, name);
        print_line(t, prefix, last ? t->strokes->last : t->strokes->branch, text);
        snprintf(longer, sizeof longer, "%s%s", prefix, last ? t->strokes->gap : t->strokes->bar);
        if (below >= 0)
                print_group(t, below, longer, depth + 1);
}

static void print_more(struct tree *t, const char *prefix, size_t count) {
        char text[64];

        snprintf(text, sizeof text, "%s and %zu more", t->strokes->more, count);
        print_line(t, prefix, t->strokes->last, text);
}

static int width_of_numbers(const struct content *c) {
        /* They are sorted. */
        return c->process_count == 0 ? 0 : snprintf(NULL, 0, "%d", (int) c->processes[c->process_count - 1]);
}

/* Its processes, then the groups below. */
static void print_content(struct tree *t, int group, const struct content *c, const char *prefix, unsigned depth) {
        size_t count = c->process_count + c->group_count;
        char text[LINE_SIZE];

        for (size_t i = 0; i < count; i++) {
                bool last = i + 1 == count && c->left_out == 0;
                if (t->lines >= TREE_LINES || depth >= TREE_DEPTH) {
                        print_more(t, prefix, count - i + c->left_out);
                        return;
                }
                if (i < c->process_count) {
                        describe(c->processes[i], width_of_numbers(c), text);
                        print_line(t, prefix, last ? t->strokes->last : t->strokes->branch, text);
                } else
                        print_below(t, group, c->groups[i - c->process_count], prefix, last, depth);
        }
        if (c->left_out > 0)
                print_more(t, prefix, c->left_out);
}

static void print_group(struct tree *t, int group, const char *prefix, unsigned depth) {
        _cleanup_(content_free) struct content c = { 0 };

        if (read_content(group, &c) >= 0)
                print_content(t, group, &c, prefix, depth);
}

void tree_print(FILE *out, int group, const struct tree_options *options) {
        struct tree t = { .out = out, .strokes = options->utf8 ? &unicode : &ascii, .columns = options->columns };
        char prefix[PREFIX_SIZE];

        snprintf(prefix, sizeof prefix, "%*s", (int) options->indent, "");
        print_group(&t, group, prefix, 0);
}

/* ---- apart ---- */

struct work {
        int group;
        const struct tree_options *options;
};

static void print_apart(int fd, void *userdata) {
        const struct work *w = userdata;
        FILE *out = fdopen(fd, "w");

        if (!out)
                return;
        setvbuf(out, NULL, _IOLBF, 0); /* what is known when it has to wait is shown */
        tree_print(out, w->group, w->options);
        (void) fflush(out);
}

int tree_show(const char *path, const struct tree_options *options) {
        _cleanup_close_ int group = cgroup_open(path);
        struct work w = { group, options };
        _cleanup_free_ char *text = malloc(TREE_BYTES);
        struct apart apart;
        size_t size;

        if (group < 0 || !text)
                return group < 0 ? group : -ENOMEM;
        int r = apart_start(print_apart, &w, &apart);
        if (r < 0)
                return r;
        r = apart_read(&apart, text, TREE_BYTES, TREE_MSEC, &size);
        apart_end(&apart);
        fwrite(text, 1, size, stdout);
        if (r != -EPIPE) /* that is its end */
                printf("%*s%s\n", (int) options->indent, "", options->utf8 ? unicode.more : ascii.more);
        return 0;
}
