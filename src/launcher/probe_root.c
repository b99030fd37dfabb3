/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "launcher/lock.h"
#include "launcher/machines.h"
#include "launcher/probe.h"
#include "mounts/inroot.h"

enum { INIT_PROGRAM_LIMIT = 256 * 1024 }; /* bytes of an init that are searched for a marker */

static bool is_kind(int root, const char *path, mode_t kind) {
        struct stat st;

        return inroot_stat(root, path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* Which init is it? By the name it resolves to, else by what the program holds. */
static const struct init_kind *identify(int root, const char *resolved) {
        const struct init_kind *kind = init_identify(resolved, NULL, 0);

        if (kind != init_unknown())
                return kind;
        _cleanup_close_ int fd = inroot_open(root, resolved, O_RDONLY | O_NONBLOCK, 0);
        _cleanup_free_ char *program = fd < 0 ? NULL : malloc(INIT_PROGRAM_LIMIT);
        ssize_t n = program ? pread(fd, program, INIT_PROGRAM_LIMIT, 0) : -1;

        return n > 0 ? init_identify(resolved, program, (size_t) n) : kind;
}

static int probe_init(struct root_probe *root, struct error *error) {
        for (const char *const *path = init_candidates; *path; path++) {
                if (!is_kind(root->fd, *path, S_IFREG))
                        continue;
                if (inroot_resolve(root->fd, *path, &root->init_resolved) < 0)
                        continue;
                root->init_path = strdup(*path);
                if (!root->init_path)
                        return error_memory(error);
                root->init = identify(root->fd, root->init_resolved);
                return 0;
        }
        return 0;
}

static void probe_machine_id(struct root_probe *root) {
        char *text = NULL;

        if (inroot_read(root->fd, "/etc/machine-id", 4096, &text, NULL) < 0)
                return;
        text[strcspn(text, "\n")] = 0;
        root->machine_id_text = text;
}

static void probe_resolv_conf(struct root_probe *root) {
        char *target = NULL;

        root->has_resolv_conf = is_kind(root->fd, "/etc/resolv.conf", S_IFREG);
        if (inroot_readlink(root->fd, "/etc/resolv.conf", &target) < 0)
                return;
        /* "../run/x" from /etc and "/run/x" both lead into what will be our own tmpfs. */
        const char *p = target + (text_starts_with(target, "../") ? 2 : 0);
        if (text_starts_with(p, "/run/") && !strstr(p, "/../")) {
                root->resolv_conf_in_run = true;
                root->resolv_conf_target = strdup(p);
        }
        free(target);
}

static void probe_localtime(struct root_probe *root, const struct host_probe *host) {
        char *target = NULL;

        root->has_localtime = is_kind(root->fd, "/etc/localtime", S_IFREG);
        if (inroot_readlink(root->fd, "/etc/localtime", &target) == 0) {
                const char *zone = strstr(target, "/zoneinfo/");
                if (zone)
                        root->localtime_zone = strdup(zone + strlen("/zoneinfo/"));
                free(target);
        }
        if (host->zone && !strstr(host->zone, "..")) {
                _cleanup_free_ char *path = text_format("/usr/share/zoneinfo/%s", host->zone);
                root->has_host_zone = path && is_kind(root->fd, path, S_IFREG);
        }
}

static int open_root(const char *directory, struct root_probe *root, struct error *error) {
        struct stat st, host_root;

        root->fd = open(directory, O_PATH | O_CLOEXEC);
        if (root->fd < 0) {
                error_set(error, errno, "cannot open the root directory %s: %m", directory);
                return errno == ENOENT ? error_hint(error, "--directory takes the directory that holds the root")
                                       : -errno;
        }
        if (fstat(root->fd, &st) < 0)
                return error_set(error, errno, "cannot look at the root directory %s: %m", directory);
        if (!S_ISDIR(st.st_mode))
                return error_set(error, ENOTDIR, "%s is not a directory, so it cannot be a root directory", directory);
        root->device = st.st_dev;
        root->inode = st.st_ino;
        root->is_host_root =
                stat("/", &host_root) == 0 && host_root.st_dev == st.st_dev && host_root.st_ino == st.st_ino;
        /* The lock needs an open file description that was opened for reading; so does looking inside. */
        root->lock_fd = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root->lock_fd < 0)
                return error_set(error, errno, "cannot read the root directory %s: %m", directory);
        return 0;
}

/* The image is locked before it is mounted: two drivers on one file system destroy it. To be explained it is only
 * looked at. */
static int open_image(const struct spec *spec, const struct host_probe *host, struct root_probe *root,
                      struct error *error) {
        struct image *image = &root->image;
        bool explain = spec->explain != EXPLAIN_NO;

        if (!host->root)
                return error_set(error, EPERM, "root is needed to look into a disk image (loop devices, mounts)");
        int r = image_open(root->path, spec->read_only || explain, image, error);
        if (r < 0)
                return r;
        root->device = image->device;
        root->inode = image->inode;
        root->read_only = spec->read_only || (image->read_only && !explain) || image->parts[PART_ROOT].read_only;
        root->lock_fd = fcntl(image->fd, F_DUPFD_CLOEXEC, 3);
        if (root->lock_fd < 0)
                return error_set(error, errno, "cannot lock the disk image %s: %m", root->path);
        if (spec->lock && !explain)
                r = lock_root(root, root->read_only, error);
        if (r >= 0)
                r = image_attach(image, explain, error);
        if (r >= 0)
                r = image_mount_root(image, error);
        if (r >= 0)
                root->fd = r;
        return r < 0 ? r : 0;
}

int probe_root(const struct spec *spec, const struct host_probe *host, struct root_probe *ret, struct error *error) {
        bool image;
        int r;

        *ret = (struct root_probe){
                .fd = -EBADF, .lock_fd = -EBADF, .read_only = spec->read_only, .init = init_unknown()
        };
        r = machine_root(spec, host->working_directory, &ret->path, &image, error);
        if (r >= 0)
                r = image ? open_image(spec, host, ret, error) : open_root(ret->path, ret, error);
        if (r < 0)
                return r;
        /* A working directory is easily another one than was meant, and mount points would be made in it. */
        if (!spec->directory && !image && !spec->machine && !is_kind(ret->fd, "/usr", S_IFDIR) &&
            !is_kind(ret->fd, "/bin", S_IFDIR)) {
                error_set(error, EINVAL,
                          "no root is given, and the working directory %s is none (it has no usr and no bin)",
                          ret->path);
                return error_hint(error, "--directory=PATH names the root");
        }
        ret->real_path = realpath(ret->path, NULL);
        if (!ret->real_path)
                return error_set(error, errno, "cannot find the path of the root directory %s: %m", ret->path);
        if (spec->start == START_BOOT) {
                ret->has_os_release = is_kind(ret->fd, "/etc/os-release", S_IFREG) ||
                                      is_kind(ret->fd, "/usr/lib/os-release", S_IFREG);
                r = probe_init(ret, error);
                if (r < 0)
                        return r;
        }
        probe_machine_id(ret);
        if (spec->resolv_conf != RESOLV_CONF_OFF)
                probe_resolv_conf(ret);
        if (spec->timezone != TIMEZONE_OFF)
                probe_localtime(ret, host);
        return 0;
}

void probe_free(struct probe *probe) {
        struct host_probe *h = &probe->host;
        struct root_probe *r = &probe->root;

        strv_free(&h->environ);
        free(h->os_release);
        free(h->zone);
        free(h->cgroup.path);
        device_list_free(&h->devices);
        free(h->working_directory);
        free(h->host_name);
        r->fd = fd_close(r->fd);
        r->lock_fd = fd_close(r->lock_fd);
        image_close(&r->image);
        free(r->path);
        free(r->real_path);
        free(r->machine_id_text);
        free(r->init_path);
        free(r->init_resolved);
        free(r->resolv_conf_target);
        free(r->localtime_zone);
}
