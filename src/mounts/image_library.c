/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/image_library.h"

#include "basic/fd.h"
#include "basic/library.h"

#define LIBBLKID_NOTE                                                                                                 \
        "[{\"feature\":\"image\",\"description\":\"roots in disk images\","                                           \
        "\"priority\":\"recommended\",\"soname\":[\"libblkid.so.1\"]}]"

LIBRARY_NOTE(LIBBLKID_NOTE);

int libblkid_open(struct libblkid *ret, struct error *error) {
        static const struct library_symbol symbols[] = {
#define X(name) { #name, offsetof(struct libblkid, name) },
                LIBBLKID_FUNCTIONS(X)
#undef X
        };

        return library_open("libblkid.so.1", "disk images are read by", symbols, ELEMENTSOF(symbols), ret, error);
}
