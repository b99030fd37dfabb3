/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The system call filter of a container (seccomp(2)).
 *
 * What is usual is compiled when the project is built and is a constant in the program. Other capabilities than the
 * usual, and what a user adds or takes away, are compiled at start, from the table that was made then: that takes less
 * time than to load a library, and gives one program rather than a stack of them.
 *
 * A call that is known and not allowed fails with EPERM; one that nobody has heard of yet fails with ENOSYS, so that
 * the payload takes its fallback. Nothing kills. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/error.h"
#include "basic/text.h"

struct filter_request {
        uint64_t capabilities;    /* what the payload's bounding set will hold */
        const struct strv *allow; /* names of calls and @groups to add; may be NULL */
        const struct strv *deny;  /* to take away: wins over all else; may be NULL */
        bool terminal;            /* the payload gets a terminal of the caller's: no typing into it */
};

/* One program. */
struct filter_part {
        const char *name; /* for people: "default", "custom" or "terminal". Static. */
        const struct sock_filter *program;
        size_t length;              /* instructions */
        struct sock_filter *buffer; /* what to free, or NULL for a table of the program itself */
};

/* The programs to install, in this order: the kernel runs the last one first. */
enum { FILTER_PARTS = 4 };
struct filter_set {
        struct filter_part parts[FILTER_PARTS];
        size_t count;
};

/* Chooses or compiles the programs. Allocates nothing in the usual case. A name that is no call of this machine is
 * warned about and left out; an unknown @group is an error. Returns 0, -EINVAL (no such group) or -ENOMEM, with *ERROR
 * filled. The caller frees *RET with filter_set_free(). */
int filter_prepare(const struct filter_request *request, struct filter_set *ret, struct error *error);

/* Installs SET in the calling thread, for good. Needs CAP_SYS_ADMIN in its user namespace, or no_new_privs
 * (seccomp(2)). A kernel without seccomp filters is no error: it is warned about. Returns 0 or a negative errno. */
int filter_install(const struct filter_set *set, struct error *error);

void filter_set_free(struct filter_set *set);
