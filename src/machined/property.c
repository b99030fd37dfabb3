/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machined/property.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "machined/names.h"

/* How the value of a property is read. */
enum reader {
        READ_BOOLEAN,
        READ_SIZE,          /* bytes, infinity, a percentage: then "NAMEScale" is set */
        READ_NUMBER,        /* min to max, infinity */
        READ_WEIGHT,        /* the same, empty: unset; "idle" is 0 */
        READ_PERCENT,       /* of 2^32-1 */
        READ_QUOTA,         /* of a processor's second */
        READ_DURATION,      /* µs */
        READ_SIGNAL,        /* name or number */
        READ_STRING,        /* any */
        READ_CHOICE,        /* one of the words of `choices` */
        READ_SLICE,         /* as --slice= */
        READ_STRINGS,       /* words */
        READ_DELEGATE,      /* a boolean, or the names of controllers */
        READ_CPUS,          /* "0-3,8" */
        READ_DEVICE,        /* "NODE [rwm]" */
        READ_DEVICE_RATE,   /* "PATH RATE" */
        READ_DEVICE_NUMBER, /* "PATH NUMBER" */
        READ_DEVICE_TIME,   /* "PATH DURATION" */
        READ_ADDRESSES,
};

struct row {
        const char *name;
        enum reader reader;
        const char *bus_name; /* NULL: the same */
        uint64_t min, max;
        const char *choices; /* separated by blanks */
};

static const struct row rows[] = {
        { "AllowedCPUs", READ_CPUS },
        { "AllowedMemoryNodes", READ_CPUS },
        { "After", READ_STRINGS },
        { "Before", READ_STRINGS },
        { "BindsTo", READ_STRINGS },
        { "BlockIOAccounting", READ_BOOLEAN },
        { "BlockIOWeight", READ_WEIGHT, NULL, 10, 1000 },
        { "CPUAccounting", READ_BOOLEAN },
        { "CPUQuota", READ_QUOTA, "CPUQuotaPerSecUSec" },
        { "CPUQuotaPeriodSec", READ_DURATION, "CPUQuotaPeriodUSec" },
        { "CPUShares", READ_WEIGHT, NULL, 2, 262144 },
        { "CPUWeight", READ_WEIGHT, NULL, 1, 10000 },
        { "CollectMode", READ_CHOICE, .choices = "inactive inactive-or-failed" },
        { "Conflicts", READ_STRINGS },
        { "CoredumpReceive", READ_BOOLEAN },
        { "DefaultDependencies", READ_BOOLEAN },
        { "DefaultMemoryLow", READ_SIZE },
        { "DefaultMemoryMin", READ_SIZE },
        { "Delegate", READ_DELEGATE },
        { "Description", READ_STRING },
        { "DeviceAllow", READ_DEVICE },
        { "DevicePolicy", READ_CHOICE, .choices = "auto closed strict" },
        { "DisableControllers", READ_STRINGS },
        { "Documentation", READ_STRINGS },
        { "FinalKillSignal", READ_SIGNAL },
        { "IOAccounting", READ_BOOLEAN },
        { "IODeviceLatencyTargetSec", READ_DEVICE_TIME, "IODeviceLatencyTargetUSec" },
        { "IODeviceWeight", READ_DEVICE_NUMBER, NULL, 1, 10000 },
        { "IOReadBandwidthMax", READ_DEVICE_RATE },
        { "IOReadIOPSMax", READ_DEVICE_RATE },
        { "IOWeight", READ_WEIGHT, NULL, 1, 10000 },
        { "IOWriteBandwidthMax", READ_DEVICE_RATE },
        { "IOWriteIOPSMax", READ_DEVICE_RATE },
        { "IPAccounting", READ_BOOLEAN },
        { "IPAddressAllow", READ_ADDRESSES },
        { "IPAddressDeny", READ_ADDRESSES },
        { "JobRunningTimeoutSec", READ_DURATION, "JobRunningTimeoutUSec" },
        { "JobTimeoutSec", READ_DURATION, "JobTimeoutUSec" },
        { "KillMode", READ_CHOICE, .choices = "control-group mixed process none" },
        { "KillSignal", READ_SIGNAL },
        { "ManagedOOMMemoryPressure", READ_CHOICE, .choices = "auto kill" },
        { "ManagedOOMMemoryPressureLimit", READ_PERCENT },
        { "ManagedOOMPreference", READ_CHOICE, .choices = "none avoid omit" },
        { "ManagedOOMSwap", READ_CHOICE, .choices = "auto kill" },
        { "MemoryAccounting", READ_BOOLEAN },
        { "MemoryHigh", READ_SIZE },
        { "MemoryLimit", READ_SIZE },
        { "MemoryLow", READ_SIZE },
        { "MemoryMax", READ_SIZE },
        { "MemoryMin", READ_SIZE },
        { "MemorySwapMax", READ_SIZE },
        { "MemoryZSwapMax", READ_SIZE },
        { "MemoryZSwapWriteback", READ_BOOLEAN },
        { "OOMPolicy", READ_CHOICE, .choices = "continue stop kill" },
        { "PartOf", READ_STRINGS },
        { "RequiresMountsFor", READ_STRINGS },
        { "Requires", READ_STRINGS },
        { "RuntimeMaxSec", READ_DURATION, "RuntimeMaxUSec" },
        { "RuntimeRandomizedExtraSec", READ_DURATION, "RuntimeRandomizedExtraUSec" },
        { "SendSIGHUP", READ_BOOLEAN },
        { "SendSIGKILL", READ_BOOLEAN },
        { "Slice", READ_SLICE },
        { "StartupAllowedCPUs", READ_CPUS },
        { "StartupAllowedMemoryNodes", READ_CPUS },
        { "StartupBlockIOWeight", READ_WEIGHT, NULL, 10, 1000 },
        { "StartupCPUShares", READ_WEIGHT, NULL, 2, 262144 },
        { "StartupCPUWeight", READ_WEIGHT, NULL, 1, 10000 },
        { "StartupIOWeight", READ_WEIGHT, NULL, 1, 10000 },
        { "StartupMemoryHigh", READ_SIZE },
        { "StartupMemoryLow", READ_SIZE },
        { "StartupMemoryMax", READ_SIZE },
        { "StartupMemorySwapMax", READ_SIZE },
        { "StopWhenUnneeded", READ_BOOLEAN },
        { "TasksAccounting", READ_BOOLEAN },
        { "TasksMax", READ_SIZE },
        { "TimeoutStopSec", READ_DURATION, "TimeoutStopUSec" },
        { "Wants", READ_STRINGS },
        { "WatchdogSignal", READ_SIGNAL },
};

