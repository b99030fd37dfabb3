/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libblkid has what is used of it, and is not loaded before. */
#include "mounts/image_library.h"

#include <dlfcn.h>

#include "helpers.h"

static void all_functions_are_found(void **state) {
        struct libblkid library = { 0 };
        struct error e = { 0 };

        (void) state;
        assert_null(dlopen("libblkid.so.1", RTLD_NOW | RTLD_NOLOAD));
        if (libblkid_open(&library, &e) < 0) {
                print_message("%s\n", e.text);
                skip();
        }
#define X(name) assert_non_null(library.name);
        LIBBLKID_FUNCTIONS(X)
#undef X
        blkid_probe probe = library.blkid_new_probe();
        assert_non_null(probe);
        library.blkid_free_probe(probe);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(all_functions_are_found) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
