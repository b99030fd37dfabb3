/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a settings file's text to the spec, in three steps: lines become assignments, these make a spec of their own,
 * and of that is taken over what the command line has left alone. */
#include "launcher/settings.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "isolation/filter_table.h"
#include "isolation/limits.h"

/* The file may be the image's maker's: he may not flood the log. */
enum { WARNINGS_LIMIT = 10 };
/* Nor may he keep us busy: some lists are searched for each word that comes. */
enum { WORDS_LIMIT = 8192 };
enum { VALUE_SHOWN = 100, NAME_SHOWN = 64 }; /* bytes in a message */
#define BLANK " \t\r\n"

struct assignment {
        const struct settings_key *key;
        const char *value;
        unsigned line;
};

struct reader {
        const char *file;
        bool trusted;
        char *rest;              /* what has not been read yet; NULL at the end */
        unsigned line, physical; /* of the assignment at hand; how many lines have been read */
        size_t warnings, words;
        const char *section; /* of the table; NULL: one that is not known, or none yet */
        bool in_section;
        struct assignment *assignments;
        size_t count, space;
        size_t *first; /* for each key the first assignment that counts: an empty one takes back those before it */
        struct spec *spec;
        struct spec from, unused; /* what the file asks for; what is only looked at, since it is masked */
        bool masked[MASK_COUNT];
        struct error *error;
};

static void warn(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct reader *r, const char *format, ...) {
        char text[400];
        va_list ap;

        if (r->warnings++ >= WARNINGS_LIMIT)
                return;
        va_start(ap, format);
        vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        log_warning("%s:%u: %s", r->file, r->line, text);
}

/* ---- lines ---- */

/* Does LINE end in a backslash that is not itself escaped? */
static bool is_continued(const char *line) {
        size_t n = strlen(line), backslashes = 0;

        while (backslashes < n && line[n - 1 - backslashes] == '\\')
                backslashes++;
        return backslashes % 2 == 1;
}

/* Takes a line with those that continue it, which comments may come between. It is put together where it began: it
 * never gets longer. NULL after the last one. */
static char *next_line(struct reader *r) {
        char *result = NULL, *to = NULL;
        bool more = true;

        while (more && r->rest) {
                char *line = strsep(&r->rest, "\n");
                r->physical++;
                if (text_ends_with(line, "\r"))
                        line[strlen(line) - 1] = 0;
                line += strspn(line, BLANK);
                if (*line == '#' || *line == ';')
                        continue;
                if (!result) {
                        result = to = line;
                        r->line = r->physical;
                }
                more = is_continued(line);
                size_t n = strlen(line);
                memmove(to, line, n + 1);
                to += n;
                if (more)
                        to[-1] = ' ';
        }
        return result;
}

static char *trim(char *text) {
        size_t n;

        text += strspn(text, BLANK);
        for (n = strlen(text); n > 0 && strchr(BLANK, text[n - 1]); n--)
                ;
        text[n] = 0;
        return text;
}

static int read_section(struct reader *r, char *line) {
        size_t n = strlen(line);

        if (line[n - 1] != ']')
                return error_set(r->error, EINVAL, "%s:%u: a section's line has no \"]\" at its end", r->file,
                                 r->line);
        line[n - 1] = 0;
        r->in_section = true;
        r->section = NULL;
        for (size_t i = 0; i < settings_count; i++)
                if (text_equal(settings_table[i].section, line + 1)) {
                        r->section = settings_table[i].section;
                        return 0;
                }
        if (!text_starts_with(line + 1, "X-")) /* what others may write there for themselves */
                warn(r, "there is no section [%.*s], and what is in it is ignored", NAME_SHOWN, line + 1);
        return 0;
}

static int add_assignment(struct reader *r, const struct settings_key *key, const char *value) {
        if (!*value) {
                r->first[key - settings_table] = r->count;
                return 0;
        }
        if (r->count == r->space) {
                size_t space = r->space ? 2 * r->space : 16;
                struct assignment *more = reallocarray(r->assignments, space, sizeof *more);
                if (!more)
                        return error_memory(r->error);
                r->assignments = more;
                r->space = space;
        }
        r->assignments[r->count++] = (struct assignment){ .key = key, .value = value, .line = r->line };
        return 0;
}

