/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors, errors, the log, the channel between parent and child, groups. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cgroup.h"
#include "basic/error.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "basic/sync.h"
#include "unit.h"

static void taking_leaves_nothing(void **state) {
        int fd = 7;
        char *p = (char *) &fd;

        (void) state;
        assert_int_equal(TAKE_FD(fd), 7);
        assert_int_equal(fd, -EBADF);
        assert_ptr_equal(TAKE_PTR(p), &fd);
        assert_null(p);
        errno = 5;
        assert_int_equal(fd_close(-1), -EBADF);
        assert_int_equal(errno, 5);
}

static void files_are_read_up_to_a_limit(void **state) {
        char *text;
        size_t size;
        int p[2];

        (void) state;
        for (size_t length = 0; length <= 5000; length += 1250) {
                char data[5000] = { 0 };
                memset(data, 'x', length);
                assert_int_equal(pipe(p), 0);
                assert_int_equal(fd_write_all(p[1], data, length), 0);
                close(p[1]);
                int r = fd_read_file(p[0], 3750, &text, &size);
                close(p[0]);
                assert_int_equal(r, length > 3750 ? -EFBIG : 0);
                if (r < 0)
                        continue;
                assert_int_equal(size, length);
                assert_int_equal(strlen(text), length);
                free(text);
        }
}

static void closed_streams_are_filled(void **state) {
        pid_t pid = fork();
        int status;

        (void) state;
        if (pid == 0) {
                unsigned closed;
                close(0);
                close(2);
                if (fd_fill_standard_streams(&closed) < 0 || closed != 5)
                        _exit(1);
                _exit(fcntl(0, F_GETFD) < 0 || fcntl(2, F_GETFD) < 0 ? 2 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void errors_say_what_and_what_to_do(void **state) {
        struct error e;

        (void) state;
        assert_int_equal(error_set(&e, ENOENT, "cannot open %s: %m", "/x"), -ENOENT);
        assert_string_equal(e.text, "cannot open /x: No such file or directory");
        assert_int_equal(error_exit_status(&e), EXIT_OURS);
        assert_int_equal(error_hint(&e, "make %s", "it"), -ENOENT);
        assert_string_equal(e.hint, "make it");
        e.status = EXIT_NOT_FOUND;
        assert_int_equal(error_exit_status(&e), 127);
        assert_int_equal(error_set(NULL, EIO, "nobody listens"), -EIO);
}

/* What log_line() writes, at most SIZE bytes. */
static void captured(enum log_level level, const char *message, char *buffer, size_t size) {
        int saved = dup(2), p[2];

        assert_int_equal(pipe2(p, O_NONBLOCK), 0);
        dup2(p[1], 2);
        log_line(level, "%s", message);
        dup2(saved, 2);
        ssize_t n = read(p[0], buffer, size - 1);
        buffer[n > 0 ? n : 0] = 0;
        close(saved);
        close(p[0]);
        close(p[1]);
}

static void log_lines_are_escaped_and_filtered(void **state) {
        char text[256];

        (void) state;
        captured(LOG_INFO, "a\x1b[31mb\nc", text, sizeof text);
        assert_string_equal(text, "spawn: a\\x1b[31mb\\x0ac\n");
        captured(LOG_DEBUG, "quiet", text, sizeof text);
        assert_string_equal(text, "");
        log_set_level(LOG_WARNING);
        captured(LOG_INFO, "quiet", text, sizeof text);
        assert_string_equal(text, "");
        captured(LOG_WARNING, "loud", text, sizeof text);
        assert_string_equal(text, "spawn: loud\n");
        log_set_level(LOG_INFO);
}

static void packets_keep_their_boundaries(void **state) {
        struct sync_packet packet;
        struct error e;
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        error_set(&e, EPERM, "no");
        assert_int_equal(sync_send(p[0], SYNC_PREPARED, NULL), 0);
        assert_int_equal(sync_send(p[0], SYNC_FAILED, &e), 0);
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_int_equal(packet.step, SYNC_PREPARED);
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_int_equal(packet.step, SYNC_FAILED);
        assert_int_equal(packet.error.code, EPERM);
        assert_string_equal(packet.error.text, "no");
        assert_int_equal(write(p[0], "odd", 3), 3);
        assert_int_equal(sync_receive(p[1], &packet), -EPROTO);
        close(p[0]);
        assert_int_equal(sync_receive(p[1], &packet), 0);
        assert_int_equal(sync_send(p[1], SYNC_GO, NULL), -EPIPE);
        close(p[1]);
}

/* The child may fail before it has read what the parent had to say: its reason must arrive all the same. */
static void a_reason_outlives_its_sender(void **state) {
        struct sync_packet packet;
        struct error e;
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        error_set(&e, EPERM, "no");
        assert_int_equal(sync_send(p[0], SYNC_GO, NULL), 0);
        assert_int_equal(sync_send(p[1], SYNC_FAILED, &e), 0);
        close(p[1]);
        assert_int_equal(sync_receive(p[0], &packet), 1);
        assert_string_equal(packet.error.text, "no");
        assert_int_equal(sync_receive(p[0], &packet), 0);
        close(p[0]);
}

static void trees_of_groups_are_removed_depth_first(void **state) {
        char dir[] = "/tmp/test-cgroup-XXXXXX";

        (void) state;
        assert_non_null(mkdtemp(dir));
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(cgroup_remove(fd, "a"), 0);
        assert_int_equal(mkdirat(fd, "a", 0755) | mkdirat(fd, "a/b", 0755) | mkdirat(fd, "a/b/c", 0755) |
                                 mkdirat(fd, "a/d", 0755),
                         0);
        assert_int_equal(cgroup_remove(fd, "a"), 0);
        assert_int_equal(faccessat(fd, "a", F_OK, 0), -1);
        close(fd);
        assert_int_equal(rmdir(dir), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(taking_leaves_nothing),
                cmocka_unit_test(files_are_read_up_to_a_limit),
                cmocka_unit_test(closed_streams_are_filled),
                cmocka_unit_test(errors_say_what_and_what_to_do),
                cmocka_unit_test(log_lines_are_escaped_and_filtered),
                cmocka_unit_test(packets_keep_their_boundaries),
                cmocka_unit_test(a_reason_outlives_its_sender),
                cmocka_unit_test(trees_of_groups_are_removed_depth_first),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
