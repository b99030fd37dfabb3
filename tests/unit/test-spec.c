/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "basic/log.h"
#include "launcher/options.h"
#include "launcher/spec.h"
#include "unit.h"

struct parsed {
        struct spec spec;
        struct error error;
        enum spec_action action;
        int r;
};

static struct parsed parse(const char *environment, char *const words[]) {
        char *env[] = { (char *) environment, NULL };
        struct parsed p = { 0 };
        int argc = 0;

        while (words[argc])
                argc++;
        spec_init(&p.spec);
        p.r = spec_parse(&p.spec, argc, words, environment ? env : env + 1, &p.action, &p.error);
        return p;
}
#define PARSE(...) parse(NULL, (char *[]){ (char *) "spawn", __VA_ARGS__, NULL })
#define W(x) ((char *) (x))

static void each_row_is_complete_and_alone(void **state) {
        (void) state;
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                assert_non_null(o->name);
                assert_non_null(o->set);
                assert_true(strlen(o->help) > 10 && strlen(o->help) <= 64);
                assert_true(strlen(o->manual) > 10);
                assert_int_equal(o->argument != ARGUMENT_NONE, o->metavar != NULL);
                for (size_t j = 0; j < i; j++) {
                        assert_string_not_equal(o->name, option_table[j].name);
                        assert_true(!o->letter || o->letter != option_table[j].letter);
                }
        }
        assert_non_null(option_table[0].group);
}

static void forms_of_options(void **state) {
        struct parsed p =
                PARSE(W("-qbD"), W("/srv/x"), W("--machine=m"), W("--hostname"), W("h"), W("systemd.unit=x"), W("-b"));

        (void) state;
        assert_int_equal(p.r, 0);
        assert_int_equal(p.action, ACTION_RUN);
        assert_true(p.spec.quiet);
        assert_int_equal(p.spec.start, START_BOOT);
        assert_string_equal(p.spec.directory, "/srv/x");
        assert_string_equal(p.spec.origin[SETTING_DIRECTORY], "--directory");
        assert_string_equal(p.spec.machine, "m");
        assert_string_equal(p.spec.hostname, "h");
        assert_int_equal(p.spec.words.count, 2);
        assert_string_equal(p.spec.words.items[1], "-b");
        assert_null(p.spec.origin[SETTING_USER]);
        spec_free(&p.spec);
        p = PARSE(W("-D/srv/y"), W("--"), W("--help"));
        assert_int_equal(p.r, 0);
        assert_string_equal(p.spec.directory, "/srv/y");
        assert_string_equal(p.spec.words.items[0], "--help");
        assert_int_equal(p.spec.start, START_COMMAND);
        spec_free(&p.spec);
        p = PARSE(W("--dir"), W("/z"));
        assert_int_equal(p.r, 0);
        assert_int_equal(p.spec.start, START_SHELL);
        spec_free(&p.spec);
}

/* Command lines that programs have been seen to use, as far as this version has their options. */
static void callers_command_lines(void **state) {
        (void) state;
        struct parsed p =
                PARSE(W("-q"), W("-M"), W("0123456789abcdef0123456789abcdef"), W("-D"), W("/r"), W("-a"), W("-u"),
                      W("1000"), W("--capability=cap_ipc_lock"), W("--resolv-conf=off"), W("--bind=/dev/fuse"),
                      W("--console=pipe"), W("--chdir=/builddir"), W("--setenv=A=b"), W("/bin/sh"), W("-c"), W("x"));
        assert_int_equal(p.r, 0);
        assert_true(p.spec.as_pid2);
        assert_true(p.spec.capabilities_added == UINT64_C(1) << CAP_IPC_LOCK);
        assert_int_equal(p.spec.console, CONSOLE_PIPE);
        spec_free(&p.spec);
        p = PARSE(W("--keep-unit"), W("-M"), W("n"), W("-D"), W("/r"), W("--notify-ready=no"),
                  W("--kill-signal=SIGRTMIN+3"), W("--bind-ro=/nix/store:/nix/store"), W("--setenv"), W("PATH=/x"),
                  W("--register"), W("no"), W("/init"));
        assert_int_equal(p.r, 0);
        assert_int_equal(p.spec.kill_signal, SIGRTMIN + 3);
        assert_int_equal(p.spec.words.count, 1);
        assert_int_equal(p.spec.mounts.count, 1);
        assert_true(p.spec.mounts.ops[0].attributes & MOUNT_ATTR_RDONLY);
        spec_free(&p.spec);
        p = PARSE(W("--quiet"), W("--directory=/r"), W("--register=no"), W("--as-pid2"), W("--console=autopipe"),
                  W("--timezone=off"), W("--bind=/a\\:b"), W("--tmpfs=/tmp:size=1G"), W("/chrootbuild"));
        assert_int_equal(p.r, 0);
        assert_string_equal(p.spec.mounts.ops[0].source, "/a:b");
        spec_free(&p.spec);
}

