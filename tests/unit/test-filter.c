/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the programs about every number of every ABI, in user space, and compares with what the lists of calls say,
 * read here in another way: by name through libseccomp. Then the kernel is asked, about a few. */
#include "unit.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "isolation/capability.h"
#include "isolation/filter.h"
#include "isolation/filter_table.h"

#define X32_BIT 0x40000000U
/* A list of strings for the length of an expression. */
#define WITH(...)                                                                                                     \
        (&(struct strv){ (char **) (const char *const[]){ __VA_ARGS__, NULL },                                        \
                         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *) })

/* The subset of classic BPF that seccomp programs are made of here. Returns the program's answer; fails the test for
 * an instruction that the kernel would not take. */
static uint32_t run_program(const struct sock_filter *program, size_t n, const struct seccomp_data *data) {
        uint32_t a = 0;

        for (size_t pc = 0; pc < n; pc++) {
                const struct sock_filter *i = &program[pc];
                switch (i->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        assert_true(i->k % 4 == 0 && i->k < sizeof *data);
                        memcpy(&a, (const char *) data + i->k, sizeof a);
                        break;
                case BPF_JMP | BPF_JA:
                        pc += i->k;
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        pc += a == i->k ? i->jt : i->jf;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        pc += a >= i->k ? i->jt : i->jf;
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= i->k;
                        break;
                case BPF_RET | BPF_K:
                        return i->k;
                default:
                        fail_msg("instruction %zu has code %#x", pc, i->code);
                }
        }
        fail_msg("the program runs off its end");
        return 0;
}

/* The errno of one call, 0 if it is allowed. As in the kernel the strictest program wins; here there are only "allow"
 * and errors, of which the one of the program that was installed last counts (seccomp(2)). */
static int ask(const struct filter_set *set, const struct seccomp_data *data) {
        int result = 0;

        for (size_t i = 0; i < set->count; i++) {
                uint32_t answer = run_program(set->parts[i].program, set->parts[i].length, data);
                if (answer == SECCOMP_RET_ALLOW)
                        continue;
                assert_int_equal(answer & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
                result = (int) (answer & SECCOMP_RET_DATA);
        }
        return result;
}

static int ask_number(const struct filter_set *set, uint32_t arch, uint32_t number) {
        return ask(set, &(struct seccomp_data){ .nr = (int) number, .arch = arch });
}

static struct filter_set prepare(uint64_t capabilities, const struct strv *allow, const struct strv *deny,
                                 bool terminal) {
        const struct filter_request request = { capabilities, allow, deny, terminal };
        struct filter_set set = { 0 };
        struct error error = { 0 };

        assert_int_equal(filter_prepare(&request, &set, &error), 0);
        return set;
}

/* Is NAME among WORDS, or in a group among them? */
static bool is_listed(const char *words, const char *name) {
        _cleanup_free_ char *copy = strdup(words);
        char *rest = copy, *word;

        assert_non_null(copy);
        while ((word = strsep(&rest, " "))) {
                if (strcmp(word, name) == 0)
                        return true;
                for (size_t i = 0; i < filter_group_count; i++)
                        if (strcmp(word, filter_groups[i].name) == 0 && is_listed(filter_groups[i].words, name))
                                return true;
        }
        return false;
}

static int expected(uint64_t capabilities, const char *name) {
        if (is_listed(filter_base, name))
                return 0;
        for (size_t i = 0; i < filter_condition_count; i++)
                if ((capabilities & CAPABILITY_BIT(filter_conditions[i].capability)) &&
                    is_listed(filter_conditions[i].words, name))
                        return 0;
        return EPERM;
}

static const struct abi {
        uint32_t token, audit, base;
} abis[] = {
#if defined(__x86_64__)
        { SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0 },
        { SCMP_ARCH_X32, AUDIT_ARCH_X86_64, X32_BIT },
        { SCMP_ARCH_X86, AUDIT_ARCH_I386, 0 },
#elif defined(__aarch64__)
        { SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, 0 },
        { SCMP_ARCH_ARM, AUDIT_ARCH_ARM, 0 },
#endif
};

/* Calls younger than some versions of libseccomp; the test must not depend on which one is there. */
static const struct {
        uint32_t number;
        int expected;
} young[] = {
        { 450, 0 }, { 451, 0 }, { 452, 0 }, { 453, 0 },     { 454, 0 }, { 455, 0 }, { 456, 0 },
        { 457, 0 }, { 458, 0 }, { 459, 0 }, { 460, EPERM }, { 461, 0 }, { 462, 0 }, { 463, 0 },
        { 464, 0 }, { 465, 0 }, { 466, 0 }, { 467, 0 },     { 468, 0 }, { 469, 0 },
};

/* x86-64 and x32 share one search: each has the numbers of the other too, which the kernel does not know. */
static char *name_of(const struct abi *abi, uint32_t number) {
        char *name = seccomp_syscall_resolve_num_arch(abi->token, (int) (abi->base + number));

        if (!name && abi->token == SCMP_ARCH_X86_64)
                name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X32, (int) (X32_BIT + number));
        if (!name && abi->token == SCMP_ARCH_X32)
                name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int) number);
        return name;
}

