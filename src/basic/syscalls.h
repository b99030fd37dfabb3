/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* System calls that the C library lacks or wraps in ways that do not serve. All return the result, or -1 with errno.
 *
 * In a build with -Dfault_injection=true the environment variable SPAWN_TEST_ENOSYS=name,name makes the named calls
 * fail with ENOSYS, so that every fallback is run by the tests. */

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2(2), Linux 5.6. */
int sys_openat2(int dirfd, const char *path, const struct open_how *how);
/* clone3(2), Linux 5.3. Returns the pid in the parent, 0 in the child. */
pid_t sys_clone3(struct clone_args *args, size_t size);
/* The same; where a filter denies clone3 (ENOSYS or EPERM: container engines do, since a filter cannot look behind its
 * pointer) by clone(2), which cannot do CLONE_INTO_CGROUP: that flag is taken out of *ARGS then, and the
 * child has to enter by itself. */
pid_t sys_clone_any(struct clone_args *args);
/* close_range(2), Linux 5.9. */
int sys_close_range(unsigned first, unsigned last, unsigned flags);
/* pidfd_open(2), Linux 5.3; pidfd_send_signal(2), Linux 5.1. */
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags);
/* The mount calls by descriptor, Linux 5.2 (mount_setattr: 5.12). */
int sys_fsopen(const char *type, unsigned flags);
int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attributes);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr, size_t size);
int sys_pivot_root(const char *new_root, const char *put_old);
/* umount2(2): <sys/mount.h> cannot be included beside <linux/mount.h>, both define the same enums. */
int sys_umount2(const char *path, int flags);
/* capget(2), capset(2) in their version 3 form: two words for each set. */
struct capability_sets {
        uint64_t effective, permitted, inheritable;
};
int sys_capget(struct capability_sets *ret);
int sys_capset(const struct capability_sets *sets);
/* seccomp(2) SECCOMP_SET_MODE_FILTER. PROGRAM is a struct sock_fprog. */
int sys_seccomp_filter(unsigned flags, const void *program);
/* bpf(2). ATTR is a union bpf_attr. */
int sys_bpf(int command, const void *attr, unsigned size);
long sys_keyctl_join_session(void);
