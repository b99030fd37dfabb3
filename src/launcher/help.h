/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --help and --version, to standard output. Return 0 or a negative errno when it cannot be written. */

int help_print(void);
int version_print(void);
