/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The completion files of spawnctl have all that the tables have. That the shells can use them is tested with those.
 */
#include "helpers.h"
#include "tools/details.h"
#include "tools/tools.h"

static char *printed(const char *shell) {
        struct capture c = capture_start(STDOUT_FILENO);
        int r = completion_print(shell, NULL);
        char *text = capture_end(&c);

        assert_int_equal(r, 0);
        return text;
}

static void all_is_there(void **state) {
        static const char *const shells[] = { "bash", "zsh", "fish" };

        (void) state;
        for (size_t s = 0; s < ELEMENTSOF(shells); s++) {
                _cleanup_free_ char *text = printed(shells[s]);
                for (size_t i = 0; i < verb_count; i++)
                        assert_non_null(strstr(text, verb_table[i].name));
                for (size_t i = 0; i < ctl_option_count; i++)
                        assert_non_null(strstr(text, ctl_options[i].name));
                for (size_t i = 0; details_property(i); i++)
                        assert_non_null(strstr(text, details_property(i)));
                assert_non_null(strstr(text, "spawnctl list --no-legend"));
        }
}

static void each_verb_has_its_options(void **state) {
        _cleanup_free_ char *text = printed("bash");

        (void) state;
        for (size_t i = 0; i < verb_count; i++) {
                _cleanup_free_ char *begin = text_format("        %s) words='", verb_table[i].name);
                const char *line = strstr(text, begin);
                assert_non_null(line);
                _cleanup_free_ char *words = strndup(line, strcspn(line, "\n"));
                for (size_t k = 0; k < ctl_option_count; k++) {
                        const struct ctl_option *o = ctl_options + k;
                        _cleanup_free_ char *word = text_format("--%s%s ", o->name, o->metavar ? "=" : "");
                        if ((strstr(words, word) != NULL) != option_is_for(o, verb_table[i].name))
                                fail_msg("%s %s", verb_table[i].name, word);
                }
        }
}

static void another_shell(void **state) {
        struct error e = { 0 };

        (void) state;
        assert_int_equal(completion_print("csh", &e), -EINVAL);
        assert_non_null(strstr(e.text, "csh"));
        assert_string_equal(e.hint, "there are bash zsh fish");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_is_there),
                cmocka_unit_test(each_verb_has_its_options),
                cmocka_unit_test(another_shell),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
