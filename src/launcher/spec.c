/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "console/escape.h"
#include "console/ring.h"
#include "launcher/options.h"

#define STOP_TIMEOUT_USEC (90 * UINT64_C(1000000))

void spec_init(struct spec *spec) {
        *spec = (struct spec){
                .start = START_SHELL,
                .stop_timeout_usec = STOP_TIMEOUT_USEC,
                .resolv_conf = RESOLV_CONF_AUTO,
                .timezone = TIMEZONE_AUTO,
                .scrollback = RING_SIZE_DEFAULT,
                .escape_key = ESCAPE_KEY_DEFAULT,
                .lock = true,
                .check_os_release = true,
                .seccomp = true,
        };
}

void spec_free(struct spec *spec) {
        strv_free(&spec->strings);
        strv_free(&spec->words);
        strv_free(&spec->environment);
        strv_free(&spec->environment_origin);
        strv_free(&spec->given);
        free(spec->settings_file);
        strv_free(&spec->caller_environment);
        strv_free(&spec->filter_allow);
        strv_free(&spec->filter_deny);
        mount_list_free(&spec->mounts);
        free(spec->directory);
        free(spec->image);
        free(spec->chdir);
        free(spec->user);
        free(spec->machine);
        free(spec->hostname);
        free(spec->slice);
        strv_free(&spec->properties);
        free(spec->container_service);
        free(spec->console_log.path);
        free(spec->record);
        *spec = (struct spec){ 0 };
}

int spec_remember(struct spec *spec, enum setting setting, const char *origin, struct error *error) {
        if (setting == SETTING_COUNT)
                return 0;
        if (strv_add(&spec->strings, origin) < 0)
                return error_memory(error);
        spec->origin[setting] = spec->strings.items[spec->strings.count - 1];
        return 0;
}

static int set(struct spec *spec, const struct option_row *row, const char *value, struct error *error) {
        _cleanup_free_ char *origin = text_format("--%s", row->name);
        int r = row->set(spec, value, row, error);

        if (r == OPTION_RESET) {
                spec->origin[row->setting] = NULL;
                return strv_add(&spec->given, row->name) < 0 ? error_memory(error) : 0;
        }
        if (r != 0)
                return r;
        return origin ? spec_remember(spec, row->setting, origin, error) : error_memory(error);
}

/* The words and how far they have been read. */
struct words {
        char *const *argv;
        int argc, next;
};

static const char *take_word(struct words *w) {
        return w->next < w->argc ? w->argv[w->next++] : NULL;
}

/* An option of systemd-nspawn that asks for what happens anyway. Returns 1 if it was one, and skips its argument. */
static int skip_harmless(struct spec *spec, const char *name, const char *value, struct words *w,
                         struct error *error) {
        bool next = !value && option_foreign_takes_word(name) && w->next < w->argc;

        if (!option_is_harmless(name, next ? w->argv[w->next] : value))
                return 0;
        w->next += next;
        return strv_add(&spec->given, name) < 0 ? error_memory(error) : 1;
}

static int parse_long(struct spec *spec, const char *word, struct words *w, struct error *error) {
        _cleanup_free_ char *name = strdup(word + 2);
        char *value = name ? strchr(name, '=') : NULL;

        if (!name)
                return error_memory(error);
        if (value)
                *value++ = 0;
        const char *whole = option_complete(name, error);
        if (!whole)
                return -EINVAL;
        int skipped = skip_harmless(spec, whole, value, w, error);
        if (skipped != 0)
                return skipped < 0 ? skipped : 0;
        const struct option_row *row = option_find(whole, error);
        if (!row)
                return -EINVAL;
        if (row->argument == ARGUMENT_NONE && value)
                return error_set(error, EINVAL, "--%s takes no argument, but got %s", row->name, value);
        if (row->argument != ARGUMENT_REQUIRED || value)
                return set(spec, row, value, error);
        const char *next = take_word(w);
        return next ? set(spec, row, next, error)
                    : error_set(error, EINVAL, "--%s needs an argument: %s", row->name, row->metavar);
}

