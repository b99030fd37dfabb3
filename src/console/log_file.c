/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/log_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "console/output_file.h"
#include "console/plain.h"

#define CHUNK 4096    /* bytes of the console that are looked at in one go */
#define STAMP_SIZE 26 /* "2026-11-24T03:05:51.123Z " and a NUL */
#define PENDING_SIZE (64 * 1024)

struct log_file {
        struct log_file_options options;
        struct output_file file;
        struct plain plain;
        uint64_t used; /* bytes in the file */
        bool in_line;  /* its last line is unfinished */
        bool stopped;  /* a write has failed */
        bool paused;
        size_t pending_used; /* what is to be written to the file next; it all fits */
        char pending[PENDING_SIZE];
};

static void stop(struct log_file *l, int error) {
        l->stopped = true;
        errno = -error;
        log_warning("cannot write %s: %m: the console is no longer logged", l->options.path);
}

static void flush(struct log_file *l) {
        int r = l->stopped ? 0 : output_file_write(&l->file, l->pending, l->pending_used);

        l->pending_used = 0;
        if (r < 0)
                stop(l, r);
}

static void rotate(struct log_file *l) {
        flush(l);
        int r = l->stopped ? 0 : output_file_rotate(&l->file, l->options.rotate);
        l->used = 0;
        if (r < 0)
                stop(l, r);
}

/* Cuts at the cap, so that the files one after the other are what was written. */
static void put(struct log_file *l, const char *data, size_t size) {
        while (size > 0 && !l->stopped) {
                if (l->used >= l->options.size)
                        rotate(l);
                if (l->pending_used == sizeof l->pending)
                        flush(l);
                size_t n = sizeof l->pending - l->pending_used;
                n = n < size ? n : size;
                if (n > l->options.size - l->used)
                        n = (size_t) (l->options.size - l->used);
                memcpy(l->pending + l->pending_used, data, n);
                l->pending_used += n;
                l->used += n;
                data += n;
                size -= n;
        }
}

static void put_raw(void *userdata, const uint8_t *data, size_t size) {
        struct log_file *l = userdata;

        if (l->paused)
                return;
        put(l, (const char *) data, size);
        flush(l);
}

static size_t make_stamp(char stamp[static STAMP_SIZE]) {
        struct timespec now;
        struct tm utc;

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        size_t n = strftime(stamp, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
        n += (size_t) snprintf(stamp + n, STAMP_SIZE - n, ".%03uZ ", (unsigned) (now.tv_nsec / 1000000) % 1000);
        return n;
}

/* A line, or a piece of one. */
static void put_line(struct log_file *l, const char *stamp, size_t stamp_size, const char *data, size_t size) {
        if (!l->in_line) {
                /* A line goes whole into one file, if it is no longer than that. */
                if (l->used > 0 && l->used + stamp_size + size > l->options.size)
                        rotate(l);
                put(l, stamp, stamp_size);
        }
        put(l, data, size);
        l->in_line = data[size - 1] != '\n';
}

static void put_text(void *userdata, const uint8_t *data, size_t size) {
        struct log_file *l = userdata;
        char stamp[STAMP_SIZE], text[CHUNK + PLAIN_EXTRA];
        size_t stamp_size;

        if (l->paused)
                return;
        stamp_size = make_stamp(stamp);
        while (size > 0 && !l->stopped) {
                size_t n = size < CHUNK ? size : CHUNK;
                size_t length = plain_filter(&l->plain, data, n, (uint8_t *) text);
                for (size_t at = 0; at < length;) {
                        const char *end = memchr(text + at, '\n', length - at);
                        size_t piece = end ? (size_t) (end - (text + at)) + 1 : length - at;
                        put_line(l, stamp, stamp_size, text + at, piece);
                        at += piece;
                }
                data += n;
                size -= n;
        }
        flush(l);
}

int log_file_open(const struct log_file_options *options, struct log_file **ret, struct error *e) {
        struct log_file *l = calloc(1, sizeof *l);
        struct stat st = {};
        int r;

        if (!l)
                return error_memory(e);
        l->options = *options;
        l->file = OUTPUT_FILE_NONE;
        r = output_file_open(options->path, &l->file, e);
        if (r == 0 && fstat(l->file.fd, &st) < 0)
                r = error_set(e, errno, "cannot look at %s: %m", options->path);
        if (r < 0) {
                output_file_close(&l->file);
                free(l);
                return r;
        }
        l->options.path = l->file.path;
        l->used = (uint64_t) st.st_size;
        *ret = l;
        return 0;
}

struct console_sink log_file_sink(struct log_file *l) {
        return (struct console_sink){ .userdata = l, .output = l->options.raw ? put_raw : put_text };
}

static void end_line(struct log_file *l) {
        if (l->in_line)
                put(l, "\n", 1);
        l->in_line = false;
}

bool log_file_toggle(struct log_file *l) {
        static const char paused[] = "--- the log was paused here ---\n", goes_on[] = "--- and goes on here ---\n";
        char stamp[STAMP_SIZE];

        l->paused = !l->paused;
        if (!l->options.raw) {
                end_line(l);
                put_line(l, stamp, make_stamp(stamp), l->paused ? paused : goes_on,
                         (l->paused ? sizeof paused : sizeof goes_on) - 1);
                flush(l);
        }
        return l->paused;
}

struct log_file *log_file_close(struct log_file *l) {
        if (!l)
                return NULL;
        end_line(l);
        flush(l);
        output_file_close(&l->file);
        free(l);
        return NULL;
}
