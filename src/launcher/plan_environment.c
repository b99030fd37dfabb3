/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The payload's environment: made from nothing, so that no variable of the caller reaches it unasked. */

#include <string.h>

#include "basic/fd.h"
#include "launcher/plan.h"

#define PAYLOAD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The terminal type is true only where the payload's output reaches a terminal. */
static const char *terminal_type(const struct plan *plan) {
        const char *term = strv_getenv(&plan->probe->host.environ, "TERM");

        if (!term || !*term || !plan->probe->host.stream_is_terminal[1])
                return "dumb";
        return term;
}

/* ID=, BUILD_ID=, … of the host's os-release become container_host_id=, … */
static int add_host_release(struct plan *plan) {
        static const struct {
                const char *key, *variable;
        } keys[] = {
                { "\nID=", "container_host_id" },
                { "\nBUILD_ID=", "container_host_build_id" },
                { "\nVARIANT_ID=", "container_host_variant_id" },
                { "\nVERSION_ID=", "container_host_version_id" },
        };
        const char *release = plan->probe->host.os_release;

        if (!release)
                return 0;
        _cleanup_free_ char *text = text_format("\n%s", release);
        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                char *value = strstr(text, keys[i].key);
                if (!value)
                        continue;
                value += strlen(keys[i].key);
                size_t n = strcspn(value, "\n");
                if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value) {
                        value++;
                        n -= 2;
                }
                if (strv_add_format(&plan->environment, "%s=%.*s", keys[i].variable, (int) n, value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int plan_environment(struct plan *plan, struct error *error) {
        const struct spec *spec = plan->spec;
        struct strv *env = &plan->environment;
        char uuid[ID128_DASHED_SIZE];
        int r;

        id128_dashed(&plan->machine_id, uuid);
        if (strv_add(env, "PATH=" PAYLOAD_PATH) < 0 ||
            strv_add_format(env, "container=%s", spec->container_service) < 0 ||
            strv_add_format(env, "container_uuid=%s", uuid) < 0 ||
            strv_add(env, "NOTIFY_SOCKET=/run/host/notify") < 0 ||
            strv_add_format(env, "TERM=%s", terminal_type(plan)) < 0)
                return error_memory(error);
        static const char *const colours[] = { "COLORTERM", "NO_COLOR" };
        for (size_t i = 0; i < ELEMENTSOF(colours); i++) {
                const char *value = strv_getenv(&plan->probe->host.environ, colours[i]);
                if (value && plan->probe->host.stream_is_terminal[1] &&
                    strv_add_format(env, "%s=%s", colours[i], value) < 0)
                        return error_memory(error);
        }
        /* The number that the payload has in its own PID namespace. */
        if (plan->probe->host.sockets > 0 && (strv_add_format(env, "LISTEN_FDS=%d", plan->probe->host.sockets) < 0 ||
                                              strv_add_format(env, "LISTEN_PID=%d", spec->as_pid2 ? 2 : 1) < 0))
                return error_memory(error);
        if (spec->start != START_BOOT && strv_add(env, "LANG=C.UTF-8") < 0)
                return error_memory(error);
        r = add_host_release(plan);
        return r < 0 ? error_memory(error) : 0;
}
