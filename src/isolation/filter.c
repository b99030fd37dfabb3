/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "isolation/capability.h"
#include "isolation/filter_table.h"

static void add_part(struct filter_set *set, const char *name, const struct sock_filter *program, size_t length) {
        set->parts[set->count++] = (struct filter_part){ .name = name, .program = program, .length = length };
}

/* Is this the set of capabilities that the built-in program was compiled for, as far as calls hang on them? */
static bool has_default_capabilities(uint64_t capabilities) {
        for (size_t i = 0; i < filter_condition_count; i++)
                if ((capabilities ^ CAPABILITY_DEFAULT) & CAPABILITY_BIT(filter_conditions[i].capability))
                        return false;
        return true;
}

/* The group whose name is nearest to NAME, or NULL. */
static const char *nearest_group(const char *name) {
        const char *best = NULL;
        size_t best_distance = 4;

        for (size_t i = 0; i < filter_group_count; i++) {
                size_t distance = text_distance(name, filter_groups[i].name);
                if (distance < best_distance) {
                        best = filter_groups[i].name;
                        best_distance = distance;
                }
        }
        return best;
}

enum { WARNINGS_LIMIT = 10 }; /* the names may be an image's */

static int mark_names(const struct strv *names, uint8_t *marks, struct error *error) {
        size_t unknown = 0;

        for (size_t i = 0; names && i < names->count; i++) {
                const char *name = names->items[i];
                int r = filter_mark(&filter_native, name, marks, true);
                if (r == -ENOENT) {
                        if (unknown++ < WARNINGS_LIMIT)
                                log_warning("there is no system call %s, so the filter leaves it out", name);
                } else if (r < 0) {
                        const char *guess = nearest_group(name);
                        error_set(error, EINVAL, "there is no group of system calls %s", name);
                        if (guess && error)
                                error_hint(error, "did you mean %s?", guess);
                        return -EINVAL;
                }
        }
        if (unknown > WARNINGS_LIMIT)
                log_warning("there are no system calls of %zu more names", unknown - WARNINGS_LIMIT);
        return 0;
}

/* Lays what was asked for over the usual answers. A denial wins over all else. */
static int ask(const struct filter_request *request, uint8_t *answers, struct error *error) {
        size_t n = filter_native.count;
        _cleanup_free_ uint8_t *marks = calloc(2, n);
        int r;

        if (!marks)
                return error_memory(error);
        r = mark_names(request->allow, marks, error);
        if (r >= 0)
                r = mark_names(request->deny, marks + n, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (marks[i] && answers[i] == FILTER_DENY)
                        answers[i] = FILTER_ALLOW;
                if (marks[n + i])
                        answers[i] = FILTER_DENY;
        }
        return 0;
}

static int add_custom(const struct filter_request *request, struct filter_set *set, struct error *error) {
        _cleanup_free_ uint8_t *answers = calloc(filter_native.count, 1);
        struct sock_filter *program;
        size_t length;
        int r;

        if (!answers)
                return error_memory(error);
        filter_answers(&filter_native, request->capabilities, answers);
        r = ask(request, answers, error);
        if (r < 0)
                return r;
        r = filter_compile(&filter_native, answers, FILTER_UNKNOWN, &program, &length);
        if (r < 0)
                return error_set(error, -r, "cannot compile the system call filter: %m");
        add_part(set, "custom", program, length);
        set->parts[set->count - 1].buffer = program;
        return 0;
}

int filter_prepare(const struct filter_request *request, struct filter_set *ret, struct error *error) {
        bool named = (request->allow && request->allow->count > 0) || (request->deny && request->deny->count > 0);
        struct filter_set set = { 0 };

        /* First: the other one may deny seccomp(2). */
        if (request->terminal)
                add_part(&set, "terminal", filter_terminal, filter_terminal_length);
        if (!named && has_default_capabilities(request->capabilities))
                add_part(&set, "default", filter_default, filter_default_length);
        else {
                int r = add_custom(request, &set, error);
                if (r < 0)
                        return r;
        }
        *ret = set;
        return 0;
}

/* A kernel with filters goes on to read the program and finds none there (seccomp(2)). */
static bool kernel_has_filters(void) {
        return sys_seccomp_filter(0, NULL) == 0 || errno == EFAULT;
}

int filter_install(const struct filter_set *set, struct error *error) {
        for (size_t i = 0; i < set->count; i++) {
                const struct sock_fprog program = {
                        .len = (unsigned short) set->parts[i].length,
                        .filter = (struct sock_filter *) set->parts[i].program,
                };
                if (sys_seccomp_filter(0, &program) == 0)
                        continue;
                int code = errno;
                if ((code != ENOSYS && code != EINVAL) || kernel_has_filters())
                        return error_set(error, code, "cannot install the system call filter: %m");
                log_warning("this kernel has no system call filters, the container runs without");
                return 0;
        }
        return 0;
}

void filter_set_free(struct filter_set *set) {
        for (size_t i = 0; i < set->count; i++)
                free(set->parts[i].buffer);
        *set = (struct filter_set){ 0 };
}
