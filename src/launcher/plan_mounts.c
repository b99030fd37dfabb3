/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file systems that a container needs, as a table; then what the user asked for on top. */

#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "launcher/plan.h"

/* makedev(3) for small numbers, as a constant: the low byte is the minor, the next the major. */
#define DEVICE(major, minor) ((dev_t) (major) << 8 | (minor))

enum {
        S = MOUNT_ATTR_NOSUID,
        D = MOUNT_ATTR_NODEV,
        X = MOUNT_ATTR_NOEXEC,
        R = MOUNT_ATTR_RDONLY,
        T = MOUNT_ATTR_STRICTATIME,
};

enum when {
        ALWAYS = 0,
        WHEN_BOOT_TMP = 1 << 0, /* /tmp: a booted system expects it empty; a command's user wants the image's */
        WHEN_PRIVATE_NETWORK = 1 << 1,
        WHEN_NO_CGROUP_OF_OWN = 1 << 2,
        WHEN_OWN_CGROUP = 1 << 3,
        UNLESS_WRITABLE = 1 << 4,   /* not with $SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes */
        WHEN_NET_WRITABLE = 1 << 5, /* /proc/sys/net is the container's own, or was asked for */
};

enum { OPTIONAL = 1 << 0, TOP = 1 << 1 }; /* TOP: a mount point of the image, made if missing, never a symlink */

