/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk image with any table: it is refused with a sentence, or all that will be mounted lies inside of it, apart,
 * and is of a kind that is served. The table is made of the input, so that its checksums are right; libblkid itself is
 * not instrumented. */
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "fuzz.h"
#include "mounts/image.h"

enum { SECTOR = 512, SECTORS = 256, ENTRIES = 8, ENTRY_SIZE = 128 };

static uint32_t crc32(const uint8_t *data, size_t size) {
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; i++) {
                crc ^= data[i];
                for (int bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        return ~crc;
}

static void put_number(uint8_t *to, uint64_t value, size_t size) {
        for (size_t i = 0; i < size; i++)
                to[i] = (uint8_t) (value >> 8 * i);
}

/* Type GUIDs as they lie on the disk. */
static const uint8_t guids[][16] = {
        { 0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09 }, /* root */
        { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 }, /* Linux */
        { 0xe1, 0xc7, 0x3a, 0x93, 0xb4, 0x2e, 0x13, 0x4f, 0xb8, 0x44, 0x0e, 0x14, 0xe2, 0xae, 0xf9, 0x15 }, /* home */
        { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b }, /* ESP */
};

static void take_entry(struct source *in, uint8_t *to) {
        const uint8_t *name;

        memcpy(to, guids[take_byte(in) % 4], 16);
        to[16] = 1;
        put_number(to + 32, take_number(in, SECTORS + 20), 8);
        put_number(to + 40, take_number(in, SECTORS + 20), 8);
        put_number(to + 48, (uint64_t) take_byte(in) << 56, 8);
        size_t n = take_bytes(in, take_byte(in) % 8, &name);
        for (size_t i = 0; i < n; i++)
                to[56 + 2 * i] = name[i];
}

static void make_gpt(struct source *in, uint8_t *disk) {
        uint8_t *header = disk + SECTOR, *entries = disk + 2 * SECTOR;
        size_t count = take_byte(in) % (ENTRIES + 1);

        disk[450] = 0xee;
        put_number(disk + 454, 1, 4);
        put_number(disk + 458, SECTORS - 1, 4);
        for (size_t i = 0; i < count; i++)
                take_entry(in, entries + i * ENTRY_SIZE);
        memcpy(header, "EFI PART\0\0\1\0\134\0\0\0", 16);
        put_number(header + 24, 1, 8);
        put_number(header + 32, SECTORS - 1, 8);
        put_number(header + 40, 4, 8);
        put_number(header + 48, take_byte(in) % 4 ? SECTORS - 2 : SECTORS + 10, 8);
        put_number(header + 72, 2, 8);
        put_number(header + 80, ENTRIES, 4);
        put_number(header + 84, ENTRY_SIZE, 4);
        put_number(header + 88, crc32(entries, ENTRIES * ENTRY_SIZE), 4);
        put_number(header + 16, crc32(header, 92), 4);
}

static void make_mbr(struct source *in, uint8_t *disk) {
        for (size_t i = 0; i < 4; i++) {
                uint8_t *entry = disk + 446 + 16 * i;
                entry[0] = take_byte(in) % 2 ? 0x80 : 0;
                entry[4] = take_byte(in) % 4 ? 0x83 : take_byte(in);
                put_number(entry + 8, take_number(in, SECTORS + 20), 4);
                put_number(entry + 12, take_number(in, SECTORS + 20), 4);
        }
}

/* The marks of a squashfs, at some sector. */
static void put_content(struct source *in, uint8_t *disk) {
        uint8_t *at = disk + take_number(in, SECTORS - 1) * SECTOR;

        memcpy(at, "hsqs", 4);
        put_number(at + 28, 4, 2);
        put_number(at + 40, take_number(in, 65535), 8);
}

static void make_disk(struct source *in, uint8_t *disk) {
        const uint8_t *bytes;
        uint8_t how = take_byte(in);

        if (how % 4 == 1)
                make_gpt(in, disk);
        else if (how % 4 == 2)
                make_mbr(in, disk);
        if (how % 4 > 0)
                memcpy(disk + 510, "\x55\xaa", 2);
        for (unsigned i = 0; i < how / 4 % 4; i++)
                put_content(in, disk);
        while (in->size > 0) { /* and anything, anywhere */
                size_t at = take_number(in, SECTORS * SECTOR - 256), n = take_bytes(in, take_byte(in), &bytes);
                memcpy(disk + at, bytes, n);
        }
}

static void check_image(const struct image *image) {
        static const char *const drivers[] = { "ext4", "xfs", "btrfs", "squashfs", "erofs", "vfat" };

        MUST(image->parts[PART_ROOT].found && !image->parts[PART_USR].found);
        for (size_t i = 0; i < IMAGE_PARTS; i++) {
                const struct image_partition *p = &image->parts[i];
                bool known = false;
                if (!p->found)
                        continue;
                for (size_t k = 0; k < sizeof drivers / sizeof drivers[0]; k++)
                        known |= p->type && strcmp(p->type, drivers[k]) == 0;
                MUST(known && p->size > 0 && p->offset <= image->size && p->size <= image->size - p->offset);
                for (size_t k = 0; k < i; k++) {
                        const struct image_partition *q = &image->parts[k];
                        MUST(!q->found || p->offset >= q->offset + q->size || q->offset >= p->offset + p->size);
                }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        static uint8_t disk[SECTORS * SECTOR];
        struct image image = { .path = (char *) "image", .size = sizeof disk };
        struct error e = { 0 };

        memset(disk, 0, sizeof disk);
        make_disk(&in, disk);
        image.fd = memfd_create("image", MFD_CLOEXEC);
        MUST(image.fd >= 0 && pwrite(image.fd, disk, sizeof disk, 0) == sizeof disk);
        int r = image_scan(&image, &e);
        if (r < 0)
                MUST(e.code == -r && e.text[0] && memchr(e.text, 0, sizeof e.text));
        else
                check_image(&image);
        fd_close(image.fd);
        return 0;
}
