/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/protocol.h"

#include <errno.h>
#include <string.h>

#define SIGNAL_MAX 64 /* _NSIG, signal(7) */

int packet_encode(const struct packet *p, struct packet_head *ret) {
        if (p->data_size > PACKET_DATA_MAX)
                return -EMSGSIZE;
        *ret = (struct packet_head){
                .kind = (uint32_t) p->kind,
                .version = p->version,
                .wants = p->wants,
                .command = (uint32_t) p->command,
                .number = p->number,
                .rows = p->size.ws_row,
                .columns = p->size.ws_col,
        };
        return 0;
}

int packet_decode(const void *bytes, size_t size, struct packet *ret) {
        struct packet_head head;

        if (size < sizeof head || size > PACKET_SIZE_MAX)
                return -EPROTO;
        memcpy(&head, bytes, sizeof head);
        if (head.kind < PACKET_HELLO || head.kind >= PACKET_KINDS)
                return -EPROTO;
        if (head.kind == PACKET_COMMAND && (head.command < COMMAND_POWEROFF || head.command >= COMMANDS))
                return -EPROTO;
        if (head.kind == PACKET_COMMAND && (head.number < 0 || head.number > SIGNAL_MAX))
                return -EPROTO;
        if (head.kind == PACKET_EXIT && (head.number < 0 || head.number > 255))
                return -EPROTO;
        *ret = (struct packet){
                .kind = (enum packet_kind) head.kind,
                .version = head.version,
                .wants = head.wants & WANTS_ALL,
                .command = (enum packet_command) head.command,
                .number = head.number,
                .size = { .ws_row = head.rows, .ws_col = head.columns },
                .data = (const uint8_t *) bytes + sizeof head,
                .data_size = size - sizeof head,
        };
        return 0;
}

int packet_send(int fd, const struct packet *p, int flags) {
        struct packet_head head;
        struct iovec v[] = { { &head, sizeof head }, { (void *) p->data, p->data_size } };
        struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
        ssize_t n;

        int r = packet_encode(p, &head);
        if (r < 0)
                return r;
        do
                n = sendmsg(fd, &m, flags | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

int packet_receive(int fd, uint8_t *buffer, struct packet *ret, int flags) {
        ssize_t n;

        /* MSG_TRUNC: the true length, so that a packet that is too long is seen to be. ECONNRESET says, once, that the
         * peer closed without having read all of ours; its own last words come behind that (unix_release_sock()), and
         * a DETACH among them must not be lost. */
        do
                n = recv(fd, buffer, PACKET_SIZE_MAX, flags | MSG_TRUNC);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n <= 0)
                return n < 0 ? -errno : 0;
        int r = packet_decode(buffer, (size_t) n, ret);
        return r < 0 ? r : 1;
}
