/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/plain.h"

struct sink {
        uint8_t *to;
        size_t used;
};

static void put(struct sink *s, uint8_t byte) {
        s->to[s->used++] = byte;
}

/* Bytes of the character that begins with BYTE; 0: none does (RFC 3629: no overlong forms, nothing above U+10FFFF). */
static unsigned length_of(uint8_t byte) {
        if (byte >= 0xc2 && byte <= 0xdf)
                return 2;
        if (byte >= 0xe0 && byte <= 0xef)
                return 3;
        return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/* May the bytes of *P be a character's? Only the second one has rules of its own. */
static bool can_be_character(const struct plain *p) {
        uint8_t first = p->sequence[0], second = p->sequence[1];

        if ((p->sequence[p->have - 1] & 0xc0) != 0x80)
                return false;
        if (p->have != 2)
                return true;
        return !(first == 0xe0 && second < 0xa0) && !(first == 0xed && second > 0x9f) &&
               !(first == 0xf0 && second < 0x90) && !(first == 0xf4 && second > 0x8f);
}

/* U+0080 to U+009F are control characters too. */
static void finish_character(struct plain *p, struct sink *s) {
        bool control = p->have == 2 && p->sequence[0] == 0xc2 && p->sequence[1] < 0xa0;

        for (unsigned i = 0; i < p->have && !control; i++)
                put(s, p->sequence[i]);
        p->have = p->wanted = 0;
}

static void text(struct plain *p, uint8_t byte, struct sink *s);

/* A byte within a character of several. One that cannot be is looked at again as a first one. */
static void continue_character(struct plain *p, uint8_t byte, struct sink *s) {
        p->sequence[p->have++] = byte;
        if (!can_be_character(p)) {
                p->have = p->wanted = 0;
                put(s, '?');
                text(p, byte, s);
        } else if (p->have == p->wanted)
                finish_character(p, s);
}

static void text(struct plain *p, uint8_t byte, struct sink *s) {
        if (p->have > 0) {
                continue_character(p, byte, s);
                return;
        }
        if (byte == '\r') {
                p->returned = true;
                return;
        }
        if (byte == 0x1b) {
                p->state = PLAIN_ESCAPE;
                return;
        }
        if (p->returned && byte != '\n' && (byte >= 0x20 || byte == '\t'))
                put(s, '\n');
        if (byte == '\n' || byte == '\t' || byte >= 0x20)
                p->returned = false;
        if (byte >= 0x80) {
                p->wanted = length_of(byte);
                if (p->wanted > 0)
                        p->sequence[p->have++] = byte;
                else
                        put(s, '?');
        } else if ((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t')
                put(s, byte);
}

/* After ESC: the byte says what kind of sequence it is (ECMA-48, 5.3 to 5.6). */
static enum plain_state after_escape(uint8_t byte) {
        if (byte == '[')
                return PLAIN_CONTROL;
        if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
                return PLAIN_STRING;
        if (byte == 0x1b)
                return PLAIN_ESCAPE;
        return byte >= 0x20 && byte <= 0x2f ? PLAIN_INTERMEDIATE : PLAIN_TEXT;
}

/* CAN, SUB and a new line end whatever is open: a sequence that is never finished swallows one line and no more. */
static bool aborts(uint8_t byte) {
        return byte == 0x18 || byte == 0x1a || byte == '\n';
}

static void step(struct plain *p, uint8_t byte, struct sink *s) {
        if (p->state != PLAIN_TEXT && aborts(byte)) {
                p->state = PLAIN_TEXT;
                if (byte == '\n')
                        text(p, byte, s);
                return;
        }
        switch (p->state) {
        case PLAIN_TEXT:
                text(p, byte, s);
                break;
        case PLAIN_ESCAPE:
                p->state = after_escape(byte);
                break;
        case PLAIN_INTERMEDIATE:
                p->state = byte >= 0x20 && byte <= 0x2f ? PLAIN_INTERMEDIATE : PLAIN_TEXT;
                break;
        case PLAIN_CONTROL:
                if (byte >= 0x40 && byte <= 0x7e)
                        p->state = PLAIN_TEXT;
                else if (byte == 0x1b)
                        p->state = PLAIN_ESCAPE;
                break;
        case PLAIN_STRING:
                if (byte == 0x07)
                        p->state = PLAIN_TEXT;
                else if (byte == 0x1b)
                        p->state = PLAIN_STRING_END;
                break;
        case PLAIN_STRING_END:
                p->state = byte == '\\' ? PLAIN_TEXT : after_escape(byte);
                break;
        }
}

size_t plain_filter(struct plain *p, const uint8_t *from, size_t size, uint8_t *to) {
        struct sink s = { .to = to };

        for (size_t i = 0; i < size; i++)
                step(p, from[i], &s);
        return s.used;
}
