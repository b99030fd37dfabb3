/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --explain: the plan in words, or as JSON (RFC 8259). Everything that came from an image or a user is escaped. */

#include <errno.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "console/escape.h"
#include "isolation/affinity.h"
#include "isolation/capability.h"
#include "isolation/limits.h"
#include "isolation/namespaces.h"
#include "isolation/personality.h"
#include "isolation/signals.h"
#include "launcher/plan.h"
#include "mounts/inroot.h"

/* One writer for both forms. A list holds objects; an object holds fields; people see one line for each object. */
struct out {
        bool json;
        bool first; /* nothing at this level yet */
};

/* JSON is UTF-8 (RFC 8259, section 8.1) and its escapes are code points: bytes that are no UTF-8 have no place in it.
 * They are shown as people see them, \xNN. */
static void put_json_string(const char *text) {
        putchar('"');
        for (size_t n; *text; text += n) {
                unsigned char c = (unsigned char) *text;
                n = text_utf8_length(text);
                if (c == '"' || c == '\\')
                        printf("\\%c", c);
                else if (c < 0x20 || c == 0x7f)
                        printf("\\u%04x", c);
                else if (n > 0)
                        printf("%.*s", (int) n, text);
                else {
                        printf("\\\\x%02x", c);
                        n = 1;
                }
        }
        putchar('"');
}

static void separate(struct out *o) {
        if (o->json && !o->first)
                putchar(',');
        o->first = false;
}

static void put_text(struct out *o, const char *name, const char *value) {
        char escaped[4096];

        if (!value)
                return;
        separate(o);
        if (o->json) {
                put_json_string(name);
                putchar(':');
                put_json_string(value);
                return;
        }
        text_escape(escaped, sizeof escaped, value);
        if (*name)
                printf(" %s=%s", name, escaped);
        else
                printf(" %s", escaped);
}

static void put_flag(struct out *o, const char *name, bool value) {
        if (o->json) {
                separate(o);
                put_json_string(name);
                printf(":%s", value ? "true" : "false");
        } else if (value)
                printf(" %s", name);
}

static void put_number(struct out *o, const char *name, int64_t value) {
        separate(o);
        if (o->json) {
                put_json_string(name);
                printf(":%" PRId64, value);
        } else
                printf(" %s=%" PRId64, name, value);
}

static void begin_list(struct out *o, const char *name) {
        separate(o);
        if (o->json) {
                put_json_string(name);
                printf(":[");
        } else
                printf("%s:\n", name);
        o->first = true;
}

static void end_list(struct out *o) {
        if (o->json)
                putchar(']');
        o->first = false;
}

static void begin_object(struct out *o) {
        separate(o);
        printf(o->json ? "{" : "  -");
        o->first = true;
}

static void end_object(struct out *o) {
        putchar(o->json ? '}' : '\n');
        o->first = false;
}

static const char *origin(const struct plan *plan, enum setting setting) {
        return plan->spec->origin[setting] ? plan->spec->origin[setting] : "default";
}

static const char *const console_names[] = {
        [CONSOLE_INTERACTIVE] = "interactive", [CONSOLE_READ_ONLY] = "read-only",
        [CONSOLE_PASSIVE] = "passive",         [CONSOLE_PIPE] = "pipe",
        [CONSOLE_DETACHED] = "detached",
};

static const char *const groups[] = {
        [GROUP_NONE] = "the caller's, read-only",
        [GROUP_BELOW] = "its own, below the caller's",
        [GROUP_UNIT] = "payload, in the unit of the caller",
        [GROUP_SCOPE] = "payload, in a scope of its own",
};

static const char *device_filter(const struct plan *plan) {
        static const char *const whose[] = { [GROUP_NONE] = "off",
                                             [GROUP_BELOW] = "on",
                                             [GROUP_UNIT] = "of the caller's unit",
                                             [GROUP_SCOPE] = "of the scope" };
        return plan->device_filter || plan->group == GROUP_UNIT ? whose[plan->group] : "off";
}

static const char *registration(const struct plan *plan) {
        if (!plan->announce)
                return "no";
        return plan->spec->registration == REGISTER_YES ? "yes" : "if there is a machined";
}

/* NULL where there is none. The caller frees. */
static char *console_log(const struct console_log *log) {
        return log->path ? text_format("%s (%s, %" PRIu64 " bytes and %u older files)", log->path,
                                       log->raw ? "raw" : "text", log->size, log->rotate)
                         : NULL;
}

