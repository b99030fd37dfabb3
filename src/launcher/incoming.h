/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The way by which machined of systemd 254 and earlier brings a mount into a running container (machinectl bind): it
 * mounts it below a directory of the host's, whose clone the container has as /run/host/incoming and gets what is
 * mounted there by propagation; from there it is moved to its place. */

#include "launcher/plan.h"

/* Makes the plan's directory. Returns 0 or a negative errno with *ERROR filled. */
int incoming_make(const struct plan *plan, struct error *error);
/* Removes that of MACHINE; harmless when it is not there. */
void incoming_remove(const char *machine);
