/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where settings files are. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "launcher/machines.h"
#include "launcher/plan.h"
#include "launcher/settings.h"

enum { FILE_LIMIT = 1 << 20 };

static const char *const trusted_directories[] = { "/etc/systemd/nspawn", "/run/systemd/nspawn" };

/* The directory that holds PATH, whose last component may be a link: the file is beside the link. The caller frees;
 * NULL for "/", which nothing is beside, and where there is no such directory. */
static char *parent_of(const char *path, const char *real) {
        _cleanup_free_ char *copy = strdup(path), *cut = strdup(real);
        size_t n = copy ? strlen(copy) : 0;

        if (!copy || !cut || text_equal(real, "/"))
                return NULL;
        while (n > 0 && copy[n - 1] == '/')
                copy[--n] = 0;
        char *last = strrchr(copy, '/');
        const char *name = last ? last + 1 : copy;
        if (!*name || text_equal(name, ".") || text_equal(name, "..")) {
                *strrchr(cut, '/') = 0;
                return *cut ? TAKE_PTR(cut) : strdup("/");
        }
        if (!last)
                return realpath(".", NULL);
        last[1] = 0;
        return realpath(copy, NULL);
}

static int cannot_read(const char *path, int code, struct error *error) {
        error_set(error, code, "cannot read the settings file %s: %m", path);
        return error_hint(error, "--settings=no starts without it");
}

/* Reads PATH. It is looked at before it is opened: opening a FIFO waits and opening a device acts, and what is beside
 * a root may be anybody's. Returns 1, 0 if there is no such file, or a negative errno. */
static int read_file(const char *path, char **ret_text, size_t *ret_size, struct error *error) {
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC), readable = -EBADF;
        struct stat st;

        if (fd < 0)
                return errno == ENOENT ? 0 : cannot_read(path, errno, error);
        if (fstat(fd, &st) < 0)
                return cannot_read(path, errno, error);
        if (!S_ISREG(st.st_mode))
                return error_set(error, EINVAL, "the settings file %s is no regular file", path);
        readable = open(fd_path(fd).text, O_RDONLY | O_CLOEXEC);
        if (readable < 0)
                return cannot_read(path, errno, error);
        int r = fd_read_file(readable, FILE_LIMIT, ret_text, ret_size);
        return r < 0 ? cannot_read(path, -r, error) : 1;
}

/* Takes the file of NAME in DIRECTORY, if there is one. Returns 1 if there was, 0, or a negative errno. */
static int take_file(struct spec *spec, const char *directory, const char *name, bool trusted, struct error *error) {
        const char *slash = text_equal(directory, "/") ? "" : "/";
        _cleanup_free_ char *path = text_format("%s%s%s.nspawn", directory, slash, name), *text = NULL;
        size_t size = 0;

        if (!path)
                return error_memory(error);
        int r = read_file(path, &text, &size, error);
        if (r <= 0)
                return r;
        log_debug("settings are read from %s, which is %strusted", path, trusted ? "" : "not ");
        r = settings_parse(spec, path, trusted, text, size, error);
        if (r < 0)
                return r;
        spec->settings_file = TAKE_PTR(path);
        spec->settings_trusted = trusted;
        return 1;
}

static int take_first(struct spec *spec, const char *path, bool image, struct error *error) {
        _cleanup_free_ char *real = realpath(path, NULL), *name = NULL, *parent = NULL;
        int r = 0;

        if (spec->machine)
                name = strdup(spec->machine);
        else if (real)
                name = plan_machine_name(real, image);
        if (!name) /* what has no name has no file, and what is not there is complained of where it is opened */
                return 0;
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(trusted_directories); i++)
                r = take_file(spec, trusted_directories[i], name, true, error);
        parent = real ? parent_of(path, real) : NULL;
        if (r == 0 && parent)
                r = take_file(spec, parent, name, spec->settings == SETTINGS_TRUSTED, error);
        return r;
}

int settings_load(struct spec *spec, struct error *error) {
        _cleanup_free_ char *path = NULL, *working_directory = getcwd(NULL, 0);
        bool image;
        int r = 0;

        if (spec->settings != SETTINGS_NO) {
                r = machine_root(spec, working_directory, &path, &image, error);
                if (r >= 0)
                        r = take_first(spec, path, image, error);
        }
        return r < 0 ? r : spec_check(spec, error);
}
