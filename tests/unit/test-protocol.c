/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packets of a session. */
#include <stdlib.h>

#include "console/protocol.h"
#include "helpers.h"

static void every_kind_survives_the_way(void **state) {
        int pair[2];

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        for (int kind = PACKET_HELLO; kind < PACKET_KINDS; kind++) {
                uint8_t buffer[PACKET_SIZE_MAX], data[PACKET_DATA_MAX];
                memset(data, kind, sizeof data);
                const struct packet sent = { .kind = (enum packet_kind) kind,
                                             .version = PROTOCOL_VERSION,
                                             .wants = WANTS_ALL,
                                             .command = COMMAND_KILL,
                                             .number = 9,
                                             .size = { .ws_row = 65535, .ws_col = 1 },
                                             .data = data,
                                             .data_size = kind % 2 ? sizeof data : 0 };
                struct packet got;
                assert_int_equal(packet_send(pair[0], &sent, 0), 0);
                assert_int_equal(packet_receive(pair[1], buffer, &got, MSG_DONTWAIT), 1);
                assert_int_equal(got.kind, kind);
                assert_int_equal(got.version, PROTOCOL_VERSION);
                assert_int_equal(got.wants, WANTS_ALL);
                assert_int_equal(got.command, COMMAND_KILL);
                assert_int_equal(got.number, 9);
                assert_int_equal(got.size.ws_row, 65535);
                assert_int_equal(got.size.ws_col, 1);
                assert_int_equal(got.data_size, sent.data_size);
                assert_memory_equal(got.data, data, got.data_size);
        }
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet got = { .kind = PACKET_DETACH };
        assert_int_equal(packet_receive(pair[1], buffer, &got, MSG_DONTWAIT), -EAGAIN);
        fd_close(pair[0]);
        assert_int_equal(packet_receive(pair[1], buffer, &got, MSG_DONTWAIT), 0);
        assert_int_equal(packet_send(pair[1], &got, MSG_DONTWAIT), -EPIPE);
        fd_close(pair[1]);
}

static void what_is_out_of_bounds_is_refused(void **state) {
        struct packet p = { .kind = PACKET_OUTPUT, .data_size = PACKET_DATA_MAX + 1 };
        struct packet_head head;

        (void) state;
        assert_int_equal(packet_encode(&p, &head), -EMSGSIZE);
        static const struct packet_head bad[] = {
                { .kind = 0 },
                { .kind = PACKET_KINDS },
                { .kind = UINT32_MAX },
                { .kind = PACKET_COMMAND },
                { .kind = PACKET_COMMAND, .command = COMMANDS },
                { .kind = PACKET_COMMAND, .command = COMMAND_SIGNAL, .number = -1 },
                { .kind = PACKET_COMMAND, .command = COMMAND_SIGNAL, .number = 65 },
                { .kind = PACKET_EXIT, .number = 256 },
                { .kind = PACKET_EXIT, .number = -1 },
        };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(packet_decode(&bad[i], sizeof bad[i], &p), -EPROTO);
        head = (struct packet_head){ .kind = PACKET_HELLO, .wants = UINT32_MAX };
        for (size_t n = 0; n < sizeof head; n++)
                assert_int_equal(packet_decode(&head, n, &p), -EPROTO);
        assert_int_equal(packet_decode(&head, sizeof head, &p), 0);
        assert_int_equal(p.wants, WANTS_ALL); /* what a later version may want is left out */
}

static void a_packet_that_is_too_long_is_seen(void **state) {
        uint8_t large[PACKET_SIZE_MAX + 1] = { PACKET_INPUT }, buffer[PACKET_SIZE_MAX];
        struct packet p;
        int pair[2];

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(send(pair[0], large, sizeof large, 0), sizeof large);
        assert_int_equal(packet_receive(pair[1], buffer, &p, 0), -EPROTO);
        fd_close(pair[0]);
        fd_close(pair[1]);
}

/* Anything at all: a packet within its bytes, or a refusal. */
static void random_bytes_are_survived(void **state) {
        uint8_t bytes[PACKET_SIZE_MAX + 64];
        unsigned taken = 0;

        (void) state;
        srand(11);
        for (int i = 0; i < 50000; i++) {
                size_t n = (size_t) rand() % (i % 10 ? 64 : sizeof bytes);
                for (size_t k = 0; k < n; k++)
                        bytes[k] = (uint8_t) (rand() % 3 ? 0 : rand() % (k % 4 ? 2 : 12));
                uint8_t *copy = malloc(n + (n == 0)); /* so that a sanitizer sees every byte beyond */
                memcpy(copy, bytes, n);
                struct packet p;
                if (packet_decode(copy, n, &p) == 0) {
                        assert_in_range(p.kind, PACKET_HELLO, PACKET_KINDS - 1);
                        assert_ptr_equal(p.data + p.data_size, copy + n);
                        for (size_t k = 0; k < p.data_size; k++)
                                taken += p.data[k];
                }
                free(copy);
        }
        assert_true(taken > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_kind_survives_the_way),
                cmocka_unit_test(what_is_out_of_bounds_is_refused),
                cmocka_unit_test(a_packet_that_is_too_long_is_seen),
                cmocka_unit_test(random_bytes_are_survived),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
