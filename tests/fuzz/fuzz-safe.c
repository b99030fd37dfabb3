/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes out of the filter is looked at by a reader of control sequences that shares nothing with it: nothing that
 * is forbidden is in it, however the input was cut. */
#include "console/safe.h"

#include <limits.h>

#include "fuzz.h"

/* A sequence as a terminal reads it: without the C0 controls in it. */
struct sequence {
        uint8_t kind; /* the byte after ESC */
        uint8_t bytes[512];
        size_t used;
};

/* Reads what begins at *AT, which is behind the introducer. Returns whether its end is there. */
static bool read_sequence(const uint8_t *data, size_t size, size_t at, uint8_t kind, struct sequence *ret) {
        *ret = (struct sequence){ .kind = kind };
        for (; at < size && ret->used < sizeof ret->bytes; at++) {
                uint8_t b = data[at];
                if (b == 0x1b || b == 0x18 || b == 0x1a || (kind == ']' && b == 0x07))
                        return kind == ']' && b != 0x18 && b != 0x1a;
                if (b < 0x20 || b == 0x7f)
                        continue;
                ret->bytes[ret->used++] = b;
                if (kind == '[' && b >= 0x40 && b <= 0x7e)
                        return true;
        }
        return false;
}

static unsigned first_number(const struct sequence *s, size_t *ret_end) {
        unsigned long number = 0;
        size_t i = 0;

        for (; i < s->used && s->bytes[i] >= '0' && s->bytes[i] <= '9'; i++)
                number = number > UINT_MAX ? number : number * 10 + (s->bytes[i] - '0');
        *ret_end = i;
        return number > UINT_MAX ? UINT_MAX : (unsigned) number;
}

/* Parameters, then intermediate bytes, then the final one (ECMA-48, 5.4): most terminals ignore all else. */
static bool is_malformed(const struct sequence *s) {
        size_t i = memchr("<=>?", s->bytes[0], 4) ? 1 : 0;

        while (i < s->used && s->bytes[i] >= 0x30 && s->bytes[i] <= 0x3b)
                i++;
        while (i < s->used && s->bytes[i] >= 0x20 && s->bytes[i] <= 0x2f)
                i++;
        return i + 1 != s->used;
}

/* rxvt looks at digits and semicolons only. */
static bool rxvt_obeys(const struct sequence *s) {
        uint8_t last = s->bytes[s->used - 1];
        unsigned long number = 0;

        for (size_t i = 0; i < s->used && s->bytes[i] != ';' && number <= UINT_MAX; i++)
                if (s->bytes[i] >= '0' && s->bytes[i] <= '9')
                        number = number * 10 + (s->bytes[i] - '0');
        return !memchr("<=>?!", s->bytes[0], 5) && (last == 'i' || (last == 't' && (number == 20 || number == 21)));
}

static bool forbidden_control(const struct sequence *s, bool whole) {
        size_t end;
        unsigned number = first_number(s, &end);
        uint8_t last = s->bytes[s->used - 1], before = s->used > 1 ? s->bytes[s->used - 2] : 0;

        if (!whole) /* whatever follows would go on with it */
                return true;
        if (rxvt_obeys(s))
                return true;
        if (is_malformed(s))
                return false;
        if (last == 't')
                return (before < 0x20 || before > 0x2f) && (number == 20 || number == 21);
        if (last == 'i')
                return before < 0x20 || before > 0x2f;
        return (last == 'y' && before == '*') || (last == 'w' && before == '$') ||
               (last == 'u' && (before == '$' || before == '&'));
}

static bool forbidden_command(const struct sequence *s, bool whole) {
        static const unsigned never[] = { 3, 20, 51, 52, 60, 61, 62, 1337, 5113, 5522 };
        static const unsigned asks[][2] = { { 4, 5 }, { 10, 19 }, { 21, 22 }, { 39, 39 }, { 49, 50 }, { 701, 720 } };
        size_t end;
        unsigned number = first_number(s, &end);

        if (end == 0 && s->used > 0 && strchr("PRlLI", s->bytes[0]))
                return false;
        if (!whole && (end == s->used || s->bytes[end] != ';')) /* its number would go on with what follows */
                return true;
        for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
                if (number == never[i])
                        return true;
        for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
                if (number >= asks[i][0] && number <= asks[i][1])
                        return !whole || memchr(s->bytes, '?', s->used);
        return false;
}

