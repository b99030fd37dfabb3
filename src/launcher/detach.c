/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/syscalls.h"
#include "console/viewer.h"

enum verdict { VERDICT_READY = 1, VERDICT_FAILED };

/* What ends the supervisor's report. Before it come lines of text as they are written, none of which begins with NUL.
 */
struct report {
        char nul;
        char verdict; /* enum verdict */
        int status;
        char machine[128];
};
#define LINE_MAX_SIZE 8192

static bool has_terminal(const struct host_probe *host) {
        return host->stream_is_terminal[0] && host->stream_is_terminal[1];
}

/* A system that boots is not a command: whoever starts one wants it to outlive the terminal one day. But a service
 * manager knows its service by the process that it started, and that is not the supervisor then. */
static bool boots_by_hand(const struct spec *spec, const struct host_probe *host) {
        bool interactive = spec->console == CONSOLE_DEFAULT || spec->console == CONSOLE_INTERACTIVE ||
                           spec->console == CONSOLE_AUTOPIPE;

        return spec->start == START_BOOT && interactive && !spec->keep_unit &&
               !strv_getenv(&host->environ, "NOTIFY_SOCKET");
}

static bool is_leavable(const struct spec *spec, const struct host_probe *host) {
        if (spec->hangup == HANGUP_DETACH)
                return true;
        return spec->origin[SETTING_DETACHABLE] ? spec->detachable : boots_by_hand(spec, host);
}

bool detach_wanted(const struct spec *spec, const struct host_probe *host) {
        return spec->detach || spec->detachable || (has_terminal(host) && is_leavable(spec, host));
}

/* ---- the supervisor's side ---- */

static int replace_streams(int channel) {
        _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                return -errno;
        return dup2(channel, STDERR_FILENO) < 0 ? -errno : 0;
}

/* A pipe or lock of the caller's that we kept would be held for as long as the container lives. SOCKETS descriptors
 * from 3 on are meant for the payload (sd_listen_fds(3)). */
static int close_others(int sockets, int *keep) {
        int fd = -EBADF;

        if (*keep >= 0) {
                fd = fcntl(*keep, F_DUPFD_CLOEXEC, 3 + sockets);
                if (fd < 0)
                        return -errno;
                if (fd > 3 + sockets)
                        (void) sys_close_range((unsigned) (3 + sockets), (unsigned) fd - 1, 0);
        }
        *keep = fd;
        (void) sys_close_range((unsigned) (fd >= 0 ? fd + 1 : 3 + sockets), ~0U, 0);
        return 0;
}

static int become_supervisor(const struct host_probe *host, int channel, int viewer_fd, struct detach *ret,
                             struct error *error) {
        (void) setsid();
        int r = replace_streams(channel);
        if (r >= 0)
                r = close_others(host->sockets, &viewer_fd);
        if (r < 0)
                return error_set(error, -r, "cannot go to the background: %m");
        *ret = (struct detach){ .waits = true, .viewer_fd = viewer_fd };
        return 0;
}

static void report(struct detach *d, enum verdict verdict, int status, const char *machine) {
        struct report report = { .verdict = (char) verdict, .status = status };

        if (!d->waits)
                return;
        d->waits = false;
        snprintf(report.machine, sizeof report.machine, "%s", machine);
        (void) send(STDERR_FILENO, &report, sizeof report, MSG_NOSIGNAL);
        _cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0)
                (void) dup2(null, STDERR_FILENO);
        if (chdir("/") < 0) /* the caller's directory must not be kept busy */
                log_debug("cannot leave the working directory");
}

void detach_ready(struct detach *d, const char *machine) {
        report(d, VERDICT_READY, 0, machine);
}

void detach_failed(struct detach *d, int status) {
        report(d, VERDICT_FAILED, status, "");
}

/* ---- the caller's side ---- */

