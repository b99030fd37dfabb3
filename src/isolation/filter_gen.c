/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs at build time: asks libseccomp for the calls of a machine and writes filter_native, filter_default and
 * filter_terminal of filter_table.h as C to standard output. */

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/capability.h"
#include "isolation/filter_table.h"

/* x32 has the numbers of x86-64 with this bit set; the calls that differ have numbers of their own in both, 512 to 547
 * (arch/x86/entry/syscalls/syscall_64.tbl of Linux). So the bit is no part of what a call is, and one search serves
 * both. A number that only the other ABI has does not get further than the kernel's own table. */
#define X32_BIT 0x40000000U

enum { MOST_CALLS = 1024 };

struct abi {
        uint32_t token;       /* SCMP_ARCH_… */
        uint32_t audit;       /* AUDIT_ARCH_… */
        uint32_t ignored;     /* bits of a number that do not tell calls apart */
        uint32_t number_base; /* which of them are set */
};

/* By the names that meson has for processors. All of them have the generic errno and ioctl numbers. */
static const struct machine {
        const char *name;
        bool big_endian;
        struct abi abis[FILTER_ABIS]; /* up to the first without a token */
} machines[] = {
        { "x86_64",
          false,
          { { SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, X32_BIT, 0 },
            { SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, 0 },
            { SCMP_ARCH_X32, AUDIT_ARCH_X86_64, X32_BIT, X32_BIT } } },
        { "x86", false, { { SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, 0 } } },
        { "aarch64",
          false,
          { { SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, 0, 0 }, { SCMP_ARCH_ARM, AUDIT_ARCH_ARM, 0, 0 } } },
        { "arm", false, { { SCMP_ARCH_ARM, AUDIT_ARCH_ARM, 0, 0 } } },
        { "riscv64", false, { { SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, 0, 0 } } },
        { "ppc64", true, { { SCMP_ARCH_PPC64, AUDIT_ARCH_PPC64, 0, 0 } } },
        { "ppc64le", false, { { SCMP_ARCH_PPC64LE, AUDIT_ARCH_PPC64LE, 0, 0 } } },
        { "s390x", true, { { SCMP_ARCH_S390X, AUDIT_ARCH_S390X, 0, 0 }, { SCMP_ARCH_S390, AUDIT_ARCH_S390, 0, 0 } } },
#ifdef SCMP_ARCH_LOONGARCH64
        { "loongarch64", false, { { SCMP_ARCH_LOONGARCH64, AUDIT_ARCH_LOONGARCH64, 0, 0 } } },
#endif
};

/* Where the numbers lie: the usual ones, and the private calls of arm (cacheflush, set_tls). */
static const struct { uint32_t first, count; } number_ranges[] = { { 0, 1024 }, { 0xf0000, 16 } };

/* Calls that libseccomp may be too old for. From 424 on a new call has the same number everywhere (include/uapi/
 * asm-generic/unistd.h of Linux); the first two are of one architecture only. */
static const struct {
        const char *name;
        uint32_t number;
        uint32_t token; /* of the only ABI that has it; 0: all */
} young_calls[] = {
        { "uretprobe", 335, SCMP_ARCH_X86_64 },
        { "riscv_hwprobe", 258, SCMP_ARCH_RISCV64 },
        { "set_mempolicy_home_node", 450, 0 },
        { "cachestat", 451, 0 },
        { "fchmodat2", 452, 0 },
        { "map_shadow_stack", 453, 0 },
        { "futex_wake", 454, 0 },
        { "futex_wait", 455, 0 },
        { "futex_requeue", 456, 0 },
        { "statmount", 457, 0 },
        { "listmount", 458, 0 },
        { "lsm_get_self_attr", 459, 0 },
        { "lsm_set_self_attr", 460, 0 },
        { "lsm_list_modules", 461, 0 },
        { "mseal", 462, 0 },
        { "setxattrat", 463, 0 },
        { "getxattrat", 464, 0 },
        { "listxattrat", 465, 0 },
        { "removexattrat", 466, 0 },
        { "open_tree_attr", 467, 0 },
        { "file_getattr", 468, 0 },
        { "file_setattr", 469, 0 },
};

static struct filter_call calls[MOST_CALLS];
static size_t n_calls;

static void die(const char *what) {
        fprintf(stderr, "filter_gen: %s\n", what);
        exit(EXIT_FAILURE);
}

static void add_call(const char *name, size_t abi, uint32_t number) {
        size_t i = 0;

        while (i < n_calls && strcmp(calls[i].name, name) != 0)
                i++;
        if (i == n_calls) {
                if (n_calls == MOST_CALLS || strlen(name) >= FILTER_NAME_SIZE)
                        die("the table of calls is too small");
                snprintf(calls[i].name, sizeof calls[i].name, "%s", name);
                for (size_t a = 0; a < FILTER_ABIS; a++)
                        calls[i].number[a] = FILTER_NO_NUMBER;
                calls[i].needs = FILTER_NEVER;
                n_calls++;
        }
        if (calls[i].number[abi] == FILTER_NO_NUMBER)
                calls[i].number[abi] = number;
}

