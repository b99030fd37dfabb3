/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing but text comes out, however the input is cut, and text passes as it is. */
#include "console/plain.h"

#include "fuzz.h"

static size_t filter(struct plain *p, const uint8_t *data, size_t size, uint8_t *to) {
        uint8_t *work = exact(size + PLAIN_EXTRA);

        memcpy(work + PLAIN_EXTRA, data, size);
        size_t n = plain_filter(p, work + PLAIN_EXTRA, size, work);
        MUST(n <= size + PLAIN_EXTRA);
        memcpy(to, work, n);
        free(work);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        struct cuts cuts = take_cuts(&in);
        uint8_t *whole = exact(in.size + PLAIN_EXTRA), *cut = exact(in.size + PLAIN_EXTRA);
        struct plain p = { 0 }, q = { 0 }, again = { 0 };
        size_t n = filter(&p, in.data, in.size, whole), used = 0;

        for (size_t at = 0, piece; at < in.size; at += piece) {
                piece = next_cut(&cuts, in.size - at);
                used += filter(&q, in.data + at, piece, cut + used);
        }
        MUST(used == n && memcmp(whole, cut, n) == 0);
        MUST(is_clean(whole, n, "\n\t"));
        MUST(filter(&again, whole, n, cut) == n && memcmp(whole, cut, n) == 0);
        if (is_clean(in.data, in.size, "\n\t"))
                MUST(n == in.size && memcmp(whole, in.data, n) == 0);
        free(whole);
        free(cut);
        return 0;
}
