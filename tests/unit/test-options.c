/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The option table, and the options of systemd-nspawn that are not in it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "launcher/options.h"
#include "launcher/spec.h"
#include "unit.h"

struct parsed {
        struct spec spec;
        struct error error;
        enum spec_action action;
        int r;
};

static struct parsed parse(const char *a, const char *b, const char *c, const char *d) {
        char *words[] = { (char *) "spawn", (char *) a, (char *) b, (char *) c, (char *) d, NULL };
        char *none[] = { NULL };
        struct parsed p = { 0 };
        int argc = 0;

        while (words[argc])
                argc++;
        spec_init(&p.spec);
        p.r = spec_parse(&p.spec, argc, words, none, &p.action, &p.error);
        return p;
}

/* A value that each option with an argument takes. */
static const struct {
        const char *name, *value;
} samples[] = {
        { "directory", "/r" },
        { "image", "/r" },
        { "chdir", "/a" },
        { "setenv", "A=b" },
        { "uid", "1000" },
        { "user", "nobody" },
        { "kill-signal", "SIGTERM" },
        { "stop-timeout", "5s" },
        { "machine", "m" },
        { "hostname", "h.example" },
        { "uuid", "0123456789abcdef0123456789abcdef" },
        { "capability", "cap_ipc_lock,CAP_KILL" },
        { "drop-capability", "all" },
        { "ambient-capability", "CHOWN" },
        { "no-new-privileges", "yes" },
        { "system-call-filter", "~@mount ptrace" },
        { "rlimit", "NOFILE=5:6" },
        { "oom-score-adjust", "-5" },
        { "cpu-affinity", "0-1,3" },
        { "personality", "x86-64" },
        { "resolv-conf", "replace-stub" },
        { "timezone", "symlink" },
        { "notify-ready", "yes" },
        { "wait", "running" },
        { "on-hangup", "detach" },
        { "scrollback", "64K" },
        { "escape", "^a" },
        { "register", "auto" },
        { "slice", "foo.slice" },
        { "property", "MemoryMax=1G" },
        { "link-journal", "try-host" },
        { "bind", "/a:/b:norbind" },
        { "bind-ro", "+/a:/b" },
        { "tmpfs", "/t:size=1M" },
        { "inaccessible", "/x" },
        { "fstab", "/dev/null" },
        { "console", "read-only" },
        { "console-log", "/l\\,x,raw,size=1M,rotate=0" },
        { "console-filter", "safe" },
        { "record", "/r.cast" },
        { "record-input", "no" },
        { "settings", "trusted" },
};

static const char *sample(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(samples); i++)
                if (text_equal(samples[i].name, name))
                        return samples[i].value;
        return NULL;
}

static void check_form(const struct option_row *o, const char *first, const char *second) {
        const char *root = text_equal(o->name, "image") ? "-q" : "-D/r"; /* there is one root */
        const bool alone = text_equal(o->name, "cleanup");               /* starts nothing */
        const char *word = alone ? NULL : "word";
        struct parsed p = second ? parse(root, first, second, word) : parse(root, first, word, NULL);
        char origin[64];

        snprintf(origin, sizeof origin, "--%s", o->name);
        if (p.r != 0 || p.action != ACTION_RUN || p.spec.words.count == alone)
                fail_msg("%s %s: %d \"%s\", %zu words", first, second ? second : "", p.r, p.error.text,
                         p.spec.words.count);
        if (o->setting != SETTING_COUNT)
                assert_string_equal(p.spec.origin[o->setting], origin);
        spec_free(&p.spec);
}

/* --option=VALUE, --option VALUE, -oVALUE, -o VALUE; without an argument --option and -o. */
static void each_option_in_each_form(void **state) {
        char joined[128], shorter[128];

        (void) state;
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                const char *value = sample(o->name);
                if (text_equal(o->name, "help") || text_equal(o->name, "version"))
                        continue;
                assert_int_equal(o->argument == ARGUMENT_REQUIRED, value != NULL);
                snprintf(joined, sizeof joined, "--%s%s%s", o->name, value ? "=" : "", value ? value : "");
                check_form(o, joined, NULL);
                snprintf(joined, sizeof joined, "--%s", o->name);
                check_form(o, joined, value);
                if (!o->letter)
                        continue;
                snprintf(shorter, sizeof shorter, "-%c%s", o->letter, value ? value : "");
                check_form(o, shorter, NULL);
                snprintf(shorter, sizeof shorter, "-%c", o->letter);
                check_form(o, shorter, value);
                snprintf(shorter, sizeof shorter, "-q%c", o->letter);
                check_form(o, shorter, value);
        }
}

static void missing_arguments_are_named(void **state) {
        char word[64];

        (void) state;
        for (size_t i = 0; i < option_count; i++) {
                const struct option_row *o = &option_table[i];
                snprintf(word, sizeof word, "--%s%s", o->name, o->argument == ARGUMENT_NONE ? "=x" : "");
                if (o->argument == ARGUMENT_OPTIONAL)
                        continue;
                struct parsed p = parse("-D/r", word, NULL, NULL);
                assert_int_equal(p.r, -EINVAL);
                assert_non_null(strstr(p.error.text, o->name));
                assert_non_null(strstr(p.error.text, o->argument == ARGUMENT_NONE ? "takes no" : "needs an"));
                spec_free(&p.spec);
        }
}

