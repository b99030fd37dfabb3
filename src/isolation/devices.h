/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which devices the processes of a control group may use, as a BPF program on the group (bpf(2),
 * BPF_PROG_TYPE_CGROUP_DEVICE). Root inside holds CAP_MKNOD, and with CAP_SYS_ADMIN could mount devtmpfs: neither a
 * missing node nor nodev keeps it from the host's disks, only this does. */

#include <stddef.h>
#include <stdint.h>

#include "basic/error.h"

enum { DEVICE_ANY = -1 };

/* As bpf(2) counts them: BPF_DEVCG_ACC_*. */
enum device_access { DEVICE_MKNOD = 1 << 0, DEVICE_READ = 1 << 1, DEVICE_WRITE = 1 << 2 };

struct device_rule {
        char type; /* 'b' or 'c' */
        int64_t major, minor;
        unsigned access;
};

#define DEVICE_RULES_MAX 256

/* "rwm" and its like. Returns 0, or -EINVAL for other letters or none. */
int device_access_parse(const char *text, unsigned *ret);
/* TEXT gets a "rwm" of what is in ACCESS; it takes 4 bytes. Returns TEXT. */
const char *device_access_text(unsigned access, char text[static 4]);

/* The rules that NODE stands for: the path of a device node; or a class ("char-drm", "block-loop", "char-*", with the
 * wildcards of glob(7)) of DEVICES, the text of proc_devices(5). Appends at most ROOM to RULES. Returns how many (0:
 * no device of that class is known to this kernel), or a negative errno: -ENOENT and others of stat(2), -ENODEV for
 * what is no device node, -ENOSPC. */
int device_resolve(const char *node, unsigned access, const char *devices, struct device_rule *rules, size_t room);

struct bpf_insn;
/* The program that allows what one of the COUNT rules allows, and nothing else. Writes at most ROOM instructions.
 * Returns how many, or -ENOSPC. Pure. */
int device_program(const struct device_rule *rules, size_t count, struct bpf_insn *program, size_t room);

/* Holds the processes of the cgroup2 directory GROUP_FD, now and later, to COUNT rules. The program lives as long as
 * the group. Returns 0 or a negative errno (-ENOSYS and -EPERM: bpf(2) is not to be had here). */
int device_rules_attach(int group_fd, const struct device_rule *rules, size_t count);
