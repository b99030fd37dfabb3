/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "basic/fd.h"

size_t text_utf8_length(const char *text) {
        const unsigned char *p = (const unsigned char *) text;

        if (p[0] < 0x80)
                return 1;
        if (p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80)
                return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : 2;
        if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80)
                return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
        if (p[0] >= 0xf0 && p[0] <= 0xf4 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80)
                return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
        return 0;
}

size_t text_escape(char *buffer, size_t size, const char *text) {
        const unsigned char *p = (const unsigned char *) text;
        size_t used = 0;

        while (*p) {
                size_t n = *p < 0x20 || *p == 0x7f ? 0 : text_utf8_length((const char *) p);
                if (used + (n > 0 ? n : 4) >= size)
                        break;
                if (n > 0) {
                        memcpy(buffer + used, p, n);
                        used += n;
                        p += n;
                } else {
                        snprintf(buffer + used, size - used, "\\x%02x", *p++);
                        used += 4;
                }
        }
        buffer[used] = 0;
        return used;
}

bool text_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts_with(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix) {
        size_t n = strlen(text), m = strlen(suffix);

        return n >= m && strcmp(text + n - m, suffix) == 0;
}

char *text_format(const char *format, ...) {
        char *result = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&result, format, ap) < 0)
                result = NULL;
        va_end(ap);
        return result;
}

size_t text_distance(const char *a, const char *b) {
        enum { LIMIT = 64 };
        size_t n = strlen(a), m = strlen(b);
        size_t d[LIMIT + 1][LIMIT + 1];

        if (n > LIMIT || m > LIMIT)
                return SIZE_MAX;
        for (size_t i = 0; i <= n; i++)
                for (size_t j = 0; j <= m; j++) {
                        if (i == 0 || j == 0) {
                                d[i][j] = i + j;
                                continue;
                        }
                        size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                        if (d[i - 1][j] + 1 < best)
                                best = d[i - 1][j] + 1;
                        if (d[i][j - 1] + 1 < best)
                                best = d[i][j - 1] + 1;
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            d[i - 2][j - 2] + 1 < best)
                                best = d[i - 2][j - 2] + 1;
                        d[i][j] = best;
                }
        return d[n][m];
}

/* Decimal digits only, up to UINT64_MAX. */
static int parse_digits(const char *text, uint64_t *ret) {
        uint64_t value = 0;

        if (!text || !*text || (text[0] == '0' && text[1]))
                return -EINVAL;
        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*p - '0'), &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int parse_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t value;
        int r = parse_digits(text, &value);

        if (r < 0)
                return r;
        if (value < min || value > max)
                return -ERANGE;
        *ret = value;
        return 0;
}

int parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret) {
        bool negative = text && *text == '-';
        uint64_t magnitude;
        int r = parse_digits(negative ? text + 1 : text, &magnitude);

        if (r < 0)
                return r;
        if (magnitude > (uint64_t) INT64_MAX)
                return -ERANGE;
        int64_t value = negative ? -(int64_t) magnitude : (int64_t) magnitude;
        if (value < min || value > max)
                return -ERANGE;
        *ret = value;
        return 0;
}

int parse_boolean(const char *text, bool *ret) {
        static const char *const words[2][6] = { { "0", "no", "n", "false", "f", "off" },
                                                 { "1", "yes", "y", "true", "t", "on" } };

        for (int value = 0; value < 2; value++)
                for (size_t i = 0; i < ELEMENTSOF(words[value]); i++)
                        if (text && strcasecmp(text, words[value][i]) == 0) {
                                *ret = value;
                                return 0;
                        }
        return -EINVAL;
}

int parse_size(const char *text, uint64_t *ret) {
        static const char units[] = "KMGTPE";
        char digits[24];
        size_t n = text ? strspn(text, "0123456789") : 0;
        uint64_t value;

        if (n == 0 || n >= sizeof digits)
                return -EINVAL;
        memcpy(digits, text, n);
        digits[n] = 0;
        int r = parse_digits(digits, &value);
        if (r < 0)
                return r;
        const char *suffix = text + n;
        if (*suffix) {
                const char *unit = strchr(units, toupper((unsigned char) *suffix));
                if (unit && *unit) {
                        uint64_t factor = UINT64_C(1) << (10 * (unit - units + 1));
                        if (__builtin_mul_overflow(value, factor, &value))
                                return -ERANGE;
                        suffix++;
                }
                if (*suffix && !text_equal(suffix, "B"))
                        return -EINVAL;
        }
        *ret = value;
        return 0;
}

