/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules for devices: parsed, turned into a program, and the program run, by a few lines that do what the kernel does
 * with the instructions that there are. That the kernel takes it is seen by whole-program tests. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "helpers.h"
#include "isolation/devices.h"

static const char *const devices = "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n226 drm\n"
                                   "\nBlock devices:\n  7 loop\n  8 sd\n 65 sd\n259 blkext\n";

/* Runs PROGRAM on an access, as Documentation/bpf/standardization/instruction-set.rst of Linux has it. */
static bool allows(const struct device_rule *rules, size_t count, char type, unsigned access, uint32_t major,
                   uint32_t minor) {
        const struct bpf_cgroup_dev_ctx context = { .access_type = access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK
                                                                                               : BPF_DEVCG_DEV_CHAR),
                                                    .major = major,
                                                    .minor = minor };
        struct bpf_insn program[128];
        uint64_t r[11] = { 0 };
        int n = device_program(rules, count, program, 128);

        assert_true(n > 0);
        for (int at = 0; at < n; at++) {
                const struct bpf_insn *i = &program[at];
                uint64_t *to = &r[i->dst_reg];
                uint32_t word;
                switch (i->code) {
                case BPF_LDX | BPF_MEM | BPF_W:
                        assert_int_equal(i->src_reg, BPF_REG_1);
                        memcpy(&word, (const char *) &context + i->off, sizeof word);
                        *to = word;
                        break;
                case BPF_ALU64 | BPF_MOV | BPF_K:
                        *to = (uint64_t) (int64_t) i->imm;
                        break;
                case BPF_ALU64 | BPF_MOV | BPF_X:
                        *to = r[i->src_reg];
                        break;
                case BPF_ALU64 | BPF_AND | BPF_K:
                        *to &= (uint64_t) (int64_t) i->imm;
                        break;
                case BPF_ALU64 | BPF_OR | BPF_X:
                        *to |= r[i->src_reg];
                        break;
                case BPF_ALU64 | BPF_LSH | BPF_K:
                        *to <<= i->imm;
                        break;
                case BPF_ALU64 | BPF_RSH | BPF_K:
                        *to >>= i->imm;
                        break;
                case BPF_JMP32 | BPF_JNE | BPF_K:
                        if ((uint32_t) *to != (uint32_t) i->imm)
                                at += i->off;
                        break;
                case BPF_JMP | BPF_EXIT:
                        return r[0] != 0;
                default:
                        fail_msg("instruction %02x", i->code);
                }
        }
        fail_msg("the program does not end");
        return false;
}

static void access_is_parsed(void **state) {
        unsigned access = 0;
        char text[4];

        (void) state;
        assert_int_equal(device_access_parse("rw", &access), 0);
        assert_int_equal(access, DEVICE_READ | DEVICE_WRITE);
        assert_string_equal(device_access_text(access, text), "rw");
        assert_int_equal(device_access_parse("mwr", &access), 0);
        assert_string_equal(device_access_text(access, text), "rwm");
        assert_int_equal(device_access_parse("", &access), -EINVAL);
        assert_int_equal(device_access_parse("rx", &access), -EINVAL);
}

static void nodes_and_classes_are_resolved(void **state) {
        struct device_rule rules[4];

        (void) state;
        assert_int_equal(device_resolve("/dev/null", DEVICE_READ, devices, rules, 4), 1);
        assert_int_equal(rules[0].type, 'c');
        assert_int_equal(rules[0].major, 1);
        assert_int_equal(rules[0].minor, 3);
        assert_int_equal(rules[0].access, DEVICE_READ);
        assert_int_equal(device_resolve("char-drm", DEVICE_READ, devices, rules, 4), 1);
        assert_int_equal(rules[0].major, 226);
        assert_int_equal(rules[0].minor, DEVICE_ANY);
        assert_int_equal(device_resolve("block-s?", DEVICE_READ, devices, rules, 4), 2);
        assert_int_equal(rules[0].type, 'b');
        assert_int_equal(rules[0].major, 8);
        assert_int_equal(rules[1].major, 65);
        assert_int_equal(device_resolve("block-drm", DEVICE_READ, devices, rules, 4), 0);
        assert_int_equal(device_resolve("block-*", DEVICE_READ, devices, rules, 4), 1);
        assert_int_equal(rules[0].major, DEVICE_ANY);
}

static void what_is_no_device_is_refused(void **state) {
        struct device_rule rules[1];

        (void) state;
        assert_int_equal(device_resolve("/dev", DEVICE_READ, devices, rules, 1), -ENODEV);
        assert_int_equal(device_resolve("/dev/there/is/none", DEVICE_READ, devices, rules, 1), -ENOENT);
        assert_int_equal(device_resolve("block-s?", DEVICE_READ, devices, rules, 1), -ENOSPC);
        assert_int_equal(device_resolve("/dev/null", DEVICE_READ, devices, rules, 0), -ENOSPC);
        assert_int_equal(device_resolve("char-*", DEVICE_READ, devices, rules, 0), -ENOSPC);
}

static void nothing_is_allowed_without_a_rule(void **state) {
        (void) state;
        assert_false(allows(NULL, 0, 'c', DEVICE_READ, 1, 3));
        assert_false(allows(NULL, 0, 'b', DEVICE_MKNOD, 8, 0));
}

static void a_rule_allows_what_it_says_and_no_more(void **state) {
        const struct device_rule rules[] = {
                { 'c', 1, 3, DEVICE_READ | DEVICE_WRITE },
                { 'c', 136, DEVICE_ANY, DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD },
                { 'b', DEVICE_ANY, DEVICE_ANY, DEVICE_READ },
        };
        (void) state;
        assert_true(allows(rules, 3, 'c', DEVICE_READ, 1, 3));
        assert_true(allows(rules, 3, 'c', DEVICE_READ | DEVICE_WRITE, 1, 3));
        assert_false(allows(rules, 3, 'c', DEVICE_READ | DEVICE_MKNOD, 1, 3));
        assert_false(allows(rules, 3, 'c', DEVICE_READ, 1, 4));
        assert_false(allows(rules, 3, 'c', DEVICE_READ, 2, 3));
        assert_true(allows(rules, 3, 'c', DEVICE_MKNOD, 136, 0));
        assert_true(allows(rules, 3, 'c', DEVICE_WRITE, 136, 1048575));
        assert_true(allows(rules, 3, 'b', DEVICE_READ, 8, 1));
        assert_false(allows(rules, 3, 'b', DEVICE_WRITE, 8, 1));
        assert_false(allows(rules, 1, 'b', DEVICE_READ, 1, 3));
}

static void a_program_that_does_not_fit_is_refused(void **state) {
        const struct device_rule rules[2] = { { 'c', 1, 3, DEVICE_READ }, { 'c', 1, 5, DEVICE_READ } };
        struct bpf_insn program[20];

        (void) state;
        assert_int_equal(device_program(rules, 2, program, 20), -ENOSPC);
        assert_int_equal(device_program(rules, 1, program, 20), 19);
        assert_int_equal(device_rules_attach(-EBADF, rules, DEVICE_RULES_MAX + 1), -ENOSPC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(access_is_parsed),
                cmocka_unit_test(nodes_and_classes_are_resolved),
                cmocka_unit_test(what_is_no_device_is_refused),
                cmocka_unit_test(nothing_is_allowed_without_a_rule),
                cmocka_unit_test(a_rule_allows_what_it_says_and_no_more),
                cmocka_unit_test(a_program_that_does_not_fit_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
