/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both queues against a model that keeps every byte ever put in: none is lost, doubled or changed but those that are
 * counted as lost, and these are the ones that the header names. */
#include "console/forward.h"

#include "fuzz.h"

enum { LIMIT = 1 << 16, SIZE_LIMIT = 9000 };

/* The bytes that should be in a queue, FROM to TO of what was ever put in; only the newest or the oldest may go. */
struct model {
        uint8_t bytes[LIMIT];
        size_t from, to;
        uint64_t lost;
};

static void model_put(struct model *m, const uint8_t *data, size_t size) {
        memcpy(m->bytes + m->to, data, size);
        m->to += size;
}

static void model_check(const struct model *m, const struct forward_queue *q, size_t pending, const uint8_t *data) {
        MUST(q->used == m->to - m->from && q->used <= q->size);
        MUST(pending <= q->used && (pending > 0) == (q->used > 0));
        MUST(memcmp(data, m->bytes + m->from, pending) == 0);
}

struct state {
        struct forward f;
        struct model input, output;
        uint64_t now;
        struct source in;
        bool ended;
        struct escape escape; /* a watcher of our own: the letters of commands are not the payload's */
};

/* Puts DATA, but for these letters. Returns whether there was one. */
static bool put_typed(struct state *s, const uint8_t *data, size_t size) {
        bool command = false;

        for (size_t at = 0, seen; at < size; at += seen) {
                char letter;
                enum escape_hit hit = escape_scan(&s->escape, data + at, size - at, s->now, &seen, &letter);
                bool ours = hit == ESCAPE_COMMAND && strchr("dprl.?", letter);
                model_put(&s->input, data + at, seen - ours);
                command |= ours;
        }
        return command;
}

static size_t fill(struct state *s, uint8_t *space, size_t room) {
        const uint8_t *data;
        size_t n = take_bytes(&s->in, take_byte(&s->in) * 37U, &data); /* from one byte to more than a buffer */

        n = n < room ? n : room;
        memcpy(space, data, n);
        return n;
}

static void input(struct state *s) {
        bool wanted = forward_input_wanted(&s->f, s->now);
        uint64_t lost = s->f.lost_input;
        uint8_t *space;
        size_t room = forward_input_space(&s->f, s->now, &space);

        MUST(wanted == (room > 0) && !(s->ended && room > 0));
        s->input.to -= s->f.lost_input - lost; /* the newest go */
        if (s->f.lost_input > lost)
                MUST(s->f.typeahead && s->f.input.used + (s->f.lost_input - lost) == s->f.input.size);
        if (room == 0)
                return;
        bool report = s->f.lost_unreported;
        size_t n = fill(s, space, room);
        bool command = put_typed(s, space, n);
        unsigned events = forward_input_added(&s->f, n, s->now);
        MUST(!(events & FORWARD_ESCAPE_COMMAND) == !command);
        MUST(!(events & FORWARD_INPUT_LOST) == !report);
}

static void input_taken(struct state *s) {
        const uint8_t *data;
        size_t n = forward_input_pending(&s->f, &data);

        model_check(&s->input, &s->f.input, n, data);
        n = take_number(&s->in, n);
        if (n > 0)
                MUST(data[n - 1] == s->input.bytes[s->input.from + n - 1]);
        forward_input_taken(&s->f, n, s->now);
        s->input.from += n;
        if (n > 0)
                MUST(s->f.last_input == s->input.bytes[s->input.from - 1]);
}

static void output(struct state *s) {
        bool wanted = forward_output_wanted(&s->f), gone = s->f.output_gone;
        uint64_t lost = s->f.lost_output;
        uint8_t *space;
        size_t room = forward_output_space(&s->f, &space);

        MUST(wanted == (room > 0));
        MUST(s->f.lost_output == lost || s->f.keep_last);
        s->output.from += s->f.lost_output - lost; /* the oldest go */
        size_t n = fill(s, space, room);
        model_put(&s->output, space, n);
        forward_output_added(&s->f, n);
        if (gone)
                s->output.from = s->output.to;
}

static void output_taken(struct state *s) {
        const uint8_t *data;
        size_t n = forward_output_pending(&s->f, &data);

        model_check(&s->output, &s->f.output, n, data);
        n = take_number(&s->in, n);
        forward_output_taken(&s->f, n);
        s->output.from += n;
        (void) forward_at_line_start(&s->f);
}

static void pass_time(struct state *s) {
        uint64_t deadline = forward_input_deadline(&s->f);

        if (deadline > 0)
                MUST(forward_input_wanted(&s->f, deadline > s->now ? deadline : s->now));
        s->now += take_byte(&s->in) * UINT64_C(10000);
        if (deadline > s->now)
                MUST(!forward_input_wanted(&s->f, s->now));
}

static void rare(struct state *s) {
        switch (take_byte(&s->in) % 16) {
        case 0:
                forward_input_end(&s->f);
                s->ended = true;
                break;
        case 1:
                s->input.lost += s->f.input.used;
                s->input.from = s->input.to;
                forward_input_reset(&s->f);
                break;
        case 2:
                forward_output_gone(&s->f);
                s->output.from = s->output.to;
                break;
        case 3: /* what was kept is shown at the end */
                s->f.keep_last = false;
                break;
        default:
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static void (*const acts[])(struct state *) = { input, input_taken, output, output_taken, pass_time, rare };
        static struct state s;
        struct source in = { data, size };
        uint8_t flags = take_byte(&in);
        struct forward_options o = {
                .input_size = 1 + take_number(&in, SIZE_LIMIT - 1),
                .output_size = 1 + take_number(&in, SIZE_LIMIT - 1),
                .typeahead = flags & 1,
                .keep_last = flags & 2,
                .escape_key = flags & 4 ? ESCAPE_KEY_NONE : ESCAPE_KEY_DEFAULT,
        };

        if (size > LIMIT)
                return -1;
        o.input = exact(o.input_size);
        o.output = exact(o.output_size);
        s.in = in;
        s.now = 1;
        s.ended = false;
        s.escape = (struct escape){ .key = o.escape_key };
        s.input.from = s.input.to = s.output.from = s.output.to = 0;
        forward_init(&s.f, &o);
        while (s.in.size > 0)
                acts[take_byte(&s.in) % (sizeof acts / sizeof acts[0])](&s);
        free(o.input);
        free(o.output);
        return 0;
}
