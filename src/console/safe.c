/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why nothing can slip through: a sequence is put out whole or not at all, so the terminal is between two sequences
 * whenever something was dropped, and the two ends of a gap never make a new one. Each ESC and each C1 control,
 * wherever it stands, is looked at as a beginning. */
#include "console/safe.h"

#include <limits.h>
#include <string.h>

#include "basic/fd.h"

enum { BEL = 0x07, ENQ = 0x05, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f };

/* CSI … FINAL, with INTERMEDIATE before it (0: none, or any, which rxvt passes over) and a first parameter in the
 * range. Most of xterm's ctlseqs. Not here: CSI 6 n (where the cursor is), CSI c (what the terminal is), modes and
 * sizes: programs need them, and the answers are numbers that the payload cannot choose. */
static const struct {
        char final, intermediate;
        unsigned first, last;
} controls[] = {
        { 't', 0, 20, 21 },        /* says the title of the icon and of the window */
        { 'y', '*', 0, UINT_MAX }, /* DECRQCRA: a checksum of any part of the screen, a single character too */
        { 'w', '$', 0, UINT_MAX }, /* DECRQPSR: the cursor's state as a string */
        { 'u', '$', 0, UINT_MAX }, /* DECRQTSR: the terminal's state as a string */
        { 'u', '&', 0, UINT_MAX }, /* DECRQUPSS: the user's character set as a string */
        { 'i', 0, 0, UINT_MAX },   /* MC: prints, by whatever command the terminal prints with */
};

/* OSC FIRST to LAST. Those that only say something when asked pass if they do not ask. */
static const struct {
        unsigned first, last;
        bool asks_only;
} commands[] = {
        { 3, 3, false },       /* properties of the X window */
        { 4, 5, true },        /* colours */
        { 10, 19, true },      /* more of them */
        { 20, 20, false },     /* rxvt: shows any file as the background */
        { 21, 22, true },      /* kitty: colours; the pointer's shape */
        { 39, 39, true },      /* rxvt: colours */
        { 49, 50, true },      /* rxvt: colours; the font */
        { 51, 51, false },     /* calls functions of Emacs and Vim when these are the terminal */
        { 52, 52, false },     /* the clipboard */
        { 60, 62, false },     /* what the terminal allows */
        { 701, 720, true },    /* rxvt: locale, version, fonts, colours */
        { 1337, 1337, false }, /* iTerm2: files, clipboard, reports */
        { 5113, 5113, false }, /* kitty: files */
        { 5522, 5522, false }, /* kitty: the clipboard */
};

struct sink {
        uint8_t *to;
        size_t used;
};

static void put(struct sink *out, const uint8_t *data, size_t size) {
        memmove(out->to + out->used, data, size);
        out->used += size;
}

static void ground(struct safe *s) {
        s->state = SAFE_GROUND;
        s->used = s->introducer = 0;
        s->too_long = false;
        s->character = (struct utf8){ 0 };
}

static void hold(struct safe *s, uint8_t byte) {
        if (byte == ENQ) /* it would be carried out in the middle of a sequence */
                return;
        if (s->used < sizeof s->held)
                s->held[s->used++] = byte;
        else
                s->too_long = true;
}

/* The sequence is whole: it passes, unless DROP. */
static void finish(struct safe *s, bool drop, struct sink *out) {
        if (!drop && !s->too_long)
                put(out, s->held, s->used);
        ground(s);
}

static void drop_string(struct safe *s, bool is_osc) {
        bool single = s->by_single_byte;

        ground(s);
        s->state = SAFE_DROPPED;
        s->is_osc = is_osc;
        s->by_single_byte = single;
}

/* ---- what a sequence asks for ---- */

static bool is_digit(uint8_t byte) {
        return byte >= '0' && byte <= '9';
}

/* C0 controls and DEL within a sequence are no part of it. */
static bool is_skipped(uint8_t byte) {
        return byte < 0x20 || byte == DEL;
}

static unsigned add_digit(unsigned number, uint8_t byte) {
        return number > (UINT_MAX - 9) / 10 ? UINT_MAX : number * 10 + (unsigned) (byte - '0');
}

/* Does any row hold the sequence? Rows without an intermediate byte hold it with one too. */
static bool is_listed(uint8_t final, uint8_t intermediate, unsigned number) {
        for (size_t i = 0; i < ELEMENTSOF(controls); i++) {
                uint8_t wanted = (uint8_t) controls[i].intermediate;
                if (final == (uint8_t) controls[i].final && (!wanted || intermediate == wanted) &&
                    number >= controls[i].first && number <= controls[i].last)
                        return true;
        }
        return false;
}

