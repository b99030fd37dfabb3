/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* UTF-8 byte by byte, however it is cut (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). Pure. */

#include <stdbool.h>
#include <stdint.h>

struct utf8 {
        uint8_t bytes[4];
        unsigned have, wanted; /* WANTED 0: between two characters */
};

enum utf8_step {
        UTF8_MORE,    /* the byte was taken, the character is not whole yet */
        UTF8_WHOLE,   /* HAVE bytes are a character */
        UTF8_INVALID, /* the byte was taken, and begins no character */
        UTF8_BROKEN,  /* what was there before is no character; the byte was not taken, and is to be given again */
};

/* One more byte. A struct of zeros is the start. BYTES and HAVE are valid after UTF8_WHOLE until the next call. */
enum utf8_step utf8_step(struct utf8 *u, uint8_t byte);

/* Has a character begun that is not whole? */
static inline bool utf8_open(const struct utf8 *u) {
        return u->wanted > 0;
}
