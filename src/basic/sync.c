/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/sync.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"

int sync_pair(int ret_fds[static 2]) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

/* What a send's failure means. The first send after the other end closed without reading all says ECONNRESET instead
 * of EPIPE, unix(7). */
static int send_error(void) {
        return errno == ECONNRESET ? -EPIPE : -errno;
}

int sync_send(int fd, enum sync_step step, const struct error *error) {
        struct sync_packet packet;

        memset(&packet, 0, sizeof packet);
        packet.step = step;
        if (error)
                packet.error = *error;
        size_t size = error ? sizeof packet : offsetof(struct sync_packet, error);
        for (;;) {
                if (send(fd, &packet, size, MSG_NOSIGNAL) >= 0)
                        return 0;
                if (errno != EINTR)
                        return send_error();
        }
}

int sync_receive(int fd, struct sync_packet *ret) {
        struct sync_packet packet = { 0 };
        ssize_t n;

        /* ECONNRESET says that the other end closed without reading all that we had sent (unix(7)). It comes ahead of
         * what that end has sent before, and only once. */
        do
                n = recv(fd, &packet, sizeof packet, 0);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return -errno;
        if (n == 0)
                return 0;
        if ((size_t) n != sizeof packet && (size_t) n != offsetof(struct sync_packet, error))
                return -EPROTO;
        packet.error.text[sizeof packet.error.text - 1] = 0;
        packet.error.hint[sizeof packet.error.hint - 1] = 0;
        *ret = packet;
        return 1;
}

#define FDS_MAX 250 /* the kernel takes 253 a message: SCM_MAX_FD, unix(7) */

/* Which of the next COUNT descriptors are there; those that are come beside it, in order. */
struct fds_packet {
        enum sync_step step;
        unsigned count;
        bool present[FDS_MAX];
};

union fds_control {
        struct cmsghdr header;
        char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static int send_some_fds(int channel, const int *fds, size_t n) {
        struct fds_packet packet = { .step = SYNC_FDS, .count = (unsigned) n };
        struct iovec v = { .iov_base = &packet, .iov_len = sizeof packet };
        union fds_control control;
        struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
        size_t carried = 0;
        ssize_t r;

        for (size_t i = 0; i < n; i++) {
                packet.present[i] = fds[i] >= 0;
                if (packet.present[i])
                        memcpy(CMSG_DATA(&control.header) + carried++ * sizeof(int), &fds[i], sizeof(int));
        }
        if (carried > 0) {
                m.msg_control = &control;
                m.msg_controllen = CMSG_SPACE(carried * sizeof(int));
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(carried * sizeof(int));
        }
        do
                r = sendmsg(channel, &m, MSG_NOSIGNAL);
        while (r < 0 && errno == EINTR);
        return r < 0 ? send_error() : 0;
}

int sync_send_fds(int fd, const int *fds, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i += FDS_MAX)
                r = send_some_fds(fd, fds + i, n - i < FDS_MAX ? n - i : FDS_MAX);
        return r;
}

/* Puts the descriptors of message M to their places. Closes them all if their number is not what was said. */
static int place_fds(struct msghdr *m, const struct fds_packet *packet, int *fds, size_t n) {
        struct cmsghdr *h = CMSG_FIRSTHDR(m);
        size_t carried = h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS
                                 ? (h->cmsg_len - CMSG_LEN(0)) / sizeof(int)
                                 : 0;
        size_t said = 0, next = 0;

        for (size_t i = 0; i < n; i++)
                said += packet->present[i];
        for (size_t i = 0; i < n && said == carried; i++)
                if (packet->present[i])
                        memcpy(&fds[i], CMSG_DATA(h) + next++ * sizeof(int), sizeof(int));
        for (; next < carried; next++) {
                int fd;
                memcpy(&fd, CMSG_DATA(h) + next * sizeof(int), sizeof fd);
                close(fd);
        }
        return said == carried ? 0 : -EPROTO;
}

/* A receiver that is short of descriptor numbers gets fewer than were sent (MSG_CTRUNC, unix(7)). */
static int receive_some_fds(int channel, int *fds, size_t n) {
        struct fds_packet packet = { 0 };
        struct iovec v = { .iov_base = &packet, .iov_len = sizeof packet };
        union fds_control control;
        struct msghdr m = {
                .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
        };
        ssize_t size;

        do
                size = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
        while (size < 0 && errno == EINTR);
        if (size <= 0)
                return size < 0 && errno != ECONNRESET ? -errno : -EPIPE;
        if (size != sizeof packet || packet.step != SYNC_FDS || packet.count != n)
                memset(packet.present, 0, sizeof packet.present);
        int r = place_fds(&m, &packet, fds, n);
        if (m.msg_flags & MSG_CTRUNC)
                return -EMFILE;
        return r >= 0 && (packet.step != SYNC_FDS || packet.count != n) ? -EPROTO : r;
}

int sync_receive_fds(int fd, int *ret_fds, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n; i++)
                ret_fds[i] = -EBADF;
        for (size_t i = 0; r >= 0 && i < n; i += FDS_MAX)
                r = receive_some_fds(fd, ret_fds + i, n - i < FDS_MAX ? n - i : FDS_MAX);
        for (size_t i = 0; r < 0 && i < n; i++)
                ret_fds[i] = fd_close(ret_fds[i]);
        return r;
}
