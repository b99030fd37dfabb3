/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Capabilities, and the change of user that belongs to them (capabilities(7)). */

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

/* A set of capabilities is a mask with bit N for capability N. */
#define CAPABILITY_BIT(c) (UINT64_C(1) << (c))

/* What a container retains unless told otherwise: enough to run a distribution's init, nothing that reaches the host's
 * clock, modules, hardware or log. A container with a network of its own gets CAP_NET_ADMIN as well. */
#define CAPABILITY_DEFAULT                                                                                            \
        (CAPABILITY_BIT(CAP_AUDIT_CONTROL) | CAPABILITY_BIT(CAP_AUDIT_WRITE) | CAPABILITY_BIT(CAP_CHOWN) |            \
         CAPABILITY_BIT(CAP_DAC_OVERRIDE) | CAPABILITY_BIT(CAP_DAC_READ_SEARCH) | CAPABILITY_BIT(CAP_FOWNER) |        \
         CAPABILITY_BIT(CAP_FSETID) | CAPABILITY_BIT(CAP_IPC_OWNER) | CAPABILITY_BIT(CAP_KILL) |                      \
         CAPABILITY_BIT(CAP_LEASE) | CAPABILITY_BIT(CAP_LINUX_IMMUTABLE) | CAPABILITY_BIT(CAP_MKNOD) |                \
         CAPABILITY_BIT(CAP_NET_BIND_SERVICE) | CAPABILITY_BIT(CAP_NET_BROADCAST) | CAPABILITY_BIT(CAP_NET_RAW) |     \
         CAPABILITY_BIT(CAP_SETFCAP) | CAPABILITY_BIT(CAP_SETGID) | CAPABILITY_BIT(CAP_SETPCAP) |                     \
         CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_SYS_ADMIN) | CAPABILITY_BIT(CAP_SYS_BOOT) |                  \
         CAPABILITY_BIT(CAP_SYS_CHROOT) | CAPABILITY_BIT(CAP_SYS_NICE) | CAPABILITY_BIT(CAP_SYS_PTRACE) |             \
         CAPABILITY_BIT(CAP_SYS_RESOURCE) | CAPABILITY_BIT(CAP_SYS_TTY_CONFIG))

/* The name of CAPABILITY, "CAP_CHOWN" and the like; NULL if there is none. Static. */
const char *capability_name(unsigned capability);

/* Prints the names of all capabilities to standard output, one a line. */
void capability_list(void);

/* Parses TEXT, names separated by commas or blanks: any case, with or without "CAP_", a number that has a name, and,
 * if ALLOW_ALL, the word "all" (every bit, UINT64_MAX, so that capabilities of later kernels are in it). Empty text is
 * the empty set. Returns 0, or -EINVAL with *ERROR naming the word and the nearest name. */
int capability_parse_list(const char *text, bool allow_all, uint64_t *ret, struct error *error);

/* The capabilities that the running kernel knows and the caller's bounding set holds (PR_CAPBSET_READ(2const)). */
uint64_t capability_bounding_probe(void);

/* Who the payload runs as. Nothing is owned. */
struct credentials {
        uid_t uid;
        gid_t gid;
        const gid_t *groups; /* the supplementary groups, may be NULL if there are none */
        size_t n_groups;
};

struct capability_plan {
        uint64_t retained; /* the bounding set; what the kernel or the caller does not have is left out */
        uint64_t ambient;  /* inheritable and ambient as well; must be part of `retained` */
        struct credentials credentials;
};

/* Turns the calling thread into what PLAN says, for good. Afterwards, and as execve(2) of a file without capabilities
 * leaves it (P' of capabilities(7)):
 *
 *     uid 0:  bounding = permitted = effective = retained;      inheritable = ambient = PLAN->ambient
 *     other:  bounding = retained; permitted = effective = inheritable = ambient = PLAN->ambient
 *
 * Inheritable capabilities are empty unless asked for: a payload that drops its own must not get them back from a
 * file's inheritable set. All uids and gids (real, effective, saved, file system) and the supplementary groups are
 * those of PLAN->credentials. PR_SET_KEEPCAPS and the securebits are off at the end, as before.
 *
 * Needs CAP_SETPCAP if the bounding set gets smaller, and CAP_SETUID and CAP_SETGID in the user namespace. The kernel
 * may clear the parent-death signal on the way (PR_SET_PDEATHSIG(2const)). Call it in a process with one thread: these
 * are the bare system calls, which change the calling thread only. Returns 0 or a negative errno with *ERROR filled;
 * then the process is in between and must exit. */
int capability_apply(const struct capability_plan *plan, struct error *error);
