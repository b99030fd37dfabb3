/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The split into a supervisor in the background and a caller that waits for it. */
#include "helpers.h"
#include "launcher/detach.h"

struct scene {
        void (*supervise)(struct detach *d);
        int status; /* what the caller got, in shared memory */
        char said[256];
        char error[sizeof((struct error *) 0)->text];
};

static void ready(struct detach *d) {
        dprintf(STDERR_FILENO, "on the way\n");
        detach_ready(d, "m1");
        dprintf(STDERR_FILENO, "nobody hears this\n");
        detach_failed(d, 9); /* too late to matter */
        CHECK(getsid(0) == getpid());
        CHECK(isatty(0) == 0 && lseek(0, 0, SEEK_CUR) == 0);
        CHECK(d->viewer_fd < 0);
}

static void failed(struct detach *d) {
        dprintf(STDERR_FILENO, "it cannot be\n");
        detach_failed(d, 127);
}

static void crashed(struct detach *d) {
        (void) d;
        _exit(3);
}

/* Of all that the caller has open, only what is meant for the payload stays. */
static void looks_around(struct detach *d) {
        for (int fd = 5; fd < 64; fd++)
                CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
        CHECK(fcntl(3, F_GETFD) >= 0 && fcntl(4, F_GETFD) >= 0);
        detach_ready(d, "m1");
}

static void play(void *userdata) {
        struct scene *s = userdata;
        struct spec spec = { .detach = true };
        struct host_probe host = { .sockets = s->supervise == looks_around ? 2 : 0 };
        struct detach d = DETACH_NONE;
        struct error e = { 0 };
        int said[2], status = -1;

        CHECK(pipe2(said, O_CLOEXEC) == 0 && dup2(said[1], STDERR_FILENO) >= 0);
        if (host.sockets > 0)
                CHECK(dup2(said[0], 3) == 3 && dup2(said[0], 4) == 4 && dup2(said[0], 17) == 17);
        int r = detach(&spec, &host, &d, &status, &e);
        if (r == 0) {
                s->supervise(&d);
                _exit(0);
        }
        s->status = r < 0 ? r : status;
        snprintf(s->error, sizeof s->error, "%s", e.text);
        CHECK(fcntl(said[0] == 3 || host.sockets ? 3 : said[0], F_SETFL, O_NONBLOCK) == 0);
        ssize_t n = read(host.sockets ? 3 : said[0], s->said, sizeof s->said - 1);
        s->said[n > 0 ? n : 0] = 0;
        /* The supervisor's own checks count too: it is our child. */
        int ended;
        CHECK(wait(&ended) > 0);
        if (s->supervise != crashed)
                CHECK(ended == 0);
}

static struct scene *act(void (*supervise)(struct detach *)) {
        struct scene *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        assert_true(s != MAP_FAILED);
        s->supervise = supervise;
        assert_int_equal(run_child(play, s), 0);
        return s;
}

static void the_caller_is_let_go_when_it_runs(void **state) {
        struct scene *s = act(ready);

        (void) state;
        assert_int_equal(s->status, 0);
        assert_string_equal(s->said, "on the way\n");
        munmap(s, sizeof *s);
}

static void a_failure_reaches_the_caller(void **state) {
        struct scene *s = act(failed);

        (void) state;
        assert_int_equal(s->status, 127);
        assert_string_equal(s->said, "it cannot be\n");
        munmap(s, sizeof *s);
}

static void so_does_a_crash(void **state) {
        struct scene *s = act(crashed);

        (void) state;
        assert_true(s->status < 0);
        assert_non_null(strstr(s->error, "vanished"));
        munmap(s, sizeof *s);
}

static void nothing_of_the_caller_is_kept(void **state) {
        struct scene *s = act(looks_around);

        (void) state;
        assert_int_equal(s->status, 0);
        munmap(s, sizeof *s);
}

static void when_it_is_wanted(void **state) {
        struct host_probe terminal = { .stream_is_terminal = { true, true, true } }, none = { 0 };
        struct spec plain = { 0 }, detached = { .detach = true }, left = { .hangup = HANGUP_DETACH },
                    leavable = { .detachable = true }, boots = { .start = START_BOOT },
                    read_only = { .start = START_BOOT, .console = CONSOLE_READ_ONLY },
                    no = { .start = START_BOOT, .origin[SETTING_DETACHABLE] = "--detachable" },
                    service = { .start = START_BOOT, .keep_unit = true };
        struct detach d = DETACH_NONE;
        struct error e = { 0 };
        int status;

        (void) state;
        assert_false(detach_wanted(&plain, &terminal));
        assert_true(detach_wanted(&detached, &none));
        assert_true(detach_wanted(&leavable, &terminal));
        assert_true(detach_wanted(&left, &terminal));
        assert_false(detach_wanted(&left, &none)); /* nothing there could hang up */
        assert_true(detach_wanted(&boots, &terminal));
        assert_false(detach_wanted(&boots, &none));
        assert_false(detach_wanted(&read_only, &terminal));
        assert_false(detach_wanted(&no, &terminal));
        assert_false(detach_wanted(&service, &terminal));
        assert_int_equal(strv_add(&terminal.environ, "NOTIFY_SOCKET=/run/x"), 0);
        assert_false(detach_wanted(&boots, &terminal));
        strv_free(&terminal.environ);
        assert_int_equal(detach(&leavable, &none, &d, &status, &e), -ENOTTY);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_caller_is_let_go_when_it_runs),
                cmocka_unit_test(a_failure_reaches_the_caller),
                cmocka_unit_test(so_does_a_crash),
                cmocka_unit_test(nothing_of_the_caller_is_kept),
                cmocka_unit_test(when_it_is_wanted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
