/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cgroup.h"
#include "basic/fd.h"
#include "basic/text.h"

enum { FILE_LIMIT = 4 * 1024 * 1024, DEPTH_LIMIT = 64 };

/* The text of FILE in DIRECTORY; NULL if there is none. The caller frees it. */
static char *read_text(int directory, const char *file) {
        _cleanup_close_ int fd = openat(directory, file, O_RDONLY | O_CLOEXEC);
        char *text = NULL;

        return fd >= 0 && fd_read_file(fd, FILE_LIMIT, &text, NULL) >= 0 ? text : NULL;
}

/* The number behind KEY, which begins a line, or, in io.stat, a word; added up over all of them. */
static uint64_t sum_of(const char *text, const char *key) {
        uint64_t sum = 0;
        size_t n = strlen(key);

        for (const char *p = text; p && (p = strstr(p, key)); p += n)
                if (p == text || p[-1] == '\n' || p[-1] == ' ')
                        sum += strtoull(p + n, NULL, 10);
        return sum;
}

/* cgroup-v2.rst: cpu.stat is there without a controller. */
static bool read_number(int group, const char *file, uint64_t *ret) {
        _cleanup_free_ char *text = read_text(group, file);

        if (text)
                *ret = strtoull(text, NULL, 10);
        return text != NULL;
}

static bool read_io(int group, struct usage *u) {
        _cleanup_free_ char *text = read_text(group, "io.stat");

        u->read = sum_of(text, "rbytes=");
        u->written = sum_of(text, "wbytes=");
        return text != NULL;
}

/* ---- one by one ---- */

struct missing {
        bool memory, tasks, io;
};

static void add_process(unsigned long pid, const struct missing *missing, struct usage *u) {
        char path[64];

        snprintf(path, sizeof path, "/proc/%lu", pid);
        _cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return; /* it has ended */
        if (missing->memory) {
                _cleanup_free_ char *text = read_text(directory, "statm");
                unsigned long pages = 0;
                if (text && sscanf(text, "%*u %lu", &pages) == 1)
                        u->memory += (uint64_t) pages * (uint64_t) sysconf(_SC_PAGESIZE);
        }
        if (missing->tasks) {
                _cleanup_free_ char *text = read_text(directory, "status");
                u->tasks += sum_of(text, "Threads:");
        }
        if (missing->io) {
                _cleanup_free_ char *text = read_text(directory, "io");
                u->read += sum_of(text, "read_bytes:");
                u->written += sum_of(text, "write_bytes:");
        }
}

static void add_group(int group, const struct missing *missing, unsigned depth, struct usage *u) {
        _cleanup_free_ char *processes = read_text(group, "cgroup.procs");
        int fd = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;
        char *end;

        for (char *p = processes; p && *p; p = end) {
                unsigned long pid = strtoul(p, &end, 10);
                if (end == p)
                        break;
                if (pid > 0)
                        add_process(pid, missing, u);
                end += *end == '\n';
        }
        while (d && depth < DEPTH_LIMIT && (e = readdir(d))) {
                if (e->d_type != DT_DIR || text_equal(e->d_name, ".") || text_equal(e->d_name, ".."))
                        continue;
                _cleanup_close_ int below = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (below >= 0)
                        add_group(below, missing, depth + 1, u);
        }
        if (d)
                closedir(d);
        else
                fd_close(fd);
}

int usage_read(const char *path, struct usage *ret) {
        _cleanup_close_ int group = cgroup_open(path);

        *ret = (struct usage){ 0 };
        if (group < 0)
                return group;
        _cleanup_free_ char *cpu = read_text(group, "cpu.stat");
        ret->cpu_usec = sum_of(cpu, "usage_usec ");
        const struct missing missing = { !read_number(group, "memory.current", &ret->memory),
                                         !read_number(group, "pids.current", &ret->tasks), !read_io(group, ret) };
        if (missing.memory || missing.tasks || missing.io)
                add_group(group, &missing, 0, ret);
        return 0;
}
