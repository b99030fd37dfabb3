/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/utf8.h"

/* Bytes of the character that begins with BYTE; 0: none does. */
static unsigned length_of(uint8_t byte) {
        if (byte < 0x80)
                return 1;
        if (byte >= 0xc2 && byte <= 0xdf)
                return 2;
        if (byte >= 0xe0 && byte <= 0xef)
                return 3;
        return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/* May BYTE go on with the character? Only the second one has rules of its own. */
static bool can_follow(const struct utf8 *u, uint8_t byte) {
        uint8_t first = u->bytes[0];

        if ((byte & 0xc0) != 0x80)
                return false;
        if (u->have != 1)
                return true;
        return !(first == 0xe0 && byte < 0xa0) && !(first == 0xed && byte > 0x9f) && !(first == 0xf0 && byte < 0x90) &&
               !(first == 0xf4 && byte > 0x8f);
}

enum utf8_step utf8_step(struct utf8 *u, uint8_t byte) {
        if (!utf8_open(u)) {
                unsigned length = length_of(byte);
                u->bytes[0] = byte;
                u->have = 1;
                u->wanted = length > 1 ? length : 0;
                return length == 0 ? UTF8_INVALID : length == 1 ? UTF8_WHOLE : UTF8_MORE;
        }
        if (!can_follow(u, byte)) {
                u->wanted = 0;
                return UTF8_BROKEN;
        }
        u->bytes[u->have++] = byte;
        if (u->have < u->wanted)
                return UTF8_MORE;
        u->wanted = 0;
        return UTF8_WHOLE;
}
