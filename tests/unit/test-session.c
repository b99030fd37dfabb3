/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "basic/fd.h"
#include "console/escape.h"
#include "console/session.h"
#include "unit.h"

static uint64_t now_msec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

/* A pair of this machine's devpts. The master of a host's terminal blocks or not, as its emulator likes. */
static struct pty open_pair(void) {
        struct pty p = PTY_NONE;
        int unlock = 0;

        p.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        assert_true(p.master >= 0);
        assert_int_equal(ioctl(p.master, TIOCSPTLCK, &unlock), 0);
        p.peer = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(p.peer >= 0);
        return p;
}

static struct console *open_console(enum session_mode mode, int input, int output, struct pty *pty) {
        struct console_options o = { .mode = mode,
                                     .streams = { input, output, -1 },
                                     .escape_key = ESCAPE_KEY_DEFAULT };
        struct console *c = NULL;
        struct error e = { 0 };

        if (console_open(&o, &c, &e) < 0 || console_attach_pty(c, pty, &e) < 0 || console_start(c, &e) < 0)
                fail_msg("%s", e.text);
        return c;
}

/* The payload's PTY passes bytes as they are, so that they can be compared. */
static void make_transparent(const struct pty *p) {
        struct termios t;

        assert_int_equal(tcgetattr(p->peer, &t), 0);
        cfmakeraw(&t);
        assert_int_equal(tcsetattr(p->peer, TCSANOW, &t), 0);
}

/* Runs the console for MSEC, or until one of EVENTS. Returns the events; *TURNS counts dispatches. */
static unsigned run_for(struct console *c, int msec, unsigned events, unsigned *turns) {
        struct pollfd p = { .fd = console_fd(c), .events = POLLIN };
        uint64_t until = now_msec() + (uint64_t) msec, now;
        unsigned seen = 0;

        while ((now = now_msec()) < until && !(seen & events))
                if (poll(&p, 1, (int) (until - now)) > 0) {
                        seen |= console_dispatch(c);
                        if (turns)
                                (*turns)++;
                }
        return seen;
}

static void fill(uint8_t *data, size_t size, unsigned seed) {
        for (size_t i = 0; i < size; i++) {
                seed = seed * 1103515245 + 12345;
                data[i] = (uint8_t) (seed >> 16);
        }
}

static void set_nonblock(int fd) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* A host's terminal: both directions, the modes afterwards, and the caller's descriptor flags throughout. */
static void test_terminal(void **state) {
        struct pty host = open_pair(), pty = open_pair();
        struct termios before = { 0 }, after = { 0 };
        struct winsize size = { .ws_row = 40, .ws_col = 132 }, got;
        char buffer[64];

        (void) state;
        ioctl(host.master, TIOCSWINSZ, &size);
        tcgetattr(host.peer, &before);
        int flags = fcntl(host.peer, F_GETFL);
        struct console *c = open_console(SESSION_INTERACTIVE, host.peer, host.peer, &pty);
        assert_int_equal(fcntl(host.peer, F_GETFL), flags);
        ioctl(pty.peer, TIOCGWINSZ, &got);
        assert_int_equal(got.ws_col, 132);
        assert_int_equal(write(host.master, "ls \xC3\x9F\r", 6), 6);
        run_for(c, 50, 0, NULL);
        assert_int_equal(read(pty.peer, buffer, sizeof buffer), 6);
        assert_memory_equal(buffer, "ls \xC3\x9F\n", 6);
        assert_int_equal(read(host.master, buffer, sizeof buffer), 7); /* the echo of the inner PTY only */
        assert_int_equal(write(pty.peer, "out", 3), 3);
        run_for(c, 50, 0, NULL);
        assert_int_equal(read(host.master, buffer, sizeof buffer), 3);
        size.ws_col = 50;
        ioctl(host.master, TIOCSWINSZ, &size);
        console_resize(c);
        ioctl(pty.peer, TIOCGWINSZ, &got);
        assert_int_equal(got.ws_col, 50);
        console_suspend(c);
        tcgetattr(host.peer, &after);
        assert_memory_equal(&before, &after, sizeof before);
        console_resume(c);
        tcgetattr(host.peer, &after);
        assert_int_equal(after.c_lflag & ICANON, 0);
        assert_int_equal(console_drain(c, 1000000, -1), 0);
        console_close(c);
        tcgetattr(host.peer, &after);
        assert_memory_equal(&before, &after, sizeof before);
        assert_true(read(host.master, buffer, sizeof buffer) >= 2); /* the unfinished line was ended */
        assert_memory_equal(buffer, "\r", 1);
        assert_int_equal(fcntl(host.peer, F_GETFL), flags);
        pty_close(&host);
        pty_close(&pty);
}

