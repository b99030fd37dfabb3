/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The kinds of namespaces (namespaces(7)). */

#include <stddef.h>
#include <stdint.h>

struct namespace_kind {
        const char *name; /* as in /proc/PID/ns */
        uint64_t flag;    /* CLONE_NEW… */
};
extern const struct namespace_kind namespace_table[];
extern const size_t namespace_count;
