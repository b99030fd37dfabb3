/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/pty.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "basic/fd.h"

#define TTYAUX_MAJOR 5 /* Documentation/admin-guide/devices.txt: 5:2 is ptmx, 136 to 143 the Unix98 peers */
#define PTMX_MINOR 2
#define UNIX98_PEER_MAJOR 136
#define UNIX98_PEER_MAJORS 8

/* Character device of a devpts? An instance is fresh, but what looks like ptmx may have been bound over it. */
static int verify(int fd, unsigned first_major, unsigned majors, int minor_wanted, const char *what, struct error *e) {
        struct statfs fs;
        struct stat st;

        if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
                return error_set(e, errno, "cannot examine the console's %s: %m", what);
        if (fs.f_type != DEVPTS_SUPER_MAGIC)
                return error_set(e, EPERM, "the console's %s is not on a devpts file system", what);
        if (!S_ISCHR(st.st_mode) || major(st.st_rdev) < first_major || major(st.st_rdev) >= first_major + majors ||
            (minor_wanted >= 0 && minor(st.st_rdev) != (unsigned) minor_wanted))
                return error_set(e, EPERM, "the console's %s is device %u:%u, not what it should be", what,
                                 major(st.st_rdev), minor(st.st_rdev));
        return 0;
}

static int open_peer(int master, struct error *e) {
        int unlock = 0;
        _cleanup_close_ int peer = -EBADF;

        if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
                return error_set(e, errno, "cannot unlock the console's PTY: %m");
        peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (peer < 0)
                return error_set(e, errno, "cannot open the peer of the console's PTY: %m");
        int r = verify(peer, UNIX98_PEER_MAJOR, UNIX98_PEER_MAJORS, -1, "peer", e);
        return r < 0 ? r : TAKE_FD(peer);
}

int pty_allocate(int devpts_fd, struct pty *ret, struct error *e) {
        _cleanup_close_ int master = -EBADF, peer = -EBADF;
        unsigned number;
        int r;

        master = openat(devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (master < 0)
                return error_set(e, errno, "cannot open ptmx in the container's devpts: %m");
        r = verify(master, TTYAUX_MAJOR, 1, PTMX_MINOR, "ptmx", e);
        if (r < 0)
                return r;
        peer = open_peer(master, e);
        if (peer < 0)
                return peer;
        if (ioctl(master, TIOCGPTN, &number) < 0)
                return error_set(e, errno, "cannot learn the number of the console's PTY: %m");
        struct pty pty = { .master = TAKE_FD(master), .peer = TAKE_FD(peer), .number = number };
        r = pty_set_modes(&pty, NULL);
        if (r < 0) {
                pty_close(&pty);
                return error_set(e, -r, "cannot set the modes of the console's PTY: %m");
        }
        *ret = pty;
        return 0;
}

void pty_close(struct pty *pty) {
        if (!pty)
                return;
        fd_close(pty->peer);
        fd_close(pty->master);
        *pty = PTY_NONE;
}

int pty_set_size(const struct pty *pty, const struct winsize *size) {
        return ioctl(pty->master, TIOCSWINSZ, size) < 0 ? -errno : 0;
}

/* What a getty would leave behind (termios(3)); the rest of the characters are the kernel's defaults. */
static void sane_modes(struct termios *t) {
        t->c_iflag = ICRNL | IXON | IMAXBEL | BRKINT;
        t->c_oflag = OPOST | ONLCR;
        t->c_cflag = CS8 | CREAD | HUPCL;
        t->c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
}

int pty_set_modes(const struct pty *pty, const struct termios *from) {
        static const int characters[] = { VINTR, VQUIT,    VERASE,  VKILL,  VEOF,     VSTART, VSTOP,
                                          VSUSP, VREPRINT, VWERASE, VLNEXT, VDISCARD, VEOL,   VEOL2 };
        struct termios t;

        if (tcgetattr(pty->peer, &t) < 0)
                return -errno;
        sane_modes(&t);
        cfsetispeed(&t, B38400);
        cfsetospeed(&t, B38400);
        if (from) {
                t.c_iflag |= from->c_iflag & IUTF8;
                cfsetispeed(&t, cfgetispeed(from));
                cfsetospeed(&t, cfgetospeed(from));
                for (size_t i = 0; i < ELEMENTSOF(characters); i++)
                        t.c_cc[characters[i]] = from->c_cc[characters[i]];
        }
        return tcsetattr(pty->peer, TCSANOW, &t) < 0 ? -errno : 0;
}
