/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock that systemd's programs know, in a /run of our own. */
#include "launcher/image_lock.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "basic/text.h"
#include "helpers.h"

#define LOCKS "/run/systemd/nspawn/locks"

struct scene {
        struct root_probe root;
        char file[96];
        struct error error;
};

static void open_scene(struct scene *s, bool booted) {
        struct stat st;

        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("run", "/run", "tmpfs", 0, NULL) == 0 && mkdir("/run/root", 0755) == 0);
        CHECK(mkdir("/run/systemd", 0755) == 0 && (!booted || mkdir("/run/systemd/system", 0755) == 0));
        s->root = (struct root_probe){ .path = (char *) "/run/root",
                                       .lock_fd = open("/run/root", O_RDONLY | O_CLOEXEC) };
        CHECK(s->root.lock_fd >= 0 && fstat(s->root.lock_fd, &st) == 0);
        snprintf(s->file, sizeof s->file, LOCKS "/inode-%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
}

static void alone(void *userdata) {
        struct scene s = { 0 };
        struct image_lock one = IMAGE_LOCK_NONE, two = IMAGE_LOCK_NONE;
        struct stat st;

        (void) userdata;
        open_scene(&s, true);
        CHECK(image_lock_take(&s.root, false, &one, &s.error) == 0);
        CHECK(stat(s.file, &st) == 0 && (st.st_mode & 07777) == 0600);
        CHECK(fcntl(one.fd, F_GETFD) == FD_CLOEXEC);
        CHECK(image_lock_take(&s.root, true, &two, &s.error) == -EBUSY && two.fd < 0);
        CHECK(strstr(s.error.text, "/run/root is in use by another program") && s.error.hint[0]);
        image_lock_clean("/run/root"); /* it is held */
        CHECK(access(s.file, F_OK) == 0);
        image_lock_release(&one);
        image_lock_release(&one);
        CHECK(access(s.file, F_OK) < 0 && errno == ENOENT);
}

static void shared(void *userdata) {
        struct scene s = { 0 };
        struct image_lock one = IMAGE_LOCK_NONE, two = IMAGE_LOCK_NONE, three = IMAGE_LOCK_NONE;

        (void) userdata;
        open_scene(&s, true);
        CHECK(image_lock_take(&s.root, true, &one, &s.error) == 0);
        CHECK(image_lock_take(&s.root, true, &two, &s.error) == 0);
        CHECK(image_lock_take(&s.root, false, &three, &s.error) == -EBUSY);
        image_lock_release(&one);
        CHECK(access(s.file, F_OK) == 0);
        CHECK(image_lock_take(&s.root, false, &three, &s.error) == -EBUSY);
        image_lock_release(&two);
        CHECK(access(s.file, F_OK) < 0);
}

static void left_behind(void *userdata) {
        struct scene s = { 0 };
        struct image_lock one = IMAGE_LOCK_NONE, two = IMAGE_LOCK_NONE;

        (void) userdata;
        open_scene(&s, true);
        image_lock_clean("/run/root"); /* there is no directory yet */
        CHECK(image_lock_take(&s.root, false, &one, &s.error) == 0);
        fd_close(one.fd); /* as by SIGKILL */
        CHECK(access(s.file, F_OK) == 0);
        CHECK(image_lock_take(&s.root, false, &two, &s.error) == 0);
        fd_close(two.fd);
        image_lock_clean("/nonexistent");
        CHECK(access(s.file, F_OK) == 0);
        image_lock_clean("/run/root");
        CHECK(access(s.file, F_OK) < 0);
}

/* A link that somebody has put there is not followed. */
static void a_link(void *userdata) {
        struct scene s = { 0 };
        struct image_lock one = IMAGE_LOCK_NONE;

        (void) userdata;
        open_scene(&s, true);
        CHECK(mkdir("/run/systemd/nspawn", 0755) == 0 && mkdir(LOCKS, 0755) == 0 && symlink("/run/x", s.file) == 0);
        CHECK(image_lock_take(&s.root, false, &one, &s.error) == -ELOOP);
        CHECK(strstr(s.error.text, "cannot lock inode-") && access("/run/x", F_OK) < 0);
}

static void without_systemd(void *userdata) {
        struct scene s = { 0 };
        struct image_lock one = IMAGE_LOCK_NONE;

        (void) userdata;
        open_scene(&s, false);
        CHECK(image_lock_take(&s.root, false, &one, &s.error) == 0 && one.fd < 0);
        CHECK(access("/run/systemd/nspawn", F_OK) < 0);
        image_lock_release(&one);
}

static void (*const scenes[])(void *) = { alone, shared, left_behind, a_link, without_systemd };

static void all_scenes(void **state) {
        (void) state;
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(scenes); i++)
                assert_int_equal(run_child(scenes[i], NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(all_scenes) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
