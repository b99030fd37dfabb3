/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs, and those that can be asked without a container. */
#include "made-run.h"
#include "tools/tools.h"

static void the_table(void **state) {
        (void) state;
        for (size_t i = 0; i < verb_count; i++) {
                const struct verb *v = verb_table + i;
                assert_non_null(v->run);
                assert_true(*v->help && !strchr(v->help, '"'));
                assert_true((v->operand == OPERAND_NONE) == !*v->synopsis);
                assert_true(v->operand == OPERAND_NONE || strstr(v->synopsis, "NAME"));
                assert_true((v->operand == OPERAND_MACHINES) == text_ends_with(v->synopsis, "NAME..."));
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(v->name, verb_table[k].name);
        }
}

static int run(const char *verb, struct request *q, struct error *e) {
        *e = (struct error){ 0 };
        for (size_t i = 0; i < verb_count; i++)
                if (text_equal(verb_table[i].name, verb))
                        return verb_table[i].run(q, e);
        fail_msg("no verb %s", verb);
        return 0;
}

/* Whatever needs a machine says so, in one sentence with its name. */
static void no_machine(void **state) {
        (void) state;
        in_a_run_of_our_own();
        for (size_t i = 0; i < verb_count; i++) {
                struct request q = {
                        .name = "m9", .paths = { "/run/p" }, .words = (char *[]){ (char[]){ "w" } }, .word_count = 1
                };
                struct error e;
                if (verb_table[i].operand == OPERAND_NONE || text_equal(verb_table[i].name, "login"))
                        continue; /* that needs a terminal first */
                assert_int_equal(strv_add(&q.names, "m9"), 0);
                int r = run(verb_table[i].name, &q, &e);
                if (r != -ENOENT || !strstr(e.text, "m9"))
                        fail_msg("%s: %d, %s", verb_table[i].name, r, e.text);
                q.name = "../m9";
                q.names.items[0][0] = '-';
                assert_int_equal(run(verb_table[i].name, &q, &e), -EINVAL);
                strv_free(&q.names);
        }
        assert_int_equal(access(STATE_TOP, F_OK), -1);
}

static void words_that_are_none(void **state) {
        struct error e;

        (void) state;
        assert_int_equal(run("kill", &(struct request){ .name = "m9", .signal = "NONSENSE" }, &e), -EINVAL);
        assert_non_null(strstr(e.text, "NONSENSE"));
        assert_int_equal(run("wait", &(struct request){ .name = "m9", .wait_for = "nothing" }, &e), -EINVAL);
        assert_string_equal(e.hint, "there are running ready exit");
}

static void waiting(void **state) {
        struct state_place place;
        struct error e;

        (void) state;
        in_a_run_of_our_own();
        struct state s = made_machine(getpid(), &place);
        assert_int_equal(run("wait", &(struct request){ .name = "m1", .wait_for = "running" }, &e), 0);
        s.ready = true;
        assert_int_equal(state_write(&place, &s, &e), 0);
        assert_int_equal(run("wait", &(struct request){ .name = "m1", .wait_for = "ready" }, &e), 0);
        state_drop(&place, "m1");
}

/* A crash leaves a state whose supervisor's number may be another process's. */
static void what_is_stale_is_removed(void **state) {
        struct state_place place;
        struct state s;
        struct error e = { 0 };

        (void) state;
        in_a_run_of_our_own();
        s = made_machine(getpid(), &place);
        assert_int_equal(tools_find("m1", &s, &e), 0);
        s.supervisor.start++;
        assert_int_equal(state_write(&place, &s, &e), 0);
        assert_int_equal(tools_find("m1", &s, &e), -ENOENT); /* but it is held: not removed */
        assert_int_equal(access(STATE_TOP "/m1", F_OK), 0);
        state_release(&place);
        assert_int_equal(tools_find("m1", &s, &e), -ENOENT);
        assert_int_equal(access(STATE_TOP, F_OK), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_table),
                cmocka_unit_test(no_machine),
                cmocka_unit_test(words_that_are_none),
                cmocka_unit_test(waiting),
                cmocka_unit_test(what_is_stale_is_removed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
