/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made ready before there is a child: file systems with all they hold, sources, all detached. */
#include <dirent.h>
#include <linux/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "basic/log.h"
#include "basic/text.h"
#include "helpers.h"
#include "mounts/attach.h"

enum { MAX_OPS = 8 };

struct fixture {
        struct mount_list list;
        int fds[MAX_OPS];
        struct error error;
};

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof *f);

        for (size_t i = 0; i < MAX_OPS; i++)
                f->fds[i] = -EBADF;
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        for (size_t i = 0; i < MAX_OPS; i++)
                fd_close(f->fds[i]);
        mount_list_free(&f->list);
        free(f);
        return 0;
}

/* Adds OP with copies of its strings. */
static struct mount_op *add(struct fixture *f, struct mount_op op, const char *type, const char *source) {
        op.target = strdup("/where");
        op.origin = strdup("--test");
        op.type = type ? strdup(type) : NULL;
        op.source = source ? strdup(source) : NULL;
        assert_int_equal(mount_list_add(&f->list, &op), 0);
        return &f->list.ops[f->list.count - 1];
}

static int prepare(struct fixture *f) {
        need_root();
        return mounts_prepare(&f->list, -1, f->fds, &f->error);
}

static void entries_of_all_kinds(void **state) {
        static const struct tree_entry entries[] = {
                { ENTRY_DIRECTORY, "dir", 01777 },
                { ENTRY_FILE, "dir/file", 0604, 0, "text\n" },
                { ENTRY_FILE, "empty", 0, 0, "" },
                { ENTRY_SYMLINK, "link", 0, 0, "../outside" },
                { ENTRY_FIFO, "fifo", 0620 },
                { ENTRY_SOCKET, "socket", 0 },
                { ENTRY_SOCKET, "bound", 0666 },
                { ENTRY_CHARACTER, "null", 0666, 0x103 },
                { ENTRY_BLOCK, "block", 0, 0x103, NULL, true },
        };
        static const struct {
                const char *path;
                mode_t mode;
        } found[] = { { "dir", S_IFDIR | 01777 }, { "dir/file", S_IFREG | 0604 }, { "empty", S_IFREG },
                      { "link", S_IFLNK | 0777 }, { "fifo", S_IFIFO | 0620 },     { "socket", S_IFSOCK },
                      { "null", S_IFCHR | 0666 } };
        struct fixture *f = *state;
        struct statvfs fs;
        struct stat st;
        char text[16] = "";

        struct mount_op *op =
                add(f, (struct mount_op){ .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID }, "tmpfs", NULL);
        for (size_t i = 0; i < ELEMENTSOF(entries); i++)
                assert_int_equal(mount_op_add_entry(op, &entries[i]), 0);
        mode_t mask = umask(077); /* modes are exact all the same, and the umask is as it was */
        int r = prepare(f);
        assert_int_equal(umask(mask), 077);
        if (r < 0)
                fail_msg("%s", f->error.text);
        int fd = f->fds[0];
        for (size_t i = 0; i < ELEMENTSOF(found); i++) {
                assert_int_equal(fstatat(fd, found[i].path, &st, AT_SYMLINK_NOFOLLOW), 0);
                assert_int_equal(st.st_mode, found[i].mode);
        }
        assert_int_equal(st.st_rdev, makedev(1, 3));
        assert_int_equal(faccessat(fd, "bound", F_OK, 0), -1); /* whoever binds it makes it */
        _cleanup_close_ int file = openat(fd, "dir/file", O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(file, text, sizeof text), 5);
        assert_string_equal(text, "text\n");
        /* It can still be added to; the other flags are there. */
        assert_int_equal(fstatvfs(fd, &fs), 0);
        assert_true((fs.f_flag & ST_NOSUID) && !(fs.f_flag & ST_RDONLY));
}

static void without_entries_it_is_read_only_at_once(void **state) {
        struct fixture *f = *state;
        struct statvfs fs;

        add(f, (struct mount_op){ .attributes = MOUNT_ATTR_RDONLY }, "tmpfs", NULL);
        assert_int_equal(prepare(f), 0);
        assert_int_equal(fstatvfs(f->fds[0], &fs), 0);
        assert_true(fs.f_flag & ST_RDONLY);
}

static void entries_that_cannot_be_made(void **state) {
        static const struct tree_entry bad = { ENTRY_FILE, "no/such/parent", 0644, 0, "x" },
                                       left_out = { ENTRY_FILE, "no/such/parent", 0644, 0, "x", true };
        struct fixture *f = *state;

        struct mount_op *op = add(f, (struct mount_op){ 0 }, "tmpfs", NULL);
        assert_int_equal(mount_op_add_entry(op, &left_out), 0);
        assert_int_equal(prepare(f), 0);
        f->fds[0] = fd_close(f->fds[0]);
        assert_int_equal(mount_op_add_entry(op, &bad), 0);
        assert_int_equal(prepare(f), -ENOENT);
        assert_string_equal(f->error.text, "--test: cannot make no/such/parent in /where: No such file or directory");
        assert_int_equal(f->fds[0], -EBADF);
}

static void sources(void **state) {
        char dir[] = "/tmp/test-prepare-XXXXXX";
        struct fixture *f = *state;
        struct stat a, b;

        assert_non_null(mkdtemp(dir));
        add(f, (struct mount_op){ .kind = MOUNT_BIND, .attributes = MOUNT_ATTR_RDONLY }, NULL, dir);
        add(f, (struct mount_op){ .kind = MOUNT_BIND }, NULL, NULL); /* an empty directory of nobody's */
        add(f, (struct mount_op){ .kind = MOUNT_BIND, .optional = true }, NULL, "/no/such/source");
        add(f, (struct mount_op){ .kind = MOUNT_BIND, .source_in_root = true }, NULL, "/etc");
        add(f, (struct mount_op){ .kind = MOUNT_MASK }, NULL, NULL);
        add(f, (struct mount_op){ .side = SIDE_CHILD }, "proc", NULL);
        int r = prepare(f);
        int status = fstatat(f->fds[0], "", &a, AT_EMPTY_PATH) | stat(dir, &b);
        bool same = status == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
        bool refused = mkdirat(f->fds[0], "x", 0755) == -1 && errno == EROFS;
        assert_int_equal(rmdir(dir), 0);
        assert_int_equal(r, 0);
        assert_true(same && refused);
        assert_int_equal(fstat(f->fds[1], &a), 0);
        assert_int_equal(a.st_mode, S_IFDIR | 0755);
        for (size_t i = 2; i < 6; i++)
                assert_int_equal(f->fds[i], -EBADF);
}

static void a_source_that_is_missing(void **state) {
        struct fixture *f = *state;

        add(f, (struct mount_op){ 0 }, "tmpfs", NULL);
        add(f, (struct mount_op){ .kind = MOUNT_BIND }, NULL, "/no/such/source");
        add(f, (struct mount_op){ 0 }, "tmpfs", NULL);
        f->fds[2] = 12345; /* what was in there means nothing */
        assert_int_equal(prepare(f), -ENOENT);
        assert_string_equal(f->error.text, "--test: cannot bind /no/such/source: No such file or directory");
        assert_true(f->fds[0] >= 0 && fcntl(f->fds[0], F_GETFD) == FD_CLOEXEC);
        assert_int_equal(f->fds[1], -EBADF);
        assert_int_equal(f->fds[2], -EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(entries_of_all_kinds),        TEST(without_entries_it_is_read_only_at_once),
                TEST(entries_that_cannot_be_made), TEST(sources),
                TEST(a_source_that_is_missing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
