/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Names of units and of objects on the bus. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "basic/error.h"

#define UNIT_NAME_SIZE 256                       /* with the NUL: systemd.unit(5) allows 255 bytes */
#define UNIT_PATH_SIZE (UNIT_NAME_SIZE * 3 + 64) /* an object path of a unit: each byte may become _xx */

/* Writes the scope that machined too would give the machine: "machine-NAME.scope", NAME escaped as systemd-escape(1)
 * does, so that "a-b" does not read as a child of "a". NAME is not empty. Returns 0, or -ENAMETOOLONG with *ERROR
 * filled. */
int names_scope(const char *name, char ret[static UNIT_NAME_SIZE], struct error *error);

/* Writes the slice that TEXT means: "foo" and "foo.slice" are "foo.slice"; bytes that no unit name has are escaped.
 * Returns 0, or -EINVAL or -ENAMETOOLONG with *ERROR filled: another kind of unit, an instance or template, empty
 * parts between dashes (systemd.slice(5)). */
int names_slice(const char *text, char ret[static UNIT_NAME_SIZE], struct error *error);

/* Writes the object path under which systemd shows UNIT: a byte that is no letter or digit becomes _xx, as does a
 * leading digit. */
void names_unit_path(const char *unit, char ret[static UNIT_PATH_SIZE]);