/* 10 MB are pasted to a payload that never reads; then the escape key works at once, and nothing spins meanwhile. */
static void test_paste_and_escape(void **state) {
        struct pty host = open_pair(), pty = open_pair();
        const size_t total = 10 * 1000 * 1000;
        static uint8_t paste[65536];
        unsigned events = 0, turns = 0;
        size_t sent = 0;

        (void) state;
        memset(paste, 'p', sizeof paste);
        struct console *c = open_console(SESSION_INTERACTIVE, host.peer, host.peer, &pty);
        make_transparent(&pty); /* in canonical mode the kernel itself drops what a line has above 4095 bytes */
        uint64_t until = now_msec() + 60000;
        while (sent < total && now_msec() < until) {
                size_t left = total - sent;
                ssize_t n = write(host.master, paste, left < sizeof paste ? left : sizeof paste);
                if (n > 0)
                        sent += (size_t) n;
                events |= run_for(c, n > 0 ? 0 : 1, UINT32_MAX, NULL);
                events |= console_dispatch(c);
        }
        assert_int_equal(sent, total);
        run_for(c, 200, 0, NULL);
        run_for(c, 200, 0, &turns);
        if (turns >= 5)
                fail_msg("%u turns without work", turns);
        uint64_t start = now_msec();
        assert_int_equal(write(host.master, "\x1D\x1D\x1D", 3), 3);
        events |= run_for(c, 2000, CONSOLE_ESCAPE_KILL, NULL);
        assert_int_equal(events, CONSOLE_ESCAPE_KILL);
        assert_true(now_msec() - start < 100);
        console_close(c);
        pty_close(&host);
        pty_close(&pty);
}

/* A child writes a megabyte in odd pieces; the reader of our output is slow and takes random pieces. */
static void check_burst(int to_console, int from_console, bool slow) {
        const size_t total = 1024 * 1024;
        uint8_t *wanted = test_malloc(total), *got = test_malloc(total);
        struct pty pty = open_pair();
        size_t n_got = 0;

        fill(wanted, total, 7);
        set_nonblock(from_console);
        struct console *c = open_console(SESSION_READ_ONLY, -1, to_console, &pty);
        make_transparent(&pty);
        pid_t child = fork();
        if (child == 0) {
                for (size_t at = 0; at < total;) {
                        size_t n = 1 + (at * 31) % 9000;
                        ssize_t w = write(pty.peer, wanted + at, n < total - at ? n : total - at);
                        if (w < 0)
                                _exit(1);
                        at += (size_t) w;
                }
                _exit(0);
        }
        srand(3);
        uint64_t until = now_msec() + 30000;
        bool dead = false;
        while (n_got < total && now_msec() < until) {
                run_for(c, dead ? 0 : 1, 0, NULL);
                if (!dead && waitpid(child, NULL, WNOHANG) == child)
                        dead = true;
                if (dead)
                        (void) console_drain(c, 1000, -1);
                size_t chunk = slow ? 1 + (size_t) rand() % 20000 : total;
                ssize_t n = read(from_console, got + n_got, chunk < total - n_got ? chunk : total - n_got);
                n_got += n > 0 ? (size_t) n : 0;
        }
        assert_int_equal(n_got, total);
        assert_memory_equal(wanted, got, total);
        if (!dead)
                waitpid(child, NULL, 0);
        console_close(c);
        pty_close(&pty);
        test_free(wanted);
        test_free(got);
}

