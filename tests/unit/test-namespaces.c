/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "isolation/namespaces.h"

/* Each row is a kind that the kernel has by that name, and whose flag it takes (namespaces(7)): the ioctl
 * NS_GET_NSTYPE gives the flag back. */
static void test_table(void **state) {
        char path[64];

        (void) state;
        assert_true(namespace_count >= 7);
        for (size_t i = 0; i < namespace_count; i++) {
                snprintf(path, sizeof path, "/proc/self/ns/%s", namespace_table[i].name);
                int fd = open(path, O_RDONLY | O_CLOEXEC);
                assert_true(fd >= 0);
                assert_int_equal((unsigned) ioctl(fd, NS_GET_NSTYPE), namespace_table[i].flag);
                close(fd);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
