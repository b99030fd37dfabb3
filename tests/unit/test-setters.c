/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each setter by itself, with values that it takes and values that it refuses. */
#include "launcher/setters.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include "helpers.h"

static int set(struct spec *spec, const char *name, const char *value, struct error *error) {
        const struct option_row *row = option_find(name, NULL);

        assert_non_null(row);
        *error = (struct error){ 0 };
        return row->set(spec, value, row, error);
}

static struct spec fresh(void) {
        struct spec spec;

        spec_init(&spec);
        return spec;
}

#define FIELD(f) offsetof(struct spec, f)
#define NAME_64 "a234567890123456789012345678901234567890123456789012345678901234"

static void texts(void **state) {
        static const struct {
                const char *name, *value;
                size_t field;
                const char *expected;
        } cases[] = {
                { "directory", "/srv/x", FIELD(directory), "/srv/x" },
                { "directory", "relative dir", FIELD(directory), "relative dir" },
                { "machine", "a", FIELD(machine), "a" },
                { "machine", "a-b.c--1", FIELD(machine), "a-b.c--1" },
                { "machine", NAME_64, FIELD(machine), NAME_64 },
                { "hostname", "Host.Name", FIELD(hostname), "Host.Name" },
                { "chdir", "/", FIELD(chdir), "/" },
                { "chdir", "//a/./b/", FIELD(chdir), "/a/b" },
                { "user", "root", FIELD(user), "root" },
                { "uid", "1000", FIELD(user), "1000" },
                { "user", "_x-y.z@w$", FIELD(user), "_x-y.z@w$" },
                { "user", "0", FIELD(user), "0" },
                { "user", "4294967294", FIELD(user), "4294967294" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct spec spec = fresh();
                struct error e;
                /* Twice: the value before is replaced, and freed. */
                assert_int_equal(set(&spec, cases[i].name, cases[i].value, &e), 0);
                assert_int_equal(set(&spec, cases[i].name, cases[i].value, &e), 0);
                assert_string_equal(*(char **) ((char *) &spec + cases[i].field), cases[i].expected);
                spec_free(&spec);
        }
}

static void empty_names_are_the_default(void **state) {
        struct spec spec = fresh();
        struct error e;

        (void) state;
        assert_int_equal(set(&spec, "machine", "x", &e) | set(&spec, "hostname", "y", &e), 0);
        assert_int_equal(set(&spec, "machine", "", &e), OPTION_RESET);
        assert_int_equal(set(&spec, "hostname", "", &e), OPTION_RESET);
        assert_null(spec.machine);
        assert_null(spec.hostname);
        spec_free(&spec);
}

static void flags(void **state) {
        static const struct {
                const char *name;
                size_t field;
        } cases[] = {
                { "as-pid2", FIELD(as_pid2) },
                { "read-only", FIELD(read_only) },
                { "private-network", FIELD(private_network) },
                { "quiet", FIELD(quiet) },
        };
        struct error e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct spec spec = fresh();
                const bool *field = (const bool *) ((char *) &spec + cases[i].field);
                assert_false(*field);
                assert_int_equal(set(&spec, cases[i].name, NULL, &e), 0);
                assert_true(*field);
                spec_free(&spec);
        }
        struct spec spec = fresh();
        assert_int_not_equal(spec.start, START_BOOT);
        assert_int_equal(set(&spec, "boot", NULL, &e), 0);
        assert_int_equal(spec.start, START_BOOT);
        assert_int_equal(set(&spec, "pipe", NULL, &e), 0);
        assert_int_equal(spec.console, CONSOLE_PIPE);
        assert_int_equal(set(&spec, "no-pager", NULL, &e), 0);
        assert_int_equal(set(&spec, "help", NULL, &e), OPTION_HELP);
        assert_int_equal(set(&spec, "version", NULL, &e), OPTION_VERSION);
        spec_free(&spec);
}

