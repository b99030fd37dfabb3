/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/text.h"
#include "console/output_file.h"
#include "helpers.h"

struct place {
        char path[64], file[80];
        int fd;
};

static int set_up(void **state) {
        static struct place place;
        struct place *p = &place;

        place = (struct place){ .path = "/tmp/spawn-test-XXXXXX" };
        assert_non_null(mkdtemp(p->path));
        snprintf(p->file, sizeof p->file, "%s/log", p->path);
        p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = p;
        return 0;
}

static int tear_down(void **state) {
        struct place *p = *state;

        fd_close(p->fd);
        remove_tree_at(p->path);
        return 0;
}

static void assert_content(const struct place *p, const char *name, const char *expected) {
        _cleanup_close_ int fd = openat(p->fd, name, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;

        if (!expected) {
                assert_int_equal(fd, -1);
                return;
        }
        assert_int_equal(fd_read_file(fd, 4096, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void test_appends(void **state) {
        struct place *p = *state;
        struct output_file f = OUTPUT_FILE_NONE;
        struct stat st;

        for (int i = 0; i < 2; i++) {
                assert_int_equal(output_file_open(p->file, &f, NULL), 0);
                assert_int_equal(output_file_write(&f, "ab", 2), 0);
                output_file_close(&f);
        }
        assert_content(p, "log", "abab");
        assert_int_equal(fstatat(p->fd, "log", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_rotates(void **state) {
        struct place *p = *state;
        struct output_file f = OUTPUT_FILE_NONE;

        assert_int_equal(output_file_open(p->file, &f, NULL), 0);
        for (int i = 0; i < 5; i++) {
                char c = (char) ('a' + i);
                assert_int_equal(output_file_write(&f, &c, 1), 0);
                assert_int_equal(output_file_rotate(&f, 2), 0);
        }
        assert_content(p, "log", "");
        assert_content(p, "log.1", "e");
        assert_content(p, "log.2", "d");
        assert_content(p, "log.3", NULL);
        assert_int_equal(output_file_write(&f, "x", 1), 0);
        assert_int_equal(output_file_rotate(&f, 0), 0);
        assert_int_equal(output_file_write(&f, "y", 1), 0);
        assert_content(p, "log", "y");
        /* What cannot be renamed leaves the file as it was, and open. */
        assert_int_equal(unlinkat(p->fd, "log.1", 0), 0);
        assert_int_equal(mkdirat(p->fd, "log.1", 0700), 0);
        assert_int_equal(output_file_rotate(&f, 1), -EISDIR);
        assert_int_equal(output_file_write(&f, "z", 1), 0);
        assert_content(p, "log", "yz");
        output_file_close(&f);
}

/* What someone else has put there is refused, and nothing waits. */
static void test_refuses(void **state) {
        struct place *p = *state;
        struct output_file f = OUTPUT_FILE_NONE;
        struct error e = { 0 };

        assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
        assert_int_equal(symlinkat("target", p->fd, "link"), 0);
        assert_int_equal(mkdirat(p->fd, "directory", 0700), 0);
        put_text(p->fd, "one", "1");
        assert_int_equal(linkat(p->fd, "one", p->fd, "two", 0), 0);
        const struct {
                const char *name;
                int error;
        } cases[] = {
                { "link", -ELOOP },       { "directory", -EISDIR }, { "two", -EINVAL },
                { "missing/x", -ENOENT }, { "fifo", -ENXIO }, /* no reader */
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = text_format("%s/%s", p->path, cases[i].name);
                assert_int_equal(output_file_open(path, &f, &e), cases[i].error);
                assert_non_null(strstr(e.text, path));
        }
        assert_int_equal(output_file_open("/dev/null", &f, &e), -EINVAL);
        assert_content(p, "target", NULL);
        assert_content(p, "one", "1");
        _cleanup_close_ int reader = openat(p->fd, "fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        _cleanup_free_ char *fifo = text_format("%s/fifo", p->path);
        assert_true(reader >= 0);
        assert_int_equal(output_file_open(fifo, &f, &e), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_appends, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_rotates, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_refuses, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
