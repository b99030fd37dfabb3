/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A control group with all groups below it, and their processes, as a tree. The payload makes it as deep and as wide
 * as it likes, and names groups and processes: what is shown of it is bounded and escaped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
        TREE_DEPTH = 16,    /* groups within groups */
        TREE_ENTRIES = 100, /* of one group */
        TREE_LINES = 1000,  /* of all */
};

struct tree_options {
        bool utf8;      /* lines are drawn with what only Unicode has */
        size_t columns; /* a line is cut to it; 0: lines are whole, up to a kilobyte */
        size_t indent;  /* in front of each line */
};

/* Prints what is below the group whose directory is GROUP. May wait for the payload (tools/apart.h). */
void tree_print(FILE *out, int group, const struct tree_options *options);

/* The same of the group PATH (state.h) to standard output, looked at in a process apart, for some seconds at most.
 * Returns 0 or a negative errno: -ENOENT: there is no such group. */
int tree_show(const char *path, const struct tree_options *options);

/* How many bytes of TEXT, which is UTF-8, to show on COLUMNS of a terminal (0: all): as many as leave room for MARK
 * behind them, if it is not the whole. */
size_t tree_cut(const char *text, size_t columns, const char *mark);
