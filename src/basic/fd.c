/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct fd_path fd_path(int fd) {
        struct fd_path p;

        snprintf(p.text, sizeof p.text, "/proc/self/fd/%d", fd);
        return p;
}

int fd_write_all(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

int fd_read_file(int fd, size_t limit, char **ret_data, size_t *ret_size) {
        _cleanup_free_ char *buffer = NULL;
        size_t size = 0, room = 0;

        for (;;) {
                if (size == room) {
                        /* Files are small as a rule, and every page that is touched costs a fault. One byte above the
                         * limit is read, to see that there is more, and one is for the NUL. */
                        room = room == 0 ? 2048 : room * 2;
                        if (room > limit + 1)
                                room = limit + 1;
                        char *larger = realloc(buffer, room + 1);
                        if (!larger)
                                return -ENOMEM;
                        buffer = larger;
                }
                ssize_t n = read(fd, buffer + size, room - size);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > limit)
                        return -EFBIG;
        }
        buffer[size] = 0;
        *ret_data = TAKE_PTR(buffer);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int fd_fill_standard_streams(unsigned *ret_was_closed) {
        unsigned was_closed = 0;

        for (int i = 0; i < 3; i++) {
                if (fcntl(i, F_GETFD) >= 0)
                        continue;
                /* Lower ones are open by now, so open() returns exactly this number (open(2): the lowest free). */
                if (open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY) != i)
                        return -errno;
                was_closed |= 1U << i;
        }
        *ret_was_closed = was_closed;
        return 0;
}
