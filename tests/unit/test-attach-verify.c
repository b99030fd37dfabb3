/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each promise of a mount, and that its breaking is seen. In a mount namespace of the test's own. */
#include <linux/mount.h>
#include <sched.h>

#include "basic/syscalls.h"
#include "helpers.h"
#include "mounts/attach.h"
#include "mounts/context.h"

#define PROMISES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static struct mount_op ops[] = {
        { .kind = MOUNT_NEW, .target = (char *) "/a", .type = (char *) "tmpfs", .attributes = PROMISES },
        { .kind = MOUNT_NEW, .target = (char *) "/b", .type = (char *) "tmpfs", .attributes = PROMISES },
};
static struct mount_list list = { ops, ELEMENTSOF(ops) };

struct place {
        int root, fds[ELEMENTSOF(ops)];
};

static void change(int fd, uint64_t set, uint64_t clear) {
        struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

        CHECK(sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0);
}

/* Both file systems at their places below a root of one tmpfs. */
static struct place set_up(void) {
        struct mount_op top = { .target = (char *) "/", .type = (char *) "tmpfs" };
        struct mount_attr private = { .propagation = 1UL << 18 };
        struct place p;

        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private) == 0);
        p.root = context_mount(&top, "tmpfs", NULL, 0, NULL);
        CHECK(p.root >= 0);
        CHECK(sys_move_mount(p.root, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH) == 0);
        for (size_t i = 0; i < ELEMENTSOF(ops); i++) {
                CHECK(mkdirat(p.root, ops[i].target + 1, 0755) == 0);
                p.fds[i] = context_mount(&ops[i], ops[i].type, NULL, ops[i].attributes, NULL);
                CHECK(sys_move_mount(p.fds[i], "", p.root, ops[i].target + 1, MOVE_MOUNT_F_EMPTY_PATH) == 0);
        }
        return p;
}

static void check_flags(void *userdata) {
        static const struct {
                uint64_t flag;
                const char *says;
        } flags[] = {
                { MOUNT_ATTR_RDONLY, "/b in the container is not what it has to be: not read-only" },
                { MOUNT_ATTR_NOSUID, "not nosuid" },
                { MOUNT_ATTR_NODEV, "not nodev" },
                { MOUNT_ATTR_NOEXEC, "not noexec" },
        };
        struct place p = set_up();
        struct error e = { 0 };

        (void) userdata;
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == 0);
        for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
                change(p.fds[1], 0, flags[i].flag);
                CHECK(mounts_verify(&list, p.root, p.fds, &e) == -EPROTO);
                CHECK(strstr(e.text, flags[i].says) != NULL);
                change(p.fds[1], flags[i].flag, 0);
        }
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == 0);
        /* More than was promised is no breach. */
        change(p.fds[0], MOUNT_ATTR_NOSYMFOLLOW, 0);
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == 0);
}

/* Something else lies at the place, although each of its flags is right; or nothing does. */
static void check_places(void *userdata) {
        struct mount_op other = { .target = (char *) "/b", .type = (char *) "ramfs" };
        struct place p = set_up();
        struct error e = { 0 };
        int fd = context_mount(&other, "ramfs", NULL, PROMISES, NULL);

        (void) userdata;
        CHECK(sys_move_mount(fd, "", p.fds[1], "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0);
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == -EPROTO);
        CHECK(strstr(e.text, "another file system is there") != NULL);
        /* What a later mount of the list covers is that mount's business. */
        ops[0].target = (char *) "/b/below";
        ops[1].target = (char *) "/b";
        p.fds[0] = -EBADF;
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == -EPROTO);
        p.fds[1] = -EBADF; /* left out: nothing is asked of it */
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == 0);
        ops[1].target = (char *) "/gone";
        p.fds[1] = fd;
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == -ENOENT);
        /* Of a bind without attributes nothing was promised, so it is not even looked for. */
        ops[1] = (struct mount_op){ .kind = MOUNT_BIND, .target = (char *) "/gone" };
        CHECK(mounts_verify(&list, p.root, p.fds, &e) == 0);
}

static void each_flag_is_read_back(void **state) {
        (void) state;
        need_root();
        assert_int_equal(run_child(check_flags, NULL), 0);
}

static void the_file_system_is_looked_at(void **state) {
        (void) state;
        need_root();
        assert_int_equal(run_child(check_places, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_flag_is_read_back),
                cmocka_unit_test(the_file_system_is_looked_at),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