static void check_abi(const struct filter_set *set, const struct abi *abi, uint64_t capabilities) {
        unsigned known = 0;

        for (uint32_t number = 0; number < 600; number += number == 449 ? 51 : 1) {
                char *name = name_of(abi, number);
                int want = name ? expected(capabilities, name) : ENOSYS;
                int got = ask_number(set, abi->audit, abi->base + number);
                if (abi->audit == AUDIT_ARCH_X86_64 && number == 335)
                        want = 0; /* uretprobe */
                if (got != want)
                        fail_msg("%s, %u of %#x: %d, not %d", name ? name : "no call", number, abi->token, got, want);
                known += name != NULL;
                free(name);
        }
        assert_true(known > 250);
        for (size_t i = 0; i < ELEMENTSOF(young); i++)
                if (ask_number(set, abi->audit, abi->base + young[i].number) != young[i].expected)
                        fail_msg("%u of %#x: not %d", young[i].number, abi->token, young[i].expected);
        for (uint32_t number = 600; number < 0xf0000; number += number < 4096 ? 1 : 4093)
                assert_int_equal(ask_number(set, abi->audit, abi->base + number), ENOSYS);
}

static void check_all(uint64_t capabilities) {
        struct filter_set set = prepare(capabilities, NULL, NULL, false);

        assert_int_equal(set.count, 1);
        for (size_t i = 0; i < ELEMENTSOF(abis); i++)
                check_abi(&set, &abis[i], capabilities);
        assert_int_equal(ask_number(&set, abis[0].audit, UINT32_MAX), ENOSYS);
        assert_int_equal(ask_number(&set, abis[0].audit, 0x7fffffff), ENOSYS);
        filter_set_free(&set);
}

static void test_default(void **state) {
        (void) state;
        struct filter_set set = prepare(CAPABILITY_DEFAULT, NULL, NULL, false);

        assert_string_equal(set.parts[0].name, "default");
        assert_ptr_equal(set.parts[0].program, filter_default);
        assert_null(set.parts[0].buffer);
        filter_set_free(&set);
        /* Capabilities that no call hangs on do not make a difference. */
        set = prepare(CAPABILITY_DEFAULT | CAPABILITY_BIT(CAP_NET_ADMIN), NULL, NULL, false);
        assert_ptr_equal(set.parts[0].program, filter_default);
        check_all(CAPABILITY_DEFAULT);
}

static void test_capabilities(void **state) {
        (void) state;
        check_all(0);
        check_all(UINT64_MAX);
        for (size_t i = 0; i < filter_condition_count; i++) {
                check_all(CAPABILITY_BIT(filter_conditions[i].capability));
                check_all(CAPABILITY_DEFAULT ^ CAPABILITY_BIT(filter_conditions[i].capability));
        }
}

