/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/plan.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "isolation/capability.h"
#include "isolation/limits.h"
#include "launcher/detach.h"
#include "launcher/registrar.h"

#define HOST_NAME_LIMIT 64 /* HOST_NAME_MAX of Linux, sethostname(2) */

char *plan_machine_name(const char *path, bool image) {
        const char *base = strrchr(path, '/');
        size_t size = strlen(path) - (image && text_ends_with(path, ".raw") ? strlen(".raw") : 0);
        char name[HOST_NAME_LIMIT + 1];
        size_t n = 0;

        for (const char *p = base ? base + 1 : path; p < path + size && n < HOST_NAME_LIMIT; p++) {
                bool separator = *p == '-' || *p == '.';
                if (!isalnum((unsigned char) *p) && !separator)
                        continue;
                /* No label may begin or end with a dash, none may be empty (RFC 1123). */
                if (separator && (n == 0 || name[n - 1] == '.' || (name[n - 1] == '-' && *p == '.')))
                        continue;
                name[n++] = *p;
        }
        while (n > 0 && (name[n - 1] == '-' || name[n - 1] == '.'))
                n--;
        name[n] = 0;
        return n > 0 ? strdup(name) : NULL;
}

static int plan_identity(struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        const struct root_probe *root = &plan->probe->root;
        int r;

        plan->machine = spec->machine ? strdup(spec->machine) : plan_machine_name(root->real_path, root->image.path);
        if (!plan->machine) {
                error_set(error, EINVAL, "no machine name can be made from %s", root->path);
                return error_hint(error, "name it with --machine=NAME");
        }
        plan->host_name = strdup(spec->hostname ? spec->hostname : plan->machine);
        if (!plan->host_name)
                return error_memory(error);
        /* The id in the tree wins over --uuid: a system keeps its identity wherever it is started. */
        if (!root->machine_id_text || id128_parse(root->machine_id_text, &plan->machine_id) < 0) {
                if (spec->origin[SETTING_UUID])
                        plan->machine_id = spec->uuid;
                else if ((r = id128_random(&plan->machine_id)) < 0)
                        return error_set(error, -r, "cannot get random bytes for a machine id: %m");
        }
        r = id128_random(&plan->boot_id);
        return r < 0 ? error_set(error, -r, "cannot get random bytes for a boot id: %m") : 0;
}

enum console_mode console_resolve(enum console_mode asked, enum start_mode start, const bool is_terminal[static 3]) {
        bool both = is_terminal[0] && is_terminal[1];

        switch (asked) {
        case CONSOLE_AUTOPIPE:
                return both ? CONSOLE_INTERACTIVE : CONSOLE_PIPE;
        case CONSOLE_DEFAULT:
                if (both)
                        return CONSOLE_INTERACTIVE;
                /* A command gets its caller's own streams, so nothing is dropped; an init cannot live without a
                 * console. */
                return start == START_BOOT ? CONSOLE_READ_ONLY : CONSOLE_PIPE;
        default:
                return asked;
        }
}

static int plan_capabilities(struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        uint64_t wanted = CAPABILITY_DEFAULT;

        if (spec->private_network)
                wanted |= UINT64_C(1) << CAP_NET_ADMIN;
        wanted = (wanted | spec->capabilities_added) & ~spec->capabilities_dropped;
        plan->bounding = wanted & plan->probe->host.bounding;
        plan->ambient = spec->capabilities_ambient;
        if (plan->ambient & ~wanted) {
                error_set(error, EINVAL, "--ambient-capability names a capability that the container does not hold");
                return error_hint(error, "add it with --capability as well");
        }
        plan->ambient &= plan->bounding;
        for (unsigned c = 0; c < 64; c++)
                if (plan->probe->host.root &&
                    (wanted & ~plan->bounding & spec->capabilities_added & (UINT64_C(1) << c)) &&
                    spec->capabilities_added != UINT64_MAX && capability_name(c))
                        log_warning("%s is not held by spawn itself and is left out", capability_name(c));
        plan->filter = spec->seccomp;
        plan->filter_request = (struct filter_request){ .capabilities = plan->bounding,
                                                        .allow = &spec->filter_allow,
                                                        .deny = &spec->filter_deny };
        if (plan->console == CONSOLE_PIPE)
                for (int i = 0; i < 3; i++)
                        plan->filter_request.terminal |= plan->probe->host.stream_is_terminal[i];
        return 0;
}

static void plan_limits(struct plan *plan) {
        const struct host_probe *host = &plan->probe->host;

        limits_defaults(plan->limits, host->nr_open, &host->init_nproc, &host->init_sigpending);
        for (size_t i = 0; i < SPEC_LIMITS; i++)
                if (plan->spec->limit_set[i])
                        plan->limits[i] = plan->spec->limits[i];
}

/* Properties of a scope that nobody but the host's manager can see to. */
static bool needs_manager(const struct strv *properties) {
        for (size_t i = 0; i < properties->count; i++)
                if (!device_property(properties->items[i]))
                        return true;
        return false;
}

