/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One of the host's streams, read or written without ever blocking and without touching the flags of the open file
 * description, which the caller shares with us (O_NONBLOCK there would break the caller's other programs). */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum stream_kind {
        STREAM_NONE,    /* no such stream */
        STREAM_OWN,     /* a terminal, reopened: a description of our own with O_NONBLOCK */
        STREAM_READY,   /* a file, or a device that cannot be polled: always ready, original description */
        STREAM_SOCKET,  /* MSG_DONTWAIT */
        STREAM_NOWAIT,  /* a pipe: RWF_NOWAIT (preadv2(2); pipes know it since Linux 6.4) */
        STREAM_CAREFUL, /* none of these: only after poll(2), and then PIPE_BUF bytes at most */
};

struct stream {
        enum stream_kind kind;
        int fd;
        bool owned;    /* close FD at the end */
        bool terminal; /* hanging up is possible */
};

#define STREAM_CLOSED ((struct stream){ .kind = STREAM_NONE, .fd = -EBADF })

/* Finds out how FD is to be read (or written). A descriptor that is not open, or not open that way, is STREAM_NONE.
 * FD is borrowed. */
struct stream stream_open(int fd, bool for_writing);
void stream_close(struct stream *s);

/* One read(2) or write(2). Returns the number of bytes, 0 at the end of file, -EAGAIN, or another negative errno.
 * STREAM_CAREFUL asks poll(2) first, so that -EAGAIN also means "not now" there. */
ssize_t stream_read(struct stream *s, void *data, size_t size);
ssize_t stream_write(struct stream *s, const void *data, size_t size);
