/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/registrar.h"

#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"

struct registrar {
        struct machined_plan plan;
        struct machined_device *devices;
        const char **properties;
        struct machined *client;
};

/* "closed" is the policy of every scope, and what the user allows goes with his properties. */
static int add_devices(struct registrar *r, const struct device_list *list) {
        r->devices = calloc(list->count + 1, sizeof *r->devices);
        if (!r->devices)
                return -ENOMEM;
        for (size_t i = 0; i < list->count; i++) {
                const struct device_use *use = &list->uses[i];
                if (use->source != DEVICE_USUAL && use->source != DEVICE_BOUND)
                        continue;
                struct machined_device *device = &r->devices[r->plan.n_devices++];
                device->node = use->node;
                device_access_text(use->rule.access, device->access);
        }
        r->plan.devices = r->devices;
        return 0;
}

static int add_properties(struct registrar *r, const struct strv *properties) {
        r->properties = calloc(properties->count + 1, sizeof *r->properties);
        if (!r->properties)
                return -ENOMEM;
        for (size_t i = 0; i < properties->count; i++)
                r->properties[i] = properties->items[i];
        r->plan.properties = r->properties;
        return 0;
}

static int make(const struct plan *plan, struct registrar **ret, struct error *error) {
        static const enum machined_register modes[] = {
                [REGISTER_AUTO] = MACHINED_AUTO,
                [REGISTER_YES] = MACHINED_YES,
                [REGISTER_NO] = MACHINED_NO,
        };
        const struct spec *spec = plan->spec;
        bool signalled = plan->init->method == STOP_SIGNAL;
        struct registrar *r = calloc(1, sizeof *r);

        if (!r)
                return error_memory(error);
        r->plan = (struct machined_plan){
                .machine = plan->machine,
                .id = plan->machine_id.bytes,
                .service = spec->container_service,
                .root_directory = plan->probe->root.image.path ? NULL : plan->probe->root.real_path,
                .register_ = modes[spec->registration],
                .keep_unit = spec->keep_unit,
                .slice = spec->slice,
                .kill_signal = plan->kill_signal ? plan->kill_signal
                               : signalled       ? init_signal(plan->init)
                                                 : 0,
                .boot = spec->start == START_BOOT,
        };
        if (add_devices(r, &plan->devices) < 0 || add_properties(r, &spec->properties) < 0) {
                registrar_close(r);
                return error_memory(error);
        }
        *ret = r;
        return 0;
}

int registrar_check(const struct plan *plan, struct error *error) {
        struct registrar *r = NULL;
        int result = make(plan, &r, error);

        if (result < 0 || !r)
                return result;
        result = plan->spec->keep_unit ? 0 : machined_check(&r->plan, error);
        registrar_close(r);
        return result;
}

int registrar_open(const struct plan *plan, struct registrar **ret, struct error *error) {
        struct registrar *r = NULL;
        int result = make(plan, &r, error);

        if (result >= 0 && r) {
                result = machined_open(&r->plan, &r->client, error);
                if (result < 0)
                        r = registrar_close(r);
                *ret = r;
        }
        return result;
}

struct machined *registrar_client(const struct registrar *registrar) {
        return registrar->client;
}

struct registrar *registrar_close(struct registrar *registrar) {
        if (registrar) {
                machined_free(registrar->client);
                free(registrar->devices);
                free(registrar->properties);
                free(registrar);
        }
        return NULL;
}
