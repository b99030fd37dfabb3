/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a container is asked to end: leaders of all dispositions, and a clock that is only ever told. */
#include "launcher/stop.h"

#include <poll.h>
#include <sys/signalfd.h>

#include "basic/log.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "helpers.h"

#define NOW UINT64_C(1000000000)

/* What a leader does with signals. */
struct disposition {
        int handled[3], blocked, ignored;
        int later; /* handled only after SIGUSR2 came, ignored until then */
};

struct fixture {
        struct spec spec;
        struct probe probe;
        struct plan plan;
        struct launch launch;
        struct stop stop;
        const struct disposition *disposition;
        int events[2]; /* the leader writes the number of each signal that it takes */
};

static int events_fd;
static int later_signal;

static void take(int sig) {
        unsigned char byte = (unsigned char) sig;

        if (write(events_fd, &byte, 1) != 1)
                _exit(1);
        if (sig == SIGUSR2 && later_signal)
                signal(later_signal, take);
}

/* By signalfd(2), as systemd does: in sigwaitinfo(2) the kernel shows what is waited for as not blocked. */
static void take_from(int fd) {
        struct signalfd_siginfo info;

        if (read(fd, &info, sizeof info) != sizeof info)
                _exit(1);
        take((int) info.ssi_signo);
}

static void lead(void *userdata) {
        struct fixture *f = userdata;
        const struct disposition *d = f->disposition;
        sigset_t set, none;

        events_fd = f->events[1];
        later_signal = d->later;
        sigemptyset(&set);
        sigemptyset(&none);
        if (d->blocked)
                sigaddset(&set, d->blocked);
        sigprocmask(SIG_SETMASK, &set, NULL);
        for (size_t i = 0; i < ELEMENTSOF(d->handled); i++)
                if (d->handled[i])
                        signal(d->handled[i], take);
        if (d->ignored)
                signal(d->ignored, SIG_IGN);
        if (d->later) {
                signal(d->later, SIG_IGN);
                signal(SIGUSR2, take);
        }
        int fd = signalfd(-1, &set, SFD_CLOEXEC);
        take(0); /* ready */
        for (;;)
                if (d->blocked)
                        take_from(fd);
                else
                        sigsuspend(&none);
}

/* The next signal that the leader has taken; -1 if none comes within MSEC. */
static int taken(const struct fixture *f, int msec) {
        struct pollfd p = { .fd = f->events[0], .events = POLLIN };
        unsigned char byte;

        return poll(&p, 1, msec) > 0 && read(f->events[0], &byte, 1) == 1 ? byte : -1;
}

static void start_leader(struct fixture *f, const struct disposition *d) {
        f->disposition = d;
        f->stop = (struct stop){ 0 };
        assert_int_equal(pipe2(f->events, O_CLOEXEC), 0);
        f->launch.leader = start_child(lead, f);
        f->launch.leader_pidfd = sys_pidfd_open(f->launch.leader, 0);
        assert_true(f->launch.leader_pidfd >= 0);
        assert_int_equal(taken(f, 5000), 0);
}

static bool has_ended(const struct fixture *f, int msec) {
        struct pollfd p = { .fd = f->launch.leader_pidfd, .events = POLLIN };

        return poll(&p, 1, msec) > 0;
}

static void forget_leader(struct fixture *f) {
        f->launch.leader = 0;
        f->launch.leader_pidfd = fd_close(f->launch.leader_pidfd);
        close(f->events[0]);
        close(f->events[1]);
}

static void end_leader(struct fixture *f) {
        if (f->launch.leader <= 0)
                return;
        kill(f->launch.leader, SIGKILL);
        wait_for(f->launch.leader);
        forget_leader(f);
}

/* Has the leader been killed by SIG? It is reaped. */
static bool ended_by(struct fixture *f, int sig) {
        siginfo_t info = { 0 };

        if (!has_ended(f, 5000))
                return false;
        assert_int_equal(waitid(P_PID, (id_t) f->launch.leader, &info, WEXITED | WNOWAIT), 0);
        return info.si_code == CLD_KILLED && info.si_status == sig;
}

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        spec_init(&f->spec);
        f->spec.start = START_COMMAND;
        f->plan = (struct plan){ .spec = &f->spec,
                                 .probe = &f->probe,
                                 .machine = (char *) "m",
                                 .init = init_unknown(),
                                 .stop_timeout_usec = 90000000 };
        f->launch = LAUNCH_NONE;
        f->launch.plan = &f->plan;
        log_set_level(LOG_ERROR);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        log_set_level(LOG_INFO);
        end_leader(f);
        spec_free(&f->spec);
        free(f);
        return 0;
}

