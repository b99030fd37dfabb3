/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asm/ioctls.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "isolation/filter_table.h"

/* The kernel runs a program on one `struct seccomp_data` (seccomp(2)). Calls are sorted by number and neighbours with
 * the same answer become one range; a binary search over the ranges ends in an answer. Only the number and the
 * architecture are looked at on the way to a plain "allow", so that the kernel can work out at load time that such a
 * call needs no filter run (Linux 5.11). */

/* From START up to the next range. */
struct range {
        uint32_t start;
        uint8_t answer;
};

struct program {
        struct sock_filter *code; /* BPF_MAXINSNS of them */
        size_t length;
        bool overflow;
        bool big_endian;
};

static void emit(struct program *p, struct sock_filter instruction) {
        if (p->length == BPF_MAXINSNS)
                p->overflow = true;
        else
                p->code[p->length++] = instruction;
}

static void emit_load(struct program *p, size_t offset) {
        emit(p, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset));
}

static void emit_return(struct program *p, uint32_t action) {
        emit(p, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action));
}

static void emit_errno(struct program *p, int code) {
        emit_return(p, SECCOMP_RET_ERRNO | (uint32_t) code);
}

static void emit_jump_equal(struct program *p, uint32_t value, uint8_t if_equal, uint8_t if_not) {
        emit(p, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, if_equal, if_not));
}

/* Loads the low half of an argument. The kernel takes the arguments that are compared here as 32 bits wide and does
 * not look at the rest: a comparison of all 64 bits could be slipped past with a bit set in the upper half. */
static void emit_load_argument(struct program *p, unsigned n) {
        emit_load(p, offsetof(struct seccomp_data, args) + 8 * n + (p->big_endian ? 4 : 0));
}

/* Userspace of the audit system takes EAFNOSUPPORT as "not in this kernel" and does without: the kernel's audit system
 * has no notion of a container. */
static void emit_socket(struct program *p) {
        emit_load_argument(p, 0);
        emit_jump_equal(p, AF_NETLINK, 0, 3);
        emit_load_argument(p, 2);
        emit_jump_equal(p, NETLINK_AUDIT, 0, 1);
        emit_errno(p, EAFNOSUPPORT);
        emit_return(p, SECCOMP_RET_ALLOW);
}

/* TIOCSTI types into the terminal, TIOCLINUX can paste into a virtual console (ioctl_tty(2), ioctl_console(2)). */
static void emit_no_injection(struct program *p) {
        emit_load_argument(p, 1);
        emit_jump_equal(p, TIOCSTI, 1, 0);
        emit_jump_equal(p, TIOCLINUX, 0, 1);
        emit_errno(p, EPERM);
        emit_return(p, SECCOMP_RET_ALLOW);
}

static void emit_answer(struct program *p, enum filter_answer answer) {
        switch (answer) {
        case FILTER_ALLOW:
                emit_return(p, SECCOMP_RET_ALLOW);
                break;
        case FILTER_DENY:
                emit_errno(p, EPERM);
                break;
        case FILTER_UNKNOWN:
                emit_errno(p, ENOSYS);
                break;
        case FILTER_SOCKET:
                emit_socket(p);
                break;
        case FILTER_NO_INJECTION:
                emit_no_injection(p);
                break;
        case FILTER_ANSWERS:
                break;
        }
}

/* Makes the comparison at INDEX skip all that was emitted after it if it comes out as SKIP_IF, and go on with the next
 * instruction else. An offset of a conditional jump has eight bits; beyond that it takes a "ja". */
static void close_branch(struct program *p, size_t index, bool skip_if) {
        size_t n = p->length - index - 1;
        uint8_t skip = n <= UINT8_MAX ? (uint8_t) n : 0, next = n <= UINT8_MAX ? 0 : 1;

        if (n > UINT8_MAX) {
                emit(p, (struct sock_filter){ 0 });
                if (p->overflow)
                        return;
                memmove(p->code + index + 2, p->code + index + 1, n * sizeof *p->code);
                p->code[index + 1] = (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, (uint32_t) n);
        }
        p->code[index].jt = skip_if ? skip : next;
        p->code[index].jf = skip_if ? next : skip;
}

/* In a small search the answers stand once, behind all comparisons. Until they do, a jump to answer A is ANSWER_MARK +
 * A; the offsets within so few comparisons are all below that. */
enum { SMALL_SEARCH = 120, ANSWER_MARK = 0xf0 };

/* Emits the comparisons that find one of RANGES, N of them and at least two. */
static void emit_comparisons(struct program *p, const struct range *ranges, size_t n) {
        size_t half = n / 2, index = p->length;

        emit(p, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ranges[half].start,
                                              (uint8_t) (ANSWER_MARK + ranges[half].answer),
                                              (uint8_t) (ANSWER_MARK + ranges[0].answer)));
        if (half > 1) {
                emit_comparisons(p, ranges, half);
                if (!p->overflow)
                        p->code[index].jf = 0;
        }
        if (n - half > 1) {
                size_t right = p->length - index - 1;
                emit_comparisons(p, ranges + half, n - half);
                if (!p->overflow)
                        p->code[index].jt = (uint8_t) right;
        }
}

