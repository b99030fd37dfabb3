/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts for real: each test forks a process with mount, PID and IPC namespaces of its own, which makes a tree its
 * root. Without root these are skipped. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "mounts/attach.h"
#include "mounts/inroot.h"
#include "mounts/root.h"

/* The ops below are copied before anything could write to their texts. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

enum {
        S = MOUNT_ATTR_NOSUID,
        D = MOUNT_ATTR_NODEV,
        X = MOUNT_ATTR_NOEXEC,
        R = MOUNT_ATTR_RDONLY,
        T = MOUNT_ATTR_STRICTATIME,
};

enum { MAX_OPS = 32 };

struct fixture {
        char path[32]; /* holds `tree`, the root, and `outside` */
        int top, root;
        struct mount_list list;
        struct error error;
        int fds[MAX_OPS];
};

static void put_file(int dirfd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static int setup(void **state) {
        static const char *const directories[] = {
                "outside",  "outside/below", "tree",     "tree/proc", "tree/dev",
                "tree/run", "tree/sys",      "tree/etc", "tree/srv",
        };
        static struct fixture f;

        f = (struct fixture){ 0 };
        *state = &f;
        strcpy(f.path, "/tmp/test-attach-XXXXXX");
        assert_non_null(mkdtemp(f.path));
        f.top = open(f.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                assert_int_equal(mkdirat(f.top, directories[i], 0755), 0);
        put_file(f.top, "outside/secret", "outside");
        put_file(f.top, "tree/etc/hostname", "inside");
        f.root = openat(f.top, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < MAX_OPS; i++)
                f.fds[i] = -EBADF;
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st, (void) type, (void) ftw;
        return remove(path);
}

static int teardown(void **state) {
        struct fixture *f = *state;

        for (size_t i = 0; i < MAX_OPS; i++)
                fd_close(f->fds[i]);
        mount_list_free(&f->list);
        fd_close(f->root);
        fd_close(f->top);
        return nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct mount_op *add(struct fixture *f, struct mount_op op) {
        op.target = strdup(op.target);
        op.source = op.source ? strdup(op.source) : NULL;
        op.type = op.type ? strdup(op.type) : NULL;
        op.options = op.options ? strdup(op.options) : NULL;
        op.origin = strdup(op.origin ? op.origin : "default");
        assert_int_equal(mount_list_add(&f->list, &op), 0);
        assert_true(f->list.count <= MAX_OPS);
        return &f->list.ops[f->list.count - 1];
}

static void add_entry(struct mount_op *op, struct tree_entry entry) {
        assert_int_equal(mount_op_add_entry(op, &entry), 0);
}

static void add_outside(struct fixture *f, const char *below, struct mount_op op) {
        char source[64];

        snprintf(source, sizeof source, "%s/outside%s", f->path, below);
        op.kind = MOUNT_BIND;
        op.source = source;
        add(f, op);
}

static void add_run_host(struct fixture *f) {
        add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                  .target = "/run",
                                  .type = "tmpfs",
                                  .options = "mode=0755",
                                  .attributes = S | D | T,
                                  .real_directory = true,
                                  .create = true });
        add_entry(&f->list.ops[f->list.count - 1], (struct tree_entry){ ENTRY_DIRECTORY, "host", 0755 });
        struct mount_op *op = add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                                        .target = "/run/host",
                                                        .type = "tmpfs",
                                                        .options = "mode=0755",
                                                        .attributes = R | S | D | X });
        add_entry(op, (struct tree_entry){ ENTRY_DIRECTORY, "inaccessible", 0555 });
        add_entry(op, (struct tree_entry){ ENTRY_FILE, "inaccessible/reg", 0, 0, "" });
        add_entry(op, (struct tree_entry){ ENTRY_DIRECTORY, "inaccessible/dir", 0 });
        add_entry(op, (struct tree_entry){ ENTRY_FIFO, "inaccessible/fifo", 0 });
        add_entry(op, (struct tree_entry){ ENTRY_SOCKET, "inaccessible/sock", 0 });
        add_entry(op, (struct tree_entry){ ENTRY_CHARACTER, "inaccessible/chr", 0, 0, NULL, true });
        add_entry(op, (struct tree_entry){ ENTRY_SOCKET, "notify", 0222 });
        add_entry(op, (struct tree_entry){ ENTRY_FILE, "boot-id", 0444, 0, "x\n" });
}