/* By what the leader can be seen to take: handlers, and what it waits for with the signal blocked. */
static void payloads_get_what_they_take(void **state) {
        const int poweroff = SIGRTMIN + 3;
        const struct {
                enum start_mode start;
                struct disposition disposition;
                int asked, gets; /* 0: killed at once */
        } cases[] = {
                { START_COMMAND, { .handled = { SIGTERM } }, SIGTERM, SIGTERM },
                { START_COMMAND, { .handled = { SIGTERM, SIGINT } }, SIGINT, SIGINT },
                { START_COMMAND, { .handled = { SIGTERM } }, SIGHUP, SIGTERM },
                { START_COMMAND, { .handled = { SIGHUP } }, SIGTERM, 0 },
                { START_COMMAND, { .handled = { poweroff } }, SIGTERM, 0 },
                { START_COMMAND, { .blocked = SIGTERM }, SIGQUIT, SIGTERM },
                { START_COMMAND, { .ignored = SIGTERM }, SIGTERM, 0 },
                { START_COMMAND, { .handled = { 0 } }, SIGTERM, 0 },
                { START_SHELL, { .handled = { SIGINT } }, SIGINT, SIGINT },
                { START_BOOT, { .handled = { poweroff, SIGTERM } }, SIGTERM, poweroff },
                { START_BOOT, { .blocked = poweroff }, SIGTERM, poweroff },
                { START_BOOT, { .handled = { SIGTERM } }, SIGINT, SIGTERM },
                { START_BOOT, { .handled = { SIGUSR1 } }, SIGINT, 0 },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                f->spec.start = cases[i].start;
                start_leader(f, &cases[i].disposition);
                stop_request(&f->stop, &f->launch, cases[i].asked, NOW);
                if (cases[i].gets) {
                        int got = taken(f, 5000);
                        if (got != cases[i].gets || f->stop.phase != STOP_ASKED || has_ended(f, 0))
                                fail_msg("case %zu: got %d, phase %d", i, got, (int) f->stop.phase);
                        assert_int_equal(stop_next(&f->stop), NOW + 90000000);
                } else {
                        if (f->stop.phase != STOP_KILLED || !ended_by(f, SIGKILL))
                                fail_msg("case %zu: phase %d", i, (int) f->stop.phase);
                        assert_int_equal(taken(f, 0), -1);
                        assert_int_equal(stop_next(&f->stop), 0);
                }
                end_leader(f);
        }
}

/* The stub of --as-pid2 waits with all signals blocked and passes SIGTERM on. */
static void our_own_stub_gets_sigterm(void **state) {
        const struct disposition d = { .handled = { SIGINT } };
        struct fixture *f = *state;

        f->spec.as_pid2 = true;
        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGINT, NOW);
        assert_int_equal(f->stop.phase, STOP_ASKED);
        assert_true(ended_by(f, SIGTERM));
}

static void the_second_request_kills(void **state) {
        const struct disposition d = { .handled = { SIGTERM, SIGINT } };
        struct fixture *f = *state;

        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        assert_int_equal(taken(f, 5000), SIGTERM);
        assert_false(has_ended(f, 50));
        stop_request(&f->stop, &f->launch, SIGINT, NOW + 1);
        assert_int_equal(f->stop.phase, STOP_KILLED);
        assert_true(ended_by(f, SIGKILL));
        assert_int_equal(taken(f, 0), -1);
        stop_request(&f->stop, &f->launch, SIGINT, NOW + 2); /* a third is harmless */
        stop_tick(&f->stop, &f->launch, UINT64_MAX);
        assert_int_equal(f->stop.phase, STOP_KILLED);
}

static void the_deadline_kills(void **state) {
        const struct disposition d = { .handled = { SIGTERM } };
        struct fixture *f = *state;

        start_leader(f, &d);
        stop_tick(&f->stop, &f->launch, UINT64_MAX);
        assert_int_equal(f->stop.phase, STOP_NOT_ASKED);
        assert_int_equal(stop_next(&f->stop), 0);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        assert_int_equal(taken(f, 5000), SIGTERM);
        stop_tick(&f->stop, &f->launch, NOW + 90000000 - 1);
        assert_int_equal(f->stop.phase, STOP_ASKED);
        assert_false(has_ended(f, 50));
        assert_int_equal(taken(f, 0), -1); /* asked once */
        stop_tick(&f->stop, &f->launch, NOW + 90000000);
        assert_int_equal(f->stop.phase, STOP_KILLED);
        assert_true(ended_by(f, SIGKILL));
}