/* What stands in the line is not shown: whoever owns the directory may have put a link to another file there. */
static int read_assignment(struct reader *r, char *line) {
        char *equals = strchr(line, '=');

        if (!r->in_section) {
                warn(r, "what comes before the first section is ignored");
                return 0;
        }
        if (!r->section)
                return 0;
        if (!equals || equals == line)
                return error_set(r->error, EINVAL, "%s:%u: this is neither [SECTION] nor KEY=VALUE", r->file, r->line);
        *equals = 0;
        const char *name = trim(line), *value = trim(equals + 1);
        for (size_t i = 0; i < settings_count; i++)
                if (text_equal(settings_table[i].section, r->section) && text_equal(settings_table[i].name, name))
                        return add_assignment(r, &settings_table[i], value);
        if (!text_starts_with(name, "X-"))
                warn(r, "there is no key %.*s= in section [%s], and it is ignored", NAME_SHOWN, name, r->section);
        return 0;
}

static int read_lines(struct reader *r) {
        char *line;
        int e = 0;

        if (text_starts_with(r->rest, "\xef\xbb\xbf")) /* a byte order mark */
                r->rest += 3;
        while (e >= 0 && (line = next_line(r))) {
                line = trim(line);
                if (*line == '[')
                        e = read_section(r, line);
                else if (*line)
                        e = read_assignment(r, line);
        }
        return e;
}

/* ---- one assignment ---- */

/* "FILE:LINE: KEY=VALUE: REASON". */
static int refuse(const struct reader *r, const struct assignment *a, const char *reason) {
        size_t n = strlen(a->value);

        return error_set(r->error, EINVAL, "%s:%u: %s=%.*s%s: %s", r->file, a->line, a->key->name, VALUE_SHOWN,
                         a->value, n > VALUE_SHOWN ? "..." : "", reason);
}

/* Says what the setter of ROW has said of the option, given as VALUE, of the key. */
static int translate(const struct reader *r, const struct assignment *a, const struct option_row *row,
                     const char *value, const struct error *inner) {
        const char *reason = inner->text;
        size_t n = strlen(row->name);

        if (inner->code == ENOMEM)
                return error_memory(r->error);
        if (text_starts_with(reason, "--") && strncmp(reason + 2, row->name, n) == 0) {
                reason += 2 + n;
                if (*reason == '=' && text_starts_with(reason + 1, value))
                        reason += 1 + strlen(value);
                else if (*reason == '=')
                        reason = ""; /* a value so long that nothing came after it */
                reason += strspn(reason, ": ");
        }
        int e = refuse(r, a, *reason ? reason : "not a value that this key takes");
        if (r->error)
                memcpy(r->error->hint, inner->hint, sizeof r->error->hint);
        return e;
}

/* All of what a setting is in the spec. */
#define FIELD(setting, member, release)                                                                               \
        { setting, offsetof(struct spec, member), sizeof(((struct spec *) NULL)->member), release }

static void release_list(void *list) {
        strv_free(list);
}

static void release_mounts(void *list) {
        mount_list_free(list);
}

static const struct {
        enum setting setting;
        size_t offset, size;
        void (*release)(void *member);
} fields[] = {
        FIELD(SETTING_ENVIRONMENT, environment, release_list),
        FIELD(SETTING_ENVIRONMENT, environment_origin, release_list),
        FIELD(SETTING_USER, user, freep),
        FIELD(SETTING_CHDIR, chdir, freep),
        FIELD(SETTING_KILL_SIGNAL, kill_signal, NULL),
        FIELD(SETTING_NOTIFY_READY, notify_ready, NULL),
        FIELD(SETTING_HOSTNAME, hostname, freep),
        FIELD(SETTING_UUID, uuid, NULL),
        FIELD(SETTING_PERSONALITY, personality, NULL),
        FIELD(SETTING_NO_NEW_PRIVILEGES, no_new_privileges, NULL),
        FIELD(SETTING_SYSTEM_CALL_FILTER, filter_allow, release_list),
        FIELD(SETTING_SYSTEM_CALL_FILTER, filter_deny, release_list),
        FIELD(SETTING_OOM_SCORE_ADJUST, oom_score_adjust, NULL),
        FIELD(SETTING_CPU_AFFINITY, cpu_affinity, NULL),
        FIELD(SETTING_RESOLV_CONF, resolv_conf, NULL),
        FIELD(SETTING_TIMEZONE, timezone, NULL),
        FIELD(SETTING_LINK_JOURNAL, link_journal, NULL),
        FIELD(SETTING_READ_ONLY, read_only, NULL),
        FIELD(SETTING_MOUNTS, mounts, release_mounts),
        FIELD(SETTING_PRIVATE_NETWORK, private_network, NULL),
};