/* The usual ones. */
static void add_api(struct fixture *f) {
        add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                  .side = SIDE_CHILD,
                                  .target = "/proc",
                                  .type = "proc",
                                  .attributes = S | D | X,
                                  .real_directory = true,
                                  .create = true });
        add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                  .side = SIDE_CHILD,
                                  .target = "/sys",
                                  .type = "sysfs",
                                  .attributes = R | S | D | X,
                                  .real_directory = true,
                                  .create = true });
        struct mount_op *op = add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                                        .target = "/dev",
                                                        .type = "tmpfs",
                                                        .options = "mode=0755,size=4m,nr_inodes=64k",
                                                        .attributes = S | T,
                                                        .real_directory = true,
                                                        .create = true });
        add_entry(op, (struct tree_entry){ ENTRY_DIRECTORY, "pts", 0755 });
        add_entry(op, (struct tree_entry){ ENTRY_DIRECTORY, "mqueue", 01777 });
        add_entry(op, (struct tree_entry){ ENTRY_CHARACTER, "null", 0666, makedev(1, 3) });
        add_entry(op, (struct tree_entry){ ENTRY_BLOCK, "impossible/x", 0, 0, NULL, true });
        add_entry(op, (struct tree_entry){ ENTRY_SYMLINK, "fd", 0, 0, "/proc/self/fd" });
        add_entry(op, (struct tree_entry){ ENTRY_FILE, "text", 0646, 0, "content" });
        add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                  .target = "/dev/pts",
                                  .type = "devpts",
                                  .options = "ptmxmode=0666,mode=0620,gid=5",
                                  .attributes = S | X });
        add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                  .side = SIDE_CHILD,
                                  .target = "/dev/mqueue",
                                  .type = "mqueue",
                                  .attributes = S | D | X,
                                  .optional = true });
        add_run_host(f);
        add(f, (struct mount_op){
                       .kind = MOUNT_ATTACH, .side = SIDE_CHILD, .target = "/proc/sys", .attributes = R | S | D | X });
        add(f, (struct mount_op){ .kind = MOUNT_ATTACH,
                                  .side = SIDE_CHILD,
                                  .target = "/proc/sys/net",
                                  .attributes = S | D | X,
                                  .clear = R,
                                  .optional = true });
        add(f, (struct mount_op){ .kind = MOUNT_MASK,
                                  .side = SIDE_CHILD,
                                  .target = "/proc/keys",
                                  .attributes = R | S | D | X,
                                  .optional = true });
        add(f, (struct mount_op){ .kind = MOUNT_MASK,
                                  .side = SIDE_CHILD,
                                  .target = "/proc/timer_list",
                                  .attributes = R | S | D | X,
                                  .optional = true });
        add(f, (struct mount_op){ .kind = MOUNT_ATTACH,
                                  .side = SIDE_CHILD,
                                  .target = "/proc/no-such-thing",
                                  .attributes = R,
                                  .optional = true });
        add(f, (struct mount_op){ .kind = MOUNT_BIND,
                                  .side = SIDE_CHILD,
                                  .target = "/proc/sys/kernel/random/boot_id",
                                  .source = "/run/host/boot-id",
                                  .source_in_root = true,
                                  .attributes = R | S | D | X });
}

/* In a mount namespace of its own that stands for the host's, with all mounts of PROPAGATION. */
static bool make_host(struct fixture *f, unsigned long propagation_flag) {
        struct mount_attr attr = { .propagation = propagation_flag };
        char path[64];

        snprintf(path, sizeof path, "%s/tree", f->path);
        if (unshare(CLONE_NEWNS) < 0 || sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) < 0)
                return false;
        f->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return f->root >= 0;
}

