/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/escape.h"
#include "console/record.h"
#include "console/utf8.h"
#include "helpers.h"

#include <sys/resource.h>

struct recorded {
        char path[64];
        struct record *record;
        struct console_sink sink;
};

static struct recorded begin(void) {
        struct recorded r = { .path = "/tmp/spawn-test-XXXXXX" };
        const struct winsize size = { .ws_row = 24, .ws_col = 80 };
        struct error e = { 0 };
        int fd = mkstemp(r.path);

        assert_true(fd >= 0 && write(fd, "older", 5) == 5);
        fd_close(fd);
        if (record_open(&(struct record_options){ r.path, "x\"term", false }, &r.record, &e) < 0)
                fail_msg("%s", e.text);
        r.sink = record_sink(r.record, NULL);
        r.sink.resized(r.sink.userdata, &size);
        return r;
}

static void show(struct recorded *r, const char *text, size_t size) {
        r->sink.output(r->sink.userdata, (const uint8_t *) text, size);
}

/* Ends it. What is in the file; the caller frees. */
static char *finish(struct recorded *r) {
        char *text = NULL;

        r->record = record_close(r->record);
        _cleanup_close_ int fd = open(r->path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_read_file(fd, 64 << 20, &text, NULL), 0);
        unlink(r->path);
        return text;
}

/* The strings of all events of KIND, one after the other, as they are in the JSON. The caller frees. */
static char *strings(const char *text, char kind) {
        char *result = calloc(1, strlen(text) + 1), *to = result;
        double before = 0;

        for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
                char is;
                int skip = 0;
                double at = -1;
                assert_int_equal(sscanf(line, "[%lf, \"%c\", \"%n", &at, &is, &skip), 2);
                const char *end = strchr(line, '\n') - 2;
                assert_memory_equal(end, "\"]\n", 3);
                assert_true(at >= before);
                before = at;
                if (is == kind)
                        to = mempcpy(to, line + skip, (size_t) (end - (line + skip)));
        }
        return result;
}

static const struct {
        const char *in, *out;
} cases[] = {
        { "plain", "plain" },
        { "a\r\nb\tc", "a\\r\\nb\\u0009c" },
        { "\"\\/\177", "\\\"\\\\/\\u007f" },
        { "\033[1m\a", "\\u001b[1m\\u0007" },
        { "gr\303\274n \342\202\254 \360\237\230\200", "gr\303\274n \342\202\254 \360\237\230\200" },
        { "\303(", "\357\277\275(" },
        { "\377x\355\240\200", "\357\277\275x\357\277\275\357\277\275\357\277\275" },
        { "\342\202", "\357\277\275" },
};

static void test_any_cut(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t cut = 0; cut <= strlen(cases[i].in); cut++) {
                        struct recorded r = begin();
                        show(&r, cases[i].in, cut);
                        show(&r, cases[i].in + cut, strlen(cases[i].in) - cut);
                        _cleanup_free_ char *text = finish(&r);
                        _cleanup_free_ char *out = strings(text, 'o');
                        assert_string_equal(out, cases[i].out);
                }
}

static void test_header_and_sizes(void **state) {
        struct recorded r = begin();
        const struct winsize sizes[] = { { 24, 80, 0, 0 }, { 50, 132, 0, 0 }, { 50, 132, 0, 0 }, { 1, 2, 0, 0 } };
        static const char head[] = "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": ";

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                r.sink.resized(r.sink.userdata, &sizes[i]);
        assert_null(r.sink.input);
        assert_true(record_pending(r.record));
        record_flush(r.record);
        assert_false(record_pending(r.record));
        _cleanup_free_ char *text = finish(&r);
        assert_memory_equal(text, head, sizeof head - 1);
        assert_non_null(strstr(text, ", \"env\": {\"TERM\": \"x\\\"term\"}}\n"));
        _cleanup_free_ char *resized = strings(text, 'r');
        assert_string_equal(resized, "132x502x1");
}

