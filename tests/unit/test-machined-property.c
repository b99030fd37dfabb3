/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "machined/property.h"
#include "unit.h"

static struct property parse(const char *text) {
        struct property p = { 0 };
        struct error e = { 0 };

        if (property_parse(text, &p, &e) < 0)
                fail_msg("%s: %s", text, e.text);
        return p;
}

static void test_numbers(void **state) {
        static const struct {
                const char *text, *name;
                enum property_type type;
                uint64_t number;
        } cases[] = {
                { "MemoryMax=1G", "MemoryMax", PROPERTY_U64, UINT64_C(1) << 30 },
                { "MemoryMax=infinity", "MemoryMax", PROPERTY_U64, UINT64_MAX },
                { "MemoryMax=", "MemoryMax", PROPERTY_U64, UINT64_MAX },
                { "MemoryHigh=50%", "MemoryHighScale", PROPERTY_U32, 2147483648 },
                { "MemoryLow=100%", "MemoryLowScale", PROPERTY_U32, UINT32_MAX },
                { "TasksMax=100", "TasksMax", PROPERTY_U64, 100 },
                { "TasksMax=10%", "TasksMaxScale", PROPERTY_U32, 429496730 },
                { "CPUQuota=150%", "CPUQuotaPerSecUSec", PROPERTY_U64, 1500000 },
                { "CPUQuota=12.5%", "CPUQuotaPerSecUSec", PROPERTY_U64, 125000 },
                { "CPUQuota=", "CPUQuotaPerSecUSec", PROPERTY_U64, UINT64_MAX },
                { "CPUWeight=200", "CPUWeight", PROPERTY_U64, 200 },
                { "CPUWeight=idle", "CPUWeight", PROPERTY_U64, 0 },
                { "CPUShares=1024", "CPUShares", PROPERTY_U64, 1024 },
                { "RuntimeMaxSec=1min 30s", "RuntimeMaxUSec", PROPERTY_U64, 90000000 },
                { "TimeoutStopSec=infinity", "TimeoutStopUSec", PROPERTY_U64, UINT64_MAX },
                { "CPUAccounting=yes", "CPUAccounting", PROPERTY_BOOLEAN, 1 },
                { "Delegate=no", "Delegate", PROPERTY_BOOLEAN, 0 },
                { "KillSignal=SIGTERM", "KillSignal", PROPERTY_S32, SIGTERM },
                { "KillSignal=INT", "KillSignal", PROPERTY_S32, SIGINT },
                { "KillSignal=9", "KillSignal", PROPERTY_S32, SIGKILL },
                { "ManagedOOMMemoryPressureLimit=80%", "ManagedOOMMemoryPressureLimit", PROPERTY_U32, 3435973836 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct property p = parse(cases[i].text);
                assert_string_equal(p.name, cases[i].name);
                assert_int_equal(p.type, cases[i].type);
                assert_int_equal(p.number, cases[i].number);
                property_free(&p);
        }
        struct property p = parse("KillSignal=SIGRTMIN+3");
        assert_int_equal(p.number, SIGRTMIN + 3);
}

static void test_words(void **state) {
        (void) state;
        struct property p = parse("Slice=foo");
        assert_string_equal(p.words.items[0], "foo.slice");
        property_free(&p);
        p = parse("Description=a = b, c");
        assert_string_equal(p.words.items[0], "a = b, c");
        property_free(&p);
        p = parse("Delegate=cpu memory");
        assert_string_equal(p.name, "DelegateControllers");
        assert_int_equal(p.words.count, 2);
        property_free(&p);
        p = parse("DeviceAllow=/dev/sda");
        assert_int_equal(p.type, PROPERTY_PAIRS);
        assert_string_equal(p.words.items[1], "rwm");
        property_free(&p);
        p = parse("DeviceAllow=char-pts rw");
        assert_string_equal(p.words.items[1], "rw");
        property_free(&p);
        p = parse("DeviceAllow=");
        assert_int_equal(p.words.count, 0);
        property_free(&p);
        p = parse("IOReadBandwidthMax=/dev/sda 5M");
        assert_int_equal(p.type, PROPERTY_LIMITS);
        assert_string_equal(p.words.items[0], "/dev/sda");
        assert_int_equal(p.number, 5000000);
        property_free(&p);
        p = parse("IODeviceWeight=/dev/sda 100");
        assert_int_equal(p.number, 100);
        property_free(&p);
        p = parse("KillMode=mixed");
        assert_string_equal(p.words.items[0], "mixed");
        property_free(&p);
}

static void test_sets(void **state) {
        (void) state;
        struct property p = parse("AllowedCPUs=0-3,8 10");
        assert_int_equal(p.n_bytes, 2);
        assert_int_equal(p.bytes[0], 0x0f);
        assert_int_equal(p.bytes[1], 0x05);
        property_free(&p);
        p = parse("AllowedCPUs=");
        assert_int_equal(p.n_bytes, 0);
        property_free(&p);
        p = parse("IPAddressAllow=10.1.2.3/8 ::1 localhost");
        assert_int_equal(p.n_addresses, 4);
        assert_int_equal(p.addresses[0].prefix, 8);
        assert_memory_equal(p.addresses[0].bytes, ((uint8_t[]){ 10, 0, 0, 0 }), 4);
        assert_int_equal(p.addresses[1].family, AF_INET6);
        assert_int_equal(p.addresses[1].size, 16);
        assert_int_equal(p.addresses[2].prefix, 8);
        property_free(&p);
}

static void test_refused(void **state) {
        static const char *const cases[] = {
                "MemoryMax",
                "=1",
                "MemoryMax=much",
                "MemoryMax=101%",
                "MemoryMax=-1",
                "CPUQuota=0%",
                "CPUQuota=1",
                "CPUWeight=0",
                "CPUWeight=10001",
                "CPUShares=1",
                "IOWeight=idle",
                "AllowedCPUs=3-1",
                "AllowedCPUs=9999",
                "AllowedCPUs=a",
                "DeviceAllow=sda",
                "DeviceAllow=/dev/sda x",
                "KillMode=all",
                "KillSignal=0",
                "KillSignal=SIGNO",
                "Slice=a.service",
                "CPUAccounting=2",
                "IPAddressAllow=host",
                "Description=a\nb",
                "Description=\xff",
                "IPAddressAllow=10.0.0.0/33",
                "RuntimeMaxSec=1x",
                "IOReadIOPSMax=sda 1",
                "IOReadIOPSMax=/dev/sda",
                "CPUQuota=99999999999999999999%",
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct property p;
                struct error e = { 0 };
                if (property_parse(cases[i], &p, &e) != -EINVAL)
                        fail_msg("%s is taken", cases[i]);
                assert_non_null(strstr(e.text, "--property="));
        }
}

static void test_unknown(void **state) {
        struct property p;
        struct error e = { 0 };

        (void) state;
        assert_int_equal(property_parse("MemoryMx=1G", &p, &e), -EINVAL);
        assert_non_null(strstr(e.text, "MemoryMx"));
        assert_non_null(strstr(e.hint, "MemoryMax"));
        e = (struct error){ 0 };
        assert_int_equal(property_parse("ExecStart=/bin/sh", &p, &e), -EINVAL);
        assert_non_null(strstr(e.text, "ExecStart"));
        assert_string_equal(e.hint, "");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers), cmocka_unit_test(test_words),
                                            cmocka_unit_test(test_sets), cmocka_unit_test(test_refused),
                                            cmocka_unit_test(test_unknown) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
