/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file that tells of a machine: what is written is what is read, whatever the paths in it are called, and a file
 * that holds anything else does no harm. The reader itself is static, so the source is part of this target. */
#include "launcher/state.c" /* NOLINT(bugprone-suspicious-include) */

#include "fuzz.h"

static void parse(const char *text, struct state *ret) {
        get_string(text, "root", ret->root, sizeof ret->root);
        get_string(text, "log", ret->log, sizeof ret->log);
        get_string(text, "class", ret->class, sizeof ret->class);
        get_string(text, "console", ret->console, sizeof ret->console);
        ret->leader.pid = (pid_t) get_number(text, "leader");
        ret->leader.start = get_number(text, "leader_start");
        ret->started = get_number(text, "started");
}

static void take_path(struct source *in, char *ret, size_t size) {
        const uint8_t *bytes;
        size_t n = take_bytes(in, take_byte(in) % size, &bytes);

        memcpy(ret, bytes, n); /* a NUL ends it */
        ret[n] = 0;
}

static void check_round_trip(struct source in) {
        static struct state s, t;
        char *text = NULL;
        size_t size;

        s = (struct state){ .class = "container", .console = "detached", .name = "x" };
        s.leader.pid = (pid_t) take_number(&in, 65535);
        s.leader.start = take_number(&in, 65535);
        s.started = take_number(&in, 65535);
        take_path(&in, s.root, sizeof s.root);
        take_path(&in, s.log, sizeof s.log);
        MUST(print_state(&s, &text, &size) == 0 && strlen(text) == size);
        MUST(text[size - 1] == '\n' && memchr(text, '\n', size) == text + size - 1);
        parse(text, &t);
        MUST(strcmp(s.root, t.root) == 0 && strcmp(s.log, t.log) == 0 && strcmp(s.class, t.class) == 0);
        MUST(s.leader.pid == t.leader.pid && s.leader.start == t.leader.start && s.started == t.started);
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        static struct state s;
        char *text = take_text(&in);

        parse(text, &s);
        MUST(memchr(s.root, 0, sizeof s.root) && memchr(s.class, 0, sizeof s.class));
        if (state_name_is_valid(text))
                MUST(!strchr(text, '/') && strcmp(text, "..") != 0 && strcmp(text, ".") != 0);
        free(text);
        check_round_trip(in);
        return 0;
}