static void refusals_name_the_option_and_help(void **state) {
        static const struct {
                const char *word, *says, *hint;
        } cases[] = {
                { "--bidn=/x", "unknown option --bidn", "--bind" },
                { "--template=/x", "--template is not supported", "" },
                { "--image=/x", "exclude each other", "" },
                { "-U", "--private-users", "" },
                { "-y", "unknown option -y", "" },
                { "--register=maybe", "--register=maybe: neither yes, no nor auto", "" },
                { "--property=MemoryMax", "--property=MemoryMax: not NAME=VALUE", "" },
                { "--slice=", "--slice=: an empty name", "" },
                { "--notify-ready=maybe", "--notify-ready", "" },
                { "--read-only=yes", "takes no argument", "" },
                { "--machine=a_b", "--machine=a_b", "letters" },
                { "--machine=-a", "--machine=-a", "" },
                { "--hostname=a..b", "--hostname", "" },
                { "--uuid=00000000000000000000000000000000", "--uuid", "" },
                { "--chdir=relative", "--chdir", "" },
                { "--chdir=/a/../b", "--chdir", "" },
                { "--setenv=1A=x", "--setenv", "" },
                { "--user=4294967295", "--user", "" },
                { "--user=+5", "--user", "" },
                { "--user=0x0", "--user", "" },
                { "--user=007", "--user", "" },
                { "--capability=CAP_SYS_TIM", "CAP_SYS_TIM", "CAP_SYS_TIME" },
                { "--rlimit=NOFILE=5:3", "above", "" },
                { "--rlimit=NOSUCH=5", "NOSUCH", "" },
                { "--oom-score-adjust=1001", "1001", "" },
                { "--cpu-affinity=3-1", "3-1", "" },
                { "--personality=vax", "vax", "x86" },
                { "--resolv-conf=maybe", "maybe", "copy-host" },
                { "--timezone=x", "--timezone=x", "symlink" },
                { "--console=x", "--console=x", "autopipe" },
                { "--kill-signal=SIGNO", "SIGNO", "" },
                { "--stop-timeout=soon", "soon", "" },
                { "--no-new-privileges=x", "--no-new-privileges=x", "" },
                { "--bind=/a:b", "no absolute path", "" },
                { "--bind=/a:/b:idmap=x", "idmap=x", "" },
                { "--tmpfs=x", "--tmpfs", "" },
                { "--inaccessible=/", "--inaccessible", "" },
                { "--explain=xml", "xml", "json" },
                { "--cleanup", "--cleanup starts nothing: a command does not go with it", "" },
                { "--fstab=", "--fstab=: an empty path", "" },
                { "--fstab=/no/such/fstab", "/no/such/fstab", "" },
        };
        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct parsed p = PARSE(W("-D"), W("/r"), W(cases[i].word), W("true"));
                if (p.r >= 0 || !strstr(p.error.text, cases[i].says) || !strstr(p.error.hint, cases[i].hint))
                        fail_msg("%s: %d \"%s\" \"%s\"", cases[i].word, p.r, p.error.text, p.error.hint);
                spec_free(&p.spec);
        }
}

static void combinations(void **state) {
        (void) state;
        struct parsed p = PARSE(W("-abD"), W("/r"));
        assert_int_equal(p.r, -EINVAL);
        spec_free(&p.spec);
        p = PARSE(W("-bD"), W("/r"), W("--ambient-capability=CAP_CHOWN"));
        assert_int_equal(p.r, -EINVAL);
        spec_free(&p.spec);
        p = PARSE(W("true")); /* the working directory, or a machine's name: the probe looks */
        assert_int_equal(p.r, 0);
        assert_null(p.spec.directory);
        spec_free(&p.spec);
        p = PARSE(W("-D/r"), W("--register=no"), W("-Sfoo"));
        assert_int_equal(p.r, -EINVAL);
        assert_non_null(strstr(p.error.text, "--slice needs a scope"));
        spec_free(&p.spec);
        p = PARSE(W("-D/r"), W("--register=no"), W("--keep-unit"), W("-Sfoo")); /* ignored there, with a note */
        assert_int_equal(p.r, 0);
        spec_free(&p.spec);
        p = PARSE(W("-D"));
        assert_int_equal(p.r, -EINVAL);
        spec_free(&p.spec);
}