static void without_a_timeout_there_is_no_deadline(void **state) {
        const struct disposition d = { .handled = { SIGTERM } };
        struct fixture *f = *state;

        f->plan.stop_timeout_usec = 0;
        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        assert_int_equal(stop_next(&f->stop), 0);
        stop_tick(&f->stop, &f->launch, UINT64_MAX);
        assert_int_equal(f->stop.phase, STOP_ASKED);
        assert_false(has_ended(f, 50));
}

/* An init that is not ready yet: asked again every half second until it can be seen to take the signal. */
static void an_init_that_starts_is_asked_again(void **state) {
        const struct disposition d = { .later = SIGUSR1 };
        struct fixture *f = *state;

        f->plan.kill_signal = SIGUSR1;
        f->spec.start = START_BOOT;
        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        assert_int_equal(f->stop.phase, STOP_TO_ASK);
        assert_int_equal(stop_next(&f->stop), NOW + STOP_RETRY_USEC);
        stop_tick(&f->stop, &f->launch, NOW + STOP_RETRY_USEC - 1);
        assert_int_equal(stop_next(&f->stop), NOW + STOP_RETRY_USEC);
        stop_tick(&f->stop, &f->launch, NOW + STOP_RETRY_USEC);
        assert_int_equal(f->stop.phase, STOP_TO_ASK);
        assert_int_equal(stop_next(&f->stop), NOW + 2 * STOP_RETRY_USEC);
        assert_int_equal(taken(f, 0), -1);
        assert_int_equal(kill(f->launch.leader, SIGUSR2), 0); /* now it has its handler */
        assert_int_equal(taken(f, 5000), SIGUSR2);
        usleep(20000);
        stop_tick(&f->stop, &f->launch, NOW + 2 * STOP_RETRY_USEC);
        assert_int_equal(f->stop.phase, STOP_ASKED);
        assert_int_equal(taken(f, 5000), SIGUSR1);
        assert_int_equal(stop_next(&f->stop), NOW + 90000000);
}

static void the_deadline_comes_before_a_later_retry(void **state) {
        const struct disposition d = { .ignored = SIGUSR1 };
        struct fixture *f = *state;

        f->plan.kill_signal = SIGUSR1;
        f->plan.stop_timeout_usec = STOP_RETRY_USEC + 10;
        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        assert_int_equal(stop_next(&f->stop), NOW + STOP_RETRY_USEC);
        stop_tick(&f->stop, &f->launch, NOW + STOP_RETRY_USEC);
        assert_int_equal(stop_next(&f->stop), NOW + STOP_RETRY_USEC + 10);
        stop_tick(&f->stop, &f->launch, NOW + STOP_RETRY_USEC + 10);
        assert_int_equal(f->stop.phase, STOP_KILLED);
        assert_true(ended_by(f, SIGKILL));
}

/* Each kind of init that is asked by a signal, and --kill-signal before all of them. */
static void inits_are_asked_in_their_way(void **state) {
        static const char *const inits[] = { "systemd", "openrc-init", "busybox", "dinit", "s6-svscan" };
        struct fixture *f = *state;

        f->spec.start = START_BOOT;
        for (size_t i = 0; i < ELEMENTSOF(inits); i++) {
                f->plan.init = init_identify(inits[i], NULL, 0);
                if (f->plan.init->method != STOP_SIGNAL)
                        continue;
                const int sig = init_signal(f->plan.init);
                const struct disposition d = { .handled = { sig, SIGTERM } };
                f->plan.kill_signal = 0;
                start_leader(f, &d);
                stop_request(&f->stop, &f->launch, SIGINT, NOW);
                assert_int_equal(taken(f, 5000), sig);
                end_leader(f);

                const struct disposition chosen = { .handled = { sig, SIGUSR1 } };
                f->plan.kill_signal = SIGUSR1;
                start_leader(f, &chosen);
                stop_request(&f->stop, &f->launch, SIGINT, NOW);
                assert_int_equal(taken(f, 5000), SIGUSR1);
                assert_int_equal(taken(f, 0), -1);
                end_leader(f);
        }
        assert_int_equal(init_identify("systemd", NULL, 0)->method, STOP_SIGNAL);
}

