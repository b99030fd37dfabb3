/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/session.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "console/forward.h"
#include "console/modes.h"
#include "console/plain.h"
#include "console/safe.h"
#include "console/stream.h"

#define TURN_SIZE                                                                                                     \
        FORWARD_BUFFER_SIZE /* bytes each way in one dispatch: other descriptors of the loop get their turn */
#define FILTER_SIZE 8192u   /* bytes that are read and filtered in one go */
#define HANGUP_RETRY_USEC 50000
#define END_OF_FILE_FIRST_USEC 20000
#define END_OF_FILE_LAST_USEC 1280000
#define DRY_MSEC 2 /* how long a silent master is given at the end */

enum source { MASTER, INPUT, OUTPUT, TIMER, KICK, SOURCES };

/* What the set watches a descriptor for. One that is wanted for nothing is taken out of the set altogether: EPOLLHUP
 * and EPOLLERR are reported even for an empty mask (epoll_ctl(2)), and would spin. */
struct watch {
        int fd;
        uint32_t events;
};

struct console {
        struct console_options options;
        struct terminal terminal;
        struct stream input, output;
        struct forward forward;
        struct plain plain;
        struct safe safe;
        struct modes modes; /* what the host's terminal has been told to set */
        struct pty *pty;
        int set, timer, kick;
        struct watch watches[SOURCES];
        uint32_t ready[SOURCES]; /* what the set has reported for this turn */
        bool started, suspended;
        bool background;       /* the terminal is another group's: do not read it */
        bool kicked;           /* the eventfd is readable: an always ready stream has more to do */
        uint64_t hangup_until; /* the master is left alone until then; 0: it is well */
        uint64_t timer_at;     /* what the timer is set to; 0: off */
        bool end_wanted;       /* the input has ended and the payload is to learn of it */
        bool ended_canonical;  /* end of file was typed into the PTY in canonical mode, */
        bool ended_raw;        /* and in another mode */
        uint64_t end_at;       /* when to try to; 0: not due */
        uint64_t end_delay;
        unsigned reported; /* events that come once */
        struct console_sink sinks[CONSOLE_SINKS_MAX];
        unsigned sink_count;
        bool input_sinks;  /* one of them wants the input */
        bool input_echoed; /* see console_input_echoed() */
};

