/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The recent output of a console, for viewers that come later or could not follow. Pure: no descriptors, no clock.
 *
 * Bytes are counted from the first one ever written; a reader keeps its own position, reading takes nothing away. A
 * replay that began within a UTF-8 sequence or a control sequence would show rubbish or swallow what follows, so the
 * ring follows the stream (ECMA-48, xterm's ctlseqs) and remembers where one may begin. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SIZE_DEFAULT (256u * 1024)
#define RING_SIZE_MIN 4096u
#define RING_SIZE_MAX (64u * 1024 * 1024)
#define RING_MARKS 256u

enum ring_state {
        RING_GROUND,
        RING_UTF8, /* `left` bytes of a character are to come */
        RING_ESCAPE,
        RING_CONTROL,       /* CSI … final byte */
        RING_STRING,        /* OSC, DCS, SOS, PM, APC … ST or BEL */
        RING_STRING_ESCAPE, /* ESC within one: perhaps of its ST */
};

struct ring {
        uint8_t *data;
        size_t size;
        uint64_t written; /* bytes ever written */
        enum ring_state state;
        unsigned left;
        uint64_t marks[RING_MARKS]; /* where a replay may begin, in order; a ring itself */
        uint64_t mark_count;        /* ever made */
        uint64_t next_mark;         /* no mark before this position: they are SIZE / RING_MARKS apart at least */
};

/* DATA of SIZE bytes is borrowed; 0: nothing is kept, and there is nothing to read. */
void ring_init(struct ring *r, uint8_t *data, size_t size);

void ring_write(struct ring *r, const uint8_t *data, size_t size);

/* The oldest byte that is still there. */
uint64_t ring_begin(const struct ring *r);

/* The first position at or after FROM where a replay may begin; `written` if there is none. */
uint64_t ring_safe(const struct ring *r, uint64_t from);

/* The bytes at POSITION, which is not before ring_begin(), in one piece: returns how many, *RET where. */
size_t ring_read(const struct ring *r, uint64_t position, const uint8_t **ret);
