/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --property=NAME=VALUE: a property of a scope, as systemd.resource-control(5), systemd.kill(5) and systemd.scope(5)
 * have it, parsed to what the bus carries (org.freedesktop.systemd1(5)). Pure. */

#include <stddef.h>
#include <stdint.h>

#include "basic/error.h"
#include "basic/text.h"

/* What is parsed, by the D-Bus type that carries it. */
enum property_type {
        PROPERTY_BOOLEAN,   /* b: number */
        PROPERTY_U64,       /* t: number */
        PROPERTY_U32,       /* u: number */
        PROPERTY_S32,       /* i: number */
        PROPERTY_STRING,    /* s: words[0] */
        PROPERTY_STRINGS,   /* as: words */
        PROPERTY_BYTES,     /* ay: bytes */
        PROPERTY_PAIRS,     /* a(ss): words, two for each */
        PROPERTY_LIMITS,    /* a(st): words with numbers; at most one */
        PROPERTY_ADDRESSES, /* a(iayu): addresses */
};

struct property_address {
        int family;
        size_t size; /* 4 or 16 */
        uint8_t bytes[16];
        uint32_t prefix;
};

enum { PROPERTY_NAME_SIZE = 64, PROPERTY_BYTES_MAX = 1024, PROPERTY_ADDRESSES_MAX = 64 };

struct property {
        char name[PROPERTY_NAME_SIZE]; /* as on the bus, which may differ from the word given: CPUQuotaPerSecUSec */
        enum property_type type;
        uint64_t number;
        struct strv words;
        uint8_t *bytes;
        size_t n_bytes;
        struct property_address *addresses;
        size_t n_addresses;
};

/* Parses "NAME=VALUE". On success *RET is the caller's to end with property_free(). Returns 0; or -EINVAL (with the
 * property named in *ERROR: unknown, or a value that it cannot have) or -ENOMEM. */
int property_parse(const char *text, struct property *ret, struct error *error);
void property_free(struct property *p);

/* The readers of values, which fill *P but for its name. They return 0 or a negative errno. LIMIT is a whole word:
 * bytes with K M G T, "infinity", or (with SCALE allowed) a percentage, which turns *P to a U32 in parts of 2^32-1. */
int property_read_size(const char *value, struct property *p);
int property_read_quota(const char *value, struct property *p);
int property_read_duration(const char *value, uint64_t *ret_usec);
int property_read_signal(const char *value, struct property *p);
int property_read_cpus(const char *value, struct property *p);
int property_read_addresses(const char *value, struct property *p);
/* "PATH NUMBER": bytes or operations a second with K M G T to the base of 1000, as io.max has them. */
int property_read_rate(const char *value, uint64_t *ret);
/* "50%", "12.5%": in hundredths of a percent. */
int property_read_percent(const char *value, uint64_t max, uint64_t *ret);
