/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "mounts/context.h"

/* The helper's whole life: to be there until the other end is closed, by its maker's death too. */
static _Noreturn void hold(int reader, int writer) {
        char byte;

        close(writer);
        while (read(reader, &byte, 1) < 0 && errno == EINTR)
                ;
        _exit(0);
}

static int write_map(int proc, pid_t pid, const char *name, unsigned disk, unsigned shown) {
        char path[64], line[64];

        snprintf(path, sizeof path, "%d/%s", (int) pid, name);
        int n = snprintf(line, sizeof line, "%u %u 1\n", disk, shown);
        _cleanup_close_ int fd = openat(proc, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* One write(2), and only one: user_namespaces(7). */
        return write(fd, line, (size_t) n) < 0 ? -errno : 0;
}

/* The number of the helper is not given to anyone else before it is waited for. */
static int map_and_open(int proc, pid_t pid, const struct owner *disk, const struct owner *shown) {
        char path[64];
        int r = write_map(proc, pid, "uid_map", disk->uid, shown->uid);

        if (r >= 0)
                r = write_map(proc, pid, "gid_map", disk->gid, shown->gid);
        if (r < 0)
                return r;
        snprintf(path, sizeof path, "%d/ns/user", (int) pid);
        int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int idmap_namespace(int proc, const struct owner *disk, const struct owner *shown, pid_t tid) {
        struct clone_args args = {
                .flags = CLONE_NEWUSER,
                .exit_signal = SIGCHLD,
                .set_tid = tid > 0 ? (uint64_t) (uintptr_t) &tid : 0,
                .set_tid_size = tid > 0,
        };
        int pipe[2];

        if (pipe2(pipe, O_CLOEXEC) < 0)
                return -errno;
        pid_t pid = sys_clone_any(&args);
        if (pid == 0)
                hold(pipe[0], pipe[1]);
        int r = pid < 0 ? -errno : map_and_open(proc, pid, disk, shown);
        close(pipe[0]);
        close(pipe[1]);
        while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
                ;
        return r;
}

/* The name of a type of file system, for a message. */
static const char *type_name(int mount, char buffer[static 32]) {
        static const struct {
                unsigned long magic;
                const char *name;
        } types[] = {
                { PROC_SUPER_MAGIC, "proc" },
                { SYSFS_MAGIC, "sysfs" },
                { CGROUP2_SUPER_MAGIC, "cgroup2" },
                { DEVPTS_SUPER_MAGIC, "devpts" },
                { TMPFS_MAGIC, "tmpfs" },
                { RAMFS_MAGIC, "ramfs" },
                { EXT4_SUPER_MAGIC, "ext4" },
                { XFS_SUPER_MAGIC, "xfs" },
                { BTRFS_SUPER_MAGIC, "btrfs" },
                { F2FS_SUPER_MAGIC, "f2fs" },
                { OVERLAYFS_SUPER_MAGIC, "overlay" },
                { FUSE_SUPER_MAGIC, "fuse" },
                { NFS_SUPER_MAGIC, "nfs" },
                { CIFS_SUPER_MAGIC, "cifs" },
                { SMB2_SUPER_MAGIC, "smb3" },
                { V9FS_MAGIC, "9p" },
                { CEPH_SUPER_MAGIC, "ceph" },
                { MSDOS_SUPER_MAGIC, "vfat" },
                { EXFAT_SUPER_MAGIC, "exfat" },
                { ISOFS_SUPER_MAGIC, "iso9660" },
                { SQUASHFS_MAGIC, "squashfs" },
                { EROFS_SUPER_MAGIC_V1, "erofs" },
                { 0x2fc12fc1, "zfs" },
        };
        struct statfs fs;

        if (fstatfs(mount, &fs) < 0)
                return "unknown";
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (types[i].magic == ((unsigned long) fs.f_type & 0xffffffff))
                        return types[i].name;
        snprintf(buffer, 32, "type 0x%lx", (unsigned long) fs.f_type & 0xffffffff);
        return buffer;
}

/* EINVAL: a file system or, below Linux 5.12, a kernel that cannot; EPERM: mapped already, or not ours to map. */
static int set_error(int mount, const struct mount_op *op, int code, struct error *error) {
        const char *source = op->source ? op->source : "an empty source";
        char buffer[32];

        if (code != EINVAL && code != EOPNOTSUPP && code != EPERM)
                return op_error(op, code, error, "cannot map the owner of %s (%s): %m", source,
                                type_name(mount, buffer));
        op_error(op, code, error, "cannot map the owner of %s: %s (%s)", source,
                 code == EPERM ? "it is mapped already, or belongs to another user namespace"
                               : "its file system cannot be mapped on this kernel",
                 type_name(mount, buffer));
        return op->recursive && error
                       ? error_hint(error,
                                    "what is mounted below it is mapped too; the option norbind leaves that out")
                       : -code;
}

int idmap_set(int mount, const struct mount_op *op, int proc, const struct owner *shown, pid_t tid,
              struct error *error) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
        struct stat st;

        if (fstat(mount, &st) < 0)
                return op_error(op, errno, error, "cannot look at %s: %m", op->source ? op->source : op->target);
        const struct owner disk = { st.st_uid, st.st_gid };
        _cleanup_close_ int namespace = idmap_namespace(proc, &disk, shown, tid);
        if (namespace < 0)
                return op_error(op, -namespace, error, "cannot make a user namespace to map the owner of %s: %m",
                                op->source ? op->source : "an empty source");
        attr.userns_fd = (uint64_t) namespace;
        return sys_mount_setattr(mount, "", AT_EMPTY_PATH | (op->recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) < 0
                       ? set_error(mount, op, errno, error)
                       : 0;
}
