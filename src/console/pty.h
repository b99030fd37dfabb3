/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The container's pseudo-terminal: a master and a peer of the container's own devpts, by descriptor only.
 *
 * The image decides what /dev/ptmx and /dev/pts/N are once its tree is in place, so no path is ever opened: the master
 * is opened relative to the descriptor of a devpts instance that was made a moment ago, and the peer is asked of the
 * master with TIOCGPTPEER (ioctl_tty(2), Linux 4.13). */

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "basic/error.h"

struct pty {
        int master;      /* O_NONBLOCK, stays with the supervisor */
        int peer;        /* blocking: what the payload gets as its standard streams */
        unsigned number; /* the N of /dev/pts/N inside the container */
};

#define PTY_NONE ((struct pty){ .master = -EBADF, .peer = -EBADF })

/* Makes a pair in the devpts instance DEVPTS_FD (the result of fsmount(2), attached or still detached, or an O_PATH
 * descriptor of its root). Both are checked: devpts by file system magic, 5:2 and 136…143:* by device number. The
 * caller owns both descriptors (close-on-exec) and ends with pty_close(). The peer has sane default modes.
 * Returns 0 or a negative errno; -EPERM when what was opened is not what it should be. */
int pty_allocate(int devpts_fd, struct pty *ret, struct error *e);

/* Closes both descriptors and leaves PTY_NONE. NULL and PTY_NONE do nothing. */
void pty_close(struct pty *pty);

/* Sets the window size; the payload's foreground group gets SIGWINCH if it has changed. Returns 0 or a negative
 * errno. Call it before the exec: programs ask for the size with their first instruction. */
int pty_set_size(const struct pty *pty, const struct winsize *size);

/* Gives the peer sane cooked modes, with the characters (erase, end of file, interrupt …), IUTF8 and speeds of FROM,
 * the saved modes of the caller's terminal; NULL for the defaults alone. Without IUTF8 the erase key removes one byte
 * of a multibyte character (termios(3)). Returns 0 or a negative errno. A vhangup(2) inside puts the kernel's defaults
 * back. */
int pty_set_modes(const struct pty *pty, const struct termios *from);
