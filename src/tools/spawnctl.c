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

static int print_help(void) {
        puts("spawnctl VERB [OPTIONS...] [NAME]\n\nFor the containers that spawn runs.\n\nVerbs:");
        for (size_t i = 0; i < verb_count; i++) {
                char left[64];
                snprintf(left, sizeof left, "%s %s", verb_table[i].name, verb_table[i].synopsis);
                printf("  %-24s %s\n", left, verb_table[i].help);
        }
        puts("\nOptions:");
        for (size_t i = 0; i < ctl_option_count; i++) {
                char left[64];
                snprintf(left, sizeof left, "%c%c --%s%s%s", ctl_options[i].letter ? '-' : ' ',
                         ctl_options[i].letter ? ctl_options[i].letter : ' ', ctl_options[i].name,
                         ctl_options[i].metavar ? "=" : "", ctl_options[i].metavar ? ctl_options[i].metavar : "");
                printf("  %-24s %s: %s\n", left, ctl_options[i].verbs, ctl_options[i].help);
        }
        puts("  -h --help                show this help\n     --version             show the version\n     "
             "--completion=SHELL    print the completion for bash, zsh or fish\n\nSee "
             "spawnctl(1).");
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}

/* Sets option I. VALUE is NULL where none was given. Returns 0 or -ENOMEM. */
static int set(struct request *q, size_t i, const char *value) {
        char *field = (char *) q + ctl_options[i].offset;

        if (ctl_options[i].repeatable)
                return strv_add((struct strv *) (void *) field, value);
        if (ctl_options[i].metavar)
                *(const char **) (void *) field = value;
        else
                *(bool *) (void *) field = true;
        return 0;
}

/* The option of GIVEN (a bit for each row) that VERB does not know. */
static int check_options(unsigned given, const struct verb *verb, struct error *error) {
        for (size_t i = 0; i < ctl_option_count; i++)
                if (given & (1U << i) && !option_is_for(&ctl_options[i], verb->name)) {
                        error_set(error, EINVAL, "--%s is not for %s", ctl_options[i].name, verb->name);
                        return error_hint(error, "it is for: %s", ctl_options[i].verbs);
                }
        return 0;
}

/* Finds WORD ("--name", "--name=value" or "-x") in the table. Returns its row, *RET_VALUE behind the "=" or NULL. */
static int find_option(const char *word, const char **ret_value) {
        const char *equals = strchr(word, '=');
        size_t n = equals ? (size_t) (equals - word) : strlen(word);

        *ret_value = equals ? equals + 1 : NULL;
        for (size_t i = 0; i < ctl_option_count; i++)
                if ((word[1] == '-' && n == strlen(ctl_options[i].name) + 2 &&
                     strncmp(word + 2, ctl_options[i].name, n - 2) == 0) ||
                    (word[1] != '-' && word[1] == ctl_options[i].letter && !word[2]))
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
        if (!ctl_options[o].metavar && value)
                return error_set(error, EINVAL, "--%s takes no argument", ctl_options[o].name);
        if (ctl_options[o].metavar && !value && !argv[i + 1])
                return error_set(error, EINVAL, "--%s needs an argument", ctl_options[o].name);
        if (set(q, (size_t) o, ctl_options[o].metavar && !value ? argv[i + 1] : value) < 0)
                return error_memory(error);
        *given |= 1U << o;
        return ctl_options[o].metavar && !value ? 2 : 1;
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
                if (!only_words && text_starts_with(w, "--completion="))
                        return completion_print(strchr(w, '=') + 1, error) < 0 ? -EINVAL : 1;
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
                } else if ((*ret)->operand == OPERAND_MACHINES) {
                        q->name = argv[i++];
                        if (strv_add(&q->names, q->name) < 0)
                                return error_memory(error);
                } else if (!q->name && (*ret)->operand != OPERAND_NONE) {
                        q->name = argv[i++];
                } else if ((*ret)->operand == OPERAND_PATHS && !q->paths[1]) {
                        q->paths[q->paths[0] ? 1 : 0] = argv[i++];
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
        if ((*ret)->operand == OPERAND_PATHS && !q->paths[0])
                return error_set(error, EINVAL, "%s needs a path", (*ret)->name);
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
        strv_free(&request.names);
        strv_free(&request.properties);
        if (r < 0) {
                error_print(&error);
                return error_exit_status(&error);
        }
        return r;
}
