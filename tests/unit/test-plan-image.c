/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the partitions beside the root are mounted. */
#include "made.h"

struct root {
        char path[32];
        int fd;
};

static void make_root(struct made *m, struct root *r, const char *const *directories) {
        strcpy(r->path, "/tmp/test-plan-XXXXXX");
        assert_non_null(mkdtemp(r->path));
        r->fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (; *directories; directories++)
                assert_int_equal(mkdirat(r->fd, *directories, 0755), 0);
        m->probe.root.fd = r->fd;
        m->probe.root.image.path = (char *) "/x/system.raw";
        m->probe.root.real_path = (char *) "/x/system.raw";
        for (size_t i = 0; i < IMAGE_PARTS; i++)
                m->probe.root.image.parts[i] = (struct image_partition){ .found = i != PART_BOOT && i != PART_USR,
                                                                         .number = (int) i + 1,
                                                                         .type = "ext4" };
}

static void drop_root(struct root *r) {
        close(r->fd);
        remove_tree_at(r->path);
}

static void where_there_is_a_directory(void **state) {
        static const char *const directories[] = { "home", "tmp", "efi", "boot", NULL };
        struct made *m = *state;
        struct root r;

        make_root(m, &r, directories);
        m->spec.start = START_BOOT;
        made_plan(m);
        assert_string_equal(m->plan.machine, "system");
        assert_string_equal(made_mount(m, "/home")->origin, "--image");
        assert_non_null(made_mount(m, "/efi"));
        assert_null(made_mount(m, "/boot"));
        assert_null(made_mount(m, "/srv"));
        assert_null(made_mount(m, "/var"));
        assert_string_equal(made_mount(m, "/tmp")->type, "ext4"); /* instead of the tmpfs of a boot */
        drop_root(&r);
}

static void firmware_covers_nothing(void **state) {
        static const char *const directories[] = { "efi", "boot", NULL };
        struct made *m = *state;
        struct root r;

        make_root(m, &r, directories);
        put_text(r.fd, "efi/file", "x");
        made_plan(m);
        assert_null(made_mount(m, "/efi"));
        assert_non_null(made_mount(m, "/boot"));
        put_text(r.fd, "boot/vmlinuz", "x");
        made_plan(m);
        assert_null(made_mount(m, "/boot"));
        drop_root(&r);
}

/* A link where a directory is looked for. */
static void links_are_of_the_root(void **state) {
        static const char *const directories[] = { "other", NULL };
        struct made *m = *state;
        struct root r;

        make_root(m, &r, directories);
        assert_int_equal(symlinkat("/nowhere", r.fd, "home"), 0);
        assert_int_equal(symlinkat("../../../../etc", r.fd, "efi"), 0); /* there is no etc in the root */
        made_plan(m);
        assert_null(made_mount(m, "/home"));
        assert_null(made_mount(m, "/efi"));
        drop_root(&r);
}

static void nothing_without_an_image(void **state) {
        struct made *m = *state;

        made_plan(m);
        assert_null(made_mount(m, "/home"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(where_there_is_a_directory),
                MADE_TEST(firmware_covers_nothing),
                MADE_TEST(links_are_of_the_root),
                MADE_TEST(nothing_without_an_image),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
