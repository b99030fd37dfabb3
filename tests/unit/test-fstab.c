/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/fstab.h"

enum { R = MOUNT_ATTR_RDONLY, S = MOUNT_ATTR_NOSUID, D = MOUNT_ATTR_NODEV, X = MOUNT_ATTR_NOEXEC };
enum { PRIVATE = 1 << 18, SLAVE = 1 << 19, SHARED = 1 << 20, UNBINDABLE = 1 << 17 }; /* MS_*, mount(2) */

static char path[] = "/tmp/test-fstab-XXXXXX";

static int load(const char *text, size_t size, struct mount_list *list, struct error *e) {
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, size, f), size);
        assert_int_equal(fclose(f), 0);
        return fstab_load(path, list, e);
}

struct expected {
        const char *line;
        struct mount_op op;
};

static void check(const struct mount_op *op, const struct mount_op *x) {
        assert_int_equal(op->kind, x->kind);
        assert_int_equal(op->side, x->side);
        assert_true(text_equal(op->source, x->source));
        assert_true(text_equal(op->target, x->target));
        assert_true(text_equal(op->type, x->type));
        assert_true(text_equal(op->options, x->options));
        assert_int_equal(op->attributes, x->attributes);
        assert_int_equal(op->clear, x->clear);
        assert_int_equal(op->recursive, x->recursive);
        assert_int_equal(op->optional, x->optional);
        assert_int_equal(op->create, x->create);
        assert_int_equal(op->propagation, x->propagation ? x->propagation : PRIVATE);
        assert_false(op->source_in_root);
}

#define BIND                                                                                                          \
        .kind = MOUNT_BIND, .source = (char[]){ "/s" }, .target = (char[]) {                                          \
                "/t"                                                                                                  \
        }
#define NEW(t)                                                                                                        \
        .kind = MOUNT_NEW, .source = (char[]){ "x" }, .target = (char[]){ "/t" }, .type = (char[]) {                  \
                t                                                                                                     \
        }
#define TEXT(t) ((char[]){ t })

static void lines(void **state) {
        const struct expected cases[] = {
                { "/s /t none bind 0 0", { BIND } },
                { "/s t none bind", { BIND } },
                { "  /s\t//t/./  none\tbind,defaults 0 0", { BIND } },
                { "/s /t none rbind 0 0", { BIND, .recursive = true } },
                { "/s /t none bind,rprivate 0 0", { BIND } },
                { "/s /t none ro,bind 0 0", { BIND, .attributes = R } },
                { "/s /t none bind,rw,suid 0 0", { BIND, .clear = R | S } },
                { "/s /t none bind,nosuid,suid,dev,nodev 0 0", { BIND, .clear = S, .attributes = D } },
                { "/s /t auto rbind,noexec,noatime 0 0",
                  { BIND, .recursive = true, .attributes = X | MOUNT_ATTR_NOATIME } },
                { "/s /t none bind,strictatime,nodiratime",
                  { BIND, .attributes = MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODIRATIME } },
                { "/s /t none bind,relatime", { BIND, .clear = MOUNT_ATTR__ATIME } },
                { "/s /t none bind,atime", { BIND, .clear = MOUNT_ATTR__ATIME } },
                { "/s /t none bind,slave", { BIND, .propagation = SLAVE } },
                { "/s /t none rbind,rshared", { BIND, .recursive = true, .propagation = SHARED } },
                { "/s /t none bind,unbindable", { BIND, .propagation = UNBINDABLE } },
                { "/s /t none bind,nofail", { BIND, .optional = true } },
                { "/s /t none bind,X-mount.mkdir", { BIND, .create = true } },
                { "/s /t none bind,user", { BIND, .attributes = S | D | X } },
                { "/s /t none bind,_netdev,x-systemd.automount,comment=a", { BIND } },
                { "x /t tmpfs size=1m,nosuid,mode=0700 0 0",
                  { NEW("tmpfs"), .attributes = S, .options = TEXT("size=1m,mode=0700") } },
                { "x /t tmpfs ro 0 0", { NEW("tmpfs"), .attributes = R } },
                { "x /t tmpfs defaults", { NEW("tmpfs") } },
                { "x /t tmpfs", { NEW("tmpfs") } },
                { "x /t tmpfs rootcontext=a,roses=1", { NEW("tmpfs"), .options = TEXT("rootcontext=a,roses=1") } },
                { "x /t tmpfs sync,size=1", { NEW("tmpfs"), .options = TEXT("sync,size=1") } },
                { "x /t proc hidepid=2,nosuid",
                  { NEW("proc"), .side = SIDE_CHILD, .attributes = S, .options = TEXT("hidepid=2") } },
                { "x /t sysfs ro", { NEW("sysfs"), .side = SIDE_CHILD, .attributes = R } },
                { "/dev/x /t ext4 ro,errors=continue",
                  { .kind = MOUNT_NEW,
                    .source = TEXT("/dev/x"),
                    .target = TEXT("/t"),
                    .type = TEXT("ext4"),
                    .attributes = R,
                    .options = TEXT("ro,errors=continue") } },
                { "/a\\040b /c\\011d none bind",
                  { .kind = MOUNT_BIND, .source = TEXT("/a b"), .target = TEXT("/c\td") } },
                { "a/b c/d none bind", { .kind = MOUNT_BIND, .source = TEXT("a/b"), .target = TEXT("/c/d") } },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct mount_list list = { 0 };
                struct error e = { 0 };
                int r = load(cases[i].line, strlen(cases[i].line), &list, &e);

                if (r < 0)
                        print_error("%s: %s\n", cases[i].line, e.text);
                assert_int_equal(r, 0);
                assert_int_equal(list.count, 1);
                check(&list.ops[0], &cases[i].op);
                mount_list_free(&list);
        }
}

