/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of groups, of directories that are made up: with names and numbers as a payload may choose them. */
#include "tools/tree.h"

#include <locale.h>

#include "basic/text.h"
#include "helpers.h"

struct fixture {
        char path[32];
        int top;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-tree-XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->top = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->top >= 0);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        close(f->top);
        remove_tree_at(f->path);
        free(f);
        return 0;
}

/* The caller frees. */
static char *printed(const struct fixture *f, const struct tree_options *options) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        tree_print(out, f->top, options);
        fclose(out);
        return text;
}

static void group(const struct fixture *f, const char *path) {
        assert_int_equal(mkdirat(f->top, path, 0755), 0);
}

static size_t count_lines(const char *text) {
        size_t n = 0;

        for (; (text = strchr(text, '\n')); text++)
                n++;
        return n;
}

static void sleep_on(void *userdata) {
        (void) userdata;
        for (;;)
                pause();
}

static void groups_and_processes(void **state) {
        const struct fixture *f = *state;
        char line[256] = "", numbers[64];
        pid_t child = start_child(sleep_on, NULL);

        /* Our own command line is what the test was started with; 0 is a process of another namespace. */
        _cleanup_close_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, line, sizeof line - 1) > 0);
        snprintf(numbers, sizeof numbers, "%d\n0\n%d\n", (int) child, (int) getpid());
        group(f, "b.slice");
        group(f, "b.slice/x.service");
        group(f, "a\x1b[31m");
        put_text(f->top, "cgroup.procs", numbers);
        put_text(f->top, "b.slice/x.service/cgroup.procs", "");
        assert_int_equal(symlinkat("..", f->top, "b.slice/up"), 0);
        int width = snprintf(NULL, 0, "%d", (int) (child > getpid() ? child : getpid()));
        int first = child < getpid() ? child : getpid(), second = child < getpid() ? getpid() : child;
        _cleanup_free_ char *found = printed(f, &(struct tree_options){ .utf8 = true, .indent = 2 });
        _cleanup_free_ char *plain = printed(f, &(struct tree_options){ .utf8 = false });
        kill(child, SIGKILL);
        wait_for(child);
        _cleanup_free_ char *expected =
                text_format("  ├─%*d %s\n  ├─%*d %s\n  ├─a\\x1b[31m\n  └─b.slice\n    └─x.service\n", width, first,
                            line, width, second, line);
        assert_string_equal(found, expected);
        free(expected);
        expected = text_format("|-%*d %s\n|-%*d %s\n|-a\\x1b[31m\n`-b.slice\n  `-x.service\n", width, first, line,
                               width, second, line);
        assert_string_equal(plain, expected);
}

static void processes_without_words(void **state) {
        const struct fixture *f = *state;

        put_text(f->top, "cgroup.procs", "2147483647\nrubbish\n17\n");
        _cleanup_free_ char *text = printed(f, &(struct tree_options){ 0 });
        assert_string_equal(text, "`-2147483647 []\n"); /* it has ended */
}

static void wide(void **state) {
        const struct fixture *f = *state;
        char name[32];

        for (int i = 0; i < TREE_ENTRIES + 23; i++) {
                snprintf(name, sizeof name, "g%03d", i);
                group(f, name);
        }
        _cleanup_free_ char *text = printed(f, &(struct tree_options){ 0 });
        assert_int_equal(count_lines(text), TREE_ENTRIES + 1);
        assert_true(text_ends_with(text, "`-... and 23 more\n"));
        assert_null(strstr(text, "`-g"));
}

static void many_lines(void **state) {
        const struct fixture *f = *state;
        char name[32];

        for (int i = 0; i < 40; i++) {
                snprintf(name, sizeof name, "g%02d", i);
                group(f, name);
                for (int k = 0; k < 40; k++) {
                        snprintf(name, sizeof name, "g%02d/h%02d", i, k);
                        group(f, name);
                }
        }
        _cleanup_free_ char *text = printed(f, &(struct tree_options){ 0 });
        assert_true(count_lines(text) >= TREE_LINES && count_lines(text) <= TREE_LINES + TREE_DEPTH);
        assert_non_null(strstr(text, "more\n"));
        assert_true(text_starts_with(text, "|-g00\n| |-h00\n"));
}

static void deep(void **state) {
        const struct fixture *f = *state;
        int at = dup(f->top);

        for (int i = 0; i < 200; i++) {
                assert_int_equal(mkdirat(at, "d", 0755), 0);
                int below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close(at);
                at = below;
        }
        close(at);
        _cleanup_free_ char *text = printed(f, &(struct tree_options){ .utf8 = true, .indent = 18 });
        assert_int_equal(count_lines(text), TREE_DEPTH + 1);
        assert_true(text_ends_with(text, "└─… and 1 more\n"));
}

static void width(void **state) {
        static const struct {
                const char *text, *shown;
                size_t columns;
        } cases[] = {
                { "abcdef", "abcdef", 0 },
                { "abcdef", "abcdef", 6 },
                { "abcdef", "abcd", 5 },
                { "abcdef", "", 1 },
                { "", "", 1 },
                { "äöüäöü", "äöüä", 5 },
                { "\xff\xff\xff", "\xff", 2 },
                { "日本語", "日", 4 },
                { "日本語", "日本", 5 },
                { "日本語", "日本語", 6 },
        };

        (void) state;
        if (!setlocale(LC_CTYPE, "C.UTF-8")) {
                print_message("there is no locale C.UTF-8\n");
                skip();
        }
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                size_t n = tree_cut(cases[i].text, cases[i].columns, "…");
                if (n != strlen(cases[i].shown))
                        fail_msg("%s on %zu: %zu bytes", cases[i].text, cases[i].columns, n);
        }
        assert_int_equal(tree_cut("abcdef", 5, "..."), 2);
        setlocale(LC_CTYPE, "C");
        assert_int_equal(tree_cut("äöüäöü", 5, "..."), 4);
}

static void lines_are_cut(void **state) {
        const struct fixture *f = *state;

        group(f, "a-long-name-of-a-group");
        _cleanup_free_ char *text = printed(f, &(struct tree_options){ .columns = 10 });
        assert_string_equal(text, "`-a-lon...\n");
}

static void no_such_group(void **state) {
        (void) state;
        assert_true(tree_show("/no/such/group", &(struct tree_options){ 0 }) < 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(groups_and_processes),
                TEST(processes_without_words),
                TEST(wide),
                TEST(many_lines),
                TEST(deep),
                cmocka_unit_test(width),
                TEST(lines_are_cut),
                cmocka_unit_test(no_such_group),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
