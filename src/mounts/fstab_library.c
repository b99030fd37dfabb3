/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/fstab_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/fd.h"

/* Tells packagers' tools which library is opened at run time, as the dynamic section does for those that are linked:
 * the ELF note that the UAPI group's "dlopen() metadata for ELF files" describes. */
#define LIBMOUNT_NOTE                                                                                                 \
        "[{\"feature\":\"fstab\",\"description\":\"mounts from a file in the format of fstab(5)\","                   \
        "\"priority\":\"recommended\",\"soname\":[\"libmount.so.1\"]}]"

static const struct {
        uint32_t name_size, text_size, type;
        char name[4];
        _Alignas(uint32_t) char text[sizeof LIBMOUNT_NOTE];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {
        sizeof "FDO", sizeof LIBMOUNT_NOTE, 0x407c0c0a, "FDO", LIBMOUNT_NOTE,
};

int libmount_open(struct libmount *ret, struct error *error) {
        static const struct {
                const char *name;
                size_t offset;
        } functions[] = {
#define X(name) { #name, offsetof(struct libmount, name) },
                LIBMOUNT_FUNCTIONS(X)
#undef X
        };
        struct libmount found;
        void *library = dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

        if (!library)
                return error_set(error, EOPNOTSUPP, "an fstab is read by libmount, which cannot be loaded: %s",
                                 dlerror());
        for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
                void *function = dlsym(library, functions[i].name);
                if (!function)
                        return error_set(error, EOPNOTSUPP, "the libmount of this host has no %s()",
                                         functions[i].name);
                *(void **) ((char *) &found + functions[i].offset) = function;
        }
        *ret = found;
        return 0;
}
