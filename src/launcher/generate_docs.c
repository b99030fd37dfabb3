/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Build-time program: prints from the option table what must not drift from it.
 *
 *      generate-docs manual FILE    the manual page (scdoc): FILE, with the line @OPTIONS@ replaced by the option list
 *                                   and @SETTINGS@ by the table of the keys of settings files
 *      generate-docs bash|zsh|fish  a completion file */

#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "launcher/options.h"
#include "launcher/settings.h"

static void print_manual_options(void) {
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                if (o->group)
                        printf("## %s\n\n", o->group);
                if (o->letter)
                        printf("*-%c*, ", o->letter);
                printf("*--%s*", o->name);
                if (o->argument == ARGUMENT_REQUIRED)
                        printf("=_%s_", o->metavar);
                else if (o->argument == ARGUMENT_OPTIONAL)
                        printf("[=_%s_]", o->metavar);
                printf("\n\t%c%s.", o->help[0] >= 'a' && o->help[0] <= 'z' ? o->help[0] - 'a' + 'A' : o->help[0],
                       o->help + 1);
                printf(" %s\n\n", o->manual);
        }
}

static const char *value_of(const struct settings_key *key, const struct option_row *row) {
        switch (key->shape) {
        case SHAPE_FLAG:
                return "yes or no";
        case SHAPE_LIST:
        case SHAPE_FILTER:
                return "words";
        case SHAPE_WORDS:
        case SHAPE_ASSIGNMENTS:
                return "words, quotes";
        case SHAPE_LIMIT:
                return "SOFT[:HARD]";
        default:
                return row ? row->metavar : "";
        }
}

static void print_manual_settings(void) {
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                const struct option_row *row = key->option ? option_find(key->option, NULL) : NULL;
                if (i == 0 || !text_equal(key->section, key[-1].section))
                        printf("%s|[ *[%s]*\n:[ *is the option*\n:[ *value*\n:[ *needs trust*\n", i ? "\n" : "",
                               key->section);
                printf("|  %s=\n", key->name);
                printf(":  %s%s\n", key->option ? "--" : "the words", key->option ? key->option : "");
                printf(":  %s\n", row || !key->option ? value_of(key, row) : "not in this version");
                printf(":  %s\n", key->shape == SHAPE_FILTER ? "without ~" : key->privileged ? "yes" : "");
        }
        puts("");
}

static int print_manual(const char *path) {
        char line[4096];
        FILE *f = fopen(path, "re");

        if (!f) {
                fprintf(stderr, "generate-docs: cannot open %s\n", path);
                return 1;
        }
        while (fgets(line, sizeof line, f))
                if (text_equal(line, "@OPTIONS@\n"))
                        print_manual_options();
                else if (text_equal(line, "@SETTINGS@\n"))
                        print_manual_settings();
                else
                        fputs(line, stdout);
        fclose(f);
        return 0;
}

static int print_bash(void) {
        puts("# bash completion for spawn, made from its option table\n"
             "_spawn() {\n"
             "        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} joined=\n"
             "        [[ $cur == = ]] && joined== cur=\n"
             "        [[ $prev == = ]] && joined== prev=${COMP_WORDS[COMP_CWORD-2]}\n"
             "        case $prev$joined in");
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                if (!o->values)
                        continue;
                printf("        --%s=", o->name);
                if (o->argument == ARGUMENT_REQUIRED)
                        printf("|--%s", o->name);
                if (o->letter)
                        printf("|-%c", o->letter);
                if (text_equal(o->values, "dir") || text_equal(o->values, "file"))
                        printf(") mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\"); compopt -o filenames; return "
                               ";;\n",
                               o->values[0]);
                else
                        printf(") COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", o->values);
        }
        printf("        esac\n        COMPREPLY=($(compgen -W '");
        for (size_t i = 0; i < option_count; i++)
                printf("%s--%s", i ? " " : "", option_table[i].name);
        puts("' -- \"$cur\"))\n}\ncomplete -o default -F _spawn spawn");
        return 0;
}

/* Text between single quotes, for a shell. */
static void put_quoted(const char *text, const char *also) {
        for (; *text; text++)
                if (*text == '\'')
                        fputs("'\\''", stdout);
                else
                        printf(strchr(also, *text) ? "\\%c" : "%c", *text);
}

static int print_zsh(void) {
        puts("#compdef spawn\n# made from spawn's option table\n_arguments -s -S \\");
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                if (o->letter)
                        printf("  {-%c%s,--%s%s}", o->letter, o->argument == ARGUMENT_REQUIRED ? "+" : "", o->name,
                               o->argument == ARGUMENT_REQUIRED ? "=" : "");
                else
                        printf("  --%s%s", o->name,
                               o->argument == ARGUMENT_REQUIRED   ? "="
                               : o->argument == ARGUMENT_OPTIONAL ? "=-"
                                                                  : "");
                printf("'[");
                put_quoted(o->help, "[]");
                printf("]");
                if (o->argument != ARGUMENT_NONE) {
                        printf("%s:", o->argument == ARGUMENT_OPTIONAL ? ":" : "");
                        put_quoted(o->metavar, ":");
                        if (text_equal(o->values, "dir"))
                                printf(":_directories");
                        else if (text_equal(o->values, "file"))
                                printf(":_files");
                        else if (o->values)
                                printf(":(%s)", o->values);
                        else
                                printf(": ");
                }
                puts("' \\");
        }
        puts("  '*::command:_normal'");
        return 0;
}

static int print_fish(void) {
        puts("# fish completion for spawn, made from its option table");
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                printf("complete -c spawn -l %s", o->name);
                if (o->letter)
                        printf(" -s %c", o->letter);
                if (o->argument == ARGUMENT_REQUIRED)
                        printf(text_equal(o->values, "file") || text_equal(o->values, "dir") ? " -r -F" : " -x");
                else if (o->argument == ARGUMENT_OPTIONAL)
                        printf(" -f");
                if (o->values && !text_equal(o->values, "file") && !text_equal(o->values, "dir"))
                        printf(" -a '%s'", o->values);
                printf(" -d '");
                put_quoted(o->help, "");
                puts("'");
        }
        return 0;
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name;
                int (*print)(void);
        } forms[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

        if (argc == 3 && text_equal(argv[1], "manual"))
                return print_manual(argv[2]);
        for (size_t i = 0; argc == 2 && i < ELEMENTSOF(forms); i++)
                if (text_equal(argv[1], forms[i].name))
                        return forms[i].print();
        fprintf(stderr, "usage: generate-docs manual FILE | bash | zsh | fish\n");
        return 2;
}
