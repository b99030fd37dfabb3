/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Descriptors: one owner each, -EBADF where there is none, close-on-exec at birth. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* Closes FD unless it is negative; keeps errno. Returns -EBADF, so that `fd = fd_close(fd)` forgets it. */
static inline int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                close(fd); /* never retried: Linux has released the number even when it says EINTR (close(2)) */
                errno = saved;
        }
        return -EBADF;
}

static inline void fd_closep(int *fd) {
        *fd = fd_close(*fd);
}

static inline void freep(void *p) {
        free(*(void **) p);
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_close_ _cleanup_(fd_closep)
#define _cleanup_free_ _cleanup_(freep)

/* Hands the descriptor or pointer over to the caller; the variable owns nothing afterwards. */
#define TAKE_FD(fd)                                                                                                   \
        ({                                                                                                            \
                int *_take_fd = &(fd);                                                                                \
                int _taken_fd = *_take_fd;                                                                            \
                *_take_fd = -EBADF;                                                                                   \
                _taken_fd;                                                                                            \
        })
#define TAKE_PTR(p)                                                                                                   \
        ({                                                                                                            \
                typeof(p) *_take_ptr = &(p);                                                                          \
                typeof(p) _taken_ptr = *_take_ptr;                                                                    \
                *_take_ptr = NULL;                                                                                    \
                _taken_ptr;                                                                                           \
        })

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

/* A path "/proc/self/fd/N" (proc(5)): the way to name an open descriptor where only a path is taken. */
struct fd_path {
        char text[32];
};
struct fd_path fd_path(int fd);

/* Writes all SIZE bytes, going on after short writes and EINTR. Returns 0 or a negative errno. */
int fd_write_all(int fd, const void *data, size_t size);

/* Reads at most LIMIT bytes up to the end of the file. *RET_DATA is NUL-terminated and the caller's to free.
 * Returns 0 or a negative errno; -EFBIG when there is more than LIMIT: what an image holds is never read
 * without a bound. */
int fd_read_file(int fd, size_t limit, char **ret_data, size_t *ret_size);

/* Opens /dev/null in place of whichever of descriptors 0 to 2 is closed, so that no file opened later is taken
 * for a standard stream. Bit N of *RET_WAS_CLOSED says that descriptor N was. Returns 0 or a negative errno. */
int fd_fill_standard_streams(unsigned *ret_was_closed);
