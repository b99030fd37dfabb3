/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "isolation/capability.h"
#include "launcher/probe.h"

/* Reads a small file of the host; NULL if it cannot be read. The caller frees. */
static char *read_host_file(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        char *text = NULL;

        if (fd < 0 || fd_read_file(fd, PROBE_TEXT_LIMIT, &text, NULL) < 0)
                return NULL;
        return text;
}

static bool opens_for_writing(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        return fd >= 0;
}

static rlim_t read_nr_open(void) {
        _cleanup_free_ char *text = read_host_file("/proc/sys/fs/nr_open");
        uint64_t value;

        if (text)
                text[strcspn(text, "\n")] = 0;
        return text && parse_unsigned(text, 1, INT_MAX, &value) == 0 ? value : 1048576;
}

/* Reads the limits that the kernel gave the host's first process: what a payload that boots expects to start from. */
static void read_init_limits(struct host_probe *host) {
        if (prlimit(1, RLIMIT_NPROC, NULL, &host->init_nproc) < 0 && getrlimit(RLIMIT_NPROC, &host->init_nproc) < 0)
                host->init_nproc = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
        if (prlimit(1, RLIMIT_SIGPENDING, NULL, &host->init_sigpending) < 0 &&
            getrlimit(RLIMIT_SIGPENDING, &host->init_sigpending) < 0)
                host->init_sigpending = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
}

/* systemd-resolved's stub is of use only if it listens: /proc/net/udp shows 127.0.0.53 port 53 as 3500007F:0035. */
static bool stub_listens(void) {
        _cleanup_free_ char *table = read_host_file("/proc/net/udp");

        return table && strstr(table, " 3500007F:0035 ");
}

static void probe_resolver(struct host_probe *host) {
        host->resolv_conf = access("/etc/resolv.conf", R_OK) == 0;
        host->resolv_static = access("/usr/lib/systemd/resolv.conf", R_OK) == 0;
        host->resolv_uplink = access("/run/systemd/resolve/resolv.conf", R_OK) == 0;
        host->resolv_stub = access("/run/systemd/resolve/stub-resolv.conf", R_OK) == 0;
        host->stub_listens = host->resolv_stub && stub_listens();
}

static void probe_timezone(struct host_probe *host) {
        char target[PATH_MAX];
        ssize_t n = readlink("/etc/localtime", target, sizeof target - 1);

        host->localtime = access("/etc/localtime", R_OK) == 0;
        if (n <= 0)
                return;
        target[n] = 0;
        const char *zone = strstr(target, "/zoneinfo/");
        if (zone)
                host->zone = strdup(zone + strlen("/zoneinfo/"));
}

/* Our own group in the cgroup2 hierarchy is the line "0::PATH" (cgroups(7)). */
static void probe_cgroup(struct cgroup_place *place) {
        _cleanup_free_ char *text = read_host_file("/proc/self/cgroup");
        char *line = text ? strstr(text, "0::/") : NULL;

        if (!line || (line != text && line[-1] != '\n'))
                return;
        line += strlen("0::");
        line[strcspn(line, "\n")] = 0;
        /* A group outside of our own cgroup namespace is shown with a leading "/..": it is not ours to use. */
        if (text_starts_with(line, "/.."))
                return;
        place->path = strdup(line);
        place->available = place->path != NULL;
}

int probe_host(const struct spec *spec, char *const environment[], unsigned was_closed, struct host_probe *ret,
               struct error *error) {
        struct utsname names;

        *ret = (struct host_probe){ .root = geteuid() == 0, .stream_was_closed = was_closed };
        ret->bounding = capability_bounding_probe();
        for (int i = 0; i < 3; i++)
                ret->stream_is_terminal[i] = isatty(i);
        ret->has_fuse = opens_for_writing("/dev/fuse");
        ret->has_tun = opens_for_writing("/dev/net/tun");
        ret->has_kcore = access("/proc/kcore", F_OK) == 0;
        ret->nr_open = read_nr_open();
        read_init_limits(ret);
        ret->os_release = read_host_file("/etc/os-release");
        if (!ret->os_release)
                ret->os_release = read_host_file("/usr/lib/os-release");
        if (spec->resolv_conf != RESOLV_CONF_OFF)
                probe_resolver(ret);
        if (spec->timezone != TIMEZONE_OFF)
                probe_timezone(ret);
        if (spec->start == START_BOOT)
                probe_cgroup(&ret->cgroup);
        for (char *const *e = environment; *e; e++)
                if (strv_add(&ret->environ, *e) < 0)
                        return error_memory(error);
        ret->working_directory = getcwd(NULL, 0);
        if (uname(&names) == 0)
                ret->host_name = strdup(names.nodename);
        return 0;
}
