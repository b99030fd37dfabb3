/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/personality.h"

#include <errno.h>
#include <sys/personality.h>

#include "basic/fd.h"
#include "basic/text.h"

static const struct {
        const char *name;
        unsigned long value;
} table[] = {
#if defined(__x86_64__)
        { "x86-64", PER_LINUX },
        { "x86", PER_LINUX32 },
#elif defined(__aarch64__)
        { "arm64", PER_LINUX },
        { "arm", PER_LINUX32 },
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
        { "ppc64-le", PER_LINUX },
        { "ppc-le", PER_LINUX32 },
#elif defined(__s390x__)
        { "s390x", PER_LINUX },
        { "s390", PER_LINUX32 },
#elif defined(__i386__)
        { "x86", PER_LINUX },
#elif defined(__arm__)
        { "arm", PER_LINUX },
#elif defined(__riscv) && __riscv_xlen == 64
        { "riscv64", PER_LINUX },
#else
        { "native", PER_LINUX },
#endif
};

int personality_parse(const char *text, unsigned long *ret, struct error *error) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (text_equal(text, table[i].name)) {
                        *ret = table[i].value;
                        return 0;
                }
        error_set(error, EINVAL, "%s is no personality of this machine", text);
        if (error)
                error_hint(error, "there are %s%s%s", table[0].name, ELEMENTSOF(table) > 1 ? " and " : "",
                           ELEMENTSOF(table) > 1 ? table[ELEMENTSOF(table) - 1].name : "");
        return -EINVAL;
}

const char *personality_name(unsigned long value) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].value == value)
                        return table[i].name;
        return NULL;
}
