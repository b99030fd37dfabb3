/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file system, one attribute call, one message: the steps that attaching is made of, on detached mounts. */
#include "mounts/context.h"

#include <linux/mount.h>
#include <sys/statvfs.h>

#include "basic/syscalls.h"
#include "helpers.h"

static const struct mount_op op = { .target = (char *) "/where", .origin = (char *) "--tmpfs" };

static void what_is_made_ready_before(void **state) {
        static const struct {
                enum mount_kind kind;
                enum mount_side side;
                bool in_root, prepared;
        } cases[] = {
                { MOUNT_NEW, SIDE_PARENT, false, true },   { MOUNT_NEW, SIDE_CHILD, false, false },
                { MOUNT_BIND, SIDE_PARENT, false, true },  { MOUNT_BIND, SIDE_PARENT, true, false },
                { MOUNT_BIND, SIDE_CHILD, false, false },  { MOUNT_ATTACH, SIDE_PARENT, false, false },
                { MOUNT_MASK, SIDE_PARENT, false, false },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct mount_op o = { .kind = cases[i].kind,
                                            .side = cases[i].side,
                                            .source_in_root = cases[i].in_root };
                assert_int_equal(op_is_prepared(&o), cases[i].prepared);
        }
}

static void messages_name_their_origin(void **state) {
        struct mount_op own = op;
        struct error e;

        (void) state;
        assert_int_equal(op_error(&own, ENOENT, &e, "no %s: %m", "x"), -ENOENT);
        assert_string_equal(e.text, "--tmpfs: no x: No such file or directory");
        assert_string_equal(e.hint, "");
        own.origin = (char *) "default";
        op_error(&own, ENOENT, &e, "no x");
        assert_string_equal(e.text, "no x");
        own.origin = NULL;
        op_error(&own, ENOSYS, &e, "no x");
        assert_string_equal(e.text, "no x");
        assert_non_null(strstr(e.hint, "5.12"));
        assert_int_equal(op_error(&own, ENOSYS, NULL, "no x"), -ENOSYS);
}

static void options_are_set(void **state) {
        static const struct {
                const char *options;
                mode_t mode;
                unsigned long blocks; /* of 4096 bytes; 0: any */
        } cases[] = {
                { NULL, 01777, 0 },
                { "", 01777, 0 },
                { "mode=0711,size=8192", 0711, 2 },
                { ",,mode=0700,", 0700, 0 },
                { "mode=\"0751\",size=\"4096\"", 0751, 1 },
                { "mode=0711,mode=0700", 0700, 0 },
        };
        struct error e;

        (void) state;
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct statvfs fs;
                struct stat st;
                _cleanup_close_ int fd = context_mount(&op, "tmpfs", cases[i].options, MOUNT_ATTR_NOEXEC, &e);
                if (fd < 0)
                        fail_msg("%s: %s", cases[i].options, e.text);
                assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
                assert_int_equal(fstat(fd, &st), 0);
                assert_int_equal(st.st_mode & 07777, cases[i].mode);
                assert_int_equal(fstatvfs(fd, &fs), 0);
                assert_true((fs.f_flag & ST_NOEXEC) && !(fs.f_flag & ST_NOSUID));
                if (cases[i].blocks)
                        assert_int_equal(fs.f_blocks * fs.f_bsize, cases[i].blocks * 4096);
        }
}

static void what_the_kernel_refuses(void **state) {
        static const struct {
                const char *type, *options, *says;
        } cases[] = {
                { "nosuchfs", NULL, "--tmpfs: cannot mount nosuchfs on /where: this kernel has no such file system" },
                { "tmpfs", "nosuch", "cannot mount tmpfs on /where: tmpfs: Unknown parameter 'nosuch'" },
                { "tmpfs", "size=wrong", "cannot mount tmpfs on /where: tmpfs: Bad value for 'size'" },
                { "tmpfs", "mode=\"0711", NULL }, /* a quote that is never closed is the end */
                { "ext4", NULL, "cannot mount ext4 on /where" },
        };

        (void) state;
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct error e = { 0 };
                int fd = context_mount(&op, cases[i].type, cases[i].options, 0, &e);
                if (!cases[i].says)
                        assert_true(fd >= 0);
                else if (fd >= 0 || fd != -e.code || !strstr(e.text, cases[i].says))
                        fail_msg("%s %s: %d %s", cases[i].type, cases[i].options, fd, e.text);
                fd_close(fd);
        }
}

