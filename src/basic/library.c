/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_open(const char *soname, const char *use, const struct library_symbol *symbols, size_t count, void *ret,
                 struct error *error) {
        void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        int name = (int) strcspn(soname, "."); /* "libmount" of "libmount.so.1" */

        if (!library)
                return error_set(error, EOPNOTSUPP, "%s %.*s, which cannot be loaded: %s", use, name, soname,
                                 dlerror());
        for (size_t i = 0; i < count; i++)
                if (!dlsym(library, symbols[i].name))
                        return error_set(error, EOPNOTSUPP, "the %.*s of this host has no %s()", name, soname,
                                         symbols[i].name);
        for (size_t i = 0; i < count; i++)
                *(void **) ((char *) ret + symbols[i].offset) = dlsym(library, symbols[i].name);
        return 0;
}
