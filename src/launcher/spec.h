/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What was asked for. Parsers fill it and touch nothing else; no file of the image is looked at.
 *
 * Every setting remembers where it came from: origin[SETTING_…] is NULL for a default, else "--option",
 * "$VARIABLE" or "FILE:LINE" (static or owned by `strings`). */

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "basic/error.h"
#include "basic/text.h"
#include "mounts/op.h"

enum setting {
        SETTING_DIRECTORY,
        SETTING_IMAGE,
        SETTING_READ_ONLY,
        SETTING_START,
        SETTING_WORDS,
        SETTING_CHDIR,
        SETTING_ENVIRONMENT,
        SETTING_USER,
        SETTING_KILL_SIGNAL,
        SETTING_STOP_TIMEOUT,
        SETTING_NOTIFY_READY,
        SETTING_MACHINE,
        SETTING_HOSTNAME,
        SETTING_UUID,
        SETTING_PRIVATE_NETWORK,
        SETTING_CAPABILITY,
        SETTING_DROP_CAPABILITY,
        SETTING_AMBIENT_CAPABILITY,
        SETTING_NO_NEW_PRIVILEGES,
        SETTING_SYSTEM_CALL_FILTER,
        SETTING_RLIMIT,
        SETTING_OOM_SCORE_ADJUST,
        SETTING_CPU_AFFINITY,
        SETTING_PERSONALITY,
        SETTING_RESOLV_CONF,
        SETTING_TIMEZONE,
        SETTING_REGISTER,
        SETTING_LINK_JOURNAL,
        SETTING_KEEP_UNIT,
        SETTING_SLICE,
        SETTING_PROPERTY,
        SETTING_MOUNTS,
        SETTING_FSTAB,
        SETTING_CONSOLE,
        SETTING_CONSOLE_LOG,
        SETTING_RECORD,
        SETTING_RECORD_INPUT,
        SETTING_CONSOLE_FILTER,
        SETTING_DETACH,
        SETTING_DETACHABLE,
        SETTING_WAIT,
        SETTING_ON_HANGUP,
        SETTING_SCROLLBACK,
        SETTING_ESCAPE,
        SETTING_QUIET,
        SETTING_EXPLAIN,
        SETTING_CLEANUP,
        SETTING_SETTINGS,
        /* environment of spawn itself */
        SETTING_TMPFS_TMP,
        SETTING_API_VFS_WRITABLE,
        SETTING_LOCK,
        SETTING_CHECK_OS_RELEASE,
        SETTING_SECCOMP,
        SETTING_CONTAINER_SERVICE,
        SETTING_COUNT,
};

enum start_mode { START_COMMAND, START_SHELL, START_BOOT }; /* shell: no words and no --boot */
enum console_mode {
        CONSOLE_DEFAULT, /* decided by the plan: see console_resolve() there */
        CONSOLE_INTERACTIVE,
        CONSOLE_READ_ONLY,
        CONSOLE_PASSIVE,
        CONSOLE_PIPE,
        CONSOLE_AUTOPIPE,
        CONSOLE_DETACHED, /* only in a plan: viewers come and go */
};
/* A log of the console on the host; see console/log_file.h. */
struct console_log {
        char *path; /* NULL: none */
        bool raw;
        uint64_t size;
        unsigned rotate;
};
enum wait_for { WAIT_RUNNING, WAIT_READY };
enum hangup { HANGUP_DEFAULT, HANGUP_KILL, HANGUP_DETACH };
/* Whether there is a settings file to be read, and who wins (launcher/settings.h). */
enum settings_mode { SETTINGS_YES, SETTINGS_NO, SETTINGS_OVERRIDE, SETTINGS_TRUSTED };
enum explain_format { EXPLAIN_NO, EXPLAIN_TEXT, EXPLAIN_JSON };
enum resolv_conf_mode {
        RESOLV_CONF_OFF,
        RESOLV_CONF_COPY_HOST,
        RESOLV_CONF_COPY_STATIC,
        RESOLV_CONF_COPY_UPLINK,
        RESOLV_CONF_COPY_STUB,
        RESOLV_CONF_REPLACE_HOST,
        RESOLV_CONF_REPLACE_STATIC,
        RESOLV_CONF_REPLACE_UPLINK,
        RESOLV_CONF_REPLACE_STUB,
        RESOLV_CONF_BIND_HOST,
        RESOLV_CONF_BIND_STATIC,
        RESOLV_CONF_BIND_UPLINK,
        RESOLV_CONF_BIND_STUB,
        RESOLV_CONF_DELETE,
        RESOLV_CONF_AUTO,
};
enum timezone_mode {
        TIMEZONE_OFF,
        TIMEZONE_COPY,
        TIMEZONE_BIND,
        TIMEZONE_SYMLINK,
        TIMEZONE_DELETE,
        TIMEZONE_AUTO,
};
enum registration { REGISTER_AUTO, REGISTER_YES, REGISTER_NO };
enum link_journal {
        LINK_JOURNAL_AUTO,
        LINK_JOURNAL_NO,
        LINK_JOURNAL_HOST,
        LINK_JOURNAL_TRY_HOST,
        LINK_JOURNAL_GUEST,
        LINK_JOURNAL_TRY_GUEST,
};
enum api_vfs { API_VFS_READ_ONLY, API_VFS_NETWORK, API_VFS_WRITABLE };

