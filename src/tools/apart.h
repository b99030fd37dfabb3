/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Looking at what is the payload's in a process of its own. A file below its root may lie on a file system that it
 * serves itself (FUSE), a file may be leased, the memory that holds a command line may be paged in by it
 * (userfaultfd(2)): each makes whoever looks wait for as long as it likes, with no way out but SIGKILL. */

#include <stddef.h>
#include <sys/types.h>

struct apart {
        pid_t pid;
        int fd;
};

/* Starts a process that runs BODY, which writes what it has found to FD, and ends. It dies with its parent, and writes
 * nothing of what stdio has buffered. Returns 0 or a negative errno; *RET is the caller's to end with apart_end(). */
int apart_start(void (*body)(int fd, void *userdata), void *userdata, struct apart *ret);

/* Reads SIZE bytes of what it has written, waiting for MSEC at most. Returns 0 or a negative errno: -ETIMEDOUT, or
 * -EPIPE when it has ended before. *RET_SIZE is what has come in any case. */
int apart_read(const struct apart *a, void *buffer, size_t size, unsigned msec, size_t *ret_size);

/* Ends it if it still runs, and waits only for one that can be. */
void apart_end(struct apart *a);