/* NULL where there is none. The caller frees. */
static char *image_root(const struct root_probe *root) {
        const struct image_partition *p = &root->image.parts[PART_ROOT];

        if (!root->image.path)
                return NULL;
        if (!root->image.table)
                return text_format("%s (%s)", root->real_path, p->type);
        return text_format("%s (%s partition %d: %" PRIu64 " bytes at %" PRIu64 ", %s)", root->real_path,
                           root->image.table, p->number, p->size, p->offset, p->type);
}

/* Those of the payload's attributes that were asked for; there is no line for the others. */
static void explain_attributes(struct out *o, const struct plan *plan) {
        const struct spec *spec = plan->spec;
        char signal[SIGNAL_NAME_SIZE], score[16], cpus[256];
        const struct {
                const char *name, *value;
                enum setting setting;
        } rows[] = {
                { "kill-signal", plan->kill_signal ? signal_name(plan->kill_signal, signal) : NULL,
                  SETTING_KILL_SIGNAL },
                { "oom-score-adjust", score, SETTING_OOM_SCORE_ADJUST },
                { "cpu-affinity", affinity_format(&spec->cpu_affinity, cpus, sizeof cpus), SETTING_CPU_AFFINITY },
                { "personality", personality_name(spec->personality), SETTING_PERSONALITY },
        };

        snprintf(score, sizeof score, "%d", spec->oom_score_adjust);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!spec->origin[rows[i].setting])
                        continue;
                begin_object(o);
                put_text(o, o->json ? "name" : "", rows[i].name);
                put_text(o, "value", rows[i].value);
                put_text(o, "origin", spec->origin[rows[i].setting]);
                end_object(o);
        }
}

static void explain_settings(struct out *o, const struct plan *plan) {
        _cleanup_free_ char *log = console_log(&plan->spec->console_log);
        _cleanup_free_ char *image = image_root(&plan->probe->root);
        char id[ID128_DASHED_SIZE], key[ESCAPE_NAME_SIZE];
        const struct {
                const char *name, *value, *origin;
        } rows[] = {
                { "settings-file", plan->spec->settings_file, origin(plan, SETTING_SETTINGS) },
                { "settings-trusted", plan->spec->settings_file ? (plan->spec->settings_trusted ? "yes" : "no") : NULL,
                  origin(plan, SETTING_SETTINGS) },
                { "directory", plan->probe->root.image.path ? NULL : plan->probe->root.real_path,
                  origin(plan, SETTING_DIRECTORY) },
                { "image", image, origin(plan, SETTING_IMAGE) },
                { "machine", plan->machine, origin(plan, SETTING_MACHINE) },
                { "hostname", plan->host_name, origin(plan, SETTING_HOSTNAME) },
                { "machine-id", (id128_dashed(&plan->machine_id, id), id),
                  plan->probe->root.machine_id_text ? "/etc/machine-id of the root" : origin(plan, SETTING_UUID) },
                { "console", console_names[plan->console], origin(plan, SETTING_CONSOLE) },
                { "console-log", log, origin(plan, SETTING_CONSOLE_LOG) },
                { "console-filter", plan->spec->console_safe ? "safe" : "off", origin(plan, SETTING_CONSOLE_FILTER) },
                { "escape", escape_name(plan->spec->escape_key, key), origin(plan, SETTING_ESCAPE) },
                { "record", plan->spec->record, origin(plan, SETTING_RECORD) },
                { "record-input", plan->spec->record ? (plan->spec->record_input ? "yes" : "no") : NULL,
                  origin(plan, SETTING_RECORD_INPUT) },
                { "user", plan->user ? plan->user : "root", origin(plan, SETTING_USER) },
                { "working-directory", plan->working_directory ? plan->working_directory : "/",
                  origin(plan, SETTING_CHDIR) },
                { "read-only", plan->tree_read_only ? "yes" : "no", origin(plan, SETTING_READ_ONLY) },
                { "no-new-privileges", plan->spec->no_new_privileges ? "yes" : "no",
                  origin(plan, SETTING_NO_NEW_PRIVILEGES) },
                { "register", registration(plan), origin(plan, SETTING_REGISTER) },
                { "slice", plan->spec->slice, origin(plan, SETTING_SLICE) },
                { "journal-on-host", plan->journal.path, origin(plan, SETTING_LINK_JOURNAL) },
                { "notify-ready", plan->spec->notify_ready ? "yes" : "no", origin(plan, SETTING_NOTIFY_READY) },
                { "device-filter", device_filter(plan), "default" },
                { "cgroup", groups[plan->group],
                  plan->group == GROUP_UNIT ? origin(plan, SETTING_KEEP_UNIT) : "default" },
        };
        begin_list(o, "settings");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!rows[i].value)
                        continue;
                begin_object(o);
                put_text(o, o->json ? "name" : "", rows[i].name);
                put_text(o, "value", rows[i].value);
                put_text(o, "origin", rows[i].origin);
                end_object(o);
        }
        explain_attributes(o, plan);
        end_list(o);
}

