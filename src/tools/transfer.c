/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files between host and container: copy-to, copy-from, bind. The container's side is looked up below its root and
 * never leaves it; the host's is the caller's own. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/inroot.h"
#include "tools/copy.h"
#include "tools/tools.h"

#define PRIVATE (1UL << 18) /* MS_PRIVATE, mount(2) */

/* The root of one side. */
struct side {
        int root;
        const char *whose; /* for messages: "the host's", "the container's" */
};

static int open_host(struct side *ret, struct error *error) {
        *ret = (struct side){ open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "the host's" };
        return ret->root < 0 ? error_set(error, errno, "cannot open /: %m") : 0;
}

/* The root of the machine's first process, which is its own (proc_pid_root(5)). */
static int open_container(const char *name, struct side *ret, struct state *ret_state, struct error *error) {
        char path[64];
        int r = tools_find(name, ret_state, error);

        *ret = (struct side){ -EBADF, "the container's" };
        if (r < 0)
                return r;
        snprintf(path, sizeof path, "/proc/%d/root", (int) ret_state->leader.pid);
        ret->root = ret_state->leader.pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        /* A number can be another process's by now: it is looked at once the root is ours. */
        if (ret->root < 0 || !process_lives(&ret_state->leader)) {
                ret->root = fd_close(ret->root);
                return error_set(error, ESRCH, "the machine %s does not run", name);
        }
        return 0;
}

/* What the caller means by PATH on the host: from the working directory. Returns NULL without memory. */
static char *host_path(const char *path) {
        char here[PATH_MAX];

        if (*path == '/' || !getcwd(here, sizeof here))
                return strdup(path);
        return text_format("%s/%s", here, path);
}

static int cannot_find(const struct side *side, const char *path, int r, struct error *error) {
        return error_set(error, -r, "%s %s: %s", side->whose, path, strerror(-r));
}

/* A directory, and a name in it. */
struct place {
        int directory;
        char name[NAME_MAX + 1];
};

/* Where PATH is; "." and what ends so have a name as well, the root has none. */
static int find_source(const struct side *side, const char *path, struct place *ret, struct error *error) {
        _cleanup_free_ char *canonical = NULL;
        int r = inroot_open_parent(side->root, path, ret->name);

        if (r == -EINVAL) {
                r = inroot_resolve(side->root, path, &canonical);
                if (r >= 0 && text_equal(canonical, "/"))
                        return error_set(error, EINVAL, "%s root directory cannot be copied as a whole", side->whose);
                if (r >= 0)
                        r = inroot_open_parent(side->root, canonical, ret->name);
        }
        ret->directory = r;
        return r < 0 ? cannot_find(side, path, r, error) : 0;
}

/* PATH itself, or NAME in it where it is a directory and INTO says so. */
static int find_target(const struct side *side, const char *path, const char *name, bool into, bool makes_parents,
                       struct place *ret, struct error *error) {
        struct stat st;
        int r = makes_parents ? inroot_mkdirs_parent(side->root, path, 0755) : 0;

        if (r >= 0 && into && inroot_stat(side->root, path, &st) >= 0 && S_ISDIR(st.st_mode)) {
                r = inroot_open(side->root, path, O_PATH | O_DIRECTORY, 0);
                snprintf(ret->name, sizeof ret->name, "%s", name);
        } else if (r >= 0)
                r = inroot_open_parent(side->root, path, ret->name);
        ret->directory = r;
        if (r >= 0)
                return 0;
        cannot_find(side, path, r, error);
        return r == -ENOENT ? error_hint(error, "--mkdir makes missing directories") : r;
}

/* To be ended by a signal like any program, but not before it is tidied up. */
static int open_ending(void) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGHUP);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : signalfd(-1, &set, SFD_CLOEXEC);
}

static int copy(const struct request *q, const struct side *from, const char *source, const struct side *to,
                const char *target, bool strips_rights, struct error *error) {
        struct place a = { .directory = -EBADF }, b = { .directory = -EBADF };
        _cleanup_close_ int signal_fd = open_ending();
        const struct copy_options options = { signal_fd, q->force, strips_rights };
        int r = find_source(from, source, &a, error);

        umask(0);
        if (r >= 0)
                r = find_target(to, target, a.name, q->paths[1] != NULL, q->makes_directories, &b, error);
        if (r >= 0)
                r = copy_tree(a.directory, a.name, b.directory, b.name, &options, error);
        fd_close(a.directory);
        fd_close(b.directory);
        return r;
}

