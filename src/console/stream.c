/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"

static bool opened_for(int fd, bool for_writing) {
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || (flags & O_PATH))
                return false;
        int mode = flags & O_ACCMODE;
        return mode == O_RDWR || mode == (for_writing ? O_WRONLY : O_RDONLY);
}

/* Without permission for the node (after su(1)) the terminal can still be had if it is the controlling one. */
static int reopen_controlling_terminal(int fd, int flags) {
        _cleanup_close_ int own = open("/dev/tty", flags);
        unsigned wanted, got;

        if (own < 0 || ioctl(fd, TIOCGDEV, &wanted) < 0 || ioctl(own, TIOCGDEV, &got) < 0 || wanted != got)
                return -ENOTTY;
        return TAKE_FD(own);
}

static struct stream open_terminal(int fd, bool for_writing) {
        int flags = (for_writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        int own = open(fd_path(fd).text, flags);

        if (own < 0)
                own = reopen_controlling_terminal(fd, flags);
        if (own < 0)
                return (struct stream){ .kind = STREAM_CAREFUL, .fd = fd, .terminal = true };
        return (struct stream){ .kind = STREAM_OWN, .fd = own, .owned = true, .terminal = true };
}

/* Can it be polled at all? epoll_ctl(2) refuses regular files and devices without a poll method with EPERM. */
static bool pollable(int fd) {
        struct epoll_event event = { .events = 0 };
        _cleanup_close_ int set = epoll_create1(EPOLL_CLOEXEC);

        return set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0 || errno != EPERM;
}

struct stream stream_open(int fd, bool for_writing) {
        struct stream s = STREAM_CLOSED;
        struct stat st;

        if (fd < 0 || !opened_for(fd, for_writing) || fstat(fd, &st) < 0)
                return s;
        if (isatty(fd))
                return open_terminal(fd, for_writing);
        s.fd = fd;
        /* A regular file is not reopened: a description of our own would have an offset of its own, and what the
         * caller writes after us would overwrite our bytes. */
        if (S_ISSOCK(st.st_mode))
                s.kind = STREAM_SOCKET;
        else if (S_ISFIFO(st.st_mode))
                s.kind = STREAM_NOWAIT;
        else
                s.kind = pollable(fd) ? STREAM_CAREFUL : STREAM_READY;
        return s;
}

void stream_close(struct stream *s) {
        if (s->owned)
                fd_close(s->fd);
        *s = STREAM_CLOSED;
}

/* The kernel's rule (fs/pipe.c, pipe(7)): a pipe polls writable when a buffer of PIPE_BUF bytes is free, so that much
 * does not block unless another writer of the same pipe comes in between. A pipe or terminal that polls readable
 * returns what there is; only another reader could make that wait. */
static bool ready_now(int fd, short events) {
        struct pollfd p = { .fd = fd, .events = events };

        return poll(&p, 1, 0) > 0;
}

static ssize_t result(ssize_t n) {
        if (n >= 0)
                return n;
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static ssize_t careful_write(const struct stream *s, const void *data, size_t size) {
        /* A terminal makes no promise like a pipe's, only that there is some room. */
        size_t limit = s->terminal ? 64 : PIPE_BUF;

        if (!ready_now(s->fd, POLLOUT))
                return -EAGAIN;
        return result(write(s->fd, data, size < limit ? size : limit));
}

static ssize_t careful_read(const struct stream *s, void *data, size_t size) {
        if (!ready_now(s->fd, POLLIN))
                return -EAGAIN;
        return result(read(s->fd, data, size));
}

ssize_t stream_read(struct stream *s, void *data, size_t size) {
        struct iovec v = { .iov_base = data, .iov_len = size };

        switch (s->kind) {
        case STREAM_OWN:
        case STREAM_READY:
                return result(read(s->fd, data, size));
        case STREAM_SOCKET:
                return result(recv(s->fd, data, size, MSG_DONTWAIT));
        case STREAM_NOWAIT: {
                ssize_t n = preadv2(s->fd, &v, 1, -1, RWF_NOWAIT);
                if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
                        return result(n);
                s->kind = STREAM_CAREFUL;
                return careful_read(s, data, size);
        }
        case STREAM_CAREFUL:
                return careful_read(s, data, size);
        case STREAM_NONE:
                break;
        }
        return -EBADF;
}

ssize_t stream_write(struct stream *s, const void *data, size_t size) {
        struct iovec v = { .iov_base = (void *) data, .iov_len = size };

        switch (s->kind) {
        case STREAM_OWN:
        case STREAM_READY:
                return result(write(s->fd, data, size));
        case STREAM_SOCKET:
                return result(send(s->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));
        case STREAM_NOWAIT: {
                ssize_t n = pwritev2(s->fd, &v, 1, -1, RWF_NOWAIT);
                if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
                        return result(n);
                s->kind = STREAM_CAREFUL;
                return careful_write(s, data, size);
        }
        case STREAM_CAREFUL:
                return careful_write(s, data, size);
        case STREAM_NONE:
                break;
        }
        return -EBADF;
}
