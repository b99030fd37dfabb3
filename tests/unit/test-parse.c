/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/text.h"
#include "mounts/parse.h"

enum { R = MOUNT_ATTR_RDONLY, S = MOUNT_ATTR_NOSUID, D = MOUNT_ATTR_NODEV, X = MOUNT_ATTR_NOEXEC };
#define T MOUNT_ATTR_STRICTATIME

static void binds(void **state) {
        static const struct {
                const char *text, *source, *target;
                bool in_root, once; /* once: without what is mounted below */
                enum id_map id_map;
        } cases[] = {
                { "/a", "/a", "/a" },
                { "/a/../b:/c", "/a/../b", "/c" },
                { "/a:/b", "/a", "/b" },
                { "/a:/b:", "/a", "/b" },
                { "/a://b/./c//", "/a", "/b/c" },
                { "a/b:/c", "a/b", "/c" },
                { "+/a:/b", "/a", "/b", true },
                { "+/a", "/a", "/a", true },
                { ":/b", NULL, "/b" },
                { "/a\\:b:/c\\\\d", "/a:b", "/c\\d" },
                { "/a\\:b", "/a:b", "/a:b" },
                { "/a b:/c\td", "/a b", "/c\td" },
                { "/a:/b:norbind", "/a", "/b", false, true },
                { "/a:/b:rbind", "/a", "/b" },
                { "/a:/b:norbind,rbind", "/a", "/b" },
                { "/a:/b:noidmap,norbind", "/a", "/b", false, true },
                { "/a:/b:idmap", "/a", "/b" },
                { "/a:/b:rootidmap", "/a", "/b", false, false, ID_MAP_ROOT },
                { "/a:/b:norbind,owneridmap", "/a", "/b", false, true, ID_MAP_OWNER },
                { "+/a:/b:owneridmap,rootidmap", "/a", "/b", true, false, ID_MAP_ROOT },
                { ":/b:rootidmap", NULL, "/b", false, false, ID_MAP_ROOT },
                { "/a:/b:rootidmap,noidmap", "/a", "/b" },
                { "/a:/b:owneridmap,idmap", "/a", "/b" },
                { "/proc:/proc", "/proc", "/proc" },
                { "/sys:/sys/fs/cgroup", "/sys", "/sys/fs/cgroup" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int read_only = 0; read_only < 2; read_only++) {
                        struct mount_op op = { 0 };
                        struct error e = { 0 };
                        int r = mount_parse_bind(cases[i].text, read_only, "--bind", &op, &e);

                        assert_int_equal(r, 0);
                        assert_int_equal(op.kind, MOUNT_BIND);
                        assert_int_equal(op.side, cases[i].in_root ? SIDE_CHILD : SIDE_PARENT);
                        if (cases[i].source)
                                assert_string_equal(op.source, cases[i].source);
                        else
                                assert_null(op.source);
                        assert_string_equal(op.target, cases[i].target);
                        assert_string_equal(op.origin, "--bind");
                        assert_int_equal(op.source_in_root, cases[i].in_root);
                        assert_int_equal(op.recursive, !cases[i].once);
                        assert_int_equal(op.id_map, cases[i].id_map);
                        assert_int_equal(op.attributes, read_only ? R : 0);
                        assert_true(op.create);
                        assert_false(op.optional);
                        mount_op_free(&op);
                }
}

static void bad_binds(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { "", "names nothing" },
                { ":", "no absolute path" },
                { "a", "no absolute path" },
                { "/a:b", "\"b\" is no absolute path" },
                { "/a:", "no absolute path" },
                { "/a:/b/../c", "/b/../c" },
                { "/a/..", "/a/.." },
                { "/a:/..", "/.." },
                { "/a:/", "nothing can be mounted on \"/\"" },
                { "/", "nothing can be mounted on \"/\"" },
                { "/a://./", "nothing can be mounted on \"/\"" },
                { "+", "absolute path" },
                { "+a", "absolute path" },
                { "+a:/b", "absolute path" },
                { "+:/b", "absolute path" },
                { "/a\\", "backslash" },
                { "/a:/b\\", "backslash" },
                { "/a:/b:nonsense", "unknown option \"nonsense\" in \"/a:/b:nonsense\"" },
                { "/a:/b:rbind,x", "unknown option \"x\"" },
                { "/a:/b:rbind:x", "unknown option \"rbind:x\"" },
                { "/a:/b:RBIND", "unknown option" },
                { "/a:/b:rootidmap,idmaps", "unknown option \"idmaps\"" },
                { "/a:/b:idmap=u:0:1:2", "unknown option" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct mount_op op = { .recursive = true };
                struct error e = { 0 };

                assert_int_equal(mount_parse_bind(cases[i].text, false, "x.nspawn:7", &op, &e), -EINVAL);
                assert_non_null(strstr(e.text, cases[i].message));
                assert_true(text_starts_with(e.text, "x.nspawn:7: "));
                assert_int_equal(e.code, EINVAL);
                assert_null(op.target);
                assert_true(op.recursive); /* untouched */
        }
}

static void tmpfs(void **state) {
        static const struct {
                const char *text, *target, *options;
                uint64_t attributes;
        } cases[] = {
                { "/a", "/a", "mode=0755", D | T },
                { "/a:", "/a", NULL, D | T },
                { "/a:size=10%,mode=01777", "/a", "size=10%,mode=01777", D | T },
                { "/a:nosuid,size=1m,noexec", "/a", "size=1m", S | D | X | T },
                { "/a:dev,ro,relatime", "/a", NULL, R },
                { "/a:ro,rw,noatime,mode=0700", "/a", "mode=0700", D | MOUNT_ATTR_NOATIME },
                { "/a\\:b:nr_inodes=7,nodiratime", "/a:b", "nr_inodes=7", D | T | MOUNT_ATTR_NODIRATIME },
                { "/a:context=\"u:r,s0\",ro", "/a", "context=\"u:r,s0\"", D | T | R },
                { "/a:mpol=bind:0,,size=1", "/a", "mpol=bind:0,size=1", D | T },
                { "/a:rootcontext=x,rox=1", "/a", "rootcontext=x,rox=1", D | T },
        };
        static const char *const bad[] = { "", ":", "a", "/", "/a/../b", "a:size=1", ":size=1", "/a\\" };
        struct error e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct mount_op op = { 0 };

                assert_int_equal(mount_parse_tmpfs(cases[i].text, "--tmpfs", &op, &e), 0);
                assert_int_equal(op.kind, MOUNT_NEW);
                assert_int_equal(op.side, SIDE_PARENT);
                assert_string_equal(op.type, "tmpfs");
                assert_string_equal(op.target, cases[i].target);
                assert_true(text_equal(op.options, cases[i].options));
                assert_int_equal(op.attributes, cases[i].attributes);
                assert_true(op.create);
                mount_op_free(&op);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                struct mount_op op = { 0 };

                assert_int_equal(mount_parse_tmpfs(bad[i], "--tmpfs", &op, &e), -EINVAL);
                assert_true(text_starts_with(e.text, "--tmpfs: "));
                assert_null(op.type);
        }
}

