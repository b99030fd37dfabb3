/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/syscalls.h"

enum { DYING_MSEC = 100 };

int apart_start(void (*body)(int fd, void *userdata), void *userdata, struct apart *ret) {
        pid_t parent = getpid();
        int p[2];

        if (pipe2(p, O_CLOEXEC) < 0)
                return -errno;
        pid_t pid = fork();
        if (pid == 0) {
                fd_close(p[0]);
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() == parent) /* else it has died before the line above */
                        body(p[1], userdata);
                _exit(0);
        }
        int r = pid < 0 ? -errno : 0;
        fd_close(p[1]);
        if (r < 0)
                fd_close(p[0]);
        else
                *ret = (struct apart){ pid, p[0] };
        return r;
}

int apart_read(const struct apart *a, void *buffer, size_t size, unsigned msec, size_t *ret_size) {
        uint64_t end = clock_msec() + msec;
        char *p = buffer;

        *ret_size = 0;
        while (*ret_size < size) {
                struct pollfd s = { .fd = a->fd, .events = POLLIN };
                uint64_t now = clock_msec();
                int r = now >= end ? 0 : poll(&s, 1, (int) (end - now));
                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return r < 0 ? -errno : -ETIMEDOUT;
                ssize_t n = read(a->fd, p + *ret_size, size - *ret_size);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EPIPE;
                *ret_size += (size_t) n;
        }
        return 0;
}

/* What waits uninterruptibly does not die either; it is not waited for, and becomes the reaper's with our end. */
void apart_end(struct apart *a) {
        if (a->pid > 0) {
                _cleanup_close_ int pidfd = sys_pidfd_open(a->pid, 0);
                struct pollfd p = { .fd = pidfd, .events = POLLIN };
                (void) kill(a->pid, SIGKILL);
                (void) poll(&p, 1, DYING_MSEC);
                (void) waitpid(a->pid, NULL, WNOHANG);
        }
        a->fd = fd_close(a->fd);
        a->pid = 0;
}
