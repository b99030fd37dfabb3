/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/fstab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/fstab_library.h"
#include "mounts/parse.h"

enum { FILE_LIMIT = 1 << 20 };

struct reader {
        struct libmount m;
        const char *file;
        unsigned line; /* of the entry at hand */
        struct error *error;
};

/* What the options of one entry come to. */
struct options {
        unsigned long set, clear; /* MS_* */
        unsigned long user;       /* MNT_MS_*, what mount(8) keeps to itself */
        char *data;               /* the file system's, or NULL */
};

static int bad_entry(const struct reader *r, const char *what, const char *which) {
        return error_set(r->error, EINVAL, "%s:%u: %s%s%s%s", r->file, r->line, what, which ? " \"" : "",
                         which ? which : "", which ? "\"" : "");
}

static bool has_option(const struct reader *r, const char *options, const char *name) {
        return r->m.mnt_optstr_get_option(options, name, NULL, NULL) == 0;
}

/* The flags that are set after all options, starting from BASE. From no flag it is those that the options set, from
 * all of them it leaves out those that they clear. */
static unsigned long flags_after(const struct reader *r, const char *options, int map, unsigned long base) {
        unsigned long flags = base;

        return r->m.mnt_optstr_get_flags(options, &flags, r->m.mnt_get_builtin_optmap(map)) < 0 ? base : flags;
}

static int read_options(const struct reader *r, const char *options, struct options *ret) {
        *ret = (struct options){
                .set = flags_after(r, options, MNT_LINUX_MAP, 0),
                .clear = ~flags_after(r, options, MNT_LINUX_MAP, ~0UL),
                .user = flags_after(r, options, MNT_USERSPACE_MAP, 0),
        };
        if (r->m.mnt_split_optstr(options, NULL, NULL, &ret->data, 0, 0) < 0)
                return error_memory(r->error);
        if (ret->data && !*ret->data) {
                free(ret->data);
                ret->data = NULL;
        }
        return 0;
}

