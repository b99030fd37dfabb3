/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl exec, shell and login: the client of launcher/enter.h. */

#include "launcher/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/sync.h"
#include "console/escape.h"
#include "console/protocol.h"
#include "console/session.h"
#include "tools/tools.h"

enum { RELAY_SIZE = 4096 /* what a pipe takes at once when it polls writable: PIPE_BUF, pipe(7) */ };
#define DRAIN_USEC (2 * 1000 * 1000)

/* A terminal of the caller's is never given to the container: what passes between it and the command is copied. */
struct relay {
        int from, to; /* -EBADF, -EBADF: none, or at its end */
};

struct client {
        const char *name;
        int fd, signal_fd;
        int escape_key;
        bool ended;
        int status;
        struct error error;
        struct relay relays[3];
        int streams[3]; /* what the command gets */
        int ours[3];    /* those of them that are pipes of ours */
};

/* ---- what the helper says ---- */

static void on_helper(struct client *c) {
        struct sync_packet packet;
        int r = sync_receive(c->fd, &packet);

        if (r > 0 && packet.step == SYNC_FAILED) {
                c->error = packet.error;
                c->status = error_exit_status(&packet.error);
                return;
        }
        c->ended = true;
        if (r > 0 && packet.step == SYNC_ENDED)
                c->status = packet.error.code;
        else if (!c->error.code) {
                log_notice("%s has ended meanwhile", c->name);
                c->status = EXIT_SIGNAL_BASE + SIGKILL;
        }
}

static int result_of(const struct client *c, struct error *error) {
        if (!c->error.code)
                return c->status;
        *error = c->error;
        error_print(error);
        return c->status;
}

