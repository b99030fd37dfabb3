/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What will be done, in order, on this host and to this root. Made from the spec and the probe; making it changes
 * nothing, so it can be printed and tested without being root. Launch carries it out and decides nothing. */

#include <stdbool.h>
#include <stdint.h>

#include "isolation/filter.h"
#include "launcher/probe.h"
#include "launcher/spec.h"
#include "mounts/op.h"

/* A file of the tree that is written because it was asked for. Done by the child once the tree is mounted. */
enum write_kind { WRITE_COPY, WRITE_REPLACE, WRITE_SYMLINK, WRITE_DELETE, WRITE_DIRECTORY };
struct file_write {
        enum write_kind kind;
        const char *target; /* path inside the root */
        char *content;      /* the bytes, or the symlink's target */
        bool in_run;        /* lands in our own /run, not in the image */
        const char *origin;
        size_t size; /* of the content; 0: it is text */
};
#define PLAN_WRITES 4

/* What is made on the host so that it finds the container's journal among its own; it stays. */
struct journal_link {
        char *path;   /* /var/log/journal/ID; NULL: nothing */
        char *target; /* of a symlink; NULL: it is a directory */
        bool optional;
};

/* Where the payload's own control group is made. */
enum group_place {
        GROUP_NONE,  /* it has none, and sees its caller's read-only */
        GROUP_BELOW, /* in our own group, named after the machine: there is no manager to ask */
        GROUP_UNIT,  /* "payload" in our delegated unit, beside our own "supervisor" */
        GROUP_SCOPE, /* "payload" in the scope that the manager makes; where it makes none, GROUP_BELOW */
};

struct plan {
        const struct spec *spec;   /* borrowed */
        const struct probe *probe; /* borrowed */

        char *machine, *host_name;
        struct id128 machine_id, boot_id;
        uint64_t namespaces; /* CLONE_NEW* */
        enum group_place group;
        char *group_name;           /* its name with GROUP_BELOW */
        struct device_list devices; /* what it may use */
        bool device_filter;         /* by the manager's scope, or by us in a group that we make */
        bool announce;              /* to the host's service manager and machined */

        bool tree_read_only;
        struct mount_list mounts;
        struct file_write writes[PLAN_WRITES];
        size_t n_writes;
        struct journal_link journal;
        bool session;   /* the container can be left and come back to: see presence.h */
        char *incoming; /* directory of the host's that machined mounts into, or NULL */

        uint64_t bounding, ambient;
        bool filter; /* install the system call filter */
        struct filter_request filter_request;
        struct rlimit limits[SPEC_LIMITS];

        bool console_plain; /* what is shown of the console goes to a journal: lines without control sequences */
        enum console_mode console;     /* never DEFAULT or AUTOPIPE */
        struct strv environment;       /* without what depends on the user: HOME, USER, LOGNAME */
        const char *working_directory; /* NULL: the user's home for a shell, else "/" */
        const char *user;              /* NULL: root */
        const struct init_kind *init;
        int kill_signal; /* 0: what the init's row says */
        uint64_t stop_timeout_usec;
};

/* Fills *RET. Returns 0 or a negative errno with *ERROR filled; notes are logged. */
int plan_make(const struct spec *spec, const struct probe *probe, struct plan *ret, struct error *error);
void plan_free(struct plan *plan);

/* The parts of it that have a file of their own. */
int plan_image(struct plan *plan, struct error *error);
int plan_mounts(struct plan *plan, struct error *error);
int plan_files(struct plan *plan, struct error *error);
int plan_devices(struct plan *plan, struct error *error);
int plan_environment(struct plan *plan, struct error *error);
int plan_incoming(struct plan *plan, struct error *error);
int plan_journal(struct plan *plan, struct error *error);
/* Whether the --property= is about devices: it is honoured without a manager as well. */
bool device_property(const char *property);
/* Which of the modes a run without --console gets, and what AUTOPIPE stands for. */
enum console_mode console_resolve(enum console_mode asked, enum start_mode start, const bool is_terminal[static 3]);

/* The machine name that the root's PATH gives: its last component without what a host name cannot hold, so "foo_bar"
 * becomes "foobar"; that of an IMAGE without ".raw". NULL if nothing remains (or memory is exhausted). The caller
 * frees. */
char *plan_machine_name(const char *path, bool image);

/* Prints the plan for people or as JSON (RFC 8259) to standard output. Returns 0 or a negative errno. */
int plan_explain(const struct plan *plan, enum explain_format format);
