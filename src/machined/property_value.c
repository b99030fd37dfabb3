/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "machined/property.h"

int property_read_percent(const char *value, uint64_t max, uint64_t *ret) {
        char digits[16];
        size_t n = strspn(value, "0123456789"), decimals = 0;
        uint64_t whole, fraction = 0;

        if (n == 0 || n >= sizeof digits)
                return -EINVAL;
        memcpy(digits, value, n);
        digits[n] = 0;
        int r = parse_unsigned(digits, 0, max / 100, &whole);
        if (r < 0)
                return r;
        value += n;
        if (*value == '.') {
                for (value++; *value >= '0' && *value <= '9' && decimals < 2; value++, decimals++)
                        fraction = fraction * 10 + (uint64_t) (*value - '0');
                if (decimals == 0)
                        return -EINVAL;
                if (decimals == 1)
                        fraction *= 10;
        }
        if (!text_equal(value, "%"))
                return -EINVAL;
        whole = whole * 100 + fraction;
        if (whole > max)
                return -ERANGE;
        *ret = whole;
        return 0;
}

int property_read_size(const char *value, struct property *p) {
        p->type = PROPERTY_U64;
        p->number = UINT64_MAX;
        if (!*value || text_equal(value, "infinity"))
                return 0;
        if (text_ends_with(value, "%")) {
                uint64_t share;
                int r = property_read_percent(value, 10000, &share);
                if (r < 0)
                        return r;
                /* the manager takes parts of 2^32-1 in a property of its own, since only it knows the whole */
                p->type = PROPERTY_U32;
                p->number = (share * UINT32_MAX + 5000) / 10000;
                return 0;
        }
        return parse_size(value, &p->number);
}

int property_read_quota(const char *value, struct property *p) {
        uint64_t share;

        p->type = PROPERTY_U64;
        p->number = UINT64_MAX;
        if (!*value)
                return 0;
        int r = property_read_percent(value, 100000000, &share);
        if (r < 0)
                return r;
        if (share == 0)
                return -ERANGE;
        p->number = share * 100; /* of a second: 100 % is 1000000 µs */
        return 0;
}

int property_read_duration(const char *value, uint64_t *ret_usec) {
        struct strv words = { 0 };
        uint64_t sum = 0, usec;
        int r = 0;

        if (text_equal(value, "infinity") || !*value) {
                *ret_usec = UINT64_MAX;
                return 0;
        }
        r = strv_split(&words, value, " ");
        if (r == 0 && words.count == 0)
                r = -EINVAL;
        for (size_t i = 0; r == 0 && i < words.count; i++) {
                r = parse_duration(words.items[i], &usec);
                if (r == 0 && __builtin_add_overflow(sum, usec, &sum))
                        r = -ERANGE;
        }
        strv_free(&words);
        if (r == 0)
                *ret_usec = sum;
        return r;
}

int property_read_signal(const char *value, struct property *p) {
        static const struct {
                const char *name;
                int number;
        } names[] = {
#define S(name) { #name, SIG##name }
                S(HUP),  S(INT),  S(QUIT), S(ILL),  S(TRAP),   S(ABRT),  S(BUS),  S(FPE),  S(KILL), S(USR1), S(SEGV),
                S(USR2), S(PIPE), S(ALRM), S(TERM), S(STKFLT), S(CHLD),  S(CONT), S(STOP), S(TSTP), S(TTIN), S(TTOU),
                S(URG),  S(XCPU), S(XFSZ), S(PROF), S(VTALRM), S(WINCH), S(IO),   S(PWR),  S(SYS)
#undef S
        };
        const char *name = text_starts_with(value, "SIG") ? value + 3 : value;
        uint64_t offset = 0;

        p->type = PROPERTY_S32;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(name, names[i].name)) {
                        p->number = (uint64_t) names[i].number;
                        return 0;
                }
        if (text_equal(name, "RTMIN") ||
            (text_starts_with(name, "RTMIN+") &&
             parse_unsigned(name + 6, 0, (uint64_t) (SIGRTMAX - SIGRTMIN), &offset) == 0)) {
                p->number = (uint64_t) SIGRTMIN + offset;
                return 0;
        }
        return parse_unsigned(value, 1, (uint64_t) SIGRTMAX, &p->number);
}

