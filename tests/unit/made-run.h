/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A /run of the test's own, and machines in it that say what the test wants. */

#include <sched.h>
#include <sys/mount.h>

#include "helpers.h"
#include "launcher/state.h"

static inline void in_a_run_of_our_own(void) {
        need_root();
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0) {
                print_message("no mount namespace can be made here\n");
                skip();
        }
}

/* A machine m1 whose supervisor is the test, and its leader LEADER (0: it is only starting). */
static inline struct state made_machine(pid_t leader, struct state_place *ret) {
        struct error e = { 0 };
        struct state s = { .name = "m1",
                           .root = "/a root\n",
                           .class = "container",
                           .console = "detached",
                           .supervisor = { getpid(), process_start(getpid()) },
                           .leader = { leader, leader ? process_start(leader) : 0 },
                           .started = 1000 };

        assert_int_equal(state_take("m1", ret, &e), 0);
        assert_int_equal(state_write(ret, &s, &e), 0);
        return s;
}
