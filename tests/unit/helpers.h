/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* For tests that fork, write files or look at what is printed. A cmocka assertion in a child would go on with its
 * parent's list of tests: a child uses CHECK(), which ends it. */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "unit.h"

#define CHECK(condition)                                                                                              \
        do {                                                                                                          \
                if (!(condition)) {                                                                                   \
                        dprintf(STDERR_FILENO, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));  \
                        _exit(1);                                                                                     \
                }                                                                                                     \
        } while (0)

static inline void need_root(void) {
        if (geteuid() != 0) {
                print_message("this needs root\n");
                skip();
        }
}

/* Starts a child that runs BODY and then exits with 0. It is killed after 30 seconds. */
static inline pid_t start_child(void (*body)(void *), void *userdata) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
                alarm(30);
                body(userdata);
                _exit(0);
        }
        assert_true(pid > 0);
        return pid;
}

/* waitpid(2)'s status of PID. */
static inline int wait_for(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

/* Runs BODY in a child. Returns waitpid(2)'s status. */
static inline int run_child(void (*body)(void *), void *userdata) {
        return wait_for(start_child(body, userdata));
}

static inline uint64_t monotonic_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* What is written to descriptor FD between capture_start() and capture_end(). */
struct capture {
        int fd, saved, file;
};

static inline struct capture capture_start(int fd) {
        fflush(NULL);
        struct capture c = { fd, fcntl(fd, F_DUPFD_CLOEXEC, 3), memfd_create("capture", MFD_CLOEXEC) };
        assert_true(c.saved >= 0 && c.file >= 0 && dup2(c.file, fd) == fd);
        return c;
}

/* The caller frees. */
static inline char *capture_end(struct capture *c) {
        char *text = NULL;

        fflush(NULL);
        assert_int_equal(dup2(c->saved, c->fd), c->fd);
        fd_close(c->saved);
        assert_int_equal(lseek(c->file, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_file(c->file, 16 * 1024 * 1024, &text, NULL), 0);
        fd_close(c->file);
        return text;
}

static inline void put_bytes(int dirfd, const char *path, const void *data, size_t size, mode_t mode) {
        _cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, data, size), 0);
        assert_int_equal(fchmod(fd, mode), 0);
}

static inline void put_text(int dirfd, const char *path, const char *text) {
        put_bytes(dirfd, path, text, strlen(text), 0644);
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st, (void) type, (void) ftw;
        return remove(path);
}

/* Removes the directory PATH with all that is in it, and never what is mounted there. */
static inline void remove_tree_at(const char *path) {
        assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}
