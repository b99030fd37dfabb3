/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"

enum { BUSY_ROUNDS = 500, BUSY_WAIT_MS = 10, DEPTH_LIMIT = 64 };

static int write_file(int group_fd, const char *file, const char *value) {
        _cleanup_close_ int fd = openat(group_fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
}

int cgroup_enter(int group_fd) {
        return write_file(group_fd, "cgroup.procs", "0");
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
