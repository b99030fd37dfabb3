/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the targets share (libFuzzer, llvm.org/docs/LibFuzzer.html). The first bytes of an input say how the rest is
 * cut or what is done with it, so that the fuzzer finds cuts as it finds bytes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code, whatever NDEBUG says. */
#define MUST(condition)                                                                                               \
        do {                                                                                                          \
                if (!(condition)) {                                                                                   \
                        fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition);           \
                        abort();                                                                                      \
                }                                                                                                     \
        } while (0)

/* What is left of an input. Zeros come when it is used up. */
struct source {
        const uint8_t *data;
        size_t size;
};

static inline uint8_t take_byte(struct source *s) {
        if (s->size == 0)
                return 0;
        s->size--;
        return *s->data++;
}

/* 0 to LIMIT. */
static inline size_t take_number(struct source *s, size_t limit) {
        size_t high = take_byte(s);

        return (high << 8 | take_byte(s)) % (limit + 1);
}

/* At most SIZE of the bytes that are left; returns how many. */
static inline size_t take_bytes(struct source *s, size_t size, const uint8_t **ret) {
        if (size > s->size)
                size = s->size;
        *ret = s->data;
        s->data += size;
        s->size -= size;
        return size;
}

/* How the rest is cut: the sizes of the pieces, over and over. 0: all that is left. */
struct cuts {
        const uint8_t *sizes;
        size_t count, at;
};

static inline struct cuts take_cuts(struct source *s) {
        struct cuts c = { 0 };

        c.count = take_bytes(s, take_byte(s) % 16, &c.sizes);
        return c;
}

static inline size_t next_cut(struct cuts *c, size_t left) {
        size_t size = c->count > 0 ? c->sizes[c->at++ % c->count] : 0;

        return size == 0 || size > left ? left : size;
}

/* Memory of exactly SIZE bytes, so that the sanitizer sees the first one that is too far. */
static inline uint8_t *exact(size_t size) {
        uint8_t *p = malloc(size > 0 ? size : 1);

        MUST(p);
        return p;
}

/* The bytes that are left as a string of the caller's; a NUL ends it. */
static inline char *take_text(struct source *s) {
        char *text = strndup((const char *) s->data, s->size);

        MUST(text);
        return text;
}

/* The length of the character that DATA begins with, by its value (RFC 3629, section 3); 0: none does. */
static inline size_t character_length(const uint8_t *data, size_t size) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = data[0] < 0x80 ? 1 : data[0] >> 5 == 6 ? 2 : data[0] >> 4 == 14 ? 3 : data[0] >> 3 == 30 ? 4 : 0;
        uint32_t value = n == 1 ? data[0] : n > 1 ? data[0] & (0x7fU >> n) : 0;

        if (n == 0 || n > size)
                return 0;
        for (size_t i = 1; i < n; i++) {
                if (data[i] >> 6 != 2)
                        return 0;
                value = value << 6 | (data[i] & 0x3f);
        }
        return value >= least[n] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff) ? n : 0;
}

static inline bool is_control(const uint8_t *character, size_t length) {
        return (length == 1 && (character[0] < 0x20 || character[0] == 0x7f)) ||
               (length == 2 && character[0] == 0xc2 && character[1] < 0xa0);
}

/* Is it text that can be shown: valid UTF-8 without control characters, but for those in ALLOWED? */
static inline bool is_clean(const void *text, size_t size, const char *allowed) {
        const uint8_t *data = text;

        for (size_t i = 0; i < size;) {
                size_t n = character_length(data + i, size - i);
                if (n == 0 || (is_control(data + i, n) && !(n == 1 && data[i] && strchr(allowed, data[i]))))
                        return false;
                i += n;
        }
        return true;
}
