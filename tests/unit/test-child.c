/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The child half of a launch: what the payload finds itself in, and what is said where it cannot be set up. */
#include "launcher/child.h"

#include <sys/socket.h>

#include "basic/sync.h"
#include "basic/syscalls.h"
#include "tiny.h"

struct run {
        struct tiny *t;
        const char *input;   /* standard input of the payload */
        const char *missing; /* calls that look unimplemented in the child */
        bool abandon;        /* the parent goes away instead of letting the payload go */
        bool dead;           /* the supervisor has ended before the child begins */
        char *output;
        int status;
        struct error error; /* what the child has reported */
};

static pid_t ended_process(int *ret_pidfd) {
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        *ret_pidfd = sys_pidfd_open(pid, 0);
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        return pid;
}

/* Runs the plan of R->t. The caller frees the output. */
static void run(struct run *r) {
        struct launch launch = LAUNCH_NONE;
        struct sync_packet packet;
        pid_t supervisor = 0;

        launch.plan = &r->t->plan;
        if (r->dead)
                supervisor = ended_process(&launch.supervisor_pidfd);
        else
                launch.supervisor_pidfd = sys_pidfd_open(getpid(), 0);
        _cleanup_close_ int input = memfd_create("input", MFD_CLOEXEC);
        if (r->input)
                assert_int_equal(fd_write_all(input, r->input, strlen(r->input)), 0);
        lseek(input, 0, SEEK_SET);
        int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        dup2(input, STDIN_FILENO);
        struct capture c = capture_start(STDOUT_FILENO);
        if (r->missing)
                setenv("SPAWN_TEST_ENOSYS", r->missing, 1);
        int started = launch_start(&launch, &r->t->error);
        unsetenv("SPAWN_TEST_ENOSYS");
        if (started == 0) {
                int prepared = launch_prepare(&launch, &r->t->error);
                int handed = prepared < 0 ? prepared : launch_hand_over(&launch, &r->t->error);
                if (handed < 0 && handed != -EPIPE)
                        fail_msg("%s", r->t->error.text);
        }
        while (started == 0 && sync_receive(launch.sync_fd, &packet) > 0) {
                if (packet.step == SYNC_FAILED)
                        r->error = packet.error;
                else if (r->abandon)
                        shutdown(launch.sync_fd, SHUT_WR);
                else
                        sync_send(launch.sync_fd, SYNC_GO, NULL);
        }
        if (started == 0)
                r->status = wait_for(launch.leader);
        r->output = capture_end(&c);
        dup2(saved, STDIN_FILENO);
        close(saved);
        if (supervisor)
                wait_for(supervisor);
        launch_end(&launch);
        fd_close(launch.supervisor_pidfd);
        assert_int_equal(started, 0);
}

static void assert_run(struct run r, const char *output) {
        run(&r);
        if (r.error.code || r.status != 0 || !text_equal(r.output, output))
                fail_msg("\"%s\"; status %x; output \"%s\", not \"%s\"", r.error.text, (unsigned) r.status, r.output,
                         output);
        free(r.output);
}

/* The payload is not reached, and STATUS is what spawn exits with. */
static void assert_failure(struct run r, int status, const char *says, const char *hint) {
        run(&r);
        if (!WIFEXITED(r.status) || WEXITSTATUS(r.status) != status || !strstr(r.error.text, says) ||
            !strstr(r.error.hint, hint) || *r.output)
                fail_msg("\"%s\" (%s); status %x; output \"%s\"", r.error.text, r.error.hint, (unsigned) r.status,
                         r.output);
        free(r.output);
}

#define PRINTS(output, ...)                                                                                           \
        do {                                                                                                          \
                tiny_plan(t, __VA_ARGS__);                                                                            \
                assert_run((struct run){ .t = t }, output);                                                           \
        } while (0)

static void the_environment_is_made_from_nothing(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        setenv("LEAKED", "yes", 1);
        PRINTS("HOME=/root\nLOGNAME=root\nUSER=root\n", "sh", "-c",
               "env | grep -E '^(HOME|USER|LOGNAME)=' | busybox sort");
        PRINTS("HOME=/x\nUSER=root\n", "-EHOME=/x", "sh", "-c", "env | grep -E '^(HOME|USER)=' | busybox sort");
        PRINTS("0\n", "sh", "-c", "env | grep -cE 'LEAKED|SECRET|SPAWN'; true");
        PRINTS("systemd-nspawn\n", "sh", "-c", "echo $container");
        unsetenv("LEAKED");
}

