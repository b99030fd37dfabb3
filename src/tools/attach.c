/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawnctl attach, and those verbs that speak with a session too. */

#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "console/escape.h"
#include "console/viewer.h"
#include "tools/tools.h"

int tools_command(const char *name, int command, int number, struct error *error) {
        const struct viewer_options options = { .streams = { -EBADF, -EBADF, -EBADF } };
        const struct packet p = { .kind = PACKET_COMMAND, .command = (enum packet_command) command, .number = number };
        _cleanup_close_ int fd = state_connect(name, error);

        if (fd < 0)
                return fd;
        int r = viewer_hello(fd, &options);
        if (r >= 0)
                r = packet_send(fd, &p, 0);
        if (r >= 0)
                r = packet_send(fd, &(struct packet){ .kind = PACKET_DETACH }, 0);
        return r < 0 ? error_set(error, -r, "cannot tell the machine %s: %m", name) : 0;
}

int attach_judge(const char *name, const struct viewer_result *result, struct error *error) {
        switch (result->end) {
        case VIEWER_LEFT:
                log_notice("%s runs on", name);
                return result->status;
        case VIEWER_LOST:
                return error_set(error, EPIPE, "the supervisor of %s has vanished, and the container with it", name);
        case VIEWER_REFUSED:
                return error_set(error, EPROTO, "%s", result->text);
        case VIEWER_TOLD:
                break;
        }
        return result->status;
}

int attach_run(const struct request *q, struct error *error) {
        struct viewer_options options = {
                .name = q->name,
                .wants = WANTS_VIEW | (q->read_only ? 0 : WANTS_WRITE) | (q->take ? WANTS_TAKE : 0) |
                         (q->share ? WANTS_SHARE : 0),
                .streams = { 0, 1, 2 },
                .escape_key = ESCAPE_KEY_DEFAULT,
                .greets = true,
        };
        struct viewer_result result;

        if (q->escape && escape_parse(q->escape, &options.escape_key) < 0) {
                error_set(error, EINVAL, "--escape=%s: not a key such as ^] or ^a, nor none", q->escape);
                return -EINVAL;
        }
        _cleanup_close_ int fd = state_connect(q->name, error);
        if (fd < 0)
                return fd;
        int r = viewer_hello(fd, &options);
        if (r < 0)
                return error_set(error, -r, "cannot speak with the machine %s: %m", q->name);
        r = viewer_run(fd, &options, &result, error);
        return r < 0 ? r : attach_judge(q->name, &result, error);
}

int tools_follow(const char *name, struct error *error) {
        const struct viewer_options options = { .streams = { -EBADF, -EBADF, -EBADF } };
        _cleanup_close_ int fd = state_connect(name, error);

        if (fd < 0)
                return fd;
        int r = viewer_hello(fd, &options);
        return r < 0 ? error_set(error, -r, "cannot speak with the machine %s: %m", name) : TAKE_FD(fd);
}

int attach_wait_exit(const char *name, struct error *error) {
        uint8_t buffer[PACKET_SIZE_MAX];
        struct packet p;
        _cleanup_close_ int fd = tools_follow(name, error);
        int r;

        if (fd < 0)
                return fd;
        while ((r = packet_receive(fd, buffer, &p, 0)) > 0)
                if (p.kind == PACKET_EXIT)
                        return p.number;
        return error_set(error, r < 0 ? -r : EPIPE, "the supervisor of %s has vanished, and the container with it",
                         name);
}
