/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What this host and this root are like: looked at once, before the plan is made; nothing is changed. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "basic/error.h"
#include "basic/text.h"
#include "isolation/devices.h"
#include "launcher/init.h"
#include "launcher/spec.h"
#include "mounts/image.h"

#define PROBE_TEXT_LIMIT (64 * 1024) /* bytes that are read of any text file of an image */

/* A directory of cgroup2 that new groups can be made in. */
struct cgroup_place {
        bool available; /* cgroup2 is in this kernel and our own group was found */
        bool delegated; /* the service manager leaves its inside to us */
        char *path; /* our group, as in /proc/self/cgroup: "/user.slice/…"; "/" at least; without the "/supervisor"
                       that is already ours in a delegated one */
};

/* The properties of a scope that are ours to honour where no manager makes one. */
#define DEVICE_ALLOW "DeviceAllow="
#define DEVICE_POLICY "DevicePolicy="

enum device_source { DEVICE_CLOSED, DEVICE_USUAL, DEVICE_BOUND, DEVICE_ALLOWED };
struct device_use {
        char *node; /* "/dev/null", or a class: "char-pts" */
        const char *origin;
        enum device_source source;
        struct device_rule rule;
};
struct device_list {
        struct device_use *uses;
        size_t count;
};
/* Appends a copy of *USE. Returns 0, -ENOSPC or -ENOMEM. */
int device_list_add(struct device_list *list, const struct device_use *use, struct error *error);
void device_list_free(struct device_list *list);

struct host_probe {
        bool root;                  /* effective uid 0 */
        uint64_t bounding;          /* capabilities that we hold ourselves and may hand on */
        bool stream_is_terminal[3]; /* descriptors 0 to 2 */
        bool journal_stream;        /* standard output is a stream of a journal */
        unsigned stream_was_closed; /* bit N: descriptor N was closed and is /dev/null now */
        bool has_fuse, has_tun;     /* the node opens read-write */
        bool has_kcore;
        rlim_t nr_open;                                              /* fs.nr_open */
        struct rlimit init_nproc, init_sigpending;                   /* of the host's PID 1 */
        char *os_release;                                            /* text, or NULL */
        bool resolv_conf, resolv_static, resolv_uplink, resolv_stub; /* the file exists */
        bool stub_listens;                                           /* something is bound to 127.0.0.53:53 */
        char *zone;     /* "Europe/Berlin", or NULL if /etc/localtime is no link into a zone directory */
        bool localtime; /* /etc/localtime exists */
        int sockets;    /* descriptors 3 and on that a service manager has passed for the payload */
        struct cgroup_place cgroup;
        struct device_list devices; /* those that the spec names */
        bool bus;                   /* there is a system bus, and it may be used */
        struct strv environ;        /* our own environment, borrowed strings copied */
        char *working_directory;    /* our cwd's path, or NULL */
        char *host_name;
        bool machine_id_known;
        struct id128 machine_id; /* of the host */
};

struct root_probe {
        int fd;          /* O_PATH|O_DIRECTORY of the root; owned */
        int lock_fd;     /* readable descriptor of the root, or of its disk image, for the lock; owned */
        char *path;      /* as it can be shown */
        char *real_path; /* canonical on the host */
        dev_t device;    /* of what is locked */
        ino_t inode;
        struct image image; /* if image.path is set; the other paths are the image's then */
        bool read_only;     /* asked for, or all that the image gives */
        bool is_host_root;  /* the same directory as the host's "/" */
        bool has_os_release;
        char *machine_id_text; /* first line of /etc/machine-id, or NULL */
        char *init_path;       /* first init found, or NULL */
        char *init_resolved;   /* where it leads inside the root */
        const struct init_kind *init;
        bool has_resolv_conf;     /* /etc/resolv.conf resolves to a regular file */
        bool resolv_conf_in_run;  /* it is a link into /run, whose target will be ours to make */
        char *resolv_conf_target; /* that target */
        char *localtime_zone;     /* zone that /etc/localtime links to, or NULL */
        bool has_localtime;
        bool has_host_zone; /* the host's zone exists in the root's zone directory */
};

struct probe {
        struct host_probe host;
        struct root_probe root;
};

/* Looks at those parts of the host that SPEC makes matter. ENVIRON is copied; WAS_CLOSED as
 * fd_fill_standard_streams() said. */
int probe_host(const struct spec *spec, char *const environment[], unsigned was_closed, struct host_probe *ret,
               struct error *error);
/* The devices that SPEC binds or allows, with DEVICES, the text of proc_devices(5); appended to *RET. Returns 0 or a
 * negative errno. */
int probe_devices(const struct spec *spec, const char *devices, struct device_list *ret, struct error *error);
/* Opens the root that SPEC names and looks at it. The directory itself may be reached through a symlink on the host
 * (the command line is trusted). */
int probe_root(const struct spec *spec, const struct host_probe *host, struct root_probe *ret, struct error *error);
void probe_free(struct probe *probe);
