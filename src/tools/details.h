/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* All that is known of a machine, and its properties: one table for lines, values and JSON. */

#include "basic/text.h"
#include "launcher/state.h"
#include "tools/look.h"

struct details {
        struct state state;
        struct look look;
        char phase[16];     /* "starting", "running", "ended" */
        char service[16];   /* who has made it */
        char timestamp[64]; /* when it was started */
        uint64_t leader, supervisor;
        uint64_t tasks, memory, cpu_nsec; /* UINT64_MAX: not known */
        char leader_name[64], supervisor_name[64];
};

/* "starting", "running" or "ended". A constant. */
const char *details_phase(const struct state *state);

/* Gathers it of a machine that is there. */
void details_gather(const struct state *state, struct details *ret);

/* How long ago THEN was, at NOW (both in seconds): "2min 4s ago"; empty for what is to come. */
enum { DETAILS_AGO_SIZE = 64 };
void details_ago(uint64_t then, uint64_t now, char ret[static DETAILS_AGO_SIZE]);

/* Prints those properties that have a value as "NAME=VALUE", or as VALUE alone; only the ones in WANTED, whose members
 * may be lists themselves, if it has any. In the table's order, which is machinectl's. */
void details_print(const struct details *d, const struct strv *wanted, bool values_only);

/* Prints them all as one JSON object and a newline. */
void details_print_json(const struct details *d);

/* The name of property I, or NULL behind the last. */
const char *details_property(size_t i);