static void names_and_numbers(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        PRINTS("host.name\n", "--hostname=host.name", "hostname");
        PRINTS("1\n", "sh", "-c", "echo $$");
        PRINTS("2\n", "-a", "sh", "-c", "echo $$");
        PRINTS("1\n", "sh", "-c", "read a b c d e f rest </proc/self/stat; echo $f"); /* a session of its own */
        PRINTS("123\n", "--oom-score-adjust=123", "cat", "/proc/self/oom_score_adj");
        PRINTS("77\n99\n", "--rlimit=NOFILE=77:99", "sh", "-c", "ulimit -n; ulimit -Hn");
        PRINTS("Cpus_allowed_list:\t0\n", "--cpu-affinity=0", "grep", "Cpus_allowed_list", "/proc/self/status");
        PRINTS("NoNewPrivs:\t1\n", "--no-new-privileges=yes", "grep", "NoNewPrivs", "/proc/self/status");
        PRINTS("NoNewPrivs:\t0\n", "grep", "NoNewPrivs", "/proc/self/status");
        PRINTS("CapBnd:\t0000000000000000\n", "--drop-capability=all", "grep", "CapBnd", "/proc/self/status");
}

static void users_come_from_the_tree(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        put_text(t->fd, "etc/passwd", "root:x:0:0::/root:/bin/sh\nu:x:1234:1235::/tmp:/bin/sh\n");
        put_text(t->fd, "etc/group", "more:x:77:u\n");
        PRINTS("1234\n1235\n", "--user=u", "sh", "-c", "id -u; id -g");
        PRINTS("/tmp u u\n", "--user=u", "sh", "-c", "echo $HOME $USER $LOGNAME");
        PRINTS("4321\n", "--user=4321", "id", "-u");
        tiny_plan(t, "--user=gone", "true");
        assert_failure((struct run){ .t = t }, 125, "gone", "");
        tiny_plan(t, "--user=u");
        assert_run((struct run){ .t = t, .input = "pwd\n" }, "/tmp\n"); /* a shell starts at home */
}

static void working_directories(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        PRINTS("/\n", "pwd");
        PRINTS("/tmp\n", "--chdir=/tmp", "sh", "-c", "pwd");
        tiny_plan(t, "--chdir=/gone", "true");
        assert_failure((struct run){ .t = t }, 125, "cannot enter the working directory /gone",
                       "inside the container");
        tiny_plan(t, "--chdir=/bin/busybox", "true");
        assert_failure((struct run){ .t = t }, 125, "/bin/busybox of the container: Not a directory", "");
        /* A link of the image that would lead through one of our own descriptors to the host. */
        for (int fd = 3; fd < 12; fd++) {
                char target[32];
                snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
                unlinkat(t->fd, "work", 0);
                assert_int_equal(symlinkat(target, t->fd, "work"), 0);
                tiny_plan(t, "--chdir=/work", "true");
                assert_failure((struct run){ .t = t }, 125, "cannot enter the working directory /work", "");
        }
        tiny_plan_words(t, (const char *const[]){ NULL });
        assert_run((struct run){ .t = t, .input = "pwd\n" }, "/root\n");
        assert_int_equal(unlinkat(t->fd, "root", AT_REMOVEDIR), 0);
        tiny_plan_words(t, (const char *const[]){ NULL });
        assert_run((struct run){ .t = t, .input = "pwd\n" }, "/\n");
}