/* A held CSI; its final byte is the last one. rxvt passes over all but digits and semicolons: 2:1 is 21 there. */
static bool drops_control(const struct safe *s) {
        uint8_t final = s->held[s->used - 1], intermediate = 0;
        unsigned number = 0, joined = 0;
        bool in_number = true, in_first = true;

        for (size_t i = s->introducer; i + 1 < s->used; i++) {
                uint8_t byte = s->held[i];
                in_first &= byte != ';';
                in_number &= byte != ';' && byte != ':';
                if (is_digit(byte) && in_number)
                        number = add_digit(number, byte);
                if (is_digit(byte) && in_first)
                        joined = add_digit(joined, byte);
                if (byte >= 0x20 && byte <= 0x2f)
                        intermediate = byte;
        }
        return is_listed(final, intermediate, number) || is_listed(final, intermediate, joined);
}

/* ESC % @ and the like lead out of UTF-8, and then bytes within what we take for characters are controls. ESC % G
 * leads back. */
static bool drops_escape(const struct safe *s) {
        return memchr(s->held, '%', s->used) && s->held[s->used - 1] != 'G';
}

enum verdict { PASSES, PASSES_UNLESS_IT_ASKS, DROPS };

/* A held OSC, as far as its number. */
static enum verdict judge_command(const struct safe *s) {
        unsigned number = 0;

        for (size_t i = s->introducer; i < s->used; i++) {
                if (is_digit(s->held[i]))
                        number = add_digit(number, s->held[i]);
                else if (!is_skipped(s->held[i]))
                        return DROPS; /* some read a number there all the same */
        }
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (number >= commands[i].first && number <= commands[i].last)
                        return commands[i].asks_only ? PASSES_UNLESS_IT_ASKS : DROPS;
        return PASSES;
}

/* The end of an OSC of which all is held. */
static void finish_command(struct safe *s, struct sink *out) {
        finish(s, memchr(s->held, '?', s->used) != NULL, out);
}

/* ---- the states ---- */

/* The byte after ESC, or what the C1 control is short for, says what kind of sequence it is (ECMA-48, 5.3 to 5.6). */
static bool introduce(struct safe *s, uint8_t byte) {
        s->introducer = s->used;
        if (byte == '[')
                s->state = SAFE_CONTROL;
        else if (byte == ']')
                s->state = SAFE_OSC_NUMBER;
        else if (byte == 'P' || byte == 'X' || byte == '^' || byte == '_') /* DCS, SOS, PM, APC */
                drop_string(s, false);
        else
                return false;
        return true;
}

static void begin_escape(struct safe *s) {
        ground(s);
        s->by_single_byte = false;
        s->state = SAFE_ESCAPE;
        hold(s, ESC);
}

/* 0x80 to 0x9f, as a single byte or as a character of two, are ESC and the byte less 0x40. */
static void control_c1(struct safe *s, const uint8_t *bytes, size_t size, struct sink *out) {
        ground(s);
        for (size_t i = 0; i < size; i++)
                hold(s, bytes[i]);
        s->by_single_byte = size == 1;
        if (!introduce(s, bytes[size - 1] - 0x40))
                finish(s, false, out);
}

static void in_ground(struct safe *s, uint8_t byte, struct sink *out);

/* Only 0xc2 begins characters that are controls, so only it waits. */
static void wide(struct safe *s, uint8_t byte, struct sink *out) {
        struct utf8 *u = &s->character;
        enum utf8_step step = utf8_step(u, byte);

        if (step == UTF8_BROKEN) {
                if (u->bytes[0] == 0xc2)
                        put(out, u->bytes, 1);
                in_ground(s, byte, out);
        } else if (step == UTF8_INVALID && byte <= 0x9f)
                control_c1(s, &byte, 1, out);
        else if (step == UTF8_WHOLE && u->bytes[0] == 0xc2 && byte <= 0x9f) {
                const uint8_t both[2] = { 0xc2, byte };
                control_c1(s, both, 2, out);
        } else if (step == UTF8_WHOLE && u->bytes[0] == 0xc2)
                put(out, u->bytes, 2);
        else if (step != UTF8_MORE || byte != 0xc2)
                put(out, &byte, 1);
}

static void in_ground(struct safe *s, uint8_t byte, struct sink *out) {
        if (byte >= 0x80 || utf8_open(&s->character))
                wide(s, byte, out);
        else if (byte == ESC)
                begin_escape(s);
        else if (byte != ENQ) /* it has the terminal type its answerback */
                put(out, &byte, 1);
}

static void in_escape(struct safe *s, uint8_t byte, struct sink *out) {
        bool first = true;

        for (size_t i = 1; i < s->used; i++)
                first &= is_skipped(s->held[i]);
        hold(s, byte);
        if (first && introduce(s, byte))
                return;
        if (byte >= 0x30 && byte <= 0x7e)
                finish(s, drops_escape(s), out);
}

static void in_control(struct safe *s, uint8_t byte, struct sink *out) {
        hold(s, byte);
        if (byte >= 0x40 && byte <= 0x7e)
                finish(s, s->too_long || drops_control(s), out);
}

