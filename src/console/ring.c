/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/ring.h"

#include <string.h>

#define BELL 0x07
#define CANCEL 0x18
#define SUBSTITUTE 0x1A
#define ESCAPE 0x1B

void ring_init(struct ring *r, uint8_t *data, size_t size) {
        *r = (struct ring){ .data = data, .size = size };
}

static enum ring_state begin_character(struct ring *r, uint8_t byte) {
        if (byte == ESCAPE)
                return RING_ESCAPE;
        r->left = byte >= 0xF0 && byte <= 0xF4   ? 3
                  : byte >= 0xE0 && byte <= 0xEF ? 2
                  : byte >= 0xC2 && byte <= 0xDF ? 1
                                                 : 0;
        return r->left > 0 ? RING_UTF8 : RING_GROUND;
}

static enum ring_state after_escape(struct ring *r, uint8_t byte) {
        if (byte == '[')
                return RING_CONTROL;
        if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
                return RING_STRING;
        if (byte == ESCAPE || (byte >= 0x20 && byte <= 0x2F)) /* intermediate bytes, ECMA-35 */
                return RING_ESCAPE;
        return byte >= 0x80 ? begin_character(r, byte) : RING_GROUND;
}

static enum ring_state step(struct ring *r, uint8_t byte) {
        switch (r->state) {
        case RING_UTF8:
                if (byte >= 0x80 && byte <= 0xBF)
                        return --r->left > 0 ? RING_UTF8 : RING_GROUND;
                return begin_character(r, byte);
        case RING_ESCAPE:
                return after_escape(r, byte);
        case RING_CONTROL:
                if (byte == ESCAPE)
                        return RING_ESCAPE;
                return byte == CANCEL || byte == SUBSTITUTE || (byte >= 0x40 && byte <= 0x7E) ? RING_GROUND
                                                                                              : RING_CONTROL;
        case RING_STRING:
                if (byte == ESCAPE)
                        return RING_STRING_ESCAPE;
                return byte == BELL || byte == CANCEL || byte == SUBSTITUTE ? RING_GROUND : RING_STRING;
        case RING_STRING_ESCAPE:
                return byte == '\\' ? RING_GROUND : after_escape(r, byte);
        case RING_GROUND:
                break;
        }
        return begin_character(r, byte);
}

static void mark(struct ring *r, uint64_t position) {
        r->marks[r->mark_count++ % RING_MARKS] = position;
        r->next_mark = position + r->size / RING_MARKS + 1;
}

/* How many bytes DATA begins with that are whole characters and begin nothing: neither ESC nor 0x80 and above. Most of
 * what passes is text, so eight are looked at in one go: of a word that has none of 0x80 and above, a byte that is 0
 * is the lowest whose highest bit is set when 1 is taken from each. */
static size_t text_at(const uint8_t *data, size_t size) {
        const uint64_t ones = UINT64_C(0x0101010101010101);
        size_t i = 0;

        for (uint64_t word; i + sizeof word <= size; i += sizeof word) {
                memcpy(&word, data + i, sizeof word);
                if ((word | ((word ^ ones * ESCAPE) - ones)) & ones << 7)
                        break;
        }
        while (i < size && data[i] < 0x80 && data[i] != ESCAPE)
                i++;
        return i;
}

static void follow(struct ring *r, const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size; i++) {
                if (r->state == RING_GROUND) {
                        uint64_t from = r->written + i;
                        i += text_at(data + i, size - i);
                        uint64_t to = r->written + i + (i < size); /* what ends the text may be begun with too */
                        for (uint64_t at = from > r->next_mark ? from : r->next_mark; at < to; at = r->next_mark)
                                mark(r, at);
                }
                if (i < size)
                        r->state = step(r, data[i]);
        }
}

void ring_write(struct ring *r, const uint8_t *data, size_t size) {
        follow(r, data, size);
        if (r->size == 0) {
                r->written += size;
                return;
        }
        while (size > 0) {
                size_t at = (size_t) (r->written % r->size), piece = r->size - at;

                if (piece > size)
                        piece = size;
                memcpy(r->data + at, data, piece);
                r->written += piece;
                data += piece;
                size -= piece;
        }
}

uint64_t ring_begin(const struct ring *r) {
        return r->written > r->size ? r->written - r->size : 0;
}

uint64_t ring_safe(const struct ring *r, uint64_t from) {
        uint64_t first = r->mark_count > RING_MARKS ? r->mark_count - RING_MARKS : 0;

        if (from < ring_begin(r))
                from = ring_begin(r);
        for (uint64_t i = first; i < r->mark_count; i++)
                if (r->marks[i % RING_MARKS] >= from)
                        return r->marks[i % RING_MARKS];
        return r->written;
}

size_t ring_read(const struct ring *r, uint64_t position, const uint8_t **ret) {
        size_t at = (size_t) (position % r->size), left = (size_t) (r->written - position);

        *ret = r->data + at;
        return r->size - at < left ? r->size - at : left;
}