static void test_burst_pipe(void **state) {
        int p[2];

        (void) state;
        for (unsigned slow = 0; slow < 2; slow++) {
                assert_int_equal(pipe2(p, O_CLOEXEC), 0);
                check_burst(p[1], p[0], slow);
                assert_false(fcntl(p[1], F_GETFL) & O_NONBLOCK);
                close(p[0]);
                close(p[1]);
        }
}

/* A FIFO that was opened by name knows no RWF_NOWAIT. */
static void test_burst_fifo(void **state) {
        char path[] = "/tmp/test-session-XXXXXX";

        (void) state;
        close(mkstemp(path));
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        int in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), out = open(path, O_WRONLY | O_CLOEXEC);
        unlink(path);
        check_burst(out, in, true);
        assert_false(fcntl(out, F_GETFL) & O_NONBLOCK);
        close(in);
        close(out);
}

static void test_burst_socket(void **state) {
        int p[2];

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
        check_burst(p[1], p[0], true);
        assert_false(fcntl(p[1], F_GETFL) & O_NONBLOCK);
        close(p[0]);
        close(p[1]);
}

static void test_burst_terminal(void **state) {
        struct pty host = open_pair();

        (void) state;
        make_transparent(&host);
        check_burst(host.peer, host.master, true);
        assert_false(fcntl(host.peer, F_GETFL) & O_NONBLOCK);
        pty_close(&host);
}

/* A file gets everything at the caller's offset, and the caller goes on behind it. */
static void test_output_file(void **state) {
        FILE *file = tmpfile();
        int fd = fileno(file);
        struct pty pty = open_pair();
        char buffer[64] = "";

        (void) state;
        assert_int_equal(write(fd, "before ", 7), 7);
        struct console *c = open_console(SESSION_READ_ONLY, -1, fd, &pty);
        assert_int_equal(write(pty.peer, "middle", 6), 6);
        run_for(c, 30, 0, NULL);
        assert_int_equal(console_drain(c, 1000000, -1), 0);
        console_close(c);
        assert_int_equal(write(fd, " after", 6), 6);
        assert_int_equal(pread(fd, buffer, sizeof buffer, 0), 19);
        assert_string_equal(buffer, "before middle after");
        fclose(file);
        pty_close(&pty);
}

/* A payload that reads lines to the end of file and counts bytes into its exit status. */
static pid_t start_counter(const struct pty *pty) {
        pid_t child = fork();

        if (child == 0) {
                char buffer[256];
                unsigned count = 0;
                for (ssize_t n; (n = read(pty->peer, buffer, sizeof buffer)) > 0;)
                        count += (unsigned) n;
                _exit((int) (count % 251));
        }
        return child;
}