#if defined(__x86_64__)
/* Written down by hand, so that a mistake in the lists or in the reading of them shows. */
static void test_numbers(void **state) {
        static const struct {
                uint32_t arch, number;
                int capability; /* that it hangs on; -1: none */
                int without;    /* errno without it */
        } table[] = {
                { AUDIT_ARCH_X86_64, 0 /* read */, -1, 0 },
                { AUDIT_ARCH_X86_64, 101 /* ptrace */, CAP_SYS_PTRACE, EPERM },
                { AUDIT_ARCH_X86_64, 103 /* syslog */, CAP_SYSLOG, EPERM },
                { AUDIT_ARCH_X86_64, 149 /* mlock */, CAP_IPC_LOCK, EPERM },
                { AUDIT_ARCH_X86_64, 153 /* vhangup */, CAP_SYS_TTY_CONFIG, EPERM },
                { AUDIT_ARCH_X86_64, 154 /* modify_ldt */, -1, EPERM },
                { AUDIT_ARCH_X86_64, 163 /* acct */, CAP_SYS_PACCT, EPERM },
                { AUDIT_ARCH_X86_64, 165 /* mount */, -1, 0 },
                { AUDIT_ARCH_X86_64, 167 /* swapon */, -1, EPERM },
                { AUDIT_ARCH_X86_64, 169 /* reboot */, CAP_SYS_BOOT, EPERM },
                { AUDIT_ARCH_X86_64, 172 /* iopl */, CAP_SYS_RAWIO, EPERM },
                { AUDIT_ARCH_X86_64, 175 /* init_module */, CAP_SYS_MODULE, EPERM },
                { AUDIT_ARCH_X86_64, 227 /* clock_settime */, CAP_SYS_TIME, EPERM },
                { AUDIT_ARCH_X86_64, 246 /* kexec_load */, -1, EPERM },
                { AUDIT_ARCH_X86_64, 250 /* keyctl */, -1, 0 },
                { AUDIT_ARCH_X86_64, 298 /* perf_event_open */, -1, EPERM },
                { AUDIT_ARCH_X86_64, 304 /* open_by_handle_at */, -1, EPERM },
                { AUDIT_ARCH_X86_64, 321 /* bpf */, CAP_BPF, EPERM },
                { AUDIT_ARCH_X86_64, 337 /* no call */, -1, ENOSYS },
                { AUDIT_ARCH_X86_64, 435 /* clone3 */, -1, 0 },
                { AUDIT_ARCH_X86_64, 438 /* pidfd_getfd */, -1, EPERM },
                { AUDIT_ARCH_X86_64, 521 /* x32's ptrace, without its bit */, CAP_SYS_PTRACE, EPERM },
                { AUDIT_ARCH_X86_64, 999, -1, ENOSYS },
                { AUDIT_ARCH_X86_64, X32_BIT | 0 /* read */, -1, 0 },
                { AUDIT_ARCH_X86_64, X32_BIT | 512 /* rt_sigaction */, -1, 0 },
                { AUDIT_ARCH_X86_64, X32_BIT | 521 /* ptrace */, CAP_SYS_PTRACE, EPERM },
                { AUDIT_ARCH_X86_64, X32_BIT | 999, -1, ENOSYS },
                { AUDIT_ARCH_I386, 3 /* read */, -1, 0 },
                { AUDIT_ARCH_I386, 26 /* ptrace */, CAP_SYS_PTRACE, EPERM },
                { AUDIT_ARCH_I386, 79 /* settimeofday */, CAP_SYS_TIME, EPERM },
                { AUDIT_ARCH_I386, 102 /* socketcall */, -1, 0 },
                { AUDIT_ARCH_I386, 117 /* ipc */, -1, 0 },
                { AUDIT_ARCH_I386, 123 /* modify_ldt */, -1, EPERM },
                { AUDIT_ARCH_I386, 359 /* socket */, -1, 0 },
                { AUDIT_ARCH_I386, 361 /* bind */, -1, 0 },
                { AUDIT_ARCH_I386, 404 /* clock_settime64 */, CAP_SYS_TIME, EPERM },
                { AUDIT_ARCH_I386, 999, -1, ENOSYS },
                { AUDIT_ARCH_AARCH64, 63 /* read of another machine */, -1, ENOSYS },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (int held = 0; held < 2; held++) {
                        uint64_t bit = table[i].capability < 0 ? 0 : CAPABILITY_BIT(table[i].capability);
                        struct filter_set set = prepare(held ? bit : ~bit, NULL, NULL, false);
                        int want = held && bit ? 0 : table[i].without;
                        int got = ask_number(&set, table[i].arch, table[i].number);
                        if (got != want)
                                fail_msg("%u of %#x: %d, not %d", table[i].number, table[i].arch, got, want);
                        filter_set_free(&set);
                }
}

/* A call that gets lost from a list, or slips into one, shows here: the lists themselves are what most other tests go
 * by. */
static void test_count(void **state) {
        struct filter_set set = prepare(CAPABILITY_DEFAULT, NULL, NULL, false);
        unsigned allowed = 0;

        (void) state;
        for (uint32_t number = 0; number < 512; number++)
                allowed += ask_number(&set, AUDIT_ARCH_X86_64, number) == 0;
        assert_int_equal(allowed, 332);
}

static void test_audit(void **state) {
        static const struct {
                uint32_t arch, number;
        } sockets[] = { { AUDIT_ARCH_X86_64, 41 }, { AUDIT_ARCH_X86_64, X32_BIT | 41 }, { AUDIT_ARCH_I386, 359 } };
        const uint64_t junk = UINT64_C(0x100000000);

        (void) state;
        struct filter_set sets[] = { prepare(CAPABILITY_DEFAULT, NULL, NULL, false),
                                     prepare(UINT64_MAX, NULL, NULL, false) };
        for (size_t i = 0; i < ELEMENTSOF(sockets); i++)
                for (size_t s = 0; s < ELEMENTSOF(sets); s++) {
                        struct seccomp_data data = { .nr = (int) sockets[i].number, .arch = sockets[i].arch };
                        data.args[0] = AF_NETLINK;
                        assert_int_equal(ask(&sets[s], &data), 0);
                        data.args[2] = NETLINK_AUDIT;
                        assert_int_equal(ask(&sets[s], &data), EAFNOSUPPORT);
                        data.args[0] |= junk;
                        data.args[1] = SOCK_RAW | SOCK_CLOEXEC;
                        data.args[2] |= junk;
                        assert_int_equal(ask(&sets[s], &data), EAFNOSUPPORT);
                        data.args[0] = AF_INET;
                        assert_int_equal(ask(&sets[s], &data), 0);
                }
        for (size_t s = 0; s < ELEMENTSOF(sets); s++)
                filter_set_free(&sets[s]);
}

static void test_terminal(void **state) {
        static const struct {
                uint32_t arch, number;
        } ioctls[] = { { AUDIT_ARCH_X86_64, 16 }, { AUDIT_ARCH_X86_64, X32_BIT | 514 }, { AUDIT_ARCH_I386, 54 } };
        const uint64_t junk = UINT64_C(0xffffffff00000000);

        (void) state;
        struct filter_set with = prepare(CAPABILITY_DEFAULT, NULL, NULL, true);
        struct filter_set without = prepare(CAPABILITY_DEFAULT, NULL, NULL, false);
        assert_int_equal(with.count, 2);
        assert_string_equal(with.parts[0].name, "terminal");
        for (size_t i = 0; i < ELEMENTSOF(ioctls); i++) {
                struct seccomp_data data = { .nr = (int) ioctls[i].number, .arch = ioctls[i].arch };
                data.args[1] = TCGETS;
                assert_int_equal(ask(&with, &data), 0);
                data.args[1] = TIOCSTI;
                assert_int_equal(ask(&without, &data), 0);
                assert_int_equal(ask(&with, &data), EPERM);
                data.args[1] = TIOCSTI | junk;
                assert_int_equal(ask(&with, &data), EPERM);
                data.args[1] = TIOCLINUX | junk;
                assert_int_equal(ask(&with, &data), EPERM);
        }
        assert_int_equal(ask_number(&with, AUDIT_ARCH_X86_64, 0), 0);
        assert_int_equal(ask_number(&with, AUDIT_ARCH_X86_64, 999), ENOSYS);
}

static void test_names(void **state) {
        (void) state;
        enum { READ = 0, BIND = 49, MOUNT = 165, SWAPON = 167, PERF = 298, SOCKET = 41, PTRACE = 101 };
        const uint32_t arch = AUDIT_ARCH_X86_64;
        struct filter_set set = prepare(CAPABILITY_DEFAULT, WITH("perf_event_open", "@swap", "swapoff"), NULL, false);

        assert_string_equal(set.parts[0].name, "custom");
        assert_int_equal(ask_number(&set, arch, PERF), 0);
        assert_int_equal(ask_number(&set, arch, SWAPON), 0);
        assert_int_equal(ask_number(&set, arch, 304), EPERM);
        filter_set_free(&set);
        /* Denied wins, whichever way it was named. */
        set = prepare(CAPABILITY_DEFAULT, WITH("@swap", "bind", "ptrace"), WITH("swapon", "@network-io", "ptrace"),
                      false);
        assert_int_equal(ask_number(&set, arch, SWAPON), EPERM);
        assert_int_equal(ask_number(&set, arch, 168 /* swapoff */), 0);
        assert_int_equal(ask_number(&set, arch, BIND), EPERM);
        assert_int_equal(ask_number(&set, arch, SOCKET), EPERM);
        assert_int_equal(ask_number(&set, arch, PTRACE), EPERM);
        assert_int_equal(ask_number(&set, arch, READ), 0);
        assert_int_equal(ask_number(&set, AUDIT_ARCH_I386, 102 /* socketcall */), EPERM);
        filter_set_free(&set);
        /* Allowing socket() again does not open the audit protocol. */
        set = prepare(CAPABILITY_DEFAULT, WITH("socket", "@known"), NULL, false);
        struct seccomp_data audit = { .nr = SOCKET, .arch = arch, .args = { AF_NETLINK, 0, NETLINK_AUDIT } };
        assert_int_equal(ask(&set, &audit), EAFNOSUPPORT);
        assert_int_equal(ask_number(&set, arch, PERF), 0);
        assert_int_equal(ask_number(&set, arch, 999), ENOSYS);
        filter_set_free(&set);
        set = prepare(CAPABILITY_DEFAULT, NULL, WITH("@known"), false);
        assert_int_equal(ask_number(&set, arch, READ), EPERM);
        assert_int_equal(ask_number(&set, arch, MOUNT), EPERM);
        filter_set_free(&set);
}
#endif

static void test_bad_names(void **state) {
        const struct filter_request request = { .deny = WITH("@netwrok-io") };
        struct filter_set set = { .count = 77 };
        struct error error = { 0 };

        (void) state;
        assert_int_equal(filter_prepare(&request, &set, &error), -EINVAL);
        assert_int_equal(set.count, 77);
        assert_non_null(strstr(error.text, "@netwrok-io"));
        assert_non_null(strstr(error.hint, "@network-io"));
        assert_int_equal(filter_prepare(&request, &set, NULL), -EINVAL);
        /* A call that does not exist is left out; an empty list is as none. */
        set = prepare(CAPABILITY_DEFAULT, WITH("no_such_call"), NULL, false);
        filter_set_free(&set);
        set = prepare(CAPABILITY_DEFAULT, &(struct strv){ 0 }, &(struct strv){ 0 }, false);
        assert_ptr_equal(set.parts[0].program, filter_default);
}

/* Every group can be named, and every word in a group is a call somewhere. */
static void test_groups(void **state) {
        static const uint32_t tokens[] = { SCMP_ARCH_X86_64,  SCMP_ARCH_X86,   SCMP_ARCH_AARCH64, SCMP_ARCH_ARM,
                                           SCMP_ARCH_PPC64LE, SCMP_ARCH_S390X, SCMP_ARCH_MIPS,    SCMP_ARCH_RISCV64 };

        (void) state;
        for (size_t i = 0; i < filter_group_count; i++) {
                struct strv words = { 0 };
                struct filter_set set = prepare(CAPABILITY_DEFAULT, WITH(filter_groups[i].name), NULL, false);
                filter_set_free(&set);
                assert_int_equal(strv_split(&words, filter_groups[i].words, " "), 0);
                for (size_t w = 0; w < words.count; w++) {
                        const char *word = words.items[w];
                        /* libseccomp may be too old for these two, and the table has them on their machine only. */
                        bool found =
                                word[0] == '@' || strcmp(word, "riscv_hwprobe") == 0 || strcmp(word, "uretprobe") == 0;
                        for (size_t t = 0; t < ELEMENTSOF(tokens); t++)
                                found |= seccomp_syscall_resolve_name_arch(tokens[t], word) != __NR_SCMP_ERROR;
                        uint8_t mark[1024] = { 0 };
                        if (!found && filter_mark(&filter_native, word, mark, 1) < 0)
                                fail_msg("%s of %s is known nowhere", word, filter_groups[i].name);
                }
                strv_free(&words);
        }
}

static void test_table(void **state) {
        (void) state;
        for (size_t i = 1; i < filter_native.count; i++)
                assert_true(strcmp(filter_native.calls[i - 1].name, filter_native.calls[i].name) < 0);
        for (size_t abi = 0; abi < filter_native.n_abis; abi++)
                for (size_t i = 0; i < filter_native.count; i++)
                        for (size_t j = 0; j < i; j++)
                                assert_true(filter_native.calls[i].number[abi] == FILTER_NO_NUMBER ||
                                            filter_native.calls[i].number[abi] != filter_native.calls[j].number[abi]);
}

/* Runs FUNCTION in a child with SET installed; it returns what the child's exit status is to be. */
static int in_child(const struct filter_set *set, int (*function)(void)) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                _exit(filter_install(set, NULL) < 0 ? 100 : function());
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static bool fails(long result, int code) {
        return result == -1 && errno == code;
}

static int try_default(void) {
        if (getppid() <= 0 || syscall(SYS_getpid) != getpid())
                return 1;
        if (!fails(syscall(SYS_swapoff, "/nonexistent"), EPERM))
                return 2;
        if (!fails(syscall(9999), ENOSYS))
                return 3;
        if (!fails(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT), EAFNOSUPPORT))
                return 4;
        if (socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)
                return 5;
        if (!fails(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), EPERM))
                return 6;
        return 0;
}

