/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is noticed does not depend on cuts, and what undoes it leaves nothing to be undone. */
#include "console/modes.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        struct cuts cuts = take_cuts(&in);
        struct modes whole = { 0 }, cut = { 0 };
        uint8_t undo[MODES_UNDO_MAX], undo_cut[MODES_UNDO_MAX];

        modes_see(&whole, in.data, in.size);
        for (size_t at = 0, piece; at < in.size; at += piece) {
                piece = next_cut(&cuts, in.size - at);
                modes_see(&cut, in.data + at, piece);
        }
        size_t n = modes_undo(&whole, undo);
        MUST(n < MODES_UNDO_MAX);
        MUST(modes_undo(&cut, undo_cut) == n && memcmp(undo, undo_cut, n) == 0);
        modes_see(&whole, undo, n);
        MUST(modes_undo(&whole, undo) == 0);
        return 0;
}