static int status_after_end(const void *input, size_t size, bool as_file) {
        struct pty pty = open_pair();
        int p[2] = { -1, -1 }, status = -1;
        FILE *file = NULL;

        if (as_file) {
                file = tmpfile();
                assert_int_equal(fwrite(input, 1, size, file), size);
                rewind(file);
                p[0] = dup(fileno(file));
                assert_int_equal(lseek(p[0], 0, SEEK_SET), 0);
        } else {
                assert_int_equal(pipe2(p, O_CLOEXEC), 0);
                assert_int_equal(write(p[1], input, size), (ssize_t) size);
                close(p[1]);
        }
        _cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct console *c = open_console(SESSION_INTERACTIVE, p[0], null, &pty);
        pid_t child = start_counter(&pty);
        uint64_t until = now_msec() + 5000;
        unsigned events = 0;
        while (waitpid(child, &status, WNOHANG) == 0 && now_msec() < until)
                events |= run_for(c, 5, 0, NULL);
        if (now_msec() >= until)
                kill(child, SIGKILL);
        assert_true(events & CONSOLE_INPUT_ENDED);
        console_close(c);
        close(p[0]);
        if (file)
                fclose(file);
        pty_close(&pty);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_end_of_input(void **state) {
        static char lines[50000];

        (void) state;
        for (size_t i = 0; i < sizeof lines; i++)
                lines[i] = i % 80 == 79 || i + 1 == sizeof lines ? '\n' : 'x';
        for (unsigned as_file = 0; as_file < 2; as_file++) {
                assert_int_equal(status_after_end("", 0, as_file), 0);
                assert_int_equal(status_after_end("line\n", 5, as_file), 5);
                assert_int_equal(status_after_end("unfinished", 10, as_file), 10);
                assert_int_equal(status_after_end("escape \x1D\x1D\x1D\n", 11, as_file), 11);
                assert_int_equal(status_after_end(lines, sizeof lines, as_file), sizeof lines % 251);
        }
}

/* After the end of input nothing is polled for, and a payload in raw mode gets the character once. */
static void test_end_of_input_raw(void **state) {
        struct pty pty = open_pair();
        char buffer[64];
        unsigned turns = 0;
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        close(p[1]);
        _cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct console_options o = { .mode = SESSION_INTERACTIVE, .streams = { p[0], null, -1 } };
        struct console *c = NULL;
        assert_int_equal(console_open(&o, &c, NULL), 0);
        assert_int_equal(console_attach_pty(c, &pty, NULL), 0);
        make_transparent(&pty);
        assert_int_equal(console_start(c, NULL), 0);
        run_for(c, 50, 0, NULL);
        set_nonblock(pty.peer);
        assert_int_equal(read(pty.peer, buffer, sizeof buffer), 1);
        assert_int_equal(buffer[0], 4);
        run_for(c, 2700, 0, NULL);
        run_for(c, 1500, 0, &turns);
        assert_int_equal(turns, 0);
        assert_int_equal(read(pty.peer, buffer, sizeof buffer), -1);
        console_close(c);
        close(p[0]);
        pty_close(&pty);
}

/* The reader goes away: one event, and a chatty payload still runs to its end. */
static void test_output_gone(void **state) {
        struct pty pty = open_pair();
        static uint8_t chatter[4096];
        unsigned gone = 0;
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        close(p[0]);
        struct console *c = open_console(SESSION_READ_ONLY, -1, p[1], &pty);
        pid_t child = fork();
        if (child == 0) {
                for (unsigned i = 0; i < 256; i++)
                        if (write(pty.peer, chatter, sizeof chatter) < 0)
                                _exit(1);
                _exit(0);
        }
        int status = -1;
        uint64_t until = now_msec() + 10000;
        while (waitpid(child, &status, WNOHANG) == 0 && now_msec() < until)
                gone += run_for(c, 2, 0, NULL) == CONSOLE_OUTPUT_GONE;
        assert_int_equal(status, 0);
        assert_int_equal(gone, 1);
        assert_int_equal(console_drain(c, 1000000, -1), 0);
        console_close(c);
        close(p[1]);
        pty_close(&pty);
}

/* The host's terminal hangs up. */
static void test_terminal_gone(void **state) {
        struct pty host = open_pair(), pty = open_pair();
        unsigned turns = 0;

        (void) state;
        struct console *c = open_console(SESSION_INTERACTIVE, host.peer, host.peer, &pty);
        host.master = fd_close(host.master);
        unsigned events = run_for(c, 1000, CONSOLE_TERMINAL_GONE, NULL);
        assert_int_equal(events, CONSOLE_TERMINAL_GONE | CONSOLE_INPUT_ENDED);
        assert_int_equal(write(pty.peer, "x", 1), 1);
        assert_int_equal(run_for(c, 200, CONSOLE_OUTPUT_GONE, NULL), CONSOLE_OUTPUT_GONE);
        run_for(c, 100, 0, &turns);
        assert_int_equal(turns, 0);
        console_close(c);
        pty_close(&host);
        pty_close(&pty);
}

/* Nobody looks: the payload is not held up, and the end of what it said is shown. */
static void test_passive(void **state) {
        struct pty pty = open_pair();
        static uint8_t shown[131072];
        size_t got = 0;
        int p[2], status;

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        fcntl(p[1], F_SETPIPE_SZ, 131072);
        struct console *c = open_console(SESSION_PASSIVE, -1, p[1], &pty);
        make_transparent(&pty);
        pid_t child = fork();
        if (child == 0) {
                char line[32];
                for (unsigned i = 0; i < 50000; i++) {
                        int n = snprintf(line, sizeof line, "line %05u\n", i);
                        if (write(pty.peer, line, (size_t) n) != n)
                                _exit(1);
                }
                _exit(0);
        }
        while (waitpid(child, &status, WNOHANG) == 0)
                run_for(c, 1, 0, NULL);
        assert_int_equal(status, 0);
        set_nonblock(p[0]);
        assert_int_equal(read(p[0], shown, sizeof shown), -1);
        assert_int_equal(console_drain(c, 1000000, -1), 0);
        for (ssize_t n; (n = read(p[0], shown + got, sizeof shown - got)) > 0;)
                got += (size_t) n;
        assert_true(got > 60000 && got <= 65536);
        assert_memory_equal(shown + got - 11, "line 49999\n", 11);
        console_close(c);
        close(p[0]);
        close(p[1]);
        pty_close(&pty);
}

/* The reader stalls: draining ends at its deadline, or when it is stopped. */
static void test_drain_is_bounded(void **state) {
        struct pty pty = open_pair();
        static char full[1048576];
        int p[2], stop[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
        set_nonblock(p[1]);
        while (write(p[1], full, sizeof full) > 0)
                ;
        fcntl(p[1], F_SETFL, fcntl(p[1], F_GETFL) & ~O_NONBLOCK);
        struct console *c = open_console(SESSION_READ_ONLY, -1, p[1], &pty);
        assert_int_equal(write(pty.peer, "late", 4), 4);
        run_for(c, 20, 0, NULL);
        uint64_t start = now_msec();
        assert_int_equal(console_drain(c, 100000, -1), -ETIMEDOUT);
        assert_true(now_msec() - start < 500);
        assert_int_equal(write(stop[1], "x", 1), 1);
        assert_int_equal(console_drain(c, 10000000, stop[0]), -EINTR);
        console_close(c);
        for (unsigned i = 0; i < 2; i++) {
                close(p[i]);
                close(stop[i]);
        }
        pty_close(&pty);
}

/* Short-lived payloads, session leaders whose end hangs the PTY up: the last bytes are always there. */
static void test_last_bytes(void **state) {
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        fcntl(p[1], F_SETPIPE_SZ, 131072);
        set_nonblock(p[0]);
        for (unsigned i = 0; i < 500; i++) {
                struct pty pty = open_pair();
                static uint8_t wanted[20000], got[20001];
                size_t size = 1 + (i * 7919) % sizeof wanted, n_got = 0;
                fill(wanted, size, i);
                struct console *c = open_console(SESSION_READ_ONLY, -1, p[1], &pty);
                make_transparent(&pty);
                pid_t child = fork();
                if (child == 0) {
                        setsid();
                        ioctl(pty.peer, TIOCSCTTY, 0);
                        _exit(write(pty.peer, wanted, size) != (ssize_t) size);
                }
                if (i % 2)
                        run_for(c, 1, 0, NULL);
                int status;
                while (waitpid(child, &status, WNOHANG) == 0)
                        console_dispatch(c);
                assert_int_equal(status, 0);
                assert_int_equal(console_drain(c, 1000000, -1), 0);
                console_close(c);
                for (ssize_t n; (n = read(p[0], got + n_got, sizeof got - n_got)) > 0;)
                        n_got += (size_t) n;
                assert_int_equal(n_got, size);
                assert_memory_equal(wanted, got, size);
                pty_close(&pty);
        }
        close(p[0]);
        close(p[1]);
}

/* A payload that hangs its terminal up in a loop costs next to nothing, and the console works afterwards. */
static void test_hangup_storm(void **state) {
        struct pty pty = open_pair();
        struct timespec cpu_before, cpu_after;
        char buffer[64];
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        set_nonblock(p[0]);
        struct console *c = open_console(SESSION_READ_ONLY, -1, p[1], &pty);
        pid_t child = fork();
        if (child == 0) {
                setsid();
                signal(SIGHUP, SIG_IGN);
                for (;;) {
                        int peer = ioctl(pty.master, TIOCGPTPEER, O_RDWR);
                        ioctl(peer, TIOCSCTTY, 0);
                        if (syscall(SYS_vhangup) < 0)
                                _exit(1);
                        close(peer);
                }
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
        run_for(c, 1000, 0, NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
        int early = waitpid(child, NULL, WNOHANG);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        long msec = (cpu_after.tv_sec - cpu_before.tv_sec) * 1000 + (cpu_after.tv_nsec - cpu_before.tv_nsec) / 1000000;
        print_message("hang-up storm: %ld ms of CPU in 1 s%s\n", msec, early ? " (vhangup is not permitted)" : "");
        assert_true(msec < 100);
        _cleanup_close_ int peer = ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(write(peer, "well", 4), 4);
        run_for(c, 100, 0, NULL);
        assert_int_equal(read(p[0], buffer, sizeof buffer), 4);
        console_close(c);
        close(p[0]);
        close(p[1]);
        pty_close(&pty);
}

/* No peer is open at all, not even ours: the copy pauses, finds a new one, and goes on. */
static void test_no_peer(void **state) {
        struct pty pty = open_pair();
        unsigned turns = 0;
        char buffer[64];
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        set_nonblock(p[0]);
        struct console *c = open_console(SESSION_READ_ONLY, -1, p[1], &pty);
        pty.peer = fd_close(pty.peer);
        run_for(c, 200, 0, &turns);
        assert_true(turns < 5);
        assert_true(pty.peer >= 0);
        assert_int_equal(write(pty.peer, "back", 4), 4);
        run_for(c, 200, 0, NULL);
        assert_int_equal(read(p[0], buffer, sizeof buffer), 4);
        console_close(c);
        close(p[0]);
        close(p[1]);
        pty_close(&pty);
}

/* A reboot: what the old payload said last and what the new one says, in order. */
static void test_reattach(void **state) {
        struct pty first = open_pair(), second = open_pair();
        char buffer[64] = "";
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        struct console *c = open_console(SESSION_READ_ONLY, -1, p[1], &first);
        assert_int_equal(write(first.peer, "old ", 4), 4);
        assert_int_equal(console_attach_pty(c, &second, NULL), 0);
        pty_close(&first);
        assert_int_equal(write(second.peer, "new", 3), 3);
        run_for(c, 50, 0, NULL);
        assert_int_equal(read(p[0], buffer, sizeof buffer), 7);
        assert_string_equal(buffer, "old new");
        console_close(c);
        close(p[0]);
        close(p[1]);
        pty_close(&second);
}

/* What a sink has been told. */
struct told {
        char output[64], input[64];
        size_t output_used, input_used;
        unsigned sizes, echoed;
        struct winsize size;
        struct console *console;
};

static void sink_output(void *userdata, const uint8_t *data, size_t size) {
        struct told *t = userdata;

        memcpy(t->output + t->output_used, data, size);
        t->output_used += size;
}

static void sink_input(void *userdata, const uint8_t *data, size_t size) {
        struct told *t = userdata;

        memcpy(t->input + t->input_used, data, size);
        t->input_used += size;
        t->echoed += console_input_echoed(t->console);
}

static void sink_resized(void *userdata, const struct winsize *size) {
        struct told *t = userdata;

        t->sizes++;
        t->size = *size;
}

/* Each sink hears everything, and what was typed without an echo is known as such. */
static void test_sinks(void **state) {
        struct pty host = open_pair(), pty = open_pair();
        struct told told[CONSOLE_SINKS_MAX] = { 0 };
        struct console_options o = { .streams = { host.peer, host.peer, -1 }, .escape_key = ESCAPE_KEY_NONE };
        struct winsize size = { .ws_row = 11, .ws_col = 22 };
        struct console *c = NULL;
        struct termios modes;

        (void) state;
        assert_int_equal(console_open(&o, &c, NULL), 0);
        for (unsigned i = 0; i < CONSOLE_SINKS_MAX; i++) {
                struct console_sink sink = { &told[i], sink_output, i ? sink_input : NULL, i ? sink_resized : NULL };
                assert_int_equal(console_add_sink(c, &sink), 0);
                told[i].console = c;
        }
        assert_int_equal(console_add_sink(c, &(struct console_sink){ .output = sink_output }), -ENOSPC);
        assert_int_equal(ioctl(host.master, TIOCSWINSZ, &size), 0);
        assert_int_equal(console_attach_pty(c, &pty, NULL), 0);
        assert_int_equal(console_start(c, NULL), 0);
        assert_int_equal(write(host.master, "ab", 2), 2);
        run_for(c, 50, 0, NULL);
        assert_int_equal(tcgetattr(pty.peer, &modes), 0);
        modes.c_lflag &= ~(tcflag_t) ECHO;
        assert_int_equal(tcsetattr(pty.peer, TCSANOW, &modes), 0);
        assert_int_equal(write(host.master, "cd", 2), 2);
        run_for(c, 50, 0, NULL);
        assert_int_equal(write(pty.peer, "\033[mx", 4), 4);
        size.ws_col = 33;
        assert_int_equal(ioctl(host.master, TIOCSWINSZ, &size), 0);
        console_resize(c);
        assert_int_equal(console_drain(c, 1000000, -1), 0);
        for (unsigned i = 0; i < CONSOLE_SINKS_MAX; i++) {
                assert_string_equal(told[i].output, "ab\033[mx");
                assert_string_equal(told[i].input, i ? "abcd" : "");
                assert_int_equal(told[i].echoed, i ? 1 : 0);
                assert_int_equal(told[i].sizes, i ? 2 : 0);
                assert_int_equal(told[i].size.ws_col, i ? 33 : 0);
        }
        console_close(c);
        pty_close(&host);
        pty_close(&pty);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_terminal),         cmocka_unit_test(test_paste_and_escape),
                cmocka_unit_test(test_burst_pipe),       cmocka_unit_test(test_burst_fifo),
                cmocka_unit_test(test_burst_socket),     cmocka_unit_test(test_burst_terminal),
                cmocka_unit_test(test_output_file),      cmocka_unit_test(test_end_of_input),
                cmocka_unit_test(test_end_of_input_raw), cmocka_unit_test(test_output_gone),
                cmocka_unit_test(test_terminal_gone),    cmocka_unit_test(test_passive),
                cmocka_unit_test(test_drain_is_bounded), cmocka_unit_test(test_last_bytes),
                cmocka_unit_test(test_hangup_storm),     cmocka_unit_test(test_no_peer),
                cmocka_unit_test(test_reattach),         cmocka_unit_test(test_sinks),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
