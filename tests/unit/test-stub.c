/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PID 1 of --as-pid2, each in a PID namespace of its own. */
#include <poll.h>
#include <sched.h>

#include "basic/syscalls.h"
#include "basic/text.h"
#include "helpers.h"
#include "launcher/child.h"

struct run {
        void (*payload)(struct run *);
        int events[2]; /* what the payload has to say: a byte for each thing */
        pid_t stub;
};

static void say(const struct run *r, int what) {
        unsigned char byte = (unsigned char) what;

        CHECK(write(r->events[1], &byte, 1) == 1);
}

/* The next byte that the payload says; 0 at the end, -1 if there is none within five seconds. */
static int hear(const struct run *r) {
        struct pollfd p = { .fd = r->events[0], .events = POLLIN };
        unsigned char byte;

        if (poll(&p, 1, 5000) <= 0)
                return -1;
        return read(r->events[0], &byte, 1) == 1 ? byte : 0;
}

/* Starts a PID namespace whose first process splits. PID 1 of a namespace that calls reboot(2) only ends itself. */
static void start(struct run *r, void (*payload)(struct run *)) {
        struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
        struct error e = { 0 };

        need_root();
        r->payload = payload;
        assert_int_equal(pipe2(r->events, O_CLOEXEC), 0);
        fflush(NULL);
        r->stub = sys_clone_any(&args);
        if (r->stub == 0) {
                CHECK(getpid() == 1);
                CHECK(stub_split(&e) == 0);
                alarm(20);
                CHECK(getpid() == 2);
                payload(r);
                _exit(0);
        }
        assert_true(r->stub > 0);
        close(r->events[1]);
}

static int finish(struct run *r) {
        int status = wait_for(r->stub);

        close(r->events[0]);
        return status;
}

/* Until the stub has reached its loop: its descriptors are closed just ahead of that. */
static void wait_until_it_listens(const struct run *r) {
        char path[64];

        snprintf(path, sizeof path, "/proc/%d/fd/0", (int) r->stub);
        for (int i = 0; i < 5000 && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; i++)
                usleep(1000);
        usleep(20000);
}

static void exit_with_7(struct run *r) {
        (void) r;
        _exit(7);
}

static void exit_with_0(struct run *r) {
        (void) r;
}

static void die_of_kill(struct run *r) {
        (void) r;
        kill(getpid(), SIGKILL);
}

static void die_of_pipe(struct run *r) {
        (void) r;
        signal(SIGPIPE, SIG_DFL);
        kill(getpid(), SIGPIPE);
}

static void the_payloads_status_is_its_own(void **state) {
        static const struct {
                void (*payload)(struct run *);
                int status;
        } cases[] = { { exit_with_7, 7 }, { exit_with_0, 0 }, { die_of_kill, 137 }, { die_of_pipe, 141 } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct run r = { 0 };
                start(&r, cases[i].payload);
                int status = finish(&r);
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), cases[i].status);
        }
}

static void check_identity(struct run *r) {
        CHECK(getppid() == 1);
        CHECK(getsid(0) == 2 && getpgrp() == 2);
        say(r, 1);
        pause();
}

/* PID 1 holds nothing: no descriptor of the caller stays open for its sake, and it has a name. */
static void the_stub_lets_go(void **state) {
        char path[64], name[32] = "";
        struct run r = { 0 };
        int p[2];

        (void) state;
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        start(&r, check_identity);
        close(p[1]);
        assert_int_equal(hear(&r), 1);
        wait_until_it_listens(&r);
        snprintf(path, sizeof path, "/proc/%d/comm", (int) r.stub);
        _cleanup_close_ int comm = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(read(comm, name, sizeof name - 1) > 0);
        assert_string_equal(name, "spawn-stub\n");
        for (int fd = 0; fd < 64; fd++) {
                snprintf(path, sizeof path, "/proc/%d/fd/%d", (int) r.stub, fd);
                assert_int_equal(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), -1);
        }
        kill(r.stub, SIGKILL);
        /* With PID 1 its namespace is gone, and with that the last writer. */
        assert_int_equal(hear(&r), 0);
        assert_true(WIFSIGNALED(finish(&r)));
        close(p[0]);
}

