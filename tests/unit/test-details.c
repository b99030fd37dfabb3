/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of a machine: their names, their order, as lines and as JSON. */
#include "tools/details.h"

#include "helpers.h"

static struct details sample(void) {
        struct details d = {
                .state = { .name = "m1",
                           .id = "1d44a6d3f7b547bdb5e1b2b0b0f03965",
                           .class = "container",
                           .root = "/a\n\"b\"",
                           .console = "detached",
                           .started = 1700000000,
                           .monotonic = 77 },
                .phase = "running",
                .service = "spawn",
                .timestamp = "Tue",
                .leader = 12,
                .supervisor = 11,
                .tasks = 3,
                .memory = UINT64_MAX,
                .cpu_nsec = 5,
                .look = { .os = { .pretty = "\x1b[31m" }, .addresses = { "192.0.2.7", "fe80::1" }, .address_count = 2 }
        };

        return d;
}

static char *printed(const struct details *d, const char *const *wanted, bool values) {
        struct strv list = { 0 };

        for (; wanted && *wanted; wanted++)
                assert_int_equal(strv_add(&list, *wanted), 0);
        struct capture c = capture_start(STDOUT_FILENO);
        details_print(d, &list, values);
        strv_free(&list);
        return capture_end(&c);
}

static void lines(void **state) {
        struct details d = sample();
        _cleanup_free_ char *text = printed(&d, NULL, false);

        (void) state;
        assert_string_equal(text,
                            "Name=m1\nId=1d44a6d3f7b547bdb5e1b2b0b0f03965\nTimestamp=Tue\nTimestampMonotonic=77\n"
                            "Service=spawn\nLeader=12\nClass=container\nRootDirectory=/a\\x0a\"b\"\nState=running\n"
                            "Ready=no\nConsole=detached\nSupervisor=11\nStarted=1700000000\nOS=\\x1b[31m\n"
                            "Addresses=192.0.2.7 fe80::1\nTasksCurrent=3\nCPUUsageNSec=5\n");
}

static void some_of_them(void **state) {
        static const struct {
                const char *wanted[3], *lines, *values;
        } cases[] = {
                { { "Leader" }, "Leader=12\n", "12\n" },
                { { "Leader,Name" }, "Name=m1\nLeader=12\n", "m1\n12\n" }, /* in the table's order */
                { { "Leader", "Name,State" }, "Name=m1\nLeader=12\nState=running\n", "m1\n12\nrunning\n" },
                { { "NoSuch" }, "", "" },
                { { "leader" }, "", "" },
                { { "Lead", "Leaders" }, "", "" },
                { { "Unit" }, "", "" }, /* it has none */
                { { "" }, "", "" },
                { { ",,Name,," }, "Name=m1\n", "m1\n" },
        };
        struct details d = sample();

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = printed(&d, cases[i].wanted, false);
                _cleanup_free_ char *values = printed(&d, cases[i].wanted, true);
                assert_string_equal(text, cases[i].lines);
                assert_string_equal(values, cases[i].values);
        }
}

static void json(void **state) {
        struct details d = sample();
        struct capture c = capture_start(STDOUT_FILENO);

        (void) state;
        details_print_json(&d);
        _cleanup_free_ char *text = capture_end(&c);
        assert_string_equal(text, "{\"name\":\"m1\",\"id\":\"1d44a6d3f7b547bdb5e1b2b0b0f03965\",\"timestamp\":\"Tue\","
                                  "\"timestamp_monotonic\":77,\"service\":\"spawn\",\"unit\":\"\",\"leader\":12,"
                                  "\"class\":\"container\",\"root\":\"/a\\u000a\\\"b\\\"\",\"state\":\"running\","
                                  "\"ready\":false,\"console\":\"detached\",\"log\":\"\",\"supervisor\":11,"
                                  "\"started\":1700000000,\"cgroup\":\"\",\"os\":\"\\u001b[31m\",\"os_id\":\"\","
                                  "\"os_version\":\"\",\"addresses\":[\"192.0.2.7\",\"fe80::1\"],\"tasks\":3,"
                                  "\"memory\":null,\"cpu_nsec\":5}\n");
}

static void ago(void **state) {
        static const struct {
                uint64_t seconds;
                const char *text;
        } cases[] = {
                { 0, "0s ago" },         { 59, "59s ago" },      { 60, "1min ago" },
                { 124, "2min 4s ago" },  { 3600, "1h ago" },     { 3604, "1h ago" },
                { 7384, "2h 3min ago" }, { 90000, "1d 1h ago" }, { 8 * 86400 + 3600, "1w 1d ago" },
                { 31557600, "1y ago" },
        };
        char text[DETAILS_AGO_SIZE];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                details_ago(1000, 1000 + cases[i].seconds, text);
                assert_string_equal(text, cases[i].text);
        }
        details_ago(1000, 999, text); /* a clock that was set back */
        assert_string_equal(text, "");
        details_ago(0, 999, text);
        assert_string_equal(text, "");
}

/* Of a machine that runs as this test: on the host's root and network. */
static void gathered(void **state) {
        struct state s = { .name = "m1",
                           .supervisor = { getpid(), process_start(getpid()) },
                           .leader = { getpid(), process_start(getpid()) } };
        struct details d;

        (void) state;
        assert_string_equal(details_phase(&s), "running");
        details_gather(&s, &d);
        assert_string_equal(d.leader_name, "test-details");
        assert_string_equal(d.timestamp, ""); /* it does not say since when */
        assert_int_equal(d.look.address_count, 0);
        assert_true(d.tasks == UINT64_MAX && d.memory == UINT64_MAX);
        s.leader.start++;
        assert_string_equal(details_phase(&s), "ended");
        details_gather(&s, &d);
        assert_string_equal(d.leader_name, "");
        s.leader = (struct process_id){ 0 };
        assert_string_equal(details_phase(&s), "starting");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines), cmocka_unit_test(some_of_them), cmocka_unit_test(json),
                cmocka_unit_test(ago),   cmocka_unit_test(gathered),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