static void emit_small_search(struct program *p, const struct range *ranges, size_t n) {
        size_t first = p->length;

        emit_comparisons(p, ranges, n);
        size_t end = p->length;
        for (unsigned answer = 0; answer < FILTER_ANSWERS && !p->overflow; answer++) {
                size_t target = p->length;
                bool used = false;
                for (size_t i = first; i < end; i++) {
                        uint8_t *jumps[] = { &p->code[i].jt, &p->code[i].jf };
                        for (unsigned j = 0; j < 2; j++)
                                if (*jumps[j] == ANSWER_MARK + answer) {
                                        *jumps[j] = (uint8_t) (target - i - 1);
                                        used = true;
                                }
                }
                if (used)
                        emit_answer(p, answer);
        }
}

static void emit_search(struct program *p, const struct range *ranges, size_t n) {
        if (n == 1)
                emit_answer(p, ranges->answer);
        else if (n <= SMALL_SEARCH)
                emit_small_search(p, ranges, n);
        else {
                size_t half = n / 2, index = p->length;
                emit(p, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ranges[half].start, 0, 0));
                emit_search(p, ranges, half);
                if (!p->overflow)
                        close_branch(p, index, true);
                emit_search(p, ranges + half, n - half);
        }
}

static int by_start(const void *a, const void *b) {
        const struct range *x = a, *y = b;

        return (x->start > y->start) - (x->start < y->start);
}

static size_t add_range(struct range *ranges, size_t n, uint32_t start, uint8_t answer) {
        if (n == 0 || ranges[n - 1].answer != answer)
                ranges[n++] = (struct range){ start, answer };
        return n;
}

/* The numbers of all ABIs that share architecture ARCH, sorted. Returns how many. */
static size_t collect(const struct filter_table *table, uint32_t arch, const uint8_t *answers, struct range *ret) {
        size_t n = 0;

        for (size_t abi = 0; abi < table->n_abis; abi++)
                for (size_t i = 0; table->arch[abi] == arch && i < table->count; i++)
                        if (table->calls[i].number[abi] != FILTER_NO_NUMBER)
                                ret[n++] = (struct range){ table->calls[i].number[abi], answers[i] };
        qsort(ret, n, sizeof *ret, by_start);
        return n;
}

/* Covers all 32-bit numbers: those of NUMBERS (N, sorted) and OTHER between them. Returns how many ranges it took, at
 * most 2N + 1. */
static size_t cover(const struct range *numbers, size_t n, enum filter_answer other, struct range *ret) {
        uint32_t next = 0;
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                if (i > 0 && numbers[i].start == numbers[i - 1].start)
                        continue; /* the same call in two ABIs */
                if (numbers[i].start > next)
                        count = add_range(ret, count, next, other);
                count = add_range(ret, count, numbers[i].start, numbers[i].answer);
                next = numbers[i].start + 1;
        }
        return add_range(ret, count, next, other);
}

static void emit_arch(struct program *p, uint32_t arch, uint32_t mask, const struct range *ranges, size_t n) {
        size_t index = p->length;

        emit_jump_equal(p, arch, 0, 0);
        emit_load(p, offsetof(struct seccomp_data, nr));
        if (mask != UINT32_MAX)
                emit(p, (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
        emit_search(p, ranges, n);
        if (!p->overflow)
                close_branch(p, index, false);
}

static void emit_program(struct program *p, const struct filter_table *table, const uint8_t *answers,
                         enum filter_answer other, struct range *numbers, struct range *ranges) {
        emit_load(p, offsetof(struct seccomp_data, arch));
        for (size_t abi = 0; abi < table->n_abis; abi++) {
                bool done = false;
                for (size_t i = 0; i < abi; i++)
                        done |= table->arch[i] == table->arch[abi];
                if (done)
                        continue;
                size_t n = collect(table, table->arch[abi], answers, numbers);
                emit_arch(p, table->arch[abi], table->mask[abi], ranges, cover(numbers, n, other, ranges));
        }
        emit_answer(p, other);
}

int filter_compile(const struct filter_table *table, const uint8_t *answers, enum filter_answer other,
                   struct sock_filter **ret, size_t *ret_length) {
        size_t most = table->count * table->n_abis + 1;
        struct range *numbers = calloc(3 * most, sizeof *numbers);
        struct program p = { .code = calloc(BPF_MAXINSNS, sizeof *p.code), .big_endian = table->big_endian };
        int r = 0;

        if (!numbers || !p.code)
                r = -ENOMEM;
        if (r >= 0)
                emit_program(&p, table, answers, other, numbers, numbers + most);
        if (p.overflow)
                r = -E2BIG;
        free(numbers);
        if (r < 0) {
                free(p.code);
                return r;
        }
        *ret = p.code;
        *ret_length = p.length;
        return 0;
}
