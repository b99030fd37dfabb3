/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of an fstab: they are refused with a sentence and the list as it was, or every mount of theirs is one that the
 * rest of the program may rely on. libmount itself is not instrumented. */
#include "mounts/fstab.h"

#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "fuzz.h"

/* A source like LABEL=x makes libblkid look through the disks of whoever runs this. */
static bool names_a_device(const char *text) {
        return strchr(text, '=') && (strcasestr(text, "ID=") || strcasestr(text, "LABEL=") || strstr(text, "\\075"));
}

static void check_op(const struct mount_op *op, const char *file) {
        MUST(op->target && op->target[0] == '/' && op->target[1]);
        MUST(!strstr(op->target, "//") && !strstr(op->target, "/../") && !strstr(op->target, "/./"));
        MUST(op->target[strlen(op->target) - 1] != '/');
        MUST(op->origin && strncmp(op->origin, file, strlen(file)) == 0);
        MUST(op->kind == MOUNT_BIND || (op->kind == MOUNT_NEW && op->type && op->type[0]));
        MUST(op->source && op->propagation);
        MUST((op->attributes & op->clear) == 0 || op->kind == MOUNT_NEW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct source in = { data, size };
        struct mount_list list = { 0 };
        struct error e = { 0 };
        char *text = take_text(&in);

        if (names_a_device(text)) {
                free(text);
                return -1;
        }
        _cleanup_close_ int fd = memfd_create("fstab", MFD_CLOEXEC);
        MUST(fd >= 0 && fd_write_all(fd, data, size) == 0);
        struct fd_path path = fd_path(fd);
        int r = fstab_load(path.text, &list, &e);
        if (r < 0)
                MUST(list.count == 0 && e.code == -r && e.text[0] && memchr(e.text, 0, sizeof e.text));
        for (size_t i = 0; i < list.count; i++)
                check_op(&list.ops[i], path.text);
        mount_list_free(&list);
        free(text);
        return 0;
}
