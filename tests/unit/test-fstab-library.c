/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmount at the point of use: there, and on a host that lacks it. */
#include "mounts/fstab_library.h"

#include <dlfcn.h>

#include "helpers.h"

static bool is_loaded(void) {
        void *library = dlopen("libmount.so.1", RTLD_NOW | RTLD_NOLOAD);

        if (library)
                dlclose(library);
        return library != NULL;
}

static void without_the_library(void *userdata) {
        struct libmount library;
        struct error e = { 0 };

        CHECK(chroot(userdata) == 0 && chdir("/") == 0);
        memset(&library, 'x', sizeof library);
        CHECK(libmount_open(&library, &e) == -EOPNOTSUPP);
        CHECK(e.code == EOPNOTSUPP && strstr(e.text, "libmount, which cannot be loaded: libmount.so.1"));
        for (size_t i = 0; i < sizeof library; i++)
                CHECK(((const char *) &library)[i] == 'x'); /* nothing is given out on failure */
}

static void hosts_may_lack_it(void **state) {
        char dir[] = "/tmp/test-library-XXXXXX";

        (void) state;
        need_root();
        assert_false(is_loaded()); /* who reads no fstab does not load it */
        assert_non_null(mkdtemp(dir));
        int status = run_child(without_the_library, dir);
        assert_int_equal(rmdir(dir), 0);
        assert_int_equal(status, 0);
}

static void all_functions_are_found(void **state) {
        struct libmount library = { 0 };
        struct error e = { 0 };

        (void) state;
        if (libmount_open(&library, &e) < 0) {
                print_message("%s\n", e.text);
                skip();
        }
        assert_true(is_loaded());
#define X(name) assert_non_null(library.name);
        LIBMOUNT_FUNCTIONS(X)
#undef X
        struct libmnt_table *table = library.mnt_new_table();
        assert_non_null(table);
        library.mnt_unref_table(table);
        char *value = NULL;
        size_t size = 0;
        assert_int_equal(library.mnt_optstr_get_option("ro,size=5,x", "size", &value, &size), 0);
        assert_int_equal(size, 1);
        assert_int_equal(*value, '5');
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(hosts_may_lack_it),
                cmocka_unit_test(all_functions_are_found),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
