/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two ends of tests/bench/console, which compiles it: what writes on the console, and what reads it.
 *
 *      flood BYTES            the payload: lines of text
 *      echo                   the payload: what is typed comes back
 *      read FD SKIP           has the flood begin and reads it; SKIP bytes of each read(2) are no payload's
 *      type FD SKIP N PAUSE   types N bytes, PAUSE microseconds apart, and waits for each to come back
 *
 * A payload answers "r" with "ready", begins with "g" and ends with "q". */

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define END "\nthat was all\n"
enum { PIECE = 65536, LINE = 64, PATIENCE_SEC = 30 };

static uint64_t now_nsec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static void put(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);
                if (n < 0)
                        exit(1);
                data += n;
                size -= (size_t) n;
        }
}

/* ---- payloads ---- */

static void wait_for(char key) {
        char c;

        while (read(STDIN_FILENO, &c, 1) == 1) {
                if (c == key)
                        return;
                if (c == 'r')
                        put(STDOUT_FILENO, "ready\n", 6);
        }
        exit(1);
}

/* What is written is processed as always, a newline becomes two bytes; only what is typed comes as it is. */
static void set_modes(void) {
        struct termios t;

        if (tcgetattr(STDIN_FILENO, &t) < 0)
                exit(1);
        t.c_lflag &= ~(tcflag_t) (ECHO | ICANON);
        tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

static int flood(uint64_t size) {
        static char text[PIECE];

        for (size_t i = 0; i < PIECE; i++)
                text[i] = i % LINE == LINE - 1 ? '\n' : (char) ('a' + (i / LINE + i) % 26);
        wait_for('g');
        for (; size >= PIECE; size -= PIECE)
                put(STDOUT_FILENO, text, PIECE);
        put(STDOUT_FILENO, END, strlen(END));
        wait_for('q');
        return 0;
}

static int echo(void) {
        char c;

        wait_for('g');
        while (read(STDIN_FILENO, &c, 1) == 1 && c != 'q')
                put(STDOUT_FILENO, &c, 1);
        return 0;
}

/* ---- the outer end ---- */

static int read_flood(int fd, size_t skip) {
        static char data[4 * PIECE];
        const char last[] = "that was all\r\n";
        char tail[sizeof last - 1] = "";
        uint64_t total = 0, begin = now_nsec();

        put(fd, "g", 1);
        while (memcmp(tail, last, sizeof tail) != 0) {
                ssize_t n = read(fd, data, sizeof data);
                if (n <= (ssize_t) skip)
                        return 1;
                size_t size = (size_t) n - skip, kept = size < sizeof tail ? sizeof tail - size : 0;
                total += size;
                memmove(tail, tail + sizeof tail - kept, kept);
                memcpy(tail + kept, data + n - (sizeof tail - kept), sizeof tail - kept);
        }
        printf("%llu %llu\n", (unsigned long long) total, (unsigned long long) (now_nsec() - begin));
        return 0;
}

static int type(int fd, size_t skip, unsigned count, unsigned pause_usec) {
        const struct timespec pause = { .tv_nsec = (long) pause_usec * 1000 };
        char data[256];

        put(fd, "g", 1);
        for (unsigned i = 0; i < count; i++) {
                char key = (char) ('A' + i % 26);
                if (pause_usec > 0)
                        nanosleep(&pause, NULL);
                uint64_t begin = now_nsec();
                put(fd, &key, 1);
                ssize_t n;
                do
                        n = read(fd, data, sizeof data);
                while (n > (ssize_t) skip && data[n - 1] != key);
                if (n <= (ssize_t) skip)
                        return 1;
                printf("%llu\n", (unsigned long long) (now_nsec() - begin));
        }
        return 0;
}

int main(int argc, char **argv) {
        alarm(PATIENCE_SEC);
        if (argc == 3 && strcmp(argv[1], "flood") == 0) {
                set_modes();
                return flood(strtoull(argv[2], NULL, 10));
        }
        if (argc == 2 && strcmp(argv[1], "echo") == 0) {
                set_modes();
                return echo();
        }
        if (argc == 4 && strcmp(argv[1], "read") == 0)
                return read_flood(atoi(argv[2]), (size_t) atoi(argv[3]));
        if (argc == 6 && strcmp(argv[1], "type") == 0)
                return type(atoi(argv[2]), (size_t) atoi(argv[3]), (unsigned) atoi(argv[4]), (unsigned) atoi(argv[5]));
        return 2;
}
