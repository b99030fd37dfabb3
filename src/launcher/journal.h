/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --link-journal: the one thing that is made on the host to stay, since journalctl(1) there is to find it. */

#include "launcher/plan.h"

/* Makes what LINK says: nothing, a directory, or a symbolic link. What is there already and right is left alone.
 * Returns 0 or a negative errno with *ERROR filled; a failure of an optional one is a debug line. */
int journal_link(const struct journal_link *link, struct error *error);
