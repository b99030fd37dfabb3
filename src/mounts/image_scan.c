/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk image holds. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/text.h"
#include "mounts/image.h"
#include "mounts/image_library.h"

enum { MBR_LINUX = 0x83, MBR_BOOTABLE = 0x80, MBR_GPT = 0xee, SECTOR = 512 };

/* Attributes of the Discoverable Partitions Specification. */
#define GPT_READ_ONLY (UINT64_C(1) << 60)
#define GPT_NO_AUTO (UINT64_C(1) << 63)

#if defined __x86_64__
#define ROOT_GUID "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
#define USR_GUID "8484680c-9521-48c6-9c11-b0720656f69e"
#elif defined __aarch64__
#define ROOT_GUID "b921b045-1df0-41c3-af44-4c6f280d3fae"
#define USR_GUID "b0e01050-ee5f-4390-949a-9101b17104e9"
#elif defined __i386__
#define ROOT_GUID "44479540-f297-41b2-9af7-d131d5f0458a"
#define USR_GUID "75250d76-8cc6-458e-bd66-bd47cc81a812"
#else
#define ROOT_GUID "" /* only the generic type */
#define USR_GUID ""
#endif
#define LINUX_GUID "0fc63daf-8483-4772-8e79-3d69d8477de4"

static const struct {
        const char *guid;
        enum image_part part;
} guids[] = {
        { ROOT_GUID, PART_ROOT },
        { USR_GUID, PART_USR },
        { "933ac7e1-2eb4-4f13-b844-0e14e2aef915", PART_HOME },
        { "3b8f8425-20e0-4f3b-907f-1a25a76f98e8", PART_SRV },
        { "4d21b016-b534-45c2-a9fb-5c16e091fd2d", PART_VAR },
        { "7ec6f557-3bc5-4aca-b293-16ef5df639d1", PART_TMP },
        { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", PART_ESP },
        { "bc13c2ff-59e6-4262-a352-b275fd6f7172", PART_BOOT },
};

/* The content that is looked for, as libblkid names it, and the kernel's driver for it. */
static const struct {
        const char *name, *driver; /* NULL: known, and not served */
        bool read_only;
} contents[] = {
        { "ext2", "ext4", false },      { "ext3", "ext4", false },   { "ext4", "ext4", false },
        { "xfs", "xfs", false },        { "btrfs", "btrfs", false }, { "squashfs", "squashfs", true },
        { "erofs", "erofs", true },     { "vfat", "vfat", false },   { "crypto_LUKS", NULL, false },
        { "LVM2_member", NULL, false },
};

struct scan {
        struct libblkid b;
        struct image *image;
        struct error *error;
        struct {
                const char *name; /* of the chosen partition, "" where there is none: borrowed */
        } chosen[IMAGE_PARTS];
        unsigned generic, bootable; /* how many there are */
};

static int fail(const struct scan *s, int code, const char *what) {
        return error_set(s->error, code, "the disk image %s %s", s->image->path, what);
}

/* Puts the name of the content to *RET, NULL where nothing is known. BLKID_FLTR_ONLYIN: no other prober of the library
 * is run on what may be made for it. */
static int find_content(const struct scan *s, blkid_probe probe, const char **ret) {
        int r = s->b.blkid_do_safeprobe(probe);

        *ret = NULL;
        if (r == -2)
                return fail(s, ENOTUNIQ, "has the marks of more than one kind of content");
        if (r < 0)
                return fail(s, EIO, "cannot be read");
        if (r == 0 && s->b.blkid_probe_lookup_value(probe, "TYPE", ret, NULL) < 0)
                *ret = NULL;
        return 0;
}

static int prepare_probe(const struct scan *s, blkid_probe probe, uint64_t offset, uint64_t size) {
        char *names[ELEMENTSOF(contents) + 1] = { NULL };

        for (size_t i = 0; i < ELEMENTSOF(contents); i++)
                names[i] = (char *) contents[i].name;
        if (s->b.blkid_probe_set_device(probe, s->image->fd, (blkid_loff_t) offset, (blkid_loff_t) size) < 0 ||
            s->b.blkid_probe_enable_superblocks(probe, 1) < 0 ||
            s->b.blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE) < 0 ||
            s->b.blkid_probe_filter_superblocks_type(probe, BLKID_FLTR_ONLYIN, names) < 0)
                return fail(s, EIO, "cannot be read by libblkid");
        return 0;
}

