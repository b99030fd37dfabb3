/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/setters.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "console/escape.h"
#include "console/log_file.h"
#include "console/ring.h"
#include "isolation/affinity.h"
#include "isolation/capability.h"
#include "isolation/limits.h"
#include "isolation/personality.h"
#include "isolation/signals.h"
#include "mounts/fstab.h"
#include "mounts/parse.h"

enum { NAME_LIMIT = 64 };

/* "--option=value: reason", the form of every complaint. */
static int refuse(const struct option_row *row, const char *value, struct error *error, const char *reason) {
        return error_set(error, EINVAL, "--%s=%s: %s", row->name, value ? value : "", reason);
}

static int replace(char **field, const char *value, struct error *error) {
        char *copy = strdup(value);

        if (!copy)
                return error_memory(error);
        free(*field);
        *field = copy;
        return 0;
}

/* Puts the option in front of what a parser of another room has said. */
static int prefix(const struct option_row *row, const struct error *inner, struct error *error) {
        struct error copy = *inner;

        error_set(error, copy.code, "--%s: %s", row->name, copy.text);
        if (error)
                memcpy(error->hint, copy.hint, sizeof error->hint);
        return -copy.code;
}

/* A word out of NAMES; "help" lists them. Returns its index, or as a setter does. */
static int choose(const char *value, const char *const *names, size_t n, const struct option_row *row, int *ret,
                  struct error *error) {
        char list[256] = "";

        if (text_equal(value, "help")) {
                for (size_t i = 0; i < n; i++)
                        puts(names[i]);
                return OPTION_LISTED;
        }
        for (size_t i = 0; i < n; i++) {
                if (text_equal(value, names[i])) {
                        *ret = (int) i;
                        return 0;
                }
                strncat(list, i ? " " : "", sizeof list - strlen(list) - 1);
                strncat(list, names[i], sizeof list - strlen(list) - 1);
        }
        refuse(row, value, error, "no such choice");
        if (error)
                error_hint(error, "there are %s", list);
        return -EINVAL;
}

/* Host names and machine names: labels of letters, digits and inner dashes, separated by single dots. */
static bool is_host_name(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n > NAME_LIMIT)
                return false;
        for (size_t i = 0; i < n; i++) {
                bool first = i == 0 || name[i - 1] == '.', last = i + 1 == n || name[i + 1] == '.';
                if (isalnum((unsigned char) name[i]) && !(name[i] & 0x80))
                        continue;
                if (name[i] == '-' ? first || last : name[i] != '.' || first || last)
                        return false;
        }
        return true;
}

static int set_name(char **field, const char *value, const struct option_row *row, struct error *error) {
        if (!*value) { /* back to the default */
                free(*field);
                *field = NULL;
                return OPTION_RESET;
        }
        if (!is_host_name(value)) {
                refuse(row, value, error, "not a valid name");
                if (error)
                        error_hint(error, "letters, digits, inner dashes and dots, at most %d bytes", NAME_LIMIT);
                return -EINVAL;
        }
        return replace(field, value, error);
}

SETTER(set_directory) {
        return *value ? replace(&spec->directory, value, error) : refuse(row, value, error, "an empty path");
}

SETTER(set_image) {
        return *value ? replace(&spec->image, value, error) : refuse(row, value, error, "an empty path");
}

SETTER(set_machine) {
        return set_name(&spec->machine, value, row, error);
}

SETTER(set_hostname) {
        return set_name(&spec->hostname, value, row, error);
}

SETTER(set_uuid) {
        return id128_parse(value, &spec->uuid) < 0
                       ? refuse(row, value, error, "not a 128-bit id in hexadecimal, or zero")
                       : 0;
}

SETTER(set_boot) {
        (void) value, (void) row, (void) error;
        spec->start = START_BOOT;
        return 0;
}

SETTER(set_as_pid2) {
        (void) value, (void) row, (void) error;
        spec->as_pid2 = true;
        return 0;
}

SETTER(set_read_only) {
        (void) value, (void) row, (void) error;
        spec->read_only = true;
        return 0;
}

