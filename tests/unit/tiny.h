/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A root file system of one static program, and the way from words to a plan for it. */

#include <sys/sendfile.h>

#include "basic/text.h"
#include "helpers.h"
#include "launcher/plan.h"

#define BUSYBOX "/bin/busybox"

struct tiny {
        char path[32];
        int fd; /* O_PATH of it */
        struct spec spec;
        struct probe probe;
        struct plan plan;
        struct error error;
};

static inline int tiny_set_up(void **state) {
        static const char *const directories[] = { "bin", "dev", "etc", "proc", "root", "run", "sys", "tmp" };
        static const char *const applets[] = { "sh",       "cat",  "echo",  "env",   "false",    "grep",
                                               "hostname", "id",   "kill",  "mkdir", "ps",       "pwd",
                                               "reboot",   "rm",   "sleep", "stat",  "tr",       "true",
                                               "wc",       "test", "touch", "ls",    "readlink", "poweroff" };
        struct tiny *t = calloc(1, sizeof *t);

        strcpy(t->path, "/tmp/test-root-XXXXXX");
        if (!mkdtemp(t->path) || chmod(t->path, 0755) < 0)
                return -1;
        t->fd = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(t->fd, directories[i], 0755) < 0)
                        return -1;
        *state = t;
        _cleanup_close_ int from = open(BUSYBOX, O_RDONLY | O_CLOEXEC);
        if (from < 0)
                return 0; /* tiny_need() skips */
        _cleanup_close_ int to = openat(t->fd, "bin/busybox", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        while (sendfile(to, from, NULL, 1 << 20) > 0)
                ;
        if (fchmod(to, 0755) < 0)
                return -1;
        for (size_t i = 0; i < ELEMENTSOF(applets); i++) {
                char link[32];
                snprintf(link, sizeof link, "bin/%s", applets[i]);
                if (symlinkat("busybox", t->fd, link) < 0)
                        return -1;
        }
        return 0;
}

/* Skips what cannot be tested here. */
static inline void tiny_need(const struct tiny *t) {
        need_root();
        if (faccessat(t->fd, "bin/busybox", X_OK, 0) < 0) {
                print_message("there is no " BUSYBOX "\n");
                skip();
        }
}

static inline void tiny_forget_plan(struct tiny *t) {
        plan_free(&t->plan);
        probe_free(&t->probe);
        spec_free(&t->spec);
        t->probe = (struct probe){ .root = { .fd = -EBADF, .lock_fd = -EBADF } };
        t->spec = (struct spec){ 0 };
        t->error = (struct error){ 0 };
}

static inline int tiny_tear_down(void **state) {
        struct tiny *t = *state;

        if (t->spec.directory)
                tiny_forget_plan(t);
        close(t->fd);
        int r = nftw(t->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        free(t);
        return r;
}

/* From WORDS (what follows "-D ROOT", NULL-terminated) to the plan. Returns what the first step that failed did. */
static inline int tiny_try_plan(struct tiny *t, const char *const words[]) {
        char *argv[32] = { (char *) "spawn", (char *) "-D", t->path };
        char *environment[] = { (char *) "TERM=vt100", (char *) "SECRET=of-the-caller", NULL };
        enum spec_action action;
        int argc = 3, r;

        if (t->spec.directory)
                tiny_forget_plan(t);
        for (; *words; words++)
                argv[argc++] = (char *) *words;
        spec_init(&t->spec);
        r = spec_parse(&t->spec, argc, argv, environment, &action, &t->error);
        if (r >= 0)
                r = probe_host(&t->spec, environment, 0, &t->probe.host, &t->error);
        if (r >= 0)
                r = probe_root(&t->spec, &t->probe.host, &t->probe.root, &t->error);
        return r < 0 ? r : plan_make(&t->spec, &t->probe, &t->plan, &t->error);
}

static inline void tiny_plan_words(struct tiny *t, const char *const words[]) {
        if (tiny_try_plan(t, words) < 0)
                fail_msg("%s", t->error.text);
}
#define tiny_plan(t, ...) tiny_plan_words(t, (const char *const[]){ __VA_ARGS__, NULL })

#define TINY_TEST(f) cmocka_unit_test_setup_teardown(f, tiny_set_up, tiny_tear_down)