/* What the partition's file system is. */
static int set_content(const struct scan *s, struct image_partition *p, const char *name) {
        char where[32] = "";

        if (p->number > 0)
                snprintf(where, sizeof where, "partition %d of ", p->number);
        for (size_t i = 0; name && i < ELEMENTSOF(contents); i++) {
                if (!text_equal(contents[i].name, name))
                        continue;
                if (!contents[i].driver)
                        return error_set(s->error, EOPNOTSUPP, "%s%s holds %s, which spawn does not open", where,
                                         s->image->path, name);
                p->type = contents[i].driver;
                p->read_only |= contents[i].read_only;
                return 0;
        }
        error_set(s->error, EINVAL, "%s%s holds no file system that is known", where, s->image->path);
        return error_hint(s->error, "there are ext4 xfs btrfs squashfs erofs vfat");
}

static int probe_partition(const struct scan *s, struct image_partition *p) {
        blkid_probe probe = s->b.blkid_new_probe();
        const char *name;

        if (!probe)
                return error_memory(s->error);
        int r = prepare_probe(s, probe, p->offset, p->size);
        if (r >= 0)
                r = find_content(s, probe, &name);
        if (r >= 0)
                r = set_content(s, p, name);
        s->b.blkid_free_probe(probe);
        return r;
}

/* Of several of one type that with the newest name is used, as where versions lie side by side. */
static void choose(struct scan *s, enum image_part part, blkid_partition entry, bool read_only) {
        struct image_partition *p = &s->image->parts[part];
        const char *name = s->b.blkid_partition_get_name(entry);

        if (p->found && strverscmp(name ? name : "", s->chosen[part].name) <= 0)
                return;
        s->chosen[part].name = name ? name : "";
        *p = (struct image_partition){
                .found = true,
                .read_only = read_only,
                .number = s->b.blkid_partition_get_partno(entry),
                .offset = (uint64_t) s->b.blkid_partition_get_start(entry) * SECTOR,
                .size = (uint64_t) s->b.blkid_partition_get_size(entry) * SECTOR,
                .loop = LOOP_NONE,
        };
}

static void look_at_gpt(struct scan *s, blkid_partition entry) {
        const char *guid = s->b.blkid_partition_get_type_string(entry);
        uint64_t flags = s->b.blkid_partition_get_flags(entry);

        if (!guid || flags & GPT_NO_AUTO)
                return;
        for (size_t i = 0; i < ELEMENTSOF(guids); i++)
                if (strcasecmp(guid, guids[i].guid) == 0)
                        choose(s, guids[i].part, entry, flags & GPT_READ_ONLY);
}

static void look_at_mbr(struct scan *s, blkid_partition entry) {
        int type = s->b.blkid_partition_get_type(entry);

        if (type != MBR_LINUX || !(s->b.blkid_partition_get_flags(entry) & MBR_BOOTABLE))
                return;
        s->bootable++;
        choose(s, PART_ROOT, entry, false);
}

/* The one partition of the generic type is the root of an image that has none of the proper type. */
static void look_for_generic(struct scan *s, blkid_partlist list, int n) {
        blkid_partition only = NULL;

        for (int i = 0; i < n; i++) {
                blkid_partition entry = s->b.blkid_partlist_get_partition(list, i);
                const char *guid = entry ? s->b.blkid_partition_get_type_string(entry) : NULL;
                if (!guid || strcasecmp(guid, LINUX_GUID) != 0 || s->b.blkid_partition_get_flags(entry) & GPT_NO_AUTO)
                        continue;
                s->generic++;
                only = entry;
        }
        if (s->generic == 1)
                choose(s, PART_ROOT, only, s->b.blkid_partition_get_flags(only) & GPT_READ_ONLY);
}

/* The table may say anything: what leaves the image is refused, and so are parts of two partitions in one place, which
 * would let one file system change below the driver of the other. */
