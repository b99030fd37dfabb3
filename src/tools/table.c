/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/text.h"
#include "tools/tools.h"

char (*table_add(struct table *t))[TABLE_CELL] {
        void *more = realloc(t->cells, (t->rows + 1) * sizeof *t->cells);

        if (!more)
                return NULL;
        t->cells = more;
        memset(t->cells[t->rows], 0, sizeof *t->cells);
        return t->cells[t->rows++];
}

/* JSON is UTF-8 (RFC 8259): bytes that are none are shown as \xNN. */
void json_string(const char *text) {
        putchar('"');
        for (size_t n; *text; text += n) {
                unsigned char c = (unsigned char) *text;
                n = text_utf8_length(text);
                if (c == '"' || c == '\\')
                        printf("\\%c", c);
                else if (c < 0x20 || c == 0x7f)
                        printf("\\u%04x", c);
                else if (n > 0)
                        printf("%.*s", (int) n, text);
                else
                        printf("\\\\x%02x", c);
                n = n > 0 ? n : 1;
        }
        putchar('"');
}

static void print_key(const char *title) {
        putchar('"');
        for (; *title; title++)
                putchar(tolower((unsigned char) *title));
        putchar('"');
}

static void print_json(const struct table *t) {
        putchar('[');
        for (size_t r = 0; r < t->rows; r++) {
                printf("%s{", r ? "," : "");
                for (size_t c = 0; c < t->columns; c++) {
                        const char *cell = t->cells[r][c];
                        printf("%s", c ? "," : "");
                        print_key(t->titles[c]);
                        putchar(':');
                        if (t->numbers & (1U << c))
                                printf("%s", *cell ? cell : "null");
                        else
                                json_string(cell);
                }
                putchar('}');
        }
        puts("]");
}

static size_t columns_shown(const struct table *t) {
        return t->shown > 0 ? t->shown : t->columns;
}

static void print_line(const struct table *t, const size_t *widths, char (*cells)[TABLE_CELL]) {
        const size_t columns = columns_shown(t);

        for (size_t c = 0; c < columns; c++) {
                char escaped[TABLE_CELL * 4] = "";
                const char *cell = t->titles[c];
                if (cells) {
                        text_escape(escaped, sizeof escaped, *cells[c] ? cells[c] : "-");
                        cell = escaped;
                }
                if (c + 1 < columns)
                        printf("%-*s ", (int) widths[c], cell);
                else
                        puts(cell);
        }
}

void table_print(const struct table *t, bool json, bool legend) {
        size_t widths[TABLE_COLUMNS];

        if (json) {
                print_json(t);
                return;
        }
        for (size_t c = 0; c < columns_shown(t); c++) {
                widths[c] = legend ? strlen(t->titles[c]) : 1;
                for (size_t r = 0; r < t->rows; r++) {
                        char escaped[TABLE_CELL * 4];
                        size_t n = text_escape(escaped, sizeof escaped, t->cells[r][c]);
                        widths[c] = n > widths[c] ? n : widths[c];
                }
        }
        if (legend && t->rows > 0)
                print_line(t, widths, NULL);
        for (size_t r = 0; r < t->rows; r++)
                print_line(t, widths, t->cells[r]);
        if (legend && t->rows > 0)
                printf("\n%zu machine%s listed.\n", t->rows, t->rows == 1 ? "" : "s");
        else if (legend)
                puts("No machines.");
}

void table_free(struct table *t) {
        free(t->cells);
        t->cells = NULL;
        t->rows = 0;
}
