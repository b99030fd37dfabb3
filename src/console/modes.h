/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the payload has set up in the host's terminal and not taken back: the alternate screen, the mouse, bracketed
 * paste, a hidden cursor and the like. Sees the bytes that the terminal gets, however they are cut. Pure.
 *
 * Eight-bit controls are not looked for: no terminal that speaks UTF-8 takes the single bytes for such, and no program
 * uses them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum modes_state {
        MODES_GROUND,
        MODES_ESCAPE,
        MODES_CONTROL, /* after CSI */
        MODES_STRING,  /* in OSC, DCS, SOS, PM or APC */
};

struct modes {
        enum modes_state state;
        uint32_t changed;   /* bit N: row N of the table in modes.c is not as it is at first */
        unsigned alternate; /* the number that switched to the alternate screen; 0: it is not in use */
        bool keypad;        /* the keypad sends application codes */
        bool insert;        /* IRM */
        char prefix;        /* of the sequence: '?', another one, or 0 */
        bool other;         /* it has what none of ours has */
        unsigned number, count;
        unsigned numbers[16]; /* its parameters so far; more are not looked at */
};

#define MODES_UNDO_MAX 256

/* The terminal gets SIZE bytes of DATA. A struct of zeros is a terminal as it is at first. */
void modes_see(struct modes *m, const uint8_t *data, size_t size);

/* The bytes that undo what is set, and end a sequence that is not finished. Returns how many; 0: nothing is to be
 * done. */
size_t modes_undo(const struct modes *m, uint8_t ret[static MODES_UNDO_MAX]);
