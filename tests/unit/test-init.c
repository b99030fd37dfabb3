/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/init.h"
#include "unit.h"

static void identifies_by_the_resolved_name(void **state) {
        (void) state;
        assert_string_equal(init_identify("/usr/lib/systemd/systemd", NULL, 0)->name, "systemd");
        assert_string_equal(init_identify("/bin/busybox", NULL, 0)->name, "busybox");
        assert_string_equal(init_identify("systemd", NULL, 0)->name, "systemd");
        assert_ptr_equal(init_identify("/sbin/init", NULL, 0), init_unknown());
        assert_ptr_equal(init_identify(NULL, NULL, 0), init_unknown());
}

static void identifies_by_what_the_program_holds(void **state) {
        static const char sysvinit[] = "\x7f"
                                       "ELF\0\0junk\0/run/initctl\0more";
        static const char busybox[] = "x\0BusyBox is a multi-call binary that combines";

        (void) state;
        assert_string_equal(init_identify("/sbin/init", sysvinit, sizeof sysvinit)->name, "sysvinit");
        assert_string_equal(init_identify("/sbin/init", busybox, sizeof busybox)->name, "busybox");
        /* The bytes may not be looked at beyond SIZE. */
        assert_ptr_equal(init_identify("/sbin/init", sysvinit, 8), init_unknown());
}

static void asks_each_as_it_understands(void **state) {
        (void) state;
        assert_int_equal(init_signal(init_identify("systemd", NULL, 0)), SIGRTMIN + 3);
        assert_int_equal(init_signal(init_identify("busybox", NULL, 0)), SIGUSR2);
        assert_int_equal(init_unknown()->method, STOP_BY_DISPOSITION);
}

static void initctl_request_has_the_size_and_magic_of_sysvinit(void **state) {
        char dir[] = "/tmp/test-init-XXXXXX";
        unsigned char record[512];

        (void) state;
        assert_non_null(mkdtemp(dir));
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(init_request_poweroff(fd), -ENOENT);
        assert_int_equal(mkfifoat(fd, "initctl", 0600), 0);
        int reader = openat(fd, "initctl", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_int_equal(init_request_poweroff(fd), 0);
        assert_int_equal(read(reader, record, sizeof record), 384);
        assert_memory_equal(record, "\x69\x19\x09\x03", 4);
        assert_int_equal(record[8], '0');
        close(reader);
        unlinkat(fd, "initctl", 0);
        /* What is no FIFO, or a link to one, is never written to. */
        assert_int_equal(symlinkat("/dev/null", fd, "initctl"), 0);
        assert_true(init_request_poweroff(fd) < 0);
        unlinkat(fd, "initctl", 0);
        close(openat(fd, "initctl", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        assert_int_equal(init_request_poweroff(fd), -EBADF);
        unlinkat(fd, "initctl", 0);
        close(fd);
        rmdir(dir);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(identifies_by_the_resolved_name),
                cmocka_unit_test(identifies_by_what_the_program_holds),
                cmocka_unit_test(asks_each_as_it_understands),
                cmocka_unit_test(initctl_request_has_the_size_and_magic_of_sysvinit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
