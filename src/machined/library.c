/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machined/library.h"

#include "basic/fd.h"
#include "basic/library.h"

#define LIBSYSTEMD_NOTE                                                                                               \
        "[{\"feature\":\"machined\",\"description\":\"registration with systemd-machined, scopes of systemd\","       \
        "\"priority\":\"recommended\",\"soname\":[\"libsystemd.so.0\"]}]"

LIBRARY_NOTE(LIBSYSTEMD_NOTE);

int libsystemd_open(struct libsystemd *ret, struct error *error) {
        static const struct library_symbol symbols[] = {
#define X(name) { #name, offsetof(struct libsystemd, name) },
                LIBSYSTEMD_FUNCTIONS(X)
#undef X
        };

        return library_open("libsystemd.so.0", "the bus is spoken by", symbols, ELEMENTSOF(symbols), ret, error);
}
