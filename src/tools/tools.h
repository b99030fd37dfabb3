/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the files of spawnctl share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "basic/error.h"
#include "basic/text.h"
#include "launcher/state.h"

/* The words of a command line, taken apart. */
struct request {
        const char *name;  /* the machine; NULL where the verb takes none */
        struct strv names; /* status, show: it and those that follow */
        char **words;      /* what follows it */
        int word_count;
        const char *paths[2]; /* copy-to, copy-from, bind: from where, and to where or NULL */
        bool json, no_legend;
        bool value;               /* show */
        struct strv properties;   /* show: names, or lists of them with commas */
        bool read_only;           /* attach, bind */
        bool take, share;         /* attach */
        bool force;               /* copy-to, copy-from */
        bool makes_directories;   /* copy-to, copy-from, bind */
        const char *escape;       /* attach; NULL: the usual key */
        const char *wait_for;     /* wait */
        bool follow;              /* log */
        const char *since;        /* log */
        const char *signal;       /* kill */
        bool tty;                 /* exec */
        const char *user, *chdir; /* exec, shell */
        struct strv environment;  /* exec, shell */
};

enum verb_operand { OPERAND_NONE, OPERAND_MACHINE, OPERAND_MACHINES, OPERAND_PATHS, OPERAND_WORDS };

/* One row for each verb. RUN returns the exit status, or a negative errno with *ERROR filled. */
struct verb {
        const char *name;
        enum verb_operand operand;
        const char *synopsis;
        int (*run)(const struct request *q, struct error *error);
        const char *help;
};
extern const struct verb verb_table[];
extern const size_t verb_count;

/* One row for each option: parsing, --help and completion are made from it. OFFSET is the field of struct request. */
struct ctl_option {
        char letter;
        const char *name, *metavar; /* NULL: it takes no argument */
        size_t offset;
        const char *verbs; /* separated by spaces */
        const char *help;
        bool repeatable; /* the field is a list */
};
extern const struct ctl_option ctl_options[];
extern const size_t ctl_option_count;
bool option_is_for(const struct ctl_option *option, const char *verb);

/* Prints the completion file for SHELL (bash, zsh or fish) on standard output. Returns 0 or -EINVAL. */
int completion_print(const char *shell, struct error *error);

/* Sends one command to the machine. Returns 0 or a negative errno. */
int tools_command(const char *name, int command, int number, struct error *error);

/* The state of a machine that is there now. What a crash has left is removed by the way. Returns 0 or a negative errno
 * (-ENOENT: there is none). */
int tools_find(const char *name, struct state *ret, struct error *error);

/* Connects to the machine only to hear of its end: a packet EXIT, or the end of the connection. Returns a descriptor,
 * which is the caller's, or a negative errno. */
int tools_follow(const char *name, struct error *error);

/* Stays with the console of a machine. Returns the exit status or a negative errno. */
int attach_run(const struct request *q, struct error *error);
/* What the end of a viewer of machine NAME means: an exit status, or a negative errno. */
struct viewer_result;
int attach_judge(const char *name, const struct viewer_result *result, struct error *error);
/* Waits for the end of a machine and returns its status, or a negative errno. */
int attach_wait_exit(const char *name, struct error *error);

/* Commands beside the payload: exec, shell and login. */
int enter_exec(const struct request *q, struct error *error);
int enter_shell(const struct request *q, struct error *error);
int enter_login(const struct request *q, struct error *error);

/* Prints the log of a machine's console, which --console-log= has it write. Returns 0 or a negative errno. */
int log_run(const struct request *q, struct error *error);
/* The time stamp, as the lines of a log begin with, that --since=TEXT means: "YYYY-MM-DD[THH:MM[:SS]]" (UTC) or how
 * long ago, as "10min". NOW: seconds since the epoch. Returns 0 or -EINVAL. */
enum { LOG_STAMP_SIZE = 32 };
int log_since(const char *text, time_t now, char ret[static LOG_STAMP_SIZE]);

/* Writes what the console shows to a file, as an asciicast, until the machine ends or a signal comes. Returns the exit
 * status (0 after a signal) or a negative errno. */
int record_run(const struct request *q, struct error *error);

/* What machines there are: a table. What each of those named is: for people, or as its properties. */
int status_list(const struct request *q, struct error *error);
int status_status(const struct request *q, struct error *error);
int status_show(const struct request *q, struct error *error);

/* What the machines use: a table, once or again and again. Returns 0 or a negative errno. */
int top_run(const struct request *q, struct error *error);
/* BYTES with a unit, as "1.5M". */
void top_size(char *buffer, size_t size, uint64_t bytes);

/* Files between host and container: copy-to, copy-from and bind. */
int transfer_copy_to(const struct request *q, struct error *error);
int transfer_copy_from(const struct request *q, struct error *error);
int transfer_bind(const struct request *q, struct error *error);

/* A table for people, or the same as JSON: an array of objects. */
enum { TABLE_COLUMNS = 10, TABLE_CELL = 256 };
struct table {
        const char *const *titles; /* as JSON keys in lower case */
        unsigned numbers;          /* bit N: column N holds numbers, or nothing */
        size_t columns, rows;
        size_t shown; /* how many of the columns people see; 0: all */
        char (*cells)[TABLE_COLUMNS][TABLE_CELL];
};
/* Adds a row of empty cells and returns it; NULL when memory is exhausted. */
char (*table_add(struct table *t))[TABLE_CELL];
void table_print(const struct table *t, bool json, bool legend);
void table_free(struct table *t);
/* TEXT as a JSON string, on standard output. */
void json_string(const char *text);
