/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/incoming.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"

/* linux/fs.h and sys/mount.h, which have it too, cannot be included beside linux/mount.h. */
#define SLAVE (1UL << 19) /* MS_SLAVE, mount(2) */

#define PROPAGATE "/run/systemd/nspawn/propagate"

int plan_incoming(struct plan *plan, struct error *error) {
        if (!plan->announce)
                return 0;
        plan->incoming = text_format(PROPAGATE "/%s", plan->machine);
        if (!plan->incoming)
                return error_memory(error);
        struct mount_op op = {
                .kind = MOUNT_BIND,
                .side = SIDE_PARENT,
                .target = strdup("/run/host/incoming"),
                .source = strdup(plan->incoming),
                .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                /* What is mounted on the host arrives, nothing goes back; and a mount can be moved away from there
                 * only while this one is not shared (mount_namespaces(7)). */
                .propagation = SLAVE,
                .optional = true,
                .origin = strdup("default"),
        };
        return mount_list_add(&plan->mounts, &op) < 0 ? error_memory(error) : 0;
}

int incoming_make(const struct plan *plan, struct error *error) {
        static const char *const parents[] = { "/run/systemd", "/run/systemd/nspawn", PROPAGATE };

        if (!plan->incoming)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(parents); i++)
                if (mkdir(parents[i], i + 1 < ELEMENTSOF(parents) ? 0755 : 0700) < 0 && errno != EEXIST)
                        return error_set(error, errno, "cannot make %s: %m", parents[i]);
        if (mkdir(plan->incoming, 0600) < 0 && errno != EEXIST)
                return error_set(error, errno, "cannot make %s: %m", plan->incoming);
        return 0;
}

void incoming_remove(const char *machine) {
        _cleanup_free_ char *path = text_format(PROPAGATE "/%s", machine);

        if (path && rmdir(path) < 0 && errno != ENOENT)
                log_debug("cannot remove %s: %s", path, strerror(errno));
}
