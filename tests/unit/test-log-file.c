/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/resource.h>

#include "basic/text.h"
#include "console/log_file.h"
#include "helpers.h"

/* A log in a directory of its own. */
struct logged {
        char directory[64], path[80];
        struct log_file *log;
        struct console_sink sink;
};

static struct logged begin(bool raw, uint64_t size, unsigned rotate) {
        struct logged l = { .directory = "/tmp/spawn-test-XXXXXX" };
        struct error e = { 0 };

        assert_non_null(mkdtemp(l.directory));
        snprintf(l.path, sizeof l.path, "%s/log", l.directory);
        if (log_file_open(&(struct log_file_options){ l.path, raw, size, rotate }, &l.log, &e) < 0)
                fail_msg("%s", e.text);
        l.sink = log_file_sink(l.log);
        return l;
}

static void put(struct logged *l, const char *text, size_t size) {
        l->sink.output(l->sink.userdata, (const uint8_t *) text, size);
}

/* The content of file NUMBER, 0 being the newest; NULL if there is none. The caller frees. */
static char *content(const struct logged *l, unsigned number, size_t *ret_size) {
        _cleanup_free_ char *path = number ? text_format("%s.%u", l->path, number) : strdup(l->path);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        char *text = NULL;

        if (fd >= 0)
                assert_int_equal(fd_read_file(fd, 1 << 20, &text, ret_size), 0);
        return text;
}

static void end(struct logged *l) {
        l->log = log_file_close(l->log);
}

/* The lines without their time stamps, which must be there. The caller frees. */
static char *without_stamps(const char *text) {
        static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
        char *result = calloc(1, strlen(text) + 1);

        while (*text) {
                for (size_t i = 0; form[i]; i++)
                        assert_true(form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i]);
                text += sizeof form - 1;
                size_t n = strcspn(text, "\n");
                strncat(result, text, n + 1);
                text += n + (text[n] == '\n');
        }
        return result;
}

static void test_text(void **state) {
        static const char in[] = "\033[1mone\033[0m\r\n\r\ntwo\rthree\r\n\303\274\377\r\nunfinished";

        (void) state;
        for (size_t cut = 0; cut < sizeof in; cut++) {
                struct logged l = begin(false, LOG_FILE_SIZE_DEFAULT, 1);
                put(&l, in, cut);
                put(&l, in + cut, sizeof in - 1 - cut);
                end(&l);
                _cleanup_free_ char *text = content(&l, 0, NULL);
                _cleanup_free_ char *lines = without_stamps(text);
                assert_string_equal(lines, "one\n\ntwo\nthree\n\303\274?\nunfinished\n");
                remove_tree_at(l.directory);
        }
}

static void test_pauses(void **state) {
        static const char expected[] = "one\nbro\n--- the log was paused here ---\n--- and goes on here ---\nthree\n";
        struct logged l = begin(false, LOG_FILE_SIZE_DEFAULT, 1);

        (void) state;
        put(&l, "one\r\nbro", 8);
        assert_true(log_file_toggle(l.log));
        put(&l, "ken\r\ntwo\r\n", 10);
        assert_false(log_file_toggle(l.log));
        put(&l, "three\r\n", 7);
        end(&l);
        _cleanup_free_ char *text = content(&l, 0, NULL);
        _cleanup_free_ char *lines = without_stamps(text);
        assert_string_equal(lines, expected);
        remove_tree_at(l.directory);
        /* raw bytes have no place for a remark */
        l = begin(true, LOG_FILE_SIZE_DEFAULT, 1);
        put(&l, "a", 1);
        assert_true(log_file_toggle(l.log));
        put(&l, "b", 1);
        assert_false(log_file_toggle(l.log));
        put(&l, "c", 1);
        end(&l);
        _cleanup_free_ char *raw = content(&l, 0, NULL);
        assert_string_equal(raw, "ac");
        remove_tree_at(l.directory);
}

