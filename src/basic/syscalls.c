/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/syscalls.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SPAWN_FAULT_INJECTION
/* Is NAME in the comma separated list of calls that are to look unimplemented? */
static bool missing(const char *name) {
        const char *list = getenv("SPAWN_TEST_ENOSYS");
        size_t n = strlen(name);

        for (const char *p = list; p && (p = strstr(p, name)); p += n)
                if ((p == list || p[-1] == ',') && (p[n] == 0 || p[n] == ',')) {
                        errno = ENOSYS;
                        return true;
                }
        return false;
}
#else
static inline bool missing(const char *name) {
        (void) name;
        return false;
}
#endif

#define CALL(name, ...) (missing(#name) ? -1 : syscall(SYS_##name, __VA_ARGS__))

int sys_openat2(int dirfd, const char *path, const struct open_how *how) {
        return (int) CALL(openat2, dirfd, path, how, sizeof *how);
}

pid_t sys_clone3(struct clone_args *args, size_t size) {
        return (pid_t) CALL(clone3, args, size);
}

pid_t sys_clone_any(struct clone_args *args) {
        pid_t pid = sys_clone3(args, sizeof *args);

        if (pid >= 0 || (errno != ENOSYS && errno != EPERM))
                return pid;
        args->flags &= ~(uint64_t) CLONE_INTO_CGROUP;
        unsigned long flags = (unsigned long) args->flags | (unsigned long) args->exit_signal;
#if defined(__s390__) || defined(__CRIS__)
        return (pid_t) syscall(SYS_clone, NULL, flags, (void *) (uintptr_t) args->pidfd, NULL, 0);
#else
        return (pid_t) syscall(SYS_clone, flags, NULL, (void *) (uintptr_t) args->pidfd, NULL, 0);
#endif
}

int sys_close_range(unsigned first, unsigned last, unsigned flags) {
        return (int) CALL(close_range, first, last, flags);
}

int sys_pidfd_open(pid_t pid, unsigned flags) {
        return (int) CALL(pidfd_open, pid, flags);
}

int sys_pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags) {
        return (int) CALL(pidfd_send_signal, pidfd, signal, info, flags);
}

int sys_fsopen(const char *type, unsigned flags) {
        return (int) CALL(fsopen, type, flags);
}

int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
        return (int) CALL(fsconfig, fd, command, key, value, aux);
}

int sys_fsmount(int fd, unsigned flags, unsigned attributes) {
        return (int) CALL(fsmount, fd, flags, attributes);
}

int sys_open_tree(int dirfd, const char *path, unsigned flags) {
        return (int) CALL(open_tree, dirfd, path, flags);
}

int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
        return (int) CALL(move_mount, from, from_path, to, to_path, flags);
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr, size_t size) {
        return (int) CALL(mount_setattr, dirfd, path, flags, attr, size);
}

int sys_pivot_root(const char *new_root, const char *put_old) {
        return (int) CALL(pivot_root, new_root, put_old);
}

int sys_umount2(const char *path, int flags) {
        return (int) CALL(umount2, path, flags);
}

int sys_capget(struct capability_sets *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { 0 };

        if (syscall(SYS_capget, &header, data) < 0)
                return -1;
        ret->effective = data[0].effective | (uint64_t) data[1].effective << 32;
        ret->permitted = data[0].permitted | (uint64_t) data[1].permitted << 32;
        ret->inheritable = data[0].inheritable | (uint64_t) data[1].inheritable << 32;
        return 0;
}

int sys_capset(const struct capability_sets *sets) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        for (unsigned i = 0; i < 2; i++) {
                data[i].effective = (uint32_t) (sets->effective >> (32 * i));
                data[i].permitted = (uint32_t) (sets->permitted >> (32 * i));
                data[i].inheritable = (uint32_t) (sets->inheritable >> (32 * i));
        }
        return (int) syscall(SYS_capset, &header, data);
}

int sys_seccomp_filter(unsigned flags, const void *program) {
        return (int) CALL(seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

int sys_bpf(int command, const void *attr, unsigned size) {
        return (int) CALL(bpf, command, attr, size);
}

long sys_keyctl_join_session(void) {
        return CALL(keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
}