/* Words out of a list: each is taken, and becomes something of its own. */
static void choices(void **state) {
        static const struct {
                const char *name;
                size_t field;
                struct {
                        const char *word;
                        int value;
                } words[16];
        } cases[] = {
                { "console",
                  FIELD(console),
                  { { "interactive", CONSOLE_INTERACTIVE },
                    { "read-only", CONSOLE_READ_ONLY },
                    { "passive", CONSOLE_PASSIVE },
                    { "pipe", CONSOLE_PIPE },
                    { "autopipe", CONSOLE_AUTOPIPE } } },
                { "explain", FIELD(explain), { { "text", EXPLAIN_TEXT }, { "json", EXPLAIN_JSON } } },
                { "timezone",
                  FIELD(timezone),
                  { { "off", TIMEZONE_OFF },
                    { "copy", TIMEZONE_COPY },
                    { "bind", TIMEZONE_BIND },
                    { "symlink", TIMEZONE_SYMLINK },
                    { "delete", TIMEZONE_DELETE },
                    { "auto", TIMEZONE_AUTO } } },
                { "resolv-conf",
                  FIELD(resolv_conf),
                  { { "off", RESOLV_CONF_OFF },
                    { "copy-host", RESOLV_CONF_COPY_HOST },
                    { "copy-static", RESOLV_CONF_COPY_STATIC },
                    { "copy-uplink", RESOLV_CONF_COPY_UPLINK },
                    { "copy-stub", RESOLV_CONF_COPY_STUB },
                    { "replace-host", RESOLV_CONF_REPLACE_HOST },
                    { "replace-static", RESOLV_CONF_REPLACE_STATIC },
                    { "replace-uplink", RESOLV_CONF_REPLACE_UPLINK },
                    { "replace-stub", RESOLV_CONF_REPLACE_STUB },
                    { "bind-host", RESOLV_CONF_BIND_HOST },
                    { "bind-static", RESOLV_CONF_BIND_STATIC },
                    { "bind-uplink", RESOLV_CONF_BIND_UPLINK },
                    { "bind-stub", RESOLV_CONF_BIND_STUB },
                    { "delete", RESOLV_CONF_DELETE },
                    { "auto", RESOLV_CONF_AUTO } } },
        };
        struct error e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t k = 0; cases[i].words[k].word; k++) {
                        struct spec spec = fresh();
                        int *field = (int *) ((char *) &spec + cases[i].field);
                        *field = -1;
                        assert_int_equal(set(&spec, cases[i].name, cases[i].words[k].word, &e), 0);
                        assert_int_equal(*field, cases[i].words[k].value);
                        *field = cases[i].words[k].value;
                        assert_int_equal(set(&spec, cases[i].name, "nothing like it", &e), -EINVAL);
                        assert_int_equal(*field, cases[i].words[k].value); /* as it was */
                        assert_non_null(strstr(e.hint, cases[i].words[k].word));
                        spec_free(&spec);
                }
        struct spec spec = fresh();
        assert_int_equal(set(&spec, "explain", NULL, &e), 0);
        assert_int_equal(spec.explain, EXPLAIN_TEXT);
        spec_free(&spec);
}

