/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/devices.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"

static const struct {
        char letter;
        unsigned access;
} letters[] = { { 'r', DEVICE_READ }, { 'w', DEVICE_WRITE }, { 'm', DEVICE_MKNOD } };

int device_access_parse(const char *text, unsigned *ret) {
        unsigned access = 0;

        for (const char *p = text; *p; p++) {
                size_t i = 0;
                while (i < ELEMENTSOF(letters) && letters[i].letter != *p)
                        i++;
                if (i == ELEMENTSOF(letters))
                        return -EINVAL;
                access |= letters[i].access;
        }
        if (access == 0)
                return -EINVAL;
        *ret = access;
        return 0;
}

const char *device_access_text(unsigned access, char text[static 4]) {
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(letters); i++)
                if (access & letters[i].access)
                        text[n++] = letters[i].letter;
        text[n] = 0;
        return text;
}

static int resolve_node(const char *node, unsigned access, struct device_rule *rules, size_t room) {
        struct stat st;

        if (stat(node, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return -ENODEV;
        if (room == 0)
                return -ENOSPC;
        rules[0] = (struct device_rule){ .type = S_ISBLK(st.st_mode) ? 'b' : 'c',
                                         .major = major(st.st_rdev),
                                         .minor = minor(st.st_rdev),
                                         .access = access };
        return 1;
}

/* proc_devices(5): a heading for each type, and then lines of "MAJOR NAME". */
static int resolve_class(char type, const char *pattern, unsigned access, const char *devices,
                         struct device_rule *rules, size_t room) {
        char here = 0, name[64];
        unsigned number;
        size_t n = 0;

        for (const char *line = devices; line && *line; line = strchr(line, '\n'), line += line != NULL) {
                if (text_starts_with(line, "Character"))
                        here = 'c';
                else if (text_starts_with(line, "Block"))
                        here = 'b';
                else if (here == type && sscanf(line, "%u %63s", &number, name) == 2 &&
                         fnmatch(pattern, name, 0) == 0) {
                        if (n == room)
                                return -ENOSPC;
                        rules[n++] = (struct device_rule){ type, number, DEVICE_ANY, access };
                }
        }
        return (int) n;
}

int device_resolve(const char *node, unsigned access, const char *devices, struct device_rule *rules, size_t room) {
        static const struct {
                const char *prefix;
                char type;
        } classes[] = { { "char-", 'c' }, { "block-", 'b' } };

        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                const char *pattern = node + strlen(classes[i].prefix);
                if (!text_starts_with(node, classes[i].prefix))
                        continue;
                if (!text_equal(pattern, "*"))
                        return resolve_class(classes[i].type, pattern, access, devices, rules, room);
                if (room == 0)
                        return -ENOSPC;
                rules[0] = (struct device_rule){ classes[i].type, DEVICE_ANY, DEVICE_ANY, access };
                return 1;
        }
        return resolve_node(node, access, rules, room);
}

/* The registers of the program. The kernel passes struct bpf_cgroup_dev_ctx in CONTEXT; RESULT 1 allows. */
enum {
        RESULT = BPF_REG_0,
        CONTEXT = BPF_REG_1,
        ACCESS = BPF_REG_2,
        TYPE = BPF_REG_3,
        MAJOR = BPF_REG_4,
        NUMBER = BPF_REG_5, /* major and minor */
};

enum { MINOR_BITS = 20, ACCESS_ALL = DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD, HEAD_SIZE = 11, RULE_SIZE_MAX = 6 };

struct writer {
        struct bpf_insn *program;
        size_t count, room;
        bool full;
};

static void put(struct writer *w, uint8_t code, uint8_t destination, uint8_t source, int16_t offset, int32_t value) {
        if (w->count == w->room) {
                w->full = true;
                return;
        }
        w->program[w->count++] = (struct bpf_insn){
                .code = code, .dst_reg = destination, .src_reg = source, .off = offset, .imm = value
        };
}

#define LOAD(w, to, field)                                                                                            \
        put(w, BPF_LDX | BPF_MEM | BPF_W, to, CONTEXT, (int16_t) offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define SET(w, to, value) put(w, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define COPY(w, to, from) put(w, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define AND(w, to, value) put(w, BPF_ALU64 | BPF_AND | BPF_K, to, 0, 0, value)
#define OR(w, to, from) put(w, BPF_ALU64 | BPF_OR | BPF_X, to, from, 0, 0)
#define SHIFT_LEFT(w, to, value) put(w, BPF_ALU64 | BPF_LSH | BPF_K, to, 0, 0, value)
#define SHIFT_RIGHT(w, to, value) put(w, BPF_ALU64 | BPF_RSH | BPF_K, to, 0, 0, value)
#define SKIP_UNLESS(w, register, value, count) put(w, BPF_JMP32 | BPF_JNE | BPF_K, register, 0, count, value)
#define EXIT(w) put(w, BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Each check jumps over the rest of its rule. The kernel's verifier follows every path: with checks that leave little
 * behind to know (one comparison for most rules) their number grows with the rules, not with their square. */
static void put_rule(struct writer *w, const struct device_rule *rule) {
        if (rule->major != DEVICE_ANY) {
                const bool one = rule->minor != DEVICE_ANY;
                const uint32_t number = (uint32_t) rule->major << MINOR_BITS | (uint32_t) rule->minor;
                SKIP_UNLESS(w, one ? NUMBER : MAJOR, (int32_t) (one ? number : (uint32_t) rule->major),
                            rule->access == ACCESS_ALL ? 2 : 5);
        }
        if (rule->access != ACCESS_ALL) {
                COPY(w, RESULT, ACCESS);
                AND(w, RESULT, (int32_t) ~rule->access);
                SKIP_UNLESS(w, RESULT, 0, 2); /* more is wanted than is allowed */
        }
        SET(w, RESULT, 1);
        EXIT(w);
}

/* The rules of one type, behind a check of it. */
static void put_rules(struct writer *w, const struct device_rule *rules, size_t count, char type, int32_t value) {
        size_t check = w->count;

        SKIP_UNLESS(w, TYPE, value, 0);
        for (size_t i = 0; i < count; i++)
                if (rules[i].type == type)
                        put_rule(w, &rules[i]);
        if (!w->full)
                w->program[check].off = (int16_t) (w->count - check - 1);
}

int device_program(const struct device_rule *rules, size_t count, struct bpf_insn *program, size_t room) {
        struct writer w = { .program = program, .room = room };

        LOAD(&w, ACCESS, access_type); /* access << 16 | type */
        COPY(&w, TYPE, ACCESS);
        AND(&w, TYPE, 0xFFFF);
        SHIFT_RIGHT(&w, ACCESS, 16);
        LOAD(&w, MAJOR, major);
        LOAD(&w, NUMBER, minor);
        COPY(&w, RESULT, MAJOR);
        SHIFT_LEFT(&w, RESULT, MINOR_BITS);
        OR(&w, NUMBER, RESULT);
        put_rules(&w, rules, count, 'c', BPF_DEVCG_DEV_CHAR);
        put_rules(&w, rules, count, 'b', BPF_DEVCG_DEV_BLOCK);
        SET(&w, RESULT, 0);
        EXIT(&w);
        return w.full ? -ENOSPC : (int) w.count;
}

int device_rules_attach(int group_fd, const struct device_rule *rules, size_t count) {
        struct bpf_insn program[HEAD_SIZE + RULE_SIZE_MAX * DEVICE_RULES_MAX + 2];
        int n = count > DEVICE_RULES_MAX ? -ENOSPC : device_program(rules, count, program, ELEMENTSOF(program));

        if (n < 0)
                return n;
        union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                                .insns = (uint64_t) (uintptr_t) program,
                                .insn_cnt = (uint32_t) n,
                                .license = (uint64_t) (uintptr_t) "LGPL-2.1-or-later" };
        _cleanup_close_ int fd = sys_bpf(BPF_PROG_LOAD, &load, sizeof load);
        if (fd < 0)
                return -errno;
        /* Beside what a group above says, and what a manager inside says of its own: all of them have to allow. */
        union bpf_attr attach = { .target_fd = (uint32_t) group_fd,
                                  .attach_bpf_fd = (uint32_t) fd,
                                  .attach_type = BPF_CGROUP_DEVICE,
                                  .attach_flags = BPF_F_ALLOW_MULTI };
        return sys_bpf(BPF_PROG_ATTACH, &attach, sizeof attach) < 0 ? -errno : 0;
}