static bool hung_up(int fd) {
        struct pollfd p = { .fd = fd };

        return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* ---- the sinks ---- */

int console_add_sink(struct console *c, const struct console_sink *sink) {
        if (c->sink_count == CONSOLE_SINKS_MAX)
                return -ENOSPC;
        c->sinks[c->sink_count++] = *sink;
        c->input_sinks |= sink->input != NULL;
        return 0;
}

bool console_input_echoed(const struct console *c) {
        return c->input_echoed;
}

static void tell_output(struct console *c, const uint8_t *data, size_t size) {
        for (unsigned i = 0; i < c->sink_count; i++)
                c->sinks[i].output(c->sinks[i].userdata, data, size);
}

static void tell_size(struct console *c, const struct winsize *size) {
        for (unsigned i = 0; i < c->sink_count; i++)
                if (c->sinks[i].resized)
                        c->sinks[i].resized(c->sinks[i].userdata, size);
}

/* The master answers with the modes of the peer (tty_ioctl.c), also while that is hung up. */
static bool echoes(const struct console *c) {
        struct termios modes;

        return c->pty && tcgetattr(c->pty->master, &modes) == 0 && (modes.c_lflag & ECHO);
}

/* write(2) to the payload, and the sinks are told what it took. */
static ssize_t write_payload(struct console *c, const uint8_t *data, size_t size) {
        bool echo = c->input_sinks && echoes(c);
        ssize_t n = write(c->pty->master, data, size);

        if (n <= 0 || !c->input_sinks)
                return n;
        c->input_echoed = echo && echoes(c);
        for (unsigned i = 0; i < c->sink_count; i++)
                if (c->sinks[i].input)
                        c->sinks[i].input(c->sinks[i].userdata, data, (size_t) n);
        return n;
}

/* ---- the set ---- */

static void watch(struct console *c, enum source source, int fd, uint32_t events) {
        struct watch *w = &c->watches[source];
        struct epoll_event event = { .events = events, .data.u32 = source };

        if (w->fd == fd && w->events == events)
                return;
        if (w->events && (w->fd != fd || !events))
                (void) epoll_ctl(c->set, EPOLL_CTL_DEL, w->fd, NULL);
        if (events)
                (void) epoll_ctl(c->set, w->events && w->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
        *w = (struct watch){ .fd = fd, .events = events };
}

static void set_timer(struct console *c, uint64_t at) {
        struct itimerspec t = { .it_value = { .tv_sec = (time_t) (at / 1000000),
                                              .tv_nsec = (long) (at % 1000000) * 1000 } };

        if (c->timer_at == at)
                return;
        (void) timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &t, NULL);
        c->timer_at = at;
}

static void set_kick(struct console *c, bool on) {
        eventfd_t count;

        if (c->kicked == on)
                return;
        (void) (on ? eventfd_write(c->kick, 1) : eventfd_read(c->kick, &count));
        c->kicked = on;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
        if (a == 0 || b == 0)
                return a + b;
        return a < b ? a : b;
}

static bool input_readable(const struct console *c) {
        return c->input.kind != STREAM_NONE && !c->forward.input_ended && !c->background;
}

static bool output_pending(const struct console *c) {
        return !c->forward.keep_last && c->forward.output.used > 0;
}

/* What a filter may put out beyond what it gets. Plain lines have nothing in them that a terminal obeys. */
static size_t filter_extra(const struct console *c) {
        return c->options.plain ? PLAIN_EXTRA : c->options.safe ? SAFE_EXTRA : 0;
}

/* How many bytes of the payload's may be read and filtered now. */
static size_t filter_room(const struct console *c) {
        size_t free = c->forward.keep_last ? SIZE_MAX : c->forward.output.size - c->forward.output.used;

        if (free <= filter_extra(c))
                return 0;
        return free - filter_extra(c) < FILTER_SIZE ? free - filter_extra(c) : FILTER_SIZE;
}

static bool output_wanted(const struct console *c) {
        return filter_extra(c) > 0 ? filter_room(c) > 0 : forward_output_wanted(&c->forward);
}

/* Tells the set what this turn has left to do. */
static void update(struct console *c, uint64_t now) {
        bool active = c->started && !c->suspended;
        bool read_input = active && input_readable(c) && forward_input_wanted(&c->forward, now);
        bool write_output = active && output_pending(c);
        uint32_t master = 0;

        if (active && c->pty && !c->hangup_until)
                master = (output_wanted(c) ? EPOLLIN : 0) | (c->forward.input.used > 0 ? EPOLLOUT : 0);
        watch(c, MASTER, c->pty ? c->pty->master : -EBADF, master);
        watch(c, INPUT, c->input.fd, read_input && c->input.kind != STREAM_READY ? EPOLLIN : 0);
        watch(c, OUTPUT, c->output.fd, write_output && c->output.kind != STREAM_READY ? EPOLLOUT : 0);
        set_kick(c, (read_input && c->input.kind == STREAM_READY) || (write_output && c->output.kind == STREAM_READY));
        bool waits = c->options.mode != SESSION_INTERACTIVE || (input_readable(c) && !read_input);
        uint64_t stall = waits ? forward_input_deadline(&c->forward) : 0;
        uint64_t end = c->pty && c->forward.input.used == 0 && !c->hangup_until ? c->end_at : 0;
        set_timer(c, active ? earlier(c->hangup_until, earlier(end, stall)) : 0);
}

static void collect(struct console *c) {
        struct epoll_event events[SOURCES];
        uint64_t expirations;

        for (unsigned i = 0; i < SOURCES; i++)
                c->ready[i] = 0;
        int n = epoll_wait(c->set, events, SOURCES, 0);
        for (int i = 0; i < n; i++)
                c->ready[events[i].data.u32] = events[i].events;
        if (c->ready[TIMER]) {
                (void) !read(c->timer, &expirations, sizeof expirations);
                c->timer_at = 0;
        }
}

/* ---- the payload's side ---- */

/* The master reads EIO while no peer is open at all. Ours is, so this is for kernels that see it otherwise; one new
 * peer, and a pause, so that a payload which hangs up in a loop costs us nothing. */
static void master_hung_up(struct console *c, uint64_t now) {
        int peer = ioctl(c->pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

        if (peer >= 0) {
                fd_close(c->pty->peer);
                c->pty->peer = peer;
        }
        c->hangup_until = now + HANGUP_RETRY_USEC;
}

static void write_master(struct console *c, uint64_t now) {
        const uint8_t *data;
        size_t size;

        while (c->pty && !c->hangup_until && (size = forward_input_pending(&c->forward, &data)) > 0) {
                ssize_t n = write_payload(c, data, size);
                if (n > 0)
                        forward_input_taken(&c->forward, (size_t) n, now);
                if (n < 0 && errno == EIO)
                        master_hung_up(c, now);
                if (n < (ssize_t) size)
                        break;
        }
}

/* One read(2); the sinks are told. Returns bytes read, 0 when there is nothing to be had (now). */
static size_t read_payload(struct console *c, uint8_t *data, size_t size, uint64_t now) {
        if (size == 0 || !c->pty || c->hangup_until)
                return 0;
        ssize_t n = read(c->pty->master, data, size);
        if (n < 0 && errno == EIO)
                master_hung_up(c, now);
        if (n <= 0)
                return 0;
        tell_output(c, data, (size_t) n);
        return (size_t) n;
}

static void add_output(struct console *c, const uint8_t *data, size_t size) {
        uint8_t *space;
        size_t n;

        for (; size > 0 && (n = forward_output_space(&c->forward, &space)) > 0; data += n, size -= n) {
                n = n < size ? n : size;
                memcpy(space, data, n);
                forward_output_added(&c->forward, n);
        }
}

/* The filters work in place, but not across the end of a ring. */
static size_t read_filtered(struct console *c, uint64_t now) {
        uint8_t data[SAFE_EXTRA + FILTER_SIZE], *from = data + filter_extra(c);
        size_t n = read_payload(c, from, filter_room(c), now);

        add_output(c, data,
                   c->options.plain ? plain_filter(&c->plain, from, n, data) : safe_filter(&c->safe, from, n, data));
        return n;
}

/* As read_payload(), to the output. */
static size_t read_master(struct console *c, uint64_t now) {
        uint8_t *space;

        if (filter_extra(c) > 0)
                return read_filtered(c, now);
        size_t size = forward_output_space(&c->forward, &space), n = read_payload(c, space, size, now);
        if (n > 0)
                forward_output_added(&c->forward, n);
        return n;
}

/* ---- the host's side ---- */

static unsigned output_failed(struct console *c) {
        unsigned events = CONSOLE_OUTPUT_GONE;

        if (c->output.terminal && hung_up(c->output.fd))
                events |= CONSOLE_TERMINAL_GONE;
        forward_output_gone(&c->forward);
        return events;
}

/* Returns events. */
static unsigned flush_output(struct console *c) {
        const uint8_t *data;
        size_t size;

        while (output_pending(c) && (size = forward_output_pending(&c->forward, &data)) > 0) {
                ssize_t n = stream_write(&c->output, data, size);
                if (n == -EAGAIN)
                        break;
                if (n < 0)
                        return output_failed(c);
                if (c->output.terminal)
                        modes_see(&c->modes, data, (size_t) n);
                forward_output_taken(&c->forward, (size_t) n);
        }
        return 0;
}

static unsigned copy_output(struct console *c, uint64_t now) {
        unsigned events = flush_output(c);
        size_t copied = 0;

        while (copied < TURN_SIZE) {
                size_t n = read_master(c, now);
                if (n == 0)
                        break;
                copied += n;
                events |= flush_output(c);
        }
        if (copied > 0 && c->end_wanted && !(c->ended_canonical && c->ended_raw)) {
                c->end_delay = END_OF_FILE_FIRST_USEC;
                c->end_at = now + c->end_delay;
        }
        return events;
}

static unsigned input_over(struct console *c, uint64_t now) {
        unsigned events = CONSOLE_INPUT_ENDED;

        if (c->input.terminal)
                events |= CONSOLE_TERMINAL_GONE;
        forward_input_end(&c->forward);
        c->end_delay = END_OF_FILE_FIRST_USEC;
        c->end_wanted = !c->input.terminal; /* a terminal that is gone has sent no end of file */
        c->end_at = c->end_wanted ? now : 0;
        return events;
}

static unsigned input_failed(struct console *c, int error, uint64_t now) {
        /* A terminal reads EIO for a background process whose group is an orphan or that ignores SIGTTIN: that passes,
         * and SIGCONT tells when. */
        if (c->input.terminal && error == -EIO && !hung_up(c->input.fd)) {
                c->background = true;
                return 0;
        }
        return input_over(c, now);
}

static unsigned from_forward(unsigned events) {
        return (events & FORWARD_ESCAPE_KILL ? CONSOLE_ESCAPE_KILL : 0) |
               (events & FORWARD_ESCAPE_COMMAND ? CONSOLE_ESCAPE_COMMAND : 0) |
               (events & FORWARD_INPUT_LOST ? CONSOLE_INPUT_LOST : 0);
}

static unsigned copy_input(struct console *c, uint64_t now) {
        unsigned events = 0;
        size_t copied = 0, space;
        uint8_t *data;

        while (input_readable(c) && copied < TURN_SIZE && (space = forward_input_space(&c->forward, now, &data)) > 0) {
                if (space > TURN_SIZE)
                        space = TURN_SIZE;
                ssize_t n = stream_read(&c->input, data, space);
                if (n == -EAGAIN)
                        break;
                if (n == 0)
                        return events | input_over(c, now);
                if (n < 0)
                        return events | input_failed(c, (int) n, now);
                events |= from_forward(forward_input_added(&c->forward, (size_t) n, now));
                write_master(c, now);
                copied += (size_t) n;
                if (n < 1024) /* a key press: spare the read that says there is no more */
                        break;
        }
        return events;
}

/* ---- end of file on an input that is no terminal ---- */

/* Types the end of file character into the PTY: twice where an unfinished line comes first (termios(3), VEOF).
 * Returns whether it was taken. */
static bool type_end_of_file(struct console *c, const struct termios *modes, bool canonical) {
        uint8_t keys[2] = { modes->c_cc[VEOF], modes->c_cc[VEOF] };
        size_t count = canonical && c->forward.last_input != '\n' ? 2 : 1;

        if (modes->c_cc[VEOF] == _POSIX_VDISABLE)
                return true;
        return write_payload(c, keys, count) == (ssize_t) count;
}

/* A PTY has no half-close; what stands for one is the end of file character, which the line discipline only knows in
 * canonical mode. So it is typed once as soon as all input has been taken in that mode. A program that edits lines by
 * itself (readline) reads bytes instead: it gets the character once too, when it has read everything before. That can
 * change only after the payload has written something, so there is nothing to poll for while it is silent. */
static void end_input(struct console *c, uint64_t now) {
        struct termios modes;

        if (!c->end_at || now < c->end_at || c->forward.input.used > 0 || !c->pty || c->hangup_until)
                return;
        c->end_at = 0;
        if (hung_up(c->pty->peer))
                master_hung_up(c, now);
        if (tcgetattr(c->pty->peer, &modes) == 0) {
                bool canonical = modes.c_lflag & ICANON;
                struct pollfd p = { .fd = c->pty->peer, .events = POLLIN };

                if (canonical && !c->ended_canonical)
                        c->ended_canonical = type_end_of_file(c, &modes, true);
                else if (!canonical && !c->ended_raw && poll(&p, 1, 0) == 0)
                        c->ended_raw = type_end_of_file(c, &modes, false);
        }
        if (c->end_delay <= END_OF_FILE_LAST_USEC && !(c->ended_canonical && c->ended_raw)) {
                c->end_at = now + c->end_delay;
                c->end_delay *= 2;
        }
}

/* ---- the interface ---- */

unsigned console_dispatch(struct console *c) {
        const unsigned once = CONSOLE_INPUT_ENDED | CONSOLE_OUTPUT_GONE | CONSOLE_TERMINAL_GONE;
        uint64_t now = clock_usec();
        unsigned events = 0;

        collect(c);
        if (!c->started || c->suspended)
                return 0;
        if (now >= c->hangup_until)
                c->hangup_until = 0;
        if (c->ready[INPUT] || c->input.kind == STREAM_READY)
                events |= copy_input(c, now);
        if (c->ready[MASTER] & EPOLLOUT)
                write_master(c, now);
        if (c->ready[MASTER] || c->ready[OUTPUT] || output_pending(c))
                events |= copy_output(c, now);
        end_input(c, now);
        update(c, now);
        events &= ~(c->reported & once);
        c->reported |= events;
        return events;
}

char console_command(const struct console *c) {
        return c->forward.command;
}

const struct terminal *console_terminal(const struct console *c) {
        return &c->terminal;
}

int console_fd(const struct console *c) {
        return c->set;
}

static int map_buffer(size_t size, uint8_t **ret) {
        /* Touched only as far as it is used: nothing is paid for a typeahead that does not happen. */
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

static int open_forward(struct console *c) {
        bool interactive = c->options.mode == SESSION_INTERACTIVE; /* else viewers alone can type */
        bool typeahead = !interactive || c->input.terminal;
        struct forward_options o = {
                .escape_key = c->input.terminal ? c->options.escape_key : ESCAPE_KEY_NONE,
                .input_size = typeahead ? FORWARD_TYPEAHEAD_SIZE : FORWARD_BUFFER_SIZE,
                .output_size = FORWARD_BUFFER_SIZE,
                .typeahead = typeahead,
                .keep_last = c->options.mode == SESSION_PASSIVE,
        };
        int r;

        r = map_buffer(o.output_size, &o.output);
        if (r < 0)
                return r;
        c->forward.output = (struct forward_queue){ .data = o.output, .size = o.output_size };
        r = map_buffer(o.input_size, &o.input);
        if (r < 0)
                return r;
        forward_init(&c->forward, &o);
        c->forward.input_ended = interactive && c->input.kind == STREAM_NONE;
        c->forward.output_gone = c->output.kind == STREAM_NONE;
        return 0;
}

static int open_set(struct console *c) {
        c->set = epoll_create1(EPOLL_CLOEXEC);
        c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        c->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (c->set < 0 || c->timer < 0 || c->kick < 0)
                return -errno;
        watch(c, TIMER, c->timer, EPOLLIN);
        watch(c, KICK, c->kick, EPOLLIN);
        return 0;
}

int console_open(const struct console_options *options, struct console **ret, struct error *e) {
        struct console *c = calloc(1, sizeof *c);
        int r;

        if (!c)
                return error_memory(e);
        *c = (struct console){ .options = *options, .set = -EBADF, .timer = -EBADF, .kick = -EBADF };
        c->options.plain = options->plain && options->mode == SESSION_READ_ONLY;
        c->input = c->output = STREAM_CLOSED;
        for (unsigned i = 0; i < SOURCES; i++)
                c->watches[i].fd = -EBADF;
        if (options->mode == SESSION_DETACHED)
                c->options.streams[0] = c->options.streams[1] = c->options.streams[2] = -EBADF;
        terminal_probe(c->options.streams[0], c->options.streams[1], &c->terminal);
        if (options->mode == SESSION_INTERACTIVE)
                c->input = stream_open(options->streams[0], false);
        c->output = stream_open(c->options.streams[1], true);
        r = open_set(c);
        if (r == 0)
                r = open_forward(c);
        if (r < 0) {
                console_close(c);
                return error_set(e, -r, "cannot prepare the console: %m");
        }
        *ret = c;
        return 0;
}

static struct winsize current_size(const struct console *c) {
        if (c->options.size.ws_row && c->options.size.ws_col)
                return c->options.size;
        return terminal_size(c->options.streams);
}

/* The payload of this PTY is over: a new one starts from nothing. */
static void forget_pty(struct console *c, uint64_t now) {
        watch(c, MASTER, -EBADF, 0);
        c->pty = NULL;
        c->hangup_until = 0;
        if (c->forward.typeahead)
                forward_input_reset(&c->forward);
        if (c->end_wanted) {
                c->ended_canonical = c->ended_raw = false;
                c->end_delay = END_OF_FILE_FIRST_USEC;
                c->end_at = now;
        }
}

int console_attach_pty(struct console *c, struct pty *pty, struct error *e) {
        struct winsize size = current_size(c);
        uint64_t now = clock_usec();
        int r;

        if (c->pty) {
                while (read_master(c, now) > 0)
                        (void) flush_output(c);
                forget_pty(c, now);
        }
        c->forward.keep_last = c->options.mode == SESSION_PASSIVE;
        r = pty_set_modes(pty, terminal_saved_modes(&c->terminal));
        if (r == 0)
                r = pty_set_size(pty, &size);
        if (r < 0)
                return error_set(e, -r, "cannot set up the console's PTY: %m");
        c->pty = pty;
        tell_size(c, &size);
        update(c, now);
        return 0;
}

/* Raw, unless the terminal is another group's now: then SIGCONT says when it is ours. */
static int take_terminal(struct console *c, struct error *e) {
        if (c->options.mode != SESSION_INTERACTIVE)
                return 0;
        c->background = terminal_in_background(&c->terminal);
        return c->background ? 0 : terminal_make_raw(&c->terminal, e);
}

int console_start(struct console *c, struct error *e) {
        int r = take_terminal(c, e);

        if (r < 0)
                return r;
        c->started = true;
        update(c, clock_usec());
        return 0;
}

void console_resize(struct console *c) {
        struct winsize size = current_size(c);

        if (c->pty) {
                (void) pty_set_size(c->pty, &size);
                tell_size(c, &size);
        }
}

void console_set_size(struct console *c, const struct winsize *size) {
        c->options.size = *size;
        console_resize(c);
}

size_t console_type(struct console *c, const uint8_t *data, size_t size) {
        uint64_t now = clock_usec();
        size_t taken = 0, space;
        uint8_t *to;

        while (taken < size && (space = forward_input_space(&c->forward, now, &to)) > 0) {
                if (space > size - taken)
                        space = size - taken;
                memcpy(to, data + taken, space);
                (void) forward_input_added(&c->forward, space, now);
                taken += space;
                if (c->started && !c->suspended)
                        write_master(c, now);
        }
        update(c, now);
        return taken;
}

void console_suspend(struct console *c) {
        c->suspended = true;
        terminal_restore(&c->terminal);
        update(c, clock_usec());
}

void console_resume(struct console *c) {
        c->suspended = false;
        if (!c->started)
                return;
        (void) take_terminal(c, NULL);
        console_resize(c);
        update(c, clock_usec());
}

/* Waits until the output takes more. Returns 0, -ETIMEDOUT or -EINTR. */
static int wait_output(struct console *c, uint64_t deadline, int stop_fd) {
        struct pollfd p[] = { { .fd = c->output.fd, .events = POLLOUT }, { .fd = stop_fd, .events = POLLIN } };
        uint64_t now = clock_usec();

        if (now >= deadline)
                return -ETIMEDOUT;
        uint64_t left = deadline - now;
        struct timespec timeout = { .tv_sec = (time_t) (left / 1000000), .tv_nsec = (long) (left % 1000000) * 1000 };
        int n = ppoll(p, ELEMENTSOF(p), &timeout, NULL);
        if (n == 0)
                return -ETIMEDOUT;
        return n > 0 && p[1].revents ? -EINTR : 0;
}

/* Is there really nothing more? The kernel hands bytes from the peer to the master in a work item (tty_buffer.c), and
 * on a busy machine read(2) has been seen to answer EAGAIN with the last of them still on their way. */
static bool is_dry(const struct console *c) {
        struct pollfd p = { .fd = c->pty ? c->pty->master : -EBADF, .events = POLLIN };

        return poll(&p, 1, DRY_MSEC) <= 0 || !(p.revents & POLLIN);
}

int console_drain(struct console *c, uint64_t timeout_usec, int stop_fd) {
        uint64_t deadline = clock_usec() + timeout_usec;
        bool kept = c->forward.keep_last;
        int r;

        c->hangup_until = 0;
        for (;;) {
                size_t n = read_master(c, clock_usec());
                if (kept && n == 0) /* all is in, the last of it is to be shown */
                        kept = c->forward.keep_last = false;
                (void) flush_output(c);
                if (n == 0 && !output_pending(c) && !kept) {
                        if (!is_dry(c))
                                continue;
                        forget_pty(c, clock_usec());
                        return 0;
                }
                if (clock_usec() >= deadline)
                        return -ETIMEDOUT;
                if (n > 0 && output_wanted(c))
                        continue;
                r = output_pending(c) ? wait_output(c, deadline, stop_fd) : 0;
                if (r < 0)
                        return r;
        }
}

/* What the payload left behind in the terminal, and no more: a reset would take what the caller has set up. */
static void tidy_terminal(struct console *c) {
        uint8_t undo[MODES_UNDO_MAX];
        size_t size = modes_undo(&c->modes, undo);

        if (!c->output.terminal || c->forward.output_gone)
                return;
        if (size > 0)
                (void) stream_write(&c->output, undo, size);
        if (!forward_at_line_start(&c->forward))
                (void) stream_write(&c->output, "\r\n", 2);
}

struct console *console_close(struct console *c) {
        if (!c)
                return NULL;
        tidy_terminal(c);
        terminal_restore(&c->terminal);
        stream_close(&c->input);
        stream_close(&c->output);
        fd_close(c->kick);
        fd_close(c->timer);
        fd_close(c->set);
        if (c->forward.input.data)
                munmap(c->forward.input.data, c->forward.input.size);
        if (c->forward.output.data)
                munmap(c->forward.output.data, c->forward.output.size);
        free(c);
        return NULL;
}
