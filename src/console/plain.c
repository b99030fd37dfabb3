/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/plain.h"

struct sink {
        uint8_t *to;
        size_t used;
};

static void put(struct sink *s, uint8_t byte) {
        s->to[s->used++] = byte;
}

/* U+0080 to U+009F are control characters too. */
static void put_character(const struct utf8 *u, struct sink *s) {
        bool control = u->have == 2 && u->bytes[0] == 0xc2 && u->bytes[1] < 0xa0;

        for (unsigned i = 0; i < u->have && !control; i++)
                put(s, u->bytes[i]);
}

/* A byte of a character that is not ASCII. Returns whether it was taken; if not, it begins something new. */
static bool wide(struct plain *p, uint8_t byte, struct sink *s) {
        enum utf8_step step = utf8_step(&p->character, byte);

        if (step == UTF8_WHOLE)
                put_character(&p->character, s);
        else if (step != UTF8_MORE)
                put(s, '?');
        return step != UTF8_BROKEN;
}

static void text(struct plain *p, uint8_t byte, struct sink *s) {
        if (utf8_open(&p->character) && wide(p, byte, s))
                return;
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
        if (byte >= 0x80)
                (void) wide(p, byte, s);
        else if ((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t')
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
