/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "console/output_file.h"
#include "console/utf8.h"

#define BUFFER_SIZE (64 * 1024)
#define REPLACEMENT "\357\277\275" /* U+FFFD */

struct record {
        struct output_file file;
        const struct console *console;
        char *terminal;
        bool input;
        bool begun;   /* the header is there */
        bool stopped; /* a write has failed */
        uint64_t start_usec;
        struct winsize size;
        struct utf8 shown, typed;
        uint64_t written; /* bytes in the file */
        uint64_t whole;   /* … up to the end of its last whole line */
        size_t used;
        char buffer[BUFFER_SIZE];
};

/* How many bytes of BUFFER go up to the end of its last line. A line end within a string is escaped, so this is one.
 */
static size_t whole_lines(const char *buffer, size_t size) {
        const char *end = size > 0 ? memrchr(buffer, '\n', size) : NULL;

        return end ? (size_t) (end - buffer) + 1 : 0;
}

/* A part of what was to be written is in the file: half an event goes, so that the rest can be played. */
static void stop(struct record *r, int error) {
        struct stat st;

        r->stopped = true;
        if (fstat(r->file.fd, &st) == 0 && (uint64_t) st.st_size >= r->written) {
                uint64_t more = (uint64_t) st.st_size - r->written;
                size_t lines = whole_lines(r->buffer, more < r->used ? (size_t) more : r->used);
                (void) !ftruncate(r->file.fd, (off_t) (lines > 0 ? r->written + lines : r->whole));
        }
        errno = -error;
        log_warning("cannot write %s: %m: the console is no longer recorded", r->file.path);
}

bool record_pending(const struct record *r) {
        return r->used > 0 && !r->stopped;
}

void record_flush(struct record *r) {
        if (record_pending(r)) {
                int error = output_file_write(&r->file, r->buffer, r->used);
                size_t lines = whole_lines(r->buffer, r->used);
                if (error < 0)
                        stop(r, error);
                if (lines > 0)
                        r->whole = r->written + lines;
                r->written += r->used;
        }
        r->used = 0;
}

static void put(struct record *r, const char *data, size_t size) {
        if (size > sizeof r->buffer - r->used)
                record_flush(r);
        memcpy(r->buffer + r->used, data, size);
        r->used += size;
}

static void put_text(struct record *r, const char *text) {
        put(r, text, strlen(text));
}

/* One character of a string (RFC 8259, section 7). */
static void put_character(struct record *r, const uint8_t *bytes, size_t size) {
        char escaped[8];

        if (bytes[0] == '"' || bytes[0] == '\\')
                put(r, escaped, (size_t) snprintf(escaped, sizeof escaped, "\\%c", bytes[0]));
        else if (bytes[0] == '\n')
                put(r, "\\n", 2);
        else if (bytes[0] == '\r')
                put(r, "\\r", 2);
        else if (bytes[0] < 0x20 || bytes[0] == 0x7f)
                put(r, escaped, (size_t) snprintf(escaped, sizeof escaped, "\\u%04x", bytes[0]));
        else
                put(r, (const char *) bytes, size);
}

static void put_string(struct record *r, const char *text) {
        struct utf8 u = { 0 };

        put_text(r, "\"");
        for (const char *p = text; *p;) {
                enum utf8_step step = utf8_step(&u, (uint8_t) *p);
                p += step != UTF8_BROKEN;
                if (step == UTF8_WHOLE)
                        put_character(r, u.bytes, u.have);
                else if (step != UTF8_MORE)
                        put_text(r, REPLACEMENT);
        }
        put_text(r, "\"");
}

static void begin_event(struct record *r, char kind) {
        uint64_t at = clock_usec() - r->start_usec;
        char text[64];

        put(r, text,
            (size_t) snprintf(text, sizeof text, "[%" PRIu64 ".%06u, \"%c\", \"", at / 1000000,
                              (unsigned) (at % 1000000), kind));
}

/* An event with as many characters of DATA as are whole, none if there are none. */
static void put_event(struct record *r, char kind, struct utf8 *u, const uint8_t *data, size_t size) {
        bool begun = false;

        for (size_t i = 0; i < size && !r->stopped;) {
                enum utf8_step step = utf8_step(u, data[i]);
                i += step != UTF8_BROKEN;
                if (step == UTF8_MORE)
                        continue;
                if (!begun)
                        begin_event(r, kind);
                begun = true;
                if (step == UTF8_WHOLE)
                        put_character(r, u->bytes, u->have);
                else
                        put_text(r, REPLACEMENT);
        }
        if (begun)
                put_text(r, "\"]\n");
}

static void on_output(void *userdata, const uint8_t *data, size_t size) {
        struct record *r = userdata;

        if (r->begun && !r->stopped)
                put_event(r, 'o', &r->shown, data, size);
}

/* What the PTY does not echo may be a password: it is in no recording. */
static void on_input(void *userdata, const uint8_t *data, size_t size) {
        struct record *r = userdata;

        if (r->begun && !r->stopped && console_input_echoed(r->console))
                put_event(r, 'i', &r->typed, data, size);
}

static void put_header(struct record *r) {
        struct timespec now;
        char text[128];

        clock_gettime(CLOCK_REALTIME, &now);
        r->start_usec = clock_usec();
        put(r, text,
            (size_t) snprintf(text, sizeof text,
                              "{\"version\": 2, \"width\": %u, \"height\": %u, \"timestamp\": %" PRId64,
                              r->size.ws_col, r->size.ws_row, (int64_t) now.tv_sec));
        if (r->terminal) {
                put_text(r, ", \"env\": {\"TERM\": ");
                put_string(r, r->terminal);
                put_text(r, "}");
        }
        put_text(r, "}\n");
        r->begun = true;
}

static void on_resized(void *userdata, const struct winsize *size) {
        struct record *r = userdata;
        bool same = size->ws_col == r->size.ws_col && size->ws_row == r->size.ws_row;
        char text[32];

        r->size = *size;
        if (!r->begun) {
                put_header(r);
        } else if (!same && !r->stopped) {
                begin_event(r, 'r');
                put(r, text, (size_t) snprintf(text, sizeof text, "%ux%u\"]\n", size->ws_col, size->ws_row));
        }
}

int record_open(const struct record_options *options, struct record **ret, struct error *e) {
        struct record *r = calloc(1, sizeof *r);
        int error;

        if (!r)
                return error_memory(e);
        r->file = OUTPUT_FILE_NONE;
        r->input = options->input;
        r->terminal = options->terminal ? strdup(options->terminal) : NULL;
        error = options->terminal && !r->terminal ? error_memory(e) : output_file_open(options->path, &r->file, e);
        if (error == 0) {
                error = output_file_rotate(&r->file, 0);
                if (error < 0)
                        error_set(e, -error, "cannot empty %s: %m", options->path);
        }
        if (error < 0) {
                (void) record_close(r);
                return error;
        }
        *ret = r;
        return 0;
}

struct console_sink record_sink(struct record *r, const struct console *console) {
        r->console = console;
        return (struct console_sink){
                .userdata = r, .output = on_output, .input = r->input ? on_input : NULL, .resized = on_resized
        };
}

struct record *record_close(struct record *r) {
        if (!r)
                return NULL;
        if (r->begun && !r->stopped && utf8_open(&r->shown)) { /* what is held back will never be whole */
                begin_event(r, 'o');
                put_text(r, REPLACEMENT "\"]\n");
        }
        record_flush(r);
        output_file_close(&r->file);
        free(r->terminal);
        free(r);
        return NULL;
}
