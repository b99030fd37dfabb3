/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to enter: any bytes are refused or are a request whose strings are all there. */
#include "launcher/enter.h"

#include <errno.h>

#include "fuzz.h"

static size_t total(const struct strv *v) {
        size_t sum = 0;

        for (size_t i = 0; i < v->count; i++)
                sum += strlen(v->items[i]) + 1;
        MUST(v->count == 0 || !v->items[v->count]);
        return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *bytes = (char *) exact(size);
        struct enter_request q = { 0 };

        memcpy(bytes, data, size);
        int r = enter_decode(bytes, size, &q);
        free(bytes);
        MUST(r == 0 || r == -EPROTO);
        if (r == 0) {
                size_t sum = total(&q.words) + total(&q.environment);
                MUST(sum + (q.user ? strlen(q.user) : 0) + (q.chdir ? strlen(q.chdir) : 0) <= size);
        }
        enter_request_free(&q);
        return 0;
}
