/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of bytes finds the characters that a reader of values finds; no byte is taken twice or never. The
 * strings' own reader (basic/text.h) agrees. */
#include "console/utf8.h"

#include "basic/text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct utf8 u = { 0 };
        uint8_t *text = exact(size + 1);
        size_t begin = 0, at = 0;

        memcpy(text, data, size);
        text[size] = 0;
        while (at < size) {
                enum utf8_step step = utf8_step(&u, data[at]);
                at += step != UTF8_BROKEN;
                MUST(utf8_open(&u) == (step == UTF8_MORE));
                if (step == UTF8_MORE) {
                        MUST(at - begin < 4);
                        continue;
                }
                size_t n = character_length(data + begin, size - begin);
                if (step == UTF8_WHOLE) {
                        MUST(n == at - begin && u.have == n && memcmp(u.bytes, data + begin, n) == 0);
                        MUST(text_utf8_length((char *) text + begin) == (is_control(u.bytes, n) && n > 1 ? 0 : n));
                } else {
                        MUST(n == 0 && at > begin);
                        MUST(text_utf8_length((char *) text + begin) == 0);
                }
                begin = at;
        }
        free(text);
        return 0;
}
