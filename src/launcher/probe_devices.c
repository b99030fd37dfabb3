/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The devices that the spec names: nodes that are bound, and --property=DeviceAllow=. */
#include <errno.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "launcher/probe.h"

int device_list_add(struct device_list *list, const struct device_use *use, struct error *error) {
        struct device_use *uses;

        if (list->count >= DEVICE_RULES_MAX)
                return error_set(error, ENOSPC, "too many devices: at most %d can be named", DEVICE_RULES_MAX);
        uses = reallocarray(list->uses, list->count + 1, sizeof *uses);
        if (!uses)
                return error_memory(error);
        list->uses = uses;
        uses[list->count] = *use;
        uses[list->count].node = strdup(use->node);
        if (!uses[list->count].node)
                return error_memory(error);
        list->count++;
        return 0;
}

void device_list_free(struct device_list *list) {
        for (size_t i = 0; i < list->count; i++)
                free(list->uses[i].node);
        free(list->uses);
        *list = (struct device_list){ 0 };
}

/* A device that is bound in has to be usable there (systemd.resource-control(5), DeviceAllow=). What is no device, or
 * not there, is the business of who binds it. */
static int add_bind(struct device_list *list, const struct mount_op *op, struct error *error) {
        struct device_use use = { .node = op->source, .origin = op->origin, .source = DEVICE_BOUND };
        const unsigned access = DEVICE_READ | (op->attributes & MOUNT_ATTR_RDONLY ? 0 : DEVICE_WRITE);

        return device_resolve(op->source, access, "", &use.rule, 1) == 1 ? device_list_add(list, &use, error) : 0;
}

/* "NODE [ACCESS]". */
static int add_allowed(struct device_list *list, const char *value, const char *devices, struct error *error) {
        struct device_rule rules[DEVICE_RULES_MAX];
        _cleanup_(strv_free) struct strv words = { 0 };
        unsigned access = DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD;

        if (strv_split(&words, value, " ") < 0)
                return error_memory(error);
        if (words.count == 0) { /* an empty value takes back what came before */
                while (list->count > 0 && list->uses[list->count - 1].source == DEVICE_ALLOWED)
                        free(list->uses[--list->count].node);
                return 0;
        }
        int n = words.count > 2 || (words.count == 2 && device_access_parse(words.items[1], &access) < 0)
                        ? -EINVAL
                        : device_resolve(words.items[0], access, devices, rules, DEVICE_RULES_MAX);
        if (n == -ENOENT || n == -ENODEV || n == 0) { /* as systemd takes it: a device may not be there today */
                log_notice("--property=DeviceAllow=%s allows nothing: there is no such device", value);
                return 0;
        }
        if (n < 0)
                return error_set(error, -n, "--property=DeviceAllow=%s: %s", value,
                                 n == -EINVAL ? "not NODE [rwm]" : strerror(-n));
        for (int i = 0, r = 0; i < n; i++) {
                r = device_list_add(list,
                                    &(struct device_use){ .node = words.items[0],
                                                          .origin = "--property",
                                                          .source = DEVICE_ALLOWED,
                                                          .rule = rules[i] },
                                    error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int probe_devices(const struct spec *spec, const char *devices, struct device_list *ret, struct error *error) {
        int r = 0;

        for (size_t i = 0; i < spec->mounts.count && r >= 0; i++) {
                const struct mount_op *op = &spec->mounts.ops[i];
                if (op->kind == MOUNT_BIND && op->source && !op->source_in_root)
                        r = add_bind(ret, op, error);
        }
        for (size_t i = 0; i < spec->properties.count && r >= 0; i++)
                if (text_starts_with(spec->properties.items[i], DEVICE_ALLOW))
                        r = add_allowed(ret, spec->properties.items[i] + strlen(DEVICE_ALLOW), devices, error);
        return r;
}