/* UTF-8 is followed within the string, so that the last byte of a character is not taken for its end. */
static void in_dropped(struct safe *s, uint8_t byte, struct sink *out) {
        struct utf8 *u = &s->character;
        enum utf8_step step = utf8_step(u, byte);
        bool st = byte == 0x9c && (step == UTF8_INVALID || (step == UTF8_WHOLE && u->bytes[0] == 0xc2));

        if (step == UTF8_BROKEN)
                in_dropped(s, byte, out);
        else if (byte == ESC)
                s->state = SAFE_DROPPED_END;
        else if (st || (byte == BEL && s->is_osc))
                ground(s);
        else if (byte == '\n' && s->by_single_byte) {
                ground(s);
                put(out, &byte, 1);
        }
}

static void drop_command(struct safe *s, uint8_t byte, struct sink *out) {
        drop_string(s, true);
        in_dropped(s, byte, out);
}

static void in_number(struct safe *s, uint8_t byte, struct sink *out) {
        enum verdict verdict = judge_command(s);

        if (is_digit(byte) || (is_skipped(byte) && byte != BEL)) {
                hold(s, byte);
        } else if (s->used == s->introducer && strchr("PRlLI", byte)) {
                /* Linux: colours, without an end; Sun: titles. */
                hold(s, byte);
                finish(s, false, out);
        } else if (byte == BEL) {
                hold(s, byte);
                finish(s, verdict == DROPS, out);
        } else if (byte != ';' || verdict == DROPS || s->too_long) {
                drop_command(s, byte, out);
        } else {
                hold(s, byte);
                if (verdict == PASSES)
                        finish(s, false, out); /* what follows cannot change what it is */
                else
                        s->state = SAFE_OSC_HELD;
        }
}

static void in_held(struct safe *s, uint8_t byte, struct sink *out) {
        hold(s, byte);
        if (byte == BEL)
                finish_command(s, out);
        else if (s->too_long || byte >= 0x80)
                drop_command(s, byte, out);
}

/* After ESC in a held OSC, which ends it. It is put out with the end only: a piece of it would go on with what
 * follows.
 */
static bool in_end(struct safe *s, uint8_t byte, struct sink *out) {
        if (byte != '\\')
                return false;
        bool number_only = !memchr(s->held, ';', s->used);
        bool drop = number_only && judge_command(s) == DROPS;
        hold(s, byte);
        if (drop)
                finish(s, true, out);
        else
                finish_command(s, out);
        return true;
}

/* ESC ESC: the string is for the terminal beyond tmux, which has each ESC twice. */
static bool in_dropped_end(struct safe *s, uint8_t byte) {
        if (byte == '\\')
                ground(s);
        else if (byte == ESC)
                s->state = SAFE_DROPPED;
        else
                return false;
        return true;
}

/* What ends a sequence wherever it comes. Returns whether the byte is done with. */
static bool interrupts(struct safe *s, uint8_t byte, struct sink *out) {
        bool held = s->state == SAFE_ESCAPE || s->state == SAFE_CONTROL || s->state == SAFE_OSC_NUMBER ||
                    s->state == SAFE_OSC_HELD;

        if (byte == CAN || byte == SUB) {
                ground(s); /* the terminal has seen nothing of it */
                return true;
        }
        if (byte == ESC && held) {
                if (s->state == SAFE_OSC_NUMBER || s->state == SAFE_OSC_HELD) {
                        hold(s, byte);
                        s->state = SAFE_OSC_END;
                } else
                        begin_escape(s);
                return true;
        }
        /* No sequence but a string has such bytes. They may begin one of their own. */
        if (byte >= 0x80 && (s->state == SAFE_ESCAPE || s->state == SAFE_CONTROL)) {
                ground(s);
                in_ground(s, byte, out);
                return true;
        }
        return false;
}

static void step(struct safe *s, uint8_t byte, struct sink *out) {
        if (s->state == SAFE_GROUND) {
                in_ground(s, byte, out);
                return;
        }
        if (interrupts(s, byte, out))
                return;
        bool taken = true;
        switch (s->state) {
        case SAFE_GROUND:
                break;
        case SAFE_ESCAPE:
                in_escape(s, byte, out);
                break;
        case SAFE_CONTROL:
                in_control(s, byte, out);
                break;
        case SAFE_OSC_NUMBER:
                in_number(s, byte, out);
                break;
        case SAFE_OSC_HELD:
                in_held(s, byte, out);
                break;
        case SAFE_OSC_END:
                taken = in_end(s, byte, out);
                break;
        case SAFE_DROPPED:
                in_dropped(s, byte, out);
                break;
        case SAFE_DROPPED_END:
                taken = in_dropped_end(s, byte);
                break;
        }
        if (!taken) { /* the ESC was the beginning of something else */
                begin_escape(s);
                step(s, byte, out);
        }
}

size_t safe_filter(struct safe *s, const uint8_t *from, size_t size, uint8_t *to) {
        struct sink out = { .to = to };

        for (size_t i = 0; i < size; i++)
                step(s, from[i], &out);
        return out.used;
}
