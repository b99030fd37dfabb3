/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/terminal.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/text.h"

enum { INPUT, OUTPUT };

static int set_modes(int fd, const struct termios *modes) {
        int r;

        do
                r = tcsetattr(fd, TCSANOW, modes);
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : 0;
}

/* One terminal? TIOCGDEV sees through /dev/tty; the file systems tell apart the equal numbers of two devpts. */
static bool same_terminal(int a, int b) {
        unsigned dev_a, dev_b;
        struct stat st_a, st_b;

        if (ioctl(a, TIOCGDEV, &dev_a) < 0 || ioctl(b, TIOCGDEV, &dev_b) < 0 || dev_a != dev_b)
                return false;
        if (fstat(a, &st_a) < 0 || fstat(b, &st_b) < 0)
                return false;
        return st_a.st_rdev != st_b.st_rdev || st_a.st_dev == st_b.st_dev;
}

static void probe_side(int fd, int *ret_fd, struct termios *ret_modes) {
        *ret_fd = fd >= 0 && tcgetattr(fd, ret_modes) == 0 ? fd : -EBADF;
}

/* The modes that serve the copy: the payload's own PTY does all line editing and output processing. */
static void compute_ours(struct terminal *t) {
        struct termios raw_input = t->saved[INPUT], raw_output = t->saved[OUTPUT];

        t->ours[INPUT] = t->saved[INPUT];
        t->ours[OUTPUT] = t->saved[OUTPUT];
        cfmakeraw(&raw_input);
        cfmakeraw(&raw_output);
        if (t->input >= 0) {
                t->ours[INPUT] = raw_input;
                if (!t->same)
                        t->ours[INPUT].c_oflag = t->saved[INPUT].c_oflag;
        }
        if (t->output >= 0)
                t->ours[OUTPUT].c_oflag = raw_output.c_oflag;
}

void terminal_probe(int input, int output, struct terminal *ret) {
        struct terminal t = TERMINAL_NONE;
        pid_t group;

        probe_side(input, &t.input, &t.saved[INPUT]);
        probe_side(output, &t.output, &t.saved[OUTPUT]);
        t.same = t.input >= 0 && t.output >= 0 && same_terminal(t.input, t.output);
        group = t.input >= 0 ? tcgetpgrp(t.input) : -1;
        t.foreground = group > 0 ? group : 0;
        compute_ours(&t);
        *ret = t;
}

bool terminal_present(const struct terminal *t) {
        return t->input >= 0 || t->output >= 0;
}

const struct termios *terminal_saved_modes(const struct terminal *t) {
        if (t->input >= 0)
                return &t->saved[INPUT];
        return t->output >= 0 ? &t->saved[OUTPUT] : NULL;
}

bool terminal_in_background(const struct terminal *t) {
        pid_t group = t->input >= 0 ? tcgetpgrp(t->input) : -1;

        return group > 0 && group != getpgrp();
}

int terminal_make_raw(struct terminal *t, struct error *e) {
        int r;

        if (!terminal_present(t))
                return 0;
        t->raw = true; /* from here on there may be something to undo */
        if (t->input >= 0) {
                r = set_modes(t->input, &t->ours[INPUT]);
                if (r < 0)
                        return error_set(e, -r, "cannot set the modes of the terminal on standard input: %m");
        }
        if (t->output >= 0 && !t->same) {
                r = set_modes(t->output, &t->ours[OUTPUT]);
                if (r < 0) {
                        terminal_restore(t);
                        return error_set(e, -r, "cannot set the modes of the terminal on standard output: %m");
                }
        }
        return 0;
}

/* The foreground group as it was found. A group that has ended meanwhile cannot be put back (tcsetpgrp(3): EPERM). */
static void restore_foreground(const struct terminal *t) {
        if (t->input < 0 || t->foreground <= 0)
                return;
        pid_t now = tcgetpgrp(t->input);
        if (now > 0 && now != t->foreground)
                (void) tcsetpgrp(t->input, t->foreground);
}

void terminal_restore(struct terminal *t) {
        sigset_t block, before;
        int saved_errno = errno;

        if (!t->raw)
                return;
        /* A background process that changes modes is stopped with SIGTTOU, unless it blocks that (termios(3)). */
        sigemptyset(&block);
        sigaddset(&block, SIGTTOU);
        sigprocmask(SIG_BLOCK, &block, &before);
        if (t->input >= 0)
                (void) set_modes(t->input, &t->saved[INPUT]);
        if (t->output >= 0 && !t->same)
                (void) set_modes(t->output, &t->saved[OUTPUT]);
        restore_foreground(t);
        sigprocmask(SIG_SETMASK, &before, NULL);
        t->raw = false;
        errno = saved_errno;
}

/* Field by field: the struct has padding, and the kernel fills in the speeds. */
static bool equal_modes(const struct termios *a, const struct termios *b) {
        return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
               a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

static void restore_side_if_ours(int fd, const struct termios *ours, const struct termios *saved) {
        struct termios now;

        if (fd >= 0 && tcgetattr(fd, &now) == 0 && equal_modes(&now, ours))
                (void) set_modes(fd, saved);
}

void terminal_restore_if_ours(const struct terminal *t) {
        restore_side_if_ours(t->input, &t->ours[INPUT], &t->saved[INPUT]);
        if (!t->same)
                restore_side_if_ours(t->output, &t->ours[OUTPUT], &t->saved[OUTPUT]);
}

static unsigned short environment_number(const char *name) {
        const char *text = getenv(name);
        uint64_t n;

        return text && parse_unsigned(text, 1, UINT16_MAX, &n) == 0 ? (unsigned short) n : 0;
}

struct winsize terminal_size(const int streams[static 3]) {
        struct winsize size = { 0 };

        for (unsigned i = 0; i < 3; i++)
                if (streams[i] >= 0 && ioctl(streams[i], TIOCGWINSZ, &size) == 0 && (size.ws_row || size.ws_col))
                        break;
                else
                        size = (struct winsize){ 0 };
        if (!size.ws_row)
                size.ws_row = environment_number("LINES");
        if (!size.ws_col)
                size.ws_col = environment_number("COLUMNS");
        if (!size.ws_row)
                size.ws_row = 24;
        if (!size.ws_col)
                size.ws_col = 80;
        return size;
}
