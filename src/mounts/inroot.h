/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The only way to use a path of the image. Every function takes the root's descriptor (O_PATH will do) and a path
 * that is looked up below it, whether it begins with "/" or not: `..` stops at the root, symbolic links are followed
 * inside the root, magic links of procfs never (openat2(2) RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS; the same in user
 * space where the call is missing or forbidden). All return 0 (or a descriptor) or a negative errno; errors carry no
 * text: the caller knows what the path was for.
 *
 * -ELOOP: more than 40 links, a magic link, or a link where none may be; -EAGAIN: the tree was renamed under us again
 * and again. */

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Opens PATH with FLAGS (open(2)); O_CLOEXEC and O_NOCTTY are added always. MODE is used with O_CREAT and O_TMPFILE
 * only and subject to the umask. Returns a descriptor that the caller owns. With anything but O_PATH this may block on
 * a FIFO and wakes device drivers: use inroot_read() to read a file. */
int inroot_open(int root, const char *path, int flags, mode_t mode);

/* Opens the directory (O_PATH) that holds PATH's last component and copies that component to RET_NAME: for whatever
 * must not follow a link there. -EINVAL where there is no such component ("/", "..", "a/."). The caller owns the
 * descriptor. */
int inroot_open_parent(int root, const char *path, char ret_name[static NAME_MAX + 1]);

/* The canonical path inside the root that PATH leads to, without links, beginning with "/"; the object must exist.
 * The caller frees *RET_PATH. */
int inroot_resolve(int root, const char *path, char **ret_path);

/* Makes the directory PATH and its missing parents, each with exactly MODE; those that exist stay as they are.
 * inroot_mkdirs_parent() leaves out the last component. */
int inroot_mkdirs(int root, const char *path, mode_t mode);
int inroot_mkdirs_parent(int root, const char *path, mode_t mode);

/* Makes an empty file with exactly MODE where there is nothing; what exists stays (a link is not followed). */
int inroot_touch(int root, const char *path, mode_t mode);

/* Reads the regular file PATH of at most LIMIT bytes. Neither a FIFO nor a device is ever opened. *RET_DATA is
 * NUL-terminated and the caller's to free; RET_SIZE may be NULL. -EFBIG: larger; -EISDIR, -EBADFD: no regular file. */
int inroot_read(int root, const char *path, size_t limit, char **ret_data, size_t *ret_size);

/* Writes SIZE bytes over the content of PATH, making it with exactly MODE if it is missing. A symbolic link as the
 * last component is not followed (-ELOOP), what is no regular file is not touched (-EISDIR, -EBADFD). */
int inroot_write_file(int root, const char *path, const void *data, size_t size, mode_t mode);

/* Puts a new regular file in the place of PATH in one step (rename(2)), whatever is there now, a link included, except
 * for a directory (-EISDIR). */
int inroot_replace_file(int root, const char *path, const void *data, size_t size, mode_t mode);

/* The same with a symbolic link to TARGET. */
int inroot_symlink_replace(int root, const char *target, const char *path);

/* Removes PATH, which is no directory. A link is removed itself. */
int inroot_unlink(int root, const char *path);

/* stat(2) and readlink(2) of PATH. The caller frees *RET_TARGET; -EINVAL: no symbolic link. */
int inroot_stat(int root, const char *path, struct stat *ret);
int inroot_readlink(int root, const char *path, char **ret_target);

/* What PATH is itself, for messages: "a directory", "a symbolic link", "a FIFO"…, "missing". A constant. */
const char *inroot_kind(int root, const char *path);
/* The same of a mode (inode(7)). */
const char *inroot_mode_kind(mode_t mode);
