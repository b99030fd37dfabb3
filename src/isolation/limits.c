/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "basic/fd.h"
#include "basic/text.h"

enum unit { COUNT, BYTES, SECONDS, MICROSECONDS, NICENESS };

static const struct {
        const char *name;
        enum unit unit;
        rlim_t soft, hard; /* of a first process */
} table[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = { "RLIMIT_CPU", SECONDS, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_FSIZE] = { "RLIMIT_FSIZE", BYTES, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_DATA] = { "RLIMIT_DATA", BYTES, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_STACK] = { "RLIMIT_STACK", BYTES, 8 * 1024 * 1024, RLIM_INFINITY },
        [RLIMIT_CORE] = { "RLIMIT_CORE", BYTES, 0, RLIM_INFINITY },
        [RLIMIT_RSS] = { "RLIMIT_RSS", BYTES, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_NPROC] = { "RLIMIT_NPROC", COUNT, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_NOFILE] = { "RLIMIT_NOFILE", COUNT, 1024, 512 * 1024 },
        [RLIMIT_MEMLOCK] = { "RLIMIT_MEMLOCK", BYTES, 8 * 1024 * 1024, 8 * 1024 * 1024 },
        [RLIMIT_AS] = { "RLIMIT_AS", BYTES, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_LOCKS] = { "RLIMIT_LOCKS", COUNT, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_SIGPENDING] = { "RLIMIT_SIGPENDING", COUNT, RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_MSGQUEUE] = { "RLIMIT_MSGQUEUE", BYTES, 819200, 819200 },
        [RLIMIT_NICE] = { "RLIMIT_NICE", NICENESS, 0, 0 },
        [RLIMIT_RTPRIO] = { "RLIMIT_RTPRIO", COUNT, 0, 0 },
        [RLIMIT_RTTIME] = { "RLIMIT_RTTIME", MICROSECONDS, RLIM_INFINITY, RLIM_INFINITY },
};

const char *limit_name(int resource) {
        return resource >= 0 && resource < RLIM_NLIMITS ? table[resource].name : NULL;
}

const char *limit_format(rlim_t value, char buffer[static LIMIT_TEXT_SIZE]) {
        if (value == RLIM_INFINITY)
                snprintf(buffer, LIMIT_TEXT_SIZE, "infinity");
        else
                snprintf(buffer, LIMIT_TEXT_SIZE, "%llu", (unsigned long long) value);
        return buffer;
}

void limit_list(void) {
        for (int i = 0; i < RLIM_NLIMITS; i++)
                printf("%s\n", table[i].name);
}

static int find(const char *name, size_t size) {
        for (int i = 0; i < RLIM_NLIMITS; i++) {
                const char *bare = table[i].name + strlen("RLIMIT_");
                if ((strlen(table[i].name) == size && strncasecmp(name, table[i].name, size) == 0) ||
                    (strlen(bare) == size && strncasecmp(name, bare, size) == 0))
                        return i;
        }
        return -EINVAL;
}

/* Nice level N may be reached with a limit of 20 - N (getrlimit(2), RLIMIT_NICE). */
static int parse_niceness(const char *text, rlim_t *ret) {
        int64_t level;
        uint64_t raw;

        if (*text == '-') {
                int r = parse_signed(text, -20, 0, &level);
                if (r >= 0)
                        *ret = (rlim_t) (20 - level);
                return r;
        }
        if (*text == '+') {
                int r = parse_unsigned(text + 1, 0, 19, &raw);
                if (r >= 0)
                        *ret = 20 - raw;
                return r;
        }
        int r = parse_unsigned(text, 0, 40, &raw);
        if (r >= 0)
                *ret = raw;
        return r;
}

static int parse_time(const char *text, uint64_t unit_usec, rlim_t *ret) {
        uint64_t value;

        /* A bare number is in the limit's own unit. */
        if (parse_unsigned(text, 0, RLIM_INFINITY - 1, &value) == 0) {
                *ret = value;
                return 0;
        }
        int r = parse_duration(text, &value);
        if (r >= 0)
                *ret = value / unit_usec + (value % unit_usec != 0);
        return r;
}

static int parse_value(enum unit unit, const char *text, rlim_t *ret) {
        uint64_t value;
        int r;

        if (text_equal(text, "infinity")) {
                *ret = RLIM_INFINITY;
                return 0;
        }
        switch (unit) {
        case NICENESS:
                return parse_niceness(text, ret);
        case SECONDS:
                return parse_time(text, 1000000, ret);
        case MICROSECONDS:
                return parse_time(text, 1, ret);
        case BYTES:
                r = parse_size(text, &value);
                break;
        default:
                r = parse_unsigned(text, 0, RLIM_INFINITY - 1, &value);
        }
        if (r >= 0)
                *ret = value;
        return r;
}

int limit_parse(const char *text, int *ret_resource, struct rlimit *ret, struct error *error) {
        const char *equals = strchr(text, '=');
        struct rlimit limit;
        int resource;

        if (!equals)
                return error_set(error, EINVAL, "%s is no limit: it needs NAME=VALUE or NAME=SOFT:HARD", text);
        resource = find(text, (size_t) (equals - text));
        if (resource < 0)
                return error_set(error, EINVAL, "there is no limit %.*s (--rlimit=help lists them)",
                                 (int) (equals - text), text);
        _cleanup_free_ char *soft = strdup(equals + 1);
        if (!soft)
                return error_memory(error);
        char *hard = strchr(soft, ':');
        if (hard)
                *hard++ = 0;
        int r = parse_value(table[resource].unit, soft, &limit.rlim_cur);
        if (r >= 0)
                r = parse_value(table[resource].unit, hard ? hard : soft, &limit.rlim_max);
        if (r < 0)
                return error_set(error, -r, "%s is no value for the limit %s", equals + 1, table[resource].name);
        if (limit.rlim_cur > limit.rlim_max)
                return error_set(error, EINVAL, "%s: the soft limit is above the hard one", text);
        *ret_resource = resource;
        *ret = limit;
        return 0;
}

/* Lowers LIMIT to at most MOST. */
static void limit_to(struct rlimit *limit, rlim_t most) {
        if (limit->rlim_max > most)
                limit->rlim_max = most;
        if (limit->rlim_cur > limit->rlim_max)
                limit->rlim_cur = limit->rlim_max;
}

void limits_defaults(struct rlimit limits[static RLIM_NLIMITS], rlim_t nr_open, const struct rlimit *nproc,
                     const struct rlimit *sigpending) {
        for (int i = 0; i < RLIM_NLIMITS; i++)
                limits[i] = (struct rlimit){ table[i].soft, table[i].hard };
        /* Not even a privileged process may go above (proc_sys_fs(5)). */
        limit_to(&limits[RLIMIT_NOFILE], nr_open);
        limits[RLIMIT_NPROC] = *nproc;
        limits[RLIMIT_SIGPENDING] = *sigpending;
}

static int apply_one(int resource, const struct rlimit *wanted) {
        struct rlimit limit = *wanted, now;

        if (setrlimit(resource, &limit) == 0)
                return 0;
        if (errno != EPERM || getrlimit(resource, &now) < 0)
                return -errno;
        limit_to(&limit, now.rlim_max);
        return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int limits_apply(const struct rlimit limits[static RLIM_NLIMITS], struct error *error) {
        for (int i = 0; i < RLIM_NLIMITS; i++) {
                int r = apply_one(i, &limits[i]);
                if (r < 0)
                        return error_set(error, -r, "cannot set the limit %s: %m", table[i].name);
        }
        return 0;
}
