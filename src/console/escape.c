/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console/escape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "basic/log.h"

/* In caret notation a control character is the letter or sign 0x40 above it. DEL and what lies beyond are no keys that
 * one can rely on, and NUL, ^@, is what a terminal sends for Ctrl-Space. */
int escape_parse(const char *text, int *ret_key) {
        if (strcmp(text, "none") == 0) {
                *ret_key = ESCAPE_KEY_NONE;
                return 0;
        }
        if (text[0] != '^' || !text[1] || text[2])
                return -EINVAL;
        int sign = text[1] >= 'a' && text[1] <= 'z' ? text[1] - 'a' + 'A' : text[1];
        if (sign < '@' || sign > '_')
                return -EINVAL;
        *ret_key = sign - '@';
        return 0;
}

const char *escape_name(int key, char name[static ESCAPE_NAME_SIZE]) {
        if (key == ESCAPE_KEY_NONE)
                snprintf(name, ESCAPE_NAME_SIZE, "none");
        else
                snprintf(name, ESCAPE_NAME_SIZE, "^%c", (char) (key + '@'));
        return name;
}

const struct escape_choice escape_menu[ESCAPE_CHOICES] = {
        { 'd', false, "leave, the container goes on" },
        { 'p', true, "power off" },
        { 'r', true, "reboot" },
        { 'l', true, "pause the log, or go on with it" },
        { '.', false, "nothing: for a console within this one, whose key comes next" },
        { '?', false, "this list" },
};

const struct escape_choice *escape_choose(char letter) {
        for (size_t i = 0; i < ESCAPE_CHOICES; i++)
                if (escape_menu[i].letter == letter)
                        return &escape_menu[i];
        return NULL;
}

void escape_print_menu(int key) {
        char name[ESCAPE_NAME_SIZE];

        escape_name(key, name);
        for (size_t i = 0; i < ESCAPE_CHOICES; i++)
                log_warning("%s %s %c  %s", name, name, escape_menu[i].letter, escape_menu[i].help);
        log_warning("%s %s %s kill; all within a second", name, name, name);
}

/* One more byte. Returns what it completes. */
static enum escape_hit step(struct escape *escape, uint8_t byte, uint64_t now_usec, char *ret_letter) {
        bool fresh = escape->presses > 0 && now_usec - escape->first_usec <= ESCAPE_WINDOW_USEC;
        unsigned before = fresh ? escape->presses : 0;

        escape->presses = 0;
        if (byte == (uint8_t) escape->key) {
                if (before == 0)
                        escape->first_usec = now_usec;
                if (before == 2)
                        return ESCAPE_KILL;
                escape->presses = before + 1;
        } else if (before == 2 && ((byte >= 'a' && byte <= 'z') || byte == '?' || byte == '.')) {
                *ret_letter = (char) byte;
                return ESCAPE_COMMAND;
        }
        return ESCAPE_NOTHING;
}

enum escape_hit escape_scan(struct escape *escape, const void *data, size_t size, uint64_t now_usec, size_t *ret_seen,
                            char *ret_letter) {
        const uint8_t *bytes = data;
        size_t i = 0;

        if (escape->key < 0) {
                *ret_seen = size;
                return ESCAPE_NOTHING;
        }
        while (i < size) {
                if (escape->presses == 0) { /* nothing has begun: only the key itself matters */
                        const uint8_t *key = memchr(bytes + i, escape->key, size - i);
                        if (!key)
                                break;
                        i = (size_t) (key - bytes);
                }
                enum escape_hit hit = step(escape, bytes[i++], now_usec, ret_letter);
                if (hit != ESCAPE_NOTHING) {
                        *ret_seen = i;
                        return hit;
                }
        }
        *ret_seen = size;
        return ESCAPE_NOTHING;
}