/* Random bytes that fill the buffer many times over: always whole lines of valid UTF-8. */
static void test_random(void **state) {
        struct recorded r = begin();
        uint8_t data[4096];
        struct utf8 u = { 0 };

        (void) state;
        srandom(5);
        for (int i = 0; i < 200; i++) {
                size_t size = (size_t) random() % sizeof data;
                for (size_t k = 0; k < size; k++)
                        data[k] = (uint8_t) (random() >> 4);
                show(&r, (char *) data, size);
        }
        _cleanup_free_ char *text = finish(&r);
        for (const char *p = text; *p; p++) {
                enum utf8_step step = utf8_step(&u, (uint8_t) *p);
                assert_true(step == UTF8_WHOLE || step == UTF8_MORE);
                assert_true((uint8_t) *p >= 0x20 || *p == '\n');
        }
        free(strings(text, 'o'));
}

static void full_body(void *userdata) {
        struct recorded *r = userdata;
        struct rlimit limit = { 200000, 200000 };

        signal(SIGXFSZ, SIG_IGN);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        for (unsigned i = 0; i < 30000; i++)
                show(r, "0123456789\033[m", 13);
        record_close(r->record);
}

/* The disk is full: one warning, and what is there can be played. */
static void test_full(void **state) {
        struct recorded r = begin();

        (void) state;
        record_flush(r.record);
        struct capture c = capture_start(STDERR_FILENO);
        assert_int_equal(run_child(full_body, &r), 0);
        _cleanup_free_ char *said = capture_end(&c);
        size_t line = strcspn(said, "\n");
        assert_non_null(strstr(said, "no longer recorded"));
        assert_true(said[line] == '\n' && !said[line + 1]);
        _cleanup_free_ char *text = finish(&r);
        assert_in_range(strlen(text), 199900, 200000);
        free(strings(text, 'o'));
}

/* What is typed is recorded while the PTY echoes, and else never. */
static void test_input(void **state) {
        struct recorded r = { .path = "/tmp/spawn-test-XXXXXX" };
        struct console_options o = { .escape_key = ESCAPE_KEY_NONE };
        struct pty pty = PTY_NONE;
        struct console *c = NULL;
        struct termios modes;
        int p[2], unlock = 0;
        char line[16];

        (void) state;
        fd_close(mkstemp(r.path));
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        o.streams[0] = p[0];
        o.streams[1] = o.streams[2] = -1;
        pty.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        assert_int_equal(ioctl(pty.master, TIOCSPTLCK, &unlock), 0);
        pty.peer = ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(pty.peer >= 0);
        assert_int_equal(record_open(&(struct record_options){ r.path, NULL, true }, &r.record, NULL), 0);
        assert_int_equal(console_open(&o, &c, NULL), 0);
        r.sink = record_sink(r.record, c);
        assert_int_equal(console_add_sink(c, &r.sink), 0);
        assert_int_equal(console_attach_pty(c, &pty, NULL), 0);
        assert_int_equal(console_start(c, NULL), 0);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(tcgetattr(pty.peer, &modes), 0);
                modes.c_lflag = i == 1 ? modes.c_lflag & ~(tcflag_t) ECHO : modes.c_lflag | ECHO;
                assert_int_equal(tcsetattr(pty.peer, TCSANOW, &modes), 0);
                assert_int_equal(write(p[1], i == 1 ? "secret\n" : "open\n", i == 1 ? 7 : 5), i == 1 ? 7 : 5);
                (void) console_dispatch(c);
                /* The kernel echoes when it gets to it: with the modes of then. The line has come when it has. */
                assert_int_equal(read(pty.peer, line, sizeof line), i == 1 ? 7 : 5);
        }
        console_close(c);
        _cleanup_free_ char *text = finish(&r);
        _cleanup_free_ char *typed = strings(text, 'i');
        assert_string_equal(typed, "open\\nopen\\n");
        assert_null(strstr(text, "secret"));
        pty_close(&pty);
        close(p[0]);
        close(p[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_any_cut), cmocka_unit_test(test_header_and_sizes),
                cmocka_unit_test(test_random),  cmocka_unit_test(test_full),
                cmocka_unit_test(test_input),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
