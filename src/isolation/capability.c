/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/capability.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"

static const char *const names[] = {
        [CAP_CHOWN] = "CAP_CHOWN",
        [CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
        [CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
        [CAP_FOWNER] = "CAP_FOWNER",
        [CAP_FSETID] = "CAP_FSETID",
        [CAP_KILL] = "CAP_KILL",
        [CAP_SETGID] = "CAP_SETGID",
        [CAP_SETUID] = "CAP_SETUID",
        [CAP_SETPCAP] = "CAP_SETPCAP",
        [CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
        [CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
        [CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
        [CAP_NET_ADMIN] = "CAP_NET_ADMIN",
        [CAP_NET_RAW] = "CAP_NET_RAW",
        [CAP_IPC_LOCK] = "CAP_IPC_LOCK",
        [CAP_IPC_OWNER] = "CAP_IPC_OWNER",
        [CAP_SYS_MODULE] = "CAP_SYS_MODULE",
        [CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
        [CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
        [CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
        [CAP_SYS_PACCT] = "CAP_SYS_PACCT",
        [CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
        [CAP_SYS_BOOT] = "CAP_SYS_BOOT",
        [CAP_SYS_NICE] = "CAP_SYS_NICE",
        [CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
        [CAP_SYS_TIME] = "CAP_SYS_TIME",
        [CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
        [CAP_MKNOD] = "CAP_MKNOD",
        [CAP_LEASE] = "CAP_LEASE",
        [CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
        [CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
        [CAP_SETFCAP] = "CAP_SETFCAP",
        [CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
        [CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
        [CAP_SYSLOG] = "CAP_SYSLOG",
        [CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
        [CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
        [CAP_AUDIT_READ] = "CAP_AUDIT_READ",
        [CAP_PERFMON] = "CAP_PERFMON",
        [CAP_BPF] = "CAP_BPF",
        [CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

const char *capability_name(unsigned capability) {
        return capability < ELEMENTSOF(names) ? names[capability] : NULL;
}

void capability_list(void) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                printf("%s\n", names[i]);
}

static int parse_one(const char *name, uint64_t *mask) {
        uint64_t number;

        if (parse_unsigned(name, 0, ELEMENTSOF(names) - 1, &number) == 0) {
                *mask |= CAPABILITY_BIT(number);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(name, names[i]) == 0 || strcasecmp(name, names[i] + strlen("CAP_")) == 0) {
                        *mask |= CAPABILITY_BIT(i);
                        return 0;
                }
        return -EINVAL;
}

/* The known name that is nearest to WORD, or NULL if none is near: one edit in three letters. */
static const char *nearest(const char *word) {
        char upper[64];
        size_t n = 0;
        const char *result = NULL;

        for (; word[n] && n < sizeof upper - 1; n++)
                upper[n] = (char) (word[n] >= 'a' && word[n] <= 'z' ? word[n] - 'a' + 'A' : word[n]);
        upper[n] = 0;
        const char *bare = text_starts_with(upper, "CAP_") ? upper + strlen("CAP_") : upper;
        size_t best = strlen(bare) / 3 + 1;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                size_t d = text_distance(bare, names[i] + strlen("CAP_"));
                if (d < best) {
                        best = d;
                        result = names[i];
                }
        }
        return result;
}

int capability_parse_list(const char *text, bool allow_all, uint64_t *ret, struct error *error) {
        struct strv words = { 0 };
        uint64_t mask = 0;
        int r = strv_split(&words, text, ", \t") < 0 ? error_memory(error) : 0;

        for (size_t i = 0; r >= 0 && i < words.count; i++) {
                const char *word = words.items[i];
                if (allow_all && strcasecmp(word, "all") == 0) {
                        mask = UINT64_MAX;
                        continue;
                }
                if (parse_one(word, &mask) >= 0)
                        continue;
                r = error_set(error, EINVAL, "unknown capability %s", word);
                const char *guess = nearest(word);
                if (guess && error)
                        error_hint(error, "did you mean %s?", guess);
        }
        strv_free(&words);
        if (r >= 0)
                *ret = mask;
        return r;
}

uint64_t capability_bounding_probe(void) {
        uint64_t mask = 0;

        /* EINVAL is the kernel's way to say that there are no more (PR_CAPBSET_READ(2const)). */
        for (unsigned c = 0; c < 64; c++) {
                int held = prctl(PR_CAPBSET_READ, c, 0, 0, 0);
                if (held < 0)
                        break;
                if (held > 0)
                        mask |= CAPABILITY_BIT(c);
        }
        return mask;
}

static int drop_bounding(uint64_t retained, struct error *error) {
        for (unsigned c = 0; c < 64; c++) {
                if (retained & CAPABILITY_BIT(c))
                        continue;
                if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == 0)
                        continue;
                if (errno == EINVAL)
                        break; /* one more than this kernel knows */
                return error_set(error, errno, "cannot drop %s: %m",
                                 capability_name(c) ? capability_name(c) : "a capability");
        }
        return 0;
}

/* Where there are two generations of a call, the first takes ids of 16 bits (setresuid(2)). */
#ifdef SYS_setresuid32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETRESUID SYS_setresuid32
#else
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETRESUID SYS_setresuid
#endif

/* Permitted capabilities survive the change of the user only with PR_SET_KEEPCAPS; effective ones never do. The system
 * calls are made directly: glibc's would look for other threads. */
static int change_user(const struct credentials *c, struct error *error) {
        if (syscall(CALL_SETGROUPS, c->n_groups, c->groups) < 0)
                return error_set(error, errno, "cannot set the supplementary groups: %m");
        if (syscall(CALL_SETRESGID, c->gid, c->gid, c->gid) < 0)
                return error_set(error, errno, "cannot become group %u: %m", c->gid);
        if (c->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return error_set(error, errno, "cannot keep capabilities: %m");
        if (syscall(CALL_SETRESUID, c->uid, c->uid, c->uid) < 0)
                return error_set(error, errno, "cannot become user %u: %m", c->uid);
        if (c->uid != 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
                return error_set(error, errno, "cannot stop keeping capabilities: %m");
        return 0;
}

static int raise_ambient(uint64_t ambient, struct error *error) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
                return error_set(error, errno, "cannot clear the ambient capabilities: %m");
        for (unsigned c = 0; c < 64; c++)
                if ((ambient & CAPABILITY_BIT(c)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
                        return error_set(error, errno, "cannot raise the ambient %s: %m", capability_name(c));
        return 0;
}

int capability_apply(const struct capability_plan *plan, struct error *error) {
        bool root = plan->credentials.uid == 0;
        uint64_t held = root ? plan->retained : plan->ambient;
        struct capability_sets sets;
        int r = drop_bounding(plan->retained, error); /* needs CAP_SETPCAP, so before anything is given away */

        if (r >= 0)
                r = change_user(&plan->credentials, error);
        if (r < 0)
                return r;
        if (sys_capget(&sets) < 0)
                return error_set(error, errno, "cannot read the capabilities: %m");
        held &= sets.permitted;
        sets = (struct capability_sets){ .effective = root ? held : 0,
                                         .permitted = held,
                                         .inheritable = plan->ambient & held };
        if (sys_capset(&sets) < 0)
                return error_set(error, errno, "cannot set the capabilities: %m");
        return raise_ambient(plan->ambient & held, error);
}
