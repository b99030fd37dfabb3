/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts/op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/fd.h"

static void tree_entry_free(struct tree_entry *entry) {
        free((char *) entry->path); /* const for the tables that entries are copied from; these are copies */
        free((char *) entry->content);
}

void mount_op_free(struct mount_op *op) {
        free(op->target);
        free(op->source);
        free(op->type);
        free(op->options);
        free(op->origin);
        for (size_t i = 0; i < op->n_entries; i++)
                tree_entry_free(&op->entries[i]);
        free(op->entries);
        *op = (struct mount_op){ 0 };
}

void mount_list_free(struct mount_list *list) {
        for (size_t i = 0; i < list->count; i++)
                mount_op_free(&list->ops[i]);
        free(list->ops);
        *list = (struct mount_list){ 0 };
}

/* Room for one more of SIZE bytes in ARRAY of COUNT: doubled at each power of two, so that no capacity need be kept.
 * Returns NULL (and ARRAY is as it was) when memory is exhausted. */
static void *grow(void *array, size_t count, size_t size) {
        if (count > 0 && (count & (count - 1)) != 0)
                return array;
        return reallocarray(array, count > 0 ? 2 * count : 1, size);
}

int mount_list_add(struct mount_list *list, struct mount_op *op) {
        struct mount_op *ops = grow(list->ops, list->count, sizeof *ops);

        if (!ops) {
                mount_op_free(op);
                return -ENOMEM;
        }
        list->ops = ops;
        ops[list->count++] = *op;
        *op = (struct mount_op){ 0 };
        return 0;
}

int mount_op_add_entry(struct mount_op *op, const struct tree_entry *entry) {
        _cleanup_free_ char *path = strdup(entry->path);
        _cleanup_free_ char *content = entry->content ? strdup(entry->content) : NULL;
        struct tree_entry *entries;

        if (!path || (entry->content && !content))
                return -ENOMEM;
        entries = grow(op->entries, op->n_entries, sizeof *entries);
        if (!entries)
                return -ENOMEM;
        op->entries = entries;
        entries[op->n_entries] = *entry;
        entries[op->n_entries].path = TAKE_PTR(path);
        entries[op->n_entries].content = TAKE_PTR(content);
        op->n_entries++;
        return 0;
}

/* Component by component: "/" counts as lower than any other byte, so that /a/b comes before /a-b. */
static int compare_paths(const char *a, const char *b) {
        while (*a && *a == *b)
                a++, b++;
        int x = *a == '/' ? 1 : (unsigned char) *a, y = *b == '/' ? 1 : (unsigned char) *b;
        return *a && *b ? x - y : !*b - !*a;
}

struct ranked {
        struct mount_op op;
        size_t rank;
};

static int compare_ranked(const void *a, const void *b) {
        const struct ranked *x = a, *y = b;
        int r = compare_paths(x->op.target, y->op.target);

        return r != 0 ? r : (x->rank > y->rank) - (x->rank < y->rank);
}

void mount_list_sort(struct mount_list *list) {
        /* qsort(3) need not keep the order of equals. Without memory for the ranks the order stays what it was asked
         * in, which is as good as any. */
        struct ranked *ranked = reallocarray(NULL, list->count, sizeof *ranked);

        if (!ranked)
                return;
        for (size_t i = 0; i < list->count; i++)
                ranked[i] = (struct ranked){ list->ops[i], i };
        if (list->count > 0)
                qsort(ranked, list->count, sizeof *ranked, compare_ranked);
        for (size_t i = 0; i < list->count; i++)
                list->ops[i] = ranked[i].op;
        free(ranked);
}