static void lists_add_up_and_scalars_are_replaced(void **state) {
        (void) state;
        struct parsed p =
                PARSE(W("-D"), W("/a"), W("-D"), W("/b"), W("--capability=CHOWN"), W("--capability=KILL"),
                      W("--capability="), W("-EA=1"), W("-EB="), W("-EA=2"), W("--machine=x"), W("--machine="),
                      W("--system-call-filter=a b"), W("--system-call-filter=~c"), W("-f/dev/null"), W("x"));
        assert_int_equal(p.r, 0);
        assert_string_equal(p.spec.directory, "/b");
        assert_true(p.spec.capabilities_added == 0x21);
        assert_string_equal(strv_getenv(&p.spec.environment, "A"), "2");
        assert_string_equal(strv_getenv(&p.spec.environment, "B"), "");
        assert_null(p.spec.machine);
        assert_null(p.spec.origin[SETTING_MACHINE]);
        assert_int_equal(p.spec.filter_allow.count, 2);
        assert_string_equal(p.spec.filter_deny.items[0], "c");
        spec_free(&p.spec);
}

static void the_environment_counts(void **state) {
        (void) state;
        struct parsed p = parse("SYSTEMD_NSPAWN_TMPFS_TMP=0", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_int_equal(p.r, 0);
        assert_false(p.spec.tmpfs_tmp);
        assert_string_equal(p.spec.origin[SETTING_TMPFS_TMP], "$SYSTEMD_NSPAWN_TMPFS_TMP");
        spec_free(&p.spec);
        p = parse("SYSTEMD_NSPAWN_API_VFS_WRITABLE=network", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_int_equal(p.spec.api_vfs, API_VFS_NETWORK);
        spec_free(&p.spec);
        p = parse("SYSTEMD_NSPAWN_LOCK=maybe", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_int_equal(p.r, -EINVAL);
        assert_non_null(strstr(p.error.text, "$SYSTEMD_NSPAWN_LOCK=maybe"));
        spec_free(&p.spec);
        p = parse("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_int_equal(p.r, 0);
        spec_free(&p.spec);
        p = parse("UNIFIED_CGROUP_HIERARCHY=x", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_int_equal(p.r, -EOPNOTSUPP);
        spec_free(&p.spec);
        p = parse("SYSTEMD_NSPAWN_CONTAINER_SERVICE=rkt", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_string_equal(p.spec.container_service, "rkt");
        assert_string_equal(p.spec.origin[SETTING_CONTAINER_SERVICE], "$SYSTEMD_NSPAWN_CONTAINER_SERVICE");
        spec_free(&p.spec);
        p = parse("SYSTEMD_NSPAWN_SHARE_NS_IPC=1", (char *[]){ W("spawn"), W("-D"), W("/r"), NULL });
        assert_int_equal(p.r, -EOPNOTSUPP);
        spec_free(&p.spec);
        p = parse("FROM_CALLER=v",
                  (char *[]){ W("spawn"), W("-D"), W("/r"), W("-EFROM_CALLER"), W("-ENOT_THERE"), NULL });
        assert_string_equal(strv_getenv(&p.spec.environment, "FROM_CALLER"), "v");
        assert_int_equal(p.spec.environment.count, 1);
        spec_free(&p.spec);
}

static void log_levels_by_name_and_number(void **state) {
        static const struct {
                const char *variable, *option;
                enum log_level level;
        } cases[] = {
                { "SYSTEMD_LOG_LEVEL=debug", "-q", LOG_DEBUG },  { "SYSTEMD_LOG_LEVEL=7", "-b", LOG_DEBUG },
                { "SYSTEMD_LOG_LEVEL=info", "-q", LOG_WARNING }, { "SYSTEMD_LOG_LEVEL=notice", "-b", LOG_NOTICE },
                { "SYSTEMD_LOG_LEVEL=err", "-q", LOG_ERROR },    { "SYSTEMD_LOG_LEVEL=0", "-b", LOG_ERROR },
                { "SYSTEMD_LOG_LEVEL=loud", "-b", LOG_INFO },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                log_set_level(LOG_INFO);
                struct parsed p =
                        parse(cases[i].variable, (char *[]){ W("spawn"), W("-D/r"), W(cases[i].option), NULL });
                assert_int_equal(p.r, 0);
                assert_int_equal(log_level(), cases[i].level);
                spec_free(&p.spec);
        }
        log_set_level(LOG_INFO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_row_is_complete_and_alone),
                cmocka_unit_test(forms_of_options),
                cmocka_unit_test(callers_command_lines),
                cmocka_unit_test(refusals_name_the_option_and_help),
                cmocka_unit_test(combinations),
                cmocka_unit_test(lists_add_up_and_scalars_are_replaced),
                cmocka_unit_test(the_environment_counts),
                cmocka_unit_test(log_levels_by_name_and_number),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
