/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A console session: the PTY's master on one side, the host's streams on the other, driven by the caller's loop.
 *
 *      console_open → [pty_allocate → console_attach_pty → clone] → console_start
 *                   → console_dispatch whenever console_fd() polls readable …
 *                   → (reboot: pty_allocate → console_attach_pty) …
 *                   → payload dead: console_drain → console_close
 *
 * Nothing here blocks except console_drain(), which has a deadline. The supervisor ignores SIGPIPE. */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "basic/error.h"
#include "console/pty.h"
#include "console/terminal.h"

enum session_mode {
        SESSION_INTERACTIVE, /* input and output */
        SESSION_READ_ONLY,   /* output only, the host's input is never read */
        SESSION_PASSIVE,     /* neither: the last 64 KiB are kept and shown at the end */
        SESSION_DETACHED, /* no host's streams at all: sinks are told the output, input is typed by console_type() */
};

enum console_event {
        CONSOLE_ESCAPE_KILL = 1 << 0,    /* the escape key three times: kill the payload */
        CONSOLE_ESCAPE_COMMAND = 1 << 1, /* the escape key twice and a letter, see console_command() */
        CONSOLE_INPUT_LOST = 1 << 2,     /* typed bytes were dropped: the payload does not read */
        CONSOLE_INPUT_ENDED = 1 << 3,    /* end of file on the input; the session goes on */
        CONSOLE_OUTPUT_GONE = 1 << 4,    /* the reader is gone; output is discarded, the session goes on */
        CONSOLE_TERMINAL_GONE = 1 << 5,  /* the host's terminal hung up */
};

struct console_options {
        enum session_mode mode;
        int streams[3];      /* the caller's standard streams, borrowed until console_close(); negative: none */
        int escape_key;      /* a byte or ESCAPE_KEY_NONE; only effective when the input is a terminal */
        bool plain;          /* the reader is no terminal: lines without control sequences (plain.h) */
        bool safe;           /* keep from the reader what a hostile payload could do to its terminal (safe.h) */
        struct winsize size; /* fixed size of the PTY; 0 rows or columns: as the terminal's */
};

struct console;

/* Prepares a session; touches no terminal yet. *RET is the caller's to end with console_close(). Returns 0 or a
 * negative errno. */
int console_open(const struct console_options *options, struct console **ret, struct error *e);

/* The host's terminal as it was found, for the guardian; valid until console_close(). */
const struct terminal *console_terminal(const struct console *c);

/* A descriptor (an epoll set) that polls readable when console_dispatch() has something to do. Add it once, level
 * triggered, to the caller's set. Owned by the console. */
int console_fd(const struct console *c);

/* Someone who is told what passes through the console: a log, a recording. None of the calls may block or fail. */
struct console_sink {
        void *userdata;
        void (*output)(void *userdata, const uint8_t *data, size_t size); /* the payload's bytes as they come, raw */
        void (*input)(void *userdata, const uint8_t *data, size_t size);  /* what goes to the payload; may be NULL */
        void (*resized)(void *userdata, const struct winsize *size);      /* may be NULL */
};
#define CONSOLE_SINKS_MAX 4

/* Adds a sink before console_start(); its contents are copied, USERDATA is borrowed until console_close(). Each PTY
 * that is attached tells its size first. Returns 0 or -ENOSPC. */
int console_add_sink(struct console *c, const struct console_sink *sink);

/* For a sink's input(): did the PTY echo (termios(3), ECHO) both before and after it took these bytes? If not, they
 * may be a password: what is read without echo is echoed again as soon as the payload has read it. */
bool console_input_echoed(const struct console *c);

/* Sets size and modes of PTY and uses it from now on, in place of an earlier one, of which the rest is copied as far
 * as it fits. *PTY stays the caller's: it must not move, nor be closed until console_drain(), the next attach or
 * console_close(). Call it before the payload is started. The console keeps the peer open and may replace pty->peer:
 * while one peer is held the master never reads EIO, whatever the payload closes or hangs up. Returns 0 or a negative
 * errno. */
int console_attach_pty(struct console *c, struct pty *pty, struct error *e);

/* Makes the terminal raw (interactive mode) and begins to copy. Until then nothing is read, so errors of the launch
 * meet a terminal in its own modes. Returns 0 or a negative errno. */
int console_start(struct console *c, struct error *e);

/* Copies what can be copied, at most about 64 KiB each way, without blocking. Returns a mask of enum console_event;
 * each event but the escapes and INPUT_LOST comes once. Never fails: a side that errs is a side that is gone. */
unsigned console_dispatch(struct console *c);

/* The letter of the last CONSOLE_ESCAPE_COMMAND. */
char console_command(const struct console *c);

/* SIGWINCH: hands the terminal's size on to the PTY. */
void console_resize(struct console *c);

/* Input from elsewhere than the host's streams. Returns how many of the SIZE bytes
 * were taken; there may be room for the rest after the next console_dispatch(). A payload that does not read for a
 * second while much waits loses the newest of it, as with a terminal. */
size_t console_type(struct console *c, const uint8_t *data, size_t size);

/* The PTY has this size from now on, whatever the terminal's; also before console_attach_pty(). */
void console_set_size(struct console *c, const struct winsize *size);

/* SIGTSTP: restores the terminal and stops reading; the caller then stops itself (SIGSTOP). */
void console_suspend(struct console *c);
/* SIGCONT: raw again, size handed on, reading goes on. Harmless when not suspended: SIGCONT also comes alone, and then
 * the modes are set again, since whoever stopped us (SIGSTOP) may have changed them. */
void console_resume(struct console *c);

/* The payload is dead: copies all that is left in the master to the output, to the last byte; in passive mode what was
 * kept. Waits for a slow reader at most TIMEOUT_USEC, and only until STOP_FD polls readable (not read here; negative:
 * none). Returns 0 (the PTY is forgotten then and may be closed), -ETIMEDOUT or -EINTR (stopped): what is left can
 * be had by another call. After it comes console_attach_pty() or console_close(). */
int console_drain(struct console *c, uint64_t timeout_usec, int stop_fd);

/* Restores the terminal and the modes of it that the payload has set (modes.h), ends an unfinished last line on it,
 * frees everything. NULL does nothing. Returns NULL. */
struct console *console_close(struct console *c);