static void numbers(void **state) {
        struct spec spec = fresh();
        struct error e;

        (void) state;
        assert_int_equal(set(&spec, "oom-score-adjust", "-1000", &e), 0);
        assert_int_equal(spec.oom_score_adjust, -1000);
        assert_int_equal(set(&spec, "oom-score-adjust", "1000", &e), 0);
        assert_int_equal(spec.oom_score_adjust, 1000);
        assert_int_equal(set(&spec, "stop-timeout", "1.5s", &e), 0);
        assert_int_equal(spec.stop_timeout_usec, 1500000);
        assert_int_equal(set(&spec, "stop-timeout", "2min", &e), 0);
        assert_int_equal(spec.stop_timeout_usec, 120000000);
        assert_int_equal(set(&spec, "stop-timeout", "infinity", &e), 0);
        assert_int_equal(spec.stop_timeout_usec, 0);
        assert_int_equal(set(&spec, "kill-signal", "SIGRTMIN+3", &e), 0);
        assert_int_equal(spec.kill_signal, SIGRTMIN + 3);
        assert_int_equal(set(&spec, "kill-signal", "term", &e), 0);
        assert_int_equal(spec.kill_signal, SIGTERM);
        assert_int_equal(set(&spec, "no-new-privileges", "yes", &e), 0);
        assert_true(spec.no_new_privileges);
        assert_int_equal(set(&spec, "no-new-privileges", "off", &e), 0);
        assert_false(spec.no_new_privileges);
        assert_int_equal(set(&spec, "uuid", "01234567-89ab-cdef-0123-456789abcdef", &e), 0);
        assert_int_equal(spec.uuid.bytes[0], 0x01);
        assert_int_equal(spec.uuid.bytes[15], 0xef);
        assert_int_equal(set(&spec, "personality", "x86", &e), 0);
        assert_int_equal(spec.personality, PER_LINUX32);
        assert_int_equal(set(&spec, "cpu-affinity", "0,2-3", &e), 0);
        assert_int_equal(CPU_COUNT(&spec.cpu_affinity), 3);
        assert_true(CPU_ISSET(0, &spec.cpu_affinity) && CPU_ISSET(3, &spec.cpu_affinity));
        assert_int_equal(set(&spec, "rlimit", "NOFILE=5:7", &e), 0);
        assert_int_equal(set(&spec, "rlimit", "RLIMIT_CORE=infinity", &e), 0);
        assert_true(spec.limit_set[RLIMIT_NOFILE] && spec.limit_set[RLIMIT_CORE] && !spec.limit_set[RLIMIT_CPU]);
        assert_int_equal(spec.limits[RLIMIT_NOFILE].rlim_cur, 5);
        assert_int_equal(spec.limits[RLIMIT_NOFILE].rlim_max, 7);
        assert_true(spec.limits[RLIMIT_CORE].rlim_max == RLIM_INFINITY);
        spec_free(&spec);
}

static void lists_add_up(void **state) {
        const uint64_t chown = UINT64_C(1) << CAP_CHOWN, kill_ = UINT64_C(1) << CAP_KILL;
        struct spec spec = fresh();
        struct error e;

        (void) state;
        assert_int_equal(set(&spec, "capability", "CAP_CHOWN", &e) | set(&spec, "capability", "kill", &e), 0);
        assert_int_equal(spec.capabilities_added, chown | kill_);
        assert_int_equal(set(&spec, "drop-capability", "CHOWN,KILL", &e), 0);
        assert_int_equal(spec.capabilities_dropped, chown | kill_);
        assert_int_equal(set(&spec, "ambient-capability", "CAP_KILL", &e), 0);
        assert_int_equal(spec.capabilities_ambient, kill_);
        assert_int_equal(set(&spec, "capability", "all", &e), 0);
        assert_true((spec.capabilities_added & (UINT64_C(1) << CAP_SYS_ADMIN)) != 0);
        assert_int_equal(set(&spec, "system-call-filter", "@clock  mount,bpf", &e), 0);
        assert_int_equal(set(&spec, "system-call-filter", "~kexec_load @swap", &e), 0);
        assert_int_equal(set(&spec, "system-call-filter", "", &e), 0);
        assert_int_equal(spec.filter_allow.count, 3);
        assert_int_equal(spec.filter_deny.count, 2);
        assert_string_equal(spec.filter_deny.items[0], "kexec_load");
        assert_int_equal(strv_add(&spec.caller_environment, "OURS=caller's"), 0);
        assert_int_equal(set(&spec, "setenv", "A=1", &e) | set(&spec, "setenv", "A=2=3", &e) |
                                 set(&spec, "setenv", "_b1=", &e) | set(&spec, "setenv", "OURS", &e) |
                                 set(&spec, "setenv", "NOT_THERE", &e),
                         0);
        assert_int_equal(spec.environment.count, 3);
        assert_string_equal(strv_getenv(&spec.environment, "A"), "2=3");
        assert_string_equal(strv_getenv(&spec.environment, "_b1"), "");
        assert_string_equal(strv_getenv(&spec.environment, "OURS"), "caller's");
        spec_free(&spec);
}

