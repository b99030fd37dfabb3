/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of files and trees; what machines have to do with it is tested by whole programs. */
#include <dirent.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "helpers.h"
#include "tools/copy.h"

struct fixture {
        char path[64];
        int top;
        struct error error;
        struct copy_options options;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        strcpy(f->path, "/tmp/test-copy-XXXXXX");
        f->options.signal_fd = -EBADF;
        f->top = mkdtemp(f->path) ? open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        *state = f;
        return f->top < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
        (void) st, (void) flag, (void) ftw;
        return remove(path);
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        close(f->top);
        nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(f);
        return 0;
}

static void put(const struct fixture *f, const char *name, const char *text) {
        _cleanup_close_ int fd = openat(f->top, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void expect(const struct fixture *f, const char *name, const char *text) {
        _cleanup_close_ int fd = openat(f->top, name, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *found = NULL;

        assert_true(fd >= 0);
        assert_int_equal(fd_read_file(fd, 100000, &found, NULL), 0);
        assert_string_equal(found, text);
}

/* How many entries there are: what is unfinished must not stay. */
static int count(const struct fixture *f) {
        _cleanup_close_ int fd = openat(f->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char buffer[4096];
        int n = 0;

        for (ssize_t size; (size = getdents64(fd, buffer, sizeof buffer)) > 0;)
                for (char *p = buffer; p < buffer + size; p += ((struct dirent64 *) (void *) p)->d_reclen)
                        n++;
        return n - 2;
}

static int copy(struct fixture *f, const char *from, const char *to) {
        f->error = (struct error){ 0 };
        return copy_tree(f->top, from, f->top, to, &f->options, &f->error);
}

static void files(void **state) {
        struct fixture *f = *state;
        struct stat a, b;

        put(f, "a", "content");
        assert_int_equal(fchmodat(f->top, "a", 02751, 0), 0);
        assert_int_equal(copy(f, "a", "b"), 0);
        expect(f, "b", "content");
        assert_int_equal(fstatat(f->top, "a", &a, 0), 0);
        assert_int_equal(fstatat(f->top, "b", &b, 0), 0);
        assert_int_equal(b.st_mode, a.st_mode);
        assert_int_equal(b.st_mtim.tv_nsec, a.st_mtim.tv_nsec);
        f->options.strips_rights = true;
        assert_int_equal(copy(f, "a", "c"), 0);
        assert_int_equal(fstatat(f->top, "c", &b, 0), 0);
        assert_int_equal(b.st_mode & 07777, 0751);
        assert_int_equal(count(f), 3);
}

static void what_is_there(void **state) {
        struct fixture *f = *state;

        put(f, "a", "new");
        put(f, "b", "old");
        assert_int_equal(mkdirat(f->top, "d", 0755), 0);
        assert_int_equal(symlinkat("b", f->top, "link"), 0);
        assert_int_equal(copy(f, "a", "b"), -EEXIST);
        assert_string_equal(f->error.text, "b is there already");
        expect(f, "b", "old");
        assert_int_equal(copy(f, "a", "link"), -EEXIST);
        f->options.replaces = true;
        assert_int_equal(copy(f, "a", "d"), -EEXIST);
        assert_int_equal(copy(f, "d", "a"), -EEXIST); /* by rename(2) */
        assert_int_equal(copy(f, "a", "link"), 0);    /* the link itself, not what it leads to */
        expect(f, "b", "old");
        expect(f, "link", "new");
        assert_int_equal(count(f), 4);
}

static void no_such_thing(void **state) {
        struct fixture *f = *state;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(copy(f, "a", "b"), -ENOENT);
        assert_string_equal(f->error.text, "cannot copy a: No such file or directory");
        snprintf(address.sun_path, sizeof address.sun_path, "%s/s", f->path);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(copy(f, "s", "b"), -EINVAL);
        assert_string_equal(f->error.text, "s is a socket: it cannot be copied");
        assert_int_equal(count(f), 1);
}

static void trees(void **state) {
        struct fixture *f = *state;
        char target[PATH_MAX];

        assert_int_equal(mkdirat(f->top, "d", 0700), 0);
        assert_int_equal(mkdirat(f->top, "d/e", 0500), 0);
        put(f, "d/a", "1");
        assert_int_equal(symlinkat("/etc/passwd", f->top, "d/l"), 0);
        assert_int_equal(mkfifoat(f->top, "d/p", 0600), 0);
        assert_int_equal(copy(f, "d", "x"), 0);
        expect(f, "x/a", "1");
        ssize_t n = readlinkat(f->top, "x/l", target, sizeof target);
        assert_int_equal(n, 11);
        assert_memory_equal(target, "/etc/passwd", 11);
        struct stat st;
        assert_int_equal(fstatat(f->top, "x/p", &st, 0), 0);
        assert_true(S_ISFIFO(st.st_mode));
        assert_int_equal(fstatat(f->top, "x/e", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0500);
        assert_int_equal(count(f), 2);
}

static void into_itself(void **state) {
        struct fixture *f = *state;
        _cleanup_close_ int inner = -EBADF;

        assert_int_equal(mkdirat(f->top, "d", 0700), 0);
        assert_int_equal(mkdirat(f->top, "d/e", 0700), 0);
        inner = openat(f->top, "d/e", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(copy_tree(f->top, "d", inner, "again", &f->options, &f->error), -EINVAL);
        assert_non_null(strstr(f->error.text, "cannot be copied into itself"));
        assert_int_equal(unlinkat(f->top, "d/e", AT_REMOVEDIR), 0); /* empty: nothing was left */
}

/* Ended between two entries: the signal is there before the second. */
static void interrupted(void **state) {
        struct fixture *f = *state;
        int p[2];

        put(f, "a", "1");
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        f->options.signal_fd = p[0];
        assert_int_equal(copy(f, "a", "b"), 0);
        assert_int_equal(write(p[1], "x", 1), 1);
        assert_int_equal(copy(f, "a", "c"), -EINTR);
        assert_int_equal(count(f), 2);
        close(p[0]);
        close(p[1]);
}

static void too_deep(void **state) {
        struct fixture *f = *state;
        int at = dup(f->top);

        for (int i = 0; i <= COPY_DEPTH_MAX; i++) {
                assert_int_equal(mkdirat(at, "d", 0700), 0);
                int next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
                close(at);
                at = next;
        }
        close(at);
        assert_int_equal(copy(f, "d", "x"), -ELOOP);
        assert_int_equal(count(f), 1);
}

/* A hole stays one; /proc has files that say they are empty. */
static void sizes(void **state) {
        struct fixture *f = *state;
        struct stat st;

        put(f, "a", "begin");
        _cleanup_close_ int fd = openat(f->top, "a", O_RDWR | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "middle", 6, 50000000), 6);
        assert_int_equal(ftruncate(fd, 90000000), 0);
        assert_int_equal(copy(f, "a", "b"), 0);
        assert_int_equal(fstatat(f->top, "b", &st, 0), 0);
        assert_int_equal(st.st_size, 90000000);
        assert_true(st.st_blocks * 512 < 1000000);
        _cleanup_close_ int made = openat(f->top, "b", O_RDONLY | O_CLOEXEC);
        char text[6];
        assert_int_equal(pread(made, text, 6, 50000000), 6);
        assert_memory_equal(text, "middle", 6);
        _cleanup_close_ int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(copy_tree(proc, "comm", f->top, "comm", &f->options, &f->error), 0);
        expect(f, "comm", "test-copy\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(files),       TEST(what_is_there), TEST(no_such_thing), TEST(trees),
                TEST(into_itself), TEST(interrupted),   TEST(too_deep),      TEST(sizes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
