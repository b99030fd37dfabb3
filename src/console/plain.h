/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Terminal output as plain lines, for a reader that is no terminal: a journal shows a line with control bytes or bytes
 * that are not UTF-8 as "blob data". A pure filter: control sequences (ECMA-48) are taken out, a carriage return in
 * the line ends it, what is not valid UTF-8 becomes "?". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/utf8.h"

enum plain_state {
        PLAIN_TEXT,
        PLAIN_ESCAPE,       /* after ESC */
        PLAIN_INTERMEDIATE, /* after ESC and 0x20 to 0x2f: the final byte is still to come */
        PLAIN_CONTROL,      /* after CSI */
        PLAIN_STRING,       /* in OSC, DCS, SOS, PM or APC */
        PLAIN_STRING_END,   /* after ESC in one: a backslash ends it */
};

struct plain {
        enum plain_state state;
        bool returned; /* a carriage return was seen, and what follows decides */
        struct utf8 character;
};

/* What a call may put out beyond the bytes that it gets. */
#define PLAIN_EXTRA 8

/* Filters SIZE bytes at FROM to TO, which has room for SIZE + PLAIN_EXTRA bytes and may overlap with FROM if it begins
 * at least PLAIN_EXTRA bytes before it. *P starts as zeros. Returns how many bytes came out. */
size_t plain_filter(struct plain *p, const uint8_t *from, size_t size, uint8_t *to);