static void each_is_one_of_its_own(void **state) {
        static const struct mount_op named = { .target = (char *) "/x", .source = (char *) "my source" };
        struct error e;

        (void) state;
        need_root();
        _cleanup_close_ int a = context_mount(&named, "tmpfs", NULL, 0, &e),
                            b = context_mount(&named, "tmpfs", NULL, 0, &e);
        struct stat sa, sb;
        assert_true(a >= 0 && b >= 0);
        assert_int_equal(fstat(a, &sa) | fstat(b, &sb), 0);
        assert_true(sa.st_dev != sb.st_dev);
}

static void without_the_calls(void **state) {
        static const char *const calls[] = { "fsopen", "fsconfig", "fsmount" };

        (void) state;
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                struct error e = { 0 };
                setenv("SPAWN_TEST_ENOSYS", calls[i], 1);
                int fd = context_mount(&op, "tmpfs", NULL, 0, &e);
                unsetenv("SPAWN_TEST_ENOSYS");
                assert_int_equal(fd, -ENOSYS);
                assert_non_null(strstr(e.hint, "5.12"));
        }
        struct mount_op change = { .attributes = MOUNT_ATTR_RDONLY };
        setenv("SPAWN_TEST_ENOSYS", "mount_setattr", 1);
        int with = mount_change(-1, &change, 0), none = mount_change(-1, &(struct mount_op){ 0 }, 0);
        unsetenv("SPAWN_TEST_ENOSYS");
        assert_int_equal(with, -ENOSYS);
        assert_int_equal(none, 0); /* nothing is asked: no call */
}

static void attributes_are_changed(void **state) {
        static const struct {
                uint64_t set, clear;
                unsigned long has, lacks;
        } cases[] = {
                { MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, ST_RDONLY | ST_NOSUID, ST_NOEXEC },
                { 0, MOUNT_ATTR_RDONLY, ST_NOSUID, ST_RDONLY },
                { MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID, ST_NOEXEC, ST_NOSUID },
                { MOUNT_ATTR_NOATIME, 0, ST_NOATIME, ST_RELATIME },
                { MOUNT_ATTR_STRICTATIME, 0, 0, ST_NOATIME | ST_RELATIME },
                { 0, MOUNT_ATTR_NOEXEC, 0, ST_NOEXEC },
        };
        struct error e;

        (void) state;
        need_root();
        _cleanup_close_ int fd = context_mount(&op, "tmpfs", NULL, 0, &e);
        assert_true(fd >= 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct mount_op change = { .attributes = cases[i].set, .clear = cases[i].clear };
                struct statvfs fs;
                assert_int_equal(mount_change(fd, &change, 0), 0);
                assert_int_equal(fstatvfs(fd, &fs), 0);
                if ((fs.f_flag & cases[i].has) != cases[i].has || (fs.f_flag & cases[i].lacks))
                        fail_msg("case %zu: flags %lx", i, fs.f_flag);
        }
        assert_int_equal(mount_change(-1, &(struct mount_op){ .attributes = MOUNT_ATTR_RDONLY }, 0), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_made_ready_before), cmocka_unit_test(messages_name_their_origin),
                cmocka_unit_test(options_are_set),           cmocka_unit_test(what_the_kernel_refuses),
                cmocka_unit_test(each_is_one_of_its_own),    cmocka_unit_test(without_the_calls),
                cmocka_unit_test(attributes_are_changed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