/* Both halves. READ_ONLY concerns the tree. */
static int launch(struct fixture *f, bool read_only) {
        struct error *e = &f->error;
        _cleanup_close_ int tree = root_clone(f->root, read_only, e);
        int r;

        if (tree < 0)
                return tree;
        r = mounts_prepare(&f->list, tree, f->fds, e);
        if (r >= 0 && unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0)
                return -errno;
        if (r >= 0)
                r = root_enter(tree, e);
        if (r >= 0)
                r = mounts_attach(&f->list, tree, f->fds, !read_only, e);
        if (r >= 0)
                r = mounts_verify(&f->list, tree, f->fds, e);
        if (r >= 0)
                r = root_share(e);
        if (r >= 0)
                r = mounts_propagate(&f->list, f->fds, e);
        return r;
}

/* Runs BODY in a child of its own and fails if something in there did. */
static void in_child(struct fixture *f, void (*body)(struct fixture *)) {
        int status;

        if (geteuid() != 0) {
                print_message("mounting needs root\n");
                skip();
        }
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                alarm(20);
                body(f);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

#define CHECK(condition)                                                                                              \
        do {                                                                                                          \
                if (!(condition)) {                                                                                   \
                        fprintf(stderr, "%s:%d: %s (%m; %s)\n", __FILE__, __LINE__, #condition, f->error.text);       \
                        _exit(1);                                                                                     \
                }                                                                                                     \
        } while (0)

static bool has_flags(const char *path, unsigned long flags) {
        struct statvfs fs;

        return statvfs(path, &fs) == 0 && (fs.f_flag & flags) == flags;
}

static bool lacks_flags(const char *path, unsigned long flags) {
        struct statvfs fs;

        return statvfs(path, &fs) == 0 && (fs.f_flag & flags) == 0;
}

static bool has_mode(const char *path, mode_t mode) {
        struct stat st;

        return lstat(path, &st) == 0 && st.st_mode == mode;
}

static bool reads(const char *path, const char *expected) {
        char text[32] = "";
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd >= 0 && read(fd, text, sizeof text - 1) == (ssize_t) strlen(expected) && text_equal(text, expected);
}

static void check_api(struct fixture *f) {
        char cwd[16];

        umask(077);
        CHECK(launch(f, false) == 0);
        CHECK(umask(022) == 077);
        CHECK(getcwd(cwd, sizeof cwd) && text_equal(cwd, "/"));
        CHECK(reads("/etc/hostname", "inside"));
        CHECK(access(f->path, F_OK) < 0);
        CHECK(has_flags("/proc", ST_NOSUID | ST_NODEV | ST_NOEXEC) && lacks_flags("/proc", ST_RDONLY));
        CHECK(has_flags("/sys", ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY));
        CHECK(has_flags("/dev", ST_NOSUID) && lacks_flags("/dev", ST_NODEV | ST_NOEXEC | ST_RDONLY));
        CHECK(has_flags("/run/host", ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY));
        CHECK(has_flags("/proc/sys", ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY));
        CHECK(lacks_flags("/proc/sys/net", ST_RDONLY));
        CHECK(has_mode("/dev/null", S_IFCHR | 0666) && has_mode("/dev/text", S_IFREG | 0646));
        CHECK(has_mode("/dev/mqueue", S_IFDIR | 01777) && has_mode("/dev/fd", S_IFLNK | 0777));
        CHECK(reads("/dev/text", "content"));
        CHECK(access("/dev/pts/ptmx", F_OK) == 0);
        CHECK(has_mode("/run/host/inaccessible/sock", S_IFSOCK) && access("/run/host/notify", F_OK) < 0);
        CHECK(access("/proc/timer_list", F_OK) < 0 || has_mode("/proc/timer_list", S_IFREG));
        CHECK(reads("/proc/sys/kernel/random/boot_id", "x\n"));
        CHECK(mkdir("/run/host/x", 0755) < 0 && errno == EROFS);
}

static void api(void **state) {
        struct fixture *f = *state;

        add_api(f);
        in_child(f, check_api);
        /* Nothing of it was written to the image. */
        assert_int_equal(faccessat(f->root, "run/host", F_OK, 0), -1);
        assert_int_equal(faccessat(f->root, "dev/null", F_OK, 0), -1);
}

static void check_nothing_of_the_host(struct fixture *f) {
        _cleanup_free_ char *text = NULL;

        CHECK(launch(f, true) == 0);
        _cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        CHECK(fd_read_file(fd, 1 << 16, &text, NULL) == 0);
        /* One line for each mount of the list and the root. */
        size_t lines = 0;
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                lines++;
        size_t attached = 0;
        for (size_t i = 0; i < f->list.count; i++)
                attached += f->fds[i] >= 0;
        CHECK(lines == attached + 1);
        CHECK(!strstr(text, "master:"));
        CHECK(has_flags("/", ST_RDONLY) && lacks_flags("/dev", ST_RDONLY));
}

static void nothing_of_the_host(void **state) {
        add_api(*state);
        in_child(*state, check_nothing_of_the_host);
}

static void check_binds(struct fixture *f) {
        /* A mount below the source, as on a host: it comes along where that is asked for, with the attributes. */
        char below[64];

        CHECK(make_host(f, 1 << 18));
        snprintf(below, sizeof below, "%s/outside/below", f->path);
        _cleanup_close_ int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
        CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
        _cleanup_close_ int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
        CHECK(mknodat(mount, "mark", S_IFREG | 0644, 0) == 0);
        CHECK(sys_move_mount(mount, "", AT_FDCWD, below, MOVE_MOUNT_F_EMPTY_PATH) == 0);

        CHECK(launch(f, false) == 0);
        CHECK(reads("/srv/all/secret", "outside") && access("/srv/all/below/mark", F_OK) == 0);
        CHECK(has_flags("/srv/all", ST_RDONLY) && has_flags("/srv/all/below", ST_RDONLY));
        CHECK(reads("/srv/one/secret", "outside") && access("/srv/one/below/mark", F_OK) < 0);
        CHECK(lacks_flags("/srv/one", ST_RDONLY));
        CHECK(reads("/new/deep/file", "outside") && has_mode("/new", S_IFDIR | 0755));
        CHECK(reads("/srv/own", "inside") && has_flags("/srv/own", ST_RDONLY) && lacks_flags("/etc", ST_RDONLY));
        CHECK(has_mode("/empty", S_IFDIR | 0755) && mkdir("/empty/x", 0755) == 0);
        CHECK(access("/absent", F_OK) < 0);
        CHECK(reads("/etc/lnk", "outside") && reads("/etc/hostname", "inside"));
}

static void binds(void **state) {
        struct fixture *f = *state;

        umask(022);
        assert_int_equal(symlinkat("hostname", f->root, "etc/lnk"), 0);
        add_outside(f, "",
                    (struct mount_op){ .target = "/srv/all", .recursive = true, .attributes = R, .create = true });
        add_outside(f, "", (struct mount_op){ .target = "/srv/one", .create = true });
        add_outside(f, "/secret", (struct mount_op){ .target = "/new/deep/file", .create = true });
        add_outside(f, "/nothing", (struct mount_op){ .target = "/absent", .create = true, .optional = true });
        add_outside(f, "/secret", (struct mount_op){ .target = "/etc/lnk", .no_follow = true, .attributes = R });
        add(f, (struct mount_op){ .kind = MOUNT_BIND,
                                  .side = SIDE_CHILD,
                                  .source = "/etc/hostname",
                                  .source_in_root = true,
                                  .target = "/srv/own",
                                  .attributes = R,
                                  .create = true });
        add(f, (struct mount_op){ .kind = MOUNT_BIND, .target = "/empty", .attributes = D, .create = true });
        in_child(f, check_binds);
        /* The made mount points stay, empty. */
        struct stat st;
        assert_int_equal(fstatat(f->root, "new/deep/file", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
        assert_int_equal(st.st_size, 0);
}

/* Every field that a table below may choose. */
struct failure {
        struct mount_op op;
        int code;
        const char *text;
};

static const struct failure *failing;

static void check_failure(struct fixture *f) {
        int r = launch(f, false);

        CHECK(r == -failing->code);
        CHECK(f->error.code == failing->code);
        CHECK(strstr(f->error.text, failing->text));
}

static void failures(void **state) {
        static const struct failure failures[] = {
                { { .kind = MOUNT_NEW, .target = "/dev", .type = "tmpfs", .real_directory = true, .create = true },
                  ENOTDIR,
                  "/dev in the root is a symbolic link: it must be a directory" },
                { { .kind = MOUNT_NEW, .target = "/run", .type = "tmpfs", .real_directory = true, .create = true },
                  ENOTDIR,
                  "/run in the root is a FIFO: it must be a directory" },
                { { .kind = MOUNT_NEW, .target = "/missing", .type = "tmpfs" }, ENOENT, "there is no /missing" },
                { { .kind = MOUNT_NEW, .target = "/srv", .type = "tmpfs", .options = "size=x", .origin = "--tmpfs" },
                  EINVAL,
                  "--tmpfs: cannot mount tmpfs on /srv: tmpfs: Bad value for 'size'" },
                { { .kind = MOUNT_NEW, .target = "/srv", .type = "tmpfs", .options = "nonsense" },
                  EINVAL,
                  "nonsense" },
                { { .kind = MOUNT_NEW, .target = "/srv", .type = "nonsense" }, ENODEV, "no such file system" },
                { { .kind = MOUNT_NEW, .target = "/etc/hostname", .type = "tmpfs" },
                  ENOTDIR,
                  "cannot mount a directory" },
                { { .kind = MOUNT_BIND, .source = "/dev/null", .target = "/srv" }, EISDIR, "cannot mount a file" },
                { { .kind = MOUNT_BIND, .source = "/no such thing", .target = "/srv" }, ENOENT, "/no such thing" },
                { { .kind = MOUNT_BIND, .source = "/nothing", .source_in_root = true, .target = "/srv" },
                  ENOENT,
                  "/nothing" },
                { { .kind = MOUNT_MASK, .side = SIDE_CHILD, .target = "/missing" }, ENOENT, "/missing" },
                { { .kind = MOUNT_MASK, .side = SIDE_CHILD, .target = "/etc/hostname", .optional = true },
                  ENOENT,
                  "nothing to make /etc/hostname inaccessible" },
                { { .kind = MOUNT_ATTACH, .side = SIDE_CHILD, .target = "/missing" }, ENOENT, "/missing" },
                { { .kind = MOUNT_NEW, .target = "/loop/x", .type = "tmpfs", .create = true }, ELOOP, "/loop/x" },
                { { .kind = MOUNT_NEW, .target = "/escape/x", .type = "tmpfs", .create = true },
                  ENOTDIR,
                  "/escape/x" },
        };
        struct fixture *f = *state;
        char outside[64];

        snprintf(outside, sizeof outside, "%s/outside", f->path);
        assert_int_equal(unlinkat(f->root, "dev", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(f->root, "run", AT_REMOVEDIR), 0);
        assert_int_equal(symlinkat(outside, f->root, "dev"), 0);
        assert_int_equal(symlinkat(outside, f->root, "escape"), 0);
        assert_int_equal(symlinkat("loop", f->root, "loop"), 0);
        assert_int_equal(mkfifoat(f->root, "run", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(failures); i++) {
                failing = &failures[i];
                add(f, failing->op);
                in_child(f, check_failure);
                mount_list_free(&f->list);
        }
        assert_int_equal(faccessat(f->top, "outside/x", F_OK, 0), -1);
}

/* A link on the way is followed inside the root; mounts by way of it come to lie where the path then leads. */
static void check_followed(struct fixture *f) {
        CHECK(launch(f, false) == 0);
        CHECK(reads("/run/x/secret", "outside") && reads("/var/run/x/secret", "outside"));
        CHECK(has_flags("/run/x", ST_RDONLY));
        CHECK(reads("/srv/secret", "outside") && has_flags("/srv/below", ST_RDONLY));
}

static void followed(void **state) {
        struct fixture *f = *state;

        assert_int_equal(mkdirat(f->root, "var", 0755), 0);
        assert_int_equal(symlinkat("/../run", f->root, "var/run"), 0);
        add_run_host(f);
        add_outside(f, "", (struct mount_op){ .target = "/var/run/x", .attributes = R, .create = true });
        /* What comes later is not lost below a mount that has covered its way by another name. */
        assert_int_equal(symlinkat("srv", f->root, "link"), 0);
        struct mount_op *op = add(f, (struct mount_op){ .kind = MOUNT_NEW, .type = "tmpfs", .target = "/srv" });
        add_entry(op, (struct tree_entry){ ENTRY_DIRECTORY, "below", 0755 });
        add_outside(f, "", (struct mount_op){ .target = "/link" });
        add(f, (struct mount_op){ .kind = MOUNT_NEW, .type = "tmpfs", .target = "/srv/below", .attributes = R });
        in_child(f, check_followed);
        assert_int_equal(faccessat(f->root, "run/x", F_OK, 0), -1);
}

static void check_masks(struct fixture *f) {
        CHECK(launch(f, false) == 0);
        CHECK(has_mode("/etc/hostname", S_IFREG) && reads("/etc/hostname", ""));
        CHECK(has_mode("/srv", S_IFDIR) && access("/srv/file", F_OK) < 0 && mkdir("/srv/x", 0755) < 0);
        CHECK(has_mode("/etc/fifo", S_IFIFO) && has_flags("/etc/fifo", ST_RDONLY | ST_NODEV));
        CHECK(has_mode("/etc/socket", S_IFSOCK));
}

static void masks(void **state) {
        static const char *const targets[] = { "/etc/hostname", "/srv", "/etc/fifo", "/etc/socket" };
        struct fixture *f = *state;

        put_file(f->root, "srv/file", "x");
        assert_int_equal(mkfifoat(f->root, "etc/fifo", 0644), 0);
        assert_int_equal(mknodat(f->root, "etc/socket", S_IFSOCK | 0644, 0), 0);
        add_run_host(f);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                add(f, (struct mount_op){ .kind = MOUNT_MASK,
                                          .side = SIDE_CHILD,
                                          .target = (char *) targets[i],
                                          .attributes = R | S | D | X });
        in_child(f, check_masks);
}

/* A user may cover what is there by default. */
static void check_covered(struct fixture *f) {
        CHECK(launch(f, false) == 0);
        CHECK(access("/run/host", F_OK) < 0);
        CHECK(lacks_flags("/proc/sys", ST_RDONLY));
}

static void covered(void **state) {
        struct fixture *f = *state;

        assert_int_equal(symlinkat("run", f->root, "walk"), 0);
        add_api(f);
        add(f, (struct mount_op){ .kind = MOUNT_BIND, .source = "/proc", .target = "/proc", .recursive = true });
        add(f, (struct mount_op){ .kind = MOUNT_NEW, .type = "tmpfs", .target = "/walk" });
        in_child(f, check_covered);
}

/* What was promised is missing: each time one promise more is put into the list after the mounts were made. */
static void check_broken(struct fixture *f) {
        static const struct {
                size_t op;
                uint64_t attribute;
                const char *text;
        } promises[] = {
                { 0, R, "/proc in the container is not what it has to be: not read-only" },
                { 2, D, "not nodev" },
                { 2, X, "not noexec" },
        };
        struct error e;

        CHECK(launch(f, false) == 0);
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(promises); i++) {
                f->list.ops[promises[i].op].attributes |= promises[i].attribute;
                CHECK(mounts_verify(&f->list, root, f->fds, &e) == -EPROTO);
                CHECK(strstr(e.text, promises[i].text));
                f->list.ops[promises[i].op].attributes &= ~promises[i].attribute;
        }
        CHECK(mounts_verify(&f->list, root, f->fds, &e) == 0);
        /* Someone has taken mounts away. */
        CHECK(access("/proc/timer_list", F_OK) < 0 || sys_umount2("/proc/timer_list", 2) == 0);
        CHECK(access("/proc/timer_list", F_OK) < 0 || mounts_verify(&f->list, root, f->fds, &e) == -EPROTO);
        CHECK(sys_umount2("/dev", 2) == 0);
        CHECK(mounts_verify(&f->list, root, f->fds, &e) < 0);
}

static void broken(void **state) {
        add_api(*state);
        in_child(*state, check_broken);
}

/* What the payload mounts below a bind stays in the container, however the host's mount propagates. */
static void check_propagation(struct fixture *f) {
        char path[64];

        CHECK(make_host(f, 1 << 20));
        _cleanup_close_ int host = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *before = NULL, *after = NULL, *inside = NULL;
        CHECK(fd_read_file(host, 1 << 20, &before, NULL) == 0);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
                CHECK(launch(f, false) == 0);
                _cleanup_close_ int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
                CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
                _cleanup_close_ int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
                CHECK(sys_move_mount(mount, "", AT_FDCWD, "/srv/below", MOVE_MOUNT_F_EMPTY_PATH) == 0);
                _cleanup_close_ int own = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
                CHECK(fd_read_file(own, 1 << 20, &inside, NULL) == 0);
                CHECK(strstr(inside, "shared:"));
                CHECK(!strstr(inside, "master:"));
                /* The one that asked for it is private. */
                const char *line = strstr(inside, " /private ");
                CHECK(line && !memmem(line, strcspn(line, "\n"), "shared:", 7));
                _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        CHECK(lseek(host, 0, SEEK_SET) == 0);
        CHECK(fd_read_file(host, 1 << 20, &after, NULL) == 0);
        CHECK(text_equal(before, after));
        snprintf(path, sizeof path, "%s/outside/below", f->path);
        CHECK(access(path, F_OK) == 0);
}

static void propagation(void **state) {
        struct fixture *f = *state;

        add(f, (struct mount_op){ .kind = MOUNT_NEW,
                                  .side = SIDE_CHILD,
                                  .target = "/proc",
                                  .type = "proc",
                                  .real_directory = true });
        add_outside(f, "", (struct mount_op){ .target = "/srv", .recursive = true });
        add_outside(f, "", (struct mount_op){ .target = "/private", .propagation = 1 << 18, .create = true });
        in_child(f, check_propagation);
}

static void check_read_only(struct fixture *f) {
        CHECK(launch(f, true) == -EROFS);
        CHECK(strstr(f->error.hint, "read-only"));
}

static void read_only(void **state) {
        struct fixture *f = *state;

        add_outside(f, "", (struct mount_op){ .target = "/not/there", .create = true });
        in_child(f, check_read_only);
        assert_int_equal(faccessat(f->root, "not", F_OK, 0), -1);
}

static void check_no_calls(struct fixture *f) {
        setenv("SPAWN_TEST_ENOSYS", "open_tree", 1);
        CHECK(root_clone(f->root, false, &f->error) == -ENOSYS);
        CHECK(strstr(f->error.text, "5.12"));
}

static void no_calls(void **state) {
        in_child(*state, check_no_calls);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(api, setup, teardown),
                cmocka_unit_test_setup_teardown(nothing_of_the_host, setup, teardown),
                cmocka_unit_test_setup_teardown(binds, setup, teardown),
                cmocka_unit_test_setup_teardown(failures, setup, teardown),
                cmocka_unit_test_setup_teardown(followed, setup, teardown),
                cmocka_unit_test_setup_teardown(masks, setup, teardown),
                cmocka_unit_test_setup_teardown(covered, setup, teardown),
                cmocka_unit_test_setup_teardown(broken, setup, teardown),
                cmocka_unit_test_setup_teardown(propagation, setup, teardown),
                cmocka_unit_test_setup_teardown(read_only, setup, teardown),
                cmocka_unit_test_setup_teardown(no_calls, setup, teardown),
        };

        return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