SETTER(set_private_network) {
        (void) value, (void) row, (void) error;
        spec->private_network = true;
        return 0;
}

SETTER(set_quiet) {
        (void) value, (void) row, (void) error;
        spec->quiet = true;
        return 0;
}

SETTER(set_no_pager) {
        (void) spec, (void) value, (void) row, (void) error;
        return 0; /* there never is one */
}

SETTER(set_help) {
        (void) spec, (void) value, (void) row, (void) error;
        return OPTION_HELP;
}

SETTER(set_version) {
        (void) spec, (void) value, (void) row, (void) error;
        return OPTION_VERSION;
}

SETTER(set_cleanup) {
        (void) value, (void) row, (void) error;
        spec->cleanup = true;
        return 0;
}

SETTER(set_chdir) {
        char *path;
        int r = mount_normalise(value, &path);

        if (r == -ENOMEM)
                return error_memory(error);
        if (r < 0)
                return refuse(row, value, error, "not an absolute path without \"..\"");
        free(spec->chdir);
        spec->chdir = path;
        return 0;
}

static bool is_variable_name(const char *name, size_t n) {
        if (n == 0 || isdigit((unsigned char) name[0]))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && name[i] != '_')
                        return false;
        return true;
}

SETTER(set_environment) {
        size_t n = strcspn(value, "=");
        _cleanup_free_ char *entry = NULL;

        if (!is_variable_name(value, n))
                return refuse(row, value, error, "not NAME or NAME=VALUE");
        if (value[n] == '=')
                return strv_setenv(&spec->environment, value) < 0 ? error_memory(error) : 0;
        /* NAME alone: the caller's value, nothing if there is none. */
        const char *ours = strv_getenv(&spec->caller_environment, value);
        entry = ours ? text_format("%s=%s", value, ours) : NULL;
        if (!ours)
                return 0;
        return !entry || strv_setenv(&spec->environment, entry) < 0 ? error_memory(error) : 0;
}

/* Digits are a uid and never a name; a name has the shape that useradd(8) takes, and may be longer. */
static bool is_user(const char *value) {
        uint64_t uid;

        if (isdigit((unsigned char) value[0]))
                return parse_unsigned(value, 0, UINT32_MAX - 1, &uid) == 0;
        if (!isalpha((unsigned char) value[0]) && value[0] != '_')
                return false;
        for (const char *p = value; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("_-.@$", *p))
                        return false;
        return strlen(value) <= 256;
}

SETTER(set_user) {
        return is_user(value) ? replace(&spec->user, value, error)
                              : refuse(row, value, error, "neither a user name nor a uid");
}

SETTER(set_kill_signal) {
        if (text_equal(value, "help")) {
                signal_list();
                return OPTION_LISTED;
        }
        int sig = signal_parse(value);
        if (sig < 0)
                return refuse(row, value, error, "no such signal (--kill-signal=help lists them)");
        spec->kill_signal = sig;
        return 0;
}

SETTER(set_stop_timeout) {
        if (text_equal(value, "infinity")) {
                spec->stop_timeout_usec = 0;
                return 0;
        }
        return parse_duration(value, &spec->stop_timeout_usec) < 0
                       ? refuse(row, value, error, "not a time such as 90, 1.5s or 2min")
                       : 0;
}

static int add_capabilities(uint64_t *mask, const char *value, bool allow_all, const struct option_row *row,
                            struct error *error) {
        struct error inner = { 0 };
        uint64_t more;

        if (text_equal(value, "help")) {
                capability_list();
                return OPTION_LISTED;
        }
        if (capability_parse_list(value, allow_all, &more, &inner) < 0)
                return prefix(row, &inner, error);
        *mask |= more;
        return 0;
}

SETTER(set_capability) {
        return add_capabilities(&spec->capabilities_added, value, true, row, error);
}

SETTER(set_drop_capability) {
        return add_capabilities(&spec->capabilities_dropped, value, true, row, error);
}

SETTER(set_ambient_capability) {
        return add_capabilities(&spec->capabilities_ambient, value, false, row, error);
}

