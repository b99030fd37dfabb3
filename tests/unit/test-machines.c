/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines by their names, in the places where they are kept. */
#include "launcher/machines.h"

#include "helpers.h"

#define NAME "spawn-test-no-such-machine"

static void one_that_is_nowhere(void **state) {
        struct error error = { 0 };
        char *path = NULL;

        (void) state;
        assert_int_equal(machine_find(NAME, &path, &(bool){ false }, &error), -ENOENT);
        assert_non_null(strstr(error.text, NAME));
        assert_non_null(strstr(error.hint, "--directory"));
        assert_null(path);
}

/* /run is a place that a test may use. An image of the same name is found only if no directory is. */
static void directories_before_images(void **state) {
        struct error error = { 0 };
        char *path = NULL;

        (void) state;
        need_root();
        bool made = mkdir("/run/machines", 0755) == 0;
        int fd = open("/run/machines", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put_text(fd, NAME ".raw", "");
        bool found_image = false, image = true;
        int r_image = machine_find(NAME, &path, &found_image, &error);
        bool right = path && strcmp(path, "/run/machines/" NAME ".raw") == 0;
        free(path);
        path = NULL;
        int r = mkdirat(fd, NAME, 0755) < 0 ? -errno : machine_find(NAME, &path, &image, NULL);
        unlinkat(fd, NAME ".raw", 0);
        unlinkat(fd, NAME, AT_REMOVEDIR);
        close(fd);
        if (made)
                rmdir("/run/machines");
        assert_int_equal(r_image, 0);
        assert_true(found_image && right);
        assert_int_equal(r, 0);
        assert_false(image);
        assert_string_equal(path, "/run/machines/" NAME);
        free(path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_that_is_nowhere),
                cmocka_unit_test(directories_before_images),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
