/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/modes.h"

#include <stdio.h>
#include <string.h>

#include "basic/fd.h"

#define CAN 0x18 /* ends whatever sequence is open (ECMA-48, 8.3.6) */

/* DEC's private modes and those of xterm (ctlseqs), in the order in which they are undone. */
static const struct {
        unsigned number;
        bool at_first;
} table[] = {
        { 2026, false }, /* output held back until it is whole */
        { 9, false },    /* the mouse: X10, */
        { 1000, false }, /* clicks, */
        { 1001, false }, /* highlighting, */
        { 1002, false }, /* dragging, */
        { 1003, false }, /* all motion; */
        { 1005, false }, /* how it is encoded: UTF-8, */
        { 1006, false }, /* SGR, */
        { 1015, false }, /* urxvt, */
        { 1016, false }, /* pixels */
        { 1004, false }, /* getting and losing the focus is told */
        { 2004, false }, /* bracketed paste */
        { 1, false },    /* cursor keys */
        { 66, false },   /* keypad */
        { 5, false },    /* reverse video */
        { 6, false },    /* positions count from the margins */
        { 69, false },   /* left and right margins */
        { 7, true },     /* a line that is too long is wrapped */
        { 25, true },    /* the cursor is shown */
};
_Static_assert(ELEMENTSOF(table) <= 32, "a bit for each row");

static bool is_alternate(unsigned number) {
        return number == 47 || number == 1047 || number == 1049;
}

static void set_private(struct modes *m, unsigned number, bool on) {
        if (is_alternate(number))
                m->alternate = !on ? 0 : m->alternate ? m->alternate : number;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].number == number)
                        m->changed = on == table[i].at_first ? m->changed & ~(1U << i) : m->changed | 1U << i;
}

/* CSI … h and CSI … l: set and reset mode. */
static void finish_control(struct modes *m, uint8_t final) {
        m->state = MODES_GROUND;
        if (m->other || (final != 'h' && final != 'l'))
                return;
        if (m->count < ELEMENTSOF(m->numbers))
                m->numbers[m->count++] = m->number;
        for (unsigned i = 0; i < m->count; i++) {
                if (m->prefix == '?')
                        set_private(m, m->numbers[i], final == 'h');
                else if (m->prefix == 0 && m->numbers[i] == 4)
                        m->insert = final == 'h';
        }
}

static void control(struct modes *m, uint8_t byte) {
        if (byte >= '0' && byte <= '9') {
                if (m->number < 100000)
                        m->number = m->number * 10 + (unsigned) (byte - '0');
        } else if (byte == ';') {
                if (m->count < ELEMENTSOF(m->numbers))
                        m->numbers[m->count++] = m->number;
                m->number = 0;
        } else if (byte >= '<' && byte <= '?')
                m->prefix = (char) byte;
        else if (byte >= 0x40 && byte <= 0x7e)
                finish_control(m, byte);
        else if (byte >= 0x20 && byte != 0x7f) /* C0 controls are carried out and are no part of it */
                m->other = true;
}

static void begin_control(struct modes *m) {
        m->state = MODES_CONTROL;
        m->prefix = 0;
        m->other = false;
        m->number = m->count = 0;
}

static void escape(struct modes *m, uint8_t byte) {
        if (byte < 0x20 || byte == 0x7f)
                return;
        m->state = MODES_GROUND;
        if (byte == '[')
                begin_control(m);
        else if (memchr("]PX^_", byte, 5))
                m->state = MODES_STRING;
        else if (byte == '=' || byte == '>')
                m->keypad = byte == '=';
        else if (byte == 'c') /* RIS: all is as at first */
                *m = (struct modes){ 0 };
}

static void step(struct modes *m, uint8_t byte) {
        if (byte == 0x1b)
                m->state = MODES_ESCAPE;
        else if (byte == CAN || byte == 0x1a)
                m->state = MODES_GROUND;
        else if (m->state == MODES_ESCAPE)
                escape(m, byte);
        else if (m->state == MODES_CONTROL)
                control(m, byte);
        else if (m->state == MODES_STRING && byte == 0x07)
                m->state = MODES_GROUND;
}

void modes_see(struct modes *m, const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size;) {
                if (m->state == MODES_GROUND) { /* most of what passes is text */
                        const uint8_t *next = memchr(data + i, 0x1b, size - i);
                        if (!next)
                                return;
                        i = (size_t) (next - data);
                }
                step(m, data[i++]);
        }
}

size_t modes_undo(const struct modes *m, uint8_t ret[static MODES_UNDO_MAX]) {
        char *text = (char *) ret;
        size_t n = 0;

        if (m->state != MODES_GROUND)
                text[n++] = CAN;
        if (m->insert)
                n += (size_t) snprintf(text + n, MODES_UNDO_MAX - n, "\033[4l");
        if (m->keypad)
                n += (size_t) snprintf(text + n, MODES_UNDO_MAX - n, "\033>");
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (m->changed & 1U << i)
                        n += (size_t) snprintf(text + n, MODES_UNDO_MAX - n, "\033[?%u%c", table[i].number,
                                               table[i].at_first ? 'h' : 'l');
        if (m->alternate) /* not by another number: only 1049 puts the cursor back */
                n += (size_t) snprintf(text + n, MODES_UNDO_MAX - n, "\033[?%ul", m->alternate);
        return n;
}