static void explain_properties(struct out *o, const struct plan *plan) {
        const struct strv *properties = &plan->spec->properties;

        begin_list(o, "properties");
        for (size_t i = 0; i < properties->count && plan->group == GROUP_SCOPE; i++) {
                begin_object(o);
                put_text(o, o->json ? "property" : "", properties->items[i]);
                put_text(o, "origin", origin(plan, SETTING_PROPERTY));
                end_object(o);
        }
        end_list(o);
}

static void explain_payload(struct out *o, const struct plan *plan) {
        static const char *const starts[] = {
                [START_COMMAND] = "command", [START_SHELL] = "shell", [START_BOOT] = "init"
        };
        char name[SIGNAL_NAME_SIZE];

        begin_list(o, "payload");
        begin_object(o);
        put_text(o, o->json ? "start" : "", starts[plan->spec->start]);
        if (plan->spec->start == START_BOOT) {
                put_text(o, "init", plan->probe->root.init_path);
                put_text(o, "kind", plan->init->name);
        }
        put_flag(o, "as-pid2", plan->spec->as_pid2);
        if (plan->kill_signal)
                put_text(o, "stop", signal_name(plan->kill_signal, name));
        else if (plan->init->method == STOP_SIGNAL)
                put_text(o, "stop", signal_name(init_signal(plan->init), name));
        else
                put_text(o, "stop",
                         plan->init->method == STOP_INITCTL ? "/run/initctl" : "by what it has a handler for");
        put_number(o, "stop-timeout-usec", (int64_t) plan->stop_timeout_usec);
        put_text(o, "origin", origin(plan, SETTING_START));
        end_object(o);
        for (size_t i = 0; i < plan->spec->words.count; i++) {
                begin_object(o);
                const char *from = plan->spec->origin[SETTING_WORDS];
                put_text(o, "word", plan->spec->words.items[i]);
                put_text(o, "origin", from ? from : "command line");
                end_object(o);
        }
        end_list(o);
}

static void explain_namespaces(struct out *o, const struct plan *plan) {
        begin_list(o, "namespaces");
        for (size_t i = 0; i < namespace_count; i++) {
                if (!(plan->namespaces & namespace_table[i].flag))
                        continue;
                begin_object(o);
                put_text(o, o->json ? "name" : "", namespace_table[i].name);
                put_text(o, "origin",
                         namespace_table[i].flag == CLONE_NEWNET ? origin(plan, SETTING_PRIVATE_NETWORK) : "default");
                end_object(o);
        }
        end_list(o);
}