static void apply_flags(struct mount_op *op, const struct options *o) {
        static const struct {
                unsigned long flag;
                uint64_t attribute;
        } map[] = {
                { MS_RDONLY, MOUNT_ATTR_RDONLY },
                { MS_NOSUID, MOUNT_ATTR_NOSUID },
                { MS_NODEV, MOUNT_ATTR_NODEV },
                { MS_NOEXEC, MOUNT_ATTR_NOEXEC },
                { MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
                { MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
        };

        for (size_t i = 0; i < ELEMENTSOF(map); i++) {
                op->attributes |= o->set & map[i].flag ? map[i].attribute : 0;
                op->clear |= o->clear & map[i].flag ? map[i].attribute : 0;
        }
        if (o->set & MS_NOATIME)
                op->attributes |= MOUNT_ATTR_NOATIME;
        else if (o->set & MS_STRICTATIME)
                op->attributes |= MOUNT_ATTR_STRICTATIME;
        else if ((o->set & MS_RELATIME) | (o->clear & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME)))
                op->clear |= MOUNT_ATTR__ATIME;
        op->propagation = o->set & MS_PROPAGATION ? o->set & MS_PROPAGATION : MS_PRIVATE;
}

/* The file system's own options, and those of the generic ones that concern its superblock. */
static int add_data(const struct reader *r, struct mount_op *op, const struct options *o, bool device) {
        static const struct {
                unsigned long flag;
                const char *name;
        } generic[] = {
                { MS_SYNCHRONOUS, "sync" },
                { MS_DIRSYNC, "dirsync" },
                { MS_LAZYTIME, "lazytime" },
                { MS_MANDLOCK, "mand" },
        };
        struct strv words = { 0 };
        /* A device that cannot be written must not be opened for writing either. */
        int e = device && o->set & MS_RDONLY ? strv_add(&words, "ro") : 0;

        for (size_t i = 0; e >= 0 && i < ELEMENTSOF(generic); i++)
                e = o->set & generic[i].flag ? strv_add(&words, generic[i].name) : 0;
        if (e >= 0 && o->data)
                e = strv_add(&words, o->data);
        for (size_t i = 0; e >= 0 && i < words.count; i++) {
                char *joined = i == 0 ? strdup(words.items[0]) : text_format("%s,%s", op->options, words.items[i]);
                free(op->options);
                op->options = joined;
                e = joined ? 0 : -ENOMEM;
        }
        strv_free(&words);
        return e < 0 ? error_memory(r->error) : 0;
}

/* A procfs, sysfs, mqueue or cgroup2 instance belongs to the namespaces of whoever makes it. */
static enum mount_side side_of(const char *type) {
        static const char *const of_namespaces[] = { "proc", "sysfs", "mqueue", "cgroup2" };

        for (size_t i = 0; i < ELEMENTSOF(of_namespaces); i++)
                if (text_equal(type, of_namespaces[i]))
                        return SIDE_CHILD;
        return SIDE_PARENT;
}

static int read_bind(const struct reader *r, struct mount_op *op, const char *source, const char *options) {
        op->kind = MOUNT_BIND;
        op->recursive = has_option(r, options, "rbind");
        op->source = strdup(source);
        return op->source ? 0 : error_memory(r->error);
}

static int read_new(const struct reader *r, struct mount_op *op, const char *source, const char *type,
                    const struct options *o) {
        if (text_equal(type, "none") || text_equal(type, "auto"))
                return bad_entry(r, "neither a bind nor a file system type:", type);
        op->kind = MOUNT_NEW;
        op->side = side_of(type);
        op->type = strdup(type);
        /* UUID=, LABEL=…: names of devices. */
        op->source = strchr(source, '=') ? r->m.mnt_resolve_spec(source, NULL) : strdup(source);
        if (!op->type)
                return error_memory(r->error);
        if (!op->source)
                return bad_entry(r, "there is no device", source);
        return add_data(r, op, o, op->source[0] == '/');
}

static int read_target(const struct reader *r, struct mount_op *op, const char *target) {
        _cleanup_free_ char *absolute = text_format("/%s", target);
        int e = absolute ? mount_normalise(absolute, &op->target) : -ENOMEM;

        if (e == -ENOMEM)
                return error_memory(r->error);
        if (e < 0)
                return bad_entry(r, "a mount point cannot have \"..\":", target);
        return text_equal(op->target, "/") ? bad_entry(r, "nothing can be mounted on \"/\" itself", NULL) : 0;
}

static int read_op(const struct reader *r, struct libmnt_fs *fs, const struct options *o, struct mount_op *op) {
        const char *source = r->m.mnt_fs_get_source(fs), *type = r->m.mnt_fs_get_fstype(fs);
        const char *options = r->m.mnt_fs_get_options(fs);
        int e;

        if (o->set & (MS_MOVE | MS_REMOUNT))
                return bad_entry(r, "mounts cannot be moved or mounted again", NULL);
        if (o->user & (MNT_MS_LOOP | MNT_MS_OFFSET | MNT_MS_SIZELIMIT))
                return bad_entry(r, "loop devices are not supported here", NULL);
        if (!source || !type)
                return bad_entry(r, "a source and a file system type are needed", NULL);
        op->origin = text_format("%s:%u", r->file, r->line);
        if (!op->origin)
                return error_memory(r->error);
        op->optional = o->user & MNT_MS_NOFAIL;
        op->create = has_option(r, options ? options : "", "X-mount.mkdir") ||
                     has_option(r, options ? options : "", "x-mount.mkdir");
        apply_flags(op, o);
        e = read_target(r, op, r->m.mnt_fs_get_target(fs));
        if (e < 0)
                return e;
        return o->set & MS_BIND ? read_bind(r, op, source, options) : read_new(r, op, source, type, o);
}

static int read_entry(const struct reader *r, struct libmnt_fs *fs, struct mount_list *list) {
        const char *target = r->m.mnt_fs_get_target(fs), *options = r->m.mnt_fs_get_options(fs);
        _cleanup_(mount_op_free) struct mount_op op = { 0 };
        struct options o;
        int e;

        if (!target || text_equal(target, "none") || r->m.mnt_fs_is_swaparea(fs) ||
            text_equal(r->m.mnt_fs_get_fstype(fs), "ignore"))
                return 0;
        e = read_options(r, options ? options : "", &o);
        if (e < 0)
                return e;
        if (!(o.user & MNT_MS_NOAUTO)) {
                e = read_op(r, fs, &o, &op);
                if (e >= 0 && mount_list_add(list, &op) < 0)
                        e = error_memory(r->error);
        }
        free(o.data);
        return e;
}

/* Has libmount read the one line TEXT into TABLE. */
static int parse_line(const struct reader *r, char *text, struct libmnt_table *table) {
        FILE *stream = fmemopen(text, strlen(text), "re");
        int e;

        if (!stream)
                return error_set(r->error, errno, "cannot read %s: %m", r->file);
        e = r->m.mnt_table_parse_stream(table, stream, r->file);
        fclose(stream);
        return e == -ENOMEM ? error_memory(r->error) : 0;
}

/* Line by line, as libmount does not say where an entry stood, and skips the lines that it does not understand. */
static int read_line(const struct reader *r, char *text, struct mount_list *list) {
        struct libmnt_table *table = NULL;
        struct libmnt_iter *iterator = NULL;
        struct libmnt_fs *fs;
        int e;

        table = r->m.mnt_new_table();
        iterator = r->m.mnt_new_iter(MNT_ITER_FORWARD);
        e = table && iterator ? parse_line(r, text, table) : error_memory(r->error);
        if (e >= 0)
                e = r->m.mnt_table_next_fs(table, iterator, &fs) == 0
                            ? read_entry(r, fs, list)
                            : bad_entry(r, "this is no line of an fstab: SOURCE TARGET TYPE OPTIONS", NULL);
        if (iterator)
                r->m.mnt_free_iter(iterator);
        if (table)
                r->m.mnt_unref_table(table);
        return e;
}

static int read_lines(struct reader *r, char *text, struct mount_list *list) {
        int e = 0;

        for (char *line; e >= 0 && (line = strsep(&text, "\n"));) {
                r->line++;
                line += strspn(line, " \t");
                if (!strchr("#\r", *line)) /* the end of the line is found as well */
                        e = read_line(r, line, list);
        }
        return e;
}

static int read_text(const char *file, char **ret, struct error *error) {
        _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (fd < 0)
                return error_set(error, errno, "cannot read %s: %m", file);
        r = fd_read_file(fd, FILE_LIMIT, &text, &size);
        if (r < 0)
                return error_set(error, -r, "cannot read %s: %m", file);
        if (strlen(text) != size)
                return error_set(error, EINVAL, "%s is no text", file);
        *ret = TAKE_PTR(text);
        return 0;
}

int fstab_load(const char *file, struct mount_list *list, struct error *error) {
        struct reader r = { .file = file, .error = error };
        struct mount_list found = { 0 };
        _cleanup_free_ char *text = NULL;
        int e;

        e = libmount_open(&r.m, error);
        if (e >= 0)
                e = read_text(file, &text, error);
        if (e >= 0)
                e = read_lines(&r, text, &found);
        for (size_t i = 0; e >= 0 && i < found.count; i++)
                if (mount_list_add(list, &found.ops[i]) < 0)
                        e = error_memory(error);
        mount_list_free(&found);
        return e;
}
