/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The partitions of a disk image beside its root. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/text.h"
#include "launcher/plan.h"
#include "mounts/inroot.h"

/* What firmware starts from covers nothing: a directory with files in it is in use otherwise. */
static bool is_empty(int root, const char *path) {
        int fd = inroot_open(root, path, O_RDONLY | O_DIRECTORY, 0);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        bool empty = dir != NULL;

        if (!dir) {
                fd_close(fd);
                return false;
        }
        while (empty && (entry = readdir(dir)))
                empty = text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..");
        closedir(dir);
        return empty;
}

/* NULL where PART is not used. */
static const char *target_of(const struct root_probe *root, enum image_part part) {
        const char *target = image_part_target(part);
        struct stat st;

        if (part == PART_ESP && is_empty(root->fd, "/efi"))
                return "/efi";
        if (part == PART_ESP && !root->image.parts[PART_BOOT].found)
                target = image_part_target(PART_BOOT);
        if (part == PART_ESP || part == PART_BOOT)
                return target && is_empty(root->fd, target) ? target : NULL;
        return inroot_stat(root->fd, target, &st) == 0 && S_ISDIR(st.st_mode) ? target : NULL;
}

int plan_image(struct plan *plan, struct error *error) {
        const struct root_probe *root = &plan->probe->root;

        for (enum image_part part = PART_ROOT + 1; root->image.path && part < IMAGE_PARTS; part++) {
                const struct image_partition *p = &root->image.parts[part];
                const char *target = p->found ? target_of(root, part) : NULL;
                struct mount_op op;
                if (p->found && !target)
                        log_notice("partition %d of %s is not mounted: the root has no %sdirectory for it", p->number,
                                   root->path, part == PART_ESP || part == PART_BOOT ? "empty " : "");
                if (target &&
                    (image_mount_op(&root->image, part, target, &op) < 0 || mount_list_add(&plan->mounts, &op) < 0))
                        return error_memory(error);
        }
        return 0;
}
