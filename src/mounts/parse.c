/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/parse.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"

int mount_normalise(const char *text, char **ret) {
        char *path, *to;

        if (text[0] != '/')
                return -EINVAL;
        path = to = malloc(strlen(text) + 2);
        if (!path)
                return -ENOMEM;
        for (const char *p = text + strspn(text, "/"); *p; p += strspn(p, "/")) {
                size_t n = strcspn(p, "/");
                if (n == 2 && p[0] == '.' && p[1] == '.') {
                        free(path);
                        return -EINVAL;
                }
                if (n != 1 || p[0] != '.') {
                        *to++ = '/';
                        to = mempcpy(to, p, n);
                }
                p += n;
        }
        if (to == path)
                *to++ = '/';
        *to = 0;
        *ret = path;
        return 0;
}

static int copy_origin(struct mount_op *op, const char *origin, struct error *error) {
        op->origin = strdup(origin);
        return op->origin ? 0 : error_memory(error);
}

/* Sets OP's target to the path TEXT inside the container. */
static int set_target(struct mount_op *op, const char *text, struct error *error) {
        char *path;
        int r = mount_normalise(text, &path);

        if (r == -ENOMEM)
                return error_memory(error);
        if (r < 0)
                return error_set(error, EINVAL, "%s: \"%s\" is no absolute path without \"..\" inside the container",
                                 op->origin, text);
        op->target = path;
        return text_equal(path, "/")
                       ? error_set(error, EINVAL, "%s: nothing can be mounted on \"/\" itself", op->origin)
                       : 0;
}

/* Cuts a field off *P at the next colon, taking the backslashes away that make the byte after them an ordinary one. *P
 * is NULL after the last one. Returns 0, -EINVAL for a backslash at the end, or -ENOMEM. */
static int next_field(const char **p, char **ret) {
        const char *from = *p;
        char *field = malloc(strlen(from) + 1), *to = field;

        if (!field)
                return -ENOMEM;
        for (; *from && *from != ':'; from++) {
                if (*from == '\\' && !*++from) {
                        free(field);
                        return -EINVAL;
                }
                *to++ = *from;
        }
        *to = 0;
        *p = *from ? from + 1 : NULL;
        *ret = field;
        return 0;
}

static int field_error(int r, const char *text, const char *origin, struct error *error) {
        return r == -ENOMEM ? error_memory(error)
                            : error_set(error, EINVAL, "%s: \"%s\" ends in a backslash", origin, text);
}

static int bind_option(struct mount_op *op, const char *option, const char *text, struct error *error) {
        static const struct {
                const char *name;
                enum id_map map;
        } id_maps[] = {
                { "noidmap", ID_MAP_NONE },
                /* The ids of the container's user namespace: without one those of the host. */
                { "idmap", ID_MAP_NONE },
                { "rootidmap", ID_MAP_ROOT },
                { "owneridmap", ID_MAP_OWNER },
        };

        if (text_equal(option, "rbind") || text_equal(option, "norbind")) {
                op->recursive = option[0] == 'r';
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(id_maps); i++)
                if (text_equal(option, id_maps[i].name)) {
                        op->id_map = id_maps[i].map;
                        return 0;
                }
        return error_set(error, EINVAL, "%s: unknown option \"%s\" in \"%s\"", op->origin, option, text);
}

static int bind_options(struct mount_op *op, const char *options, const char *text, struct error *error) {
        struct strv words = { 0 };
        int r = strv_split(&words, options, ",") < 0 ? error_memory(error) : 0;

        for (size_t i = 0; r >= 0 && i < words.count; i++)
                r = bind_option(op, words.items[i], text, error);
        strv_free(&words);
        return r;
}

/* SOURCE as it was written; the destination is the source's path where none is given. */
static int bind_paths(struct mount_op *op, const char *source, const char *destination, const char *text,
                      struct error *error) {
        bool in_root = source[0] == '+';
        const char *path = source + in_root;

        if (in_root && path[0] != '/')
                return error_set(error, EINVAL, "%s: \"%s\": after \"+\" comes an absolute path", op->origin, text);
        if (!*path && !destination)
                return error_set(error, EINVAL, "%s: \"%s\" names nothing to mount", op->origin, text);
        if (*path) {
                op->source = strdup(path);
                if (!op->source)
                        return error_memory(error);
        }
        op->source_in_root = in_root;
        op->side = in_root ? SIDE_CHILD : SIDE_PARENT;
        return set_target(op, destination ? destination : path, error);
}

