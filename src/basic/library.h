/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Libraries that are opened at the point of use: who does not need them neither loads nor has to have them. */

#include <stddef.h>
#include <stdint.h>

#include "basic/error.h"

struct library_symbol {
        const char *name;
        size_t offset; /* of the function pointer in the table that is filled */
};

/* Opens SONAME and puts the COUNT SYMBOLS to their places in *RET; it stays loaded until the process ends. USE begins
 * the sentence of an error ("an fstab is read by"). Returns 0, or -EOPNOTSUPP with *ERROR filled and *RET as it was.
 */
int library_open(const char *soname, const char *use, const struct library_symbol *symbols, size_t count, void *ret,
                 struct error *error);

/* Tells packagers' tools which library is opened at run time, as the dynamic section does for those that are linked:
 * the ELF note that the UAPI group's "dlopen() metadata for ELF files" describes. TEXT is its JSON. */
#define LIBRARY_NOTE(TEXT)                                                                                            \
        static const struct {                                                                                         \
                uint32_t name_size, text_size, type;                                                                  \
                char name[4];                                                                                         \
                _Alignas(uint32_t) char text[sizeof TEXT];                                                            \
        } library_note __attribute__((used, aligned(4), section(".note.dlopen"))) = {                                 \
                sizeof "FDO", sizeof TEXT, 0x407c0c0a, "FDO", TEXT,                                                   \
        }
