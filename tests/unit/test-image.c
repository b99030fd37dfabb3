/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as files, and the mounts that they become. */
#include "mounts/image.h"

#include <sys/stat.h>

#include "basic/syscalls.h"
#include "helpers.h"

static void what_is_no_image(void **state) {
        char dir[] = "/tmp/test-image-XXXXXX", path[64];
        struct image image;
        struct error e = { 0 };

        (void) state;
        assert_non_null(mkdtemp(dir));
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put_text(fd, "empty", "");
        assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
        const struct {
                const char *name, *says;
                int code;
        } cases[] = {
                { "", "is a directory", EISDIR },
                { "fifo", "neither a file nor a block device", EINVAL },
                { "empty", "is empty", EINVAL },
                { "none", "No such file", ENOENT },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                e = (struct error){ 0 };
                snprintf(path, sizeof path, "%s/%s", dir, cases[i].name);
                assert_int_equal(image_open(path, i % 2, &image, &e), -cases[i].code);
                assert_non_null(strstr(e.text, cases[i].says));
                image_close(&image);
                image_close(&image); /* again does no harm */
        }
        remove_tree_at(dir);
}

static void mounts_of_parts(void **state) {
        struct image image = IMAGE_NONE;
        struct mount_op op;

        (void) state;
        image.parts[PART_ROOT] =
                (struct image_partition){ .found = true, .type = "ext4", .loop = { -1, "/dev/loop7" } };
        assert_int_equal(image_mount_op(&image, PART_ROOT, "/", &op), 0);
        assert_string_equal(op.source, "/dev/loop7");
        assert_string_equal(op.type, "ext4");
        assert_null(op.options);
        assert_true(op.attributes == MOUNT_ATTR_NODEV && op.side == SIDE_PARENT && op.kind == MOUNT_NEW);
        mount_op_free(&op);
        image.parts[PART_ROOT].read_only = true;
        assert_int_equal(image_mount_op(&image, PART_ROOT, "/", &op), 0);
        assert_string_equal(op.options, "ro,noload");
        assert_true(op.attributes & MOUNT_ATTR_RDONLY);
        mount_op_free(&op);
        image.parts[PART_ESP] = (struct image_partition){ .found = true, .type = "vfat" };
        assert_int_equal(image_mount_op(&image, PART_ESP, "/efi", &op), 0);
        assert_string_equal(op.options, "umask=0077");
        assert_true(op.attributes & MOUNT_ATTR_NOSUID && op.attributes & MOUNT_ATTR_NOEXEC);
        mount_op_free(&op);
        image.parts[PART_ESP].type = "squashfs";
        image.parts[PART_ESP].read_only = true;
        assert_int_equal(image_mount_op(&image, PART_ESP, "/efi", &op), 0);
        assert_string_equal(op.options, "ro");
        mount_op_free(&op);
}

static void places(void **state) {
        (void) state;
        assert_string_equal(image_part_target(PART_ROOT), "/");
        assert_string_equal(image_part_target(PART_BOOT), "/boot");
        assert_null(image_part_target(PART_ESP));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_no_image),
                cmocka_unit_test(mounts_of_parts),
                cmocka_unit_test(places),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
