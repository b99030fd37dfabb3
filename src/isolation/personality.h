/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Execution domains (personality(2)): the architecture that uname(2) shows. */

#include "basic/error.h"

/* The names that this build's processor runs. Returns 0 or -EINVAL with the list of them. */
int personality_parse(const char *text, unsigned long *ret, struct error *error);
/* The name of VALUE, or NULL. */
const char *personality_name(unsigned long value);
