/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The two-way copy between the host's streams and the PTY's master as a pure state machine: bytes in, bytes out,
 * events. No descriptors, no clock, no allocation; the driver (session.h) reads and writes straight in its buffers.
 *
 * Back-pressure is a space of 0: do not read that side now. Bytes are never changed, dropped or delayed, but for three
 * documented cases: output when its reader is gone, terminal input that a dead payload leaves lying (see
 * FORWARD_STALL_USEC), and the letter of a command after the escape key twice. The escape key is found when bytes come
 * in, ahead of the buffer, so a payload that never reads cannot keep it from working. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/escape.h"

#define FORWARD_BUFFER_SIZE 65536u

/* A terminal's input is read ahead this far, so that an escape key typed after a big paste is seen although the
 * payload has not read the paste. The memory is only touched as far as it is used. */
#define FORWARD_TYPEAHEAD_SIZE (16u * 1024 * 1024)

/* When even that is full and the payload has taken nothing for this long, terminal input is read on, scanned for the
 * escape key and dropped (FORWARD_INPUT_LOST): leaving must stay possible. */
#define FORWARD_STALL_USEC 1000000

enum forward_event {
        FORWARD_ESCAPE_KILL = 1 << 0,
        FORWARD_ESCAPE_COMMAND = 1 << 1, /* a letter of escape_menu, which is in `command` and not in the input */
        FORWARD_INPUT_LOST = 1 << 2,
};

/* A ring; `used` bytes from `begin` on, wrapping at `size`. */
struct forward_queue {
        uint8_t *data;
        size_t size, begin, used;
};

struct forward {
        struct forward_queue input, output;
        struct escape escape;
        bool typeahead;         /* the input is a terminal: see FORWARD_STALL_USEC */
        bool keep_last;         /* nobody reads the output: a full buffer loses its oldest bytes */
        bool input_ended;       /* no more bytes will come in */
        bool output_gone;       /* the reader is gone: output is taken and thrown away */
        bool losing;            /* terminal input has been dropped since the payload last took some */
        bool lost_unreported;   /* … and FORWARD_INPUT_LOST is due */
        char command;           /* letter of the last FORWARD_ESCAPE_COMMAND */
        uint8_t last_input;     /* last byte that was taken by the payload's side */
        uint64_t progress_usec; /* when the payload's side last took input, or the buffer last was empty */
        uint64_t lost_input;    /* bytes dropped, see FORWARD_INPUT_LOST */
        uint64_t lost_output;   /* bytes thrown away because of output_gone or keep_last */
        size_t tail_used;       /* the last bytes that the reader has got, for forward_at_line_start() */
        uint8_t tail[256];
};

struct forward_options {
        uint8_t *input, *output; /* the buffers, borrowed */
        size_t input_size, output_size;
        int escape_key; /* ESCAPE_KEY_NONE: no scanning */
        bool typeahead, keep_last;
};
void forward_init(struct forward *f, const struct forward_options *options);

/* Input, host to payload. Where the next bytes may be put: returns how many (0: do not read now), *RET where. Bytes
 * put there count from forward_input_added() on, which returns a mask of enum forward_event. */
size_t forward_input_space(struct forward *f, uint64_t now_usec, uint8_t **ret);
/* The same question without effects: will forward_input_space() give any? */
bool forward_input_wanted(const struct forward *f, uint64_t now_usec);
unsigned forward_input_added(struct forward *f, size_t size, uint64_t now_usec);
void forward_input_end(struct forward *f);
/* The bytes that are to be written to the payload's side next: returns how many, *RET where. */
size_t forward_input_pending(const struct forward *f, const uint8_t **ret);
void forward_input_taken(struct forward *f, size_t size, uint64_t now_usec);
/* When forward_input_space() will answer differently by the mere passing of time; 0: never. */
uint64_t forward_input_deadline(const struct forward *f);
/* A payload has been replaced by a new one (reboot): typed bytes that the old one did not read are dropped. */
void forward_input_reset(struct forward *f);

/* Output, payload to host: the same. */
size_t forward_output_space(struct forward *f, uint8_t **ret);
bool forward_output_wanted(const struct forward *f);
void forward_output_added(struct forward *f, size_t size);
size_t forward_output_pending(const struct forward *f, const uint8_t **ret);
void forward_output_taken(struct forward *f, size_t size);
/* The reader is gone (EPIPE): what is pending and what is still to come is thrown away, the payload goes on. */
void forward_output_gone(struct forward *f);

/* Did the reader's last line end? Control sequences after the newline do not count. True when nothing was shown. */
bool forward_at_line_start(const struct forward *f);