static int try_no_ptrace(void) {
        if (!fails(syscall(SYS_ptrace, 9999, 0, 0, 0), EPERM))
                return 1;
        if (!fails(syscall(SYS_ioctl, -1, UINT64_C(0xff00000000) | TIOCSTI, 0), EPERM))
                return 2;
        if (!fails(syscall(SYS_ioctl, -1, TCGETS, 0), EBADF))
                return 3;
        if (!fails(syscall(SYS_swapoff, "/nonexistent"), ENOENT) && errno != EPERM)
                return 4;
        return 0;
}

/* In a sandbox, or with a kernel, that has no seccomp(2) the container starts all the same. */
static int try_without_seccomp(void) {
        struct sock_filter hide[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct filter_set hiding = { { { .program = hide, .length = ELEMENTSOF(hide) } }, 1 };
        struct filter_set set = prepare(CAPABILITY_DEFAULT, NULL, NULL, false);

        if (filter_install(&hiding, NULL) < 0 || filter_install(&set, NULL) < 0)
                return 1;
        return fails(syscall(9999), ENOSYS) && !fails(syscall(SYS_pidfd_getfd, -1, 0, 0), EPERM) ? 0 : 2;
}

/* Anything else that goes wrong is an error, and so is a program that the kernel refuses. */
static int try_refused(void) {
        static const struct sock_filter nonsense = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3);
        const struct filter_set bad = { { { .program = &nonsense, .length = 1 } }, 1 };
        struct filter_set set = prepare(CAPABILITY_DEFAULT, NULL, WITH("seccomp"), true);
        struct error error = { 0 };

        if (filter_install(&bad, &error) != -EINVAL || !error.text[0])
                return 1;
        if (filter_install(&set, NULL) < 0)
                return 2;
        int r = filter_install(&set, NULL);
        filter_set_free(&set);
        return r == -EPERM ? 0 : 3;
}