SETTER(set_no_new_privileges) {
        return parse_boolean(value, &spec->no_new_privileges) < 0 ? refuse(row, value, error, "neither yes nor no")
                                                                  : 0;
}

SETTER(set_notify_ready) {
        return parse_boolean(value, &spec->notify_ready) < 0 ? refuse(row, value, error, "neither yes nor no") : 0;
}

SETTER(set_register) {
        bool yes;

        if (text_equal(value, "auto")) {
                spec->registration = REGISTER_AUTO;
                return 0;
        }
        if (parse_boolean(value, &yes) < 0)
                return refuse(row, value, error, "neither yes, no nor auto");
        spec->registration = yes ? REGISTER_YES : REGISTER_NO;
        return 0;
}

SETTER(set_link_journal) {
        static const char *const names[] = {
                [LINK_JOURNAL_NO] = "no",       [LINK_JOURNAL_AUTO] = "auto",
                [LINK_JOURNAL_HOST] = "host",   [LINK_JOURNAL_TRY_HOST] = "try-host",
                [LINK_JOURNAL_GUEST] = "guest", [LINK_JOURNAL_TRY_GUEST] = "try-guest",
        };
        bool yes;
        int mode = 0;

        if (parse_boolean(value, &yes) == 0) {
                spec->link_journal = yes ? LINK_JOURNAL_AUTO : LINK_JOURNAL_NO;
                return 0;
        }
        int r = choose(value, names, ELEMENTSOF(names), row, &mode, error);
        if (r == 0)
                spec->link_journal = (enum link_journal) mode;
        return r;
}

SETTER(set_journal) {
        (void) value, (void) row, (void) error;
        spec->link_journal = LINK_JOURNAL_TRY_GUEST;
        return 0;
}

SETTER(set_keep_unit) {
        (void) value, (void) row, (void) error;
        spec->keep_unit = true;
        return 0;
}

/* What a slice may be called and which properties there are is the business of the room that speaks to the manager:
 * the plan asks it before anything is started. */
SETTER(set_slice) {
        return *value ? replace(&spec->slice, value, error) : refuse(row, value, error, "an empty name");
}

SETTER(set_property) {
        if (!strchr(value, '='))
                return refuse(row, value, error, "not NAME=VALUE");
        return strv_add(&spec->properties, value) < 0 ? error_memory(error) : 0;
}

SETTER(set_system_call_filter) {
        bool deny = *value == '~';

        (void) row;
        return strv_split(deny ? &spec->filter_deny : &spec->filter_allow, value + deny, " \t,") < 0
                       ? error_memory(error)
                       : 0;
}

SETTER(set_rlimit) {
        struct error inner = { 0 };
        struct rlimit limit;
        int resource;

        if (text_equal(value, "help")) {
                limit_list();
                return OPTION_LISTED;
        }
        if (limit_parse(value, &resource, &limit, &inner) < 0)
                return prefix(row, &inner, error);
        spec->limits[resource] = limit;
        spec->limit_set[resource] = true;
        return 0;
}

SETTER(set_oom_score_adjust) {
        int64_t score;

        if (parse_signed(value, -1000, 1000, &score) < 0)
                return refuse(row, value, error, "not a number from -1000 to 1000");
        spec->oom_score_adjust = (int) score;
        return 0;
}

SETTER(set_cpu_affinity) {
        struct error inner = { 0 };

        return affinity_parse(value, &spec->cpu_affinity, &inner) < 0 ? prefix(row, &inner, error) : 0;
}

SETTER(set_personality) {
        struct error inner = { 0 };

        return personality_parse(value, &spec->personality, &inner) < 0 ? prefix(row, &inner, error) : 0;
}