#define SPEC_LIMITS RLIM_NLIMITS

struct spec {
        const char *origin[SETTING_COUNT];
        struct strv strings; /* owns origins that are not literals */
        struct strv given;   /* options that have left no origin: taken back, or asking for what happens anyway */
        enum settings_mode settings;
        char *settings_file; /* the one that was read, or NULL */
        bool settings_trusted;

        char *directory; /* as given; NULL if none */
        char *image;     /* the same */
        bool read_only;
        enum start_mode start;
        bool as_pid2;
        struct strv words; /* the command, or the init's arguments */
        char *chdir;
        struct strv environment;        /* NAME=VALUE, last one of a name wins */
        struct strv environment_origin; /* NAME=FILE:LINE of those that are from a settings file */
        struct strv caller_environment; /* what --setenv=NAME takes its value from */
        char *user;
        int kill_signal;            /* 0: chosen by the init found */
        uint64_t stop_timeout_usec; /* 0: never */
        char *machine;              /* NULL: from the directory's name */
        char *hostname;             /* NULL: the machine's name */
        struct id128 uuid;          /* valid if origin[SETTING_UUID] */
        bool private_network;
        uint64_t capabilities_added, capabilities_dropped, capabilities_ambient; /* 1 << CAP_… */
        const char *capability_origin[64]; /* FILE:LINE, or NULL: that of the setting */
        bool no_new_privileges;
        struct strv filter_allow, filter_deny; /* names of calls and @groups */
        struct rlimit limits[SPEC_LIMITS];
        bool limit_set[SPEC_LIMITS];
        const char *limit_origin[SPEC_LIMITS]; /* FILE:LINE, or NULL: that of the setting */
        int oom_score_adjust;                  /* valid if origin[SETTING_OOM_SCORE_ADJUST] */
        cpu_set_t cpu_affinity;                /* valid if origin[SETTING_CPU_AFFINITY] */
        unsigned long personality;             /* valid if origin[SETTING_PERSONALITY] */
        enum resolv_conf_mode resolv_conf;
        enum timezone_mode timezone;
        enum registration registration; /* with the host's systemd-machined */
        bool keep_unit;
        enum link_journal link_journal;
        char *slice;              /* as given; NULL: machine.slice */
        struct strv properties;   /* NAME=VALUE of the scope */
        bool notify_ready;        /* READY=1 of ours is the payload's */
        struct mount_list mounts; /* --bind, --bind-ro, --tmpfs, --inaccessible, --fstab, in the order given */
        enum console_mode console;
        struct console_log console_log;
        char *record; /* file of a recording; NULL: none */
        bool record_input;
        bool console_safe;   /* --console-filter=safe */
        bool detach;         /* return when it runs */
        bool detachable;     /* the foreground console can be left; without an origin: where it boots on a terminal */
        enum wait_for wait;  /* what --detach waits for */
        enum hangup hangup;  /* what the end of the terminal means */
        int escape_key;      /* a byte or ESCAPE_KEY_NONE */
        uint64_t scrollback; /* bytes that a new viewer is shown */
        bool quiet;
        enum explain_format explain;
        bool cleanup; /* of a crashed run, instead of starting anything */

        bool tmpfs_tmp; /* valid if origin[SETTING_TMPFS_TMP]: else tmpfs on /tmp only when booting */
        enum api_vfs api_vfs;
        bool lock;
        bool check_os_release;
        bool seccomp;
        char *container_service;
};

/* What the words ask spawn to do before anything else. */
enum spec_action { ACTION_RUN, ACTION_HELP, ACTION_VERSION, ACTION_LIST /* an option's `help` value was printed */ };

void spec_init(struct spec *spec);
void spec_free(struct spec *spec);

/* Makes ORIGIN, which is copied, that of SETTING (SETTING_COUNT: of none). Returns 0 or -ENOMEM. */
int spec_remember(struct spec *spec, enum setting setting, const char *origin, struct error *error);

/* Fills SPEC from the words of the command line (ARGV[0] is the program) and from the environment variables of
 * section "Environment" of spawn(1) in ENVIRON. Returns 0 or a negative errno, with *ERROR naming the option. */
int spec_parse(struct spec *spec, int argc, char *const argv[], char *const environment[],
               enum spec_action *ret_action, struct error *error);

/* What goes together and what does not, without a look at the host. spec_parse() asks it, unless a settings file may
 * still take the words back (--settings=override). Returns 0 or a negative errno. */
int spec_check(const struct spec *spec, struct error *error);
