/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the plan says, in the words of the room that speaks to the host's service manager and machined. */

#include "launcher/plan.h"
#include "machined/machined.h"

struct registrar;

/* Whether the plan's machine name, slice and properties can be asked for at all; needs no bus. Returns 0 or a negative
 * errno with *ERROR filled. */
int registrar_check(const struct plan *plan, struct error *error);

/* Begins to connect for PLAN, which is borrowed until registrar_close(). Returns 0 or a negative errno with *ERROR
 * filled.
 */
int registrar_open(const struct plan *plan, struct registrar **ret, struct error *error);

/* The client, to be driven as machined/machined.h says. */
struct machined *registrar_client(const struct registrar *registrar);

/* Frees it. NULL does nothing. Returns NULL. */
struct registrar *registrar_close(struct registrar *registrar);
