/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/sync.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

int sync_pair(int ret_fds[static 2]) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
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
                        return -errno;
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
