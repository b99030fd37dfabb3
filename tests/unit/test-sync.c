/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The channel between parent and child. */
#include "basic/sync.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "helpers.h"

static void packets_keep_their_boundaries(void **state) {
        struct sync_packet packet;
        struct error e;
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        assert_true(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(p[1], F_GETFD) & FD_CLOEXEC);
        error_set(&e, EPERM, "no");
        assert_int_equal(sync_send(p[0], SYNC_PREPARED, NULL), 0);
        assert_int_equal(sync_send(p[0], SYNC_FAILED, &e), 0);
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_int_equal(packet.step, SYNC_PREPARED);
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_int_equal(packet.step, SYNC_FAILED);
        assert_int_equal(packet.error.code, EPERM);
        assert_string_equal(packet.error.text, "no");
        close(p[0]);
        assert_int_equal(sync_receive(p[1], &packet), 0);
        assert_int_equal(sync_send(p[1], SYNC_GO, NULL), -EPIPE); /* and no SIGPIPE */
        close(p[1]);
}

/* The kernel tells the sender apart from one whose packets were read: once, with ECONNRESET. What the other end has
 * sent is there still. */
static void gone_with_packets_unread(void **state) {
        for (int descriptors = 0; descriptors < 2; descriptors++) {
                struct sync_packet packet;
                int p[2];

                (void) state;
                assert_int_equal(sync_pair(p), 0);
                assert_int_equal(sync_send(p[0], SYNC_GO, NULL), 0);
                assert_int_equal(sync_send(p[1], SYNC_FAILED, NULL), 0);
                close(p[1]);
                assert_int_equal(descriptors ? sync_send_fds(p[0], p, 1) : sync_send(p[0], SYNC_GO, NULL), -EPIPE);
                assert_int_equal(sync_receive(p[0], &packet), 1);
                assert_int_equal(packet.step, SYNC_FAILED);
                assert_int_equal(sync_receive(p[0], &packet), 0);
                close(p[0]);
        }
}

static void what_is_no_packet_is_refused(void **state) {
        struct sync_packet packet = { .step = SYNC_GO };
        char bytes[sizeof(struct sync_packet)] = { 0 };
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        for (size_t n = 1; n < sizeof bytes; n += n < 16 ? 1 : 97) {
                if (n == offsetof(struct sync_packet, error))
                        continue;
                assert_int_equal(send(p[0], bytes, n, 0), n);
                assert_int_equal(sync_receive(p[1], &packet), -EPROTO);
        }
        assert_int_equal(packet.step, SYNC_GO); /* nothing is given out on failure */
        close(p[0]);
        close(p[1]);
        assert_int_equal(sync_receive(-1, &packet), -EBADF);
        assert_int_equal(sync_send(-1, SYNC_GO, NULL), -EBADF);
}

/* A sentence that fills its place arrives whole; one that is not ended (no sender of ours makes it) is. */
static void sentences_are_ended(void **state) {
        struct sync_packet packet, sent = { .step = SYNC_FAILED };
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        memset(sent.error.text, 't', sizeof sent.error.text - 1);
        memset(sent.error.hint, 'h', sizeof sent.error.hint - 1);
        sent.error.code = EIO;
        sent.error.status = EXIT_NOT_FOUND;
        assert_int_equal(sync_send(p[0], SYNC_FAILED, &sent.error), 0);
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_memory_equal(&packet.error, &sent.error, sizeof sent.error);
        sent.error.text[sizeof sent.error.text - 1] = 't';
        sent.error.hint[sizeof sent.error.hint - 1] = 'h';
        assert_int_equal(send(p[0], &sent, sizeof sent, 0), sizeof sent);
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_int_equal(strlen(packet.error.text), sizeof packet.error.text - 1);
        assert_int_equal(strlen(packet.error.hint), sizeof packet.error.hint - 1);
        close(p[0]);
        close(p[1]);
}

/* The child may fail before it has read what the parent had to say: its reason must arrive all the same. */
static void a_reason_outlives_its_sender(void **state) {
        struct sync_packet packet;
        struct error e;
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        error_set(&e, EPERM, "no");
        assert_int_equal(sync_send(p[0], SYNC_GO, NULL), 0);
        assert_int_equal(sync_send(p[1], SYNC_FAILED, &e), 0);
        close(p[1]);
        assert_int_equal(sync_receive(p[0], &packet), 1);
        assert_string_equal(packet.error.text, "no");
        assert_int_equal(sync_receive(p[0], &packet), 0);
        close(p[0]);
}

static void ignore(int sig) {
        (void) sig;
}

static void send_late(void *userdata) {
        usleep(50000);
        CHECK(sync_send(*(const int *) userdata, SYNC_PREPARED, NULL) == 0);
}

static void signals_do_not_end_the_waiting(void **state) {
        struct sigaction action = { .sa_handler = ignore }, before;
        struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { 0 };
        struct sync_packet packet;
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        pid_t pid = start_child(send_late, &p[1]);
        sigaction(SIGALRM, &action, &before);
        setitimer(ITIMER_REAL, &often, NULL);
        int r = sync_receive(p[0], &packet);
        setitimer(ITIMER_REAL, &never, NULL);
        sigaction(SIGALRM, &before, NULL);
        assert_int_equal(wait_for(pid), 0);
        assert_int_equal(r, 1);
        assert_int_equal(packet.step, SYNC_PREPARED);
        close(p[0]);
        close(p[1]);
}

