/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "basic/fd.h"
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

int cgroup_path(pid_t pid, char **ret) {
        _cleanup_free_ char *file = pid > 0 ? text_format("/proc/%d/cgroup", (int) pid) : strdup("/proc/self/cgroup");
        _cleanup_close_ int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
        _cleanup_free_ char *text = NULL;

        if (!file)
                return -ENOMEM;
        int r = fd < 0 ? -errno : fd_read_file(fd, LIST_LIMIT, &text, NULL);
        if (r < 0 || !text)
                return r;
        char *line = strstr(text, "0::/");
        if (!line || (line != text && line[-1] != '\n'))
                return -ENOENT;
        line += strlen("0::");
        line[strcspn(line, "\n")] = 0;
        /* A group outside of our own cgroup namespace is shown with a leading "/..": it is not ours to use. */
        if (text_starts_with(line, "/.."))
                return -EXDEV;
        *ret = strdup(line);
        return *ret ? 0 : -ENOMEM;
}

bool cgroup_is_delegated(const char *path) {
        static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
        static const char *const marks[] = { "trusted.delegate", "user.delegate" };

        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                _cleanup_free_ char *directory = text_format("%s%s", mounts[i], path);
                for (size_t k = 0; directory && k < ELEMENTSOF(marks); k++) {
                        char value = 0;
                        if (getxattr(directory, marks[k], &value, 1) == 1 && value == '1')
                                return true;
                }
        }
        return false;
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
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        int r = remove_children(fd, depth);
        if (r < 0)
                return r;
        return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(int parent_fd, const char *name) {
        int r = remove_tree(parent_fd, name, 0);

        if (r != -EBUSY)
                return r;
        _cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0)
                (void) write_file(fd, "cgroup.kill", "1"); /* Linux 5.14; without it the caller has killed PID 1 */
        for (int round = 0; r == -EBUSY && round < BUSY_ROUNDS; round++) {
                (void) poll(NULL, 0, BUSY_WAIT_MS);
                r = remove_tree(parent_fd, name, 0);
        }
        return r;
}
