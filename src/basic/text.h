/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Strings, lists of strings, numbers: parsed in one place, whole string, range checked, no wrap. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies TEXT to BUFFER with control bytes and invalid UTF-8 as \xNN; always NUL-terminated, cut to SIZE.
 * Returns the length written. */
size_t text_escape(char *buffer, size_t size, const char *text);

/* The length of the well-formed UTF-8 sequence at TEXT (RFC 3629); 0 if there is none, or it is a C1 control. */
size_t text_utf8_length(const char *text);

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* printf into fresh memory; NULL when there is none left. The caller frees. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Edit distance with transpositions, for "did you mean". Returns SIZE_MAX for words over 64 bytes. */
size_t text_distance(const char *a, const char *b);

/* Whole-string numbers: no sign unless negative numbers are in range, no blanks, decimal (0x… and 0… refused).
 * Return 0, -EINVAL for what is no number, -ERANGE for one outside MIN…MAX. */
int parse_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
int parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret);
/* "1 yes y true t on" and "0 no n false f off", any case. Returns 0 or -EINVAL. */
int parse_boolean(const char *text, bool *ret);
/* A number with an optional suffix K M G T P E (base 1024, optionally followed by B). Returns 0, -EINVAL, -ERANGE. */
int parse_size(const char *text, uint64_t *ret);
/* Seconds with an optional fraction and unit: "5", "1.5s", "500ms", "2min", "1h". Returns 0, -EINVAL, -ERANGE. */
int parse_duration(const char *text, uint64_t *ret_usec);

/* A NULL-terminated list of strings that owns its members. */
struct strv {
        char **items; /* NULL or NULL-terminated */
        size_t count;
};
void strv_free(struct strv *v);
/* Appends a copy of TEXT. Returns 0 or -ENOMEM. */
int strv_add(struct strv *v, const char *text);
int strv_add_format(struct strv *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool strv_contains(const struct strv *v, const char *text);
/* Sets "NAME=…" in an environment list, replacing an earlier value of the same name. ENTRY is "NAME=VALUE".
 * Returns 0 or -ENOMEM. */
int strv_setenv(struct strv *v, const char *entry);
/* The value of NAME in an environment list, or NULL. */
const char *strv_getenv(const struct strv *v, const char *name);
/* Splits TEXT at any byte of SEPARATORS, leaving out empty pieces. Returns 0 or -ENOMEM. */
int strv_split(struct strv *v, const char *text, const char *separators);

/* 128-bit ids, as 32 hexadecimal digits with or without dashes. */
struct id128 {
        uint8_t bytes[16];
};
#define ID128_PLAIN_SIZE 33
#define ID128_DASHED_SIZE 37
int id128_parse(const char *text, struct id128 *ret); /* 0 or -EINVAL; the zero id is invalid */
int id128_random(struct id128 *ret);                  /* version 4, variant 1 (RFC 9562); 0 or a negative errno */
void id128_plain(const struct id128 *id, char buffer[static ID128_PLAIN_SIZE]);
void id128_dashed(const struct id128 *id, char buffer[static ID128_DASHED_SIZE]);
