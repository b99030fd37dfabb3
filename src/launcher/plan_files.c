/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name resolution and time zone: what is mounted over or, when asked for, written into the tree. */

#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "launcher/plan.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define LOCALTIME "/etc/localtime"

enum resolver_source { SOURCE_HOST, SOURCE_STATIC, SOURCE_UPLINK, SOURCE_STUB };
static const char *const resolver_paths[] = { RESOLV_CONF, "/usr/lib/systemd/resolv.conf",
                                              "/run/systemd/resolve/resolv.conf",
                                              "/run/systemd/resolve/stub-resolv.conf" };

enum way { WAY_COPY, WAY_REPLACE, WAY_BIND };
static const struct {
        enum way way;
        enum resolver_source source;
} resolver_modes[] = {
        [RESOLV_CONF_COPY_HOST] = { WAY_COPY, SOURCE_HOST },
        [RESOLV_CONF_COPY_STATIC] = { WAY_COPY, SOURCE_STATIC },
        [RESOLV_CONF_COPY_UPLINK] = { WAY_COPY, SOURCE_UPLINK },
        [RESOLV_CONF_COPY_STUB] = { WAY_COPY, SOURCE_STUB },
        [RESOLV_CONF_REPLACE_HOST] = { WAY_REPLACE, SOURCE_HOST },
        [RESOLV_CONF_REPLACE_STATIC] = { WAY_REPLACE, SOURCE_STATIC },
        [RESOLV_CONF_REPLACE_UPLINK] = { WAY_REPLACE, SOURCE_UPLINK },
        [RESOLV_CONF_REPLACE_STUB] = { WAY_REPLACE, SOURCE_STUB },
        [RESOLV_CONF_BIND_HOST] = { WAY_BIND, SOURCE_HOST },
        [RESOLV_CONF_BIND_STATIC] = { WAY_BIND, SOURCE_STATIC },
        [RESOLV_CONF_BIND_UPLINK] = { WAY_BIND, SOURCE_UPLINK },
        [RESOLV_CONF_BIND_STUB] = { WAY_BIND, SOURCE_STUB },
};

static const char *origin_of(const struct plan *plan, enum setting setting) {
        return plan->spec->origin[setting] ? plan->spec->origin[setting] : "default";
}

/* Reads a file of the host that is to be copied; a missing one is a warning, as the copy is a service and not a
 * condition. The caller frees. */
static char *read_source(const char *path, size_t limit, size_t *ret_size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        char *data = NULL;

        if (fd < 0 || fd_read_file(fd, limit, &data, ret_size) < 0) {
                log_warning("cannot read %s: it is not copied", path);
                return NULL;
        }
        return data;
}

static void add_write(struct plan *plan, struct file_write w) {
        plan->writes[plan->n_writes++] = w;
}

static int add_bind(struct plan *plan, const char *source, const char *target, const char *origin, bool create,
                    struct error *error) {
        struct mount_op op = {
                .kind = MOUNT_BIND,
                .side = SIDE_PARENT,
                .target = strdup(target),
                .source = strdup(source),
                .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                .optional = true,
                .create = create,
                /* Following /etc/localtime -> /usr/share/zoneinfo/UTC would change what UTC means in there. */
                .no_follow = true,
                .origin = strdup(origin),
        };
        return mount_list_add(&plan->mounts, &op) < 0 ? error_memory(error) : 0;
}

/* Automatic: the image keeps what it has. With the host's network the host's resolver is shown over the image's file;
 * a link into /run (which is ours) gets its target there when no init is going to make it. */
static int resolv_conf_auto(struct plan *plan, struct error *error) {
        const struct host_probe *host = &plan->probe->host;
        const struct root_probe *root = &plan->probe->root;
        const char *source = resolver_paths[host->resolv_stub && host->stub_listens ? SOURCE_STUB : SOURCE_HOST];

        if (plan->spec->private_network || !host->resolv_conf)
                return 0;
        if (root->resolv_conf_in_run) {
                char *content = plan->spec->start == START_BOOT ? NULL : read_source(source, PROBE_TEXT_LIMIT, NULL);
                if (content)
                        add_write(plan, (struct file_write){ WRITE_COPY, root->resolv_conf_target, content, true,
                                                             "default" });
                return 0;
        }
        return root->has_resolv_conf ? add_bind(plan, source, RESOLV_CONF, "default", false, error) : 0;
}

