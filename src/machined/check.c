/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be said of a plan without a bus, and without a library. */
#include "machined/machined.h"
#include "machined/names.h"
#include "machined/property.h"

int machined_check(const struct machined_plan *plan, struct error *error) {
        char name[UNIT_NAME_SIZE];
        int r = names_scope(plan->machine, name, error);

        if (r == 0 && plan->slice)
                r = names_slice(plan->slice, name, error);
        for (const char *const *p = plan->properties; r == 0 && p && *p; p++) {
                struct property property;
                r = property_parse(*p, &property, error);
                if (r == 0)
                        property_free(&property);
        }
        return r;
}