static int read_number(const struct row *row, const char *value, struct property *p) {
        p->type = PROPERTY_U64;
        p->number = UINT64_MAX;
        if (!*value || text_equal(value, "infinity"))
                return 0;
        if (row->reader == READ_WEIGHT && text_ends_with(row->name, "CPUWeight") && text_equal(value, "idle")) {
                p->number = 0;
                return 0;
        }
        return parse_unsigned(value, row->min, row->max, &p->number);
}

static int read_choice(const struct row *row, const char *value, struct property *p) {
        struct strv words = { 0 };
        int r = strv_split(&words, row->choices, " ");

        p->type = PROPERTY_STRING;
        if (r == 0)
                r = strv_contains(&words, value) ? strv_add(&p->words, value) : -EINVAL;
        strv_free(&words);
        return r;
}

static int read_delegate(const char *value, struct property *p) {
        bool yes;

        if (parse_boolean(value, &yes) == 0) {
                p->type = PROPERTY_BOOLEAN;
                p->number = yes;
                return 0;
        }
        p->type = PROPERTY_STRINGS;
        snprintf(p->name, sizeof p->name, "DelegateControllers");
        return strv_split(&p->words, value, " ");
}

/* "NODE [ACCESS]", NODE being a path below /dev or a class of devices: "char-pts". */
static int read_device(const char *value, struct property *p) {
        p->type = PROPERTY_PAIRS;
        int r = strv_split(&p->words, value, " ");

        if (r < 0 || p->words.count == 0) /* an empty value resets the list */
                return r;
        const char *node = p->words.items[0];
        if (p->words.count > 2 || (!text_starts_with(node, "/dev/") && !text_starts_with(node, "char-") &&
                                   !text_starts_with(node, "block-")))
                return -EINVAL;
        if (p->words.count == 1)
                return strv_add(&p->words, "rwm");
        const char *access = p->words.items[1];
        return *access && strspn(access, "rwm") == strlen(access) ? 0 : -EINVAL;
}

/* "PATH VALUE". */
static int read_limit(const struct row *row, const char *value, struct property *p) {
        p->type = PROPERTY_LIMITS;
        int r = strv_split(&p->words, value, " ");

        if (r < 0 || p->words.count == 0)
                return r;
        if (p->words.count != 2 || p->words.items[0][0] != '/')
                return -EINVAL;
        if (row->reader == READ_DEVICE_RATE)
                return property_read_rate(p->words.items[1], &p->number);
        if (row->reader == READ_DEVICE_TIME)
                return property_read_duration(p->words.items[1], &p->number);
        return parse_unsigned(p->words.items[1], row->min, row->max, &p->number);
}

