/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "basic/fd.h"

enum { ROUNDS = 64 }; /* others may take the device that we were told is free */

static int take(const struct loop_config *config, bool read_only, int number, struct loop *ret) {
        snprintf(ret->device, sizeof ret->device, "/dev/loop%d", number);
        _cleanup_close_ int fd = open(ret->device, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || ioctl(fd, LOOP_CONFIGURE, config) < 0)
                return -errno;
        ret->fd = TAKE_FD(fd);
        return 0;
}

int loop_attach(int fd, const char *name, uint64_t offset, uint64_t size, bool read_only, struct loop *ret,
                struct error *error) {
        struct loop_config config = {
                .fd = (uint32_t) fd,
                .info = { .lo_offset = offset,
                          .lo_sizelimit = size,
                          .lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0) },
        };
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        int r = -EBUSY;

        *ret = LOOP_NONE;
        if (control < 0) {
                error_set(error, errno, "cannot open /dev/loop-control, which a disk image needs: %m");
                return errno == ENOENT ? error_hint(error, "modprobe loop") : -errno;
        }
        snprintf((char *) config.info.lo_file_name, sizeof config.info.lo_file_name, "%s", name);
        for (int round = 0; r == -EBUSY && round < ROUNDS; round++) {
                int number = ioctl(control, LOOP_CTL_GET_FREE);
                if (number < 0)
                        return error_set(error, errno, "cannot get a loop device: %m");
                r = take(&config, read_only, number, ret);
        }
        return r < 0 ? error_set(error, -r, "cannot make %s of %s: %s", ret->device, name, strerror(-r)) : 0;
}

void loop_close(struct loop *loop) {
        loop->fd = fd_close(loop->fd);
}
