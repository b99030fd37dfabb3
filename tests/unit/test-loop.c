/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loop devices show their part of the file, and go away with their last user. */
#include "mounts/loop.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "helpers.h"

static int make_file(void) {
        int fd = memfd_create("image", MFD_CLOEXEC);
        char block[4096];

        assert_true(fd >= 0);
        for (int i = 0; i < 16; i++) {
                memset(block, 'a' + i, sizeof block);
                assert_int_equal(write(fd, block, sizeof block), sizeof block);
        }
        return fd;
}

static bool is_bound(const char *device) {
        _cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
        struct loop_info64 info;

        return fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0;
}

static void a_part_of_a_file(void **state) {
        struct loop loop;
        struct error e = { 0 };
        uint64_t size = 0;
        char byte = 0;

        (void) state;
        need_root();
        _cleanup_close_ int file = make_file();
        if (loop_attach(file, "/x/image", 8192, 12288, false, &loop, &e) < 0) {
                print_message("%s\n", e.text);
                skip();
        }
        assert_int_equal(ioctl(loop.fd, BLKGETSIZE64, &size), 0);
        assert_int_equal(size, 12288);
        assert_int_equal(pread(loop.fd, &byte, 1, 0), 1);
        assert_int_equal(byte, 'c');
        assert_int_equal(pread(loop.fd, &byte, 1, 12287), 1);
        assert_int_equal(byte, 'e');
        assert_int_equal(pread(loop.fd, &byte, 1, 12288), 0);
        assert_int_equal(pwrite(loop.fd, "Z", 1, 0), 1);
        assert_int_equal(fsync(loop.fd), 0);
        assert_int_equal(pread(file, &byte, 1, 8192), 1);
        assert_int_equal(byte, 'Z');
        assert_true(fcntl(loop.fd, F_GETFD) & FD_CLOEXEC);
        char device[sizeof loop.device];
        memcpy(device, loop.device, sizeof device);
        assert_true(is_bound(device));
        loop_close(&loop);
        assert_true(loop.fd < 0);
        for (int i = 0; i < 500 && is_bound(device); i++)
                usleep(10000);
        assert_false(is_bound(device));
}

static void read_only(void **state) {
        struct loop loop;
        struct error e = { 0 };

        (void) state;
        need_root();
        _cleanup_close_ int file = make_file();
        if (loop_attach(file, "/x/image", 0, 4096, true, &loop, &e) < 0) {
                print_message("%s\n", e.text);
                skip();
        }
        _cleanup_close_ int writer = open(loop.device, O_RDWR | O_CLOEXEC);
        assert_true(writer < 0 || pwrite(writer, "Z", 1, 0) < 0 || fsync(writer) < 0);
        loop_close(&loop);
}

static void what_cannot_be_one(void **state) {
        struct loop loop;
        struct error e = { 0 };
        int p[2];

        (void) state;
        need_root();
        if (access("/dev/loop-control", F_OK) < 0)
                skip();
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        assert_true(loop_attach(p[0], "a-pipe", 0, 4096, true, &loop, &e) < 0);
        assert_non_null(strstr(e.text, "a-pipe"));
        assert_true(loop.fd < 0);
        close(p[0]);
        close(p[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_part_of_a_file),
                cmocka_unit_test(read_only),
                cmocka_unit_test(what_cannot_be_one),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
