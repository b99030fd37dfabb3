/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completion files, made from the tables of verbs and options. The machines are asked for when it is completed. */

#include <errno.h>
#include <stdio.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "tools/details.h"
#include "tools/tools.h"

#define MACHINES "spawnctl list --no-legend 2>/dev/null | cut -d\" \" -f1"

static void print_verbs(void) {
        for (size_t i = 0; i < verb_count; i++)
                printf("%s%s", i ? " " : "", verb_table[i].name);
}

static void print_properties(void) {
        for (size_t i = 0; details_property(i); i++)
                printf("%s%s", i ? " " : "", details_property(i));
}

/* Those that take any number of machines, with SEPARATOR between them. */
static void print_many(const char *before, const char *separator) {
        bool any = false;

        for (size_t i = 0; i < verb_count; i++)
                if (verb_table[i].operand == OPERAND_MACHINES) {
                        printf("%s%s%s", any ? separator : "", before, verb_table[i].name);
                        any = true;
                }
}

/* "VERB) words='--a --b' ;;" for each verb: both shells read it. */
static void print_cases(const char *before, const char *after) {
        for (size_t i = 0; i < verb_count; i++) {
                printf("        %s) %s", verb_table[i].name, before);
                for (size_t k = 0; k < ctl_option_count; k++)
                        if (option_is_for(&ctl_options[k], verb_table[i].name))
                                printf("--%s%s ", ctl_options[k].name, ctl_options[k].metavar ? "=" : "");
                printf("--help%s ;;\n", after);
        }
        printf("        *) %s--help --version --completion=%s ;;\n", before, after);
}

static void print_bash(void) {
        printf("# bash completion for spawnctl, made from its tables\n"
               "_spawnctl() {\n"
               "        local cur=${COMP_WORDS[COMP_CWORD]} verb= name= word skip= words=\n"
               "        for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
               "                if [[ $word == = ]]; then skip=${skip:-1}\n" /* bash takes --name=value apart */
               "                elif [[ ( ! $verb || $verb == show ) && ( $word == -p || $word == --property ) ]]; "
               "then skip=property\n"
               "                elif [[ $skip ]]; then skip=\n"
               "                elif [[ $word == -* ]]; then :\n"
               "                elif [[ ! $verb ]]; then verb=$word\n"
               "                elif [[ ! $name ]]; then name=$word\n"
               "                fi\n"
               "        done\n"
               "        if [[ $skip == property ]]; then COMPREPLY=($(compgen -W '");
        print_properties();
        printf("' -- \"${cur#=}\"))\n"
               "        elif [[ $cur == -* ]]; then\n"
               "        case $verb in\n");
        print_cases("words='", "'");
        printf("        esac\n"
               "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
               "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
               "        elif [[ ! $verb ]]; then COMPREPLY=($(compgen -W '");
        print_verbs();
        printf("' -- \"$cur\"))\n"
               "        elif [[ $verb == list || $verb == top ]]; then COMPREPLY=()\n"
               "        elif [[ ! $name ");
        print_many("|| $verb == ", " ");
        printf(" ]]; then COMPREPLY=($(compgen -W \"$(" MACHINES ")\" -- \"$cur\"))\n"
               "        else mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); compopt -o filenames\n"
               "        fi\n"
               "        return 0\n"
               "}\ncomplete -F _spawnctl spawnctl\n");
}

static void print_zsh(void) {
        printf("#compdef spawnctl\n# zsh completion for spawnctl, made from its tables\n"
               "local verb=${words[2]}\n"
               "if [[ $verb == show && ${words[CURRENT-1]} == (-p|--property) ]]; then\n"
               "        compadd -- ");
        print_properties();
        printf("\nelif [[ ${words[CURRENT]} == -* ]]; then\n"
               "        case $verb in\n");
        print_cases("compadd -- ", "");
        printf("        esac\n"
               "elif (( CURRENT == 2 )); then\n"
               "        compadd -- ");
        print_verbs();
        printf("\nelif [[ $verb == list || $verb == top ]]; then\n"
               "        return 1\n"
               "elif (( CURRENT == 3 )) || [[ $verb == (");
        print_many("", "|");
        printf(") ]]; then\n"
               "        compadd -- ${(f)\"$(" MACHINES ")\"}\n"
               "else\n"
               "        _files\n"
               "fi\n");
}

static void print_fish(void) {
        printf("# fish completion for spawnctl, made from its tables\n");
        for (size_t i = 0; i < verb_count; i++)
                printf("complete -c spawnctl -f -n __fish_use_subcommand -a %s -d \"%s\"\n", verb_table[i].name,
                       verb_table[i].help);
        for (size_t i = 0; i < ctl_option_count; i++) {
                const struct ctl_option *o = &ctl_options[i];
                printf("complete -c spawnctl -n \"__fish_seen_subcommand_from %s\" -l %s%s -d \"%s\"", o->verbs,
                       o->name, o->metavar ? " -r" : "", o->help);
                if (o->letter)
                        printf(" -s %c", o->letter);
                if (text_equal(o->name, "property")) {
                        printf(" -a '");
                        print_properties();
                        putchar('\'');
                }
                putchar('\n');
        }
        for (size_t i = 0; i < verb_count; i++)
                if (verb_table[i].operand != OPERAND_NONE)
                        printf("complete -c spawnctl -n \"__fish_seen_subcommand_from %s\" -a '(" MACHINES ")'\n",
                               verb_table[i].name);
}

int completion_print(const char *shell, struct error *error) {
        static const struct {
                const char *name;
                void (*print)(void);
        } shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

        for (size_t i = 0; i < ELEMENTSOF(shells); i++)
                if (text_equal(shells[i].name, shell)) {
                        shells[i].print();
                        return 0;
                }
        error_set(error, EINVAL, "--completion=%s: no such shell", shell);
        return error_hint(error, "there are bash zsh fish");
}
