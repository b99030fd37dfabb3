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
        { "finit", "finit", NULL, STOP_SIGNAL, SIGUSR2 }, /* SIGTERM would reboot it */
        { "runit", "runit-init", NULL, STOP_RUNIT, SIGCONT },
        { "runit", "runit", NULL, STOP_RUNIT, SIGCONT },
        { "busybox", NULL, "BusyBox is a multi-call binary", STOP_SIGNAL, SIGUSR2 },
        { "sysvinit", NULL, "/run/initctl", STOP_INITCTL, 0 },
        { "runit", NULL, "/sbin/runit", STOP_RUNIT, SIGCONT },
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

/* /etc/runit/stopit and /etc/runit/reboot are links to these: of Debian; of Void and Artix. */
static const struct {
        const char *stop, *reboot;
} runit_files[] = {
        { "runit.stopit", "runit.reboot" },
        { "runit/stopit", "runit/reboot" },
};

/* Opens a regular file of the payload's /run. O_PATH: neither a FIFO nor a device that the payload may have put there
 * is really opened. */
static int open_regular(int run_fd, const char *path, mode_t *ret_mode) {
        struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
        struct stat st;
        _cleanup_close_ int fd = sys_openat2(run_fd, path, &how);

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        *ret_mode = st.st_mode & 07777;
        return TAKE_FD(fd);
}

/* fchmod(2) does not take an O_PATH descriptor; its path in /proc leads to the very file that was looked at. */
static int set_mode(int fd, mode_t mode) {
        return chmod(fd_path(fd).text, mode) < 0 ? -errno : 0;
}

static int request_runit(int run_fd, const char *stop_path, const char *reboot_path, bool *requested) {
        mode_t stop_mode = 0, reboot_mode = 0;
        _cleanup_close_ int stop = open_regular(run_fd, stop_path, &stop_mode);
        if (stop < 0)
                return stop;
        if (*requested)
                return (stop_mode & S_IXUSR) != 0;
        /* Stage 1 makes this one after the other: what is set before that could be undone by install(1). */
        _cleanup_close_ int reboot = open_regular(run_fd, reboot_path, &reboot_mode);
        if (reboot < 0)
                return reboot;
        int r = set_mode(reboot, 0);
        if (r >= 0)
                r = set_mode(stop, S_IXUSR);
        if (r < 0)
                return r;
        *requested = true;
        return 1;
}

int init_request_runit(int run_fd, bool *requested) {
        int r = -ENOENT;

        for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(runit_files); i++)
                r = request_runit(run_fd, runit_files[i].stop, runit_files[i].reboot, requested);
        return r;
}
