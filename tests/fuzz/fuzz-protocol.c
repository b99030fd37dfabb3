/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever bytes come as a packet: they are refused, or they are one whose every part is in its range. */
#include "console/protocol.h"

#include <errno.h>

#include "fuzz.h"

static void check_packet(const struct packet *p, const uint8_t *bytes, size_t size) {
        struct packet_head head, back;

        MUST(p->kind >= PACKET_HELLO && p->kind < PACKET_KINDS);
        MUST((p->wants & ~(unsigned) WANTS_ALL) == 0);
        if (p->kind == PACKET_COMMAND)
                MUST(p->command >= COMMAND_POWEROFF && p->command < COMMANDS && p->number >= 0 && p->number <= 64);
        if (p->kind == PACKET_EXIT)
                MUST(p->number >= 0 && p->number <= 255);
        MUST(p->data == bytes + sizeof head && p->data_size == size - sizeof head);
        MUST(p->data_size <= PACKET_DATA_MAX);

        memcpy(&head, bytes, sizeof head);
        head.wants &= WANTS_ALL;
        MUST(packet_encode(p, &back) == 0 && memcmp(&head, &back, sizeof head) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint8_t *bytes = exact(size);
        struct packet p = { 0 };

        memcpy(bytes, data, size);
        int r = packet_decode(bytes, size, &p);
        MUST(r == 0 || r == -EPROTO);
        if (r == 0)
                check_packet(&p, bytes, size);
        free(bytes);
        return 0;
}
