/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --since= means; the rest of spawnctl log is tested by whole programs. */
#include "helpers.h"
#include "tools/tools.h"

static void since(void **state) {
        static const struct {
                const char *text, *stamp; /* NULL: refused */
        } cases[] = {
                { "2026-02-28", "2026-02-28T00:00:00" },
                { "2026-02-28T07:05", "2026-02-28T07:05:00" },
                { "2026-02-28T07:05:09", "2026-02-28T07:05:09" },
                { "10min", "2001-09-09T01:36:40" },
                { "0", "2001-09-09T01:46:40" },
                { "2h", "2001-09-08T23:46:40" },
                { "", NULL },
                { "yesterday", NULL },
                { "2026-02-28T07:05:09Z", NULL },
                { "2026-13-01", NULL },
                { "-10min", NULL },
        };
        char stamp[LOG_STAMP_SIZE];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int r = log_since(cases[i].text, 1000000000, stamp);
                if ((r >= 0) != (cases[i].stamp != NULL))
                        fail_msg("%s: %d", cases[i].text, r);
                if (r >= 0)
                        assert_string_equal(stamp, cases[i].stamp);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(since) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
