/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines on standard error: escaped, filtered, one write each. */
#include "basic/log.h"

#include <pty.h>
#include <termios.h>

#include "helpers.h"

/* What log_line() writes. The caller frees. */
static char *logged(enum log_level level, const char *message) {
        struct capture c = capture_start(STDERR_FILENO);

        log_line(level, "%s", message);
        return capture_end(&c);
}

static void assert_logged(enum log_level level, const char *message, const char *expected) {
        _cleanup_free_ char *text = logged(level, message);

        assert_string_equal(text, expected);
}

static void lines_are_escaped(void **state) {
        static const struct {
                const char *message, *line;
        } cases[] = {
                { "plain", "spawn: plain\n" },
                { "", "spawn: \n" },
                { "a\x1b[31mb\nc", "spawn: a\\x1b[31mb\\x0ac\n" },
                { "tab\tbell\a", "spawn: tab\\x09bell\\x07\n" },
                { "caf\xc3\xa9", "spawn: caf\xc3\xa9\n" },
                { "bad\xff\xc3", "spawn: bad\\xff\\xc3\n" },
                { "csi\xc2\x9b"
                  "31m",
                  "spawn: csi\\xc2\\x9b31m\n" },
                { "\x7f", "spawn: \\x7f\n" },
                { "%s%n", "spawn: %s%n\n" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_logged(LOG_INFO, cases[i].message, cases[i].line);
}

static void levels_filter(void **state) {
        static const enum log_level levels[] = { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

        (void) state;
        assert_int_equal(log_level(), LOG_INFO);
        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                for (size_t j = 0; j < ELEMENTSOF(levels); j++) {
                        log_set_level(levels[i]);
                        assert_int_equal(log_level(), levels[i]);
                        assert_logged(levels[j], "x", levels[j] <= levels[i] ? "spawn: x\n" : "");
                }
        log_set_level(LOG_INFO);
}

/* All of it control bytes, which become four each: the longest line there is. */
static void long_lines_are_cut_and_whole(void **state) {
        char message[3000];

        (void) state;
        memset(message, 1, sizeof message - 1);
        message[sizeof message - 1] = 0;
        _cleanup_free_ char *text = logged(LOG_ERROR, message);
        size_t n = strlen(text);
        assert_true(n > 1000 && n < 5000);
        assert_int_equal(text[n - 1], '\n');
        assert_string_equal(text + n - 5, "\\x01\n");
        assert_null(memchr(text, '\n', n - 1));
}

static void errno_is_kept(void **state) {
        (void) state;
        struct capture c = capture_start(STDERR_FILENO); /* no terminal: tcgetattr() fails with ENOTTY */
        errno = EXDEV;
        log_line(LOG_ERROR, "x");
        assert_int_equal(errno, EXDEV);
        log_debug("not shown");
        assert_int_equal(errno, EXDEV);
        free(capture_end(&c));
}

static void log_to_nobody(void *userdata) {
        (void) userdata;
        close(STDERR_FILENO);
        log_line(LOG_ERROR, "x");
}

static void nobody_may_be_there(void **state) {
        (void) state;
        assert_int_equal(run_child(log_to_nobody, NULL), 0);
}

/* What a terminal with raw (or not) output shows of a line. */
static void on_terminal(bool raw, char *buffer, size_t size) {
        struct termios t;
        int master, peer, saved;
        size_t n = 0;

        assert_int_equal(openpty(&master, &peer, NULL, NULL, NULL), 0);
        assert_int_equal(tcgetattr(peer, &t), 0);
        if (raw)
                cfmakeraw(&t);
        else
                t.c_oflag = (t.c_oflag | OPOST) & ~(tcflag_t) ONLCR;
        assert_int_equal(tcsetattr(peer, TCSANOW, &t), 0);
        saved = dup(STDERR_FILENO);
        dup2(peer, STDERR_FILENO);
        log_line(LOG_ERROR, "x");
        dup2(saved, STDERR_FILENO);
        while (n + 1 < size && (n == 0 || buffer[n - 1] != '\n')) {
                ssize_t more = read(master, buffer + n, size - 1 - n);
                assert_true(more > 0);
                n += (size_t) more;
        }
        buffer[n] = 0;
        close(saved);
        close(peer);
        close(master);
}

static void raw_terminals_get_a_carriage_return(void **state) {
        char text[64];

        (void) state;
        on_terminal(true, text, sizeof text);
        assert_string_equal(text, "spawn: x\r\n");
        on_terminal(false, text, sizeof text);
        assert_string_equal(text, "spawn: x\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_are_escaped),
                cmocka_unit_test(levels_filter),
                cmocka_unit_test(long_lines_are_cut_and_whole),
                cmocka_unit_test(errno_is_kept),
                cmocka_unit_test(nobody_may_be_there),
                cmocka_unit_test(raw_terminals_get_a_carriage_return),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
