/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --cleanup: what a run can have left on the host whose supervisor and guardian were killed at once. */

#include "launcher/spec.h"

/* Removes what is left of the machine that SPEC names, of machinectl's way in, of its session, of its lock and its
 * control group. Returns 0, also if there is nothing, or a negative errno: -EBUSY for a machine that runs. */
int cleanup(const struct spec *spec, struct error *error);
