/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What can be seen of a machine by its first process: its system and its addresses. All of it is the payload's to say,
 * and is to be escaped when it is printed. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/state.h"

enum { LOOK_ADDRESSES = 32 };

/* os-release(5); empty where it says nothing. */
struct os_release {
        char id[64], version[64], pretty[256];
};

struct look {
        struct os_release os;
        char addresses[LOOK_ADDRESSES][INET6_ADDRSTRLEN];
        uint32_t address_count, addresses_left_out;
};

/* Looks at all COUNT machines, by their first processes (one without: nothing is found), in a process apart; a machine
 * that makes it wait is left, empty, after a second. RET has COUNT elements. */
void look_at(const struct process_id *leaders, size_t count, struct look *ret);

/* Reads os-release(5) below the directory ROOT, which is hostile. Returns 0 or a negative errno. May wait: look_at()
 * does it apart. */
int look_os_release(int root, struct os_release *ret);

/* The same of its content, which is changed. */
void look_parse_os_release(char *text, struct os_release *ret);

/* One address of an interface. */
struct address {
        int family; /* AF_INET, AF_INET6 */
        unsigned interface;
        uint8_t bytes[16]; /* of AF_INET the first four */
};

/* IPv4 first, then those that lead further before those of the link; then by interface. For qsort(3). */
int look_compare_addresses(const void *a, const void *b);