static int plan_resolv_conf(struct plan *plan, struct error *error) {
        enum resolv_conf_mode mode = plan->spec->resolv_conf;
        const char *origin = origin_of(plan, SETTING_RESOLV_CONF);

        if (mode == RESOLV_CONF_OFF)
                return 0;
        if (mode == RESOLV_CONF_AUTO)
                return resolv_conf_auto(plan, error);
        if (mode == RESOLV_CONF_DELETE) {
                add_write(plan, (struct file_write){ WRITE_DELETE, RESOLV_CONF, NULL, false, origin });
                return 0;
        }
        const char *source = resolver_paths[resolver_modes[mode].source];
        if (resolver_modes[mode].way == WAY_BIND) {
                if (access(source, R_OK) < 0) {
                        log_warning("%s does not exist: --resolv-conf has nothing to show", source);
                        return 0;
                }
                return add_bind(plan, source, RESOLV_CONF, origin, true, error);
        }
        char *content = read_source(source, PROBE_TEXT_LIMIT, NULL);
        enum write_kind kind = resolver_modes[mode].way == WAY_COPY ? WRITE_COPY : WRITE_REPLACE;
        if (content)
                add_write(plan, (struct file_write){ kind, RESOLV_CONF, content, false, origin });
        return 0;
}

static int bind_localtime(struct plan *plan, const char *origin, struct error *error) {
        const struct host_probe *host = &plan->probe->host;

        if (!host->localtime)
                return 0;
        return add_bind(plan, "/etc/localtime", LOCALTIME, origin, false, error);
}

static void copy_localtime(struct plan *plan, const char *origin) {
        size_t size; /* a zone file is binary (tzfile(5)) and holds NULs */
        char *data = read_source("/etc/localtime", PROBE_TEXT_LIMIT, &size);

        if (!data)
                return;
        add_write(plan, (struct file_write){ WRITE_REPLACE, LOCALTIME, data, false, origin, size });
}

static int symlink_localtime(struct plan *plan, const char *origin, struct error *error) {
        const struct root_probe *root = &plan->probe->root;
        const char *zone = plan->probe->host.zone;

        if (!zone || !root->has_host_zone)
                return bind_localtime(plan, origin, error);
        if (text_equal(root->localtime_zone, zone))
                return 0;
        char *link = text_format("../usr/share/zoneinfo/%s", zone);
        if (!link)
                return error_memory(error);
        add_write(plan, (struct file_write){ WRITE_SYMLINK, LOCALTIME, link, false, origin });
        return 0;
}

static int plan_timezone(struct plan *plan, struct error *error) {
        const struct root_probe *root = &plan->probe->root;
        const char *origin = origin_of(plan, SETTING_TIMEZONE);

        switch (plan->spec->timezone) {
        case TIMEZONE_OFF:
                return 0;
        case TIMEZONE_COPY:
                copy_localtime(plan, origin);
                return 0;
        case TIMEZONE_BIND:
                return bind_localtime(plan, origin, error);
        case TIMEZONE_SYMLINK:
                return symlink_localtime(plan, origin, error);
        case TIMEZONE_DELETE:
                add_write(plan, (struct file_write){ WRITE_DELETE, LOCALTIME, NULL, false, origin });
                return 0;
        case TIMEZONE_AUTO:
                break;
        }
        /* Automatic: nothing where the zones agree or the image has none; shown over, never written. */
        if (!root->has_localtime || text_equal(root->localtime_zone, plan->probe->host.zone))
                return 0;
        return bind_localtime(plan, "default", error);
}

int plan_files(struct plan *plan, struct error *error) {
        int r = plan_resolv_conf(plan, error);

        return r < 0 ? r : plan_timezone(plan, error);
}
