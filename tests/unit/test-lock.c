/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock on a root, between processes. */
#include "launcher/lock.h"

#include <sys/file.h>

#include "basic/log.h"
#include "basic/text.h"
#include "helpers.h"

struct fixture {
        char path[32];
        struct root_probe root; /* ours */
};

static int open_as_root(const char *path, struct root_probe *ret) {
        struct stat st;

        *ret = (struct root_probe){ .fd = -EBADF, .path = (char *) path };
        ret->lock_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (ret->lock_fd < 0 || fstat(ret->lock_fd, &st) < 0)
                return -errno;
        ret->device = st.st_dev;
        ret->inode = st.st_ino;
        return 0;
}

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-lock-XXXXXX");
        if (!mkdtemp(f->path) || open_as_root(f->path, &f->root) < 0)
                return -1;
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;
        int r;

        fd_close(f->root.lock_fd);
        r = rmdir(f->path); /* nothing was made in the root: no lock file */
        free(f);
        return r;
}

struct holder {
        struct fixture *f;
        bool shared;
        int ready;
};

/* Takes the lock by a description of its own and holds it until it is killed. */
static void hold(void *userdata) {
        struct holder *h = userdata;
        struct root_probe root;
        struct error e = { 0 };

        CHECK(open_as_root(h->f->path, &root) == 0);
        CHECK(lock_root(&root, h->shared, &e) == 0);
        CHECK(write(h->ready, "r", 1) == 1);
        pause();
}

static pid_t start_holder(struct fixture *f, bool shared, void (*body)(void *)) {
        struct holder h = { .f = f, .shared = shared };
        char byte;
        int p[2];

        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        h.ready = p[1];
        pid_t pid = start_child(body, &h);
        close(p[1]);
        ssize_t n = read(p[0], &byte, 1);
        close(p[0]);
        assert_int_equal(n, 1);
        return pid;
}

static void end(pid_t pid) {
        kill(pid, SIGKILL);
        wait_for(pid);
}

static void one_owner(void **state) {
        struct fixture *f = *state;
        struct error e = { 0 };
        char who[64];

        pid_t pid = start_holder(f, false, hold);
        snprintf(who, sizeof who, "process %d", (int) pid);
        assert_int_equal(lock_root(&f->root, false, &e), -EBUSY);
        assert_non_null(strstr(e.text, f->path));
        assert_non_null(strstr(e.text, "in use by"));
        assert_non_null(strstr(e.text, who));
        assert_non_null(strstr(e.hint, "--read-only"));
        assert_int_equal(lock_root(&f->root, true, &e), -EBUSY);
        end(pid);
        /* No clean-up of the holder was run, and nothing waits for anybody. */
        assert_int_equal(lock_root(&f->root, false, &e), 0);
}

static void readers_share(void **state) {
        struct fixture *f = *state;
        struct error e = { 0 };

        pid_t one = start_holder(f, true, hold), two = start_holder(f, true, hold);
        assert_int_equal(lock_root(&f->root, true, &e), 0);
        assert_int_equal(flock(f->root.lock_fd, LOCK_UN), 0);
        assert_int_equal(lock_root(&f->root, false, &e), -EBUSY);
        end(one);
        assert_int_equal(lock_root(&f->root, false, &e), -EBUSY);
        end(two);
        assert_int_equal(lock_root(&f->root, false, &e), 0);
}

/* What a holder's words are, as /proc/PID/cmdline shows them, decides on the machine that is named. */
static void exec_and_hold(void *userdata) {
        struct holder *h = userdata;
        struct root_probe root;

        CHECK(open_as_root(h->f->path, &root) == 0);
        CHECK(flock(root.lock_fd, LOCK_EX) == 0);
        fcntl(root.lock_fd, F_SETFD, 0);
        dup2(h->ready, STDIN_FILENO);
        char *words[] = { (char *) "spawn", (char *) "--directory",
                          h->f->path,       (char *) "--machine=holder.1",
                          (char *) "sleep", NULL };
        execv("/proc/self/exe", words);
        _exit(1);
}

static void the_machine_is_named(void **state) {
        struct fixture *f = *state;
        struct error e = { 0 };
        char who[96];

        pid_t pid = start_holder(f, false, exec_and_hold);
        snprintf(who, sizeof who, "in use by the machine holder.1 (process %d)", (int) pid);
        assert_int_equal(lock_root(&f->root, false, &e), -EBUSY);
        if (!strstr(e.text, who))
                fail_msg("%s", e.text);
        end(pid);
}

/* Someone has the directory open, someone else holds a lock on another: neither is the holder. */
static void bystanders_are_not_named(void **state) {
        struct fixture *f = *state;
        struct fixture *other = NULL;
        struct error e = { 0 };
        char who[64];

        assert_int_equal(set_up((void **) &other), 0);
        pid_t bystander = start_holder(other, false, hold); /* inherits our own descriptor of F's directory */
        pid_t pid = start_holder(f, false, hold);
        snprintf(who, sizeof who, "process %d", (int) pid);
        assert_int_equal(lock_root(&f->root, false, &e), -EBUSY);
        assert_non_null(strstr(e.text, who));
        end(bystander);
        end(pid);
        assert_int_equal(tear_down((void **) &other), 0);
}

/* A lock is a service: without it the container starts. */
static void what_cannot_be_locked_is_used_unlocked(void **state) {
        struct fixture *f = *state;
        struct root_probe root = f->root;
        struct error e = { 0 };

        root.lock_fd = -EBADF;
        assert_int_equal(lock_root(&root, false, &e), 0);
        assert_int_equal(e.code, 0);
        log_set_level(LOG_DEBUG);
        struct capture c = capture_start(STDERR_FILENO);
        assert_int_equal(lock_root(&root, false, &e), 0);
        _cleanup_free_ char *text = capture_end(&c);
        log_set_level(LOG_INFO);
        assert_non_null(strstr(text, "cannot lock"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                TEST(one_owner),
                TEST(readers_share),
                TEST(the_machine_is_named),
                TEST(bystanders_are_not_named),
                TEST(what_cannot_be_locked_is_used_unlocked),
        };
        if (argc > 1 && text_equal(argv[0], "spawn")) { /* see exec_and_hold() */
                alarm(30);
                return write(STDIN_FILENO, "r", 1) == 1 ? pause() : 1;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