static void help_and_version_come_first(void **state) {
        static const struct {
                const char *word;
                enum spec_action action;
        } cases[] = { { "-h", ACTION_HELP }, { "--help", ACTION_HELP }, { "--version", ACTION_VERSION } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct parsed p = parse("--no-pager", cases[i].word, "--nonsense", NULL);
                assert_int_equal(p.r, 0);
                assert_int_equal(p.action, cases[i].action);
                spec_free(&p.spec);
        }
}

/* What is shortened keeps its meaning when the other options of systemd-nspawn come. */
static void beginnings_are_unique_among_all_names(void **state) {
        static const struct {
                const char *name, *whole, *hint;
        } cases[] = {
                { "dir", "directory", NULL },
                { "private-n", "private-network", NULL },
                { "templ", "template", NULL },
                { "bind", "bind", NULL },
                { "con", "console", NULL }, /* as if only systemd-nspawn's were there */
                { "console-f", "console-filter", NULL },
                { "rec", NULL, "--record, --record-input" },
                { "private", NULL, "--private-users" },
                { "set", NULL, "--settings, --setenv" },
                { "", NULL, "" },
                { "bidn", NULL, "did you mean --bind?" },
                { "read-onyl", NULL, "did you mean --read-only?" },
                { "zzzzzzzzzzzzzzzzzzzz", NULL, "" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct error e = { 0 };
                const char *whole = option_complete(cases[i].name, &e);
                if (!text_equal(whole, cases[i].whole) || (!whole && !strstr(e.hint, cases[i].hint)))
                        fail_msg("--%s: %s \"%s\" \"%s\"", cases[i].name, whole ? whole : "none", e.text, e.hint);
        }
        assert_null(option_complete("nonsense", NULL));
}

static void what_asks_for_nothing_is_accepted(void **state) {
        static const char *const words[] = {
                "--register=no",     "--register=0",      "--register=False", "--settings=off",   "--link-journal=no",
                "--private-users=n", "--volatile=no",     "--background=",    "--notify-ready=f", "--suppress-sync=no",
                "--keep-unit",       "--no-ask-password", "--background=40",  "--reg=no",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                struct parsed p = parse("-D/r", words[i], "word", NULL);
                if (p.r != 0 || p.spec.words.count != 1)
                        fail_msg("%s: %d \"%s\"", words[i], p.r, p.error.text);
                spec_free(&p.spec);
        }
        struct parsed p = parse("-D/r", "--settings", "no", "word");
        assert_int_equal(p.r, 0);
        assert_int_equal(p.spec.words.count, 1);
        spec_free(&p.spec);
        /* An optional argument is never the next word. */
        p = parse("-D/r", "--private-users=no", "no", NULL);
        assert_string_equal(p.spec.words.items[0], "no");
        spec_free(&p.spec);
}

static void what_is_lacking_is_refused_by_name(void **state) {
        static const struct {
                const char *word, *says, *hint;
        } cases[] = {
                { "--template=/x", "--template is not supported by this version of spawn", "" },
                { "--templ=/x", "--template is not supported", "" },
                { "--volatile", "--volatile is not supported", "only --volatile=no is" },
                { "--private-users", "--private-users is not supported", "" },
                { "--network-veth", "--network-veth is not supported", "" },
                { "--keep-unit=yes", "--keep-unit takes no argument", "" },
                { "--background", "--background needs an argument", "" },
                { "-x", "-x, --ephemeral is not supported", "" },
                { "-U", "-U, --private-users is not supported", "" },
                { "-q-", "unknown option --", "" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct parsed p = parse("-D/r", cases[i].word, NULL, NULL);
                if (p.r >= 0 || !strstr(p.error.text, cases[i].says) || !strstr(p.error.hint, cases[i].hint))
                        fail_msg("%s: %d \"%s\" \"%s\"", cases[i].word, p.r, p.error.text, p.error.hint);
                spec_free(&p.spec);
        }
}

/* What --help, the manual and the completions are made from fits a terminal of 80 columns and any character set. */
static void texts_are_plain(void **state) {
        (void) state;
        for (size_t i = 0; i < option_count; i++) {
                const char *texts[] = { option_table[i].name, option_table[i].help, option_table[i].manual,
                                        option_table[i].metavar };
                for (size_t k = 0; k < ELEMENTSOF(texts); k++)
                        for (const char *p = texts[k]; p && *p; p++)
                                assert_true(isprint((unsigned char) *p));
                size_t n = strlen(option_table[i].manual);
                assert_int_equal(option_table[i].manual[n - 1], '.');
                assert_int_not_equal(option_table[i].help[strlen(option_table[i].help) - 1], '.');
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_option_in_each_form),
                cmocka_unit_test(missing_arguments_are_named),
                cmocka_unit_test(help_and_version_come_first),
                cmocka_unit_test(beginnings_are_unique_among_all_names),
                cmocka_unit_test(what_asks_for_nothing_is_accepted),
                cmocka_unit_test(what_is_lacking_is_refused_by_name),
                cmocka_unit_test(texts_are_plain),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
