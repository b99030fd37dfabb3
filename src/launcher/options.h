/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The option table: the single source for parsing, --help, the completions and the manual's option list. */

#include "launcher/spec.h"

enum argument_kind { ARGUMENT_NONE, ARGUMENT_REQUIRED, ARGUMENT_OPTIONAL };

struct option_row {
        const char *group; /* heading in --help and the manual; NULL: that of the row before */
        char letter;       /* short form, or 0 */
        const char *name;  /* long form without dashes */
        enum argument_kind argument;
        const char *metavar;
        enum setting setting;
        int (*set)(struct spec *spec, const char *value, const struct option_row *row, struct error *error);
        const char *help;   /* one line */
        const char *manual; /* a paragraph in scdoc's form, after the help line */
        const char *values; /* for completions: words, "dir", "file" or NULL */
};

extern const struct option_row option_table[];
extern const size_t option_count;

/* Values whose `help` was printed end the run: setters return this (positive) for it. */
#define OPTION_LISTED 1
#define OPTION_HELP 2
#define OPTION_VERSION 3
/* The value took the option back: the setting has its default again. */
#define OPTION_RESET 4

/* The name that NAME is, or is the only one to begin with, among all options of spawn and of systemd-nspawn: those
 * that this version lacks count too, so that a shortened word never changes its meaning when they come. Static.
 * Returns NULL and fills *ERROR, with a hint at the nearest name or at those that NAME could be. */
const char *option_complete(const char *name, struct error *error);

/* Finds a row by its whole long name, or its letter. Returns NULL and fills *ERROR: there is no such option, or this
 * version lacks it. */
const struct option_row *option_find(const char *name, struct error *error);
const struct option_row *option_find_letter(char letter, struct error *error);

/* Is NAME=VALUE (VALUE may be NULL) an option of systemd-nspawn whose asked behaviour is to do nothing that spawn does
 * not do anyway, such as --register=no? */
bool option_is_harmless(const char *name, const char *value);
/* Does that option of systemd-nspawn take its argument as the next word? */
bool option_foreign_takes_word(const char *name);
