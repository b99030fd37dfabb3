/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "console/escape.h"
#include "launcher/cleanup.h"
#include "launcher/detach.h"
#include "launcher/help.h"
#include "launcher/image_lock.h"
#include "launcher/lock.h"
#include "launcher/plan.h"
#include "launcher/presence.h"
#include "launcher/probe.h"
#include "launcher/settings.h"
#include "launcher/spec.h"
#include "launcher/supervise.h"

extern char **environ;

/* Takes what the spec asks for through plan and lock to its end. Returns the exit status. */
static int run(const struct plan *plan, struct detach *detach, struct error *error) {
        const struct spec *spec = plan->spec;
        struct image_lock lock = IMAGE_LOCK_NONE;
        char key[ESCAPE_NAME_SIZE];
        int r;

        if (spec->explain != EXPLAIN_NO)
                return plan_explain(plan, spec->explain) < 0 ? EXIT_OURS : 0;
        if (!plan->probe->host.root) {
                error_set(error, EPERM, "root is needed to start a container (namespaces, mounts and devices)");
                return error_hint(error, "use sudo, or --explain to see what would be done");
        }
        if (spec->lock) {
                r = lock_root(&plan->probe->root, plan->tree_read_only, error);
                if (r >= 0)
                        r = image_lock_take(&plan->probe->root, plan->tree_read_only, &lock, error);
                if (r < 0)
                        return r;
        }
        /* What spawn says of its own progress has no place between a command's lines. */
        if (plan->console == CONSOLE_PIPE && log_level() < LOG_DEBUG)
                log_set_level(LOG_WARNING);
        if (detach->viewer_fd >= 0 && spec->escape_key != ESCAPE_KEY_NONE)
                log_info("starting %s from %s; within a second, %s three times kills it, twice and then d leaves it, "
                         "twice and then ? lists the keys",
                         plan->machine, plan->probe->root.path, escape_name(spec->escape_key, key));
        else if (plan->console == CONSOLE_INTERACTIVE && spec->escape_key != ESCAPE_KEY_NONE)
                log_info("starting %s from %s; press %s three times within a second to kill it", plan->machine,
                         plan->probe->root.path, escape_name(spec->escape_key, key));
        else if (spec->start == START_BOOT || plan->console == CONSOLE_INTERACTIVE)
                log_info("starting %s from %s", plan->machine, plan->probe->root.path);
        if (spec->start == START_BOOT && spec->registration == REGISTER_AUTO && !plan->announce)
                log_info("not registered with machined: there is no system bus here");
        r = supervise(plan, detach);
        image_lock_release(&lock);
        return r;
}

/* Returns the exit status, or a negative errno with *ERROR filled. */
static int probe_and_run(const struct spec *spec, unsigned was_closed, struct error *error) {
        struct probe probe = { .root = { .fd = -EBADF, .lock_fd = -EBADF } };
        struct detach background = DETACH_NONE;
        struct plan plan;
        int r, status;

        r = probe_host(spec, environ, was_closed, &probe.host, error);
        if (r >= 0 && probe.host.root && spec->explain == EXPLAIN_NO && detach_wanted(spec, &probe.host)) {
                r = detach(spec, &probe.host, &background, &status, error);
                if (r > 0) {
                        probe_free(&probe);
                        return status;
                }
        }
        if (r >= 0)
                r = probe_root(spec, &probe.host, &probe.root, error);
        if (r >= 0)
                r = plan_make(spec, &probe, &plan, error);
        if (r >= 0) {
                r = run(&plan, &background, error);
                plan_free(&plan);
        }
        probe_free(&probe);
        if (background.waits && r < 0) { /* the caller's end of standard error is still there */
                error_print(error);
                r = error_exit_status(error);
        }
        detach_failed(&background, r);
        if (background.lingering) {
                presence_linger(background.lingering);
                presence_close(background.lingering);
        }
        return r;
}

int main(int argc, char *argv[]) {
        struct error error = { 0 };
        enum spec_action action;
        unsigned was_closed = 0;
        struct spec spec;
        int r;

        r = fd_fill_standard_streams(&was_closed);
        if (r < 0)
                return EXIT_OURS;
        /* Made set-user-ID, every option would be a way to root for anyone (getauxval(3), AT_SECURE). */
        if (getauxval(AT_SECURE)) {
                log_line(LOG_ERROR, "spawn does not run set-user-ID, set-group-ID or with file capabilities");
                return EXIT_OURS;
        }
        umask(0022);
        spec_init(&spec);
        r = spec_parse(&spec, argc, argv, environ, &action, &error);
        if (r >= 0 && action == ACTION_HELP)
                r = help_print() < 0 ? error_set(&error, EIO, "cannot write to standard output") : 0;
        else if (r >= 0 && action == ACTION_VERSION)
                r = version_print() < 0 ? error_set(&error, EIO, "cannot write to standard output") : 0;
        else if (r >= 0 && action == ACTION_RUN && spec.cleanup)
                r = cleanup(&spec, &error);
        else if (r >= 0 && action == ACTION_RUN) {
                r = settings_load(&spec, &error);
                if (r >= 0)
                        r = probe_and_run(&spec, was_closed, &error);
        } else if (r >= 0)
                r = 0;
        spec_free(&spec);
        if (r < 0) {
                error_print(&error);
                return error_exit_status(&error);
        }
        return r;
}
