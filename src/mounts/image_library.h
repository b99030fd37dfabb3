/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Those functions of libblkid that are used; a run without a disk image neither needs nor loads it. */

#include <blkid.h>

#include "basic/error.h"

#define LIBBLKID_FUNCTIONS(X)                                                                                         \
        X(blkid_do_safeprobe)                                                                                         \
        X(blkid_free_probe)                                                                                           \
        X(blkid_new_probe)                                                                                            \
        X(blkid_partition_get_flags)                                                                                  \
        X(blkid_partition_get_name)                                                                                   \
        X(blkid_partition_get_partno)                                                                                 \
        X(blkid_partition_get_size)                                                                                   \
        X(blkid_partition_get_start)                                                                                  \
        X(blkid_partition_get_type)                                                                                   \
        X(blkid_partition_get_type_string)                                                                            \
        X(blkid_partlist_get_partition)                                                                               \
        X(blkid_partlist_numof_partitions)                                                                            \
        X(blkid_probe_enable_partitions)                                                                              \
        X(blkid_probe_enable_superblocks)                                                                             \
        X(blkid_probe_filter_partitions_type)                                                                         \
        X(blkid_probe_filter_superblocks_type)                                                                        \
        X(blkid_probe_get_partitions)                                                                                 \
        X(blkid_probe_lookup_value)                                                                                   \
        X(blkid_probe_set_device)                                                                                     \
        X(blkid_probe_set_partitions_flags)                                                                           \
        X(blkid_probe_set_superblocks_flags)

struct libblkid {
#define X(name) typeof(&name) name;
        LIBBLKID_FUNCTIONS(X)
#undef X
};

/* Opens the library and finds the functions. Returns 0 or -EOPNOTSUPP with *ERROR filled. */
int libblkid_open(struct libblkid *ret, struct error *error);