/* Makes SETTING in TO what it is in FROM; from NULL it is nothing, zero, no. */
static void move_setting(struct spec *to, struct spec *from, enum setting setting) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                if (fields[i].setting != setting)
                        continue;
                char *member = (char *) to + fields[i].offset;
                if (fields[i].release)
                        fields[i].release(member);
                memset(member, 0, fields[i].size);
                if (!from)
                        continue;
                memcpy(member, (char *) from + fields[i].offset, fields[i].size);
                memset((char *) from + fields[i].offset, 0, fields[i].size);
        }
}

/* The newest of the origins that the spec owns. */
static const char *newest_origin(const struct reader *r) {
        return r->spec->strings.items[r->spec->strings.count - 1];
}

/* Boot= and ProcessTwo= exclude each other, and neither can be taken back. */
static int set_start(struct reader *r, struct spec *to, const struct assignment *a, bool yes) {
        bool boot = text_equal(a->key->option, "boot");
        bool conflict = (yes != boot) ? to->start == START_BOOT : to->as_pid2;

        if (conflict) {
                if (to == &r->from)
                        warn(r, "%s=%s is ignored: it conflicts with a line before it", a->key->name,
                             yes ? "yes" : "no");
                return 1;
        }
        if (yes && boot)
                to->start = START_BOOT;
        else if (yes)
                to->as_pid2 = true;
        return 0;
}

/* Returns 1 if the line is ignored. */
static int set_flag(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        bool yes;

        if (parse_boolean(a->value, &yes) < 0)
                return refuse(r, a, "neither yes nor no");
        if (a->key->group == MASK_START)
                return set_start(r, to, a, yes);
        if (yes)
                return row->set(to, NULL, row, r->error);
        move_setting(to, NULL, row->setting);
        return 0;
}

static int call_setter(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row,
                       const char *value) {
        struct error inner = { 0 };
        int e = row->set(to, value, row, &inner);

        if (e < 0)
                return translate(r, a, row, value, &inner);
        return e > 0 ? refuse(r, a, "not a value that this key takes") : 0;
}

/* Splits TEXT at blanks outside of quotes, of which there are two kinds. A backslash is an ordinary byte. Returns 0,
 * -EINVAL for a quote that is not closed, or -ENOMEM. */
static int split_words(struct strv *words, const char *text) {
        _cleanup_free_ char *word = malloc(strlen(text) + 1);
        int e = word ? 0 : -ENOMEM;

        for (const char *p = text + strspn(text, BLANK); e >= 0 && *p; p += strspn(p, BLANK)) {
                char *to = word, quote = 0;
                for (; *p && (quote || !strchr(BLANK, *p)); p++)
                        if (quote ? *p == quote : *p == '"' || *p == '\'')
                                quote = quote ? 0 : *p;
                        else
                                *to++ = *p;
                *to = 0;
                e = quote ? -EINVAL : strv_add(words, word);
        }
        return e;
}

static int set_assignment(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row,
                          const char *word) {
        size_t n = strcspn(word, "=");

        /* The option takes NAME alone from the caller's environment, which is none of the file's business. */
        if (!word[n])
                return refuse(r, a, "not NAME=VALUE");
        int e = call_setter(r, to, a, row, word);
        if (e < 0)
                return e;
        _cleanup_free_ char *origin = text_format("%.*s=%s", (int) n, word, newest_origin(r));
        return !origin || strv_setenv(&to->environment_origin, origin) < 0 ? error_memory(r->error) : 0;
}

