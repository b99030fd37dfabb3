/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/text.h"

#define FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC)

/* O_NONBLOCK: a FIFO that was put there would wait for a reader, before it is seen to be one (fifo(7)). */
static int open_file(struct output_file *f, struct error *e) {
        struct stat st;

        f->fd = openat(f->directory, f->name, FLAGS | O_NONBLOCK, 0600);
        if (f->fd < 0 && errno == ELOOP)
                return error_set(e, ELOOP, "%s is a symbolic link, which is not followed", f->path);
        if (f->fd < 0 || fstat(f->fd, &st) < 0)
                return error_set(e, errno, "cannot open %s: %m", f->path);
        if (!S_ISREG(st.st_mode))
                return error_set(e, EINVAL, "%s is no regular file", f->path);
        /* A second name would let someone who can write here have a file appended to that he cannot write. */
        if (st.st_nlink != 1)
                return error_set(e, EINVAL, "%s has other names (hard links)", f->path);
        return 0;
}

/* The directory is opened once: its path may lead elsewhere when the file is rotated. */
static int open_directory(struct output_file *f, struct error *e) {
        char *slash = strrchr(f->path, '/');
        _cleanup_free_ char *parent = slash ? strndup(f->path, (size_t) (slash - f->path) + 1) : strdup(".");

        f->name = slash ? slash + 1 : f->path;
        if (!parent)
                return error_memory(e);
        f->directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return f->directory < 0 ? error_set(e, errno, "cannot open the directory of %s: %m", f->path) : 0;
}

int output_file_open(const char *path, struct output_file *ret, struct error *e) {
        struct output_file f = OUTPUT_FILE_NONE;
        int r;

        f.path = strdup(path);
        if (!f.path)
                return error_memory(e);
        r = open_directory(&f, e);
        if (r == 0)
                r = open_file(&f, e);
        if (r < 0)
                output_file_close(&f);
        else
                *ret = f;
        return r;
}

void output_file_close(struct output_file *f) {
        fd_close(f->fd);
        fd_close(f->directory);
        free(f->path);
        *f = OUTPUT_FILE_NONE;
}

static int move(const struct output_file *f, unsigned from, unsigned to) {
        _cleanup_free_ char *old = from ? text_format("%s.%u", f->name, from) : strdup(f->name);
        _cleanup_free_ char *new = text_format("%s.%u", f->name, to);

        if (!old || !new)
                return -ENOMEM;
        return renameat(f->directory, old, f->directory, new) < 0 && errno != ENOENT ? -errno : 0;
}

int output_file_rotate(struct output_file *f, unsigned keep) {
        int fd;

        if (keep == 0)
                return ftruncate(f->fd, 0) < 0 ? -errno : 0;
        for (unsigned i = keep; i > 0; i--) {
                int r = move(f, i - 1, i);
                if (r < 0)
                        return r;
        }
        /* O_EXCL: nothing that was put there meanwhile is taken for the new file. */
        fd = openat(f->directory, f->name, FLAGS | O_EXCL, 0600);
        if (fd < 0)
                return -errno;
        fd_close(f->fd);
        f->fd = fd;
        return 0;
}

int output_file_write(struct output_file *f, const void *data, size_t size) {
        return fd_write_all(f->fd, data, size);
}
