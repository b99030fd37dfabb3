/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring of recent output: what is kept, and where a replay may begin. */
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "console/ring.h"
#include "unit.h"

static void put(struct ring *r, const char *text) {
        ring_write(r, (const uint8_t *) text, strlen(text));
}

static void reads_back_what_was_written(void **state) {
        uint8_t memory[4096], expected[10000];
        const uint8_t *data;
        struct ring r;

        (void) state;
        ring_init(&r, memory, sizeof memory);
        for (size_t i = 0; i < sizeof expected; i++)
                expected[i] = (uint8_t) ('a' + i * 7 % 26);
        for (size_t at = 0, n = 1; at < sizeof expected; at += n, n = n * 5 % 997 + 1) {
                if (n > sizeof expected - at)
                        n = sizeof expected - at;
                ring_write(&r, expected + at, n);
                for (uint64_t p = ring_begin(&r); p < r.written; p += n) {
                        size_t got = ring_read(&r, p, &data);
                        assert_in_range(got, 1, sizeof memory);
                        assert_memory_equal(data, expected + p, got);
                }
        }
        assert_int_equal(ring_begin(&r), sizeof expected - sizeof memory);
        ring_write(&r, expected, sizeof expected); /* more than fits at once */
        assert_int_equal(r.written, 2 * sizeof expected);
        ring_read(&r, ring_begin(&r), &data);
        assert_int_equal(data[0], expected[sizeof expected - sizeof memory]);
}

/* What follows PREFIX, which ends in its middle, is no place to begin; behind SUFFIX, which completes it, is one. */
static const struct {
        const char *prefix, *suffix;
} sequences[] = {
        { "\xC3", "\xA4" },
        { "\xE2\x82", "\xAC" },
        { "\xF0\x9F\x98", "\x80" },
        { "\033", "c" },
        { "\033[", "m" },
        { "\033[38;5;1", "m" },
        { "\033(", "B" },
        { "\033]0;title", "\a" },
        { "\033]8;;http://x", "\033\\" },
        { "\033Pq#0;2", "\033\\" },
        { "\033_data\033", "\\" },
        { "\033]cut", "\030" },
        { "\033[12", "\032" },
        { "\033[1\033[", "K" },
};

static void begins_between_sequences_only(void **state) {
        (void) state;
        for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
                uint8_t memory[4096];
                struct ring r;

                ring_init(&r, memory, sizeof memory);
                put(&r, sequences[i].prefix);
                uint64_t within = r.written;
                assert_int_equal(ring_safe(&r, 0), 0);
                /* Long enough that a mark is due at every place that is safe. */
                r.next_mark = 0;
                put(&r, sequences[i].suffix);
                assert_int_equal(ring_safe(&r, within), r.written);
                uint64_t after = r.written;
                put(&r, "x");
                assert_int_equal(ring_safe(&r, within), after);
        }
}

/* From every beginning that is offered, the rest must parse as it does from the start of all: checked with a second
 * ring that is fed from there. */
static void any_stream_replays_as_itself(void **state) {
        static const char *const pieces[] = { "plain text\r\n", "\033[1;31mred", "\xE2\x82\xAC",
                                              "\033]0;t\a",     "\033Pxx\033\\", "\xFF\xFE",
                                              "\xC3",           "\033[",         "\033" };
        uint8_t *memory = malloc(4096), *other = malloc(65536);
        struct ring r;

        (void) state;
        srand(7);
        ring_init(&r, memory, 4096);
        for (int i = 0; i < 20000; i++) {
                put(&r, pieces[(size_t) rand() % (sizeof pieces / sizeof pieces[0])]);
                if (i % 50)
                        continue;
                uint64_t from = ring_safe(&r, ring_begin(&r) + (uint64_t) rand() % 2000);
                struct ring again;
                ring_init(&again, other, 65536);
                const uint8_t *data;
                for (size_t n; from < r.written && (n = ring_read(&r, from, &data)) > 0; from += n)
                        ring_write(&again, data, n);
                assert_int_equal(again.written > 0 ? again.state : r.state, r.state);
                assert_int_equal(again.written > 0 && again.state == RING_UTF8 ? again.left : r.left, r.left);
        }
        free(memory);
        free(other);
}

static void an_endless_string_hides_itself_only(void **state) {
        uint8_t memory[4096];
        struct ring r;

        (void) state;
        ring_init(&r, memory, sizeof memory);
        put(&r, "before\033]0;");
        for (int i = 0; i < 3000; i++)
                put(&r, "no end ");
        assert_int_equal(ring_safe(&r, ring_begin(&r)), r.written);
        put(&r, "\a");
        put(&r, "after");
        assert_int_equal(r.written - ring_safe(&r, ring_begin(&r)), 5);
}

/* Text is passed over in words where it comes in one piece, so the places must be those of single bytes. */
static void cuts_do_not_matter(void **state) {
        static const char *const pieces[] = { "plain text",          "\r\n",     "\033[1m",  "\303\244",
                                              "a longer line of it", "\033]0;t", "\a",       "\342\202",
                                              "\x7f\x1a\x1c",        "\200",     "12345678", "1234567" };
        static uint8_t memory[2][RING_SIZE_MIN], stream[60000];
        struct ring whole, bytewise;
        size_t size = 0;

        (void) state;
        srandom(7);
        while (size < sizeof stream - 64) {
                const char *piece = pieces[(size_t) random() % ELEMENTSOF(pieces)];
                memcpy(stream + size, piece, strlen(piece));
                size += strlen(piece);
        }
        ring_init(&whole, memory[0], RING_SIZE_MIN);
        ring_init(&bytewise, memory[1], RING_SIZE_MIN);
        ring_write(&whole, stream, size);
        for (size_t i = 0; i < size; i++)
                ring_write(&bytewise, stream + i, 1);
        assert_int_equal(whole.state, bytewise.state);
        assert_true(whole.mark_count > 2 * RING_MARKS && whole.mark_count == bytewise.mark_count);
        assert_memory_equal(whole.marks, bytewise.marks, sizeof whole.marks);
        assert_memory_equal(memory[0], memory[1], RING_SIZE_MIN);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_back_what_was_written),  cmocka_unit_test(begins_between_sequences_only),
                cmocka_unit_test(any_stream_replays_as_itself), cmocka_unit_test(an_endless_string_hides_itself_only),
                cmocka_unit_test(cuts_do_not_matter),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