static void signals_start_afresh(void **state) {
        struct tiny *t = *state;
        sigset_t set, before;

        tiny_need(t);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, &before);
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        tiny_plan(t, "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status");
        struct run r = { .t = t };
        run(&r);
        sigprocmask(SIG_SETMASK, &before, NULL);
        signal(SIGHUP, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        assert_string_equal(r.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
        free(r.output);
}

/* Whatever the caller has left open, with close_range(2) and without. 3 is the listing's own. */
static void no_descriptor_leaks(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        assert_int_equal(fcntl(STDERR_FILENO, F_DUPFD, 50), 50);
        PRINTS("0\n1\n2\n3\n", "ls", "/proc/self/fd");
        assert_run((struct run){ .t = t, .missing = "close_range" }, "0\n1\n2\n3\n");
        close(50);
}

/* A stream that was closed when spawn was started is closed in the payload. */
static void closed_streams_stay_closed(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "sh", "-c", "for i in 0 1 2; do test -e /proc/$$/fd/$i && echo $i; done; true");
        assert_run((struct run){ .t = t }, "0\n1\n2\n");
        t->probe.host.stream_was_closed = 1;
        assert_run((struct run){ .t = t }, "1\n2\n");
}

static void the_tree_is_all_there_is(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        PRINTS("bin\ndev\netc\nproc\nroot\nrun\nsys\ntmp\n", "ls", "/");
        PRINTS("tree\n", "--read-only", "sh", "-c", "touch /new 2>/dev/null || echo tree");
        assert_int_equal(faccessat(t->fd, "new", F_OK, 0), -1);
        PRINTS("1\n", "--private-network", "sh", "-c", "busybox ifconfig lo | grep -cw UP");
        PRINTS("lo\n", "--private-network", "ls", "/sys/class/net");
}

static void add_write(struct tiny *t, enum write_kind kind, const char *target, const char *content) {
        t->plan.writes[t->plan.n_writes++] = (struct file_write){
                .kind = kind, .target = target, .content = content ? strdup(content) : NULL, .origin = "test"
        };
}

static void files_are_written(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        put_text(t->fd, "etc/over", "a longer old text\n");
        put_text(t->fd, "etc/gone", "x");
        assert_int_equal(symlinkat("/etc/over", t->fd, "etc/link"), 0);
        tiny_plan(t, "--resolv-conf=off", "--timezone=off", "sh", "-c",
                  "cat /etc/over /etc/link /run/deep/file; readlink /etc/symlink; ls /etc");
        add_write(t, WRITE_COPY, "/etc/over", "over\n");
        add_write(t, WRITE_REPLACE, "/etc/link", "replaced\n");
        add_write(t, WRITE_SYMLINK, "/etc/symlink", "target");
        add_write(t, WRITE_COPY, "/run/deep/file", "in run\n");
        t->plan.writes[3].in_run = true;
        assert_run((struct run){ .t = t }, "over\nreplaced\nin run\ntarget\ngone\nlink\nover\nsymlink\n");
        assert_int_equal(faccessat(t->fd, "run/deep", F_OK, 0), -1); /* that is not the image's /run */
}

/* The payload can do without: a warning, and it runs. */
static void files_that_cannot_be_written(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "--resolv-conf=off", "--timezone=off", "echo", "runs");
        add_write(t, WRITE_COPY, "/etc", "x");
        add_write(t, WRITE_DELETE, "/etc/none", NULL); /* as it is to be */
        add_write(t, WRITE_DELETE, "/tmp", NULL);
        struct capture c = capture_start(STDERR_FILENO);
        struct run r = { .t = t };
        run(&r);
        _cleanup_free_ char *text = capture_end(&c);
        assert_string_equal(r.output, "runs\n");
        assert_string_equal(text, "spawn: cannot write /etc in the root: Is a directory\n"
                                  "spawn: cannot delete /tmp in the root: Is a directory\n");
        free(r.output);
}

static void without_a_supervisor_nothing_runs(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        tiny_plan(t, "echo", "no");
        assert_failure((struct run){ .t = t, .dead = true }, 125, "", "");
        assert_failure((struct run){ .t = t, .abandon = true }, 125, "spawn has gone", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TINY_TEST(the_environment_is_made_from_nothing),
                TINY_TEST(names_and_numbers),
                TINY_TEST(users_come_from_the_tree),
                TINY_TEST(working_directories),
                TINY_TEST(signals_start_afresh),
                TINY_TEST(no_descriptor_leaks),
                TINY_TEST(closed_streams_stay_closed),
                TINY_TEST(the_tree_is_all_there_is),
                TINY_TEST(files_are_written),
                TINY_TEST(files_that_cannot_be_written),
                TINY_TEST(without_a_supervisor_nothing_runs),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
