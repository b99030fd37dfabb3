/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"
#include "console/safe.h"
#include "unit.h"

#define LONG_16 "1;2;3;4;5;6;7;8;"
#define LONG_256                                                                                                      \
        LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16       \
                LONG_16 LONG_16 LONG_16
#define EURO "\342\202\254"

/* What passes, byte by byte. */
static const char *const passing[] = {
        "",
        "plain text\r\n\ttab\b\a\177",
        "gr\303\274n " EURO " \360\237\230\200 \304\233 \304\235 \303\220\302\240\302\251",
        "\033[1;31mred\033[0m\033[38;2;1;2;3;48;2;4;5;6mx\033[4:3m",
        "\033[?1049h\033[2J\033[H\033[?25l\033[1;24r\033[c\033[>c\033[6n\033[?6n\033[5n\033[>q",
        "\033[14t\033[8 t\033[18t\033[22;0t\033[23;0t\033[8;21;80t\033[21m\033[20h\033[?2004$p\033[1;2;3;4$x",
        "\033]0;title with \304\235 and " EURO "\a",
        "\033]2;title\033\\",
        "\033]8;;http://x/?a=b\033\\link\033]8;;\033\\",
        "\033]7;file://h/dir\a\033]133;A\a\033]9;note\a",
        "\033]4;1;rgb:00/11/22\a\033]10;red\033\\\033]11;#000000\a",
        "\033]104\a\033]110\033\\\033]104;1\a",
        "\033]P0123456text\033]R",
        "\033(B\033)0\033=\0337\0338\033M\033c\033%G\033#8\033Z\033kscreen title\033\\",
        "\205\204\232\234\302\205",
        "\23331m\302\23331m",
        "\2350;title\234\2350;title\a",
        "\033[3\n1m",
        "invalid \377\376\300\257\340\200 \355\240\200 \342\202",
        "ends in \342\202x\303",
        "CAN \030 SUB \032",
};

static const struct {
        const char *in, *out;
} dropping[] = {
        { "a\033]52;c;aGVsbG8=\ab", "ab" },
        { "a\033]52;c;?\033\\b", "ab" },
        { "a\033]0052;c;x\ab", "ab" },
        { "a\033]5\n2;c;x\ab", "ab" },
        { "a\033] 52;c;x\ab", "ab" },
        { "a\033]52\ab", "ab" },
        { "a\033]52\033\\b", "ab" },
        { "a\033]999999999999999999999999952;x\ab", "a\033]999999999999999999999999952;x\ab" },
        { "a\23552;c;x\ab\302\23552;c;x\302\234c\33352;c;x\234d", "ab"
                                                                  "c\33352;c;x\234d" },
        { "a\23552;c;x\234b", "ab" },
        { "a\033[21tb\033[20tc\033[021td\033[21;1te\033[2\n1tf", "abcdef" },
        { "a\23321tb\302\23321tc", "abc" },
        { "a\005b\033[\0053\0051mc\033]0;t\005\ad", "ab\033[31mc\033]0;t\ad" },
        { "a\033P$qm\033\\b", "ab" },
        { "a\033P+q544e\033\\b\220$qm\234c\302\220x\302\234d", "abcd" },
        { "a\033_Gf=100;AAAA\033\\b\033^pm\033\\c\033Xsos\033\\d", "abcd" },
        { "a\033Pnot ended by BEL\ab\033\\c", "ac" },
        { "a\033Ptmux;\033\033]52;c;x\a\033\033[21t\033\\b", "ab" },
        { "a\033P\033]52;c;x\a\033\\b", "a\033\\b" },
        { "a\033]4;1;?\ab\033]10;?\033\\c\033]4;1;red;2;?\ad\033]11;\n?\ae", "abcde" },
        { "a\033]1337;File=:x\ab\033]51;[\"call\"]\ac\0333;?\a", "abc\0333;?\a" },
        { "a\033[1;1;1;1;1;1*yb\033[1$wc\033[1$ud\033[&ue\033[if\033[?5ig", "abcdefg" },
        /* As rxvt reads them. */
        { "a\033[21 tb\033[2:1tc\033[2=1td\033[5$ie\033[ if\033[2:2t", "abcdef\033[2:2t" },
        { "a\033%@b\033%8c\033%/Gd", "abc\033%/Gd" },
        /* Gaps never make a sequence of their two ends. */
        { "a\033\033]52;c;x\a]52;c;y\ab", "a]52;c;y\ab" },
        { "a\033[\033[21t21tb", "a21tb" },
        { "a\033]5\033[21t2;c;y\ab", "a2;c;y\ab" },
        { "a\033]4;1;red\033[21t;2;?\ab", "a;2;?\ab" },
        { "a\033\005]52;c;x\ab", "ab" },
        { "a\302\005\23521;?\ab", "a\302b" },
        { "a\302\033[21t\23552;c;x\ab", "a\302b" },
        { "a\033"
          "\001\002]52;c;x\ab",
          "ab" },
        { "a\033\030]52;c;x\a", "a]52;c;x\a" },
        { "a\033[1\303\274b", "a\303\274b" },
        { "a\033]0;t\033]52;c;x\a\ab", "a\033]0;t\ab" },
        /* What never ends, or is too long. */
        { "a\033]52;c;x", "a" },
        { "a\033[12", "a" },
        { "a\033[" LONG_256 "mb", "ab" },
        { "a\033]4;" LONG_256 "?\ab", "ab" },
        { "a\220binary\nnext", "a\nnext" },
        { "a\033Pone\ntwo\033\\b", "ab" },
        { "a\033Px" EURO "\304\234y\033\\b", "ab" },
};

