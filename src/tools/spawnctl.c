/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl: what can be done to containers that spawn has started. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/text.h"
#include "tools/tools.h"

/* The options, for all verbs that know them. OFFSET is the field of struct request. */
static const struct {
        char letter;
        const char *name, *metavar; /* NULL: it takes no argument */
        size_t offset;
        const char *verbs; /* separated by spaces */
        const char *help;
        bool repeatable; /* the field is a list */
} options[] = {
        { 'j', "json", NULL, offsetof(struct request, json), "list status show", "print JSON", false },
        { 0, "no-legend", NULL, offsetof(struct request, no_legend), "list", "leave head and foot away", false },
        { 'r', "read-only", NULL, offsetof(struct request, read_only), "attach", "only look", false },
        { 0, "take", NULL, offsetof(struct request, take), "attach", "type instead of whoever does", false },
        { 0, "share", NULL, offsetof(struct request, share), "attach", "type beside whoever does", false },
        { 0, "escape", "KEY", offsetof(struct request, escape), "attach exec shell login",
          "the escape key (^]) or none", false },
        { 0, "for", "STATE", offsetof(struct request, wait_for), "wait", "running or exit (the default)", false },
        { 's', "signal", "SIGNAL", offsetof(struct request, signal), "kill", "which one (SIGTERM)", false },
        { 't', "tty", NULL, offsetof(struct request, tty), "exec", "on a terminal of its own", false },
        { 'u', "uid", "USER", offsetof(struct request, user), "exec shell", "as this user of the container", false },
        { 0, "chdir", "PATH", offsetof(struct request, chdir), "exec shell", "the working directory", false },
        { 'E', "setenv", "NAME=VALUE", offsetof(struct request, environment), "exec shell", "one more variable",
          true },
};

static int print_help(void) {
        puts("spawnctl VERB [OPTIONS...] [NAME]\n\nFor containers that spawn runs with --detach or "
             "--detachable.\n\nVerbs:");
        for (size_t i = 0; i < verb_count; i++) {
                char left[64];
                snprintf(left, sizeof left, "%s %s", verb_table[i].name, verb_table[i].synopsis);
                printf("  %-24s %s\n", left, verb_table[i].help);
        }
        puts("\nOptions:");
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                char left[64];
                snprintf(left, sizeof left, "%c%c --%s%s%s", options[i].letter ? '-' : ' ',
                         options[i].letter ? options[i].letter : ' ', options[i].name, options[i].metavar ? "=" : "",
                         options[i].metavar ? options[i].metavar : "");
                printf("  %-24s %s: %s\n", left, options[i].verbs, options[i].help);
        }
        puts("  -h --help                show this help\n     --version             show the version\n\nSee "
             "spawnctl(1).");
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}

/* Sets option I. VALUE is NULL where none was given. Returns 0 or -ENOMEM. */
static int set(struct request *q, size_t i, const char *value) {
        char *field = (char *) q + options[i].offset;

        if (options[i].repeatable)
                return strv_add((struct strv *) (void *) field, value);
        if (options[i].metavar)
                *(const char **) (void *) field = value;
        else
                *(bool *) (void *) field = true;
        return 0;
}

