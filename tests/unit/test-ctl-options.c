/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of spawnctl's options, held to what its readers take for granted. */
#include <ctype.h>

#include "helpers.h"
#include "tools/tools.h"

static const struct verb *find(const char *name) {
        for (size_t i = 0; i < verb_count; i++)
                if (text_equal(verb_table[i].name, name))
                        return verb_table + i;
        return NULL;
}

static void each_is_for_verbs_that_exist(void **state) {
        (void) state;
        for (size_t i = 0; i < ctl_option_count; i++) {
                struct strv words = { 0 };
                assert_int_equal(strv_split(&words, ctl_options[i].verbs, " "), 0);
                assert_true(words.count > 0);
                for (size_t k = 0; k < words.count; k++)
                        if (!find(words.items[k]))
                                fail_msg("--%s is for %s", ctl_options[i].name, words.items[k]);
                strv_free(&words);
        }
}

static void names_and_letters_are_unique(void **state) {
        (void) state;
        for (size_t i = 0; i < ctl_option_count; i++) {
                const struct ctl_option *a = ctl_options + i;
                assert_true(!a->letter || isalnum((unsigned char) a->letter));
                assert_int_not_equal(a->letter, 'h');
                for (const char *taken = "help\0version\0completion\0"; *taken; taken += strlen(taken) + 1)
                        assert_string_not_equal(a->name, taken);
                for (size_t k = 0; k < i; k++) {
                        assert_string_not_equal(a->name, ctl_options[k].name);
                        if (a->letter)
                                assert_int_not_equal(a->letter, ctl_options[k].letter);
                }
        }
}

/* What was given is a bit for each row. A list takes an argument; a field is one option's alone and within. */
static void fields(void **state) {
        (void) state;
        assert_true(ctl_option_count <= 32);
        for (size_t i = 0; i < ctl_option_count; i++) {
                const struct ctl_option *a = ctl_options + i;
                size_t size = a->repeatable ? sizeof(struct strv) : a->metavar ? sizeof(char *) : sizeof(bool);
                assert_true(a->offset + size <= sizeof(struct request));
                assert_true(!a->repeatable || a->metavar);
                assert_true(*a->help && !strchr(a->help, '"') && !strchr(a->help, '\''));
                for (size_t k = 0; k < i; k++)
                        assert_true(ctl_options[k].offset != a->offset);
        }
}

static void words_are_whole(void **state) {
        const struct ctl_option o = { .name = "x", .verbs = "copy-to copy list" };

        (void) state;
        assert_true(option_is_for(&o, "copy-to"));
        assert_true(option_is_for(&o, "copy"));
        assert_true(option_is_for(&o, "list"));
        assert_false(option_is_for(&o, "cop"));
        assert_false(option_is_for(&o, "to"));
        assert_false(option_is_for(&o, "lists"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_is_for_verbs_that_exist),
                cmocka_unit_test(names_and_letters_are_unique),
                cmocka_unit_test(fields),
                cmocka_unit_test(words_are_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