/* "7" or "0-3". */
static int read_range(char *word, uint64_t *ret_from, uint64_t *ret_to) {
        enum { LAST = PROPERTY_BYTES_MAX * 8 - 1 };
        char *dash = strchr(word, '-');

        if (dash)
                *dash++ = 0;
        int r = parse_unsigned(word, 0, LAST, ret_from);
        if (r < 0)
                return r;
        *ret_to = *ret_from;
        return dash ? parse_unsigned(dash, *ret_from, LAST, ret_to) : 0;
}

int property_read_cpus(const char *value, struct property *p) {
        struct strv words = { 0 };
        uint64_t from, to;
        int r = strv_split(&words, value, ", ");

        p->type = PROPERTY_BYTES;
        p->bytes = calloc(1, PROPERTY_BYTES_MAX);
        if (!p->bytes)
                r = -ENOMEM;
        for (size_t i = 0; r == 0 && i < words.count; i++) {
                r = read_range(words.items[i], &from, &to);
                for (uint64_t n = from; r == 0 && n <= to; n++) {
                        p->bytes[n / 8] |= (uint8_t) (1U << (n % 8));
                        if (n / 8 >= p->n_bytes)
                                p->n_bytes = n / 8 + 1;
                }
        }
        strv_free(&words);
        return r;
}

int property_read_rate(const char *value, uint64_t *ret) {
        static const char units[] = "KMGT";
        char digits[24];
        size_t n = strspn(value, "0123456789");
        uint64_t number;

        if (text_equal(value, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        if (n == 0 || n >= sizeof digits)
                return -EINVAL;
        memcpy(digits, value, n);
        digits[n] = 0;
        int r = parse_unsigned(digits, 1, UINT64_MAX, &number);
        if (r < 0)
                return r;
        const char *unit = value[n] ? strchr(units, value[n]) : NULL;
        if (value[n] && (!unit || value[n + 1]))
                return -EINVAL;
        for (const char *u = units; unit && u <= unit; u++)
                if (__builtin_mul_overflow(number, 1000, &number))
                        return -ERANGE;
        *ret = number;
        return 0;
}

static int add_address(struct property *p, const char *text, const char *prefix) {
        struct property_address a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
        uint64_t most = a.family == AF_INET6 ? 128 : 32, bits = most;

        if (p->n_addresses >= PROPERTY_ADDRESSES_MAX)
                return -E2BIG;
        a.size = (size_t) most / 8;
        if (inet_pton(a.family, text, a.bytes) != 1)
                return -EINVAL;
        int r = prefix ? parse_unsigned(prefix, 0, most, &bits) : 0;
        if (r < 0)
                return r;
        a.prefix = (uint32_t) bits;
        /* the manager refuses an address with bits behind the prefix in some versions: clear them */
        for (uint64_t i = bits; i < most; i++)
                a.bytes[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
        p->addresses[p->n_addresses++] = a;
        return 0;
}

int property_read_addresses(const char *value, struct property *p) {
        static const struct {
                const char *word, *four, *four_bits, *six, *six_bits;
        } known[] = { /* systemd.resource-control(5), IPAddressAllow= */
                      { "any", "0.0.0.0", "0", "::", "0" },
                      { "localhost", "127.0.0.0", "8", "::1", "128" },
                      { "link-local", "169.254.0.0", "16", "fe80::", "64" },
                      { "multicast", "224.0.0.0", "4", "ff00::", "8" }
        };
        struct strv words = { 0 };
        int r = strv_split(&words, value, " ");

        p->type = PROPERTY_ADDRESSES;
        p->addresses = calloc(PROPERTY_ADDRESSES_MAX, sizeof *p->addresses);
        if (!p->addresses)
                r = -ENOMEM;
        for (size_t i = 0; r == 0 && i < words.count; i++) {
                size_t k = 0;
                while (k < ELEMENTSOF(known) && !text_equal(known[k].word, words.items[i]))
                        k++;
                if (k < ELEMENTSOF(known)) {
                        r = add_address(p, known[k].four, known[k].four_bits);
                        if (r == 0)
                                r = add_address(p, known[k].six, known[k].six_bits);
                } else {
                        char *slash = strchr(words.items[i], '/');
                        if (slash)
                                *slash++ = 0;
                        r = add_address(p, words.items[i], slash);
                }
        }
        strv_free(&words);
        return r;
}
