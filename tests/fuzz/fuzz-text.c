/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is printed of an image is escaped so that a terminal shows it and obeys nothing; numbers and ids are read whole
 * or not at all. */
#include "basic/text.h"

#include <errno.h>

#include "fuzz.h"

static void check_escape(const char *text, size_t room) {
        char *shown = (char *) exact(room), *again = (char *) exact(room);
        size_t n = text_escape(shown, room, text);

        MUST(n < room && strlen(shown) == n && is_clean(shown, n, ""));
        MUST(text_escape(again, room, shown) == n && strcmp(shown, again) == 0);
        if (strlen(text) < room && is_clean(text, strlen(text), ""))
                MUST(strcmp(shown, text) == 0);
        free(shown);
        free(again);
}

static void check_numbers(const char *text) {
        uint64_t number;
        int64_t with_sign;
        char again[32];
        bool flag;

        if (parse_unsigned(text, 0, UINT64_MAX, &number) == 0) {
                snprintf(again, sizeof again, "%llu", (unsigned long long) number);
                MUST(strcmp(text, again) == 0);
        }
        if (parse_signed(text, INT64_MIN, INT64_MAX, &with_sign) == 0) {
                snprintf(again, sizeof again, "%lld", (long long) with_sign);
                MUST(strcmp(text, again) == 0 || strcmp(text, "-0") == 0);
        }
        if (parse_unsigned(text, 10, 100, &number) == 0)
                MUST(number >= 10 && number <= 100);
        (void) parse_size(text, &number);
        (void) parse_duration(text, &number);
        (void) parse_boolean(text, &flag);
}

static void check_id(const char *text) {
        char plain[ID128_PLAIN_SIZE], dashed[ID128_DASHED_SIZE];
        struct id128 id, again;

        if (id128_parse(text, &id) < 0)
                return;
        id128_plain(&id, plain);
        id128_dashed(&id, dashed);
        MUST(strlen(plain) == 32 && strlen(dashed) == 36);
        MUST(id128_parse(plain, &again) == 0 && memcmp(&id, &again, sizeof id) == 0);
        MUST(id128_parse(dashed, &again) == 0 && memcmp(&id, &again, sizeof id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        size_t room = 1 + take_number(&in, 300);
        char *text = take_text(&in);

        check_escape(text, room);
        check_numbers(text);
        check_id(text);
        MUST(text_distance(text, text) == 0 || strlen(text) > 64);
        free(text);
        return 0;
}
