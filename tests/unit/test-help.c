/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "launcher/help.h"
#include "launcher/options.h"
#include "unit.h"

/* What PRINT writes to standard output; the caller frees. */
static char *captured(int (*print)(void)) {
        int saved = dup(1), memory = memfd_create("help", MFD_CLOEXEC);
        char *text = NULL;
        size_t size;

        assert_true(saved >= 0 && memory >= 0);
        fflush(stdout);
        dup2(memory, 1);
        int r = print();
        dup2(saved, 1);
        close(saved);
        assert_int_equal(r, 0);
        lseek(memory, 0, SEEK_SET);
        assert_int_equal(fd_read_file(memory, 1 << 16, &text, &size), 0);
        close(memory);
        return text;
}

static void help_fits_and_is_complete(void **state) {
        _cleanup_free_ char *text = captured(help_print);
        /* Callers look for these words before they use the options. */
        static const char *const probed[] = { "--pipe", "--console", "--resolv-conf", "--chdir" };
        char word[64];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(probed); i++)
                assert_non_null(strstr(text, probed[i]));
        assert_null(strstr(text, "--suppress-sync")); /* used by callers that find it here */
        for (size_t i = 0; i < option_count; i++) {
                snprintf(word, sizeof word, " --%s", option_table[i].name);
                assert_non_null(strstr(text, word));
        }
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                if (strlen(line) > 80)
                        fail_msg("%zu columns: %s", strlen(line), line);
}

/* Callers read "systemd NUMBER" out of the first line. */
static void version_begins_as_callers_expect(void **state) {
        _cleanup_free_ char *text = captured(version_print);
        unsigned level;
        char rest[64];

        (void) state;
        assert_int_equal(sscanf(text, "systemd %u (spawn %63[^)])\n", &level, rest), 2);
        assert_int_equal(level, 255);
        assert_string_equal(rest, SPAWN_VERSION);
}

static int full(int (*print)(void)) {
        int saved = dup(1), device = open("/dev/full", O_WRONLY | O_CLOEXEC);

        fflush(stdout);
        dup2(device, 1);
        int r = print();
        dup2(saved, 1);
        close(saved);
        close(device);
        clearerr(stdout);
        return r;
}

static void a_full_disk_is_an_error(void **state) {
        (void) state;
        if (access("/dev/full", W_OK) < 0)
                skip();
        assert_int_equal(full(help_print), -EIO);
        assert_int_equal(full(version_print), -EIO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(help_fits_and_is_complete),
                cmocka_unit_test(version_begins_as_callers_expect),
                cmocka_unit_test(a_full_disk_is_an_error),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
