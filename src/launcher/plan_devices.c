/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which devices the payload may use. */
#include <errno.h>
#include <string.h>

#include "basic/fd.h"
#include "launcher/plan.h"

#define ALL (DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD)

/* What systemd.resource-control(5) has in DevicePolicy=closed, and then what systemd-nspawn@.service allows: devices
 * that give each namespace an instance of its own. */
static const struct device_use usual[] = {
        { (char *) "/dev/null", "default", DEVICE_CLOSED, { 'c', 1, 3, ALL } },
        { (char *) "/dev/zero", "default", DEVICE_CLOSED, { 'c', 1, 5, ALL } },
        { (char *) "/dev/full", "default", DEVICE_CLOSED, { 'c', 1, 7, ALL } },
        { (char *) "/dev/random", "default", DEVICE_CLOSED, { 'c', 1, 8, ALL } },
        { (char *) "/dev/urandom", "default", DEVICE_CLOSED, { 'c', 1, 9, ALL } },
        { (char *) "/dev/tty", "default", DEVICE_CLOSED, { 'c', 5, 0, ALL } },
        { (char *) "/dev/ptmx", "default", DEVICE_CLOSED, { 'c', 5, 2, ALL } },
        { (char *) "/dev/net/tun", "default", DEVICE_USUAL, { 'c', 10, 200, ALL } },
        { (char *) "char-pts", "default", DEVICE_USUAL, { 'c', 136, DEVICE_ANY, DEVICE_READ | DEVICE_WRITE } },
        { (char *) "/dev/fuse", "default", DEVICE_USUAL, { 'c', 10, 229, ALL } },
};

bool device_property(const char *property) {
        return text_starts_with(property, DEVICE_ALLOW) || text_starts_with(property, DEVICE_POLICY);
}

/* The last --property=DevicePolicy=. */
static const char *policy(const struct strv *properties) {
        const char *last = "";

        for (size_t i = 0; i < properties->count; i++)
                if (text_starts_with(properties->items[i], DEVICE_POLICY))
                        last = properties->items[i] + strlen(DEVICE_POLICY);
        return *last ? last : "closed";
}

int plan_devices(struct plan *plan, struct error *error) {
        const struct device_list *named = &plan->probe->host.devices;
        const char *word = policy(&plan->spec->properties);
        int r = 0;

        if (!text_equal(word, "closed") && !text_equal(word, "strict") && !text_equal(word, "auto")) {
                error_set(error, EINVAL, "--property=DevicePolicy=%s: no such policy", word);
                return error_hint(error, "there are auto closed strict");
        }
        plan->device_filter = plan->group != GROUP_NONE && plan->group != GROUP_UNIT && !text_equal(word, "auto");
        for (size_t i = 0; i < ELEMENTSOF(usual) && r >= 0; i++)
                if (usual[i].source != DEVICE_CLOSED || !text_equal(word, "strict"))
                        r = device_list_add(&plan->devices, &usual[i], error);
        for (size_t i = 0; i < named->count && r >= 0; i++)
                r = device_list_add(&plan->devices, &named->uses[i], error);
        return r;
}
