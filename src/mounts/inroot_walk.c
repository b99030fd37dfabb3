/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/inroot_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/inroot.h"

enum { MAX_LINKS = 40 }; /* path_resolution(7) */

struct walk {
        int root;
        int directory;     /* where we are (O_PATH) */
        struct strv names; /* the way there from the root, without links */
        char *rest;        /* what is still to be looked up: owned */
        char *p;           /* the place in it */
        unsigned links;
};

static void walk_done(struct walk *w) {
        fd_close(w->directory);
        strv_free(&w->names);
        free(w->rest);
}

static int open_directory(int dirfd, const char *name) {
        int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int go_to(struct walk *w, int fd) {
        if (fd < 0)
                return fd;
        fd_close(w->directory);
        w->directory = fd;
        return 0;
}

static int go_down(struct walk *w, const char *name) {
        int r = go_to(w, open_directory(w->directory, name));

        return r < 0 ? r : strv_add(&w->names, name);
}

static int go_to_root(struct walk *w) {
        strv_free(&w->names);
        return go_to(w, open_directory(w->root, "."));
}

/* Never by opening "..": whoever moves a directory out of the root between two of our calls would lead us out with it.
 * The way down is walked anew instead. */
static int go_up(struct walk *w) {
        struct strv names = w->names;
        int r;

        w->names = (struct strv){ 0 };
        r = go_to_root(w);
        for (size_t i = 0; r >= 0 && i + 1 < names.count; i++)
                r = go_down(w, names.items[i]);
        strv_free(&names);
        return r;
}

/* A link of procfs that names an object rather than a path: followed by the kernel it would lead anywhere at all.
 * Those links that are paths (self, mounts, net) are relative ones. */
static bool is_magic(int directory, const char *target) {
        struct statfs fs;

        return (target[0] == '/' || strchr(target, ':')) && fstatfs(directory, &fs) == 0 &&
               fs.f_type == PROC_SUPER_MAGIC;
}

/* NAME is a link to TARGET: goes on with TARGET and whatever is left of the path. */
static int follow(struct walk *w, const char *target) {
        char *rest;

        if (++w->links > MAX_LINKS || is_magic(w->directory, target))
                return -ELOOP;
        rest = text_format("%s/%s", target, w->p);
        if (!rest)
                return -ENOMEM;
        free(w->rest);
        w->rest = w->p = rest;
        return target[0] == '/' ? go_to_root(w) : 0;
}

/* Cuts the next component off; NULL at the end. */
static char *next_name(struct walk *w) {
        char *name = w->p + strspn(w->p, "/");

        if (!*name)
                return NULL;
        w->p = name + strcspn(name, "/");
        if (*w->p)
                *w->p++ = 0;
        return name;
}

/* Returns the length of the link NAME's target in BUFFER, 0 if NAME is no link, or a negative errno. */
static ssize_t read_link(const struct walk *w, const char *name, char buffer[static PATH_MAX]) {
        ssize_t n = readlinkat(w->directory, name, buffer, PATH_MAX);

        if (n < 0)
                return errno == EINVAL ? 0 : -errno;
        if (n == 0 || n >= PATH_MAX)
                return -ENAMETOOLONG;
        buffer[n] = 0;
        return n;
}

/* Walks to the directory of the last component. *RET_NAME points into the walk; NULL: the directory itself is it. */
static int walk_to_last(struct walk *w, bool follow_last, bool may_be_missing, char **ret_name) {
        char target[PATH_MAX], *name;

        while ((name = next_name(w))) {
                bool last = !w->p[strspn(w->p, "/")];
                ssize_t n = 0;
                int r;

                if (text_equal(name, "."))
                        continue;
                if (text_equal(name, "..")) {
                        r = go_up(w);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (!last || follow_last)
                        n = read_link(w, name, target);
                if (n < 0 && !(n == -ENOENT && last && may_be_missing))
                        return (int) n;
                if (n <= 0 && last) {
                        *ret_name = name;
                        return 0;
                }
                r = n > 0 ? follow(w, target) : go_down(w, name);
                if (r < 0)
                        return r;
        }
        *ret_name = NULL;
        return 0;
}

static int canonical(const struct walk *w, const char *name, char **ret_path) {
        size_t size = 2;
        char *path, *p;

        for (size_t i = 0; i < w->names.count; i++)
                size += 1 + strlen(w->names.items[i]);
        path = p = malloc(size + (name ? 1 + strlen(name) : 0));
        if (!path)
                return -ENOMEM;
        for (size_t i = 0; i < w->names.count; i++)
                p = stpcpy(stpcpy(p, "/"), w->names.items[i]);
        if (name)
                stpcpy(stpcpy(p, "/"), name);
        else if (p == path)
                stpcpy(p, "/");
        *ret_path = path;
        return 0;
}

int inroot_walk(int root, const char *path, int flags, mode_t mode, char **ret_path) {
        _cleanup_(walk_done) struct walk w = { .root = root, .directory = -EBADF };
        _cleanup_close_ int fd = -EBADF;
        bool slash = text_ends_with(path, "/");
        bool create = flags & O_CREAT;
        char *name;
        int r;

        if (!*path)
                return -ENOENT;
        if (strlen(path) >= PATH_MAX)
                return -ENAMETOOLONG;
        w.rest = w.p = strdup(path);
        if (!w.rest)
                return -ENOMEM;
        r = go_to_root(&w);
        if (r >= 0)
                r = walk_to_last(&w, slash || !(flags & O_NOFOLLOW || (create && flags & O_EXCL)), create, &name);
        if (r < 0)
                return r;
        /* O_NOFOLLOW: what has become a link since we looked is refused. */
        fd = openat(w.directory, name ? name : ".", flags | O_NOFOLLOW | (slash ? O_DIRECTORY : 0), mode);
        if (fd < 0)
                return -errno;
        r = ret_path ? canonical(&w, name, ret_path) : 0;
        return r < 0 ? r : TAKE_FD(fd);
}

int inroot_resolve(int root, const char *path, char **ret_path) {
        _cleanup_close_ int fd = inroot_walk(root, path, O_PATH | O_CLOEXEC, 0, ret_path);

        return fd < 0 ? fd : 0;
}