static int read_slice(const char *value, struct property *p, struct error *error) {
        char slice[UNIT_NAME_SIZE];
        int r = names_slice(value, slice, error);

        p->type = PROPERTY_STRING;
        return r < 0 ? r : strv_add(&p->words, slice);
}

static int read_boolean(const char *value, struct property *p) {
        bool yes = false;
        int r = parse_boolean(value, &yes);

        p->type = PROPERTY_BOOLEAN;
        p->number = yes;
        return r;
}

static int read_percent(const char *value, struct property *p) {
        uint64_t share = 0;
        int r = property_read_percent(value, 10000, &share);

        p->type = PROPERTY_U32;
        p->number = (share * UINT32_MAX + 5000) / 10000;
        return r;
}

static int read_value(const struct row *row, const char *value, struct property *p, struct error *error) {
        int r;

        switch (row->reader) {
        case READ_BOOLEAN:
                return read_boolean(value, p);
        case READ_SIZE:
                r = property_read_size(value, p);
                if (r == 0 && p->type == PROPERTY_U32)
                        snprintf(p->name, sizeof p->name, "%sScale", row->name);
                return r;
        case READ_NUMBER:
        case READ_WEIGHT:
                return read_number(row, value, p);
        case READ_PERCENT:
                return read_percent(value, p);
        case READ_QUOTA:
                return property_read_quota(value, p);
        case READ_DURATION:
                p->type = PROPERTY_U64;
                return property_read_duration(value, &p->number);
        case READ_SIGNAL:
                return property_read_signal(value, p);
        case READ_STRING:
                p->type = PROPERTY_STRING;
                return strv_add(&p->words, value);
        case READ_CHOICE:
                return read_choice(row, value, p);
        case READ_SLICE:
                return read_slice(value, p, error);
        case READ_STRINGS:
                p->type = PROPERTY_STRINGS;
                return strv_split(&p->words, value, " ");
        case READ_DELEGATE:
                return read_delegate(value, p);
        case READ_CPUS:
                return property_read_cpus(value, p);
        case READ_DEVICE:
                return read_device(value, p);
        case READ_DEVICE_RATE:
        case READ_DEVICE_NUMBER:
        case READ_DEVICE_TIME:
                return read_limit(row, value, p);
        case READ_ADDRESSES:
                return property_read_addresses(value, p);
        }
        return -EINVAL;
}

/* A D-Bus string is UTF-8 (D-Bus Specification, "Basic types"), and libsystemd refuses others with a bare EINVAL: it
 * is said here instead. No property has a use for control bytes. */
static bool is_plain(const char *text) {
        size_t size = strlen(text) * 4 + 1;
        _cleanup_free_ char *escaped = malloc(size);

        if (!escaped)
                return false;
        text_escape(escaped, size, text);
        return strcmp(escaped, text) == 0;
}

static int unknown(const char *name, size_t length, struct error *error) {
        char word[PROPERTY_NAME_SIZE];
        const char *nearest = NULL;
        size_t distance = 4;

        snprintf(word, sizeof word, "%.*s", (int) length, name);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t d = text_distance(word, rows[i].name);
                if (d < distance) {
                        distance = d;
                        nearest = rows[i].name;
                }
        }
        error_set(error, EINVAL, "--property=%.*s: no such property of a scope is known", (int) length, name);
        return nearest ? error_hint(error, "Did you mean %s?", nearest) : -EINVAL;
}

int property_parse(const char *text, struct property *ret, struct error *error) {
        const char *equals = strchr(text, '=');
        size_t n = equals ? (size_t) (equals - text) : 0;
        const struct row *row = NULL;
        struct property p = { 0 };
        struct error inner = { 0 };

        if (n == 0)
                return error_set(error, EINVAL, "--property=%s: NAME=VALUE is needed", text);
        for (size_t i = 0; i < ELEMENTSOF(rows) && !row; i++)
                if (strlen(rows[i].name) == n && memcmp(rows[i].name, text, n) == 0)
                        row = rows + i;
        if (!row)
                return unknown(text, n, error);
        snprintf(p.name, sizeof p.name, "%s", row->bus_name ? row->bus_name : row->name);
        int r = is_plain(equals + 1) ? read_value(row, equals + 1, &p, &inner) : -EINVAL;
        if (r == 0) {
                *ret = p;
                return 0;
        }
        property_free(&p);
        if (r == -ENOMEM)
                return error_memory(error);
        if (row->choices)
                return error_set(error, EINVAL, "--property=%s: the value is one of: %s", text, row->choices);
        return error_set(error, EINVAL, "--property=%s: the value is %s", text,
                         r == -ERANGE ? "out of range" : "not one that this property can have");
}

void property_free(struct property *p) {
        strv_free(&p->words);
        free(p->bytes);
        free(p->addresses);
        *p = (struct property){ 0 };
}
