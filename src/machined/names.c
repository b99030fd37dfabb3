/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machined/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"

static const char hex[] = "0123456789abcdef";

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Not isalpha(): the locale has no say in a protocol. */
static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Copies TEXT, turning '/' to '-' and each byte for which neither a letter, a digit nor one of PLAIN stands to \xNN
 * (systemd.unit(5), "String escaping for inclusion in unit names"). Returns the length, SIZE or more if cut. */
static size_t escape(char *buffer, size_t size, const char *text, const char *plain) {
        size_t n = 0;

        for (const char *p = text; *p; p++) {
                unsigned char c = (unsigned char) *p;
                bool keep = is_letter(*p) || is_digit(*p) || (strchr(plain, *p) && !(p == text && *p == '.'));
                char piece[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };
                size_t length = 4;

                if (keep || *p == '/') {
                        piece[0] = keep ? *p : '-';
                        length = 1;
                }
                for (size_t i = 0; i < length; i++, n++)
                        if (n < size)
                                buffer[n] = piece[i];
        }
        buffer[n < size ? n : size - 1] = 0;
        return n;
}

int names_scope(const char *name, char ret[static UNIT_NAME_SIZE], struct error *error) {
        char escaped[UNIT_NAME_SIZE];
        size_t n = escape(escaped, sizeof escaped, name, ":_.");

        if (n + strlen("machine-.scope") >= UNIT_NAME_SIZE)
                return error_set(error, ENAMETOOLONG, "the machine name %s is too long for a scope", name);
        snprintf(ret, UNIT_NAME_SIZE, "machine-%.*s.scope", (int) n, escaped);
        return 0;
}

int names_slice(const char *text, char ret[static UNIT_NAME_SIZE], struct error *error) {
        static const char *const others[] = { ".service", ".socket", ".device", ".mount", ".automount",
                                              ".swap",    ".target", ".path",   ".timer", ".scope" };
        char stem[UNIT_NAME_SIZE];

        if (!*text || *text == '/' || *text == '.')
                return error_set(error, EINVAL, "\"%s\" is no name of a slice", text);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (text_ends_with(text, others[i]))
                        return error_set(error, EINVAL, "%s is a unit of another kind than a slice", text);
        size_t n = escape(stem, sizeof stem, text, ":_.-\\@");
        if (n + strlen(".slice") >= UNIT_NAME_SIZE)
                return error_set(error, ENAMETOOLONG, "the name of the slice is too long: %s", text);
        if (text_ends_with(stem, ".slice"))
                stem[n -= strlen(".slice")] = 0;
        bool root = text_equal(stem, "-");
        if (n == 0 || strchr(stem, '@') ||
            (!root && (stem[0] == '-' || stem[n - 1] == '-' || strstr(stem, "--") != NULL)))
                return error_set(error, EINVAL, "\"%s\" is no name of a slice", text);
        snprintf(ret, UNIT_NAME_SIZE, "%.*s.slice", (int) n, stem);
        return 0;
}

void names_unit_path(const char *unit, char ret[static UNIT_PATH_SIZE]) {
        size_t n = (size_t) snprintf(ret, UNIT_PATH_SIZE, "/org/freedesktop/systemd1/unit/%s", *unit ? "" : "_");

        for (const char *p = unit; *p && n + 4 < UNIT_PATH_SIZE; p++) {
                unsigned char c = (unsigned char) *p;
                if (is_letter(*p) || (is_digit(*p) && p != unit)) {
                        ret[n++] = *p;
                } else {
                        ret[n++] = '_';
                        ret[n++] = hex[c >> 4];
                        ret[n++] = hex[c & 15];
                }
        }
        ret[n] = 0;
}
