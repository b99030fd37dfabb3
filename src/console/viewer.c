/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/viewer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "console/escape.h"
#include "console/guardian.h"
#include "console/modes.h"
#include "console/stream.h"
#include "console/terminal.h"

#define INPUT_SIZE 4096u
#define TURN_PACKETS 16u /* of the server's, before signals and keys get their turn */

/* How long a terminal that takes nothing is waited for when all is over. */
#define STALL_USEC (5 * UINT64_C(1000000))

static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };

struct run {
        const struct viewer_options *options;
        struct viewer_result *result;
        struct terminal terminal;
        struct guardian guardian;
        struct stream input, output;
        struct escape escape;
        int fd, signal_fd;
        sigset_t before;
        bool done, background, greeted, hung_up;
        bool server_gone;            /* what it has said may still be there to read */
        uint64_t progress_at;        /* when the output last took something, µs */
        size_t shown_at, shown_size; /* of the packet that is being shown */
        size_t typed_size;           /* of what has not been sent yet */
        bool typed_blocked;
        struct modes modes; /* what the payload has set in the terminal */
        uint8_t packet[PACKET_SIZE_MAX], typed[INPUT_SIZE];
};

static void end(struct run *r, enum viewer_end how, int status) {
        if (r->done)
                return;
        r->done = true;
        r->result->end = how;
        r->result->status = status;
}

/* ---- what is said to the server ---- */

static void say(struct run *r, const struct packet *p) {
        (void) packet_send(r->fd, p, MSG_DONTWAIT);
}

static void command(struct run *r, enum packet_command what, int number) {
        say(r, &(struct packet){ .kind = PACKET_COMMAND, .command = what, .number = number });
}

static void leave(struct run *r, int status) {
        say(r, &(struct packet){ .kind = PACKET_DETACH });
        end(r, VIEWER_LEFT, status);
}

/* Once we are let in, the terminal is raw, and what is typed counts. */
static void greet(const struct run *r) {
        char key[ESCAPE_NAME_SIZE];

        escape_name(r->escape.key, key);
        if (r->escape.key == ESCAPE_KEY_NONE)
                log_info("attached to %s", r->options->name);
        else
                log_info("attached to %s; %s%sd leaves, %s%s? lists the keys", r->options->name, key, key, key, key);
}

/* Returns whether LETTER was one of ours. */
static bool choose(struct run *r, char letter) {
        const struct escape_choice *choice = escape_choose(letter);

        if (!choice || (choice->writes && !(r->options->wants & WANTS_WRITE)))
                return false;
        switch (letter) {
        case 'd':
                leave(r, 0);
                break;
        case 'p':
                command(r, COMMAND_POWEROFF, 0);
                break;
        case 'r':
                command(r, COMMAND_REBOOT, 0);
                break;
        case 'l':
                command(r, COMMAND_LOG, 0);
                break;
        case '?':
                escape_print_menu(r->escape.key);
                break;
        default: /* '.': the keys have reached the payload, and nothing comes of them here */
                break;
        }
        return true;
}

/* ---- what is typed ---- */

static void send_typed(struct run *r) {
        const struct packet p = { .kind = PACKET_INPUT, .data = r->typed, .data_size = r->typed_size };

        r->typed_blocked = false;
        if (!(r->options->wants & WANTS_WRITE))
                r->typed_size = 0;
        if (r->typed_size == 0)
                return;
        if (packet_send(r->fd, &p, MSG_DONTWAIT) == -EAGAIN)
                r->typed_blocked = true;
        else
                r->typed_size = 0;
}

/* SIZE bytes have come in. What they mean to us is found first; what is left of them is the payload's. */
static void scan(struct run *r, size_t size) {
        uint64_t now = clock_usec();
        size_t at = 0;

        while (at < size && !r->done) {
                size_t seen;
                char letter;
                enum escape_hit hit = escape_scan(&r->escape, r->typed + at, size - at, now, &seen, &letter);
                at += seen;
                r->typed_size = at;
                if (hit == ESCAPE_KILL && (r->options->wants & WANTS_WRITE))
                        command(r, COMMAND_KILL, 0);
                if (hit == ESCAPE_COMMAND) {
                        r->typed_size = at - 1;
                        if (letter == 'd') /* what was typed before still goes */
                                send_typed(r);
                        if (choose(r, letter)) {
                                memmove(r->typed + at - 1, r->typed + at, size - at);
                                at--, size--;
                        } else
                                r->typed_size = at;
                }
        }
        send_typed(r);
}

static void terminal_gone(struct run *r, int status) {
        if (!(r->options->wants & WANTS_OWN) || r->options->hangup_leaves) {
                leave(r, status);
                return;
        }
        stream_close(&r->input);
        if (!r->hung_up) /* both the signal and the end of file tell of it, and a second request would kill */
                command(r, COMMAND_STOP, SIGHUP);
        r->hung_up = true; /* the container's end is waited for, as ever */
}

