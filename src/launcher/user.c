/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/inroot.h"

/* Cuts LINE (length SIZE) at its colons. Returns how many fields there are, at most MAX. */
static size_t split_fields(char *line, char **fields, size_t max) {
        size_t n = 0;

        for (char *p = line; n < max; p++) {
                fields[n++] = p;
                p += strcspn(p, ":");
                if (!*p)
                        break;
                *p = 0;
        }
        return n;
}

/* Takes the next line of *TEXT into *LINE, in place of the one before; false at the end. */
static bool next_line(const char **text, char **line) {
        free(*line);
        *line = NULL;
        if (!**text)
                return false;
        size_t n = strcspn(*text, "\n");
        *line = strndup(*text, n);
        *text += n + ((*text)[n] == '\n');
        return *line != NULL;
}

static int parse_id(const char *text, unsigned *ret) {
        uint64_t value;
        int r = parse_unsigned(text, 0, UINT32_MAX - 1, &value); /* 4294967295 means "no change" to setresuid(2) */

        if (r < 0)
                return r;
        *ret = (unsigned) value;
        return 0;
}

int user_parse_passwd(const char *text, const char *name, uid_t uid, struct user *ret) {
        _cleanup_free_ char *line = NULL;

        while (next_line(&text, &line)) {
                char *f[7];
                unsigned u, g;

                if (split_fields(line, f, 7) < 7 || parse_id(f[2], &u) < 0 || parse_id(f[3], &g) < 0)
                        continue;
                if (name ? !text_equal(f[0], name) : u != uid)
                        continue;
                *ret = (struct user){ .name = strdup(f[0]), .uid = u, .gid = g };
                ret->home = f[5][0] == '/' ? strdup(f[5]) : NULL;
                ret->shell = f[6][0] == '/' ? strdup(f[6]) : NULL;
                return ret->name ? 1 : -ENOMEM;
        }
        return 0;
}

static bool is_member(const char *members, const char *name) {
        size_t n = strlen(name);

        for (const char *p = members; *p;) {
                size_t length = strcspn(p, ",");
                if (length == n && strncmp(p, name, n) == 0)
                        return true;
                p += length + (p[length] == ',');
        }
        return false;
}

int user_parse_groups(const char *text, const char *name, gid_t primary, gid_t **ret, size_t *ret_count) {
        _cleanup_free_ gid_t *groups = calloc(USER_GROUPS_LIMIT, sizeof *groups);
        _cleanup_free_ char *line = NULL;
        size_t n = 0;

        if (!groups)
                return -ENOMEM;
        groups[n++] = primary;
        while (next_line(&text, &line)) {
                char *f[4];
                unsigned g;

                if (split_fields(line, f, 4) < 4 || parse_id(f[2], &g) < 0 || g == primary || !is_member(f[3], name))
                        continue;
                if (n < USER_GROUPS_LIMIT)
                        groups[n++] = g;
        }
        *ret = TAKE_PTR(groups);
        *ret_count = n;
        return 0;
}

static int root_user(int root, struct user *ret, struct error *error) {
        _cleanup_free_ char *passwd = NULL;

        /* Root needs no entry; one gives it its shell and home. */
        if (inroot_read(root, "/etc/passwd", USER_FILE_LIMIT, &passwd, NULL) >= 0 &&
            user_parse_passwd(passwd, "root", 0, ret) == 1) {
                ret->uid = 0;
                ret->gid = 0;
        } else
                *ret = (struct user){ .name = strdup("root") };
        if (!ret->home)
                ret->home = strdup("/root");
        return ret->name && ret->home ? 0 : error_memory(error);
}

static int numeric_user(int root, uid_t uid, struct user *ret, struct error *error) {
        _cleanup_free_ char *passwd = NULL;

        if (inroot_read(root, "/etc/passwd", USER_FILE_LIMIT, &passwd, NULL) >= 0 &&
            user_parse_passwd(passwd, NULL, uid, ret) == 1)
                return 0;
        *ret = (struct user){ .name = text_format("%u", uid), .uid = uid, .gid = uid };
        return ret->name ? 0 : error_memory(error);
}

static int named_user(int root, const char *name, struct user *ret, struct error *error) {
        _cleanup_free_ char *passwd = NULL;
        int r = inroot_read(root, "/etc/passwd", USER_FILE_LIMIT, &passwd, NULL);

        if (r < 0)
                return error_set(error, -r, "cannot look user %s up: cannot read /etc/passwd in the root: %m", name);
        r = user_parse_passwd(passwd, name, 0, ret);
        if (r < 0)
                return error_memory(error);
        if (r == 0) {
                error_set(error, ESRCH, "there is no user %s in /etc/passwd of the root", name);
                return error_hint(error, "--user takes a user of the container, or a uid");
        }
        return 0;
}

int user_lookup(int root, const char *name, struct user *ret, struct error *error) {
        _cleanup_free_ char *group = NULL;
        unsigned uid;
        int r;

        if (!name || text_equal(name, "root") || text_equal(name, "0"))
                return root_user(root, ret, error);
        r = parse_id(name, &uid) == 0 ? numeric_user(root, uid, ret, error) : named_user(root, name, ret, error);
        if (r < 0)
                return r;
        if (inroot_read(root, "/etc/group", USER_FILE_LIMIT, &group, NULL) < 0)
                return 0;
        r = user_parse_groups(group, ret->name, ret->gid, &ret->groups, &ret->n_groups);
        if (r < 0) {
                user_free(ret);
                return error_memory(error);
        }
        return 0;
}

void user_free(struct user *user) {
        free(user->name);
        free(user->home);
        free(user->shell);
        free(user->groups);
        *user = (struct user){ 0 };
}