static int set_words(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        struct strv words = { 0 };
        int e = split_words(&words, a->value);

        if (e < 0)
                e = e == -ENOMEM ? error_memory(r->error) : refuse(r, a, "a quote is not closed");
        for (size_t i = 0; e >= 0 && i < words.count; i++)
                if (row)
                        e = set_assignment(r, to, a, row, words.items[i]);
                else if (strv_add(&to->words, words.items[i]) < 0)
                        e = error_memory(r->error);
        strv_free(&words);
        return e;
}

static int resource_of(const struct settings_key *key) {
        for (int i = 0; i < (int) SPEC_LIMITS; i++)
                if (limit_name(i) && text_equal(limit_name(i) + strlen("RLIMIT_"), key->name + strlen("Limit")))
                        return i;
        return -1;
}

static int set_limit(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        _cleanup_free_ char *value = text_format("%s=%s", a->key->name + strlen("Limit"), a->value);
        int resource = resource_of(a->key);

        if (!value)
                return error_memory(r->error);
        int e = call_setter(r, to, a, row, value);
        if (e >= 0 && resource >= 0)
                to->limit_origin[resource] = newest_origin(r);
        return e;
}

static int set_list(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        const uint64_t before = to->capabilities_added;
        const cpu_set_t cpus = to->cpu_affinity;
        int e = call_setter(r, to, a, row, a->value);

        if (a->key->group == MASK_CPU_AFFINITY) /* lines add up, options do not */
                CPU_OR(&to->cpu_affinity, &to->cpu_affinity, &cpus);
        for (unsigned c = 0; e >= 0 && c < ELEMENTSOF(to->capability_origin); c++)
                if (to->capabilities_added & ~before & (UINT64_C(1) << c))
                        to->capability_origin[c] = newest_origin(r);
        return e;
}

/* A group that does not exist is found here, where the line is known; a call may be that of another machine. */
static int set_filter(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        _cleanup_free_ uint8_t *marks = calloc(filter_native.count, 1);
        _cleanup_free_ char *reason = NULL;
        struct strv names = { 0 };
        int e = marks ? strv_split(&names, a->value + (*a->value == '~'), BLANK ",") : -ENOMEM;

        for (size_t i = 0; e >= 0 && !reason && i < names.count; i++)
                if (filter_mark(&filter_native, names.items[i], marks, true) == -EINVAL)
                        reason = text_format("there is no group of system calls %s", names.items[i]);
        strv_free(&names);
        if (e < 0)
                return error_memory(r->error);
        return reason ? refuse(r, a, reason) : call_setter(r, to, a, row, a->value);
}

/* A relative source would be another directory for each caller. */
static bool is_relative(const struct assignment *a) {
        bool bind = text_equal(a->key->option, "bind") || text_equal(a->key->option, "bind-ro");

        return bind && !strchr("/+:", *a->value);
}

/* A mount says by itself where it came from. */
static int name_mounts(struct reader *r, struct spec *to, size_t first) {
        for (size_t i = first; i < to->mounts.count; i++) {
                char *origin = strdup(newest_origin(r));
                if (!origin)
                        return error_memory(r->error);
                free(to->mounts.ops[i].origin);
                to->mounts.ops[i].origin = origin;
        }
        return 0;
}

static int set_value(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        const size_t mounts = to->mounts.count;

        if (is_relative(a))
                return refuse(r, a, "the source is no absolute path");
        int e = call_setter(r, to, a, row, a->value);
        return e >= 0 ? name_mounts(r, to, mounts) : e;
}

static size_t count_words(const char *text) {
        size_t n = 0;

        for (text += strspn(text, BLANK); *text; text += strspn(text, BLANK)) {
                text += strcspn(text, BLANK);
                n++;
        }
        return n;
}