int parse_duration(const char *text, uint64_t *ret_usec) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "", 1000000 }, { "s", 1000000 },         { "sec", 1000000 },         { "ms", 1000 },
                { "us", 1 },     { "m", 60 * 1000000ULL }, { "min", 60 * 1000000ULL }, { "h", 3600 * 1000000ULL }
        };
        uint64_t whole = 0, fraction = 0, scale = 1;
        const char *p = text;

        if (!p || *p < '0' || *p > '9')
                return -EINVAL;
        for (; *p >= '0' && *p <= '9'; p++)
                if (__builtin_mul_overflow(whole, 10, &whole) ||
                    __builtin_add_overflow(whole, (uint64_t) (*p - '0'), &whole))
                        return -ERANGE;
        if (*p == '.') {
                if (p[1] < '0' || p[1] > '9')
                        return -EINVAL;
                for (p++; *p >= '0' && *p <= '9'; p++)
                        if (scale < 1000000) {
                                fraction = fraction * 10 + (uint64_t) (*p - '0');
                                scale *= 10;
                        }
        }
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (text_equal(p, units[i].name)) {
                        uint64_t usec;
                        if (__builtin_mul_overflow(whole, units[i].usec, &usec) ||
                            __builtin_add_overflow(usec, fraction * units[i].usec / scale, &usec))
                                return -ERANGE;
                        *ret_usec = usec;
                        return 0;
                }
        return -EINVAL;
}

void strv_free(struct strv *v) {
        for (size_t i = 0; i < v->count; i++)
                free(v->items[i]);
        free(v->items);
        *v = (struct strv){ 0 };
}

/* Takes over TEXT, also on failure. */
static int strv_consume(struct strv *v, char *text) {
        char **items = text ? reallocarray(v->items, v->count + 2, sizeof *items) : NULL;

        if (!items) {
                free(text);
                return -ENOMEM;
        }
        v->items = items;
        items[v->count++] = text;
        items[v->count] = NULL;
        return 0;
}

int strv_add(struct strv *v, const char *text) {
        return strv_consume(v, strdup(text));
}

int strv_add_format(struct strv *v, const char *format, ...) {
        char *text;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&text, format, ap);
        va_end(ap);
        return strv_consume(v, n < 0 ? NULL : text);
}

bool strv_contains(const struct strv *v, const char *text) {
        for (size_t i = 0; i < v->count; i++)
                if (strcmp(v->items[i], text) == 0)
                        return true;
        return false;
}

int strv_setenv(struct strv *v, const char *entry) {
        size_t n = strcspn(entry, "=") + 1;

        for (size_t i = 0; i < v->count; i++)
                if (strncmp(v->items[i], entry, n) == 0) {
                        char *copy = strdup(entry);
                        if (!copy)
                                return -ENOMEM;
                        free(v->items[i]);
                        v->items[i] = copy;
                        return 0;
                }
        return strv_add(v, entry);
}

const char *strv_getenv(const struct strv *v, const char *name) {
        size_t n = strlen(name);

        for (size_t i = 0; i < v->count; i++)
                if (strncmp(v->items[i], name, n) == 0 && v->items[i][n] == '=')
                        return v->items[i] + n + 1;
        return NULL;
}

int strv_split(struct strv *v, const char *text, const char *separators) {
        for (const char *p = text; *(p += strspn(p, separators));) {
                size_t n = strcspn(p, separators);
                int r = strv_consume(v, strndup(p, n));
                if (r < 0)
                        return r;
                p += n;
        }
        return 0;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) tolower((unsigned char) c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int id128_parse(const char *text, struct id128 *ret) {
        struct id128 id = { 0 };
        bool dashed = strlen(text) == ID128_DASHED_SIZE - 1, zero = true;
        size_t nibble = 0;

        if (!dashed && strlen(text) != ID128_PLAIN_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; text[i]; i++) {
                if (dashed && (i == 8 || i == 13 || i == 18 || i == 23)) {
                        if (text[i] != '-')
                                return -EINVAL;
                        continue;
                }
                int digit = hex_digit(text[i]);
                if (digit < 0)
                        return -EINVAL;
                id.bytes[nibble / 2] = (uint8_t) (id.bytes[nibble / 2] << 4 | digit);
                nibble++;
                zero = zero && digit == 0;
        }
        if (zero)
                return -EINVAL;
        *ret = id;
        return 0;
}

int id128_random(struct id128 *ret) {
        if (getrandom(ret->bytes, sizeof ret->bytes, 0) != (ssize_t) sizeof ret->bytes)
                return -errno;
        ret->bytes[6] = (ret->bytes[6] & 0x0f) | 0x40;
        ret->bytes[8] = (ret->bytes[8] & 0x3f) | 0x80;
        return 0;
}

void id128_plain(const struct id128 *id, char buffer[static ID128_PLAIN_SIZE]) {
        for (size_t i = 0; i < sizeof id->bytes; i++)
                snprintf(buffer + 2 * i, 3, "%02x", id->bytes[i]);
}

void id128_dashed(const struct id128 *id, char buffer[static ID128_DASHED_SIZE]) {
        char plain[ID128_PLAIN_SIZE];

        id128_plain(id, plain);
        snprintf(buffer, ID128_DASHED_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", plain, plain + 8, plain + 12, plain + 16,
                 plain + 20);
}