static void mounts_in_their_order(void **state) {
        struct spec spec = fresh();
        struct error e;

        (void) state;
        assert_int_equal(set(&spec, "bind", "/a:/b", &e) | set(&spec, "bind-ro", "/c", &e) |
                                 set(&spec, "tmpfs", "/t:size=1M", &e) | set(&spec, "inaccessible", "/i", &e) |
                                 set(&spec, "fstab", "/dev/null", &e),
                         0);
        assert_int_equal(spec.mounts.count, 4);
        const struct mount_op *ops = spec.mounts.ops;
        assert_true(ops[0].kind == MOUNT_BIND && !(ops[0].attributes & MOUNT_ATTR_RDONLY));
        assert_true(ops[1].kind == MOUNT_BIND && (ops[1].attributes & MOUNT_ATTR_RDONLY));
        assert_true(ops[2].kind == MOUNT_NEW && ops[3].kind == MOUNT_MASK);
        static const char *const origins[] = { "--bind", "--bind-ro", "--tmpfs", "--inaccessible" };
        static const char *const targets[] = { "/b", "/c", "/t", "/i" };
        for (size_t i = 0; i < 4; i++) {
                assert_string_equal(ops[i].origin, origins[i]);
                assert_string_equal(ops[i].target, targets[i]);
        }
        spec_free(&spec);
}

static void bad_values(void **state) {
        static const struct {
                const char *name, *values[16];
        } cases[] = {
                { "directory", { "" } },
                { "machine",
                  { "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a-.b", "a b", "a/b", "caf\xc3\xa9", "a\n",
                    NAME_64 "5" } },
                { "hostname", { "_", "-", ".", "a..b", NAME_64 "5" } },
                { "uuid",
                  { "", "0", "00000000000000000000000000000000", "0123456789abcdef0123456789abcde",
                    "0123456789abcdef0123456789abcdefg", "0123456789abcdef0123456789abcdeg" } },
                { "chdir", { "", "a", "./a", "/a/../b", "/..", "a/.." } },
                { "setenv", { "", "=x", "1A=x", "A B=x", "A-B", "A.B=1", "\xc3\xa9=1" } },
                { "user",
                  { "", "4294967295", "4294967296", "-1", "+1", "0x0", "01", "1a", "a:b", "a b", "/root", "a\n", ".a",
                    "@a" } },
                { "kill-signal", { "", "0", "-1", "65", "SIGNO", "SIGRTMIN+99", "SIGTERM " } },
                { "stop-timeout", { "", "soon", "-1", "5 parsecs", "1.2.3" } },
                { "capability", { "CAP_NOSUCH", "CAP_", "CHOWN,x" } },
                { "drop-capability", { "CAP_NOSUCH", "64" } },
                { "ambient-capability", { "CAP_NOSUCH", "all" } },
                { "no-new-privileges", { "", "maybe", "2", "yess" } },
                { "console-log",
                  { "", ",raw", "f,", "f,RAW", "f,size=", "f,size=4095", "f,size=x", "f,rotate=1000" } },
                { "console-filter", { "", "on", "unsafe", "yes" } },
                { "escape", { "", "a", "^", "^aa" } },
                { "record", { "" } },
                { "record-input", { "", "maybe" } },
                { "rlimit", { "", "NOFILE", "NOFILE=", "NOFILE=7:5", "NOFILE=x", "NOSUCH=1", "=1", "NOFILE=-1" } },
                { "oom-score-adjust", { "", "1001", "-1001", "1e3", "+5", " 5", "0x5" } },
                { "cpu-affinity", { "", "3-1", "x", "-1", "99999999" } },
                { "personality", { "", "vax", "X86 " } },
                { "resolv-conf", { "", "copy", "AUTO", "auto " } },
                { "timezone", { "", "UTC" } },
                { "console", { "", "default", "x" } },
                { "explain", { "", "xml", "JSON" } },
                { "bind", { "", "/a:b", "/a:/b:nosuch", "/a:/b/../c", ":x" } },
                { "bind-ro", { "", "/a:b" } },
                { "tmpfs", { "", "x", "/", "/a/.." } },
                { "inaccessible", { "", "/", "x" } },
                { "fstab", { "", "/no/such/fstab", "/" } },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t k = 0; k < ELEMENTSOF(cases[i].values) && cases[i].values[k]; k++) {
                        struct spec spec = fresh();
                        struct error e;
                        char option[64];
                        snprintf(option, sizeof option, "--%s", cases[i].name);
                        int r = set(&spec, cases[i].name, cases[i].values[k], &e);
                        /* A file that cannot be read is told by its path. */
                        bool named = text_starts_with(e.text, option) || text_equal(cases[i].name, "fstab");
                        if (r >= 0 || r != -e.code || !named)
                                fail_msg("--%s=%s: %d \"%s\"", cases[i].name, cases[i].values[k], r, e.text);
                        spec_free(&spec);
                        /* Nobody has to listen. */
                        spec = fresh();
                        const struct option_row *row = option_find(cases[i].name, NULL);
                        assert_int_equal(row->set(&spec, cases[i].values[k], row, NULL), r);
                        spec_free(&spec);
                }
}

