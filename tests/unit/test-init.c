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
        assert_string_equal(init_identify("/usr/lib/runit/runit-init", NULL, 0)->name, "runit");
        assert_string_equal(init_identify("/sbin/runit", NULL, 0)->name, "runit");
        assert_string_equal(init_identify("/sbin/openrc-init", NULL, 0)->name, "openrc-init");
        assert_string_equal(init_identify("/usr/sbin/dinit", NULL, 0)->name, "dinit");
        assert_string_equal(init_identify("/usr/sbin/finit", NULL, 0)->name, "finit");
        assert_ptr_equal(init_identify("/sbin/init", NULL, 0), init_unknown());
        assert_ptr_equal(init_identify(NULL, NULL, 0), init_unknown());
}

static void identifies_by_what_the_program_holds(void **state) {
        static const char sysvinit[] = "\x7f"
                                       "ELF\0\0junk\0/run/initctl\0more";
        static const char runit[] = "x\0/etc/runit/stopit\0/sbin/runit\0";
        static const char busybox[] = "x\0BusyBox is a multi-call binary that combines";

        (void) state;
        assert_string_equal(init_identify("/sbin/init", sysvinit, sizeof sysvinit)->name, "sysvinit");
        assert_string_equal(init_identify("/sbin/init", busybox, sizeof busybox)->name, "busybox");
        assert_string_equal(init_identify("/sbin/init", runit, sizeof runit)->name, "runit");
        /* The bytes may not be looked at beyond SIZE. */
        assert_ptr_equal(init_identify("/sbin/init", sysvinit, 8), init_unknown());
}

static void asks_each_as_it_understands(void **state) {
        (void) state;
        assert_int_equal(init_signal(init_identify("systemd", NULL, 0)), SIGRTMIN + 3);
        assert_int_equal(init_signal(init_identify("busybox", NULL, 0)), SIGUSR2);
        assert_int_equal(init_signal(init_identify("openrc-init", NULL, 0)), SIGTERM);
        assert_int_equal(init_signal(init_identify("dinit", NULL, 0)), SIGTERM);
        assert_int_equal(init_signal(init_identify("finit", NULL, 0)), SIGUSR2);
        assert_int_equal(init_identify("runit-init", NULL, 0)->method, STOP_RUNIT);
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

static void make_file(int dir, const char *path, mode_t mode) {
        int fd = openat(dir, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, mode), 0);
        close(fd);
}

static mode_t mode_of(int dir, const char *path) {
        struct stat st;

        assert_int_equal(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        return st.st_mode & 07777;
}

static void remove_all(int dir, const char *stop, const char *reboot) {
        unlinkat(dir, stop, 0);
        unlinkat(dir, reboot, 0);
        assert_int_equal(unlinkat(dir, "other", 0), 0);
}

static void asks_runit_in(int fd, const char *stop, const char *reboot) {
        bool requested = false;

        assert_int_equal(init_request_runit(fd, &requested), -ENOENT);
        make_file(fd, stop, 0);
        /* Stage 1 is between the two. */
        assert_int_equal(init_request_runit(fd, &requested), -ENOENT);
        assert_int_equal(mode_of(fd, stop), 0);
        assert_false(requested);
        make_file(fd, reboot, 0100);
        assert_int_equal(init_request_runit(fd, &requested), 1);
        assert_true(requested);
        assert_int_equal(mode_of(fd, stop), 0100);
        assert_int_equal(mode_of(fd, reboot), 0);
        assert_int_equal(init_request_runit(fd, &requested), 1);
        /* runit has seen it. */
        assert_int_equal(fchmodat(fd, stop, 0, 0), 0);
        assert_int_equal(init_request_runit(fd, &requested), 0);
        assert_int_equal(mode_of(fd, stop), 0);
        unlinkat(fd, stop, 0);
        unlinkat(fd, reboot, 0);
}

static void runit_request_makes_the_stop_file_executable(void **state) {
        char dir[] = "/tmp/test-init-XXXXXX";

        (void) state;
        assert_non_null(mkdtemp(dir));
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        asks_runit_in(fd, "runit.stopit", "runit.reboot");
        assert_int_equal(mkdirat(fd, "runit", 0755), 0);
        asks_runit_in(fd, "runit/stopit", "runit/reboot");
        unlinkat(fd, "runit", AT_REMOVEDIR);
        close(fd);
        rmdir(dir);
}

/* What a hostile payload may have put there. */
static void runit_request_changes_regular_files_only(void **state) {
        char dir[] = "/tmp/test-init-XXXXXX";
        bool requested = false;

        (void) state;
        assert_non_null(mkdtemp(dir));
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int reboot = 0; reboot < 2; reboot++) {
                const char *bad = reboot ? "runit.reboot" : "runit.stopit";
                const char *good = reboot ? "runit.stopit" : "runit.reboot";
                make_file(fd, good, 0);
                make_file(fd, "other", 0644);
                assert_int_equal(symlinkat("other", fd, bad), 0);
                assert_int_equal(init_request_runit(fd, &requested), -EBADFD);
                assert_int_equal(mode_of(fd, "other"), 0644);
                unlinkat(fd, bad, 0);
                assert_int_equal(mkfifoat(fd, bad, 0600), 0);
                assert_int_equal(init_request_runit(fd, &requested), -EBADFD);
                assert_int_equal(mode_of(fd, bad), 0600);
                assert_int_equal(mode_of(fd, good), 0);
                assert_false(requested);
                remove_all(fd, "runit.stopit", "runit.reboot");
        }
        /* Nor through a link as the directory. */
        assert_int_equal(symlinkat("/etc", fd, "runit"), 0);
        assert_int_equal(init_request_runit(fd, &requested), -ELOOP);
        unlinkat(fd, "runit", 0);
        close(fd);
        rmdir(dir);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(identifies_by_the_resolved_name),
                cmocka_unit_test(identifies_by_what_the_program_holds),
                cmocka_unit_test(asks_each_as_it_understands),
                cmocka_unit_test(initctl_request_has_the_size_and_magic_of_sysvinit),
                cmocka_unit_test(runit_request_makes_the_stop_file_executable),
                cmocka_unit_test(runit_request_changes_regular_files_only),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
