/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Resource limits (getrlimit(2)). */

#include <sys/resource.h>

#include "basic/error.h"

#define LIMIT_TEXT_SIZE 24

/* "NAME=VALUE" or "NAME=SOFT:HARD"; NAME with or without RLIMIT_, any case; values are numbers, "infinity", sizes with
 * a suffix for limits in bytes, times for CPU (seconds) and RTTIME (microseconds), nice levels "+N" and "-N" for NICE.
 * Returns 0 or a negative errno; *RET_RESOURCE is RLIMIT_…. */
int limit_parse(const char *text, int *ret_resource, struct rlimit *ret, struct error *error);
/* "RLIMIT_NOFILE", or NULL. */
const char *limit_name(int resource);
/* A value as text: a number or "infinity". Returns BUFFER. */
const char *limit_format(rlim_t value, char buffer[static LIMIT_TEXT_SIZE]);
void limit_list(void); /* prints all names, one a line */

/* What the kernel gives a first process, whatever the caller of spawn runs with. NR_OPEN is fs.nr_open; NPROC and
 * SIGPENDING are those of the host's PID 1, whose defaults depend on the memory. */
void limits_defaults(struct rlimit limits[static RLIM_NLIMITS], rlim_t nr_open, const struct rlimit *nproc,
                     const struct rlimit *sigpending);

/* Sets all of LIMITS for the calling process, as close as its own hard limits and capabilities allow: without
 * CAP_SYS_RESOURCE a hard limit cannot be raised, and that is no error. Returns 0 or a negative errno. */
int limits_apply(const struct rlimit limits[static RLIM_NLIMITS], struct error *error);
