/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "basic/fd.h"
#include "isolation/signals.h"

static void test_parse(void **state) {
        const struct {
                const char *text;
                int sig;
        } table[] = {
                { "TERM", SIGTERM },
                { "SIGTERM", SIGTERM },
                { "sigterm", SIGTERM },
                { "15", 15 },
                { "1", 1 },
                { "HUP", SIGHUP },
                { "SIGPWR", SIGPWR },
                { "RTMIN", SIGRTMIN },
                { "SIGRTMIN+3", SIGRTMIN + 3 },
                { "rtmin+0", SIGRTMIN },
                { "RTMAX", SIGRTMAX },
                { "RTMAX-2", SIGRTMAX - 2 },
                { "64", 64 },
        };
        static const char *const bad[] = { "",       "SIG",     "0",        "-1",        "65",         "TERMX",
                                           "RTMIN+", "RTMIN-1", "RTMIN+99", "RTMAX+1",   "SIGSIGTERM", "SIG15",
                                           "RTMIN3", " TERM",   "RTMIN+-1", "4294967311" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                assert_int_equal(signal_parse(table[i].text), table[i].sig);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (signal_parse(bad[i]) != -EINVAL)
                        fail_msg("%s is taken", bad[i]);
}

/* Every signal has a name that leads back to it. */
static void test_names(void **state) {
        char buffer[SIGNAL_NAME_SIZE];

        (void) state;
        for (int sig = 1; sig <= SIGRTMAX; sig++) {
                assert_int_equal(signal_parse(signal_name(sig, buffer)), sig);
                if (sig < 32 || sig >= SIGRTMIN)
                        assert_memory_equal(buffer, "SIG", 3);
        }
        assert_string_equal(signal_name(SIGKILL, buffer), "SIGKILL");
        assert_string_equal(signal_name(SIGRTMIN + 3, buffer), "SIGRTMIN+3");
        assert_string_equal(signal_name(-2147483647 - 1, buffer), "-2147483648");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