/* Without a second path it is the first, on the other side. */
static int transfer(const struct request *q, bool to_container, struct error *error) {
        struct side host = { .root = -EBADF }, container = { .root = -EBADF };
        struct state state;
        int r = open_container(q->name, &container, &state, error);

        if (r >= 0)
                r = open_host(&host, error);
        if (r >= 0) {
                const char *other = q->paths[1] ? q->paths[1] : q->paths[0];
                _cleanup_free_ char *here = host_path(to_container ? q->paths[0] : other);
                if (!here)
                        r = error_memory(error);
                else if (to_container)
                        r = copy(q, &host, here, &container, q->paths[1] ? other : here, false, error);
                else /* a program of theirs is not to be root's here */
                        r = copy(q, &container, q->paths[0], &host, here, true, error);
        }
        fd_close(host.root);
        fd_close(container.root);
        return r;
}

int transfer_copy_to(const struct request *q, struct error *error) {
        return transfer(q, true, error);
}

int transfer_copy_from(const struct request *q, struct error *error) {
        return transfer(q, false, error);
}

/* ---- bind ---- */

/* A copy of the host's mount at PATH and below, that nobody has mounted yet. */
static int clone_host(const struct request *q, const char *path, struct error *error) {
        struct mount_attr attributes = { .attr_set = q->read_only ? MOUNT_ATTR_RDONLY : 0, .propagation = PRIVATE };
        _cleanup_close_ int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

        if (tree < 0)
                return error_set(error, errno, "the host's %s: %m", path);
        if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) < 0)
                return error_set(error, errno, "cannot set the mount options of %s: %m", path);
        return TAKE_FD(tree);
}

/* The mount point, of the same kind as what is mounted there. */
static int open_mount_point(const struct request *q, int root, int tree, const char *path, struct error *error) {
        const struct side side = { root, "the container's" };
        struct stat wanted, st;
        int r = fstat(tree, &wanted) < 0 ? -errno : 0;

        if (r >= 0 && q->makes_directories) {
                umask(0);
                r = S_ISDIR(wanted.st_mode) ? inroot_mkdirs(root, path, 0755) : inroot_mkdirs_parent(root, path, 0755);
                if (r >= 0 && !S_ISDIR(wanted.st_mode))
                        r = inroot_touch(root, path, 0644);
        }
        _cleanup_close_ int point = r < 0 ? r : inroot_open(root, path, O_PATH, 0);
        if (point < 0) {
                cannot_find(&side, path, point, error);
                return point == -ENOENT ? error_hint(error, "--mkdir makes it") : point;
        }
        if (fstat(point, &st) < 0 || S_ISDIR(st.st_mode) != S_ISDIR(wanted.st_mode))
                return error_set(error, ENOTDIR, "the container's %s is %s, the host's file is %s", path,
                                 inroot_mode_kind(st.st_mode), inroot_mode_kind(wanted.st_mode));
        return TAKE_FD(point);
}

/* Mounts in a namespace are made by those who are in it. Nothing of the container's is run or read after setns(2). */
static int mount_there(int namespace, int tree, int point, const char *path, struct error *error) {
        if (setns(namespace, CLONE_NEWNS) < 0)
                return error_set(error, errno, "cannot enter the container's mount namespace: %m");
        if (sys_move_mount(tree, "", point, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set(error, errno, "cannot mount on the container's %s: %m", path);
        return 0;
}

int transfer_bind(const struct request *q, struct error *error) {
        struct side container = { .root = -EBADF };
        struct state state;
        int r = open_container(q->name, &container, &state, error);

        if (r < 0)
                return r;
        _cleanup_close_ int root = container.root;
        _cleanup_free_ char *source = host_path(q->paths[0]);
        if (!source)
                return error_memory(error);
        const char *target = q->paths[1] ? q->paths[1] : source;
        _cleanup_close_ int pidfd = sys_pidfd_open(state.leader.pid, 0);
        if (pidfd < 0 || !process_lives(&state.leader))
                return error_set(error, ESRCH, "the machine %s does not run", q->name);
        _cleanup_close_ int tree = clone_host(q, source, error);
        if (tree < 0)
                return tree;
        _cleanup_close_ int point = open_mount_point(q, root, tree, target, error);
        return point < 0 ? point : mount_there(pidfd, tree, point, target, error);
}