/* Whether the bus is asked for anything, and where the payload's group is. */
static int plan_registration(struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        const struct host_probe *host = &plan->probe->host;
        bool asked = spec->registration == REGISTER_YES ||
                     (!spec->keep_unit && (spec->slice || needs_manager(&spec->properties)));

        if (spec->keep_unit && (spec->slice || needs_manager(&spec->properties)))
                log_notice("--%s is ignored with --keep-unit: there is no scope", spec->slice ? "slice" : "property");
        plan->announce = spec->registration != REGISTER_NO && (host->bus || asked);
        if (plan->announce && !host->bus) {
                error_set(error, ENOENT, "there is no system bus here, and %s needs one",
                          spec->registration == REGISTER_YES ? "--register=yes"
                          : spec->slice                      ? "--slice"
                                                             : "--property");
                return error_hint(error, "without it the container starts all the same");
        }
        return plan->announce ? registrar_check(plan, error) : 0;
}

static int plan_group(struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        const struct cgroup_place *place = &plan->probe->host.cgroup;

        if (plan->announce && !spec->keep_unit)
                plan->group = GROUP_SCOPE;
        else if (place->available && place->delegated && spec->keep_unit)
                plan->group = GROUP_UNIT;
        else if (place->available)
                plan->group = GROUP_BELOW;
        if (plan->group == GROUP_NONE)
                return 0;
        plan->group_name = text_format("spawn-%s-%d", plan->machine, (int) getpid());
        return plan->group_name ? 0 : error_memory(error);
}

static void plan_namespaces(struct plan *plan) {
        plan->namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
        if (plan->spec->private_network)
                plan->namespaces |= CLONE_NEWNET;
}

/* What is asked of the root before anything is made. */
static int check_root(const struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        const struct root_probe *root = &plan->probe->root;

        if (root->is_host_root)
                return error_set(error, EINVAL, "%s is the host's own root directory, which no container may own",
                                 root->path);
        if (spec->start != START_BOOT)
                return 0;
        if (!root->init_path) {
                error_set(error, ENOENT,
                          "%s has no init to boot (looked for /sbin/init, /usr/lib/systemd/systemd and others)",
                          root->path);
                return error_hint(error, "without --boot a shell or a command is run in it");
        }
        if (!root->has_os_release && spec->check_os_release)
                log_notice("%s has no os-release file: is it an operating system's root?", root->path);
        return 0;
}

/* What a console is needed for. */
static int plan_console(struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        const struct {
                bool asked;
                const char *what;
        } needs[] = {
                { spec->console_log.path, "--console-log" },
                { spec->record, "--record" },
                { spec->console_safe, "--console-filter=safe" },
        };

        for (size_t i = 0; i < ELEMENTSOF(needs) && plan->console == CONSOLE_PIPE; i++)
                if (needs[i].asked) {
                        error_set(error, EINVAL, "%s needs a console, and in pipe mode there is none%s", needs[i].what,
                                  spec->console == CONSOLE_PIPE
                                          ? ""
                                          : " (the default where standard input or output is no terminal)");
                        return error ? error_hint(error, "--console=read-only gives it one") : -EINVAL;
                }
        return 0;
}

int plan_make(const struct spec *spec, const struct probe *probe, struct plan *ret, struct error *error) {
        static int (*const steps[])(struct plan *, struct error *) = {
                plan_identity, plan_registration, plan_group, plan_devices, plan_capabilities, plan_image,
                plan_mounts,   plan_incoming,     plan_files, plan_journal, plan_environment,  plan_console,
        };
        int r;

        *ret = (struct plan){
                .spec = spec,
                .probe = probe,
                .tree_read_only = probe->root.read_only,
                .session = detach_wanted(spec, &probe->host),
                .console = console_resolve(spec->console, spec->start, probe->host.stream_is_terminal),
                .console_plain = probe->host.journal_stream,
                .working_directory = spec->chdir,
                .user = spec->user,
                .init = spec->start == START_BOOT ? probe->root.init : init_unknown(),
                .kill_signal = spec->kill_signal,
                .stop_timeout_usec = spec->stop_timeout_usec,
        };
        if (ret->session)
                ret->console = CONSOLE_DETACHED;
        r = check_root(ret, error);
        plan_namespaces(ret);
        plan_limits(ret);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(steps); i++)
                r = steps[i](ret, error);
        if (r < 0)
                plan_free(ret);
        return r;
}

void plan_free(struct plan *plan) {
        free(plan->machine);
        free(plan->host_name);
        free(plan->group_name);
        free(plan->incoming);
        device_list_free(&plan->devices);
        free(plan->journal.path);
        free(plan->journal.target);
        mount_list_free(&plan->mounts);
        strv_free(&plan->environment);
        for (size_t i = 0; i < plan->n_writes; i++)
                free(plan->writes[i].content);
        *plan = (struct plan){ 0 };
}