static void on_input(struct run *r) {
        ssize_t n = stream_read(&r->input, r->typed, sizeof r->typed);

        if (n > 0) {
                scan(r, (size_t) n);
                return;
        }
        if (n == -EAGAIN)
                return;
        if (n == -EIO && r->input.terminal && terminal_in_background(&r->terminal)) {
                r->background = true; /* SIGCONT tells when that passes */
                return;
        }
        bool was_terminal = r->input.terminal;
        stream_close(&r->input);
        if (was_terminal)
                terminal_gone(r, EXIT_SIGNAL_BASE + SIGHUP);
}

/* ---- what is shown ---- */

static void flush_shown(struct run *r) {
        while (r->shown_size > 0) {
                ssize_t n = stream_write(&r->output, r->packet + r->shown_at, r->shown_size);
                if (n == -EAGAIN)
                        return;
                if (n < 0) { /* nobody reads: it goes on without being shown */
                        r->shown_size = 0;
                        stream_close(&r->output);
                        if (!r->input.terminal)
                                terminal_gone(r, EXIT_SIGNAL_BASE + SIGPIPE);
                        return;
                }
                if (r->output.terminal)
                        modes_see(&r->modes, r->packet + r->shown_at, (size_t) n);
                r->shown_at += (size_t) n;
                r->shown_size -= (size_t) n;
                r->progress_at = clock_usec();
        }
}

/* poll(2)'s timeout. A terminal that takes nothing (XOFF, a window that hangs) is waited for as long as the container
 * runs, but not when there is nothing more to wait for. */
static int patience(const struct run *r) {
        if (r->shown_size == 0 || !(r->done || r->server_gone))
                return -1;
        uint64_t until = r->progress_at + STALL_USEC, now = clock_usec();
        return now >= until ? 0 : (int) ((until - now) / 1000) + 1;
}

static void give_up_showing(struct run *r) {
        r->shown_size = 0;
        stream_close(&r->output);
}

static void show(struct run *r, const struct packet *p) {
        r->shown_at = (size_t) (p->data - r->packet);
        r->shown_size = r->output.kind == STREAM_NONE ? 0 : p->data_size;
        flush_shown(r);
}

/* What came before may have ended within a control sequence: CAN ends that (ECMA-48, 8.3.6), SGR 0 its colours. */
static void on_lag(struct run *r, const struct packet *p) {
        static const char reset[] = "\030\033[0m\r\n";

        if (r->output.terminal)
                (void) stream_write(&r->output, reset, sizeof reset - 1);
        log_notice("%.*s bytes of output were too much for this terminal and are left out", (int) p->data_size,
                   (const char *) p->data);
}

static void on_packet(struct run *r, const struct packet *p) {
        switch (p->kind) {
        case PACKET_OUTPUT:
                show(r, p);
                return;
        case PACKET_ROLE:
                if (r->options->greets && !r->greeted)
                        greet(r);
                r->greeted = true;
                if (p->data_size > 0)
                        log_notice("%s: %.*s", r->options->name, (int) p->data_size, (const char *) p->data);
                return;
        case PACKET_LAG:
                on_lag(r, p);
                return;
        case PACKET_EXIT:
                end(r, VIEWER_TOLD, p->number);
                return;
        case PACKET_REFUSED:
                snprintf(r->result->text, sizeof r->result->text, "%.*s", (int) p->data_size, (const char *) p->data);
                end(r, VIEWER_REFUSED, EXIT_OURS);
                return;
        default:
                return; /* a later version may say more */
        }
}

/* Several, or a flood would cost a poll(2) for each. */
static void on_server(struct run *r) {
        struct packet p;

        for (unsigned i = 0; i < TURN_PACKETS && r->shown_size == 0 && !r->done; i++) {
                int n = packet_receive(r->fd, r->packet, &p, MSG_DONTWAIT);
                if (n == -EAGAIN)
                        return;
                if (n > 0)
                        on_packet(r, &p);
                else
                        end(r, VIEWER_LOST, EXIT_OURS);
        }
}

/* ---- signals ---- */

static int take_terminal(struct run *r, struct error *e) {
        r->background = terminal_in_background(&r->terminal);
        return r->background ? 0 : terminal_make_raw(&r->terminal, e);
}

static void tell_size(struct run *r) {
        say(r, &(struct packet){ .kind = PACKET_SIZE, .size = terminal_size(r->options->streams) });
}