SETTER(set_resolv_conf) {
        static const char *const names[] = {
                [RESOLV_CONF_OFF] = "off",
                [RESOLV_CONF_COPY_HOST] = "copy-host",
                [RESOLV_CONF_COPY_STATIC] = "copy-static",
                [RESOLV_CONF_COPY_UPLINK] = "copy-uplink",
                [RESOLV_CONF_COPY_STUB] = "copy-stub",
                [RESOLV_CONF_REPLACE_HOST] = "replace-host",
                [RESOLV_CONF_REPLACE_STATIC] = "replace-static",
                [RESOLV_CONF_REPLACE_UPLINK] = "replace-uplink",
                [RESOLV_CONF_REPLACE_STUB] = "replace-stub",
                [RESOLV_CONF_BIND_HOST] = "bind-host",
                [RESOLV_CONF_BIND_STATIC] = "bind-static",
                [RESOLV_CONF_BIND_UPLINK] = "bind-uplink",
                [RESOLV_CONF_BIND_STUB] = "bind-stub",
                [RESOLV_CONF_DELETE] = "delete",
                [RESOLV_CONF_AUTO] = "auto",
        };
        int choice = (int) spec->resolv_conf;
        int r = choose(value, names, ELEMENTSOF(names), row, &choice, error);

        spec->resolv_conf = (enum resolv_conf_mode) choice;
        return r;
}

SETTER(set_timezone) {
        static const char *const names[] = {
                [TIMEZONE_OFF] = "off",         [TIMEZONE_COPY] = "copy",     [TIMEZONE_BIND] = "bind",
                [TIMEZONE_SYMLINK] = "symlink", [TIMEZONE_DELETE] = "delete", [TIMEZONE_AUTO] = "auto",
        };
        int choice = (int) spec->timezone;
        int r = choose(value, names, ELEMENTSOF(names), row, &choice, error);

        spec->timezone = (enum timezone_mode) choice;
        return r;
}

SETTER(set_console) {
        static const char *const names[] = { "interactive", "read-only", "passive", "pipe", "autopipe" };
        int choice = 0;
        int r = choose(value, names, ELEMENTSOF(names), row, &choice, error);

        if (r == 0)
                spec->console = (enum console_mode)(CONSOLE_INTERACTIVE + choice);
        return r;
}

/* Takes the next piece of *REST, up to a comma, in place; "\\," is a comma in it. */
static char *take_piece(char **rest) {
        char *piece = *rest, *to = piece, *from = piece;

        while (*from && *from != ',') {
                if (from[0] == '\\' && from[1] == ',')
                        from++;
                *to++ = *from++;
        }
        *rest = *from ? from + 1 : NULL;
        *to = 0;
        return piece;
}

static bool set_log_option(struct console_log *log, const char *option) {
        uint64_t rotate;

        if (text_equal(option, "raw") || text_equal(option, "text"))
                log->raw = *option == 'r';
        else if (text_starts_with(option, "size="))
                return parse_size(option + 5, &log->size) == 0 && log->size >= LOG_FILE_SIZE_MIN;
        else if (text_starts_with(option, "rotate=")) {
                if (parse_unsigned(option + 7, 0, LOG_FILE_ROTATE_MAX, &rotate) < 0)
                        return false;
                log->rotate = (unsigned) rotate;
        } else
                return false;
        return true;
}

SETTER(set_console_log) {
        struct console_log log = { .size = LOG_FILE_SIZE_DEFAULT, .rotate = LOG_FILE_ROTATE_DEFAULT };
        _cleanup_free_ char *copy = strdup(value);
        char *rest = copy;

        if (!copy)
                return error_memory(error);
        const char *path = take_piece(&rest);
        if (!*path)
                return refuse(row, value, error, "an empty path");
        while (rest) {
                const char *option = take_piece(&rest);
                if (!set_log_option(&log, option)) {
                        error_set(error, EINVAL, "--%s=%s: no such option: %s", row->name, value, option);
                        return error ? error_hint(error, "there are raw, text, size=SIZE (4K or more) and rotate=N")
                                     : -EINVAL;
                }
        }
        int r = replace(&spec->console_log.path, path, error);
        if (r < 0)
                return r;
        log.path = spec->console_log.path;
        spec->console_log = log;
        return 0;
}

SETTER(set_console_filter) {
        static const char *const names[] = { "off", "safe" };
        int choice = 0;
        int r = choose(value, names, ELEMENTSOF(names), row, &choice, error);

        if (r == 0)
                spec->console_safe = choice == 1;
        return r;
}

