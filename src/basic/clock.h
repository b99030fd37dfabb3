/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The time since some moment in the past, which nobody sets: CLOCK_MONOTONIC of clock_gettime(2). */

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static inline uint64_t clock_msec(void) {
        return clock_usec() / 1000;
}
