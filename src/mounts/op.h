/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is to be mounted, as data: the plan holds a list of these, launch carries it out, --explain prints it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

/* A node of a file system that is made and filled while detached, before anything of the image is near it. */
enum entry_kind { ENTRY_DIRECTORY, ENTRY_FILE, ENTRY_SYMLINK, ENTRY_FIFO, ENTRY_SOCKET, ENTRY_CHARACTER, ENTRY_BLOCK };
struct tree_entry {
        enum entry_kind kind;
        const char *path;    /* relative to the file system's root, parents first */
        mode_t mode;         /* permission bits, exact whatever the umask */
        dev_t device;        /* ENTRY_CHARACTER, ENTRY_BLOCK */
        const char *content; /* ENTRY_FILE: its text; ENTRY_SYMLINK: its target */
        bool optional;       /* a node that the host forbids is left out with a debug line (device cgroup, nesting) */
};

enum mount_kind {
        MOUNT_NEW,    /* a new file system: type, options, entries */
        MOUNT_BIND,   /* a clone of a host path, or of a path of the tree with source_in_root */
        MOUNT_ATTACH, /* a subtree of the container's own tree, bound on itself so that it gets attributes of its own
                         (e.g. /proc/sys read-only). Skipped where it does not exist if optional */
        MOUNT_MASK,   /* an empty mode-0 node of the target's type over the target: nothing can be read or written */
};

/* When the source is made ready: before clone3 in the host's namespaces, or after it in the container's (a procfs,
 * sysfs, mqueue or cgroup2 instance belongs to the namespaces of whoever calls fsopen). */
enum mount_side { SIDE_PARENT, SIDE_CHILD };

/* MOUNT_BIND: whose the owner of the source shows as inside, all other ids unmapped. */
enum id_map {
        ID_MAP_NONE,  /* everybody's: as on disk */
        ID_MAP_ROOT,  /* root's */
        ID_MAP_OWNER, /* that of what the target covers */
};

struct mount_op {
        enum mount_kind kind;
        enum mount_side side;
        char *target; /* absolute path inside the container, normalised */
        char *source; /* MOUNT_BIND: the path, relative ones against the caller's working directory;
                         MOUNT_NEW: the source name shown in mountinfo, or NULL for the type; MOUNT_BIND with
                         NULL: an empty directory that lives on a tmpfs of its own (the "empty source") */
        enum id_map id_map;
        bool source_in_root;       /* MOUNT_BIND: the source is a path inside the container (`+PATH`) */
        bool recursive;            /* MOUNT_BIND: with the mounts below it; attributes apply to all of them */
        char *type;                /* MOUNT_NEW: file system type */
        char *options;             /* MOUNT_NEW: file system options, comma separated, or NULL */
        uint64_t attributes;       /* MOUNT_ATTR_RDONLY, _NOSUID, _NODEV, _NOEXEC, _STRICTATIME, … to be set */
        uint64_t clear;            /* MOUNT_BIND: MOUNT_ATTR_* to be cleared (an fstab's `suid`, `rw`, …) */
        unsigned long propagation; /* MS_PRIVATE, MS_SLAVE… for this mount, or 0 */
        bool optional;             /* failure or absence is a debug line, not an end */
        bool create;         /* a missing target is made in the image: 0755 directories, an empty 0644 file; never in a
                                read-only tree */
        bool real_directory; /* the target must be a directory itself, not a symlink (/proc, /sys, /dev, /run, /tmp) */
        bool no_follow;      /* a symlink as the target's final component is covered itself, not what it leads to */
        struct tree_entry *entries; /* MOUNT_NEW on SIDE_PARENT: what it is filled with */
        size_t n_entries;
        char *origin; /* where it came from: "default", "--bind", "FILE:LINE" */
};

struct mount_list {
        struct mount_op *ops;
        size_t count;
};

void mount_op_free(struct mount_op *op);
void mount_list_free(struct mount_list *list);
/* Appends OP and takes over its strings (also on failure, when they are freed). Returns 0 or -ENOMEM. */
int mount_list_add(struct mount_list *list, struct mount_op *op);
/* Appends an entry; PATH and CONTENT are copied. Returns 0 or -ENOMEM. */
int mount_op_add_entry(struct mount_op *op, const struct tree_entry *entry);
/* Sorts custom mounts by target, parents before children, keeping the order of equal ones (the later one covers). */
void mount_list_sort(struct mount_list *list);
