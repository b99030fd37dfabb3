/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Users of the container, from the tree's own /etc/passwd and /etc/group (passwd(5), group(5)).
 *
 * The files are the image's, so they are hostile: read through the root's descriptor, bounded, by a parser of our own;
 * no NSS module is loaded. The process that reads them is the one that becomes the payload. */

#include <stddef.h>
#include <sys/types.h>

#include "basic/error.h"

#define USER_FILE_LIMIT (4 * 1024 * 1024) /* bytes of passwd or group that are read */
#define USER_GROUPS_LIMIT 1024            /* supplementary groups that are kept */

struct user {
        char *name; /* as it is shown in USER and LOGNAME */
        uid_t uid;
        gid_t gid;
        char *home;  /* NULL if unknown */
        char *shell; /* NULL if unknown */
        gid_t *groups;
        size_t n_groups;
};

/* Looks NAME up in the tree below ROOT. Digits are a uid and are never looked up as a name; a uid without an entry
 * runs with the same number as gid and no groups. NULL, "root" and "0" are root. Returns 0 or a
 * negative errno. */
int user_lookup(int root, const char *name, struct user *ret, struct error *error);
void user_free(struct user *user);

/* For tests: one file's text at a time. user_parse_passwd() returns 1 if NAME (or UID where NAME is NULL) was found.
 */
int user_parse_passwd(const char *text, const char *name, uid_t uid, struct user *ret);
int user_parse_groups(const char *text, const char *name, gid_t primary, gid_t **ret, size_t *ret_count);
