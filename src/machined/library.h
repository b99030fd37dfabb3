/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Those functions of libsystemd that are used, out of the library that is opened at the point of use: a run on a host
 * without a bus neither needs nor loads it. */

#include <systemd/sd-bus.h>

#include "basic/error.h"

#define LIBSYSTEMD_FUNCTIONS(X)                                                                                       \
        X(sd_bus_add_match_async)                                                                                     \
        X(sd_bus_call)                                                                                                \
        X(sd_bus_call_async)                                                                                          \
        X(sd_bus_can_send)                                                                                            \
        X(sd_bus_close)                                                                                               \
        X(sd_bus_get_events)                                                                                          \
        X(sd_bus_get_fd)                                                                                              \
        X(sd_bus_get_timeout)                                                                                         \
        X(sd_bus_get_unique_name)                                                                                     \
        X(sd_bus_is_open)                                                                                             \
        X(sd_bus_is_ready)                                                                                            \
        X(sd_bus_message_append)                                                                                      \
        X(sd_bus_message_append_array)                                                                                \
        X(sd_bus_message_close_container)                                                                             \
        X(sd_bus_message_enter_container)                                                                             \
        X(sd_bus_message_exit_container)                                                                              \
        X(sd_bus_message_get_error)                                                                                   \
        X(sd_bus_message_get_path)                                                                                    \
        X(sd_bus_message_get_sender)                                                                                  \
        X(sd_bus_message_new_method_call)                                                                             \
        X(sd_bus_message_open_container)                                                                              \
        X(sd_bus_message_peek_type)                                                                                   \
        X(sd_bus_message_read)                                                                                        \
        X(sd_bus_message_set_auto_start)                                                                              \
        X(sd_bus_message_skip)                                                                                        \
        X(sd_bus_message_unref)                                                                                       \
        X(sd_bus_negotiate_fds)                                                                                       \
        X(sd_bus_new)                                                                                                 \
        X(sd_bus_process)                                                                                             \
        X(sd_bus_set_address)                                                                                         \
        X(sd_bus_set_bus_client)                                                                                      \
        X(sd_bus_slot_unref)                                                                                          \
        X(sd_bus_start)                                                                                               \
        X(sd_bus_unref)

struct libsystemd {
#define X(name) typeof(&name) name;
        LIBSYSTEMD_FUNCTIONS(X)
#undef X
};

/* Opens the library and finds the functions. It stays loaded until the process ends. Returns 0 or -EOPNOTSUPP with
 * *ERROR filled. */
int libsystemd_open(struct libsystemd *ret, struct error *error);