static const struct api_mount {
        const char *target;
        enum mount_kind kind;
        enum mount_side side;
        const char *type, *options;
        unsigned attributes, clear;
        unsigned when, flags;
        const char *source_in_root;
} table[] = {
        { "/proc", MOUNT_NEW, SIDE_CHILD, "proc", NULL, S | D | X, 0, ALWAYS, TOP },
        { "/sys", MOUNT_NEW, SIDE_CHILD, "sysfs", NULL, R | S | D | X, 0, UNLESS_WRITABLE, TOP },
        { "/dev", MOUNT_NEW, SIDE_PARENT, "tmpfs", "mode=0755,size=4m,nr_inodes=64k", S | T, 0, ALWAYS, TOP },
        { "/dev/pts", MOUNT_NEW, SIDE_PARENT, "devpts", "ptmxmode=0666,mode=0620,gid=5", S | X },
        { "/dev/shm", MOUNT_NEW, SIDE_PARENT, "tmpfs", "mode=01777,size=10%,nr_inodes=400k", S | D | T },
        { "/dev/mqueue", MOUNT_NEW, SIDE_CHILD, "mqueue", NULL, S | D | X, 0, ALWAYS, OPTIONAL },
        { "/run", MOUNT_NEW, SIDE_PARENT, "tmpfs", "mode=0755,size=20%,nr_inodes=800k", S | D | T, 0, ALWAYS, TOP },
        /* A file system of its own rather than a bind of /run on itself: nothing shows twice and nothing below it can
         * be reached writable from above. */
        { "/run/host", MOUNT_NEW, SIDE_PARENT, "tmpfs", "mode=0755,size=4m,nr_inodes=1k", R | S | D | X },
        { "/tmp", MOUNT_NEW, SIDE_PARENT, "tmpfs", "mode=01777,size=10%,nr_inodes=400k", S | D | T, 0, WHEN_BOOT_TMP,
          TOP },
        { "/sys/fs/cgroup", MOUNT_NEW, SIDE_CHILD, "cgroup2", NULL, S | D | X, 0, WHEN_OWN_CGROUP, OPTIONAL },
        /* Without a group of its own the payload sees its caller's: to look at, not to kill its siblings with. */
        { "/sys/fs/cgroup", MOUNT_NEW, SIDE_CHILD, "cgroup2", NULL, R | S | D | X, 0, WHEN_NO_CGROUP_OF_OWN,
          OPTIONAL },
        /* Without a user namespace what can be written here is the host's. */
        { "/proc/sys", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE },
        { "/proc/sys/net", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, S | D | X, R, UNLESS_WRITABLE | WHEN_NET_WRITABLE,
          OPTIONAL },
        { "/proc/kallsyms", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/kcore", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/keys", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/sysrq-trigger", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/timer_list", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/acpi", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/apm", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/asound", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/bus", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/fs", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/irq", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        { "/proc/scsi", MOUNT_ATTACH, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, UNLESS_WRITABLE, OPTIONAL },
        /* A network namespace of its own has a sysfs of its own, which is mounted whole; these parts of it tell of
         * the machine rather than of the container's devices. */
        { "/sys/firmware", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0,
          WHEN_PRIVATE_NETWORK | UNLESS_WRITABLE, OPTIONAL },
        { "/sys/hypervisor", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0,
          WHEN_PRIVATE_NETWORK | UNLESS_WRITABLE, OPTIONAL },
        { "/sys/module", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, WHEN_PRIVATE_NETWORK | UNLESS_WRITABLE,
          OPTIONAL },
        { "/sys/power", MOUNT_MASK, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, WHEN_PRIVATE_NETWORK | UNLESS_WRITABLE,
          OPTIONAL },
        { "/proc/sys/kernel/random/boot_id", MOUNT_BIND, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, ALWAYS, 0,
          "/run/host/proc-sys-kernel-random-boot-id" },
        { "/proc/kmsg", MOUNT_BIND, SIDE_CHILD, NULL, NULL, R | S | D | X, 0, ALWAYS, OPTIONAL,
          "/run/host/proc-kmsg" },
};

/* What /dev holds. Char devices that every program may count on (Documentation/admin-guide/devices.txt of Linux). */
static const struct tree_entry dev_entries[] = {
        { ENTRY_DIRECTORY, "pts", 0755 },
        { ENTRY_DIRECTORY, "shm", 0755 },
        { ENTRY_DIRECTORY, "mqueue", 0755 },
        { ENTRY_DIRECTORY, "char", 0755 },
        { ENTRY_CHARACTER, "null", 0666, DEVICE(1, 3) },
        { ENTRY_CHARACTER, "zero", 0666, DEVICE(1, 5) },
        { ENTRY_CHARACTER, "full", 0666, DEVICE(1, 7) },
        { ENTRY_CHARACTER, "random", 0666, DEVICE(1, 8) },
        { ENTRY_CHARACTER, "urandom", 0666, DEVICE(1, 9) },
        { ENTRY_CHARACTER, "tty", 0666, DEVICE(5, 0) },
        { ENTRY_SYMLINK, "char/1:3", 0, 0, "../null" },
        { ENTRY_SYMLINK, "char/1:5", 0, 0, "../zero" },
        { ENTRY_SYMLINK, "char/1:7", 0, 0, "../full" },
        { ENTRY_SYMLINK, "char/1:8", 0, 0, "../random" },
        { ENTRY_SYMLINK, "char/1:9", 0, 0, "../urandom" },
        { ENTRY_SYMLINK, "char/5:0", 0, 0, "../tty" },
        { ENTRY_SYMLINK, "fd", 0, 0, "/proc/self/fd" },
        { ENTRY_SYMLINK, "stdin", 0, 0, "/proc/self/fd/0" },
        { ENTRY_SYMLINK, "stdout", 0, 0, "/proc/self/fd/1" },
        { ENTRY_SYMLINK, "stderr", 0, 0, "/proc/self/fd/2" },
        { ENTRY_SYMLINK, "ptmx", 0, 0, "pts/ptmx" },
};
static const struct tree_entry dev_core[] = { { ENTRY_SYMLINK, "core", 0, 0, "/proc/kcore" } };
static const struct tree_entry dev_console[] = { { ENTRY_SYMLINK, "console", 0, 0, "pts/0" } };
static const struct tree_entry dev_fuse[] = {
        { ENTRY_CHARACTER, "fuse", 0666, DEVICE(10, 229), NULL, true },
        { ENTRY_SYMLINK, "char/10:229", 0, 0, "../fuse" },
};
static const struct tree_entry dev_tun[] = {
        { ENTRY_DIRECTORY, "net", 0755 },
        { ENTRY_CHARACTER, "net/tun", 0666, DEVICE(10, 200), NULL, true },
        { ENTRY_SYMLINK, "char/10:200", 0, 0, "../net/tun" },
};

/* What /run/host holds besides the files that are made from the plan. The nodes of "inaccessible" are what a mask is
 * made of: ours, so that an image cannot choose what covers /proc/kcore. */
static const struct tree_entry run_host_entries[] = {
        { ENTRY_DIRECTORY, "incoming", 0600 },
        { ENTRY_DIRECTORY, "credentials", 0700 },
        { ENTRY_SOCKET, "notify", 0222 },
        { ENTRY_FIFO, "proc-kmsg", 0600 },
        { ENTRY_DIRECTORY, "inaccessible", 0555 },
        { ENTRY_FILE, "inaccessible/reg", 0, 0, "" },
        { ENTRY_DIRECTORY, "inaccessible/dir", 0 },
        { ENTRY_FIFO, "inaccessible/fifo", 0 },
        { ENTRY_SOCKET, "inaccessible/sock", 0 },
        { ENTRY_CHARACTER, "inaccessible/chr", 0, DEVICE(0, 0), NULL, true },
        { ENTRY_BLOCK, "inaccessible/blk", 0, DEVICE(0, 0), NULL, true },
};

static const struct tree_entry run_entries[] = { { ENTRY_DIRECTORY, "host", 0755 } };

static bool applies(const struct plan *plan, unsigned when) {
        const struct spec *spec = plan->spec;
        bool tmp = (spec->origin[SETTING_TMPFS_TMP] ? spec->tmpfs_tmp : spec->start == START_BOOT) &&
                   !plan->probe->root.image.parts[PART_TMP].found;

        return (!(when & WHEN_BOOT_TMP) || tmp) && (!(when & WHEN_PRIVATE_NETWORK) || spec->private_network) &&
               (!(when & WHEN_OWN_CGROUP) || plan->group != GROUP_NONE) &&
               (!(when & WHEN_NO_CGROUP_OF_OWN) || plan->group == GROUP_NONE) &&
               (!(when & UNLESS_WRITABLE) || spec->api_vfs != API_VFS_WRITABLE) &&
               (!(when & WHEN_NET_WRITABLE) || spec->private_network || spec->api_vfs == API_VFS_NETWORK);
}

static char *copy(const char *text) {
        return text ? strdup(text) : NULL;
}

static struct mount_op *add_mount(struct mount_list *list, const struct api_mount *m, const char *origin,
                                  struct error *error) {
        struct mount_op op = {
                .kind = m->kind,
                .side = m->side,
                .target = copy(m->target),
                .source = copy(m->source_in_root),
                .source_in_root = m->source_in_root != NULL,
                .type = copy(m->type),
                .options = copy(m->options),
                .attributes = m->attributes,
                .clear = m->clear,
                .optional = m->flags & OPTIONAL,
                .create = m->flags & TOP,
                .real_directory = m->flags & TOP,
                .origin = copy(origin),
        };
        if (!op.target || !op.origin) {
                mount_op_free(&op);
                error_memory(error);
                return NULL;
        }
        if (mount_list_add(list, &op) < 0) {
                error_memory(error);
                return NULL;
        }
        return &list->ops[list->count - 1];
}

static int add_entries(struct mount_op *op, const struct tree_entry *entries, size_t n, struct error *error) {
        for (size_t i = 0; i < n; i++)
                if (mount_op_add_entry(op, &entries[i]) < 0)
                        return error_memory(error);
        return 0;
}

static int fill_dev(const struct plan *plan, struct mount_op *op, struct error *error) {
        const struct host_probe *host = &plan->probe->host;
        const struct {
                bool wanted;
                const struct tree_entry *entries;
                size_t n;
        } parts[] = {
                { true, dev_entries, ELEMENTSOF(dev_entries) },
                { host->has_kcore, dev_core, ELEMENTSOF(dev_core) },
                { plan->console != CONSOLE_PIPE, dev_console, ELEMENTSOF(dev_console) },
                { host->has_fuse, dev_fuse, ELEMENTSOF(dev_fuse) },
                { host->has_tun, dev_tun, ELEMENTSOF(dev_tun) },
        };
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                int r = parts[i].wanted ? add_entries(op, parts[i].entries, parts[i].n, error) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill_run_host(const struct plan *plan, struct mount_op *op, struct error *error) {
        char uuid[ID128_DASHED_SIZE], boot_id[ID128_DASHED_SIZE];
        int r;

        id128_dashed(&plan->machine_id, uuid);
        id128_dashed(&plan->boot_id, boot_id);
        _cleanup_free_ char *manager = text_format("%s\n", plan->spec->container_service);
        _cleanup_free_ char *uuid_line = text_format("%s\n", uuid);
        _cleanup_free_ char *boot_id_line = text_format("%s\n", boot_id);
        if (!manager || !uuid_line || !boot_id_line)
                return error_memory(error);
        struct tree_entry made[] = {
                { ENTRY_FILE, "container-manager", 0444, 0, manager },
                { ENTRY_FILE, "container-uuid", 0444, 0, uuid_line },
                { ENTRY_FILE, "proc-sys-kernel-random-boot-id", 0444, 0, boot_id_line },
                { ENTRY_FILE, "os-release", 0444, 0, plan->probe->host.os_release },
        };
        r = add_entries(op, run_host_entries, ELEMENTSOF(run_host_entries), error);
        return r < 0 ? r : add_entries(op, made, ELEMENTSOF(made) - !plan->probe->host.os_release, error);
}

static int fill(const struct plan *plan, struct mount_op *op, struct error *error) {
        if (text_equal(op->target, "/dev"))
                return fill_dev(plan, op, error);
        if (text_equal(op->target, "/run"))
                return add_entries(op, run_entries, ELEMENTSOF(run_entries), error);
        if (text_equal(op->target, "/run/host"))
                return fill_run_host(plan, op, error);
        return 0;
}

/* What the user asked for, by target, so that /a is mounted before /a/b. */
static int add_custom(struct plan *plan, struct error *error) {
        const struct mount_list *asked = &plan->spec->mounts;
        struct mount_list custom = { 0 };

        for (size_t i = 0; i < asked->count; i++) {
                struct mount_op op = asked->ops[i];
                op.target = copy(op.target);
                op.source = copy(op.source);
                op.type = copy(op.type);
                op.options = copy(op.options);
                op.origin = copy(op.origin);
                if (mount_list_add(&custom, &op) < 0) {
                        mount_list_free(&custom);
                        return error_memory(error);
                }
        }
        mount_list_sort(&custom);
        for (size_t i = 0; i < custom.count; i++) {
                struct mount_op op = custom.ops[i];
                custom.ops[i] = (struct mount_op){ 0 };
                if (mount_list_add(&plan->mounts, &op) < 0) {
                        mount_list_free(&custom);
                        return error_memory(error);
                }
        }
        mount_list_free(&custom);
        return 0;
}

int plan_mounts(struct plan *plan, struct error *error) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                struct api_mount m = table[i];
                /* "Writable" drops the read-only flag of /sys, not /sys itself. */
                if (text_equal(m.target, "/sys") && plan->spec->api_vfs == API_VFS_WRITABLE) {
                        m.when = ALWAYS;
                        m.attributes &= ~(unsigned) R;
                }
                if (!applies(plan, m.when))
                        continue;
                struct mount_op *op = add_mount(&plan->mounts, &m, "default", error);
                if (!op)
                        return -ENOMEM;
                int r = fill(plan, op, error);
                if (r < 0)
                        return r;
        }
        return add_custom(plan, error);
}
