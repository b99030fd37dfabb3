/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machined/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/fd.h"

/* The ELF note of the UAPI group's "dlopen() metadata for ELF files": tells packagers' tools which library is opened
 * at run time. */
#define LIBSYSTEMD_NOTE                                                                                               \
        "[{\"feature\":\"machined\",\"description\":\"registration with systemd-machined, scopes of systemd\","       \
        "\"priority\":\"recommended\",\"soname\":[\"libsystemd.so.0\"]}]"

static const struct {
        uint32_t name_size, text_size, type;
        char name[4];
        _Alignas(uint32_t) char text[sizeof LIBSYSTEMD_NOTE];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {
        sizeof "FDO", sizeof LIBSYSTEMD_NOTE, 0x407c0c0a, "FDO", LIBSYSTEMD_NOTE,
};

int libsystemd_open(struct libsystemd *ret, struct error *error) {
        static const struct {
                const char *name;
                size_t offset;
        } functions[] = {
#define X(name) { #name, offsetof(struct libsystemd, name) },
                LIBSYSTEMD_FUNCTIONS(X)
#undef X
        };
        struct libsystemd found;
        void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

        if (!library)
                return error_set(error, EOPNOTSUPP, "the bus is spoken by libsystemd, which cannot be loaded: %s",
                                 dlerror());
        for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
                void *function = dlsym(library, functions[i].name);
                if (!function)
                        return error_set(error, EOPNOTSUPP, "the libsystemd of this host has no %s()",
                                         functions[i].name);
                *(void **) ((char *) &found + functions[i].offset) = function;
        }
        *ret = found;
        return 0;
}
