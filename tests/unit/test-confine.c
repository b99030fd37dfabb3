/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What processes of the container are held to, step by step. */
#include "launcher/confine.h"

#include <signal.h>
#include <sys/stat.h>

#include "made.h"

static void signals(void *userdata) {
        struct sigaction action;
        sigset_t set;

        (void) userdata;
        signal(SIGHUP, SIG_IGN);
        signal(SIGRTMAX, SIG_IGN);
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        confine_signals();
        CHECK(sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
        CHECK(sigaction(SIGRTMAX, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
        CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigisemptyset(&set));
}

static void signals_have_their_defaults(void **state) {
        (void) state;
        assert_int_equal(run_child(signals, NULL), 0);
}

static void descriptors(void *userdata) {
        struct error e = { 0 };

        (void) userdata;
        for (int fd = 3; fd <= 8; fd++)
                CHECK(dup2(2, fd) == fd);
        CHECK(dup2(2, 300) == 300);
        CHECK(confine_descriptors(8, &e) == 0);
        CHECK(!(fcntl(7, F_GETFD) & FD_CLOEXEC));
        CHECK(fcntl(8, F_GETFD) & FD_CLOEXEC);
        CHECK(fcntl(300, F_GETFD) & FD_CLOEXEC);
}

static void the_rest_closes_at_the_exec(void **state) {
        (void) state;
        assert_int_equal(run_child(descriptors, NULL), 0);
}

static void directories(void *userdata) {
        const char *top = userdata;
        struct stat here, there;
        int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

        CHECK(confine_directory(root, "/a/b") == 0);
        CHECK(stat(".", &here) == 0 && fstatat(root, "a/b", &there, 0) == 0 && here.st_ino == there.st_ino);
        CHECK(confine_directory(root, "/up") == 0); /* a link that leads above the root ends at it */
        CHECK(stat(".", &here) == 0 && fstat(root, &there) == 0 && here.st_ino == there.st_ino);
        CHECK(confine_directory(root, "/file") == -ENOTDIR);
        CHECK(confine_directory(root, "/none") == -ENOENT);
        CHECK(confine_directory(root, "/magic") < 0);
}

static void directories_are_the_roots(void **state) {
        char top[] = "/tmp/test-confine-XXXXXX";

        (void) state;
        assert_non_null(mkdtemp(top));
        _cleanup_close_ int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(fd, "a", 0755) | mkdirat(fd, "a/b", 0755), 0);
        assert_int_equal(symlinkat("../../../..", fd, "up"), 0);
        assert_int_equal(symlinkat("/proc/self/cwd", fd, "magic"), 0);
        put_text(fd, "file", "x");
        int status = run_child(directories, top);
        remove_tree_at(top);
        assert_int_equal(status, 0);
}

static void the_environment_of_a_user(void **state) {
        struct user user = { .name = (char *) "alice", .home = (char *) "/home/alice" };
        struct strv env = { 0 };
        struct error e = { 0 };
        struct made *m = *state;

        strv_add(&m->spec.environment, "USER=other");
        made_plan(m);
        assert_int_equal(confine_environment(&m->plan, &user, &env, &e), 0);
        assert_string_equal(strv_getenv(&env, "HOME"), "/home/alice");
        assert_string_equal(strv_getenv(&env, "LOGNAME"), "alice");
        assert_string_equal(strv_getenv(&env, "USER"), "other"); /* what is asked for wins */
        assert_non_null(strv_getenv(&env, "container_uuid"));
        strv_free(&env);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(signals_have_their_defaults),
                cmocka_unit_test(the_rest_closes_at_the_exec),
                cmocka_unit_test(directories_are_the_roots),
                MADE_TEST(the_environment_of_a_user),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