SETTER(set_record) {
        return *value ? replace(&spec->record, value, error) : refuse(row, value, error, "an empty path");
}

SETTER(set_record_input) {
        return parse_boolean(value, &spec->record_input) < 0 ? refuse(row, value, error, "neither yes nor no") : 0;
}

SETTER(set_pipe) {
        (void) value, (void) row, (void) error;
        spec->console = CONSOLE_PIPE;
        return 0;
}

SETTER(set_detach) {
        (void) value, (void) row, (void) error;
        spec->detach = true;
        return 0;
}

SETTER(set_detachable) {
        spec->detachable = true;
        return value && parse_boolean(value, &spec->detachable) < 0 ? refuse(row, value, error, "neither yes nor no")
                                                                    : 0;
}

SETTER(set_settings) {
        static const char *const names[] = { [SETTINGS_YES] = "yes",
                                             [SETTINGS_NO] = "no",
                                             [SETTINGS_OVERRIDE] = "override",
                                             [SETTINGS_TRUSTED] = "trusted" };
        bool yes;
        int mode = 0;

        if (parse_boolean(value, &yes) == 0) {
                spec->settings = yes ? SETTINGS_YES : SETTINGS_NO;
                return 0;
        }
        int r = choose(value, names, ELEMENTSOF(names), row, &mode, error);
        if (r == 0)
                spec->settings = (enum settings_mode) mode;
        return r;
}

SETTER(set_wait) {
        static const char *const names[] = { [WAIT_RUNNING] = "running", [WAIT_READY] = "ready" };
        int choice = (int) spec->wait;
        int r = choose(value, names, ELEMENTSOF(names), row, &choice, error);

        spec->wait = (enum wait_for) choice;
        return r;
}

SETTER(set_on_hangup) {
        static const char *const names[] = { "kill", "detach" };
        int choice = 0;
        int r = choose(value, names, ELEMENTSOF(names), row, &choice, error);

        if (r == 0)
                spec->hangup = choice ? HANGUP_DETACH : HANGUP_KILL;
        return r;
}

SETTER(set_escape) {
        return escape_parse(value, &spec->escape_key) < 0
                       ? refuse(row, value, error, "not a key such as ^] or ^a, nor none")
                       : 0;
}

SETTER(set_scrollback) {
        uint64_t size;

        if (parse_size(value, &size) < 0 || size > RING_SIZE_MAX)
                return refuse(row, value, error, "not a size of at most 64M");
        spec->scrollback = size;
        return 0;
}

SETTER(set_explain) {
        static const char *const names[] = { "text", "json" };
        int choice = 0;
        int r = value ? choose(value, names, ELEMENTSOF(names), row, &choice, error) : 0;

        if (r == 0)
                spec->explain = choice ? EXPLAIN_JSON : EXPLAIN_TEXT;
        return r;
}

static int add_mount(struct spec *spec, int parsed, struct mount_op *op, struct error *error) {
        if (parsed < 0)
                return parsed;
        return mount_list_add(&spec->mounts, op) < 0 ? error_memory(error) : 0;
}

SETTER(set_bind) {
        struct mount_op op;

        (void) row;
        return add_mount(spec, mount_parse_bind(value, false, "--bind", &op, error), &op, error);
}

SETTER(set_bind_ro) {
        struct mount_op op;

        (void) row;
        return add_mount(spec, mount_parse_bind(value, true, "--bind-ro", &op, error), &op, error);
}

SETTER(set_tmpfs) {
        struct mount_op op;

        (void) row;
        return add_mount(spec, mount_parse_tmpfs(value, "--tmpfs", &op, error), &op, error);
}

SETTER(set_inaccessible) {
        struct mount_op op;

        (void) row;
        return add_mount(spec, mount_parse_inaccessible(value, "--inaccessible", &op, error), &op, error);
}

SETTER(set_fstab) {
        return !*value ? refuse(row, value, error, "an empty path") : fstab_load(value, &spec->mounts, error);
}