static void on_signal(struct run *r) {
        struct signalfd_siginfo info;

        if (read(r->signal_fd, &info, sizeof info) != sizeof info)
                return;
        if (r->done && info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT)
                r->shown_size = 0; /* a terminal that takes no more is not waited for */
        switch (info.ssi_signo) {
        case SIGWINCH:
                tell_size(r);
                return;
        case SIGTSTP:
                terminal_restore(&r->terminal);
                (void) kill(getpid(), SIGSTOP);
                return; /* SIGCONT comes next */
        case SIGCONT:
                (void) take_terminal(r, NULL);
                tell_size(r);
                return;
        case SIGHUP:
                terminal_gone(r, EXIT_SIGNAL_BASE + SIGHUP);
                return;
        default:
                if (r->options->wants & WANTS_OWN)
                        command(r, COMMAND_STOP, (int) info.ssi_signo);
                else
                        leave(r, EXIT_SIGNAL_BASE + (int) info.ssi_signo);
        }
}

/* ---- the whole ---- */

int viewer_hello(int fd, const struct viewer_options *options) {
        const char *term = getenv("TERM");
        struct packet p = { .kind = PACKET_HELLO, .version = PROTOCOL_VERSION, .wants = options->wants };

        if (options->streams[0] >= 0 && isatty(options->streams[0]))
                p.size = terminal_size(options->streams);
        if (term && strlen(term) < 256) {
                p.data = (const uint8_t *) term;
                p.data_size = strlen(term);
        }
        return packet_send(fd, &p, 0);
}

static void loop(struct run *r) {
        while (!r->done || r->shown_size > 0) {
                bool reads = r->input.kind != STREAM_NONE && !r->background && r->typed_size == 0 && !r->done;
                struct pollfd p[] = {
                        { .fd = r->signal_fd, .events = POLLIN },
                        { .fd = r->done || (r->shown_size > 0 && r->server_gone) ? -1 : r->fd,
                          .events = (short) ((r->shown_size == 0 ? POLLIN : 0) | (r->typed_blocked ? POLLOUT : 0)) },
                        { .fd = reads ? r->input.fd : -1, .events = POLLIN },
                        { .fd = r->shown_size > 0 ? r->output.fd : -1, .events = POLLOUT },
                };

                if (poll(p, ELEMENTSOF(p), patience(r)) < 0)
                        continue;
                if (patience(r) == 0)
                        give_up_showing(r);
                if (p[1].revents & (POLLHUP | POLLERR))
                        r->server_gone = true;
                if (p[0].revents)
                        on_signal(r);
                if (p[3].revents)
                        flush_shown(r);
                if (p[1].revents & POLLOUT)
                        send_typed(r);
                if ((p[1].revents & ~POLLOUT) && r->shown_size == 0)
                        on_server(r);
                if (p[2].revents)
                        on_input(r);
        }
}

static int open_run(struct run *r, struct error *e) {
        const struct viewer_options *o = r->options;
        struct guardian_plan plan = { .supervisor_pidfd = -EBADF, .terminal = &r->terminal };
        sigset_t set;
        int n;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(handled); i++)
                sigaddset(&set, handled[i]);
        signal(SIGPIPE, SIG_IGN);
        sigprocmask(SIG_BLOCK, &set, &r->before);
        r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (r->signal_fd < 0)
                return error_set(e, errno, "cannot make a descriptor for signals: %m");
        terminal_probe(o->streams[0], o->streams[1], &r->terminal);
        r->input = stream_open(o->streams[0], false);
        r->output = stream_open(o->streams[1], true);
        r->escape.key = r->input.terminal ? o->escape_key : ESCAPE_KEY_NONE;
        if (!terminal_present(&r->terminal))
                return 0;
        n = guardian_start(&plan, &r->guardian, e);
        return n < 0 ? n : take_terminal(r, e);
}

/* What the payload has set up and, when it is left alone here, not taken back. */
static void tidy_terminal(struct run *r) {
        uint8_t undo[MODES_UNDO_MAX];
        size_t size = r->output.terminal ? modes_undo(&r->modes, undo) : 0;

        if (size > 0)
                (void) stream_write(&r->output, undo, size);
}

int viewer_run(int fd, const struct viewer_options *options, struct viewer_result *ret, struct error *e) {
        struct run *r = calloc(1, sizeof *r);
        int n;

        if (!r)
                return error_memory(e);
        *ret = (struct viewer_result){ .end = VIEWER_LOST, .status = EXIT_OURS };
        *r = (struct run){ .options = options,
                           .progress_at = clock_usec(),
                           .result = ret,
                           .terminal = TERMINAL_NONE,
                           .guardian = GUARDIAN_NONE,
                           .input = STREAM_CLOSED,
                           .output = STREAM_CLOSED,
                           .fd = fd,
                           .signal_fd = -EBADF };
        n = open_run(r, e);
        if (n >= 0)
                loop(r);
        tidy_terminal(r);
        terminal_restore(&r->terminal);
        guardian_stop(&r->guardian);
        stream_close(&r->input);
        stream_close(&r->output);
        fd_close(r->signal_fd);
        sigprocmask(SIG_SETMASK, &r->before, NULL);
        free(r);
        return n;
}