/* Passes lines on until the verdict comes. Returns 0 or a negative errno. */
static int wait_for_report(int channel, struct report *ret) {
        char line[LINE_MAX_SIZE];

        for (;;) {
                ssize_t n = recv(channel, line, sizeof line, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EPIPE;
                if (n == sizeof *ret && line[0] == 0) {
                        memcpy(ret, line, sizeof *ret);
                        return 0;
                }
                (void) fd_write_all(STDERR_FILENO, line, (size_t) n);
        }
}

/* The supervisor is a child of ours: its status is the container's, also where a terminal that took nothing any more
 * has kept its last words from us. */
static int ask_supervisor(pid_t pid, const struct viewer_options *options, struct error *error) {
        int status;

        if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
                return WEXITSTATUS(status);
        return error_set(error, EPIPE, "the supervisor of %s has vanished, and the container with it", options->name);
}

static int view(int fd, pid_t supervisor, const struct viewer_options *options, struct error *error) {
        struct viewer_result result;
        int r = viewer_run(fd, options, &result, error);

        if (r < 0)
                return r;
        if (result.end == VIEWER_LEFT &&
            (!(options->wants & WANTS_OWN) || options->hangup_leaves || result.status == 0))
                log_notice("%s runs on; spawnctl attach %s comes back to it", options->name, options->name);
        if (result.end == VIEWER_LOST)
                return ask_supervisor(supervisor, options, error);
        if (result.end == VIEWER_REFUSED)
                return error_set(error, EPROTO, "%s", result.text);
        return result.status;
}

static int wait_and_view(int channel, int viewer_fd, pid_t supervisor, const struct viewer_options *options,
                         struct error *error) {
        struct viewer_options named = *options;
        struct report report = { 0 };
        int r = wait_for_report(channel, &report);

        if (r < 0)
                return error_set(error, -r, "the supervisor has vanished before the container could be started");
        /* The reason has been printed already. A viewer still wants to see what a short-lived payload wrote. */
        if (report.verdict == VERDICT_FAILED || viewer_fd < 0)
                return report.status;
        report.machine[sizeof report.machine - 1] = 0;
        named.name = report.machine;
        return view(viewer_fd, supervisor, &named, error);
}

int detach(const struct spec *spec, const struct host_probe *host, struct detach *ret, int *ret_status,
           struct error *error) {
        struct viewer_options options = { .wants = WANTS_VIEW | WANTS_WRITE | WANTS_OWN,
                                          .streams = { 0, 1, 2 },
                                          .escape_key = spec->escape_key,
                                          .hangup_leaves = spec->hangup == HANGUP_DETACH };
        int pair[2] = { -EBADF, -EBADF }, viewer[2] = { -EBADF, -EBADF }, r;

        if (!spec->detach && !has_terminal(host)) {
                error_set(error, ENOTTY, "--detachable needs a terminal at standard input and output");
                return error_hint(error, "--detach needs none");
        }
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
            (!spec->detach && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, viewer) < 0))
                return error_set(error, errno, "cannot make a channel to the supervisor: %m");
        _cleanup_close_ int ours = pair[0], theirs = pair[1], our_viewer = viewer[0], their_viewer = viewer[1];
        if (our_viewer >= 0 && (r = viewer_hello(our_viewer, &options)) < 0)
                return error_set(error, -r, "cannot make a channel to the supervisor: %m");
        fflush(NULL);
        pid_t pid = fork();
        if (pid < 0)
                return error_set(error, errno, "cannot start the supervisor: %m");
        if (pid == 0) {
                r = become_supervisor(host, theirs, their_viewer, ret, error);
                ours = theirs = our_viewer = their_viewer = -EBADF; /* closed with the rest */
                return r;
        }
        theirs = fd_close(theirs);
        their_viewer = fd_close(their_viewer);
        r = wait_and_view(ours, our_viewer, pid, &options, error);
        if (r < 0)
                return r;
        *ret_status = r;
        return 1;
}