static void check(const char *in, const char *out) {
        const size_t size = strlen(in);

        for (size_t cut = 0; cut <= size; cut++) {
                uint8_t buffer[1024];
                struct safe s = { 0 };
                size_t n = safe_filter(&s, (const uint8_t *) in, cut, buffer);
                n += safe_filter(&s, (const uint8_t *) in + cut, size - cut, buffer + n);
                buffer[n] = 0;
                assert_string_equal((char *) buffer, out);
        }
}

static void test_passes(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(passing); i++)
                check(passing[i], passing[i]);
}

static void test_drops(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(dropping); i++)
                check(dropping[i].in, dropping[i].out);
}

/* Does the text hold what a terminal would answer or obey? A second look that does not share the filter's: it knows
 * only whole sequences, as a terminal in UTF-8 does that ignores controls within them. */
static bool is_dangerous(const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size; i++) {
                char rest[64] = "";
                size_t used = 0, at = i;
                if (data[i] == 0x05)
                        return true;
                if (data[i] == 0x1b)
                        at++;
                else if (data[i] == 0xc2 && i + 1 < size && data[i + 1] >= 0x80 && data[i + 1] <= 0x9f)
                        rest[used++] = (char) (data[i + 1] - 0x40), at += 2;
                else
                        continue;
                for (; at < size && used < sizeof rest - 1 && data[at] != 0x1b && data[at] != 0x18; at++) {
                        if (data[at] == 0x07 && rest[0] == ']')
                                break;
                        if (data[at] >= 0x20)
                                rest[used++] = (char) data[at];
                }
                if (rest[0] && strchr("PX^_", rest[0]))
                        return true;
                if (strncmp(rest, "]52;", 4) == 0 || strncmp(rest, "[21t", 4) == 0 || strncmp(rest, "[20t", 4) == 0)
                        return true;
        }
        return false;
}

/* Random pieces, in place: never more than promised, nothing dangerous, and what came out passes unchanged again. */
static void test_random(void **state) {
        static const char *const pieces[] = {
                "\033",   "\033]", "\033[", "52;",      "21t",   "\a",    "\033\\",   "\302",
                "\233",   "\235",  "\234",  "\220",     "\005",  "\030",  "4;1;",     "?",
                "x",      "\n",    "\304",  "\342\202", "\033P", "5",     "2",        ";c;",
                "\033%@", "0;",    "%",     "\303",     "\240",  "\033_", "\033[21t", "[",
                "]",      "P",     "\001",  "\033]0;a", "1",     "t",     "\302\233", "\033]52;x\a",
        };
        static uint8_t whole[1 << 16], again[(1 << 16) + SAFE_EXTRA];
        struct safe s = { 0 };
        size_t used = 0;

        (void) state;
        srandom(13);
        for (int round = 0; round < 60000; round++) {
                uint8_t buffer[SAFE_EXTRA + 64];
                size_t size = 0;
                while (size < 40) {
                        const char *piece = pieces[(size_t) random() % ELEMENTSOF(pieces)];
                        memcpy(buffer + SAFE_EXTRA + size, piece, strlen(piece));
                        size += strlen(piece);
                        if (random() % 16 == 0)
                                break;
                }
                size_t n = safe_filter(&s, buffer + SAFE_EXTRA, size, buffer);
                assert_true(n <= size + SAFE_EXTRA);
                if (used + n > sizeof whole || round % 100 == 0) {
                        struct safe second = { 0 };
                        assert_false(is_dangerous(whole, used));
                        size_t m = safe_filter(&second, whole, used, again);
                        assert_true(m <= used);
                        used = 0;
                        s = (struct safe){ 0 };
                        continue;
                }
                memcpy(whole + used, buffer, n);
                used += n;
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_passes),
                cmocka_unit_test(test_drops),
                cmocka_unit_test(test_random),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
