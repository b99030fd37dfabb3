/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A file of the host's that the console is written to. Its directory may be one that the payload can write too, so
 * what lies there is never followed and only a regular file with one name is written. */

#include <stddef.h>

#include "basic/error.h"

struct output_file {
        int directory; /* O_PATH */
        int fd;        /* O_APPEND */
        char *path;    /* as given, for messages */
        char *name;    /* its last component, within PATH */
};

#define OUTPUT_FILE_NONE ((struct output_file){ .directory = -EBADF, .fd = -EBADF })

/* Opens PATH for appending, or makes it with mode 0600. *RET is the caller's to end with output_file_close(). Returns
 * 0 or a negative errno. */
int output_file_open(const char *path, struct output_file *ret, struct error *e);
void output_file_close(struct output_file *f);

/* Renames FILE to FILE.1, that to FILE.2, and so on up to KEEP, the last of which goes; begins a new FILE. With KEEP 0
 * FILE is emptied. Returns 0 or a negative errno; on failure the old file is still open. */
int output_file_rotate(struct output_file *f, unsigned keep);

/* Writes all of DATA. Returns 0 or a negative errno; a part may have been written then. */
int output_file_write(struct output_file *f, const void *data, size_t size);
