/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "isolation/capability.h"
#include "launcher/probe.h"
#include "machined/machined.h"

enum { SOCKETS_MAX = 1024 };

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

static void probe_cgroup(struct cgroup_place *place) {
        static const char supervisor[] = "/supervisor";

        if (cgroup_path(0, &place->path) < 0)
                return;
        place->available = true;
        /* A manager may have put us into a sub-group of our unit already (DelegateSubgroup= of
         * systemd.resource-control(5)).
         */
        size_t n = strlen(place->path), m = strlen(supervisor);
        if (n > m && text_equal(place->path + n - m, supervisor)) {
                place->path[n - m] = 0;
                place->delegated = cgroup_is_delegated(place->path);
                if (!place->delegated)
                        place->path[n - m] = '/';
        } else
                place->delegated = cgroup_is_delegated(place->path);
}

static void probe_machine_id(struct host_probe *host) {
        _cleanup_free_ char *text = read_host_file("/etc/machine-id");

        if (text)
                text[strcspn(text, "\n")] = 0;
        host->machine_id_known = text && id128_parse(text, &host->machine_id) == 0;
}

/* A service manager says which of our streams go to the journal: $JOURNAL_STREAM is "DEVICE:INODE" (systemd.exec(5)).
 */
static bool is_journal_stream(const struct strv *environment, int fd) {
        const char *value = strv_getenv(environment, "JOURNAL_STREAM");
        struct stat st;

        if (!value || fstat(fd, &st) < 0)
                return false;
        _cleanup_free_ char *ours = text_format("%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return text_equal(value, ours);
}

/* Sockets that a service manager has opened for what we start (sd_listen_fds(3)). They are the payload's: nothing else
 * of ours is to inherit them. */
static int probe_sockets(const struct strv *environment, int *ret, struct error *error) {
        const char *pid = strv_getenv(environment, "LISTEN_PID"), *count = strv_getenv(environment, "LISTEN_FDS");
        uint64_t value;

        if (!pid || !count || parse_unsigned(pid, 1, INT_MAX, &value) < 0 || (pid_t) value != getpid())
                return 0;
        if (parse_unsigned(count, 0, SOCKETS_MAX, &value) < 0)
                return error_set(error, EINVAL, "$LISTEN_FDS=%s is no number of descriptors", count);
        for (int fd = 3; fd < 3 + (int) value; fd++)
                if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                        return error_set(error, errno, "$LISTEN_FDS=%s, but descriptor %d is not open", count, fd);
        *ret = (int) value;
        return 0;
}

static int probe_named_devices(const struct spec *spec, struct device_list *ret, struct error *error) {
        _cleanup_free_ char *devices = spec->properties.count > 0 ? read_host_file("/proc/devices") : NULL;

        return probe_devices(spec, devices ? devices : "", ret, error);
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
        ret->bus = spec->registration != REGISTER_NO && machined_bus_present();
        probe_cgroup(&ret->cgroup);
        for (char *const *e = environment; *e; e++)
                if (strv_add(&ret->environ, *e) < 0)
                        return error_memory(error);
        if (spec->link_journal != LINK_JOURNAL_NO)
                probe_machine_id(ret);
        ret->journal_stream = is_journal_stream(&ret->environ, STDOUT_FILENO);
        int r = probe_sockets(&ret->environ, &ret->sockets, error);
        if (r >= 0)
                r = probe_named_devices(spec, &ret->devices, error);
        if (r < 0)
                return r;
        ret->working_directory = getcwd(NULL, 0);
        if (uname(&names) == 0)
                ret->host_name = strdup(names.nodename);
        return 0;
}