/* The request waits for a sysvinit that has its FIFO open; what is no FIFO is not written to. */
static void sysvinit_is_asked_through_its_fifo(void **state) {
        const struct disposition d = { .ignored = SIGTERM };
        const struct init_kind kind = { .name = "sysvinit", .method = STOP_INITCTL };
        char dir[] = "/tmp/test-stop-XXXXXX", record[1024];
        struct fixture *f = *state;

        assert_non_null(mkdtemp(dir));
        f->plan.init = &kind;
        f->launch.run_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        assert_int_equal(f->stop.phase, STOP_TO_ASK); /* there is none */
        put_text(f->launch.run_fd, "initctl", "");
        stop_tick(&f->stop, &f->launch, NOW + STOP_RETRY_USEC);
        assert_int_equal(f->stop.phase, STOP_TO_ASK); /* a file */
        assert_int_equal(unlinkat(f->launch.run_fd, "initctl", 0), 0);
        assert_int_equal(mkfifoat(f->launch.run_fd, "initctl", 0600), 0);
        stop_tick(&f->stop, &f->launch, NOW + 2 * STOP_RETRY_USEC);
        assert_int_equal(f->stop.phase, STOP_TO_ASK); /* nobody reads */
        int reader = openat(f->launch.run_fd, "initctl", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        stop_tick(&f->stop, &f->launch, NOW + 3 * STOP_RETRY_USEC);
        assert_int_equal(f->stop.phase, STOP_ASKED);
        assert_int_equal(read(reader, record, sizeof record), 384);
        stop_tick(&f->stop, &f->launch, NOW + 4 * STOP_RETRY_USEC);
        assert_int_equal(read(reader, record, sizeof record), 0); /* asked once */
        assert_false(has_ended(f, 0));
        close(reader);
        f->launch.run_fd = fd_close(f->launch.run_fd);
        remove_tree_at(dir);
}

/* The leader may end at any time: asking or killing what has ended is harmless, and no complaint. */
static void the_dead_are_left_in_peace(void **state) {
        const struct disposition d = { .handled = { SIGTERM } };
        struct fixture *f = *state;

        start_leader(f, &d);
        kill(f->launch.leader, SIGKILL);
        assert_true(has_ended(f, 5000));
        log_set_level(LOG_WARNING);
        struct capture c = capture_start(STDERR_FILENO);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW); /* not reaped yet */
        stop_kill(&f->stop, &f->launch);
        wait_for(f->launch.leader);
        stop_kill(&f->stop, &f->launch);
        f->stop = (struct stop){ 0 };
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        _cleanup_free_ char *text = capture_end(&c);
        assert_string_equal(text, "");
        assert_int_equal(f->stop.phase, STOP_KILLED);
        forget_leader(f);
}

/* A sandbox whose filter denies pidfd_send_signal(2). */
static void signals_go_by_number_too(void **state) {
        const struct disposition d = { .handled = { SIGTERM } };
        struct fixture *f = *state;

        setenv("SPAWN_TEST_ENOSYS", "pidfd_send_signal", 1);
        start_leader(f, &d);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        bool asked = taken(f, 5000) == SIGTERM;
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        unsetenv("SPAWN_TEST_ENOSYS");
        assert_true(asked);
        assert_true(ended_by(f, SIGKILL));
}

static void what_is_done_is_told(void **state) {
        const struct disposition d = { .handled = { SIGTERM } };
        struct fixture *f = *state;

        log_set_level(LOG_INFO);
        start_leader(f, &d);
        struct capture c = capture_start(STDERR_FILENO);
        stop_request(&f->stop, &f->launch, SIGTERM, NOW);
        stop_tick(&f->stop, &f->launch, UINT64_MAX);
        _cleanup_free_ char *text = capture_end(&c);
        assert_string_equal(text, "spawn: asked m to end with SIGTERM; the same again kills it\n"
                                  "spawn: m has not ended in time and is killed\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(payloads_get_what_they_take),
                TEST(our_own_stub_gets_sigterm),
                TEST(the_second_request_kills),
                TEST(the_deadline_kills),
                TEST(without_a_timeout_there_is_no_deadline),
                TEST(an_init_that_starts_is_asked_again),
                TEST(the_deadline_comes_before_a_later_retry),
                TEST(inits_are_asked_in_their_way),
                TEST(sysvinit_is_asked_through_its_fifo),
                TEST(the_dead_are_left_in_peace),
                TEST(signals_go_by_number_too),
                TEST(what_is_done_is_told),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
