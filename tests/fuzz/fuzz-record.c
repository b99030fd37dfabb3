/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the payload writes and however it is cut: each line of a recording is JSON (RFC 8259), and the strings of
 * its events are what was written, with U+FFFD for what is no UTF-8. */
#include "console/record.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "fuzz.h"

static char path[4096];

static void remove_file(void) {
        unlink(path);
}

static void make_file(void) {
        static bool made;

        if (made)
                return;
        const char *folder = getenv("TMPDIR");
        snprintf(path, sizeof path, "%s/fuzz-record-XXXXXX", folder ? folder : "/tmp");
        int fd = mkstemp(path);
        MUST(fd >= 0 && atexit(remove_file) == 0);
        fd_close(fd);
        made = true;
}

/* ---- a reader of JSON: just so much that nothing else passes ---- */

static const char *skip(const char *p, const char *text) {
        MUST(strncmp(p, text, strlen(text)) == 0);
        return p + strlen(text);
}

static const char *skip_number(const char *p) {
        size_t n = strspn(p, "0123456789");

        MUST(n > 0 && (n == 1 || *p != '0'));
        return p + n;
}

/* Appends what the string means to TO, if that is not NULL. */
static const char *read_string(const char *p, char *to, size_t *used) {
        for (p = skip(p, "\""); *p != '"'; p++) {
                char byte = *p;
                MUST((unsigned char) byte >= 0x20);
                if (byte == '\\') {
                        unsigned code = 0;
                        byte = *++p;
                        MUST(byte && strchr("\"\\/bfnrtu", byte));
                        byte = byte == 'n' ? '\n' : byte == 'r' ? '\r' : byte;
                        if (byte == 'u') {
                                MUST(sscanf(p + 1, "%4x", &code) == 1 && code < 0x80);
                                p += 4;
                                byte = (char) code;
                        }
                }
                if (to)
                        to[(*used)++] = byte;
        }
        return p + 1;
}

static const char *read_header(const char *p) {
        p = skip_number(skip(p, "{\"version\": 2, \"width\": "));
        p = skip_number(skip(p, ", \"height\": "));
        p = skip_number(skip(p, ", \"timestamp\": "));
        p = read_string(skip(p, ", \"env\": {\"TERM\": "), NULL, NULL);
        return skip(p, "}}\n");
}

static const char *read_event(const char *p, char *shown, size_t *used) {
        p = skip_number(skip(p, "["));
        MUST(strspn(p + 1, "0123456789") == 6);
        p = skip(skip(p, ".") + 6, ", \"");
        char kind = *p++;
        p = skip(p, "\", ");
        MUST(kind == 'o' || kind == 'r');
        p = read_string(p, kind == 'o' ? shown : NULL, used);
        return skip(p, "]\n");
}

/* ---- what is expected ---- */

/* Each byte that is part of no character becomes U+FFFD, those that begin the same one become one (Unicode, 3.9,
 * U+FFFD Substitution of Maximal Subparts). */
static size_t cut_short(const uint8_t *data, size_t size) {
        static const uint8_t completions[] = { 0x80, 0x90, 0xa0 };
        size_t best = 1;

        for (size_t n = 1; n < 4 && n <= size; n++)
                for (size_t i = 0; i < sizeof completions; i++)
                        for (size_t more = 1; n + more <= 4; more++) {
                                uint8_t whole[4];
                                memcpy(whole, data, n);
                                memset(whole + n, completions[i], more);
                                if (character_length(whole, n + more) == n + more)
                                        best = n;
                        }
        return best;
}

static size_t expect(const uint8_t *data, size_t size, char *to) {
        size_t used = 0;

        for (size_t i = 0; i < size;) {
                size_t n = character_length(data + i, size - i);
                memcpy(to + used, n > 0 ? (const char *) data + i : "\357\277\275", n > 0 ? n : 3);
                used += n > 0 ? n : 3;
                i += n > 0 ? n : cut_short(data + i, size - i);
        }
        return used;
}

static void write_recording(struct source *in, const char *terminal) {
        struct cuts cuts = take_cuts(in);
        struct record_options o = { .path = path, .terminal = terminal };
        struct winsize size = { .ws_row = take_byte(in), .ws_col = take_byte(in) };
        struct record *r;

        MUST(record_open(&o, &r, NULL) == 0);
        struct console_sink sink = record_sink(r, NULL);
        sink.resized(sink.userdata, &size);
        for (size_t at = 0, piece; at < in->size; at += piece) {
                piece = next_cut(&cuts, in->size - at);
                uint8_t *copy = exact(piece);
                memcpy(copy, in->data + at, piece);
                sink.output(sink.userdata, copy, piece);
                free(copy);
                if (piece % 16 == 15) {
                        size.ws_row++;
                        sink.resized(sink.userdata, &size);
                }
        }
        record_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        char terminal[16] = "", *text;
        size_t text_size, used = 0;

        make_file();
        for (size_t i = 0, n = take_byte(&in) % sizeof terminal; i < n; i++)
                terminal[i] = (char) take_byte(&in);
        write_recording(&in, terminal);

        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        MUST(fd >= 0 && fd_read_file(fd, 1 << 24, &text, &text_size) == 0);
        MUST(strlen(text) == text_size);
        for (size_t i = 0, n; i < text_size; i += n) {
                n = character_length((uint8_t *) text + i, text_size - i);
                MUST(n > 0 && (n > 1 || text[i] >= 0x20 || text[i] == '\n'));
        }
        char *shown = (char *) exact(text_size), *expected = (char *) exact(3 * in.size);
        const char *p = read_header(text);
        while (*p)
                p = read_event(p, shown, &used);
        size_t n = expect(in.data, in.size, expected);
        MUST(used == n && memcmp(shown, expected, n) == 0);
        free(shown);
        free(expected);
        free(text);
        return 0;
}