static void put_attributes(struct out *o, uint64_t attributes) {
        static const struct {
                uint64_t flag;
                const char *name;
        } names[] = {
                { MOUNT_ATTR_RDONLY, "ro" },
                { MOUNT_ATTR_NOSUID, "nosuid" },
                { MOUNT_ATTR_NODEV, "nodev" },
                { MOUNT_ATTR_NOEXEC, "noexec" },
                { MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
        };
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                put_flag(o, names[i].name, (attributes & names[i].flag) != 0);
}

static void explain_mounts(struct out *o, const struct plan *plan) {
        static const char *const kinds[] = {
                [MOUNT_NEW] = "new", [MOUNT_BIND] = "bind", [MOUNT_ATTACH] = "self", [MOUNT_MASK] = "mask"
        };
        static const char *const id_maps[] = { [ID_MAP_ROOT] = "root", [ID_MAP_OWNER] = "owner" };

        begin_list(o, "mounts");
        for (size_t i = 0; i < plan->mounts.count; i++) {
                const struct mount_op *op = &plan->mounts.ops[i];
                begin_object(o);
                put_text(o, o->json ? "target" : "", op->target);
                put_text(o, "kind", kinds[op->kind]);
                put_text(o, "type", op->type);
                put_text(o, "source", op->source);
                put_text(o, "options", op->options);
                put_text(o, "idmap", id_maps[op->id_map]);
                put_attributes(o, op->attributes);
                put_flag(o, "optional", op->optional);
                put_text(o, "origin", op->origin);
                end_object(o);
        }
        end_list(o);
}

/* Device nodes and the other entries of the file systems that are made and filled. */
static void explain_entries(struct out *o, const struct plan *plan) {
        static const char *const kinds[] = {
                [ENTRY_DIRECTORY] = "directory", [ENTRY_FILE] = "file",     [ENTRY_SYMLINK] = "symlink",
                [ENTRY_FIFO] = "fifo",           [ENTRY_SOCKET] = "socket", [ENTRY_CHARACTER] = "character device",
                [ENTRY_BLOCK] = "block device",
        };
        begin_list(o, "entries");
        for (size_t i = 0; i < plan->mounts.count; i++)
                for (size_t j = 0; j < plan->mounts.ops[i].n_entries; j++) {
                        const struct tree_entry *e = &plan->mounts.ops[i].entries[j];
                        char mode[8], device[32];
                        snprintf(mode, sizeof mode, "%04o", (unsigned) e->mode);
                        snprintf(device, sizeof device, "%u:%u", major(e->device), minor(e->device));
                        begin_object(o);
                        put_text(o, o->json ? "path" : "", e->path);
                        put_text(o, "in", plan->mounts.ops[i].target);
                        put_text(o, "kind", kinds[e->kind]);
                        if (e->kind != ENTRY_SYMLINK)
                                put_text(o, "mode", mode);
                        if (e->kind == ENTRY_CHARACTER || e->kind == ENTRY_BLOCK)
                                put_text(o, "device", device);
                        if (e->kind == ENTRY_SYMLINK)
                                put_text(o, "target", e->content);
                        put_text(o, "origin", plan->mounts.ops[i].origin);
                        end_object(o);
                }
        end_list(o);
}

static void explain_devices(struct out *o, const struct plan *plan) {
        begin_list(o, "devices");
        for (size_t i = 0; i < plan->devices.count && plan->group != GROUP_UNIT; i++) {
                const struct device_use *use = &plan->devices.uses[i];
                char access[4];
                begin_object(o);
                put_text(o, o->json ? "device" : "", use->node);
                put_text(o, "access", device_access_text(use->rule.access, access));
                put_text(o, "origin", use->origin);
                end_object(o);
        }
        end_list(o);
}

/* Is TARGET below a file system that we make, so that a missing mount point lands there and not in the image? */
static bool is_ours(const struct plan *plan, const char *target) {
        for (size_t i = 0; i < plan->mounts.count; i++) {
                const struct mount_op *op = &plan->mounts.ops[i];
                size_t n = strlen(op->target);
                if (op->kind == MOUNT_NEW && strncmp(target, op->target, n) == 0 && target[n] == '/')
                        return true;
        }
        return false;
}

/* All that will be written into the image. */
static void explain_writes(struct out *o, const struct plan *plan) {
        static const char *const kinds[] = { [WRITE_COPY] = "copy",
                                             [WRITE_REPLACE] = "replace",
                                             [WRITE_SYMLINK] = "symlink",
                                             [WRITE_DELETE] = "delete",
                                             [WRITE_DIRECTORY] = "directory" };
        struct stat st;

        begin_list(o, "image-writes");
        for (size_t i = 0; i < plan->mounts.count; i++) {
                const struct mount_op *op = &plan->mounts.ops[i];
                if (!op->create || is_ours(plan, op->target) ||
                    inroot_stat(plan->probe->root.fd, op->target, &st) == 0)
                        continue;
                begin_object(o);
                put_text(o, o->json ? "path" : "", op->target);
                put_text(o, "kind", "mount point");
                put_text(o, "origin", op->origin);
                end_object(o);
        }
        for (size_t i = 0; i < plan->n_writes; i++) {
                if (plan->writes[i].in_run)
                        continue;
                begin_object(o);
                put_text(o, o->json ? "path" : "", plan->writes[i].target);
                put_text(o, "kind", kinds[plan->writes[i].kind]);
                put_text(o, "origin", plan->writes[i].origin);
                end_object(o);
        }
        end_list(o);
}

static const char *capability_origin(const struct plan *plan, unsigned c) {
        const uint64_t bit = UINT64_C(1) << c;

        if (plan->spec->capabilities_added & bit & ~CAPABILITY_DEFAULT && plan->spec->capability_origin[c])
                return plan->spec->capability_origin[c];
        if (plan->spec->capabilities_added & bit & ~CAPABILITY_DEFAULT)
                return origin(plan, SETTING_CAPABILITY);
        return CAPABILITY_DEFAULT & bit ? "default" : origin(plan, SETTING_PRIVATE_NETWORK);
}

static void explain_capabilities(struct out *o, const struct plan *plan) {
        begin_list(o, "capabilities");
        for (unsigned c = 0; c < 64; c++) {
                const uint64_t bit = UINT64_C(1) << c;
                if (!(plan->bounding & bit) || !capability_name(c))
                        continue;
                begin_object(o);
                put_text(o, o->json ? "name" : "", capability_name(c));
                put_flag(o, "ambient", (plan->ambient & bit) != 0);
                put_text(o, "origin", capability_origin(plan, c));
                end_object(o);
        }
        end_list(o);
}

static const char *limit_origin(const struct plan *plan, int resource) {
        if (!plan->spec->limit_set[resource])
                return "default";
        return plan->spec->limit_origin[resource] ? plan->spec->limit_origin[resource] : origin(plan, SETTING_RLIMIT);
}

static void explain_limits(struct out *o, const struct plan *plan) {
        char soft[32], hard[32];

        begin_list(o, "limits");
        for (int i = 0; i < RLIM_NLIMITS; i++) {
                if (!limit_name(i))
                        continue;
                begin_object(o);
                put_text(o, o->json ? "name" : "", limit_name(i));
                put_text(o, "soft", limit_format(plan->limits[i].rlim_cur, soft));
                put_text(o, "hard", limit_format(plan->limits[i].rlim_max, hard));
                put_text(o, "origin", limit_origin(plan, i));
                end_object(o);
        }
        end_list(o);
}

static void explain_filter(struct out *o, const struct plan *plan) {
        struct filter_set set = { 0 };
        struct error error = { 0 };

        begin_list(o, "system-call-filter");
        if (plan->filter && filter_prepare(&plan->filter_request, &set, &error) >= 0)
                for (size_t i = 0; i < set.count; i++) {
                        begin_object(o);
                        put_text(o, o->json ? "name" : "", set.parts[i].name);
                        put_number(o, "instructions", set.parts[i].length);
                        put_text(o, "origin", origin(plan, SETTING_SYSTEM_CALL_FILTER));
                        end_object(o);
                }
        filter_set_free(&set);
        end_list(o);
}

static const char *variable_origin(const struct plan *plan, const char *variable) {
        _cleanup_free_ char *name = strndup(variable, strcspn(variable, "="));
        const char *own = name ? strv_getenv(&plan->spec->environment_origin, name) : NULL;

        return own ? own : origin(plan, SETTING_ENVIRONMENT);
}

static void explain_environment(struct out *o, const struct plan *plan) {
        const struct strv *lists[] = { &plan->environment, &plan->spec->environment };

        begin_list(o, "environment");
        for (size_t k = 0; k < ELEMENTSOF(lists); k++)
                for (size_t i = 0; i < lists[k]->count; i++) {
                        begin_object(o);
                        put_text(o, o->json ? "variable" : "", lists[k]->items[i]);
                        put_text(o, "origin", k == 0 ? "default" : variable_origin(plan, lists[k]->items[i]));
                        end_object(o);
                }
        end_list(o);
}

int plan_explain(const struct plan *plan, enum explain_format format) {
        static void (*const parts[])(struct out *, const struct plan *) = {
                explain_settings, explain_payload,     explain_namespaces,   explain_mounts,
                explain_entries,  explain_writes,      explain_capabilities, explain_filter,
                explain_limits,   explain_environment, explain_properties,   explain_devices,
        };
        struct out o = { .json = format == EXPLAIN_JSON, .first = true };

        if (o.json)
                putchar('{');
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                parts[i](&o, plan);
        if (o.json)
                printf("}\n");
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