/* By number rather than by name: for calls that i386 has twice (socket() and by way of socketcall()) libseccomp gives
 * a name a made-up number. */
static void add_abi(const struct abi *abi, size_t index) {
        for (size_t r = 0; r < sizeof number_ranges / sizeof number_ranges[0]; r++)
                for (uint32_t i = 0; i < number_ranges[r].count; i++) {
                        uint32_t number = number_ranges[r].first + i;
                        char *name = seccomp_syscall_resolve_num_arch(abi->token, (int) (abi->number_base | number));
                        if (name)
                                add_call(name, index, number);
                        free(name);
                }
        for (size_t i = 0; i < sizeof young_calls / sizeof young_calls[0]; i++)
                if (young_calls[i].token == 0 || young_calls[i].token == abi->token)
                        add_call(young_calls[i].name, index, young_calls[i].number);
}

static int by_name(const void *a, const void *b) {
        return strcmp(((const struct filter_call *) a)->name, ((const struct filter_call *) b)->name);
}

/* A number must mean one call in all ABIs that share an architecture. */
static void check_numbers(const struct filter_table *table) {
        for (size_t a = 0; a < table->n_abis; a++)
                for (size_t b = 0; b < table->n_abis; b++)
                        for (size_t i = 0; table->arch[a] == table->arch[b] && i < n_calls; i++)
                                for (size_t j = 0; j < n_calls; j++)
                                        if (i != j && calls[i].number[a] != FILTER_NO_NUMBER &&
                                            calls[i].number[a] == calls[j].number[b])
                                                die("two calls have one number");
}

static struct filter_table make_table(const struct machine *machine) {
        struct filter_table table = { .calls = calls, .big_endian = machine->big_endian };
        uint8_t needs[MOST_CALLS];

        for (; table.n_abis < FILTER_ABIS && machine->abis[table.n_abis].token != 0; table.n_abis++) {
                table.arch[table.n_abis] = machine->abis[table.n_abis].audit;
                table.mask[table.n_abis] = ~machine->abis[table.n_abis].ignored;
                add_abi(&machine->abis[table.n_abis], table.n_abis);
        }
        check_numbers(&table);
        qsort(calls, n_calls, sizeof *calls, by_name);
        table.count = n_calls;
        memset(needs, FILTER_NEVER, sizeof needs);
        if (filter_mark_words(&table, filter_base, needs, FILTER_ALWAYS) < 0)
                die("a group in a list of calls does not exist");
        for (size_t i = 0; i < filter_condition_count; i++)
                if (filter_mark_words(&table, filter_conditions[i].words, needs, filter_conditions[i].capability) < 0)
                        die("a group in a list of calls does not exist");
        for (size_t i = 0; i < n_calls; i++)
                calls[i].needs = needs[i];
        return table;
}

static void write_table(const struct filter_table *table) {
        puts("static const struct filter_call calls[] = {");
        for (size_t i = 0; i < table->count; i++)
                printf("        { \"%s\", { %#x, %#x, %#x }, %u },\n", calls[i].name, calls[i].number[0],
                       calls[i].number[1], calls[i].number[2], calls[i].needs);
        puts("};\n");
        printf("const struct filter_table filter_native = {\n        .calls = calls,\n        .count = %zu,\n",
               table->count);
        printf("        .arch = { %#x, %#x, %#x },\n", table->arch[0], table->arch[1], table->arch[2]);
        printf("        .mask = { %#x, %#x, %#x },\n", table->mask[0], table->mask[1], table->mask[2]);
        printf("        .n_abis = %zu,\n        .big_endian = %d,\n};\n\n", table->n_abis, table->big_endian);
}

static void write_program(const char *name, const struct filter_table *table, const uint8_t *answers,
                          enum filter_answer other) {
        struct sock_filter *program;
        size_t n;

        if (filter_compile(table, answers, other, &program, &n) < 0)
                die("cannot compile a program");
        printf("const struct sock_filter filter_%s[] = {\n", name);
        for (size_t i = 0; i < n; i++)
                printf("        { %#x, %u, %u, %#x },\n", program[i].code, program[i].jt, program[i].jf, program[i].k);
        printf("};\nconst size_t filter_%s_length = %zu;\n\n", name, n);
        free(program);
}

int main(int argc, char *argv[]) {
        const struct machine *machine = NULL;
        uint8_t answers[MOST_CALLS];

        for (size_t i = 0; argc == 2 && i < sizeof machines / sizeof machines[0]; i++)
                if (strcmp(machines[i].name, argv[1]) == 0)
                        machine = &machines[i];
        if (!machine)
                die("the argument is no machine whose system calls are known here");
        struct filter_table table = make_table(machine);
        printf("/* Written by filter_gen for %s. */\n#include \"isolation/filter_table.h\"\n\n", machine->name);
        write_table(&table);
        filter_answers(&table, CAPABILITY_DEFAULT, answers);
        write_program("default", &table, answers, FILTER_UNKNOWN);
        memset(answers, FILTER_ALLOW, sizeof answers);
        filter_mark(&table, "ioctl", answers, FILTER_NO_INJECTION);
        write_program("terminal", &table, answers, FILTER_ALLOW);
        return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