static int check_places(const struct scan *s) {
        const struct image *image = s->image;

        for (size_t i = 0; i < IMAGE_PARTS; i++) {
                const struct image_partition *p = &image->parts[i];
                if (!p->found)
                        continue;
                if (p->size == 0 || p->offset == 0 || p->offset > image->size || p->size > image->size - p->offset)
                        return error_set(s->error, EINVAL, "partition %d of %s goes beyond the image", p->number,
                                         image->path);
                for (size_t k = 0; k < i; k++) {
                        const struct image_partition *q = &image->parts[k];
                        if (q->found && p->offset < q->offset + q->size && q->offset < p->offset + p->size)
                                return error_set(s->error, EINVAL, "partitions %d and %d of %s overlap", q->number,
                                                 p->number, image->path);
                }
        }
        return 0;
}

static int no_root(const struct scan *s) {
        if (s->generic > 1)
                return fail(s, ENOTUNIQ, "has more than one Linux partition and none that is marked as the root");
        fail(s, ENOENT, "has no root partition");
        return error_hint(s->error, text_equal(s->image->table, "gpt")
                                            ? "it is found by the type root of this architecture, or as the only one "
                                              "of the type Linux file system"
                                            : "it is found as the one bootable partition of type 83");
}

static int read_table(struct scan *s, blkid_probe probe) {
        bool gpt = text_equal(s->image->table, "gpt");
        blkid_partlist list = s->b.blkid_probe_get_partitions(probe);
        int n = list ? s->b.blkid_partlist_numof_partitions(list) : -1;

        if (n < 0)
                return fail(s, EIO, "has a partition table that cannot be read");
        for (int i = 0; i < n; i++) {
                blkid_partition entry = s->b.blkid_partlist_get_partition(list, i);
                if (entry && gpt)
                        look_at_gpt(s, entry);
                else if (entry)
                        look_at_mbr(s, entry);
        }
        if (gpt && !s->image->parts[PART_ROOT].found)
                look_for_generic(s, list, n);
        if (s->bootable > 1)
                return fail(s, ENOTUNIQ, "has more than one bootable Linux partition");
        if (!s->image->parts[PART_ROOT].found)
                return no_root(s);
        if (s->image->parts[PART_USR].found)
                return fail(s, EOPNOTSUPP, "has a partition for /usr, which spawn does not mount");
        int r = check_places(s);
        for (size_t i = 0; r >= 0 && i < IMAGE_PARTS; i++)
                if (s->image->parts[i].found)
                        r = probe_partition(s, &s->image->parts[i]);
        return r;
}

/* A GPT that is whole is never reported as the MBR that guards it. */
static bool has_guard_of_gpt(const struct image *image) {
        uint8_t sector[SECTOR];

        return pread(image->fd, sector, sizeof sector, 0) == sizeof sector && sector[450] == MBR_GPT &&
               sector[510] == 0x55 && sector[511] == 0xaa;
}

static int scan(struct scan *s, blkid_probe probe) {
        static char *const tables[] = { (char *) "gpt", (char *) "dos", NULL };
        const char *content, *table = NULL;
        int r = prepare_probe(s, probe, 0, 0);

        if (r >= 0 && (s->b.blkid_probe_enable_partitions(probe, 1) < 0 ||
                       s->b.blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS) < 0 ||
                       s->b.blkid_probe_filter_partitions_type(probe, BLKID_FLTR_ONLYIN, (char **) tables) < 0))
                r = fail(s, EIO, "cannot be read by libblkid");
        if (r >= 0)
                r = find_content(s, probe, &content);
        if (r < 0)
                return r;
        if (!content && s->b.blkid_probe_lookup_value(probe, "PTTYPE", &table, NULL) == 0 && table) {
                s->image->table = text_equal(table, "gpt") ? "gpt" : "dos";
                return read_table(s, probe);
        }
        s->image->parts[PART_ROOT] =
                (struct image_partition){ .found = true, .size = s->image->size, .loop = LOOP_NONE };
        if (!content && has_guard_of_gpt(s->image))
                return fail(s, EINVAL, "has a damaged partition table (GPT)");
        if (!content)
                return fail(s, EINVAL, "holds neither a partition table (GPT, MBR) nor a file system that is known");
        return set_content(s, &s->image->parts[PART_ROOT], content);
}

int image_scan(struct image *image, struct error *error) {
        struct scan s = { .image = image, .error = error };
        int r = libblkid_open(&s.b, error);

        if (r < 0)
                return r;
        blkid_probe probe = s.b.blkid_new_probe();
        if (!probe)
                return error_memory(error);
        r = scan(&s, probe);
        s.b.blkid_free_probe(probe);
        return r;
}
