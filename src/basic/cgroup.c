/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"

enum { BUSY_ROUNDS = 500, BUSY_WAIT_MS = 10, DEPTH_LIMIT = 64, LIST_LIMIT = 64 * 1024 };

static int write_file(int group_fd, const char *file, const char *value) {
        _cleanup_close_ int fd = openat(group_fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
}

int cgroup_enter(int group_fd) {
        return write_file(group_fd, "cgroup.procs", "0");
}

int cgroup_move(int group_fd, pid_t pid) {
        char text[16];

        snprintf(text, sizeof text, "%d", (int) pid);
        return write_file(group_fd, "cgroup.procs", text);
}

void cgroup_enable_controllers(int group_fd) {
        _cleanup_close_ int fd = openat(group_fd, "cgroup.controllers", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_free_ char *list = NULL;
        char *save = NULL;

        if (fd < 0 || fd_read_file(fd, LIST_LIMIT, &list, NULL) < 0)
                return;
        for (char *name = strtok_r(list, " \n", &save); name; name = strtok_r(NULL, " \n", &save)) {
                _cleanup_free_ char *word = text_format("+%s", name);
                if (word)
                        (void) write_file(group_fd, "cgroup.subtree_control", word);
        }
}

/* proc_pid_cgroup(5). The caller frees. */
static int read_groups(pid_t pid, char **ret) {
        _cleanup_free_ char *file = pid > 0 ? text_format("/proc/%d/cgroup", (int) pid) : strdup("/proc/self/cgroup");
        _cleanup_close_ int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;

        if (!file)
                return -ENOMEM;
        return fd < 0 ? -errno : fd_read_file(fd, LIST_LIMIT, ret, NULL);
}

int cgroup_path(pid_t pid, char **ret) {
        _cleanup_free_ char *text = NULL;
        char root[] = "/";
        int r = read_groups(pid, &text);

        if (r < 0 || !text)
                return r;
        /* A hierarchy that was never mounted has no line, and then everything is at its root. */
        char *line = text_starts_with(text, "0::/") ? text : strstr(text, "\n0::/");
        line = line ? strchr(line, '/') : root;
        line[strcspn(line, "\n")] = 0;
        /* A group outside of our own cgroup namespace is shown with a leading "/..": it is not ours to use. */
        if (text_starts_with(line, "/.."))
                return -EXDEV;
        *ret = strdup(line);
        return *ret ? 0 : -ENOMEM;
}

/* "Control Group APIs and Delegation" of systemd: slices hold slices and units; what is below a unit is its own. */
char *cgroup_unit_of(const char *path) {
        while (*path == '/') {
                size_t n = strcspn(++path, "/\n");
                _cleanup_free_ char *name = strndup(path, n);
                if (!name)
                        return NULL;
                if (text_ends_with(name, ".scope") || text_ends_with(name, ".service"))
                        return TAKE_PTR(name);
                if (!text_ends_with(name, ".slice"))
                        return NULL;
                path += n;
        }
        return NULL;
}

int cgroup_unit(pid_t pid, char **ret) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r = read_groups(pid, &text);

        if (r < 0)
                return r;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *path = strchr(line, '/');
                const char *systemd = strstr(line, ":name=systemd:/");
                if (!path || !(text_starts_with(line, "0::/") || (systemd && systemd < path)))
                        continue;
                *ret = cgroup_unit_of(path);
                if (*ret)
                        return 0;
        }
        return -ENOENT;
}

/* Where a host has cgroup2: alone, or beside the hierarchies of v1. */
static const char *const host_mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

bool cgroup_is_delegated(const char *path) {
        static const char *const marks[] = { "trusted.delegate", "user.delegate" };

        for (size_t i = 0; i < ELEMENTSOF(host_mounts); i++) {
                _cleanup_free_ char *directory = text_format("%s%s", host_mounts[i], path);
                for (size_t k = 0; directory && k < ELEMENTSOF(marks); k++) {
                        char value = 0;
                        if (getxattr(directory, marks[k], &value, 1) == 1 && value == '1')
                                return true;
                }
        }
        return false;
}

static int open_directory(int parent_fd, const char *name) {
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

/* Below a mount of the host's that can be written to. */
static int open_in_host_mount(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(host_mounts); i++) {
                _cleanup_close_ int top = open(host_mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                struct statfs fs;
                if (top < 0 || fstatfs(top, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC || fs.f_flags & ST_RDONLY)
                        continue;
                /* The path is the kernel's own: absolute, and without links, which cgroup2 does not have. */
                return open_directory(top, path[1] ? path + 1 : ".");
        }
        return -ENOENT;
}

static int mount_detached(void) {
        _cleanup_close_ int fs = sys_fsopen("cgroup2", FSOPEN_CLOEXEC);

        if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        int fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Our own group as the top of a mount that nobody else sees. Mounting cgroup2 in the first cgroup namespace sets the
 * options of the hierarchy for the whole host (nsdelegate, memory_recursiveprot, … would be off), and waits for all
 * processors while doing so: so it is mounted in a namespace that is made for it. */
static int mount_own_group(void) {
        _cleanup_close_ int ours = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);

        if (ours < 0 || unshare(CLONE_NEWCGROUP) < 0)
                return -errno;
        int fd = mount_detached();
        if (setns(ours, CLONE_NEWCGROUP) < 0) {
                int r = -errno;
                fd_close(fd);
                return r;
        }
        return fd;
}

int cgroup_open(const char *path) {
        _cleanup_free_ char *own = NULL;
        int fd = open_in_host_mount(path);

        if (fd != -ENOENT || cgroup_path(0, &own) < 0 || !text_equal(own, path))
                return fd;
        return mount_own_group();
}

static int remove_tree(int parent_fd, const char *name, int depth);

/* Removes the sub-groups of GROUP_FD, which is given away. */
static int remove_children(int group_fd, int depth) {
        DIR *dir = fdopendir(group_fd);
        struct dirent *entry;
        int result = 0;

        if (!dir) {
                fd_close(group_fd);
                return -errno;
        }
        while ((entry = readdir(dir)))
                if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
                        int r = remove_tree(dirfd(dir), entry->d_name, depth + 1);
                        if (r < 0)
                                result = r;
                }
        closedir(dir);
        return result;
}

static int remove_tree(int parent_fd, const char *name, int depth) {
        if (depth > DEPTH_LIMIT)
                return -ELOOP;
        if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        int fd = open_directory(parent_fd, name);
        if (fd < 0)
                return fd;
        int r = remove_children(fd, depth);
        if (r < 0)
                return r;
        return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(int parent_fd, const char *name) {
        int r = remove_tree(parent_fd, name, 0);

        if (r != -EBUSY)
                return r;
        _cleanup_close_ int fd = open_directory(parent_fd, name);
        if (fd >= 0)
                (void) write_file(fd, "cgroup.kill", "1"); /* Linux 5.14; without it the caller has killed PID 1 */
        for (int round = 0; r == -EBUSY && round < BUSY_ROUNDS; round++) {
                (void) poll(NULL, 0, BUSY_WAIT_MS);
                r = remove_tree(parent_fd, name, 0);
        }
        return r;
}
