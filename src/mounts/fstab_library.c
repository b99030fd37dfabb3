/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/fstab_library.h"

#include "basic/fd.h"
#include "basic/library.h"

#define LIBMOUNT_NOTE                                                                                                 \
        "[{\"feature\":\"fstab\",\"description\":\"mounts from a file in the format of fstab(5)\","                   \
        "\"priority\":\"recommended\",\"soname\":[\"libmount.so.1\"]}]"

LIBRARY_NOTE(LIBMOUNT_NOTE);

int libmount_open(struct libmount *ret, struct error *error) {
        static const struct library_symbol symbols[] = {
#define X(name) { #name, offsetof(struct libmount, name) },
                LIBMOUNT_FUNCTIONS(X)
#undef X
        };

        return library_open("libmount.so.1", "an fstab is read by", symbols, ELEMENTSOF(symbols), ret, error);
}
