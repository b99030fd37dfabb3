/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole containers on a tree of one static program: each is supervised by a child of its own, as a run of spawn is. */
#include "launcher/supervise.h"

#include <dirent.h>
#include <poll.h>

#include "basic/log.h"
#include "tiny.h"

struct run {
        struct tiny *t;
        int status; /* of the supervisor */
        char *output, *messages;
        uint64_t usec;
};

static void supervise_plan(void *userdata) {
        struct run *r = userdata;

        _exit(supervise(&r->t->plan, NULL));
}

/* Userdata of `meanwhile`: the supervisor's pid. */
static void run(struct run *r, void (*meanwhile)(struct tiny *, pid_t)) {
        struct capture out = capture_start(STDOUT_FILENO), err = capture_start(STDERR_FILENO);
        uint64_t start = monotonic_usec();
        pid_t pid = start_child(supervise_plan, r);

        if (meanwhile)
                meanwhile(r->t, pid);
        r->status = wait_for(pid);
        r->usec = monotonic_usec() - start;
        r->messages = capture_end(&err);
        r->output = capture_end(&out);
}

static void done(struct run *r) {
        free(r->output);
        free(r->messages);
}

static void assert_exit(struct run *r, int status) {
        if (!WIFEXITED(r->status) || WEXITSTATUS(r->status) != status)
                fail_msg("status %x, not %d: %s %s", (unsigned) r->status, status, r->output, r->messages);
}

static void payloads_statuses(void **state) {
        static const struct {
                const char *words[5];
                int status;
        } cases[] = {
                { { "true" }, 0 },
                { { "sh", "-c", "exit 7" }, 7 },
                { { "sh", "-c", "exit 255" }, 255 },
                { { "-a", "sh", "-c", "exit 7" }, 7 },
                { { "-a", "sh", "-c", "kill -9 $$" }, 137 },
                { { "-a", "sh", "-c", "kill -TERM $$" }, 143 },
                { { "no-such-program" }, 127 },
                { { "/etc" }, 126 },
                { { "--user=nobody-here", "true" }, 125 },
                { { "--bind=/no/such/source:/x", "true" }, 125 },
        };
        struct tiny *t = *state;

        tiny_need(t);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct run r = { .t = t };
                tiny_plan_words(t, cases[i].words);
                run(&r, NULL);
                assert_exit(&r, cases[i].status);
                assert_string_equal(r.output, "");
                bool ours = cases[i].status >= 125 && cases[i].status <= 127;
                assert_int_equal(strlen(r.messages) > 0, ours);
                if (ours) { /* told once, in a line */
                        assert_int_equal(strncmp(r.messages, "spawn: ", 7), 0);
                        assert_ptr_equal(strchr(r.messages, '\n') + 1, r.messages + strlen(r.messages));
                }
                done(&r);
        }
}

static void streams_are_the_callers(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };

        tiny_need(t);
        tiny_plan(t, "sh", "-c", "echo out; echo err >&2");
        run(&r, NULL);
        assert_exit(&r, 0);
        assert_string_equal(r.output, "out\n");
        assert_string_equal(r.messages, "err\n");
        done(&r);
}

/* A console that cannot be typed at: what the payload writes to its terminal arrives, to the last byte. */
static void read_only_consoles_show_all(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };
        size_t lines = 0;

        tiny_need(t);
        tiny_plan(t, "--console=read-only", "sh", "-c",
                  "test -t 0 && test -t 1 && echo tty; i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; "
                  "exit 3");
        run(&r, NULL);
        assert_exit(&r, 3);
        assert_int_equal(strncmp(r.output, "tty\r\nline 0\r\n", 13), 0);
        for (const char *p = r.output; (p = strchr(p, '\n')); p++)
                lines++;
        assert_int_equal(lines, 5001);
        assert_true(text_ends_with(r.output, "line 4999\r\n"));
        done(&r);
}

/* Reboots COUNT times (a payload may write into its tree), then ends with 4. */
static void plan_reboots(struct tiny *t, int count) {
        char script[160];

        snprintf(script, sizeof script, "echo x >>/tmp/boots; test $(wc -l </tmp/boots) -gt %d && exit 4; reboot -f",
                 count);
        tiny_plan(t, "sh", "-c", script);
        unlinkat(t->fd, "tmp/boots", 0);
}

static size_t boots(struct tiny *t) {
        struct stat st;

        return fstatat(t->fd, "tmp/boots", &st, 0) == 0 ? (size_t) st.st_size / 2 : 0;
}

static void reboots_start_it_again(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };

        tiny_need(t);
        plan_reboots(t, 3);
        run(&r, NULL);
        assert_exit(&r, 4);
        assert_int_equal(boots(t), 4);
        done(&r);
}

static void a_loop_of_reboots_ends(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };

        tiny_need(t);
        plan_reboots(t, 1000);
        log_set_level(LOG_WARNING);
        run(&r, NULL);
        log_set_level(LOG_INFO);
        assert_exit(&r, 125);
        assert_int_equal(boots(t), 11); /* once, and ten times again */
        assert_non_null(strstr(r.messages, "reboots too often"));
        done(&r);
}

