/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/inroot.h"
#include "tools/apart.h"

enum { OS_RELEASE_LIMIT = 64 * 1024, LOOK_MSEC = 1000, ADDRESSES_LIMIT = 4096 };

/* ---- os-release ---- */

/* The value of an assignment as a shell reads it, in place: one word, in quotes or not. */
static char *unquote(char *text) {
        char quote = *text == '"' || *text == '\'' ? *text : 0, *out = text, *p = text + (quote != 0);

        for (; *p && *p != quote; p++) {
                if (*p == '\\' && quote != '\'' && p[1])
                        p++;
                *out++ = *p;
        }
        *out = 0;
        return text;
}

void look_parse_os_release(char *text, struct os_release *ret) {
        const struct {
                const char *key;
                char *value;
                size_t size;
        } keys[] = { { "ID=", ret->id, sizeof ret->id },
                     { "VERSION_ID=", ret->version, sizeof ret->version },
                     { "PRETTY_NAME=", ret->pretty, sizeof ret->pretty } };
        char *save = NULL;

        *ret = (struct os_release){ 0 };
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                        if (text_starts_with(line, keys[i].key))
                                snprintf(keys[i].value, keys[i].size, "%s", unquote(line + strlen(keys[i].key)));
}

int look_os_release(int root, struct os_release *ret) {
        static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release" };
        _cleanup_free_ char *text = NULL;
        int r = -ENOENT;

        *ret = (struct os_release){ 0 };
        for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(files); i++)
                r = inroot_read(root, files[i], OS_RELEASE_LIMIT, &text, NULL);
        if (r >= 0)
                look_parse_os_release(text, ret);
        return r;
}

/* With no more rights than it takes to read files: a link may lead to what only reading changes, as /proc/kmsg. */
static void look_at_system(int process, struct look *ret) {
        _cleanup_close_ int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct capability_sets sets, fewer;
        struct stat st, host;

        if (root < 0 || fstat(root, &st) < 0 || stat("/", &host) < 0 || sys_capget(&sets) < 0)
                return;
        if (st.st_dev == host.st_dev && st.st_ino == host.st_ino)
                return; /* it is no container's */
        fewer = sets;
        fewer.effective &= UINT64_C(1) << CAP_DAC_READ_SEARCH;
        if (sys_capset(&fewer) < 0)
                return;
        (void) look_os_release(root, &ret->os);
        (void) sys_capset(&sets);
}

/* ---- addresses ---- */

static bool is_of_link(const struct address *a) {
        return a->family == AF_INET ? a->bytes[0] == 169 && a->bytes[1] == 254
                                    : a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

int look_compare_addresses(const void *a, const void *b) {
        const struct address *x = a, *y = b;

        if (x->family != y->family)
                return x->family == AF_INET ? -1 : 1;
        if (is_of_link(x) != is_of_link(y))
                return is_of_link(x) ? 1 : -1;
        if (x->interface != y->interface)
                return x->interface < y->interface ? -1 : 1;
        return memcmp(x->bytes, y->bytes, sizeof x->bytes);
}

/* Returns whether I holds an address that others can use. */
static bool get_address(const struct ifaddrs *i, struct address *ret) {
        const struct sockaddr *s = i->ifa_addr;

        *ret = (struct address){ 0 };
        if (!s || i->ifa_flags & IFF_LOOPBACK || (s->sa_family != AF_INET && s->sa_family != AF_INET6))
                return false;
        ret->family = s->sa_family;
        ret->interface = if_nametoindex(i->ifa_name);
        if (s->sa_family == AF_INET)
                memcpy(ret->bytes, &((const struct sockaddr_in *) (const void *) s)->sin_addr, 4);
        else
                memcpy(ret->bytes, &((const struct sockaddr_in6 *) (const void *) s)->sin6_addr, 16);
        return true;
}

/* Of the network namespace that we are in. */
static void read_addresses(struct look *ret) {
        _cleanup_free_ struct address *list = calloc(ADDRESSES_LIMIT, sizeof *list);
        struct ifaddrs *all = NULL;
        size_t n = 0;

        if (!list || getifaddrs(&all) < 0)
                return;
        for (const struct ifaddrs *i = all; i && n < ADDRESSES_LIMIT; i = i->ifa_next)
                n += get_address(i, list + n);
        freeifaddrs(all);
        qsort(list, n, sizeof *list, look_compare_addresses);
        for (size_t i = 0; i < n && i < LOOK_ADDRESSES; i++)
                if (inet_ntop(list[i].family, list[i].bytes, ret->addresses[i], INET6_ADDRSTRLEN))
                        ret->address_count = (uint32_t) i + 1;
        ret->addresses_left_out = (uint32_t) n - ret->address_count;
}

/* A machine on the host's network has no addresses of its own. */
static void look_at_network(int process, const struct stat *host, struct look *ret) {
        _cleanup_close_ int fd = openat(process, "ns/net", O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_dev != host->st_dev || st.st_ino != host->st_ino) &&
            setns(fd, CLONE_NEWNET) == 0)
                read_addresses(ret);
}

/* ---- all ---- */

struct looker {
        const struct process_id *leaders;
        size_t count;
        struct stat host; /* the network namespace that we have come from */
};

/* The directory in /proc is the process's for as long as it is open: when its number is another's it is empty. */
static void look_at_one(const struct looker *l, const struct process_id *leader, struct look *ret) {
        char path[32];

        snprintf(path, sizeof path, "/proc/%d", (int) leader->pid);
        _cleanup_close_ int process = leader->pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        if (process < 0 || !process_lives(leader))
                return;
        look_at_network(process, &l->host, ret);
        look_at_system(process, ret);
        if (!process_lives(leader)) /* and so was what was found */
                *ret = (struct look){ 0 };
}

static void look_at_each(int fd, void *userdata) {
        const struct looker *l = userdata;

        for (size_t i = 0; i < l->count; i++) {
                struct look look = { 0 };
                look_at_one(l, l->leaders + i, &look);
                if (fd_write_all(fd, &look, sizeof look) < 0)
                        return;
        }
}

/* Returns how many answers have come. */
static size_t look_at_some(struct looker *l, struct look *ret) {
        struct apart apart;
        size_t done = 0, size;

        if (apart_start(look_at_each, l, &apart) < 0)
                return 0;
        while (done < l->count && apart_read(&apart, ret + done, sizeof *ret, LOOK_MSEC, &size) == 0)
                done++;
        apart_end(&apart);
        return done;
}

void look_at(const struct process_id *leaders, size_t count, struct look *ret) {
        struct looker l = { .leaders = leaders, .count = count };

        if (stat("/proc/self/ns/net", &l.host) < 0)
                l.count = 0;
        while (l.count > 0) {
                size_t done = look_at_some(&l, ret);
                l.leaders += done;
                l.count -= done;
                ret += done;
                if (l.count > 0) { /* that one it waits for */
                        *ret++ = (struct look){ 0 };
                        l.leaders++;
                        l.count--;
                }
        }
}