/* "-qbD DIR", "-DDIR": letters up to the first that takes an argument, which is the rest or the next word. */
static int parse_cluster(struct spec *spec, const char *word, struct words *w, struct error *error) {
        for (const char *p = word + 1; *p; p++) {
                const struct option_row *row = option_find_letter(*p, error);
                if (!row)
                        return -EINVAL;
                if (row->argument == ARGUMENT_REQUIRED) {
                        const char *value = p[1] ? p + 1 : take_word(w);
                        return value ? set(spec, row, value, error)
                                     : error_set(error, EINVAL, "-%c needs an argument: %s", *p, row->metavar);
                }
                int r = set(spec, row, NULL, error);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* Options up to the first word or "--". */
static int parse_options(struct spec *spec, struct words *w, struct error *error) {
        while (w->next < w->argc) {
                const char *word = w->argv[w->next];
                if (word[0] != '-' || !word[1])
                        return 0;
                w->next++;
                if (text_equal(word, "--"))
                        return 0;
                int r = word[1] == '-' ? parse_long(spec, word, w, error) : parse_cluster(spec, word, w, error);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int parse_payload(struct spec *spec, struct words *w, struct error *error) {
        if (w->next >= w->argc)
                return 0;
        if (spec->start == START_SHELL)
                spec->start = START_COMMAND;
        while (w->next < w->argc)
                if (strv_add(&spec->words, w->argv[w->next++]) < 0)
                        return error_memory(error);
        return spec_remember(spec, SETTING_WORDS, "command line", error);
}

/* Sets *FIELD from the boolean variable NAME, if there is one. */
static int environment_boolean(struct spec *spec, const char *name, enum setting setting, bool *field,
                               struct error *error) {
        const char *value = strv_getenv(&spec->caller_environment, name);
        _cleanup_free_ char *origin = text_format("$%s", name);

        if (!value)
                return 0;
        if (parse_boolean(value, field) < 0)
                return error_set(error, EINVAL, "$%s=%s is neither yes nor no", name, value);
        return origin ? spec_remember(spec, setting, origin, error) : error_memory(error);
}

static int parse_api_vfs(struct spec *spec, struct error *error) {
        static const char name[] = "SYSTEMD_NSPAWN_API_VFS_WRITABLE";
        const char *value = strv_getenv(&spec->caller_environment, name);
        bool writable = false;

        if (text_equal(value, "network")) {
                spec->api_vfs = API_VFS_NETWORK;
                return spec_remember(spec, SETTING_API_VFS_WRITABLE, "$SYSTEMD_NSPAWN_API_VFS_WRITABLE", error);
        }
        int r = environment_boolean(spec, name, SETTING_API_VFS_WRITABLE, &writable, error);
        spec->api_vfs = writable ? API_VFS_WRITABLE : API_VFS_READ_ONLY;
        return r;
}

static void parse_log_level(const struct spec *spec) {
        static const struct {
                const char *name;
                enum log_level level;
        } levels[] = {
                { "debug", LOG_DEBUG },   { "7", LOG_DEBUG },  { "info", LOG_INFO },       { "6", LOG_INFO },
                { "notice", LOG_NOTICE }, { "5", LOG_NOTICE }, { "warning", LOG_WARNING }, { "4", LOG_WARNING },
                { "err", LOG_ERROR },     { "3", LOG_ERROR },  { "crit", LOG_ERROR },      { "2", LOG_ERROR },
                { "alert", LOG_ERROR },   { "1", LOG_ERROR },  { "emerg", LOG_ERROR },     { "0", LOG_ERROR },
        };
        const char *value = strv_getenv(&spec->caller_environment, "SYSTEMD_LOG_LEVEL");

        for (size_t i = 0; value && i < ELEMENTSOF(levels); i++)
                if (text_equal(value, levels[i].name))
                        log_set_level(levels[i].level);
}

/* Variables of systemd-nspawn that ask for what this version cannot do, unless they ask for what happens anyway. */
static int check_foreign_environment(const struct spec *spec, struct error *error) {
        static const struct {
                const char *name;
                bool harmless;
        } foreign[] = {
                { "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", true }, { "UNIFIED_CGROUP_HIERARCHY", true },
                { "SYSTEMD_NSPAWN_USE_CGNS", true },          { "SYSTEMD_NSPAWN_SHARE_NS_IPC", false },
                { "SYSTEMD_NSPAWN_SHARE_NS_PID", false },     { "SYSTEMD_NSPAWN_SHARE_NS_UTS", false },
                { "SYSTEMD_NSPAWN_SHARE_SYSTEM", false },     { "SYSTEMD_SUPPRESS_SYNC", false },
        };
        for (size_t i = 0; i < ELEMENTSOF(foreign); i++) {
                const char *value = strv_getenv(&spec->caller_environment, foreign[i].name);
                bool asked = foreign[i].harmless;
                if (value && (parse_boolean(value, &asked) < 0 || asked != foreign[i].harmless))
                        return error_set(error, EOPNOTSUPP, "$%s=%s is not supported by this version of spawn",
                                         foreign[i].name, value);
        }
        return 0;
}

static int parse_environment(struct spec *spec, struct error *error) {
        const struct {
                const char *name;
                enum setting setting;
                bool *field;
        } booleans[] = {
                { "SYSTEMD_NSPAWN_TMPFS_TMP", SETTING_TMPFS_TMP, &spec->tmpfs_tmp },
                { "SYSTEMD_NSPAWN_LOCK", SETTING_LOCK, &spec->lock },
                { "SYSTEMD_NSPAWN_CHECK_OS_RELEASE", SETTING_CHECK_OS_RELEASE, &spec->check_os_release },
                { "SYSTEMD_SECCOMP", SETTING_SECCOMP, &spec->seccomp },
        };
        const char *service = strv_getenv(&spec->caller_environment, "SYSTEMD_NSPAWN_CONTAINER_SERVICE");

        for (size_t i = 0; i < ELEMENTSOF(booleans); i++) {
                int r = environment_boolean(spec, booleans[i].name, booleans[i].setting, booleans[i].field, error);
                if (r < 0)
                        return r;
        }
        spec->container_service = strdup(service && *service ? service : "systemd-nspawn");
        if (!spec->container_service)
                return error_memory(error);
        if (service && *service) {
                int r = spec_remember(spec, SETTING_CONTAINER_SERVICE, "$SYSTEMD_NSPAWN_CONTAINER_SERVICE", error);
                if (r < 0)
                        return r;
        }
        int r = check_foreign_environment(spec, error);
        return r < 0 ? r : parse_api_vfs(spec, error);
}

int spec_check(const struct spec *spec, struct error *error) {
        if (spec->registration == REGISTER_NO && !spec->keep_unit && (spec->slice || spec->properties.count > 0)) {
                error_set(error, EINVAL, "--%s needs a scope, and --register=no never asks for one",
                          spec->slice ? "slice" : "property");
                return error_hint(error, "leave --register=no away");
        }
        if (spec->cleanup && (spec->words.count > 0 || spec->explain != EXPLAIN_NO || spec->detach))
                return error_set(error, EINVAL, "--cleanup starts nothing: %s does not go with it",
                                 spec->words.count > 0 ? "a command"
                                 : spec->detach        ? "--detach"
                                                       : "--explain");
        if (spec->directory && spec->image)
                return error_set(error, EINVAL,
                                 "--directory and --image exclude each other: a container has one root");
        if (spec->record_input && !spec->record)
                return error_set(error, EINVAL, "--record-input=yes needs --record=FILE");
        if (spec->detach && spec->detachable)
                return error_set(error, EINVAL, "--detach and --detachable exclude each other");
        if (spec->hangup == HANGUP_DETACH && !spec->detachable && spec->origin[SETTING_DETACHABLE])
                return error_set(error, EINVAL, "--on-hangup=detach and --detachable=no exclude each other");
        if (spec->detach && spec->hangup == HANGUP_KILL)
                return error_set(
                        error, EINVAL,
                        "--detach has no terminal that could hang up: --on-hangup=kill is for the foreground");
        if (spec->wait == WAIT_READY && !spec->detach)
                return error_set(error, EINVAL, "--wait=ready is for --detach");
        if ((spec->detach || spec->detachable) &&
            (spec->console == CONSOLE_PIPE || spec->console == CONSOLE_READ_ONLY)) {
                error_set(error, EINVAL, "--%s needs a console that viewers can come to",
                          spec->detach ? "detach" : "detachable");
                return error_hint(error, "leave --console or --pipe away");
        }
        if (spec->as_pid2 && spec->start == START_BOOT)
                return error_set(error, EINVAL, "--as-pid2 and --boot exclude each other: an init is PID 1");
        if (spec->capabilities_ambient && spec->start == START_BOOT)
                return error_set(error, EINVAL, "--ambient-capability and --boot exclude each other");
        return 0;
}

int spec_parse(struct spec *spec, int argc, char *const argv[], char *const environment[],
               enum spec_action *ret_action, struct error *error) {
        struct words w = { .argv = argv, .argc = argc, .next = 1 };
        int r;

        for (char *const *e = environment; *e; e++)
                if (strv_add(&spec->caller_environment, *e) < 0)
                        return error_memory(error);
        parse_log_level(spec);
        r = parse_environment(spec, error);
        if (r >= 0)
                r = parse_options(spec, &w, error);
        if (r == OPTION_LISTED && (fflush(stdout) != 0 || ferror(stdout)))
                return error_set(error, EIO, "cannot write to standard output");
        if (r > 0) {
                *ret_action = r == OPTION_HELP ? ACTION_HELP : r == OPTION_VERSION ? ACTION_VERSION : ACTION_LIST;
                return 0;
        }
        if (r >= 0)
                r = parse_payload(spec, &w, error);
        if (r >= 0 && spec->settings != SETTINGS_OVERRIDE)
                r = spec_check(spec, error);
        if (r < 0)
                return r;
        if (spec->quiet && log_level() > LOG_WARNING && log_level() < LOG_DEBUG)
                log_set_level(LOG_WARNING);
        *ret_action = ACTION_RUN;
        return 0;
}
