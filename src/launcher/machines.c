/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/machines.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/text.h"

/* Where machines are kept, the first hit counts (machinectl(1), "Files and directories"). */
static const char *const machine_directories[] = { "/etc/machines",           "/run/machines",
                                                   "/var/lib/machines",       "/var/lib/container",
                                                   "/usr/local/lib/machines", "/usr/lib/machines" };

int machine_find(const char *name, char **ret, bool *ret_image, struct error *error) {
        struct stat st;

        for (size_t i = 0; i < ELEMENTSOF(machine_directories); i++) {
                _cleanup_free_ char *path = text_format("%s/%s", machine_directories[i], name);
                _cleanup_free_ char *image = text_format("%s/%s.raw", machine_directories[i], name);
                if (!path || !image)
                        return error_memory(error);
                if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
                        *ret = TAKE_PTR(path);
                        *ret_image = false;
                        return 0;
                }
                if (stat(image, &st) == 0) {
                        *ret = TAKE_PTR(image);
                        *ret_image = true;
                        return 0;
                }
        }
        error_set(error, ENOENT, "there is no machine %s in /var/lib/machines and its like", name);
        return error_hint(error, "--directory=PATH and --image=PATH start a root that is elsewhere");
}

int machine_root(const struct spec *spec, const char *working_directory, char **ret, bool *ret_image,
                 struct error *error) {
        const char *given = spec->image ? spec->image : spec->directory;

        *ret_image = spec->image != NULL;
        if (!given && spec->machine)
                return machine_find(spec->machine, ret, ret_image, error);
        if (!given && !working_directory)
                return error_set(error, ENOENT, "no root is given, and there is no working directory to take for it");
        *ret = strdup(given ? given : working_directory);
        return *ret ? 0 : error_memory(error);
}
