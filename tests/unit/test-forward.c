/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "console/forward.h"
#include "unit.h"

static struct forward make(size_t size, bool typeahead, bool keep_last) {
        struct forward f;
        struct forward_options o = {
                .input = test_malloc(size),
                .output = test_malloc(size),
                .input_size = size,
                .output_size = size,
                .escape_key = ESCAPE_KEY_DEFAULT,
                .typeahead = typeahead,
                .keep_last = keep_last,
        };

        forward_init(&f, &o);
        return f;
}

static void unmake(struct forward *f) {
        test_free(f->input.data);
        test_free(f->output.data);
}

/* Puts as much of DATA in as there is room for, at most one piece. */
static size_t put_input(struct forward *f, const void *data, size_t size, uint64_t now, unsigned *events) {
        uint8_t *space;
        size_t n = forward_input_space(f, now, &space);

        n = n < size ? n : size;
        memcpy(space, data, n);
        *events |= n > 0 ? forward_input_added(f, n, now) : 0;
        return n;
}

static size_t put_output(struct forward *f, const void *data, size_t size) {
        uint8_t *space;
        size_t n = forward_output_space(f, &space);

        n = n < size ? n : size;
        memcpy(space, data, n);
        forward_output_added(f, n);
        return n;
}

static size_t get_output(struct forward *f, void *data, size_t size) {
        const uint8_t *pending;
        size_t n = forward_output_pending(f, &pending);

        n = n < size ? n : size;
        memcpy(data, pending, n);
        forward_output_taken(f, n);
        return n;
}

/* Random chunk sizes on both sides of a small ring: a megabyte comes out as it went in. */
static void test_bytes_are_kept(void **state) {
        const size_t total = 1024 * 1024;
        uint8_t *in = test_malloc(total), *out = test_malloc(total);
        struct forward f = make(1021, false, false);
        size_t written = 0, got = 0;

        (void) state;
        srand(1);
        for (size_t i = 0; i < total; i++)
                in[i] = (uint8_t) rand();
        while (got < total) {
                size_t n = (size_t) rand() % 1500, left = total - written;
                written += put_output(&f, in + written, n < left ? n : left);
                n = (size_t) rand() % 700;
                left = total - got;
                got += get_output(&f, out + got, n < left ? n : left);
        }
        assert_memory_equal(in, out, total);
        unmake(&f);
        test_free(in);
        test_free(out);
}

static void test_full_means_do_not_read(void **state) {
        struct forward f = make(16, false, false);
        unsigned events = 0;
        const uint8_t *pending;

        (void) state;
        assert_int_equal(put_input(&f, "0123456789abcdefXYZ", 19, 0, &events), 16);
        assert_false(forward_input_wanted(&f, UINT64_MAX / 2));
        assert_int_equal(put_input(&f, "X", 1, 5000000, &events), 0);
        assert_int_equal(forward_input_deadline(&f), 0);
        assert_int_equal(forward_input_pending(&f, &pending), 16);
        forward_input_taken(&f, 3, 0);
        assert_int_equal(put_input(&f, "XYZ!", 4, 0, &events), 3);
        assert_int_equal(forward_input_pending(&f, &pending), 13);
        assert_memory_equal(pending, "3456789abcdef", 13);
        forward_input_taken(&f, 13, 0);
        assert_int_equal(forward_input_pending(&f, &pending), 3);
        assert_memory_equal(pending, "XYZ", 3);
        assert_int_equal(events, 0);
        forward_input_end(&f);
        assert_int_equal(put_input(&f, "X", 1, 0, &events), 0);
        unmake(&f);
}

