/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "launcher/plan.h"

enum { LEFT_ROUNDS = 200, LEFT_WAIT_MS = 10 }; /* for what a killed user has left */
enum { LOCKS_LIMIT = 1024 * 1024, COMMAND_LIMIT = 128 * 1024 };

/* Has PID the directory of ROOT open? /proc/locks tells inodes but not reliably their device (btrfs, overlayfs). */
static bool has_open(pid_t pid, const struct root_probe *root) {
        _cleanup_free_ char *path = text_format("/proc/%d/fd", (int) pid);
        DIR *dir = path ? opendir(path) : NULL;
        struct dirent *entry;
        bool found = false;
        struct stat st;

        while (dir && !found && (entry = readdir(dir)))
                found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_dev == root->device &&
                        st.st_ino == root->inode;
        if (dir)
                closedir(dir);
        return found;
}

/* Who holds a flock on ROOT, from lines "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF" (proc_locks(5)). */
static pid_t find_holder(const struct root_probe *root) {
        _cleanup_close_ int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        char *save = NULL;

        if (fd < 0 || fd_read_file(fd, LOCKS_LIMIT, &text, NULL) < 0)
                return 0;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                struct strv words = { 0 };
                uint64_t pid = 0, inode = 0;
                if (strv_split(&words, line, " ") == 0 && words.count >= 6 && text_equal(words.items[1], "FLOCK")) {
                        const char *colon = strrchr(words.items[5], ':');
                        if (parse_unsigned(words.items[4], 1, INT32_MAX, &pid) < 0 || !colon ||
                            parse_unsigned(colon + 1, 0, UINT64_MAX, &inode) < 0)
                                pid = 0;
                }
                strv_free(&words);
                if (pid > 0 && inode == root->inode && has_open((pid_t) pid, root))
                        return (pid_t) pid;
        }
        return 0;
}

/* The machine that process PID runs: its words are read by our own parser. NULL if it is no spawn. */
static char *machine_of(pid_t pid) {
        _cleanup_free_ char *path = text_format("/proc/%d/cmdline", (int) pid), *words = NULL;
        _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        char *argv[256], *no_environment[] = { NULL }, *name = NULL;
        enum spec_action action;
        struct spec spec;
        size_t size;
        int argc = 0;

        if (fd < 0 || fd_read_file(fd, COMMAND_LIMIT, &words, &size) < 0)
                return NULL;
        for (char *p = words; p < words + size && argc < 255; p += strlen(p) + 1)
                argv[argc++] = p;
        argv[argc] = NULL;
        spec_init(&spec);
        if (argc > 0 && spec_parse(&spec, argc, argv, no_environment, &action, NULL) >= 0 &&
            (spec.directory || spec.image || spec.machine))
                name = spec.machine ? strdup(spec.machine)
                                    : plan_machine_name(spec.image ? spec.image : spec.directory, spec.image);
        spec_free(&spec);
        return name;
}

static int try_lock(const struct root_probe *root, bool shared) {
        return flock(root->lock_fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0 ? -errno : 0;
}

int lock_root(const struct root_probe *root, bool shared, struct error *error) {
        pid_t pid = 0;
        int r = try_lock(root, shared);

        /* A container that was killed has a moment to go: its file system holds the image until it is unmounted. */
        for (int round = 0; r == -EWOULDBLOCK && round < LEFT_ROUNDS; round++) {
                pid = find_holder(root);
                if (pid > 0)
                        break;
                (void) poll(NULL, 0, LEFT_WAIT_MS);
                r = try_lock(root, shared);
        }
        if (r != -EWOULDBLOCK) {
                if (r < 0)
                        log_debug("cannot lock %s: %s", root->path, strerror(-r));
                return 0;
        }
        _cleanup_free_ char *machine = pid > 0 ? machine_of(pid) : NULL;
        if (machine)
                error_set(error, EBUSY, "%s is in use by the machine %s (process %d)", root->path, machine, (int) pid);
        else if (pid > 0)
                error_set(error, EBUSY, "%s is in use by process %d", root->path, (int) pid);
        else
                error_set(error, EBUSY, "%s is in use by another process", root->path);
        return error_hint(error, "stop that one first, or use the root with --read-only in both");
}
