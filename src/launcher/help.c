/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "launcher/options.h"

/* The level of systemd-nspawn that is followed: what callers that parse the first line may count on. */
#define NSPAWN_LEVEL 255

enum { HELP_COLUMN = 34, HELP_WIDTH = 80 };

/* TEXT from column HELP_COLUMN on, broken between words. */
static void print_wrapped(const char *text) {
        const size_t width = HELP_WIDTH - HELP_COLUMN;

        while (strlen(text) > width) {
                size_t n = width;
                while (n > 0 && text[n] != ' ')
                        n--;
                if (n == 0)
                        break;
                printf("%.*s\n%*s", (int) n, text, HELP_COLUMN, "");
                text += n + 1;
        }
        puts(text);
}

static void print_row(const struct option_row *row) {
        char left[128];
        int n = row->letter ? snprintf(left, sizeof left, "  -%c --%s", row->letter, row->name)
                            : snprintf(left, sizeof left, "     --%s", row->name);

        if (row->argument == ARGUMENT_REQUIRED)
                n += snprintf(left + n, sizeof left - (size_t) n, "=%s", row->metavar);
        else if (row->argument == ARGUMENT_OPTIONAL)
                n += snprintf(left + n, sizeof left - (size_t) n, "[=%s]", row->metavar);
        if (n >= HELP_COLUMN)
                printf("%s\n%*s", left, HELP_COLUMN, "");
        else
                printf("%-*s", HELP_COLUMN, left);
        print_wrapped(row->help);
}

int help_print(void) {
        puts("spawn [OPTIONS...] [COMMAND [ARGUMENTS...]]\n"
             "spawn [OPTIONS...] --boot [ARGUMENTS FOR INIT...]\n\n"
             "Boots a root directory as a container, or runs a command or a shell in it.");
        for (size_t i = 0; i < option_count; i++) {
                if (option_table[i].group)
                        printf("\n%s:\n", option_table[i].group);
                print_row(&option_table[i]);
        }
        puts("\nSee spawn(1).");
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}

int version_print(void) {
        printf("systemd %d (spawn %s)\n", NSPAWN_LEVEL, SPAWN_VERSION);
        puts("+PTY +SECCOMP +CGROUP2 +LIBMOUNT");
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
