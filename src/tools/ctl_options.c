/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of spawnctl. */

#include <string.h>

#include "basic/fd.h"
#include "tools/tools.h"

const struct ctl_option ctl_options[] = {
        { 'j', "json", NULL, offsetof(struct request, json), "list status show top", "print JSON", false },
        { 'p', "property", "NAME", offsetof(struct request, properties), "show", "only this; also a list: NAME,NAME",
          true },
        { 0, "value", NULL, offsetof(struct request, value), "show", "values without their names", false },
        { 0, "no-legend", NULL, offsetof(struct request, no_legend), "list top", "leave head and foot away", false },
        { 'r', "read-only", NULL, offsetof(struct request, read_only), "attach bind", "only look; mount read-only",
          false },
        { 0, "force", NULL, offsetof(struct request, force), "copy-to copy-from", "replace a file that is there",
          false },
        { 0, "mkdir", NULL, offsetof(struct request, makes_directories), "copy-to copy-from bind",
          "make directories that are missing", false },
        { 0, "take", NULL, offsetof(struct request, take), "attach", "type instead of whoever does", false },
        { 0, "share", NULL, offsetof(struct request, share), "attach", "type beside whoever does", false },
        { 0, "escape", "KEY", offsetof(struct request, escape), "attach exec shell login",
          "the escape key (^]) or none", false },
        { 0, "for", "STATE", offsetof(struct request, wait_for), "wait", "running, ready or exit (the default)",
          false },
        { 'f', "follow", NULL, offsetof(struct request, follow), "log", "go on with what comes, until it ends",
          false },
        { 0, "since", "TIME", offsetof(struct request, since), "log",
          "no older: YYYY-MM-DD[THH:MM[:SS]] (UTC), or 10min ago", false },
        { 's', "signal", "SIGNAL", offsetof(struct request, signal), "kill", "which one (SIGTERM)", false },
        { 't', "tty", NULL, offsetof(struct request, tty), "exec", "on a terminal of its own", false },
        { 'u', "uid", "USER", offsetof(struct request, user), "exec shell", "as this user of the container", false },
        { 0, "chdir", "PATH", offsetof(struct request, chdir), "exec shell", "the working directory", false },
        { 'E', "setenv", "NAME=VALUE", offsetof(struct request, environment), "exec shell", "one more variable",
          true },
};
const size_t ctl_option_count = ELEMENTSOF(ctl_options);

bool option_is_for(const struct ctl_option *option, const char *verb) {
        size_t n = strlen(verb);

        for (const char *p = option->verbs; (p = strstr(p, verb)); p += n)
                if ((p == option->verbs || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
                        return true;
        return false;
}