/* The letter of a command is ours, whatever it is typed with; other letters, and the key, are the payload's. */
static void test_commands(void **state) {
        static const char typed[] = "ab\x1d\x1d?cd\x1d\x1dxe\x1d\x1dp\x1d\x1d.f";
        static const char taken[] = "ab\x1d\x1d\x63\x64\x1d\x1dxe\x1d\x1d\x1d\x1d\x66";

        (void) state;
        for (size_t cut = 1; cut < sizeof typed; cut++) {
                uint8_t in[64], out[64], *space;
                const uint8_t *data;
                struct forward f;
                char commands[8] = "", *command = commands;
                forward_init(&f, &(struct forward_options){ .input = in,
                                                            .output = out,
                                                            .input_size = sizeof in,
                                                            .output_size = sizeof out,
                                                            .escape_key = ESCAPE_KEY_DEFAULT });
                for (size_t at = 0, n; at < sizeof typed - 1; at += n) {
                        n = sizeof typed - 1 - at < cut ? sizeof typed - 1 - at : cut;
                        assert_true(forward_input_space(&f, 1, &space) >= n);
                        memcpy(space, typed + at, n);
                        if (forward_input_added(&f, n, 1) & FORWARD_ESCAPE_COMMAND)
                                *command++ = f.command;
                }
                assert_int_equal(forward_input_pending(&f, &data), sizeof taken - 1);
                assert_memory_equal(data, taken, sizeof taken - 1);
                if (cut == 1)
                        assert_string_equal(commands, "?p.");
        }
}

/* A terminal's input is read on after a stall: the first bytes stay, the escape key is seen, the loss is told once. */
static void test_stalled_typeahead(void **state) {
        struct forward f = make(8192, true, false);
        char paste[8192];
        unsigned events = 0;
        const uint8_t *pending;

        (void) state;
        memset(paste, 'p', sizeof paste);
        assert_int_equal(put_input(&f, paste, sizeof paste, 100, &events), sizeof paste);
        assert_int_equal(forward_input_deadline(&f), 100 + FORWARD_STALL_USEC);
        assert_int_equal(put_input(&f, "x", 1, 200, &events), 0);
        assert_false(forward_input_wanted(&f, 200));
        assert_true(forward_input_wanted(&f, 100 + FORWARD_STALL_USEC));
        assert_int_equal(put_input(&f, "x\x1D\x1D\x1D", 4, 100 + FORWARD_STALL_USEC, &events), 4);
        assert_int_equal(events, FORWARD_INPUT_LOST | FORWARD_ESCAPE_KILL);
        assert_int_equal(f.lost_input, 4096);
        assert_int_equal(forward_input_pending(&f, &pending), 4100);
        unmake(&f);
}

static void test_keep_last(void **state) {
        struct forward f = make(65536, false, true);
        static uint8_t in[300000], out[65536];
        size_t got = 0, n;

        (void) state;
        for (size_t i = 0; i < sizeof in; i++)
                in[i] = (uint8_t) (i * 7 + i / 251);
        for (size_t at = 0; at < sizeof in;)
                at += put_output(&f, in + at, sizeof in - at < 4095 ? sizeof in - at : 4095);
        assert_true(f.output.used > sizeof out - 4096 - 1);
        while ((n = get_output(&f, out + got, sizeof out)) > 0)
                got += n;
        assert_memory_equal(out, in + sizeof in - got, got);
        assert_int_equal(f.lost_output + got, sizeof in);
        unmake(&f);
}

static void test_output_gone(void **state) {
        struct forward f = make(64, false, false);

        (void) state;
        put_output(&f, "0123456789", 10);
        forward_output_gone(&f);
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(put_output(&f, "0123456789", 10), 10);
        assert_int_equal(f.lost_output, 1010);
        unmake(&f);
}

static void test_line_start(void **state) {
        static const struct {
                const char *shown;
                bool start;
        } cases[] = {
                { "", true },
                { "x", false },
                { "x\r\n", true },
                { "x\r", false },
                { "exit\r\n\x1B[?2004l\r", true },
                { "done\n\x1B]0;title\x07", true },
                { "done\n\x1B]0;title\x1B\\", true },
                { "done\n\x1B[0m$ ", false },
                { "\x1B[H\x1B[2J", true },
                { "\n\x1B(B\x1B[m", true },
                { "\xC3\x9F", false },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct forward f = make(1024, false, false);
                char sink[64];
                put_output(&f, cases[i].shown, strlen(cases[i].shown));
                while (get_output(&f, sink, 1 + i % 7) > 0)
                        ;
                if (forward_at_line_start(&f) != cases[i].start)
                        fail_msg("case %zu", i);
                unmake(&f);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_bytes_are_kept),
                cmocka_unit_test(test_full_means_do_not_read),
                cmocka_unit_test(test_stalled_typeahead),
                cmocka_unit_test(test_keep_last),
                cmocka_unit_test(test_output_gone),
                cmocka_unit_test(test_line_start),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