static void become_true(void *userdata) {
        (void) userdata;
        execlp("true", "true", NULL);
        _exit(1);
}

/* The exec ends the channel: that is how the parent knows that the payload runs. */
static void an_exec_ends_the_channel(void **state) {
        struct sync_packet packet;
        int p[2];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        pid_t pid = start_child(become_true, NULL);
        close(p[1]);
        assert_int_equal(sync_receive(p[0], &packet), 0);
        assert_int_equal(wait_for(pid), 0);
        close(p[0]);
}

/* More than one packet's worth, with holes; each arrives at its place as a descriptor of its own. */
static void descriptors_go_over(void **state) {
        enum { COUNT = 600 };
        int p[2], sent[COUNT], got[COUNT];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        for (int i = 0; i < COUNT; i++)
                sent[i] = i % 3 == 1 ? -EBADF : open(i % 2 ? "/dev/null" : "/dev/zero", O_RDONLY | O_CLOEXEC);
        assert_int_equal(sync_send_fds(p[0], sent, COUNT), 0);
        assert_int_equal(sync_send(p[0], SYNC_GO, NULL), 0);
        assert_int_equal(sync_receive_fds(p[1], got, COUNT), 0);
        for (int i = 0; i < COUNT; i++) {
                struct stat a, b;
                if (sent[i] < 0) {
                        assert_int_equal(got[i], -EBADF);
                        continue;
                }
                assert_int_not_equal(got[i], sent[i]);
                assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
                assert_int_equal(fstat(sent[i], &a) | fstat(got[i], &b), 0);
                assert_true(a.st_rdev == b.st_rdev);
                close(got[i]);
                close(sent[i]);
        }
        struct sync_packet packet;
        assert_int_equal(sync_receive(p[1], &packet), 1);
        assert_int_equal(packet.step, SYNC_GO);
        close(p[0]);
        close(p[1]);
}

static void none_and_nobody(void **state) {
        int p[2], holes[3] = { -1, -1, -1 }, got[3];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        assert_int_equal(sync_send_fds(p[0], holes, 3), 0);
        assert_int_equal(sync_receive_fds(p[1], got, 3), 0);
        assert_true(got[0] == -EBADF && got[1] == -EBADF && got[2] == -EBADF);
        assert_int_equal(sync_send_fds(p[0], NULL, 0), 0);
        assert_int_equal(sync_receive_fds(p[1], NULL, 0), 0);
        close(p[0]);
        assert_int_equal(sync_receive_fds(p[1], got, 3), -EPIPE);
        assert_int_equal(sync_send_fds(p[1], holes, 3), -EPIPE);
        close(p[1]);
}

/* Another number than was asked for, or another packet: refused, and nothing is left open. */
static void other_packets_are_refused(void **state) {
        int p[2], got[2],
                sent[2] = { open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/null", O_RDONLY | O_CLOEXEC) };

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        const int next = dup(0);
        close(next);
        assert_int_equal(sync_send_fds(p[0], sent, 2), 0);
        assert_int_equal(sync_receive_fds(p[1], got, 1), -EPROTO);
        assert_int_equal(got[0], -EBADF);
        assert_int_equal(sync_send(p[0], SYNC_GO, NULL), 0);
        assert_int_equal(sync_receive_fds(p[1], got, 2), -EPROTO);
        assert_int_equal(fcntl(next, F_GETFD), -1);
        for (int i = 0; i < 2; i++) {
                close(p[i]);
                close(sent[i]);
        }
}

/* A receiver without numbers left: an error rather than fewer. */
static void receive_without_room(void *userdata) {
        const int *p = userdata;
        struct rlimit limit = { 8, 8 };
        int got[20];

        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHECK(sync_receive_fds(p[1], got, 20) == -EMFILE);
        for (int i = 0; i < 20; i++)
                CHECK(got[i] == -EBADF);
}

static void too_many_for_the_receiver(void **state) {
        int p[2], sent[20];

        (void) state;
        assert_int_equal(sync_pair(p), 0);
        for (int i = 0; i < 20; i++)
                sent[i] = 0;
        assert_int_equal(sync_send_fds(p[0], sent, 20), 0);
        assert_int_equal(run_child(receive_without_room, p), 0);
        close(p[0]);
        close(p[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packets_keep_their_boundaries),
                cmocka_unit_test(gone_with_packets_unread),
                cmocka_unit_test(what_is_no_packet_is_refused),
                cmocka_unit_test(sentences_are_ended),
                cmocka_unit_test(a_reason_outlives_its_sender),
                cmocka_unit_test(signals_do_not_end_the_waiting),
                cmocka_unit_test(an_exec_ends_the_channel),
                cmocka_unit_test(descriptors_go_over),
                cmocka_unit_test(none_and_nobody),
                cmocka_unit_test(other_packets_are_refused),
                cmocka_unit_test(too_many_for_the_receiver),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
