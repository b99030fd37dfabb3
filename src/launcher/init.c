/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"

const char *const init_candidates[] = {
        "/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/etc/init", "/bin/init", "/init", NULL
};

static const struct init_kind kinds[] = {
        { "systemd", "systemd", NULL, STOP_SIGNAL, -3 },
        { "busybox", "busybox", NULL, STOP_SIGNAL, SIGUSR2 },
        { "openrc-init", "openrc-init", NULL, STOP_SIGNAL, SIGTERM },
        { "dinit", "dinit", NULL, STOP_SIGNAL, SIGTERM },
        { "busybox", NULL, "BusyBox is a multi-call binary", STOP_SIGNAL, SIGUSR2 },
        { "sysvinit", NULL, "/run/initctl", STOP_INITCTL, 0 },
        { "unknown", NULL, NULL, STOP_BY_DISPOSITION, 0 },
};

const struct init_kind *init_unknown(void) {
        return &kinds[ELEMENTSOF(kinds) - 1];
}

const struct init_kind *init_identify(const char *path, const void *program, size_t size) {
        const char *slash = path ? strrchr(path, '/') : NULL;
        const char *file = slash ? slash + 1 : path;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const struct init_kind *k = &kinds[i];
                if (k->file && text_equal(k->file, file))
                        return k;
                if (k->marker && program && memmem(program, size, k->marker, strlen(k->marker)))
                        return k;
        }
        return init_unknown();
}

int init_signal(const struct init_kind *kind) {
        return kind->signal < 0 ? SIGRTMIN - kind->signal : kind->signal;
}

/* The record that sysvinit reads from its FIFO. */
struct initctl_request {
        uint32_t magic;
        uint32_t command;
        uint32_t runlevel;
        uint32_t sleep_seconds;
        char data[368];
};

int init_request_poweroff(int run_fd) {
        struct initctl_request request = { .magic = 0x03091969, .command = 1, .runlevel = '0', .sleep_seconds = 5 };
        /* The payload is root on this file system: nothing but a FIFO right there will do, never through a link. */
        struct open_how how = { .flags = O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
        struct stat st;

        _cleanup_close_ int fd = sys_openat2(run_fd, "initctl", &how);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISFIFO(st.st_mode))
                return -EBADF;
        return fd_write_all(fd, &request, sizeof request);
}
