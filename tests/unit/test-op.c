/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/op.h"

static void add(struct mount_list *list, const char *target, const char *origin) {
        struct mount_op op = { .target = strdup(target), .origin = strdup(origin) };

        assert_int_equal(mount_list_add(list, &op), 0);
        assert_null(op.target); /* taken over */
}

static void sorting(void **state) {
        static const char *const targets[] = { "/b",   "/a/b", "/a-b", "/a", "/a/b/c",    "/a.b",   "/",
                                               "/a/b", "/a b", "/ab",  "/a", "/\xc3\xa4", "/a/\x01" };
        static const char *const expected[] = { "/",    "/a",   "/a",   "/a/\x01", "/a/b", "/a/b",     "/a/b/c",
                                                "/a b", "/a-b", "/a.b", "/ab",     "/b",   "/\xc3\xa4" };
        struct mount_list list = { 0 };
        char rank[16];

        (void) state;
        mount_list_sort(&list);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                rank[0] = (char) ('a' + i);
                rank[1] = 0;
                add(&list, targets[i], rank);
        }
        mount_list_sort(&list);
        assert_int_equal(list.count, ELEMENTSOF(expected));
        for (size_t i = 0; i < list.count; i++) {
                assert_string_equal(list.ops[i].target, expected[i]);
                /* Equals keep their order. */
                if (i > 0 && text_equal(list.ops[i].target, list.ops[i - 1].target))
                        assert_true(list.ops[i].origin[0] > list.ops[i - 1].origin[0]);
        }
        mount_list_free(&list);
        assert_null(list.ops);
        assert_int_equal(list.count, 0);
}

static void many(void **state) {
        struct mount_list list = { 0 };

        (void) state;
        for (unsigned i = 0; i < 100000; i++) {
                char *target = text_format("/%u", (i * 7919) % 100000);
                add(&list, target, "");
                free(target);
        }
        mount_list_sort(&list);
        for (size_t i = 1; i < list.count; i++)
                assert_true(strcmp(list.ops[i - 1].target, list.ops[i].target) < 0);
        mount_list_free(&list);
}

static void entries(void **state) {
        struct mount_op op = { 0 };
        char path[] = "name", content[] = "text";

        (void) state;
        for (unsigned i = 0; i < 100; i++) {
                struct tree_entry entry = { ENTRY_FILE, path, 0600 + i, i, i % 2 ? content : NULL, i == 3 };
                assert_int_equal(mount_op_add_entry(&op, &entry), 0);
        }
        memset(path, 'x', 4);
        memset(content, 'x', 4);
        assert_int_equal(op.n_entries, 100);
        for (unsigned i = 0; i < 100; i++) {
                assert_string_equal(op.entries[i].path, "name");
                assert_int_equal(op.entries[i].mode, 0600 + i);
                assert_int_equal(op.entries[i].device, i);
                assert_int_equal(op.entries[i].optional, i == 3);
                if (i % 2)
                        assert_string_equal(op.entries[i].content, "text");
                else
                        assert_null(op.entries[i].content);
        }
        mount_op_free(&op);
        assert_null(op.entries);
        mount_op_free(&op);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(sorting),
                cmocka_unit_test(many),
                cmocka_unit_test(entries),
        };

        return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
