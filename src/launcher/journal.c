/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/journal.h"

#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"

#define HOST_JOURNAL "/var/log/journal"

static bool is_directory(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The container's directory is the host's, shown inside. */
static int show_directory(struct plan *plan, const char *path, const char *origin, struct error *error) {
        struct mount_op op = {
                .kind = MOUNT_BIND,
                .side = SIDE_PARENT,
                .target = strdup(path),
                .source = strdup(path),
                .create = true,
                .optional = plan->spec->link_journal == LINK_JOURNAL_TRY_HOST,
                .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                .origin = strdup(origin),
        };
        return mount_list_add(&plan->mounts, &op) < 0 ? error_memory(error) : 0;
}

/* The container's directory stays in the root, and the host gets a link to it. */
static int link_directory(struct plan *plan, const char *path, const char *origin, struct error *error) {
        char *inside = strdup(path);

        plan->journal.target = text_format("%s%s", plan->probe->root.real_path, path);
        if (!inside || !plan->journal.target) {
                free(inside);
                return error_memory(error);
        }
        plan->writes[plan->n_writes++] =
                (struct file_write){ .kind = WRITE_DIRECTORY, .target = inside, .content = inside, .origin = origin };
        return 0;
}

/* Two systems with one id would write one journal. */
static bool has_id_of_host(const struct plan *plan) {
        const struct host_probe *host = &plan->probe->host;

        return host->machine_id_known && memcmp(&host->machine_id, &plan->machine_id, sizeof plan->machine_id) == 0;
}

/* Fills *ERROR with why there can be no link. Returns 0 where there can. */
static int why_not(const struct plan *plan, bool guest, struct error *error) {
        const char *origin = plan->spec->origin[SETTING_LINK_JOURNAL];

        if (has_id_of_host(plan))
                return error_set(error, EEXIST, "%s: the root has the host's own machine id", origin);
        if (guest && plan->probe->root.image.path)
                return error_set(error, EOPNOTSUPP, "%s: the host cannot link to what is in a disk image", origin);
        if (is_directory(HOST_JOURNAL))
                return 0;
        error_set(error, ENOENT, "%s: the host keeps no journal in " HOST_JOURNAL, origin);
        return error_hint(error, "--link-journal=try-host and try-guest do without");
}

int plan_journal(struct plan *plan, struct error *error) {
        enum link_journal mode = plan->spec->link_journal;
        bool guest = mode == LINK_JOURNAL_GUEST || mode == LINK_JOURNAL_TRY_GUEST;
        bool must = mode == LINK_JOURNAL_GUEST || mode == LINK_JOURNAL_HOST;
        const char *origin = plan->spec->origin[SETTING_LINK_JOURNAL];
        char id[ID128_PLAIN_SIZE];
        int r;

        if (mode == LINK_JOURNAL_NO)
                return 0;
        id128_plain(&plan->machine_id, id);
        _cleanup_free_ char *path = text_format(HOST_JOURNAL "/%s", id);
        if (!path)
                return error_memory(error);
        if (mode == LINK_JOURNAL_AUTO)
                return is_directory(path) && !has_id_of_host(plan)
                               ? show_directory(plan, path, origin ? origin : "default", error)
                               : 0;
        struct error ignored;
        r = why_not(plan, guest, must ? error : &ignored);
        if (r < 0)
                return must ? r : 0;
        plan->journal.path = strdup(path);
        plan->journal.optional = !must;
        if (!plan->journal.path)
                return error_memory(error);
        return guest ? link_directory(plan, path, origin, error) : show_directory(plan, path, origin, error);
}

static int link_to(const char *path, const char *target) {
        char found[PATH_MAX];
        ssize_t n = readlink(path, found, sizeof found - 1);

        if (n >= 0) {
                found[n] = 0;
                return text_equal(found, target) ? 0 : -EEXIST;
        }
        /* What an earlier run has left empty makes place; rmdir(2) takes nothing else. */
        if (errno == EINVAL && rmdir(path) < 0)
                return -errno;
        return symlink(target, path) < 0 ? -errno : 0;
}

int journal_link(const struct journal_link *link, struct error *error) {
        int r;

        if (!link->path)
                return 0;
        if (link->target)
                r = link_to(link->path, link->target);
        else
                r = mkdir(link->path, 0755) < 0 && !(errno == EEXIST && is_directory(link->path)) ? -errno : 0;
        if (r >= 0)
                return 0;
        if (!link->optional)
                return error_set(error, -r, "cannot make the journal's %s %s: %m", link->target ? "link" : "directory",
                                 link->path);
        log_debug("the journals are not linked: %s: %s", link->path, strerror(-r));
        return 0;
}