/* Takes A into TO. ROW is its option, or NULL where it stands for the words. */
static int set(struct reader *r, struct spec *to, const struct assignment *a, const struct option_row *row) {
        static int (*const setters[])(struct reader *, struct spec *, const struct assignment *,
                                      const struct option_row *) = {
                [SHAPE_FLAG] = set_flag,   [SHAPE_VALUE] = set_value,       [SHAPE_CHOICE] = set_value,
                [SHAPE_LIST] = set_list,   [SHAPE_FILTER] = set_filter,     [SHAPE_LIMIT] = set_limit,
                [SHAPE_WORDS] = set_words, [SHAPE_ASSIGNMENTS] = set_words,
        };
        const enum setting setting = row ? row->setting : SETTING_WORDS;
        _cleanup_free_ char *origin = text_format("%s:%u", r->file, a->line);

        if ((a->key->shape == SHAPE_CHOICE || a->key->shape == SHAPE_LIST) && text_equal(a->value, "help"))
                return refuse(r, a, "not a value that this key takes");
        r->words += count_words(a->value);
        if (r->words > WORDS_LIMIT)
                return error_set(r->error, E2BIG, "%s:%u: there are more than %d words in this file", r->file, a->line,
                                 WORDS_LIMIT);
        /* The spec that stays owns all origins, whether they are needed in the end or not. */
        if (!origin || strv_add(&r->spec->strings, origin) < 0)
                return error_memory(r->error);
        int e = setters[a->key->shape](r, to, a, row);
        if (e == 0)
                to->origin[setting] = newest_origin(r);
        return e < 0 ? e : 0;
}

/* ---- what counts ---- */

static bool is_privileged(const struct assignment *a) {
        return a->key->privileged && !(a->key->shape == SHAPE_FILTER && *a->value == '~');
}

/* Does KEY, whose option this version lacks, ask for what happens anyway? */
static bool is_harmless(const struct assignment *a) {
        bool yes;

        if (a->key->shape == SHAPE_FLAG)
                return parse_boolean(a->value, &yes) == 0 && !yes;
        return option_is_harmless(a->key->option, a->value);
}

static bool is_masked(const struct reader *r, const struct settings_key *key) {
        int resource = key->shape == SHAPE_LIMIT ? resource_of(key) : -1;

        if (resource >= 0)
                return r->spec->settings != SETTINGS_OVERRIDE && r->spec->limit_set[resource];
        return r->masked[key->group];
}

static int apply(struct reader *r, const struct assignment *a) {
        const struct settings_key *key = a->key;
        const struct option_row *row = key->option ? option_find(key->option, NULL) : NULL;
        const bool masked = is_masked(r, key);

        r->line = a->line;
        if (!r->trusted && is_privileged(a)) {
                if (!masked)
                        warn(r, "%s= is ignored, since this file is not trusted", key->name);
                return 0;
        }
        if (row || !key->option)
                return set(r, masked ? &r->unused : &r->from, a, row);
        if (masked || is_harmless(a))
                return 0;
        return error_set(r->error, EOPNOTSUPP, "%s:%u: %s= is not supported by this version of spawn", r->file,
                         a->line, key->name);
}

static int apply_all(struct reader *r) {
        int e = 0;

        for (size_t i = 0; e >= 0 && i < r->count; i++)
                if (i >= r->first[r->assignments[i].key - settings_table])
                        e = apply(r, &r->assignments[i]);
        return e;
}

/* What the command line and the environment have said. */
static void find_masked(struct reader *r) {
        const struct spec *spec = r->spec;

        if (spec->settings == SETTINGS_OVERRIDE)
                return;
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                const struct option_row *row = key->option ? option_find(key->option, NULL) : NULL;
                const enum setting setting = key->option ? row ? row->setting : SETTING_COUNT : SETTING_WORDS;
                if ((setting != SETTING_COUNT && spec->origin[setting]) ||
                    (key->option && strv_contains(&spec->given, key->option)))
                        r->masked[key->group] = true;
        }
        if (spec->origin[SETTING_FSTAB])
                r->masked[MASK_MOUNTS] = true;
        if (strv_getenv(&spec->caller_environment, "SYSTEMD_SUPPRESS_SYNC"))
                r->masked[MASK_SUPPRESS_SYNC] = true;
}

