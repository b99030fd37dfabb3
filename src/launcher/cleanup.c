/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "launcher/image_lock.h"
#include "launcher/incoming.h"
#include "launcher/machines.h"
#include "launcher/plan.h"
#include "launcher/state.h"
#include "machined/machined.h"

static int find_name(const struct spec *spec, char **ret, struct error *error) {
        const char *root = spec->image ? spec->image : spec->directory;
        _cleanup_free_ char *real = !spec->machine && root ? realpath(root, NULL) : NULL;

        if (!spec->machine && !root) {
                error_set(error, EINVAL, "--cleanup needs to know which machine");
                return error_hint(error, "name it with --machine=NAME, or its root with --directory or --image");
        }
        *ret = spec->machine ? strdup(spec->machine) : plan_machine_name(real ? real : root, spec->image);
        return *ret ? 0 : error_set(error, EINVAL, "no machine name can be made from %s", root ? root : "nothing");
}

/* The process of the machine that is there, 0: none. A registration outlives its leader by a moment. */
static pid_t running_process(const char *name) {
        struct machined_machine *machines = NULL;
        struct state state;
        size_t count = 0;
        pid_t pid = 0;

        if (state_read(name, &state, NULL) == 0 && process_lives(&state.supervisor))
                return state.supervisor.pid;
        if (machined_bus_present())
                (void) machined_list(&machines, &count, NULL);
        for (size_t i = 0; i < count && pid == 0; i++)
                if (text_equal(machines[i].name, name) && process_start(machines[i].leader) > 0)
                        pid = machines[i].leader;
        free(machines);
        return pid;
}

/* Removes the groups "spawn-NAME-PID" below the group PATH whose process PID is no more, with what is in them. */
static void remove_groups(const char *path, const char *name) {
        _cleanup_free_ char *prefix = text_format("spawn-%s-", name);
        int fd = cgroup_open(path);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        uint64_t pid;

        if (!dir)
                fd_close(fd);
        while (dir && prefix && (entry = readdir(dir)))
                if (text_starts_with(entry->d_name, prefix) &&
                    parse_unsigned(entry->d_name + strlen(prefix), 1, INT32_MAX, &pid) == 0 &&
                    process_start((pid_t) pid) == 0 && cgroup_remove(dirfd(dir), entry->d_name) < 0)
                        log_warning("cannot remove the control group %s", entry->d_name);
        if (dir)
                closedir(dir);
}

static void remove_lock(const struct spec *spec) {
        const char *given = spec->image ? spec->image : spec->directory;
        _cleanup_free_ char *found = NULL;
        bool image;

        if (!given && machine_find(spec->machine, &found, &image, NULL) >= 0)
                given = found;
        if (given)
                image_lock_clean(given);
}

int cleanup(const struct spec *spec, struct error *error) {
        _cleanup_free_ char *name = NULL, *group = NULL;
        int r = find_name(spec, &name, error);

        if (r < 0)
                return r;
        if (geteuid() != 0)
                return error_set(error, EPERM, "root is needed to remove what a container has left");
        pid_t pid = running_process(name);
        if (pid > 0) {
                error_set(error, EBUSY, "the machine %s runs (process %d): there is nothing to clean up", name,
                          (int) pid);
                return error_hint(error, "spawnctl poweroff or machinectl poweroff ends it");
        }
        incoming_remove(name);
        state_remove(name);
        remove_lock(spec);
        if (cgroup_path(0, &group) >= 0)
                remove_groups(group, name);
        if (!text_equal(group, "/"))
                remove_groups("/", name);
        return 0;
}
