/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is found in images, without a device or a mount: the marks of file systems are enough for libblkid. */
#include <sys/mman.h>

#include "helpers.h"
#include "mounts/image.h"

enum { SIZE = 4 * 1024 * 1024, PART = 1024 * 1024 };

struct bytes {
        int fd;
        uint8_t *data;
};

static struct bytes make(void) {
        struct bytes b = { .fd = memfd_create("image", MFD_CLOEXEC) };

        assert_int_equal(ftruncate(b.fd, SIZE), 0);
        b.data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, 0);
        assert_ptr_not_equal(b.data, MAP_FAILED);
        return b;
}

static void drop(struct bytes *b) {
        munmap(b->data, SIZE);
        close(b->fd);
}

static void put_squashfs(uint8_t *at) {
        memcpy(at, "hsqs", 4);
        at[28] = 4; /* major version */
}

static void put_mbr(struct bytes *b, int entry, uint8_t flags, uint8_t type, uint32_t start, uint32_t count) {
        uint8_t *e = b->data + 446 + 16 * entry;

        e[0] = flags;
        e[4] = type;
        for (int i = 0; i < 4; i++) {
                e[8 + i] = (uint8_t) (start >> 8 * i);
                e[12 + i] = (uint8_t) (count >> 8 * i);
        }
        b->data[510] = 0x55;
        b->data[511] = 0xaa;
}

static int scan(const struct bytes *b, struct image *image, struct error *e) {
        *image = IMAGE_NONE;
        *e = (struct error){ 0 };
        image->fd = b->fd;
        image->path = (char *) "x.raw";
        image->size = SIZE;
        return image_scan(image, e);
}

static void a_bare_file_system(void **state) {
        struct bytes b = make();
        struct image image;
        struct error e;

        (void) state;
        assert_int_equal(scan(&b, &image, &e), -EINVAL);
        assert_non_null(strstr(e.text, "x.raw holds neither"));
        put_squashfs(b.data);
        assert_int_equal(scan(&b, &image, &e), 0);
        assert_null(image.table);
        const struct image_partition *root = &image.parts[PART_ROOT];
        assert_true(root->found && root->read_only && root->number == 0 && root->offset == 0 && root->size == SIZE);
        assert_string_equal(root->type, "squashfs");
        drop(&b);
}

static void an_mbr(void **state) {
        struct bytes b = make();
        struct image image;
        struct error e;

        (void) state;
        put_mbr(&b, 1, 0x80, 0x83, PART / 512, PART / 512);
        put_mbr(&b, 2, 0, 0x83, 2 * PART / 512, PART / 512);
        assert_int_equal(scan(&b, &image, &e), -EINVAL);
        assert_non_null(strstr(e.text, "partition 2 of x.raw holds no file system"));
        put_squashfs(b.data + PART);
        assert_int_equal(scan(&b, &image, &e), 0);
        assert_string_equal(image.table, "dos");
        assert_true(image.parts[PART_ROOT].number == 2 && image.parts[PART_ROOT].offset == PART &&
                    image.parts[PART_ROOT].size == PART);
        put_mbr(&b, 2, 0x80, 0x83, 2 * PART / 512, PART / 512);
        assert_int_equal(scan(&b, &image, &e), -ENOTUNIQ);
        put_mbr(&b, 1, 0, 0x83, PART / 512, PART / 512);
        put_mbr(&b, 2, 0, 0x83, 2 * PART / 512, PART / 512);
        assert_int_equal(scan(&b, &image, &e), -ENOENT);
        assert_non_null(strstr(e.hint, "bootable"));
        put_mbr(&b, 1, 0x80, 0x83, 3 * PART / 512, 2 * PART / 512);
        assert_int_equal(scan(&b, &image, &e), -EINVAL);
        assert_non_null(strstr(e.text, "beyond the image"));
        drop(&b);
}

static void what_is_known_and_not_served(void **state) {
        struct bytes b = make();
        struct image image;
        struct error e;

        (void) state;
        memcpy(b.data, "LUKS\xba\xbe\0\1", 8);
        assert_int_equal(scan(&b, &image, &e), -EOPNOTSUPP);
        assert_non_null(strstr(e.text, "crypto_LUKS"));
        drop(&b);
        b = make();
        put_mbr(&b, 0, 0, 0xee, 1, SIZE / 512 - 1); /* the guard of a GPT that is not there */
        assert_int_equal(scan(&b, &image, &e), -EINVAL);
        assert_non_null(strstr(e.text, "damaged partition table (GPT)"));
        drop(&b);
}

/* Whatever the bytes say, what is given out lies within the image. */
static void any_bytes(void **state) {
        struct bytes b = make();
        unsigned seed = 7, found = 0;

        (void) state;
        for (int round = 0; round < 3000; round++) {
                struct image image;
                struct error e;
                memset(b.data, 0, 512);
                put_mbr(&b, 0, 0x80, 0x83, PART / 512, PART / 512);
                put_mbr(&b, 3, 0, 0x05, 2 * PART / 512, PART / 512); /* an extended one, with what is in it */
                put_squashfs(b.data + PART);
                for (int i = 0; i < 1 + round % 8; i++)
                        b.data[rand_r(&seed) % 4 ? 446 + rand_r(&seed) % 66 : 2 * PART + rand_r(&seed) % 512] =
                                (uint8_t) rand_r(&seed);
                if (scan(&b, &image, &e) < 0) {
                        assert_true(e.code != 0 && e.text[0]);
                        continue;
                }
                found++;
                for (int i = 0; i < IMAGE_PARTS; i++)
                        if (image.parts[i].found)
                                assert_true(image.parts[i].type && image.parts[i].size > 0 &&
                                            image.parts[i].offset + image.parts[i].size <= SIZE);
        }
        assert_true(found > 100 && found < 3000);
        drop(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_bare_file_system),
                cmocka_unit_test(an_mbr),
                cmocka_unit_test(what_is_known_and_not_served),
                cmocka_unit_test(any_bytes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