static void power_off_is_success(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };

        tiny_need(t);
        tiny_plan(t, "sh", "-c", "poweroff -f; exit 9");
        run(&r, NULL);
        assert_exit(&r, 0);
        done(&r);
}

static void wait_for_file(struct tiny *t, const char *path) {
        for (int i = 0; i < 10000 && faccessat(t->fd, path, F_OK, 0) < 0; i++)
                usleep(1000);
}

static void ask_once(struct tiny *t, pid_t pid) {
        wait_for_file(t, "tmp/ready");
        kill(pid, SIGTERM);
}

static void ask_twice(struct tiny *t, pid_t pid) {
        ask_once(t, pid);
        wait_for_file(t, "tmp/asked");
        kill(pid, SIGTERM);
}

static void requests_to_end(void **state) {
        static const struct {
                const char *script;
                void (*meanwhile)(struct tiny *, pid_t);
                int status;
        } cases[] = {
                { "trap 'exit 5' TERM; touch /tmp/ready; while :; do sleep 0.05; done", ask_once, 5 },
                { "trap 'touch /tmp/asked' TERM; touch /tmp/ready; while :; do sleep 0.05; done", ask_twice, 137 },
                { "touch /tmp/ready; while :; do sleep 0.05; done", ask_once, 137 }, /* takes no signal */
        };
        struct tiny *t = *state;

        tiny_need(t);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct run r = { .t = t };
                unlinkat(t->fd, "tmp/ready", 0);
                unlinkat(t->fd, "tmp/asked", 0);
                tiny_plan(t, "sh", "-c", cases[i].script);
                run(&r, cases[i].meanwhile);
                assert_exit(&r, cases[i].status);
                assert_true(r.usec < 10000000);
                done(&r);
        }
}

static void the_timeout_kills(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };

        tiny_need(t);
        tiny_plan(t, "--stop-timeout=300ms", "sh", "-c",
                  "trap : TERM; touch /tmp/ready; while :; do sleep 0.05; done");
        run(&r, ask_once);
        assert_exit(&r, 137);
        assert_true(r.usec >= 300000 && r.usec < 10000000);
        assert_non_null(strstr(r.messages, "has not ended in time"));
        done(&r);
}

static size_t count_groups(void) {
        DIR *dir = opendir("/sys/fs/cgroup/unified");
        size_t n = 0;

        if (!dir)
                dir = opendir("/sys/fs/cgroup");
        for (struct dirent *e; dir && (e = readdir(dir));)
                n += text_starts_with(e->d_name, "spawn-test-root");
        if (dir)
                closedir(dir);
        return n;
}

/* A boot ends with its group removed, whatever groups it has made in there itself. */
static void boots_leave_no_group(void **state) {
        static const char init[] = "#!/bin/sh\n"
                                   "test -w /sys/fs/cgroup || exit 8\n"
                                   "mkdir -p /sys/fs/cgroup/a/b || exit 9\n"
                                   "cat /proc/self/cgroup | grep -qx 0::/ || exit 10\n"
                                   "sleep 100 & echo $! >/sys/fs/cgroup/a/b/cgroup.procs; exit 6\n";
        struct tiny *t = *state;
        struct run r = { .t = t };

        tiny_need(t);
        put_bytes(t->fd, "init", init, strlen(init), 0755);
        tiny_plan(t, "-b");
        if (t->plan.group == GROUP_NONE) {
                print_message("there is no cgroup2 here\n");
                skip();
        }
        const size_t before = count_groups();
        run(&r, NULL);
        assert_exit(&r, 6);
        assert_int_equal(count_groups(), before);
        done(&r);
}

/* The payload of a supervisor that is killed dies with it: the pipe that it holds has no other writer. */
static void a_killed_supervisor_leaves_nothing(void **state) {
        struct tiny *t = *state;
        struct run r = { .t = t };
        char byte;
        int p[2];

        tiny_need(t);
        tiny_plan(t, "sh", "-c", "touch /tmp/ready; sleep 100");
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        struct capture out = capture_start(STDOUT_FILENO);
        dup2(p[1], STDOUT_FILENO);
        pid_t pid = start_child(supervise_plan, &r);
        free(capture_end(&out));
        close(p[1]);
        wait_for_file(t, "tmp/ready");
        struct pollfd alive = { .fd = p[0], .events = POLLIN };
        assert_int_equal(poll(&alive, 1, 0), 0);
        kill(pid, SIGKILL);
        wait_for(pid);
        assert_int_equal(poll(&alive, 1, 10000), 1);
        assert_int_equal(read(p[0], &byte, 1), 0);
        close(p[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TINY_TEST(payloads_statuses),
                TINY_TEST(streams_are_the_callers),
                TINY_TEST(read_only_consoles_show_all),
                TINY_TEST(reboots_start_it_again),
                TINY_TEST(a_loop_of_reboots_ends),
                TINY_TEST(power_off_is_success),
                TINY_TEST(requests_to_end),
                TINY_TEST(the_timeout_kills),
                TINY_TEST(boots_leave_no_group),
                TINY_TEST(a_killed_supervisor_leaves_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
