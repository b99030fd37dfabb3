/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "machined/notify.h"

/* Who sent it: 0 if the kernel did not say. Descriptors that came along are closed. */
static pid_t sender_of(struct msghdr *message) {
        pid_t sender = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
                        struct ucred credentials;
                        memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
                        sender = credentials.pid;
                } else if (c->cmsg_type == SCM_RIGHTS) {
                        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
                                int fd;
                                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
                                fd_close(fd);
                        }
                }
        }
        return sender;
}

int notify_receive(int fd, pid_t leader, struct notify_message *ret) {
        /* Room for the credentials and nothing more. The kernel writes those first and drops the descriptors for which
         * there is no room (unix(7), MSG_CTRUNC) without making them ours: a close() of ours would run flush() of a
         * FUSE file system that the payload serves, which may hang. */
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        char text[NOTIFY_DATAGRAM_MAX];
        struct iovec vector = { .iov_base = text, .iov_len = sizeof text };
        struct msghdr message = {
                .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
        };
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

        if (n < 0)
                return -errno;
        if (sender_of(&message) != leader || leader <= 0 || (message.msg_flags & MSG_TRUNC))
                return 0;
        return notify_parse(text, (size_t) n, ret);
}

int notify_send(const char *text) {
        const char *target = secure_getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t n = target ? strlen(target) : 0;

        if (n == 0)
                return 0;
        if (target[0] != '/' && target[0] != '@')
                return -EAFNOSUPPORT;
        if (n < 2 || n >= sizeof address.sun_path)
                return -EINVAL;
        memcpy(address.sun_path, target, n);
        if (target[0] == '@')
                address.sun_path[0] = 0; /* unix(7), "abstract": the length counts, not a NUL at the end */
        socklen_t length = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + (target[0] == '/'));
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *) &address, length) < 0)
                return -errno;
        return 1;
}

int notify_watchdog(uint64_t *ret_usec) {
        const char *usec = secure_getenv("WATCHDOG_USEC"), *pid = secure_getenv("WATCHDOG_PID");
        uint64_t number;

        if (!usec)
                return 0;
        if (pid) {
                if (parse_unsigned(pid, 1, INT32_MAX, &number) < 0)
                        return -EINVAL;
                if (number != (uint64_t) getpid())
                        return 0;
        }
        if (parse_unsigned(usec, 1, UINT64_MAX - 1, &number) < 0)
                return -EINVAL;
        *ret_usec = number;
        return 1;
}
