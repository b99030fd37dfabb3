/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request to enter a container: what is said arrives, and what is no request is refused. */
#include "launcher/enter.h"

#include <sys/socket.h>

#include "basic/sync.h"
#include "console/protocol.h"
#include "helpers.h"

static ssize_t receive_all(int fd, char *bytes, size_t size) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        int streams[3];

        assert_int_equal(packet_receive(fd, buffer, &p, 0), 1);
        assert_int_equal(p.kind, PACKET_ENTER);
        assert_int_equal(p.version, PROTOCOL_VERSION);
        assert_int_equal(sync_receive_fds(fd, streams, 3), 0);
        assert_true(streams[0] >= 0 && streams[1] < 0 && streams[2] < 0);
        close(streams[0]);
        return recv(fd, bytes, size, 0);
}

static ssize_t ask(const struct enter_request *q, char *bytes, size_t size) {
        const int streams[3] = { 0, -1, -1 };
        int p[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p), 0);
        int r = enter_ask(p[0], q, streams);
        ssize_t n = r < 0 ? r : receive_all(p[1], bytes, size);
        close(p[0]);
        close(p[1]);
        return n;
}

static void what_is_said_arrives(void **state) {
        struct enter_request q = { .terminal = true, .user = strdup("alice"), .chdir = strdup("/srv") }, got;
        static char bytes[ENTER_SIZE_MAX];

        (void) state;
        strv_add(&q.words, "sh");
        strv_add(&q.words, "");
        strv_add(&q.words, "a b");
        strv_add(&q.environment, "A=b");
        ssize_t n = ask(&q, bytes, sizeof bytes);
        assert_true(n > 0);
        assert_int_equal(enter_decode(bytes, (size_t) n, &got), 0);
        assert_true(got.terminal);
        assert_string_equal(got.user, "alice");
        assert_string_equal(got.chdir, "/srv");
        assert_int_equal(got.words.count, 3);
        assert_string_equal(got.words.items[1], "");
        assert_string_equal(got.words.items[2], "a b");
        assert_int_equal(got.environment.count, 1);
        assert_string_equal(got.environment.items[0], "A=b");
        enter_request_free(&got);
        enter_request_free(&q);
        n = ask(&q, bytes, sizeof bytes);
        assert_int_equal(enter_decode(bytes, (size_t) n, &got), 0);
        assert_true(!got.terminal && !got.user && !got.chdir && got.words.count == 0);
        enter_request_free(&got);
}

static void too_much(void **state) {
        struct enter_request q = { 0 };
        static char bytes[ENTER_SIZE_MAX], word[ENTER_SIZE_MAX];

        (void) state;
        memset(word, 'x', sizeof word - 1);
        strv_add(&q.words, word);
        assert_int_equal(ask(&q, bytes, sizeof bytes), -EMSGSIZE);
        enter_request_free(&q);
}

/* Cut anywhere, changed anywhere: refused, or a request that is whole. */
static void what_is_no_request(void **state) {
        struct enter_request q = { .user = strdup("u") }, got;
        static char bytes[ENTER_SIZE_MAX], spoilt[ENTER_SIZE_MAX];
        unsigned seed = 3;

        (void) state;
        strv_add(&q.words, "words");
        strv_add(&q.environment, "A=b");
        ssize_t n = ask(&q, bytes, sizeof bytes);
        assert_true(n > 0);
        for (ssize_t cut = 0; cut < n; cut++) {
                assert_int_equal(enter_decode(bytes, (size_t) cut, &got), -EPROTO);
                enter_request_free(&got);
        }
        bytes[n] = 0;
        assert_int_equal(enter_decode(bytes, (size_t) n + 1, &got), -EPROTO);
        enter_request_free(&got);
        for (int i = 0; i < 20000; i++) {
                memcpy(spoilt, bytes, (size_t) n);
                for (int k = 0; k < 3; k++)
                        spoilt[rand_r(&seed) % n] = (char) rand_r(&seed);
                if (enter_decode(spoilt, (size_t) n, &got) == 0)
                        for (size_t w = 0; w < got.words.count; w++)
                                assert_true(strlen(got.words.items[w]) < (size_t) n);
                enter_request_free(&got);
        }
        enter_request_free(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_said_arrives),
                cmocka_unit_test(too_much),
                cmocka_unit_test(what_is_no_request),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
