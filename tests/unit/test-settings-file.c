/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a machine's settings file is looked for: the place beside the root. The others are the host's. */
#include "launcher/settings.h"

#include <errno.h>
#include <sys/file.h>

#include "helpers.h"

#define NAME "spawn-test-settings"

static char top[] = "/tmp/test-settings-XXXXXX";
static int top_fd;

struct loaded {
        struct spec spec;
        struct error error;
        int r;
};

static struct loaded load(const char *directory, const char *image, const char *machine, enum settings_mode mode) {
        struct loaded l = { .r = 0 };

        spec_init(&l.spec);
        l.spec.settings = mode;
        l.spec.directory = directory ? strdup(directory) : NULL;
        l.spec.image = image ? strdup(image) : NULL;
        l.spec.machine = machine ? strdup(machine) : NULL;
        l.r = settings_load(&l.spec, &l.error);
        return l;
}

static void found(struct loaded l, const char *file, const char *user, bool trusted) {
        _cleanup_free_ char *path = file ? text_format("%s/%s", top, file) : NULL;

        if (l.r != 0 || !text_equal(l.spec.settings_file, path))
                fail_msg("%d \"%s\" %s", l.r, l.error.text, l.spec.settings_file ? l.spec.settings_file : "none");
        assert_true(text_equal(l.spec.user, user));
        assert_int_equal(l.spec.settings_trusted, trusted);
        spec_free(&l.spec);
}

static void refused(struct loaded l, int code, const char *says) {
        if (l.r != code || !strstr(l.error.text, says))
                fail_msg("%d \"%s\"", l.r, l.error.text);
        assert_null(l.spec.settings_file);
        spec_free(&l.spec);
}

static void set_up_tree(void) {
        assert_non_null(mkdtemp(top));
        top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(top_fd, "deep", 0755), 0);
        assert_int_equal(mkdirat(top_fd, "deep/" NAME, 0755), 0);
        assert_int_equal(symlinkat("deep/" NAME, top_fd, "link"), 0);
        put_text(top_fd, NAME ".raw", "");
        put_text(top_fd, "deep/" NAME ".nspawn", "[Exec]\nUser=deep\n");
        put_text(top_fd, NAME ".nspawn", "[Exec]\nUser=shallow\n");
        put_text(top_fd, NAME "-2.nspawn", "[Exec]\nUser=second\n");
}

static void beside_the_root(void **state) {
        char path[128];

        (void) state;
        snprintf(path, sizeof path, "%s/deep/" NAME, top);
        found(load(path, NULL, NULL, SETTINGS_YES), "deep/" NAME ".nspawn", "deep", false);
        found(load(path, NULL, NULL, SETTINGS_OVERRIDE), "deep/" NAME ".nspawn", "deep", false);
        found(load(path, NULL, NULL, SETTINGS_TRUSTED), "deep/" NAME ".nspawn", "deep", true);
        found(load(path, NULL, NULL, SETTINGS_NO), NULL, NULL, false);
        found(load(path, NULL, NAME "-3", SETTINGS_YES), NULL, NULL, false);
        strcat(path, "///");
        found(load(path, NULL, NULL, SETTINGS_YES), "deep/" NAME ".nspawn", "deep", false);
        strcat(path, ".");
        found(load(path, NULL, NULL, SETTINGS_YES), "deep/" NAME ".nspawn", "deep", false);
        /* The name is that of what the link leads to, as the machine's is; the place is the link's. */
        snprintf(path, sizeof path, "%s/link", top);
        found(load(path, NULL, NULL, SETTINGS_YES), NAME ".nspawn", "shallow", false);
        found(load(path, NULL, NAME "-2", SETTINGS_YES), NAME "-2.nspawn", "second", false);
        snprintf(path, sizeof path, "%s/" NAME ".raw", top);
        found(load(NULL, path, NULL, SETTINGS_YES), NAME ".nspawn", "shallow", false);
}

/* Relative paths, and none. */
static void from_the_working_directory(void **state) {
        _cleanup_close_ int old = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        (void) state;
        assert_int_equal(fchdir(top_fd), 0);
        found(load("deep/" NAME, NULL, NULL, SETTINGS_YES), "deep/" NAME ".nspawn", "deep", false);
        found(load("link", NULL, NULL, SETTINGS_YES), NAME ".nspawn", "shallow", false);
        found(load(NULL, NAME ".raw", NULL, SETTINGS_YES), NAME ".nspawn", "shallow", false);
        assert_int_equal(chdir("deep/" NAME), 0);
        found(load(NULL, NULL, NULL, SETTINGS_YES), "deep/" NAME ".nspawn", "deep", false);
        found(load(".", NULL, NULL, SETTINGS_YES), "deep/" NAME ".nspawn", "deep", false);
        found(load("..", NULL, NAME, SETTINGS_YES), NAME ".nspawn", "shallow", false);
        assert_int_equal(fchdir(old), 0);
}

