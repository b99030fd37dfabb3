/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The time between start and end: one loop over descriptors. It never blocks on any of them. */

#include "launcher/detach.h"
#include "launcher/plan.h"

/* Starts the plan's container, stays with it, starts it again when it reboots. Returns the exit status for spawn:
 * the payload's, 0 after a power-off, 128+n for a signal, EXIT_OURS and its kin with the reason printed. DETACH,
 * if it is not NULL, is what detach() has made of this process: the caller is told when the payload runs. */
int supervise(const struct plan *plan, struct detach *detach);
