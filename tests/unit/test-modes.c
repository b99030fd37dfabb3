/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "console/modes.h"
#include "unit.h"

static const struct {
        const char *in, *undo;
} cases[] = {
        { "", "" },
        { "text \033[1;31mred\033[0m\r\n\033[2J\033[H", "" },
        { "\033[?1049h", "\033[?1049l" },
        { "\033[?1049hvi\033[?1049l", "" },
        { "\033[?1049h\033[?47l", "" },
        { "\033[?47h\033[?1049h", "\033[?47l" },
        { "\033[?1049l", "" }, /* it was not in use: undoing it would move the cursor */
        { "\033[?25l", "\033[?25h" },
        { "\033[?25l\033[?25h", "" },
        { "\033[?25h\033[?7h", "" },
        { "\033[?7l", "\033[?7h" },
        { "\033[?1000;1002;1006h", "\033[?1000l\033[?1002l\033[?1006l" },
        { "\033[?1000;1006h\033[?1000l", "\033[?1006l" },
        { "\033[?2004h", "\033[?2004l" },
        { "\033[?0002004h", "\033[?2004l" },
        { "\033[2004h", "" },
        { "\033[>2004h", "" },
        { "\033[?2004$p", "" },
        { "\033[?1$h", "" },
        { "\033[4h", "\033[4l" },
        { "\033[?4h", "" },
        { "\033=", "\033>" },
        { "\033=\033>", "" },
        { "\033[?1h\033=", "\033>\033[?1l" },
        { "\033[?1049h\033[?25l\033=\033[4h\033c", "" },
        { "\033[?20\n04h", "\033[?2004l" },
        { "\033[?25\033[?2004h", "\033[?2004l" },
        { "\033[?25\030l", "" },
        { "\033]0;[?25l\a", "" },
        { "\033]0;\033[?25l", "\033[?25h" },
        { "\033]0;unfinished", "\030" },
        { "\033[?25l\033[12", "\030\033[?25h" },
        { "\033P", "\030" },
        { "\033", "\030" },
        { "\033[?99999999999999999999h", "" },
        { "\033[?1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19h", "\033[?9l\033[?1l\033[?5l\033[?6l" },
};

static void test_any_cut(void **state) {
        uint8_t undo[MODES_UNDO_MAX];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t cut = 0; cut <= strlen(cases[i].in); cut++) {
                        struct modes m = { 0 };
                        modes_see(&m, (const uint8_t *) cases[i].in, cut);
                        modes_see(&m, (const uint8_t *) cases[i].in + cut, strlen(cases[i].in) - cut);
                        size_t n = modes_undo(&m, undo);
                        assert_int_equal(n, strlen(cases[i].undo));
                        assert_memory_equal(undo, cases[i].undo, n);
                }
}

/* All at once fits, and undoing undoes. */
static void test_random(void **state) {
        static const char bytes[] = "\033[?;01234567890hl=>c]\a\030\n";
        static const char *const all = "\033[?2026;9;1000;1001;1002;1003;1005;1006;1015;1016;1004;2004h"
                                       "\033[?1;66;5;6;69;1049h\033[?7;25l\033[4h\033=\033]";
        uint8_t undo[MODES_UNDO_MAX];
        struct modes m = { 0 };

        (void) state;
        modes_see(&m, (const uint8_t *) all, strlen(all));
        size_t n = modes_undo(&m, undo);
        assert_true(n > 100 && n < MODES_UNDO_MAX - 16);
        modes_see(&m, undo, n);
        assert_int_equal(modes_undo(&m, undo), 0);
        srandom(11);
        for (int i = 0; i < 100000; i++) {
                uint8_t data[32];
                for (size_t k = 0; k < sizeof data; k++)
                        data[k] = random() % 8 ? (uint8_t) bytes[(size_t) random() % (sizeof bytes - 1)]
                                               : (uint8_t) random();
                modes_see(&m, data, (size_t) random() % sizeof data);
                struct modes copy = m;
                modes_see(&copy, undo, modes_undo(&m, undo));
                assert_int_equal(modes_undo(&copy, undo), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_cut), cmocka_unit_test(test_random) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
