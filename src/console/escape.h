/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The escape key: pressed three times within a second it ends the container; twice and then a lower-case letter, "?"
 * or "." is a command. Nothing is swallowed or delayed: this only watches bytes go by. Pure: no descriptors, no clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ESCAPE_KEY_DEFAULT 0x1D /* Ctrl-] */
#define ESCAPE_KEY_NONE (-1)
#define ESCAPE_WINDOW_USEC 1000000
#define ESCAPE_NAME_SIZE 5

/* Parses the name of a key: "^]", "^a" and their like (caret notation of the control characters) or "none". Returns 0
 * or -EINVAL. */
int escape_parse(const char *text, int *ret_key);
/* Writes that name. Returns NAME. */
const char *escape_name(int key, char name[static ESCAPE_NAME_SIZE]);

enum escape_hit {
        ESCAPE_NOTHING,
        ESCAPE_KILL,    /* the key three times */
        ESCAPE_COMMAND, /* the key twice, then a letter a to z, a question mark or a full stop */
};

struct escape {
        int key;             /* a byte, or ESCAPE_KEY_NONE */
        unsigned presses;    /* since the first of the window, 0 to 2 */
        uint64_t first_usec; /* when the first was pressed */
};

/* What a letter means after the key twice. The letter does not reach the payload if it is one of these; the key always
 * has already. */
struct escape_choice {
        char letter;
        bool writes; /* not for those who only look */
        const char *help;
};
#define ESCAPE_CHOICES 6u
extern const struct escape_choice escape_menu[ESCAPE_CHOICES];
/* The entry of LETTER, or NULL. */
const struct escape_choice *escape_choose(char letter);
/* Prints the list, for KEY. It has been asked for: --quiet does not hide it. */
void escape_print_menu(int key);

/* Looks at SIZE bytes read at NOW_USEC (any monotonic clock). Stops behind the first hit: *RET_SEEN is how many bytes
 * were looked at, so that the caller can go on with the rest; *RET_LETTER is set with ESCAPE_COMMAND only. The second
 * counts from the first press; a press after it begins a new count; any other byte resets. */
enum escape_hit escape_scan(struct escape *escape, const void *data, size_t size, uint64_t now_usec, size_t *ret_seen,
                            char *ret_letter);
