/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/group.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/log.h"

static int open_directory(int parent, const char *name) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

/* In a group whose inside is left to us: a group with processes of its own can hand no controllers on, so that we
 * leave it too (cgroup-v2.rst, "No Internal Process Constraint"). */
static int become_supervisor(int unit_fd, struct error *error) {
        if (mkdirat(unit_fd, "supervisor", 0755) < 0 && errno != EEXIST)
                return error_set(error, errno, "cannot make the group supervisor in our unit's: %m");
        _cleanup_close_ int fd = open_directory(unit_fd, "supervisor");
        int r = fd < 0 ? fd : cgroup_enter(fd);
        return r < 0 ? error_set(error, -r, "cannot enter the group supervisor of our unit's: %m") : 0;
}

int group_open(struct launch *launch, struct error *error) {
        const char *path = launch->plan->probe->host.cgroup.path;
        _cleanup_free_ char *scope = NULL;

        if (launch->group == GROUP_SCOPE) {
                int r = cgroup_path(launch->leader, &scope);
                if (r < 0)
                        return error_set(error, -r, "cannot find the scope's control group: %m");
                path = scope;
        }
        if (!path)
                return error_set(error, EXDEV, "our own control group is not in our cgroup namespace");
        launch->cgroup_parent_fd = fd_close(launch->cgroup_parent_fd);
        int fd = cgroup_open(path);
        if (fd < 0)
                return error_set(error, -fd, "cannot open the control group %s: %s", path, strerror(-fd));
        launch->cgroup_parent_fd = fd;
        return launch->group == GROUP_UNIT ? become_supervisor(launch->cgroup_parent_fd, error) : 0;
}

bool group_scope_is_cgroup2(pid_t leader, const char *unit) {
        _cleanup_free_ char *path = NULL;

        if (cgroup_path(leader, &path) < 0)
                return false;
        const char *last = strrchr(path, '/');
        return text_equal(last + 1, unit);
}

const char *group_name(const struct launch *launch) {
        return launch->group == GROUP_BELOW ? launch->plan->group_name : "payload";
}

int group_make(struct launch *launch, struct error *error) {
        const char *name = group_name(launch);
        int parent = launch->cgroup_parent_fd;

        if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
                return error_set(error, errno, "cannot make the cgroup %s: %m", name);
        launch->cgroup_fd = open_directory(parent, name);
        if (launch->cgroup_fd < 0) {
                int r = launch->cgroup_fd;
                launch->cgroup_fd = -EBADF;
                return error_set(error, -r, "cannot open the cgroup %s: %m", name);
        }
        return 0;
}

int group_join(const struct launch *launch, struct error *error) {
        if (launch->cgroup_fd < 0)
                return 0;
        int r = launch->in_group ? 0 : cgroup_move(launch->cgroup_fd, launch->leader);
        if (r < 0)
                return error_set(error, -r, "cannot move the payload to the cgroup %s: %m", group_name(launch));
        if (launch->group != GROUP_BELOW)
                cgroup_enable_controllers(launch->cgroup_parent_fd);
        return 0;
}

/* A sandbox that denies bpf(2) holds us to devices of its own choice. */
int group_restrict(const struct launch *launch, struct error *error) {
        const struct device_list *devices = &launch->plan->devices;
        struct device_rule rules[DEVICE_RULES_MAX];

        if (launch->group != GROUP_BELOW || !launch->plan->device_filter)
                return 0;
        for (size_t i = 0; i < devices->count; i++)
                rules[i] = devices->uses[i].rule;
        int r = device_rules_attach(launch->cgroup_fd, rules, devices->count);
        if (r == -ENOSYS || r == -EPERM) {
                log_debug("devices are not restricted: bpf(2) is denied here: %s", strerror(-r));
                return 0;
        }
        if (r == -EINVAL) {
                log_notice("devices are not restricted: this kernel has no programs for control groups");
                return 0;
        }
        return r < 0 ? error_set(error, -r, "cannot restrict the devices of the payload: %s", strerror(-r)) : 0;
}

void group_remove(struct launch *launch) {
        if (launch->cgroup_fd < 0)
                return;
        launch->cgroup_fd = fd_close(launch->cgroup_fd);
        int r = cgroup_remove(launch->cgroup_parent_fd, group_name(launch));
        if (r < 0)
                log_warning("cannot remove the cgroup %s: %s", group_name(launch), strerror(-r));
}
