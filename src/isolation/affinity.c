/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/affinity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/text.h"

static int add_range(char *word, cpu_set_t *set) {
        char *dash = strchr(word, '-');
        uint64_t first, last;

        if (dash)
                *dash++ = 0;
        int r = parse_unsigned(word, 0, CPU_SETSIZE - 1, &first);
        if (r >= 0)
                r = parse_unsigned(dash ? dash : word, 0, CPU_SETSIZE - 1, &last);
        if (r < 0)
                return r;
        if (first > last)
                return -EINVAL;
        for (uint64_t cpu = first; cpu <= last; cpu++)
                CPU_SET(cpu, set);
        return 0;
}

int affinity_parse(const char *text, cpu_set_t *ret, struct error *error) {
        struct strv words = { 0 };
        cpu_set_t set;
        int r = strv_split(&words, text, ", \t");

        CPU_ZERO(&set);
        for (size_t i = 0; r >= 0 && i < words.count; i++)
                r = add_range(words.items[i], &set);
        if (r >= 0 && CPU_COUNT(&set) == 0)
                r = -EINVAL;
        strv_free(&words);
        if (r == -ENOMEM)
                return error_memory(error);
        if (r < 0)
                return error_set(error, -r, "%s is no list of CPUs such as 0-3,7", text);
        *ret = set;
        return 0;
}

const char *affinity_format(const cpu_set_t *set, char *buffer, size_t size) {
        size_t n = 0;

        *buffer = 0;
        for (size_t first = 0, last; first < CPU_SETSIZE && n < size; first = last + 1) {
                last = first;
                if (!CPU_ISSET(first, set))
                        continue;
                while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
                        last++;
                n += (size_t) snprintf(buffer + n, size - n, last > first ? "%s%zu-%zu" : "%s%zu", n ? "," : "", first,
                                       last);
        }
        return buffer;
}
