/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Sets of CPUs (sched_setaffinity(2)). */

#include <sched.h>

#include "basic/error.h"

/* Numbers and ranges separated by commas or spaces: "0-3,7 9". Returns 0 or a negative errno. */
int affinity_parse(const char *text, cpu_set_t *ret, struct error *error);
/* SET in that form, with commas; cut to SIZE. Returns BUFFER. */
const char *affinity_format(const cpu_set_t *set, char *buffer, size_t size);