static bool forbidden(const uint8_t *data, size_t size, size_t at, uint8_t kind) {
        struct sequence s;
        bool whole = read_sequence(data, size, at, kind, &s);

        if (kind == '[')
                return s.used == 0 || forbidden_control(&s, whole);
        if (kind == ']')
                return forbidden_command(&s, whole);
        return kind && strchr("PX^_", kind);
}

/* ESC % and what does not lead back to UTF-8. */
static bool leaves_utf8(const uint8_t *data, size_t size, size_t at) {
        bool percent = false;

        for (; at < size && (data[at] < 0x30 || data[at] == 0x7f); at++) {
                if (data[at] == 0x1b || data[at] == 0x18 || data[at] == 0x1a)
                        return false;
                percent |= data[at] == '%';
        }
        return percent && (at == size || (data[at] < 0x80 && data[at] != 'G'));
}

/* How many bytes at DATA a terminal in UTF-8 takes for one character, though it may be cut short. */
static size_t taken_together(const uint8_t *data, size_t size) {
        size_t n = character_length(data, size);

        if (n > 0 || data[0] < 0xc2 || data[0] > 0xf4)
                return n > 0 ? n : 1;
        for (n = 1; n < 3 && n < size && data[n] >> 6 == 2; n++) {
                /* Is it so far the beginning of one? Then there are bytes that would complete it. */
                static const uint8_t ends[] = { 0x80, 0x90, 0xa0 };
                bool possible = false;
                for (size_t i = 0; i < sizeof ends; i++)
                        for (size_t more = 1; more <= 3 - n; more++) {
                                uint8_t whole[4] = { 0 };
                                memcpy(whole, data, n + 1);
                                memset(whole + n + 1, ends[i], more);
                                possible |= character_length(whole, n + 1 + more) == n + 1 + more;
                        }
                if (!possible)
                        break;
        }
        return n;
}

static void look_at(const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size;) {
                size_t n = taken_together(data + i, size - i);
                MUST(data[i] != 0x05);
                if (n == 2 && data[i] == 0xc2 && data[i + 1] < 0xa0)
                        MUST(!forbidden(data, size, i + 2, data[i + 1] - 0x40));
                else if (n == 1 && data[i] >= 0x80 && data[i] <= 0x9f)
                        MUST(!forbidden(data, size, i + 1, data[i] - 0x40));
                else if (data[i] == 0x1b) {
                        size_t at = i + 1;
                        while (at < size && (data[at] < 0x18 || data[at] == 0x19 || data[at] == 0x7f ||
                                             (data[at] > 0x1b && data[at] < 0x20)))
                                at++;
                        MUST(at < size && !leaves_utf8(data, size, i + 1));
                        MUST(!forbidden(data, size, at + 1, data[at]));
                }
                i += n;
        }
}

static size_t filter(struct safe *s, const uint8_t *data, size_t size, uint8_t *to) {
        uint8_t *work = exact(size + SAFE_EXTRA);

        memcpy(work + SAFE_EXTRA, data, size);
        size_t n = safe_filter(s, work + SAFE_EXTRA, size, work);
        MUST(n <= size + SAFE_EXTRA);
        memcpy(to, work, n);
        free(work);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        struct cuts cuts = take_cuts(&in);
        uint8_t *whole = exact(in.size + SAFE_EXTRA), *cut = exact(in.size + SAFE_EXTRA);
        struct safe s = { 0 }, t = { 0 };
        size_t n = filter(&s, in.data, in.size, whole), used = 0;

        MUST(n <= in.size);
        for (size_t at = 0, piece; at < in.size; at += piece) {
                piece = next_cut(&cuts, in.size - at);
                used += filter(&t, in.data + at, piece, cut + used);
        }
        MUST(used == n && memcmp(whole, cut, n) == 0);
        look_at(whole, n);
        free(whole);
        free(cut);
        return 0;
}
