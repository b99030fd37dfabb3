/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* System calls by name and number, what each hangs on, and how a choice of them becomes a program for the kernel.
 *
 * The generator runs at build time, asks libseccomp for the numbers, and writes the table and the default program as
 * C. The launcher makes other programs from the same table with the same code, so there is one way of doing it, and
 * libseccomp is not needed where the launcher runs. Nothing here uses the rest of the project's code, since the
 * generator is built for the build machine. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        FILTER_ABIS = 3,       /* the most that one processor runs: x86-64, x32, i386 */
        FILTER_NAME_SIZE = 32, /* of the longest name of a call, with its NUL */
};
#define FILTER_NO_NUMBER UINT32_MAX

/* What a call hangs on: a capability (0…63), or one of these. */
enum { FILTER_ALWAYS = 64, FILTER_NEVER = 65 };

struct filter_call {
        char name[FILTER_NAME_SIZE];  /* in place: a table of pointers would have to be relocated at each start */
        uint32_t number[FILTER_ABIS]; /* FILTER_NO_NUMBER where the ABI has no such call */
        uint8_t needs;
};

struct filter_table {
        const struct filter_call *calls; /* sorted by name (strcmp) */
        size_t count;
        uint32_t
                arch[FILTER_ABIS]; /* AUDIT_ARCH_…; two ABIs that share one do not have two calls of the same number */
        uint32_t mask[FILTER_ABIS]; /* of the bits of a number that tell calls apart; the same where `arch` is */
        size_t n_abis;              /* the processor's own first */
        bool big_endian;
};

/* The table of the machine that spawn was built for, and the programs that need no compiler: all written by the
 * generator. */
extern const struct filter_table filter_native;
extern const struct sock_filter filter_default[], filter_terminal[];
extern const size_t filter_default_length, filter_terminal_length;

/* Which capability lets a container use which calls (words of filter_mark()). */
struct filter_condition {
        uint8_t capability;
        const char *words;
};
extern const struct filter_condition filter_conditions[];
extern const size_t filter_condition_count;
/* What every container may use. */
extern const char filter_base[];

/* Groups of calls that can be named as "@name". */
struct filter_group {
        const char *name;  /* with the @ */
        const char *words; /* calls and @groups, separated by blanks */
};
extern const struct filter_group filter_groups[];
extern const size_t filter_group_count;

/* Sets MARKS[i] to MARK for each call i of TABLE that WORD names, a call or a "@group" ("@known": all of them).
 * Members of a group that the table does not have are left out. Returns 0, -ENOENT (no such call), -EINVAL (no such
 * group). */
int filter_mark(const struct filter_table *table, const char *word, uint8_t *marks, uint8_t mark);

/* The same for each of WORDS, a text separated by blanks; calls that the table does not have are left out. Returns 0
 * or -EINVAL. */
int filter_mark_words(const struct filter_table *table, const char *words, uint8_t *marks, uint8_t mark);

/* What becomes of a call. */
enum filter_answer {
        FILTER_ALLOW,
        FILTER_DENY,         /* EPERM */
        FILTER_UNKNOWN,      /* ENOSYS */
        FILTER_SOCKET,       /* allowed, but EAFNOSUPPORT for the audit protocol of netlink */
        FILTER_NO_INJECTION, /* allowed, but EPERM for the ioctl() commands that type into a terminal */
        FILTER_ANSWERS,
};

/* Fills ANSWERS, one for each call of TABLE, with what a container that holds CAPABILITIES gets. */
void filter_answers(const struct filter_table *table, uint64_t capabilities, uint8_t *answers);

/* Compiles the program that gives ANSWERS[i] to call i of TABLE, and OTHER (one of the first three) to any other
 * number and to the calls of any other architecture. The caller frees *RET. Returns 0, -ENOMEM, or -E2BIG (more than
 * BPF_MAXINSNS instructions). */
int filter_compile(const struct filter_table *table, const uint8_t *answers, enum filter_answer other,
                   struct sock_filter **ret, size_t *ret_length);