/* ---- taking over ---- */

static void merge_start(struct spec *spec, struct spec *from) {
        const bool start = from->origin[SETTING_START], words = from->origin[SETTING_WORDS];

        if (!start && !words)
                return;
        if (start) {
                spec->start = from->start;
                spec->as_pid2 = from->as_pid2;
                spec->origin[SETTING_START] = from->origin[SETTING_START];
        }
        /* Words alone are the arguments of the init that the command line asks for. */
        if (spec->start != START_BOOT)
                spec->start = words ? START_COMMAND : START_SHELL;
        strv_free(&spec->words);
        spec->words = from->words;
        from->words = (struct strv){ 0 };
        spec->origin[SETTING_WORDS] = from->origin[SETTING_WORDS];
}

/* Capabilities add up: those that the command line has dropped stay dropped unless the file names them. */
static void merge_capabilities(struct spec *spec, const struct spec *from) {
        static const enum setting settings[] = { SETTING_CAPABILITY, SETTING_DROP_CAPABILITY,
                                                 SETTING_AMBIENT_CAPABILITY };

        if (from->origin[SETTING_PRIVATE_NETWORK] && !from->private_network && spec->settings == SETTINGS_OVERRIDE)
                spec->capabilities_added &= ~(UINT64_C(1) << CAP_NET_ADMIN);
        spec->capabilities_dropped &= ~from->capabilities_added;
        spec->capabilities_dropped |= from->capabilities_dropped;
        spec->capabilities_added |= from->capabilities_added;
        spec->capabilities_ambient |= from->capabilities_ambient;
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                if (!spec->origin[settings[i]])
                        spec->origin[settings[i]] = from->origin[settings[i]];
        for (size_t c = 0; c < ELEMENTSOF(from->capability_origin); c++)
                if (from->capability_origin[c])
                        spec->capability_origin[c] = from->capability_origin[c];
}

static void merge_limits(struct spec *spec, const struct spec *from) {
        for (size_t i = 0; i < SPEC_LIMITS; i++)
                if (from->limit_set[i]) {
                        spec->limits[i] = from->limits[i];
                        spec->limit_set[i] = true;
                        spec->limit_origin[i] = from->limit_origin[i];
                }
        if (!spec->origin[SETTING_RLIMIT])
                spec->origin[SETTING_RLIMIT] = from->origin[SETTING_RLIMIT];
}

static void merge(struct spec *spec, struct spec *from) {
        merge_start(spec, from);
        merge_capabilities(spec, from);
        merge_limits(spec, from);
        if (from->origin[SETTING_MOUNTS])
                spec->origin[SETTING_FSTAB] = NULL;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (from->origin[fields[i].setting]) {
                        move_setting(spec, from, fields[i].setting);
                        spec->origin[fields[i].setting] = from->origin[fields[i].setting];
                        from->origin[fields[i].setting] = NULL;
                }
}

static int check_text(const char *file, const char *text, size_t size, struct error *error) {
        unsigned line = 1;

        if (strlen(text) == size)
                return 0;
        for (const char *p = text; *p; p++)
                line += *p == '\n';
        return error_set(error, EINVAL, "%s:%u: there is a NUL byte, so this is no text", file, line);
}

int settings_parse(struct spec *spec, const char *file, bool trusted, char *text, size_t size, struct error *error) {
        struct reader r = { .file = file, .trusted = trusted, .rest = text, .spec = spec, .error = error };
        int e = check_text(file, text, size, error);

        r.first = calloc(settings_count, sizeof *r.first);
        spec_init(&r.from);
        spec_init(&r.unused);
        find_masked(&r);
        if (e >= 0)
                e = r.first ? read_lines(&r) : error_memory(error);
        if (e >= 0)
                e = apply_all(&r);
        if (e >= 0)
                merge(spec, &r.from);
        if (r.warnings > WARNINGS_LIMIT)
                log_warning("%s: %zu more lines are ignored", file, r.warnings - WARNINGS_LIMIT);
        spec_free(&r.from);
        spec_free(&r.unused);
        free(r.assignments);
        free(r.first);
        return e;
}
