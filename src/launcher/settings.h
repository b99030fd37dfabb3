/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Settings files, NAME.nspawn (systemd.nspawn(5), systemd.syntax(7)). A key is an option by another name: what the
 * option's setter takes, the key takes, and what this version of spawn lacks as an option it lacks as a key. */

#include "launcher/options.h"

/* What an option on the command line keeps the file from setting: the whole group. */
enum settings_group {
        MASK_START, /* and the words */
        MASK_EPHEMERAL,
        MASK_ENVIRONMENT,
        MASK_USER,
        MASK_CAPABILITY,
        MASK_KILL_SIGNAL,
        MASK_PERSONALITY,
        MASK_MACHINE_ID,
        MASK_WORKING_DIRECTORY,
        MASK_PIVOT_ROOT,
        MASK_USERS,
        MASK_NOTIFY_READY,
        MASK_SYSTEM_CALL_FILTER,
        MASK_ADDRESS_FAMILIES,
        MASK_LIMIT, /* each limit is a group of its own */
        MASK_OOM_SCORE_ADJUST,
        MASK_CPU_AFFINITY,
        MASK_HOSTNAME,
        MASK_NO_NEW_PRIVILEGES,
        MASK_RESOLV_CONF,
        MASK_TIMEZONE,
        MASK_LINK_JOURNAL,
        MASK_SUPPRESS_SYNC,
        MASK_READ_ONLY,
        MASK_VOLATILE,
        MASK_MOUNTS,
        MASK_BIND_USER,
        MASK_NETWORK,
        MASK_PORT,
        MASK_COUNT,
};

enum settings_shape {
        SHAPE_FLAG,        /* yes or no, for an option without an argument */
        SHAPE_VALUE,       /* what the option takes */
        SHAPE_CHOICE,      /* the same; "help" is no value of it */
        SHAPE_LIST,        /* words that the option takes; lines add up */
        SHAPE_FILTER,      /* the same; privileged unless it only takes away */
        SHAPE_LIMIT,       /* SOFT[:HARD] of the limit in the key's name */
        SHAPE_WORDS,       /* words, with quotes, for the payload */
        SHAPE_ASSIGNMENTS, /* words, with quotes, each an argument of the option */
};

struct settings_key {
        const char *section, *name;
        const char *option; /* in the option table or not (yet); NULL: the words after the options */
        enum settings_group group;
        bool privileged; /* ignored in a file that is not trusted */
        enum settings_shape shape;
};

extern const struct settings_key settings_table[];
extern const size_t settings_count;

/* Takes the SIZE bytes at TEXT, which are followed by a NUL and are overwritten, as the settings file FILE into SPEC:
 * what the command line has left alone, or with SETTINGS_OVERRIDE all. Origins are "FILE:LINE". Warnings are logged;
 * SPEC is unchanged on failure. Returns 0 or a negative errno with *ERROR beginning with "FILE:LINE". */
int settings_parse(struct spec *spec, const char *file, bool trusted, char *text, size_t size, struct error *error);

/* Looks for the file of the machine that SPEC asks for, takes it into SPEC, and checks the result. */
int settings_load(struct spec *spec, struct error *error);