static void whole_file(void **state) {
        static const char text[] = "# a comment\n"
                                   "\n"
                                   "  \t \n"
                                   "/a /b none bind 0 0\n"
                                   "   # another\n"
                                   "/dev/x none swap sw 0 0\n"
                                   "/dev/y swap swap defaults 0 0\n"
                                   "/c /d none bind,noauto 0 0\r\n"
                                   "/e /f none rbind 0 0\r\n"
                                   "x /a tmpfs defaults 0 0";
        static const char *const targets[] = { "/first", "/b", "/f", "/a" };
        static const int line_numbers[] = { 0, 4, 9, 10 };
        struct mount_list list = { 0 };
        struct mount_op first = { .target = strdup("/first") };
        struct error e;

        (void) state;
        assert_int_equal(mount_list_add(&list, &first), 0);
        assert_int_equal(load(text, sizeof text - 1, &list, &e), 0);
        assert_int_equal(list.count, 4);
        for (size_t i = 0; i < list.count; i++) {
                char origin[64];
                snprintf(origin, sizeof origin, "%s:%d", path, line_numbers[i]);
                assert_string_equal(list.ops[i].target, targets[i]);
                if (i > 0)
                        assert_string_equal(list.ops[i].origin, origin);
        }
        mount_list_free(&list);
        assert_int_equal(load("", 0, &list, &e), 0);
        assert_int_equal(list.count, 0);
}

static void bad_lines(void **state) {
        static const struct {
                const char *line, *message;
        } cases[] = {
                { "nonsense", "no line of an fstab" },
                { "/a /b", "no line of an fstab" },
                { "/a / none bind", "\"/\"" },
                { "/a /../b none bind", "\"/../b\"" },
                { "/a b/../../c none bind", "b/../../c" },
                { "x /t none defaults", "neither a bind nor" },
                { "x /t auto ro", "neither a bind nor" },
                { "/a /t ext4 loop", "loop devices" },
                { "/a /t none bind,remount", "cannot be moved or mounted again" },
                { "LABEL=surely-no-such-label-here /t ext4 ro", "no device \"LABEL=surely" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct mount_list list = { 0 };
                struct error e = { 0 };
                char text[128], start[64];

                snprintf(text, sizeof text, "/a /b none bind\n#\n%s\n/c /d none bind\n", cases[i].line);
                int r = load(text, strlen(text), &list, &e);
                if (r != -EINVAL || !strstr(e.text, cases[i].message))
                        print_error("%s: %d %s\n", cases[i].line, r, e.text);
                assert_int_equal(r, -EINVAL);
                snprintf(start, sizeof start, "%s:3: ", path);
                assert_true(text_starts_with(e.text, start));
                assert_non_null(strstr(e.text, cases[i].message));
                assert_int_equal(list.count, 0);
                assert_null(list.ops);
        }
}

static void bad_files(void **state) {
        struct mount_list list = { 0 };
        struct error e;

        (void) state;
        assert_int_equal(fstab_load("/no such file", &list, &e), -ENOENT);
        assert_non_null(strstr(e.text, "/no such file"));
        assert_int_equal(fstab_load("/tmp", &list, &e), -EISDIR);
        assert_int_equal(fstab_load("/dev/zero", &list, &e), -EFBIG);
        assert_int_equal(load("/a /b none bind\n\0/c /d none bind\n", 33, &list, &e), -EINVAL);
        assert_int_equal(list.count, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines),
                cmocka_unit_test(whole_file),
                cmocka_unit_test(bad_lines),
                cmocka_unit_test(bad_files),
        };
        void *library = dlopen("libmount.so.1", RTLD_NOW);
        int r;

        if (!library) {
                fputs("there is no libmount here\n", stderr);
                return 77; /* skipped */
        }
        dlclose(library);
        int fd = mkstemp(path);
        if (fd < 0)
                return 1;
        close(fd);
        r = cmocka_run_group_tests_name("fstab", tests, NULL, NULL);
        unlink(path);
        return r;
}
