/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/forward.h"

#include <string.h>

/* What a full keep-last buffer gives up at a time: one page's worth, so that the kept part shrinks by little. */
#define DROP_SIZE 4096u

static size_t min_size(size_t a, size_t b) {
        return a < b ? a : b;
}

/* The free bytes behind the used ones, up to the end of the memory. */
static size_t queue_space(const struct forward_queue *q, uint8_t **ret) {
        size_t end = q->begin + q->used;

        if (end >= q->size) {
                *ret = q->data + (end - q->size);
                return q->size - q->used;
        }
        *ret = q->data + end;
        return min_size(q->size - end, q->size - q->used);
}

static size_t queue_pending(const struct forward_queue *q, const uint8_t **ret) {
        *ret = q->data + q->begin;
        return min_size(q->used, q->size - q->begin);
}

static void queue_taken(struct forward_queue *q, size_t size) {
        q->used -= size;
        q->begin += size;
        if (q->begin >= q->size)
                q->begin -= q->size;
        if (q->used == 0)
                q->begin = 0; /* back to memory that is in the cache and already touched */
}

void forward_init(struct forward *f, const struct forward_options *options) {
        *f = (struct forward){
                .input = { .data = options->input, .size = options->input_size },
                .output = { .data = options->output, .size = options->output_size },
                .escape = { .key = options->escape_key },
                .typeahead = options->typeahead,
                .keep_last = options->keep_last,
                .last_input = '\n',
        };
}

static bool input_stalled(const struct forward *f, uint64_t now_usec) {
        return f->typeahead && now_usec - f->progress_usec >= FORWARD_STALL_USEC;
}

size_t forward_input_space(struct forward *f, uint64_t now_usec, uint8_t **ret) {
        if (f->input_ended)
                return 0;
        if (f->input.used == 0)
                f->progress_usec = now_usec; /* the stall counts from the first byte that waits */
        if (f->input.used == f->input.size && input_stalled(f, now_usec)) {
                /* The newest bytes go: what is typed blindly now is worth less than what came first. */
                size_t drop = min_size(DROP_SIZE, f->input.size);
                f->input.used -= drop;
                f->lost_input += drop;
                f->lost_unreported |= !f->losing;
                f->losing = true;
        }
        return queue_space(&f->input, ret);
}

bool forward_input_wanted(const struct forward *f, uint64_t now_usec) {
        return !f->input_ended && (f->input.used < f->input.size || input_stalled(f, now_usec));
}

unsigned forward_input_added(struct forward *f, size_t size, uint64_t now_usec) {
        uint8_t *bytes = f->input.data + (f->input.begin + f->input.used) % f->input.size;
        unsigned events = f->lost_unreported ? FORWARD_INPUT_LOST : 0;

        f->lost_unreported = false;
        for (size_t at = 0; at < size;) {
                size_t seen;
                char letter;
                enum escape_hit hit = escape_scan(&f->escape, bytes + at, size - at, now_usec, &seen, &letter);
                at += seen;
                if (hit == ESCAPE_KILL)
                        events |= FORWARD_ESCAPE_KILL;
                if (hit == ESCAPE_COMMAND && escape_choose(letter)) {
                        events |= FORWARD_ESCAPE_COMMAND;
                        f->command = letter;
                        memmove(bytes + at - 1, bytes + at, size - at);
                        at--, size--;
                }
        }
        f->input.used += size;
        return events;
}

void forward_input_end(struct forward *f) {
        f->input_ended = true;
}

size_t forward_input_pending(const struct forward *f, const uint8_t **ret) {
        return queue_pending(&f->input, ret);
}

void forward_input_taken(struct forward *f, size_t size, uint64_t now_usec) {
        if (size == 0)
                return;
        f->last_input = f->input.data[f->input.begin + size - 1];
        queue_taken(&f->input, size);
        f->progress_usec = now_usec;
        f->losing = false;
}

uint64_t forward_input_deadline(const struct forward *f) {
        bool waits = f->typeahead && !f->input_ended && f->input.used == f->input.size;

        return waits ? f->progress_usec + FORWARD_STALL_USEC : 0;
}

void forward_input_reset(struct forward *f) {
        f->lost_input += f->input.used;
        f->input.used = f->input.begin = 0;
        f->last_input = '\n';
        f->losing = false;
}

size_t forward_output_space(struct forward *f, uint8_t **ret) {
        if (f->keep_last && f->output.used == f->output.size) {
                size_t drop = min_size(DROP_SIZE, f->output.size - f->output.begin);
                queue_taken(&f->output, drop);
                f->lost_output += drop;
        }
        return queue_space(&f->output, ret);
}

bool forward_output_wanted(const struct forward *f) {
        return f->keep_last || f->output.used < f->output.size;
}

void forward_output_added(struct forward *f, size_t size) {
        f->output.used += size;
        if (f->output_gone)
                forward_output_gone(f);
}

size_t forward_output_pending(const struct forward *f, const uint8_t **ret) {
        return queue_pending(&f->output, ret);
}

/* Keeps the last bytes of what the reader has got. */
static void tail_add(struct forward *f, const uint8_t *bytes, size_t size) {
        if (size > sizeof f->tail) {
                bytes += size - sizeof f->tail;
                size = sizeof f->tail;
        }
        size_t kept = min_size(f->tail_used, sizeof f->tail - size);
        memmove(f->tail, f->tail + f->tail_used - kept, kept);
        memcpy(f->tail + kept, bytes, size);
        f->tail_used = kept + size;
}

void forward_output_taken(struct forward *f, size_t size) {
        tail_add(f, f->output.data + f->output.begin, size);
        queue_taken(&f->output, size);
}

void forward_output_gone(struct forward *f) {
        f->output_gone = true;
        f->lost_output += f->output.used;
        f->output.used = f->output.begin = 0;
}

bool forward_at_line_start(const struct forward *f) {
        enum { TEXT, ESCAPED, CONTROL, STRING, STRING_ESCAPED } state = TEXT;
        bool start = f->tail_used < sizeof f->tail; /* all that was ever shown: an empty screen is a line's start */

        for (size_t i = 0; i < f->tail_used; i++) {
                uint8_t b = f->tail[i];
                switch (state) {
                case TEXT:
                        if (b == 0x1B)
                                state = ESCAPED;
                        else if (b == '\n')
                                start = true;
                        else if (b >= ' ' && b != 0x7F)
                                start = false;
                        break;
                case ESCAPED: /* ECMA-48: CSI, or one of the strings OSC, DCS, APC, PM, SOS, or a short sequence */
                        if (b == '[')
                                state = CONTROL;
                        else if (memchr("]P_^X", b, 5))
                                state = STRING;
                        else if (b < ' ' || b >= 0x30)
                                state = TEXT;
                        break;
                case CONTROL:
                        if (b >= 0x40 && b <= 0x7E)
                                state = TEXT;
                        break;
                case STRING:
                        if (b == 0x07)
                                state = TEXT;
                        else if (b == 0x1B)
                                state = STRING_ESCAPED;
                        break;
                case STRING_ESCAPED:
                        state = TEXT;
                        break;
                }
        }
        return start;
}
