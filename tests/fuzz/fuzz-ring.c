/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader gets the bytes that were written, in order, and never goes back; a replay begins between two characters and
 * two control sequences, and where it does is no matter of how the bytes came. */
#include "console/ring.h"

#include "console/utf8.h"
#include "fuzz.h"

enum { LIMIT = 1 << 16 };

/* Is POSITION between characters, by the strict reader of UTF-8? The ring's own is generous, which only delays it. */
static bool between_characters(const uint8_t *data, uint64_t position) {
        struct utf8 u = { 0 };

        for (uint64_t i = 0; i < position;)
                i += utf8_step(&u, data[i]) != UTF8_BROKEN;
        return !utf8_open(&u);
}

static void check_safe(const struct ring *r, const uint8_t *data, uint64_t from) {
        static uint8_t memory[RING_SIZE_MIN];
        uint64_t safe = ring_safe(r, from);
        struct ring fresh;

        MUST(safe >= ring_begin(r) && safe <= r->written && (safe >= from || safe == r->written));
        if (safe == r->written)
                return;
        MUST(between_characters(data, safe));
        ring_init(&fresh, memory, sizeof memory);
        for (uint64_t i = 0; i < safe; i++)
                ring_write(&fresh, data + i, 1);
        MUST(fresh.state == RING_GROUND);
}

static uint64_t read_on(const struct ring *r, const uint8_t *data, uint64_t position, size_t most) {
        const uint8_t *bytes;

        if (position < ring_begin(r))
                position = ring_safe(r, ring_begin(r));
        if (r->size == 0)
                return r->written;
        size_t n = ring_read(r, position, &bytes);
        MUST(n <= r->size && n <= r->written - position && (n > 0) == (position < r->written));
        MUST(memcmp(bytes, data + position, n) == 0);
        return position + (n < most ? n : most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        struct cuts cuts = take_cuts(&in);
        size_t ring_size = take_number(&in, 1200);
        uint8_t *memory = exact(ring_size);
        uint64_t position = 0;
        struct ring r, bytewise;

        if (size > LIMIT)
                return -1;
        ring_init(&r, memory, ring_size);
        ring_init(&bytewise, NULL, 0);
        bytewise.next_mark = UINT64_MAX; /* it only follows the stream */
        for (size_t at = 0, piece; at < in.size; at += piece) {
                piece = next_cut(&cuts, in.size - at);
                ring_write(&r, in.data + at, piece);
                MUST(r.written == at + piece);
                MUST(ring_begin(&r) == (r.written > ring_size ? r.written - ring_size : 0));
                for (size_t i = 0; i < piece; i++)
                        ring_write(&bytewise, in.data + at + i, 1);
                MUST(r.state == bytewise.state);
                uint64_t next = read_on(&r, in.data, position, piece / 2 + 1);
                MUST(next >= position);
                position = next;
                MUST(ring_safe(&r, position) <= ring_safe(&r, position + 1) || position == r.written);
        }
        check_safe(&r, in.data, 0);
        check_safe(&r, in.data, position);
        free(memory);
        return 0;
}