/* Is VERB in the list VERBS? */
static bool is_for(const char *verbs, const char *verb) {
        size_t n = strlen(verb);

        for (const char *p = verbs; (p = strstr(p, verb)); p += n)
                if ((p == verbs || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
                        return true;
        return false;
}

/* The option of GIVEN (a bit for each row) that VERB does not know. */
static int check_options(unsigned given, const struct verb *verb, struct error *error) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (given & (1U << i) && !is_for(options[i].verbs, verb->name)) {
                        error_set(error, EINVAL, "--%s is not for %s", options[i].name, verb->name);
                        return error_hint(error, "it is for: %s", options[i].verbs);
                }
        return 0;
}

/* Finds WORD ("--name", "--name=value" or "-x") in the table. Returns its row, *RET_VALUE behind the "=" or NULL. */
static int find_option(const char *word, const char **ret_value) {
        const char *equals = strchr(word, '=');
        size_t n = equals ? (size_t) (equals - word) : strlen(word);

        *ret_value = equals ? equals + 1 : NULL;
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if ((word[1] == '-' && n == strlen(options[i].name) + 2 &&
                     strncmp(word + 2, options[i].name, n - 2) == 0) ||
                    (word[1] != '-' && word[1] == options[i].letter && !word[2]))
                        return (int) i;
        return -ENOENT;
}

/* One option at ARGV[I]. Returns how many words it took, or a negative errno. */
static int parse_option(struct request *q, char *argv[], int i, unsigned *given, struct error *error) {
        const char *value;
        int o = find_option(argv[i], &value);

        if (o < 0) {
                error_set(error, EINVAL, "unknown option %s", argv[i]);
                return error_hint(error, "--help lists the options");
        }
        if (!options[o].metavar && value)
                return error_set(error, EINVAL, "--%s takes no argument", options[o].name);
        if (options[o].metavar && !value && !argv[i + 1])
                return error_set(error, EINVAL, "--%s needs an argument", options[o].name);
        if (set(q, (size_t) o, options[o].metavar && !value ? argv[i + 1] : value) < 0)
                return error_memory(error);
        *given |= 1U << o;
        return options[o].metavar && !value ? 2 : 1;
}

static const struct verb *find_verb(const char *name, struct error *error) {
        const char *best = NULL;
        size_t distance = strlen(name) / 3 + 2;

        for (size_t i = 0; i < verb_count; i++) {
                if (text_equal(verb_table[i].name, name))
                        return &verb_table[i];
                size_t d = text_distance(name, verb_table[i].name);
                if (d < distance) {
                        distance = d;
                        best = verb_table[i].name;
                }
        }
        error_set(error, EINVAL, "unknown verb %s", name);
        if (best)
                error_hint(error, "did you mean %s?", best);
        else
                error_hint(error, "--help lists the verbs");
        return NULL;
}

/* Returns 1 if there is nothing more to do, 0, or a negative errno. */
static int parse(int argc, char *argv[], struct request *q, const struct verb **ret, struct error *error) {
        bool only_words = false;
        unsigned given = 0;

        for (int i = 1; i < argc;) {
                const char *w = argv[i];
                if (!only_words && (text_equal(w, "--help") || text_equal(w, "-h")))
                        return print_help() < 0 ? error_set(error, EIO, "cannot write to standard output") : 1;
                if (!only_words && text_equal(w, "--version")) {
                        puts("spawnctl " SPAWN_VERSION);
                        return 1;
                }
                if (!only_words && text_equal(w, "--")) {
                        only_words = true;
                        i++;
                } else if (!only_words && w[0] == '-' && w[1]) {
                        int n = parse_option(q, argv, i, &given, error);
                        if (n < 0)
                                return n;
                        i += n;
                } else if (!*ret) {
                        *ret = find_verb(argv[i++], error);
                        if (!*ret)
                                return -EINVAL;
                } else if (!q->name && (*ret)->operand != OPERAND_NONE) {
                        q->name = argv[i++];
                } else if ((*ret)->operand == OPERAND_WORDS) {
                        q->words = argv + i;
                        q->word_count = argc - i;
                        break;
                } else
                        return error_set(error, EINVAL, "one word too many: %s", w);
        }
        if (!*ret)
                *ret = find_verb("list", error);
        if ((*ret)->operand != OPERAND_NONE && !q->name)
                return error_set(error, EINVAL, "%s needs the name of a machine", (*ret)->name);
        return check_options(given, *ret, error);
}

int main(int argc, char *argv[]) {
        const struct verb *verb = NULL;
        struct request request = { 0 };
        struct error error = { 0 };
        unsigned was_closed;

        if (fd_fill_standard_streams(&was_closed) < 0)
                return EXIT_OURS;
        if (getauxval(AT_SECURE)) {
                log_line(LOG_ERROR, "spawnctl does not run set-user-ID, set-group-ID or with file capabilities");
                return EXIT_OURS;
        }
        int r = parse(argc, argv, &request, &verb, &error);
        if (r > 0 || (r == 0 && !verb))
                return 0;
        if (r == 0)
                r = verb->run(&request, &error);
        if (r >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
                r = error_set(&error, EIO, "cannot write to standard output");
        strv_free(&request.environment);
        if (r < 0) {
                error_print(&error);
                return error_exit_status(&error);
        }
        return r;
}