/* A grandchild whose parent ends becomes PID 1's; it is reaped, not left as a zombie. */
static void orphan(struct run *r) {
        int p[2];
        pid_t grandchild = 0;

        CHECK(pipe(p) == 0);
        pid_t child = fork();
        if (child == 0) {
                pid_t pid = fork();
                if (pid == 0) {
                        while (getppid() != 1)
                                usleep(1000);
                        _exit(3);
                }
                CHECK(write(p[1], &pid, sizeof pid) == sizeof pid);
                _exit(0);
        }
        CHECK(read(p[0], &grandchild, sizeof grandchild) == sizeof grandchild);
        CHECK(waitpid(child, NULL, 0) == child);
        for (int i = 0; i < 5000 && kill(grandchild, 0) == 0; i++)
                usleep(1000);
        CHECK(kill(grandchild, 0) == -1 && errno == ESRCH);
        say(r, 1);
}

static void orphans_are_reaped(void **state) {
        struct run r = { 0 };

        (void) state;
        start(&r, orphan);
        assert_int_equal(hear(&r), 1);
        assert_int_equal(finish(&r), 0);
}

static int events_fd;

static void tell(int sig) {
        unsigned char byte = (unsigned char) sig;

        if (write(events_fd, &byte, 1) != 1)
                _exit(1);
}

/* Says each of the usual signals and goes on. */
static void listen_to_signals(struct run *r) {
        static const int told[] = { SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGINT, SIGWINCH, SIGCONT };

        events_fd = r->events[1];
        for (size_t i = 0; i < ELEMENTSOF(told); i++)
                signal(told[i], tell);
        say(r, 255);
        for (;;)
                pause();
}

static void signals_are_passed_on(void **state) {
        static const int passed[] = { SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
        struct run r = { 0 };

        (void) state;
        start(&r, listen_to_signals);
        assert_int_equal(hear(&r), 255);
        wait_until_it_listens(&r);
        for (size_t i = 0; i < ELEMENTSOF(passed); i++) {
                kill(r.stub, SIGWINCH); /* for nobody */
                kill(r.stub, passed[i]);
                assert_int_equal(hear(&r), passed[i]);
        }
        kill(r.stub, SIGKILL);
        assert_true(WIFSIGNALED(finish(&r)));
}

static void end_on_term(int sig) {
        (void) sig;
        _exit(9);
}

static void end_when_asked(struct run *r) {
        signal(SIGTERM, end_on_term);
        say(r, 1);
        for (;;)
                pause();
}

/* One that has been stopped is woken to end. */
static void stop_then_end(struct run *r) {
        signal(SIGTERM, end_on_term);
        say(r, 1);
        kill(getpid(), SIGSTOP);
        for (;;)
                pause();
}

/* Halting and rebooting: the payload is asked, and PID 1 ends as reboot(2) ends the first process of a namespace. */
static void orderly_signals_end_it(void **state) {
        const struct {
                int sig, ended_by;
        } cases[] = {
                { SIGRTMIN + 3, SIGINT },  { SIGRTMIN + 4, SIGINT },  { SIGRTMIN + 13, SIGINT },
                { SIGRTMIN + 14, SIGINT }, { SIGINT, SIGHUP },        { SIGRTMIN + 5, SIGHUP },
                { SIGRTMIN + 6, SIGHUP },  { SIGRTMIN + 15, SIGHUP }, { SIGRTMIN + 16, SIGHUP },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct run r = { 0 };
                start(&r, i % 2 ? stop_then_end : end_when_asked);
                assert_int_equal(hear(&r), 1);
                wait_until_it_listens(&r);
                kill(r.stub, cases[i].sig);
                int status = finish(&r);
                if (!WIFSIGNALED(status) || WTERMSIG(status) != cases[i].ended_by)
                        fail_msg("case %zu: status %x", i, (unsigned) status);
        }
}

/* Nothing of the namespace outlives its PID 1. */
static void descendants_end_with_it(void **state) {
        struct run r = { 0 };

        (void) state;
        start(&r, check_identity);
        assert_int_equal(hear(&r), 1);
        kill(r.stub, SIGKILL);
        assert_int_equal(hear(&r), 0);
        int status = finish(&r);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_payloads_status_is_its_own),
                cmocka_unit_test(the_stub_lets_go),
                cmocka_unit_test(orphans_are_reaped),
                cmocka_unit_test(signals_are_passed_on),
                cmocka_unit_test(orderly_signals_end_it),
                cmocka_unit_test(descendants_end_with_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
