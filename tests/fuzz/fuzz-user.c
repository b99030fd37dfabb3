/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image's passwd and group: whom they yield is whom was asked for, and never an id that changes nothing. */
#include "launcher/user.h"

#include "fuzz.h"

static bool is_field(const char *text) {
        return !text || !strpbrk(text, ":\n");
}

static void check_user(const char *text, const char *name, uid_t uid) {
        struct user u = { 0 };
        int r = user_parse_passwd(text, name, uid, &u);

        MUST(r == 0 || r == 1);
        if (r == 0)
                return;
        MUST(u.name && (name ? strcmp(u.name, name) == 0 : u.uid == uid));
        MUST(u.uid != (uid_t) -1 && u.gid != (gid_t) -1);
        MUST(is_field(u.name) && is_field(u.home));
        MUST((!u.home || u.home[0] == '/') && (!u.shell || (u.shell[0] == '/' && !strchr(u.shell, '\n'))));
        user_free(&u);
}

static void check_groups(const char *text, const char *name, gid_t primary) {
        gid_t *groups = NULL;
        size_t count = 0;

        MUST(user_parse_groups(text, name, primary, &groups, &count) == 0);
        MUST(count >= 1 && count <= USER_GROUPS_LIMIT && groups[0] == primary);
        for (size_t i = 1; i < count; i++)
                MUST(groups[i] != primary && groups[i] != (gid_t) -1);
        free(groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        char name[8] = "";
        unsigned id = (unsigned) take_number(&in, 65535);

        for (size_t i = 0, n = take_byte(&in) % sizeof name; i < n; i++)
                name[i] = (char) take_byte(&in);
        char *text = take_text(&in);
        check_user(text, name, 0);
        check_user(text, NULL, id);
        check_groups(text, name, id);
        free(text);
        return 0;
}
