/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Those functions of libmount that are used, out of the library that is opened at the point of use: a run without an
 * fstab neither needs nor loads it. */

#include <libmount.h>

#include "basic/error.h"

#define LIBMOUNT_FUNCTIONS(X)                                                                                         \
        X(mnt_fs_get_fstype)                                                                                          \
        X(mnt_fs_get_options)                                                                                         \
        X(mnt_fs_get_source)                                                                                          \
        X(mnt_fs_get_target)                                                                                          \
        X(mnt_fs_is_swaparea)                                                                                         \
        X(mnt_free_iter)                                                                                              \
        X(mnt_get_builtin_optmap)                                                                                     \
        X(mnt_new_iter)                                                                                               \
        X(mnt_new_table)                                                                                              \
        X(mnt_optstr_get_flags)                                                                                       \
        X(mnt_optstr_get_option)                                                                                      \
        X(mnt_resolve_spec)                                                                                           \
        X(mnt_split_optstr)                                                                                           \
        X(mnt_table_next_fs)                                                                                          \
        X(mnt_table_parse_stream)                                                                                     \
        X(mnt_unref_table)

struct libmount {
#define X(name) typeof(&name) name;
        LIBMOUNT_FUNCTIONS(X)
#undef X
};

/* Opens the library and finds the functions. It stays loaded until the process ends. Returns 0 or -EOPNOTSUPP with
 * *ERROR filled. */
int libmount_open(struct libmount *ret, struct error *error);
