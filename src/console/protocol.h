/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a session's server and its viewers say to each other: one enum, one struct. Each is one packet of a
 * SOCK_SEQPACKET socket, so nothing is framed by hand. Both ends are on one host: numbers are in its own byte order.
 *
 *      viewer → server: HELLO, then INPUT, SIZE, COMMAND, DETACH
 *      server → viewer: ROLE (or REFUSED and the end), SIZE, OUTPUT …, LAG, ROLE, EXIT */

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PROTOCOL_VERSION 1u
#define PACKET_DATA_MAX 8192u

enum packet_kind {
        PACKET_HELLO = 1, /* version, wants, size, data: $TERM */
        PACKET_INPUT,     /* data: what was typed */
        PACKET_SIZE,      /* size: of the viewer's window; to a viewer that WANTS_SIZES: of the console */
        PACKET_COMMAND,   /* command, number: a signal */
        PACKET_DETACH,    /* the viewer leaves on purpose */
        PACKET_ROLE,      /* wants: what the viewer may do from now on; data: a sentence about it, or nothing */
        PACKET_OUTPUT,    /* data */
        PACKET_LAG,       /* data: bytes that this viewer has missed, as text; output goes on behind them */
        PACKET_EXIT,      /* number: exit status */
        PACKET_REFUSED,   /* data: why */
        PACKET_ENTER,     /* version: instead of HELLO; what follows is not for the server (see its hook) */
        PACKET_KINDS
};

enum packet_wants {
        WANTS_VIEW = 1 << 0,
        WANTS_WRITE = 1 << 1,
        WANTS_TAKE = 1 << 2,  /* to write instead of whoever does */
        WANTS_SHARE = 1 << 3, /* to write beside whoever does */
        WANTS_OWN = 1 << 4,   /* the container is to end with this viewer, unless it says DETACH */
        WANTS_SIZES = 1 << 5, /* to be told the console's size, first of all and whenever it changes */
        WANTS_ALL = (1 << 6) - 1,
};

enum packet_command {
        COMMAND_POWEROFF = 1,
        COMMAND_REBOOT,
        COMMAND_KILL,
        COMMAND_SIGNAL,
        COMMAND_STOP,
        COMMAND_LOG, /* the log of the console pauses, or goes on */
        COMMANDS
};

struct packet {
        enum packet_kind kind;
        uint32_t version;
        unsigned wants; /* enum packet_wants */
        enum packet_command command;
        int number;
        struct winsize size;
        const uint8_t *data; /* borrowed */
        size_t data_size;
};

/* The fixed part of a packet as it travels; the data follow. */
struct packet_head {
        uint32_t kind, version, wants, command;
        int32_t number;
        uint16_t rows, columns;
};
#define PACKET_SIZE_MAX (sizeof(struct packet_head) + PACKET_DATA_MAX)

/* Writes the fixed part. Returns 0, or -EMSGSIZE for more data than a packet takes. */
int packet_encode(const struct packet *p, struct packet_head *ret);

/* Reads the SIZE bytes of a packet; RET->data points into them. Never trusts them: returns 0, or -EPROTO for what is
 * no packet (short, long, an unknown kind, command or signal). */
int packet_decode(const void *bytes, size_t size, struct packet *ret);

/* Sends one. FLAGS: MSG_DONTWAIT or 0. Returns 0 or a negative errno (-EAGAIN: not now, nothing was sent). */
int packet_send(int fd, const struct packet *p, int flags);

/* Receives one into BUFFER of PACKET_SIZE_MAX bytes. Returns 1, 0 at the end, or a negative errno. Descriptors that
 * come along are never taken. */
int packet_receive(int fd, uint8_t *buffer, struct packet *ret, int flags);
