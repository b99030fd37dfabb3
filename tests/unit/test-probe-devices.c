/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The devices that a command line names. */
#include <errno.h>

#include "helpers.h"
#include "launcher/probe.h"

static const char *const devices = "Character devices:\n226 drm\n\nBlock devices:\n  8 sd\n 65 sd\n";

struct looked {
        struct spec spec;
        struct device_list list;
        struct error error;
};

static int look(struct looked *l, const char *const *words) {
        char *argv[16] = { (char *) "spawn", (char *) "-D", (char *) "/x" }, *environment[] = { NULL };
        enum spec_action action;
        int n = 3;

        spec_init(&l->spec);
        for (; *words; words++)
                argv[n++] = (char *) *words;
        assert_int_equal(spec_parse(&l->spec, n, argv, environment, &action, &l->error), 0);
        return probe_devices(&l->spec, devices, &l->list, &l->error);
}

static void done(struct looked *l) {
        device_list_free(&l->list);
        spec_free(&l->spec);
        *l = (struct looked){ 0 };
}

static void bound_nodes(void **state) {
        static const char *const words[] = { "--bind=/dev/null:/n", "--bind-ro=/dev/zero", "--bind=/tmp",
                                             "--bind=/not/there", NULL };
        struct looked l = { 0 };

        (void) state;
        assert_int_equal(look(&l, words), 0);
        assert_int_equal(l.list.count, 2);
        assert_string_equal(l.list.uses[0].node, "/dev/null");
        assert_string_equal(l.list.uses[0].origin, "--bind");
        assert_int_equal(l.list.uses[0].rule.access, DEVICE_READ | DEVICE_WRITE);
        assert_int_equal(l.list.uses[1].rule.access, DEVICE_READ);
        assert_int_equal(l.list.uses[1].rule.minor, 5);
        done(&l);
}

static void allowed_ones(void **state) {
        static const char *const some[] = { "--property=DeviceAllow=block-sd r", "--property=MemoryMax=1G",
                                            "--property=DeviceAllow=/dev/null", NULL };
        static const char *const none[] = { "--property=DeviceAllow=block-sd r", "--property=DeviceAllow=", NULL };
        struct looked l = { 0 };

        (void) state;
        assert_int_equal(look(&l, some), 0);
        assert_int_equal(l.list.count, 3);
        assert_int_equal(l.list.uses[1].rule.major, 65);
        assert_int_equal(l.list.uses[1].rule.access, DEVICE_READ);
        assert_int_equal(l.list.uses[2].rule.access, DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD);
        assert_int_equal(l.list.uses[2].source, DEVICE_ALLOWED);
        done(&l);
        assert_int_equal(look(&l, none), 0);
        assert_int_equal(l.list.count, 0);
        done(&l);
}

static void one_that_is_not_there_is_noted(void **state) {
        static const char *const nodes[] = { "/dev/not/there", "/dev", "char-nothing" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                char word[64];
                const char *const words[] = { word, NULL };
                struct looked l = { 0 };
                snprintf(word, sizeof word, "--property=DeviceAllow=%s r", nodes[i]);
                struct capture c = capture_start(STDERR_FILENO);
                int r = look(&l, words);
                _cleanup_free_ char *notes = capture_end(&c);
                assert_int_equal(r, 0);
                assert_int_equal(l.list.count, 0);
                assert_non_null(strstr(notes, "there is no such device"));
                done(&l);
        }
}

static void bad_ones_are_named(void **state) {
        static const struct {
                const char *word, *says;
        } cases[] = {
                { "--property=DeviceAllow=/dev/null x", "DeviceAllow=/dev/null x: not NODE [rwm]" },
                { "--property=DeviceAllow=/dev/null r w", "not NODE [rwm]" },
        };
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *const words[] = { cases[i].word, NULL };
                struct looked l = { 0 };
                assert_true(look(&l, words) < 0);
                if (!strstr(l.error.text, cases[i].says))
                        fail_msg("%s: %s", cases[i].word, l.error.text);
                done(&l);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bound_nodes),
                cmocka_unit_test(allowed_ones),
                cmocka_unit_test(one_that_is_not_there_is_noted),
                cmocka_unit_test(bad_ones_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