static int parse_bind(struct mount_op *op, const char *text, struct error *error) {
        _cleanup_free_ char *source = NULL, *destination = NULL;
        const char *p = text;
        int r;

        r = next_field(&p, &source);
        if (r >= 0 && p)
                r = next_field(&p, &destination);
        if (r < 0)
                return field_error(r, text, op->origin, error);
        r = bind_paths(op, source, destination, text, error);
        return r >= 0 && p ? bind_options(op, p, text, error) : r;
}

int mount_parse_bind(const char *text, bool read_only, const char *origin, struct mount_op *ret, struct error *error) {
        _cleanup_(mount_op_free) struct mount_op op = {
                .kind = MOUNT_BIND,
                .recursive = true,
                .create = true,
                .attributes = read_only ? MOUNT_ATTR_RDONLY : 0,
        };
        int r = copy_origin(&op, origin, error);

        if (r >= 0)
                r = parse_bind(&op, text, error);
        if (r < 0)
                return r;
        *ret = op;
        op = (struct mount_op){ 0 };
        return 0;
}

/* Options that are properties of a mount rather than of a file system (mount(8)). */
static const struct {
        const char *name;
        uint64_t set, clear;
} mount_options[] = {
        { "ro", MOUNT_ATTR_RDONLY, 0 },
        { "rw", 0, MOUNT_ATTR_RDONLY },
        { "nosuid", MOUNT_ATTR_NOSUID, 0 },
        { "suid", 0, MOUNT_ATTR_NOSUID },
        { "nodev", MOUNT_ATTR_NODEV, 0 },
        { "dev", 0, MOUNT_ATTR_NODEV },
        { "noexec", MOUNT_ATTR_NOEXEC, 0 },
        { "exec", 0, MOUNT_ATTR_NOEXEC },
        { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
        { "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
        { "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
        { "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
        { "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
        { "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
        { "diratime", 0, MOUNT_ATTR_NODIRATIME },
        { "defaults", 0, 0 },
};

/* Applies the N bytes at OPTION. Returns false if the option is the file system's. */
static bool apply_mount_option(const char *option, size_t n, uint64_t *attributes) {
        for (size_t i = 0; i < ELEMENTSOF(mount_options); i++)
                if (strlen(mount_options[i].name) == n && strncmp(mount_options[i].name, option, n) == 0) {
                        *attributes = (*attributes & ~mount_options[i].clear) | mount_options[i].set;
                        return true;
                }
        return false;
}

static size_t option_length(const char *p) {
        bool quoted = false;
        size_t n;

        for (n = 0; p[n] && (quoted || p[n] != ','); n++)
                if (p[n] == '"')
                        quoted = !quoted;
        return n;
}

static int split_options(const char *options, uint64_t *attributes, char **ret_data) {
        char *data = malloc(strlen(options) + 1), *to = data;

        if (!data)
                return -ENOMEM;
        for (const char *p = options; *p; p += *p == ',') {
                size_t n = option_length(p);
                if (n > 0 && !apply_mount_option(p, n, attributes)) {
                        if (to != data)
                                *to++ = ',';
                        to = mempcpy(to, p, n);
                }
                p += n;
        }
        *to = 0;
        *ret_data = *data ? data : NULL;
        if (!*ret_data)
                free(data);
        return 0;
}

static int parse_tmpfs(struct mount_op *op, const char *text, struct error *error) {
        _cleanup_free_ char *path = NULL;
        const char *p = text;
        int r = next_field(&p, &path);

        if (r < 0)
                return field_error(r, text, op->origin, error);
        op->type = strdup("tmpfs");
        r = op->type ? split_options(p ? p : "mode=0755", &op->attributes, &op->options) : -ENOMEM;
        return r < 0 ? error_memory(error) : set_target(op, path, error);
}

int mount_parse_tmpfs(const char *text, const char *origin, struct mount_op *ret, struct error *error) {
        _cleanup_(mount_op_free) struct mount_op op = {
                .kind = MOUNT_NEW,
                .side = SIDE_PARENT,
                .create = true,
                .attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_STRICTATIME,
        };
        int r = copy_origin(&op, origin, error);

        if (r >= 0)
                r = parse_tmpfs(&op, text, error);
        if (r < 0)
                return r;
        *ret = op;
        op = (struct mount_op){ 0 };
        return 0;
}

int mount_parse_inaccessible(const char *text, const char *origin, struct mount_op *ret, struct error *error) {
        _cleanup_(mount_op_free) struct mount_op op = {
                .kind = MOUNT_MASK,
                .side = SIDE_CHILD,
                .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        };
        int r = copy_origin(&op, origin, error);

        if (r >= 0)
                r = set_target(&op, text, error);
        if (r < 0)
                return r;
        *ret = op;
        op = (struct mount_op){ 0 };
        return 0;
}
