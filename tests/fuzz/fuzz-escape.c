/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The escape key is found where a search that remembers every byte and its time finds it, however the input is cut. */
#include "console/escape.h"

#include "fuzz.h"

enum { BYTES_MAX = 512 };

/* All that was typed since the last hit. */
struct memory {
        uint8_t bytes[BYTES_MAX];
        uint64_t times[BYTES_MAX];
        size_t used;
};

/* The last presses in a row that are in one window, counted as the header says: from the first one on. */
static unsigned presses_at_end(const struct memory *m, uint8_t key) {
        unsigned count = 0;
        uint64_t first = 0;

        for (size_t i = 0; i < m->used; i++) {
                if (m->bytes[i] != key)
                        count = 0;
                else if (count == 0 || m->times[i] - first > ESCAPE_WINDOW_USEC) {
                        count = 1;
                        first = m->times[i];
                } else
                        count++;
        }
        return count > 0 ? count : 0;
}

static enum escape_hit expect(struct memory *m, uint8_t byte, uint64_t now, uint8_t key) {
        unsigned before = presses_at_end(m, key);
        uint64_t first = before == 2 ? m->times[m->used - 2] : 0;
        bool letter = (byte >= 'a' && byte <= 'z') || byte == '?' || byte == '.';

        m->bytes[m->used] = byte;
        m->times[m->used++] = now;
        if (presses_at_end(m, key) == 3) {
                m->used = 0;
                return ESCAPE_KILL;
        }
        if (byte != key && letter && before == 2 && now - first <= ESCAPE_WINDOW_USEC) {
                m->used = 0;
                return ESCAPE_COMMAND;
        }
        return ESCAPE_NOTHING;
}

static void check_names(struct source in) {
        char *text = take_text(&in), name[ESCAPE_NAME_SIZE];
        int key, again;

        if (escape_parse(text, &key) == 0) {
                MUST(key == ESCAPE_KEY_NONE || (key >= 0 && key < 0x20));
                MUST(escape_parse(escape_name(key, name), &again) == 0 && again == key);
        }
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        static struct memory memory;
        uint8_t key = take_byte(&in) % 0x20;
        struct escape escape = { .key = key };
        uint64_t now = 1;

        check_names(in);
        memory.used = 0;
        while (in.size > 0 && memory.used < BYTES_MAX - 256) {
                now += (uint64_t) take_byte(&in) * 10000; /* up to two and a half windows */
                const uint8_t *piece;
                size_t left = take_bytes(&in, take_byte(&in), &piece);
                while (left > 0) {
                        size_t seen = 0, at = 0;
                        char letter = 0;
                        enum escape_hit hit = escape_scan(&escape, piece, left, now, &seen, &letter);
                        enum escape_hit expected = ESCAPE_NOTHING;
                        while (at < left && expected == ESCAPE_NOTHING)
                                expected = expect(&memory, piece[at++], now, key);
                        MUST(seen == at && hit == expected);
                        if (hit == ESCAPE_COMMAND)
                                MUST((uint8_t) letter == piece[at - 1]);
                        piece += at;
                        left -= at;
                }
        }
        return 0;
}