static void what_is_not_there_is_complained_of_later(void **state) {
        (void) state;
        found(load("/no/such/root", NULL, NULL, SETTINGS_YES), NULL, NULL, false);
        found(load("/no/such/root", NULL, NAME, SETTINGS_YES), NULL, NULL, false);
        found(load("/", NULL, NULL, SETTINGS_YES), NULL, NULL, false); /* no name, and nothing beside it */
        found(load("/", NULL, NAME, SETTINGS_YES), NULL, NULL, false);
        refused(load(NULL, NULL, "spawn-test-no-such-machine", SETTINGS_YES), -ENOENT, "there is no machine");
        found(load(NULL, NULL, "spawn-test-no-such-machine", SETTINGS_NO), NULL, NULL, false);
}

static void only_regular_files_of_some_size(void **state) {
        enum { LIMIT = 1 << 20 };
        _cleanup_free_ char *large = malloc(LIMIT + 1);
        char path[128];

        (void) state;
        snprintf(path, sizeof path, "%s/deep", top);
        assert_int_equal(mkfifoat(top_fd, "deep.nspawn", 0644), 0);
        refused(load(path, NULL, NULL, SETTINGS_YES), -EINVAL,
                "deep.nspawn is no regular file"); /* and does not wait */
        unlinkat(top_fd, "deep.nspawn", 0);
        assert_int_equal(mkdirat(top_fd, "deep.nspawn", 0755), 0);
        refused(load(path, NULL, NULL, SETTINGS_YES), -EINVAL, "deep.nspawn is no regular file");
        unlinkat(top_fd, "deep.nspawn", AT_REMOVEDIR);
        assert_int_equal(symlinkat("/dev/zero", top_fd, "deep.nspawn"), 0);
        refused(load(path, NULL, NULL, SETTINGS_YES), -EINVAL, "deep.nspawn is no regular file");
        unlinkat(top_fd, "deep.nspawn", 0);
        assert_int_equal(symlinkat("deep.nspawn", top_fd, "deep.nspawn"), 0);
        refused(load(path, NULL, NULL, SETTINGS_YES), -ELOOP, "cannot read the settings file");
        unlinkat(top_fd, "deep.nspawn", 0);
        assert_int_equal(symlinkat("nothing", top_fd, "deep.nspawn"), 0);
        found(load(path, NULL, NULL, SETTINGS_YES), NULL, NULL, false);
        unlinkat(top_fd, "deep.nspawn", 0);
        assert_int_equal(symlinkat(NAME ".nspawn", top_fd, "deep.nspawn"), 0);
        found(load(path, NULL, NULL, SETTINGS_YES), "deep.nspawn", "shallow", false);
        unlinkat(top_fd, "deep.nspawn", 0);
        memset(large, '\n', LIMIT + 1);
        put_bytes(top_fd, "deep.nspawn", large, LIMIT + 1, 0644);
        refused(load(path, NULL, NULL, SETTINGS_YES), -EFBIG, "cannot read the settings file");
        put_bytes(top_fd, "deep.nspawn", large, LIMIT, 0644);
        found(load(path, NULL, NULL, SETTINGS_YES), "deep.nspawn", NULL, false);
        unlinkat(top_fd, "deep.nspawn", 0);
}

/* What is combined is looked at when all is known. */
static void combinations_are_checked_afterwards(void **state) {
        char path[128];

        (void) state;
        snprintf(path, sizeof path, "%s/deep", top);
        put_text(top_fd, "deep.nspawn", "[Exec]\nAmbientCapability=CAP_CHOWN\nBoot=yes\n");
        refused(load(path, NULL, NULL, SETTINGS_NO), 0, "");
        struct loaded l = load(path, NULL, NULL, SETTINGS_TRUSTED);
        assert_int_equal(l.r, -EINVAL);
        assert_non_null(strstr(l.error.text, "exclude each other"));
        spec_free(&l.spec);
        /* The file may take back what would not go together. */
        char *argv[] = { (char *) "spawn", (char *) "-ba", (char *) "--settings=override", NULL }, *none[] = { NULL };
        enum spec_action action;
        spec_init(&l.spec);
        assert_int_equal(spec_parse(&l.spec, 3, argv, none, &action, NULL), 0);
        assert_int_equal(spec_check(&l.spec, NULL), -EINVAL);
        l.spec.directory = strdup(path);
        put_text(top_fd, "deep.nspawn", "[Exec]\nProcessTwo=yes\n");
        assert_int_equal(settings_load(&l.spec, &l.error), 0);
        spec_free(&l.spec);
        unlinkat(top_fd, "deep.nspawn", 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(beside_the_root),
                cmocka_unit_test(from_the_working_directory),
                cmocka_unit_test(what_is_not_there_is_complained_of_later),
                cmocka_unit_test(only_regular_files_of_some_size),
                cmocka_unit_test(combinations_are_checked_afterwards),
        };

        set_up_tree();
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        close(top_fd);
        remove_tree_at(top);
        return r;
}