static void test_install_errors(void **state) {
        static const struct filter_set none = { 0 };

        (void) state;
        assert_int_equal(in_child(&none, try_without_seccomp), 0);
        assert_int_equal(in_child(&none, try_refused), 0);
}

static void test_kernel(void **state) {
        (void) state;
        struct filter_set set = prepare(CAPABILITY_DEFAULT, NULL, NULL, false);
        assert_int_equal(in_child(&set, try_default), 0);
        set = prepare(CAPABILITY_DEFAULT & ~CAPABILITY_BIT(CAP_SYS_PTRACE), WITH("swapoff"), NULL, true);
        assert_int_equal(in_child(&set, try_no_ptrace), 0);
        filter_set_free(&set);
}

#if defined(__x86_64__)
static int i386_call(int number, int a, int b, int c) {
        int result;

        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(number), "b"(a), "c"(b), "d"(c)
                         : "memory", "r8", "r9", "r10", "r11");
        return result;
}

static int try_i386(void) {
        if (i386_call(20 /* getpid */, 0, 0, 0) != getpid())
                return 1;
        if (i386_call(359 /* socket */, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT) != -EAFNOSUPPORT)
                return 2;
        if (i386_call(123 /* modify_ldt */, 0, 0, 0) != -EPERM)
                return 3;
        return i386_call(999, 0, 0, 0) == -ENOSYS ? 0 : 4;
}