static int open_signals(struct client *c, struct error *error) {
        static const int numbers[] = {
                SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT
        };
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                sigaddset(&set, numbers[i]);
        (void) signal(SIGPIPE, SIG_IGN);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (c->signal_fd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
                return error_set(error, errno, "cannot prepare for signals: %m");
        return 0;
}

static int read_signal(const struct client *c) {
        struct signalfd_siginfo info;

        return read(c->signal_fd, &info, sizeof info) == sizeof info ? (int) info.ssi_signo : 0;
}

static void tell_signal(const struct client *c, int number) {
        const struct packet p = { .kind = PACKET_COMMAND, .command = COMMAND_SIGNAL, .number = number };

        (void) packet_send(c->fd, &p, 0);
}

/* ---- three streams ---- */

static int open_streams(struct client *c, struct error *error) {
        for (int i = 0; i < 3; i++) {
                int p[2];
                c->streams[i] = fcntl(i, F_GETFD) < 0 ? -EBADF : i;
                if (!isatty(i))
                        continue;
                if (pipe2(p, O_CLOEXEC) < 0)
                        return error_set(error, errno, "cannot make a pipe: %m");
                c->relays[i] = i == 0 ? (struct relay){ i, p[1] } : (struct relay){ p[0], i };
                c->streams[i] = c->ours[i] = p[i == 0 ? 0 : 1];
        }
        return 0;
}

static void end_relay(struct client *c, int i) {
        fd_close(i == 0 ? c->relays[i].to : c->relays[i].from);
        c->relays[i] = (struct relay){ -EBADF, -EBADF };
}

/* Copies once, if that holds nobody up. */
static void copy(struct client *c, int i) {
        struct pollfd room = { .fd = c->relays[i].to, .events = POLLOUT };
        char bytes[RELAY_SIZE];

        if (i == 0 && (poll(&room, 1, 0) <= 0 || !(room.revents & POLLOUT))) {
                if (room.revents)
                        end_relay(c, i); /* the command does not read any more */
                else
                        (void) poll(NULL, 0, 10);
                return;
        }
        ssize_t n = read(c->relays[i].from, bytes, sizeof bytes);
        if (n <= 0 || fd_write_all(c->relays[i].to, bytes, (size_t) n) < 0)
                end_relay(c, i);
}

/* What the command has written before its end; processes that it has left may hold the pipe open. */
static void copy_the_rest(struct client *c) {
        for (int i = 1; i < 3; i++)
                for (;;) {
                        struct pollfd p = { .fd = c->relays[i].from, .events = POLLIN };
                        if (c->relays[i].from < 0 || poll(&p, 1, 0) <= 0)
                                break;
                        copy(c, i);
                }
}

static void stream_loop(struct client *c) {
        while (!c->ended) {
                struct pollfd p[] = { { .fd = c->fd, .events = POLLIN },
                                      { .fd = c->signal_fd, .events = POLLIN },
                                      { .fd = c->relays[0].from, .events = POLLIN },
                                      { .fd = c->relays[1].from, .events = POLLIN },
                                      { .fd = c->relays[2].from, .events = POLLIN } };
                if (poll(p, ELEMENTSOF(p), -1) < 0)
                        continue;
                if (p[1].revents) {
                        int number = read_signal(c);
                        if (number == SIGTSTP)
                                (void) raise(SIGSTOP);
                        else if (number > 0 && number != SIGCONT && number != SIGWINCH)
                                tell_signal(c, number);
                }
                for (int i = 0; i < 3; i++)
                        if (p[2 + i].revents)
                                copy(c, i);
                if (p[0].revents)
                        on_helper(c);
        }
        copy_the_rest(c);
}

static int run_streams(struct client *c, const struct enter_request *request, struct error *error) {
        int none;
        int r = open_streams(c, error);

        if (r < 0)
                return r;
        r = enter_ask(c->fd, request, c->streams);
        for (int i = 0; i < 3; i++)
                c->ours[i] = fd_close(c->ours[i]);
        if (r >= 0)
                r = sync_receive_fds(c->fd, &none, 1);
        if (r < 0)
                return error_set(error, -r, "cannot enter the machine %s: %s", c->name, strerror(-r));
        stream_loop(c);
        return result_of(c, error);
}

/* ---- a terminal ---- */

static void terminal_loop(struct client *c, struct console *console) {
        while (!c->ended) {
                struct pollfd p[] = { { .fd = c->fd, .events = POLLIN },
                                      { .fd = c->signal_fd, .events = POLLIN },
                                      { .fd = console_fd(console), .events = POLLIN } };
                if (poll(p, ELEMENTSOF(p), -1) < 0)
                        continue;
                int number = p[1].revents ? read_signal(c) : 0;
                if (number == SIGWINCH)
                        console_resize(console);
                else if (number == SIGTSTP) {
                        console_suspend(console);
                        (void) raise(SIGSTOP);
                } else if (number == SIGCONT)
                        console_resume(console);
                else if (number > 0)
                        tell_signal(c, number);
                unsigned events = p[2].revents ? console_dispatch(console) : 0;
                if (events & (CONSOLE_ESCAPE_KILL | CONSOLE_TERMINAL_GONE)) {
                        c->ended = true; /* the PTY hangs up when we close it */
                        c->status = EXIT_SIGNAL_BASE + SIGHUP;
                }
                if (p[0].revents)
                        on_helper(c);
        }
}

static int run_on(struct client *c, struct pty *pty, struct error *error) {
        const struct console_options options = { .mode = SESSION_INTERACTIVE,
                                                 .streams = { 0, 1, 2 },
                                                 .escape_key = c->escape_key };
        struct console *console = NULL;
        int r = console_open(&options, &console, error);

        if (r >= 0)
                r = console_attach_pty(console, pty, error);
        if (r >= 0)
                r = console_start(console, error);
        if (r >= 0 && (r = sync_send(c->fd, SYNC_GO, NULL)) < 0)
                error_set(error, -r, "cannot enter the machine %s: %s", c->name, strerror(-r));
        if (r >= 0) {
                terminal_loop(c, console);
                (void) console_drain(console, DRAIN_USEC, c->signal_fd);
        }
        console_close(console);
        return r;
}

static int run_terminal(struct client *c, const struct enter_request *request, struct error *error) {
        const int none[3] = { -EBADF, -EBADF, -EBADF };
        struct pty pty = PTY_NONE;
        int r = enter_ask(c->fd, request, none);

        if (r >= 0)
                r = sync_receive_fds(c->fd, &pty.master, 1);
        if (r < 0)
                return error_set(error, -r, "cannot enter the machine %s: %s", c->name, strerror(-r));
        if (pty.master < 0) {
                while (!c->ended)
                        on_helper(c);
                return result_of(c, error);
        }
        pty.peer = ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        r = pty.peer < 0 ? error_set(error, errno, "cannot open the terminal of %s: %m", c->name)
                         : run_on(c, &pty, error);
        pty_close(&pty);
        return r < 0 ? r : result_of(c, error);
}

/* ---- the verbs ---- */

static int run(const struct request *q, const char *name, struct enter_request *request, struct error *error) {
        struct client c = { .name = name, .escape_key = ESCAPE_KEY_DEFAULT };
        const char *term = getenv("TERM");

        for (int i = 0; i < 3; i++) {
                c.relays[i] = (struct relay){ -EBADF, -EBADF };
                c.ours[i] = -EBADF;
        }
        if (q->escape && escape_parse(q->escape, &c.escape_key) < 0)
                return error_set(error, EINVAL, "--escape=%s: not a key such as ^] or ^a, nor none", q->escape);
        if (request->terminal && term && strv_add_format(&request->environment, "TERM=%s", term) < 0)
                return error_memory(error);
        for (size_t i = 0; i < q->environment.count; i++) {
                const char *entry = q->environment.items[i];
                if (!strchr(entry, '=') || *entry == '=')
                        return error_set(error, EINVAL, "--setenv=%s: not of the form NAME=VALUE", entry);
                if (strv_setenv(&request->environment, entry) < 0)
                        return error_memory(error);
        }
        _cleanup_close_ int fd = state_connect(name, error);
        int r = fd < 0 ? fd : open_signals(&c, error);
        if (r < 0)
                return r;
        c.fd = fd;
        r = request->terminal ? run_terminal(&c, request, error) : run_streams(&c, request, error);
        fd_close(c.signal_fd);
        return r;
}

static int fill(const struct request *q, struct enter_request *request, struct error *error) {
        request->user = q->user ? strdup(q->user) : NULL;
        request->chdir = q->chdir ? strdup(q->chdir) : NULL;
        if ((q->user && !request->user) || (q->chdir && !request->chdir))
                return error_memory(error);
        for (int i = 0; i < q->word_count; i++)
                if (strv_add(&request->words, q->words[i]) < 0)
                        return error_memory(error);
        return 0;
}

static bool on_a_terminal(void) {
        return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int enter_exec(const struct request *q, struct error *error) {
        _cleanup_(enter_request_free) struct enter_request request = { .terminal = q->tty || on_a_terminal() };

        if (q->word_count == 0) {
                error_set(error, EINVAL, "exec needs a command");
                return error_hint(error, "spawnctl shell %s gives a shell", q->name);
        }
        int r = fill(q, &request, error);
        return r < 0 ? r : run(q, q->name, &request, error);
}

int enter_shell(const struct request *q, struct error *error) {
        _cleanup_(enter_request_free) struct enter_request request = { .terminal = on_a_terminal() };
        const char *at = strchr(q->name, '@');
        int r = fill(q, &request, error);

        if (r >= 0 && at && request.user)
                r = error_set(error, EINVAL, "USER@ and --uid exclude each other");
        if (r >= 0 && at) {
                request.user = text_format("%.*s", (int) (at - q->name), q->name);
                r = request.user ? 0 : error_memory(error);
        }
        return r < 0 ? r : run(q, at ? at + 1 : q->name, &request, error);
}

int enter_login(const struct request *q, struct error *error) {
        _cleanup_(enter_request_free) struct enter_request request = { .terminal = on_a_terminal() };

        if (!request.terminal)
                return error_set(error, ENOTTY, "login needs a terminal as standard input and output");
        if (strv_add(&request.words, "login") < 0)
                return error_memory(error);
        return run(q, q->name, &request, error);
}