static void help_lists_what_there_is(void **state) {
        static const struct {
                const char *name, *word;
        } cases[] = {
                { "capability", "\nCAP_SYS_ADMIN\n" }, { "drop-capability", "\nCAP_SYS_ADMIN\n" },
                { "rlimit", "\nRLIMIT_NOFILE\n" },     { "kill-signal", "SIGTERM\n" },
                { "resolv-conf", "\ncopy-host\n" },    { "timezone", "\nsymlink\n" },
                { "console", "\nautopipe\n" },         { "explain", "json\n" },
        };
        struct error e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct spec spec = fresh();
                struct capture c = capture_start(STDOUT_FILENO);
                int r = set(&spec, cases[i].name, "help", &e);
                _cleanup_free_ char *text = capture_end(&c);
                assert_int_equal(r, OPTION_LISTED);
                if (!strstr(text, cases[i].word))
                        fail_msg("--%s=help: %s", cases[i].name, text);
                spec_free(&spec);
        }
}

/* A second one replaces the first, options too. */
static void logs(void **state) {
        static const struct {
                const char *value, *path;
                bool raw;
                uint64_t size;
                unsigned rotate;
        } cases[] = {
                { "/a", "/a", false, 16 << 20, 3 },
                { "/a,raw", "/a", true, 16 << 20, 3 },
                { "b c,raw,text", "b c", false, 16 << 20, 3 },
                { "/a\\,b\\c,size=4K,rotate=0", "/a,b\\c", false, 4096, 0 },
                { "/a,rotate=999,size=1G,raw", "/a", true, 1 << 30, 999 },
                { "/a", "/a", false, 16 << 20, 3 },
        };
        struct spec spec = fresh();
        struct error e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(set(&spec, "console-log", cases[i].value, &e), 0);
                assert_string_equal(spec.console_log.path, cases[i].path);
                assert_int_equal(spec.console_log.raw, cases[i].raw);
                assert_int_equal(spec.console_log.size, cases[i].size);
                assert_int_equal(spec.console_log.rotate, cases[i].rotate);
        }
        spec_free(&spec);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts),
                cmocka_unit_test(empty_names_are_the_default),
                cmocka_unit_test(flags),
                cmocka_unit_test(choices),
                cmocka_unit_test(numbers),
                cmocka_unit_test(lists_add_up),
                cmocka_unit_test(mounts_in_their_order),
                cmocka_unit_test(logs),
                cmocka_unit_test(bad_values),
                cmocka_unit_test(help_lists_what_there_is),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