static void inaccessible(void **state) {
        struct mount_op op = { 0 };
        struct error e;

        (void) state;
        assert_int_equal(mount_parse_inaccessible("//proc/./kcore:x/", "--inaccessible", &op, &e), 0);
        assert_int_equal(op.kind, MOUNT_MASK);
        assert_int_equal(op.side, SIDE_CHILD);
        assert_string_equal(op.target, "/proc/kcore:x");
        assert_int_equal(op.attributes, R | S | D | X);
        assert_false(op.optional || op.create);
        mount_op_free(&op);
        assert_int_equal(mount_parse_inaccessible("proc", "--inaccessible", &op, &e), -EINVAL);
        assert_int_equal(mount_parse_inaccessible("/proc/..", "--inaccessible", &op, &e), -EINVAL);
        assert_int_equal(mount_parse_inaccessible("/", "--inaccessible", &op, &e), -EINVAL);
        assert_int_equal(mount_parse_inaccessible("", "--inaccessible", &op, &e), -EINVAL);
        assert_null(op.target);
}

static void normalising(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "/", "/" },        { "//", "/" },      { "/.", "/" },      { "/a", "/a" },     { "/a/", "/a" },
                { "/a//b", "/a/b" }, { "/./a/.", "/a" }, { "/...", "/..." }, { "/..a", "/..a" }, { "/a..", "/a.." },
                { "/.a", "/.a" },    { "/..", NULL },    { "/a/..", NULL },  { "/../a", NULL },  { "a", NULL },
                { "", NULL },        { "./a", NULL },    { "/a/../", NULL },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = NULL;

                assert_int_equal(mount_normalise(cases[i].text, &path), cases[i].expected ? 0 : -EINVAL);
                assert_true(text_equal(path, cases[i].expected));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(binds),        cmocka_unit_test(bad_binds),   cmocka_unit_test(tmpfs),
                cmocka_unit_test(inaccessible), cmocka_unit_test(normalising),
        };

        return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