static int has_i386(void) {
        return i386_call(20, 0, 0, 0) == getpid() ? 0 : 1;
}

static void test_kernel_i386(void **state) {
        static const struct filter_set none = { 0 };

        (void) state;
        int status = in_child(&none, has_i386);
        if (status != 0)
                skip();
        struct filter_set set = prepare(CAPABILITY_DEFAULT, NULL, NULL, false);
        assert_int_equal(in_child(&set, try_i386), 0);
}
#endif

static void test_compile_limits(void **state) {
        /* Alternating answers: as many ranges as there can be, and jumps over more than 255 instructions. */
        enum { N = 2500 };
        static struct filter_call calls[N];
        static uint8_t answers[N];
        struct filter_table table = {
                .calls = calls, .count = N, .arch = { AUDIT_ARCH_X86_64 }, .mask = { UINT32_MAX }, .n_abis = 1
        };
        struct sock_filter *program;
        size_t length;

        (void) state;
        for (uint32_t i = 0; i < N; i++) {
                calls[i].number[0] = N - 1 - i;
                answers[i] = i % 3;
        }
        assert_int_equal(filter_compile(&table, answers, FILTER_UNKNOWN, &program, &length), 0);
        static const int codes[] = { 0, EPERM, ENOSYS };
        struct filter_set set = { .parts = { { .program = program, .length = length, .buffer = program } },
                                  .count = 1 };
        for (uint32_t i = 0; i < N; i++)
                assert_int_equal(ask_number(&set, AUDIT_ARCH_X86_64, calls[i].number[0]), codes[answers[i]]);
        assert_int_equal(ask_number(&set, AUDIT_ARCH_X86_64, N), ENOSYS);
        filter_set_free(&set);
        for (uint32_t i = 0; i < N; i++)
                calls[i].number[0] = 2 * i; /* with the gaps: twice the ranges, more than the kernel takes */
        memset(answers, FILTER_ALLOW, sizeof answers);
        assert_int_equal(filter_compile(&table, answers, FILTER_UNKNOWN, &program, &length), -E2BIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_default),
                cmocka_unit_test(test_capabilities),
#if defined(__x86_64__)
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_count),
                cmocka_unit_test(test_audit),
                cmocka_unit_test(test_terminal),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_kernel_i386),
#endif
                cmocka_unit_test(test_bad_names),
                cmocka_unit_test(test_groups),
                cmocka_unit_test(test_kernel),
                cmocka_unit_test(test_install_errors),
                cmocka_unit_test(test_compile_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
