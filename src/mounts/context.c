/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"

bool op_is_prepared(const struct mount_op *op) {
        return op->side == SIDE_PARENT && (op->kind == MOUNT_NEW || (op->kind == MOUNT_BIND && !op->source_in_root));
}

int op_error(const struct mount_op *op, int code, struct error *error, const char *format, ...) {
        bool named = op->origin && !text_equal(op->origin, "default");
        char text[sizeof error->text];
        va_list ap;

        va_start(ap, format);
        errno = code;
        vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        error_set(error, code, "%s%s%s", named ? op->origin : "", named ? ": " : "", text);
        return code == ENOSYS && error
                       ? error_hint(error, "Linux 5.12 or later is needed, and no filter that denies its mount calls")
                       : -code;
}

/* The last error message that the kernel has left in the context, without its "e " mark and the newline; empty if
 * there is none. Each read(2) takes one. */
static void read_message(int fs, char *message, size_t size) {
        char line[512];
        ssize_t n;

        *message = 0;
        while ((n = read(fs, line, sizeof line - 1)) > 0) {
                line[n] = 0;
                line[strcspn(line, "\n")] = 0;
                if (text_starts_with(line, "e "))
                        snprintf(message, size, "%s", line + 2);
        }
}

static int context_error(const struct mount_op *op, const char *type, int fs, int code, struct error *error) {
        char message[512];

        read_message(fs, message, sizeof message);
        errno = code;
        return *message ? op_error(op, code, error, "cannot mount %s on %s: %s", type, op->target, message)
                        : op_error(op, code, error, "cannot mount %s on %s: %m", type, op->target);
}

/* Cuts the next option off *P; commas between double quotes are part of it, the quotes are not. NULL at the end. */
static char *next_option(char **p) {
        char *start = *p, *to = start;
        bool quoted = false;

        if (!*start)
                return NULL;
        for (; **p && (quoted || **p != ','); ++*p)
                if (**p == '"')
                        quoted = !quoted;
                else
                        *to++ = **p;
        if (**p)
                ++*p;
        *to = 0;
        return start;
}

static int set_option(int fs, char *option) {
        char *value = strchr(option, '=');

        if (!*option)
                return 0;
        if (!value)
                return sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
        *value++ = 0;
        return sys_fsconfig(fs, FSCONFIG_SET_STRING, option, value, 0);
}

static int set_options(int fs, const struct mount_op *op, const char *type, const char *options, struct error *error) {
        _cleanup_free_ char *copy = strdup(options ? options : "");
        char *option, *p = copy;

        if (!copy)
                return error_memory(error);
        if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", op->source ? op->source : type, 0) < 0)
                return context_error(op, type, fs, errno, error);
        while ((option = next_option(&p)))
                if (set_option(fs, option) < 0)
                        return context_error(op, type, fs, errno, error);
        return 0;
}

int context_mount(const struct mount_op *op, const char *type, const char *options, uint64_t attributes,
                  struct error *error) {
        _cleanup_close_ int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
        int r;

        if (fs < 0 && errno == ENODEV)
                return op_error(op, ENODEV, error, "cannot mount %s on %s: this kernel has no such file system", type,
                                op->target);
        if (fs < 0)
                return op_error(op, errno, error, "cannot mount %s on %s: %m", type, op->target);
        r = set_options(fs, op, type, options, error);
        if (r < 0)
                return r;
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return context_error(op, type, fs, errno, error);
        r = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) attributes);
        return r < 0 ? context_error(op, type, fs, errno, error) : r;
}

int mount_change(int fd, const struct mount_op *op, unsigned long propagation) {
        struct mount_attr attr = {
                .attr_set = op->attributes,
                .attr_clr = op->clear & ~op->attributes,
                .propagation = propagation,
        };

        /* The atime settings are one field of three values rather than flags: whoever changes it has to clear all of
         * it (mount_setattr(2)). */
        if ((attr.attr_set | attr.attr_clr) & MOUNT_ATTR__ATIME)
                attr.attr_clr |= MOUNT_ATTR__ATIME;
        if (attr.attr_set == 0 && attr.attr_clr == 0 && propagation == 0)
                return 0;
        return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (op->recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) < 0
                       ? -errno
                       : 0;
}
