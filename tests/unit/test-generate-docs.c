/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that prints the manual's option list and the completion files: run as the build runs it. */
#include "basic/text.h"
#include "helpers.h"
#include "launcher/options.h"
#include "launcher/settings.h"

static const char *generator;

struct printed {
        const char *words[3];
        char *text;
        int status;
};

static void generate(void *userdata) {
        struct printed *p = userdata;

        execl(generator, "generate-docs", p->words[0], p->words[1], p->words[2], NULL);
        _exit(99);
}

static struct printed print(const char *form, const char *file) {
        struct printed p = { .words = { form, file } };
        struct capture c = capture_start(STDOUT_FILENO);

        p.status = run_child(generate, &p);
        p.text = capture_end(&c);
        return p;
}

static void the_manual_has_each_option(void **state) {
        char path[] = "/tmp/test-docs-XXXXXX", name[128];
        static const char page[] = "before @OPTIONS@\n@OPTIONS@\nafter\n";
        _cleanup_close_ int fd = mkstemp(path);

        (void) state;
        assert_int_equal(fd_write_all(fd, page, strlen(page)), 0);
        struct printed p = print("manual", path);
        unlink(path);
        assert_int_equal(p.status, 0);
        assert_true(text_starts_with(p.text, "before @OPTIONS@\n"));
        assert_true(text_ends_with(p.text, "after\n"));
        const char *at = p.text;
        for (size_t i = 0; i < option_count; i++) { /* in the order of the table */
                snprintf(name, sizeof name, "*--%s*", option_table[i].name);
                at = strstr(at, name);
                if (!at || !strstr(at, option_table[i].manual))
                        fail_msg("%s is missing", name);
        }
        free(p.text);
}

static void the_manual_has_each_key(void **state) {
        char path[] = "/tmp/test-docs-XXXXXX", name[128];
        _cleanup_close_ int fd = mkstemp(path);

        (void) state;
        assert_int_equal(fd_write_all(fd, "@SETTINGS@\n", strlen("@SETTINGS@\n")), 0);
        struct printed p = print("manual", path);
        unlink(path);
        assert_int_equal(p.status, 0);
        const char *at = p.text;
        for (size_t i = 0; i < settings_count; i++) { /* in the order of the table */
                const struct settings_key *key = &settings_table[i];
                snprintf(name, sizeof name, "%s=\n:  %s%s\n", key->name, key->option ? "--" : "",
                         key->option ? key->option : "the words");
                at = strstr(at, name);
                if (!at)
                        fail_msg("%s is missing", key->name);
        }
        free(p.text);
}

/* Each option is in each file, and each shell can read its own. */
static void completions_have_each_option(void **state) {
        static const char *const shells[] = { "bash", "zsh", "fish" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(shells); i++) {
                struct printed p = print(shells[i], NULL);
                char word[96], path[] = "/tmp/test-docs-XXXXXX", command[160];
                assert_int_equal(p.status, 0);
                for (size_t k = 0; k < option_count; k++) {
                        snprintf(word, sizeof word, i == 2 ? "-l %s " : "--%s", option_table[k].name);
                        if (!strstr(p.text, word))
                                fail_msg("%s: %s is missing", shells[i], word);
                }
                int fd = mkstemp(path);
                assert_int_equal(fd_write_all(fd, p.text, strlen(p.text)), 0);
                close(fd);
                snprintf(command, sizeof command, "! command -v %s >/dev/null || %s -n %s", shells[i], shells[i],
                         path);
                int r = system(command);
                unlink(path);
                if (r != 0)
                        fail_msg("%s cannot read its file", shells[i]);
                free(p.text);
        }
}

/* What bash completes for the words of COMP_WORDS, the last of which is being typed. */
static void complete(const char *words, const char *expected) {
        struct printed p = print("bash", NULL);
        char path[] = "/tmp/test-docs-XXXXXX", command[512];
        int fd = mkstemp(path);

        assert_int_equal(fd_write_all(fd, p.text, strlen(p.text)), 0);
        close(fd);
        free(p.text);
        snprintf(command, sizeof command,
                 "bash -c '. %s; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _spawn; echo "
                 "\"${COMPREPLY[*]}\"'",
                 path, words);
        FILE *f = popen(command, "re");
        char text[512] = "";
        assert_non_null(fgets(text, sizeof text, f));
        assert_int_equal(pclose(f), 0);
        unlink(path);
        text[strcspn(text, "\n")] = 0;
        assert_string_equal(text, expected);
}

static void bash_completes(void **state) {
        (void) state;
        if (system("command -v bash >/dev/null") != 0)
                skip();
        complete("spawn --mach", "--machine");
        complete("spawn --console passi", "passive");
        complete("spawn --console = passi", "passive");
        complete("spawn --console =", "interactive read-only passive pipe autopipe");
        complete("spawn --no-such", "");
}

static void bad_words_are_refused(void **state) {
        static const struct {
                const char *form, *file;
                int status;
        } cases[] = { { NULL, NULL, 2 }, { "csh", NULL, 2 }, { "manual", NULL, 2 }, { "manual", "/no/such/file", 1 } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct capture c = capture_start(STDERR_FILENO);
                struct printed p = print(cases[i].form, cases[i].file);
                _cleanup_free_ char *messages = capture_end(&c);
                assert_true(WIFEXITED(p.status));
                assert_int_equal(WEXITSTATUS(p.status), cases[i].status);
                assert_string_equal(p.text, "");
                assert_true(*messages);
                free(p.text);
        }
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_manual_has_each_option),   cmocka_unit_test(the_manual_has_each_key),
                cmocka_unit_test(completions_have_each_option), cmocka_unit_test(bash_completes),
                cmocka_unit_test(bad_words_are_refused),
        };
        if (argc != 2) {
                fprintf(stderr, "usage: %s GENERATE-DOCS\n", argv[0]);
                return 2;
        }
        generator = argv[1];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