/* Whole lines in each file, none lost between two of them, none too large. */
static void test_text_rotates(void **state) {
        struct logged l = begin(false, 4096, 9);
        char line[16], *all = calloc(1, 1 << 20), expected[16];
        unsigned files = 0, number = 0;

        (void) state;
        for (unsigned i = 0; i < 500; i++)
                put(&l, line, (size_t) snprintf(line, sizeof line, "%u\r\n", i));
        end(&l);
        for (unsigned i = 10; i-- > 0;) {
                size_t size = 0;
                _cleanup_free_ char *text = content(&l, i, &size);
                if (!text)
                        continue;
                assert_true(size <= 4096 && text[size - 1] == '\n');
                files++;
                strcat(all, text);
        }
        assert_true(files > 2);
        _cleanup_free_ char *lines = without_stamps(all);
        for (char *p = lines; *p; p += strlen(expected)) {
                snprintf(expected, sizeof expected, "%u\n", number++);
                assert_memory_equal(p, expected, strlen(expected));
        }
        assert_int_equal(number, 500);
        free(all);
        remove_tree_at(l.directory);
}

/* The raw files one after the other are what came, and only so many are kept. */
static void test_raw_rotates(void **state) {
        static char in[50000], out[50000];
        struct logged l = begin(true, 10000, 3);
        size_t used = 0;

        (void) state;
        for (size_t i = 0; i < sizeof in; i++)
                in[i] = (char) (i * 7 ^ i >> 8);
        for (size_t at = 0, n = 1; at < sizeof in; at += n, n = n * 3 % 4001) {
                n = n < sizeof in - at ? n : sizeof in - at;
                put(&l, in + at, n);
        }
        end(&l);
        for (unsigned i = 4; i-- > 0;) {
                size_t size = 0;
                _cleanup_free_ char *text = content(&l, i, &size);
                assert_int_equal(size, 10000);
                memcpy(out + used, text, size);
                used += size;
        }
        assert_memory_equal(out, in + sizeof in - used, used);
        assert_null(content(&l, 4, NULL));
        remove_tree_at(l.directory);
}

/* A line without an end fills whole files, and no memory. */
static void test_endless_line(void **state) {
        static char block[200000];
        struct logged l = begin(false, 4096, 2);

        (void) state;
        memset(block, 'x', sizeof block);
        put(&l, block, sizeof block);
        put(&l, block, sizeof block);
        end(&l);
        for (unsigned i = 0; i < 3; i++) {
                size_t size = 0;
                free(content(&l, i, &size));
                assert_true(size > 0 && size <= 4096);
        }
        remove_tree_at(l.directory);
}

/* A new log goes on in the file that is there, and counts what it holds. */
static void test_appends(void **state) {
        struct logged l = begin(true, 4096, 1);
        char block[3000] = { 0 };

        (void) state;
        put(&l, block, sizeof block);
        end(&l);
        assert_int_equal(log_file_open(&(struct log_file_options){ l.path, true, 4096, 1 }, &l.log, NULL), 0);
        l.sink = log_file_sink(l.log);
        put(&l, block, sizeof block);
        end(&l);
        size_t size = 0;
        free(content(&l, 1, &size));
        assert_int_equal(size, 4096);
        free(content(&l, 0, &size));
        assert_int_equal(size, 6000 - 4096);
        remove_tree_at(l.directory);
}

/* The disk is full: one warning, and the caller never notices. */
static void full_body(void *userdata) {
        struct logged *l = userdata;
        struct rlimit limit = { 5000, 5000 };

        signal(SIGXFSZ, SIG_IGN);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        for (unsigned i = 0; i < 1000; i++)
                put(l, "0123456789\n", 11);
        end(l);
}

static void test_full(void **state) {
        struct logged l = begin(true, 1 << 20, 1);
        size_t size = 0;

        (void) state;
        struct capture c = capture_start(STDERR_FILENO);
        assert_int_equal(run_child(full_body, &l), 0);
        _cleanup_free_ char *said = capture_end(&c);
        size_t line = strcspn(said, "\n");
        assert_non_null(strstr(said, "no longer logged"));
        assert_true(said[line] == '\n' && !said[line + 1]);
        free(content(&l, 0, &size));
        assert_int_equal(size, 5000);
        end(&l);
        remove_tree_at(l.directory);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),         cmocka_unit_test(test_text_rotates),
                cmocka_unit_test(test_pauses),       cmocka_unit_test(test_raw_rotates),
                cmocka_unit_test(test_endless_line), cmocka_unit_test(test_appends),
                cmocka_unit_test(test_full),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
