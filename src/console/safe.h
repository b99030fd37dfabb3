/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A pure filter that keeps from the host's terminal what a hostile payload could do there with control sequences: have
 * it answer with text of the payload's choice, which is typed into the caller's shell when the payload has ended
 * meanwhile; read or write its clipboard; look at what others have shown on it; print. What is dropped is dropped
 * whole, all else passes byte by byte.
 *
 * The terminal is taken to speak UTF-8: 0x80 to 0x9f are controls only where they are no part of a character. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/utf8.h"

enum safe_state {
        SAFE_GROUND,
        SAFE_ESCAPE,      /* after ESC, perhaps with intermediate bytes */
        SAFE_CONTROL,     /* after CSI */
        SAFE_OSC_NUMBER,  /* after OSC, up to the semicolon */
        SAFE_OSC_HELD,    /* in an OSC that passes unless it asks for something */
        SAFE_OSC_END,     /* after ESC in one of these two: a backslash ends it */
        SAFE_DROPPED,     /* in a string that is dropped */
        SAFE_DROPPED_END, /* after ESC in it */
};

#define SAFE_HELD 256 /* a sequence is held back until it is known; a longer one is dropped */

struct safe {
        enum safe_state state;
        struct utf8 character;
        bool too_long;           /* what is held is not all of the sequence */
        bool is_osc;             /* BEL ends the dropped string */
        bool by_single_byte;     /* … and so does a new line: perhaps 0x80 to 0x9f was no control at all */
        size_t used, introducer; /* bytes held, and those of them that are ESC [ or the like */
        uint8_t held[SAFE_HELD];
};

/* What a call may put out beyond the bytes that it gets. */
#define SAFE_EXTRA SAFE_HELD

/* Filters SIZE bytes at FROM to TO, which has room for SIZE + SAFE_EXTRA bytes and may overlap with FROM if it begins
 * at least SAFE_EXTRA bytes before it. *S starts as zeros. Returns how many bytes came out. */
size_t safe_filter(struct safe *s, const uint8_t *from, size_t size, uint8_t *to);
