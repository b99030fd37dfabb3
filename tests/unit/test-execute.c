/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exec for real, in children that have a tiny tree as their root: what runs, and what is said of what does not. */
#include <elf.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/wait.h>

#include "basic/syscalls.h"
#include "launcher/child.h"
#include "launcher/user.h"
#include "tiny.h"

#define SEARCH "PATH=/sbin:/bin"

/* One exec and what came of it. */
struct attempt {
        struct tiny *t;
        const char *environment[4];
        const char *shell;
        const char *directory; /* working directory; NULL: "/" */
        const char *input;
        /* Shared with the child: */
        struct {
                bool failed;
                int r;
                struct error error;
        } * result;
        char *output;
        int status;
};

/* A mount namespace with the tree as its root and a procfs in it; it dies with the child. */
static void enter_tree(struct tiny *t) {
        struct mount_attr private = { .propagation = 1UL << 18 };

        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private) == 0);
        int fs = sys_fsopen("proc", FSOPEN_CLOEXEC);
        CHECK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
        int proc = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
        CHECK(chroot(t->path) == 0 && chdir("/") == 0);
        CHECK(sys_move_mount(proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) == 0);
}

static void execute(void *userdata) {
        struct attempt *a = userdata;
        struct user user = { .name = (char *) "x", .shell = (char *) a->shell };
        struct launch launch = LAUNCH_NONE;

        enter_tree(a->t);
        launch.plan = &a->t->plan;
        launch.tree_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(chdir(a->directory ? a->directory : "/") == 0);
        a->result->r = child_execute(&launch, &user, (char *const *) a->environment, &a->result->error);
        a->result->failed = true;
}

/* The caller frees A->output. */
static void attempt(struct attempt *a) {
        a->result = mmap(NULL, sizeof *a->result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(a->result != MAP_FAILED);
        if (!a->environment[0])
                a->environment[0] = SEARCH;
        _cleanup_close_ int input = memfd_create("input", MFD_CLOEXEC);
        if (a->input)
                assert_int_equal(fd_write_all(input, a->input, strlen(a->input)), 0);
        lseek(input, 0, SEEK_SET);
        int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        dup2(input, STDIN_FILENO);
        struct capture c = capture_start(STDOUT_FILENO);
        a->status = run_child(execute, a);
        a->output = capture_end(&c);
        dup2(saved, STDIN_FILENO);
        close(saved);
}

static void done(struct attempt *a) {
        free(a->output);
        munmap(a->result, sizeof *a->result);
}

static void assert_runs(struct attempt a, const char *output) {
        attempt(&a);
        if (a.result->failed || a.status != 0 || !text_equal(a.output, output))
                fail_msg("failed %d: \"%s\"; status %x; output \"%s\"", a.result->failed, a.result->error.text,
                         a.status, a.output);
        done(&a);
}

static void assert_fails(struct attempt a, int status, const char *says, const char *hint) {
        attempt(&a);
        const struct error *e = &a.result->error;
        if (!a.result->failed || a.result->r >= 0 || a.result->r != -e->code || error_exit_status(e) != status ||
            !strstr(e->text, says) || !strstr(e->hint, hint))
                fail_msg("failed %d, r %d, code %d: \"%s\" (\"%s\"), not \"%s\"; status %d", a.result->failed,
                         a.result->r, e->code, e->text, e->hint, says, error_exit_status(e));
        assert_string_equal(a.output, "");
        done(&a);
}

/* Makes the plan and tries. WORDS may be empty for a shell. */
#define RUNS(output, ...)                                                                                             \
        do {                                                                                                          \
                tiny_plan(t, __VA_ARGS__);                                                                            \
                assert_runs((struct attempt){ .t = t }, output);                                                      \
        } while (0)
#define FAILS(status, says, hint, ...)                                                                                \
        do {                                                                                                          \
                tiny_plan(t, __VA_ARGS__);                                                                            \
                assert_fails((struct attempt){ .t = t }, status, says, hint);                                         \
        } while (0)

static void put_program(struct tiny *t, const char *path, const char *text) {
        put_bytes(t->fd, path, text, strlen(text), 0755);
}

static void commands_run(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        RUNS("a  b\n", "/bin/echo", "a ", "b");
        RUNS("x\n", "echo", "x");
        RUNS("/bin/sh\n", "/bin/sh", "-c", "echo $0");
        put_program(t, "tmp/script", "#!/bin/sh\necho script \"$@\"\n");
        RUNS("script 1 2\n", "/tmp/script", "1", "2");
        put_program(t, "tmp/options", "#! \t/bin/sh -e\nfalse\necho no\n");
        put_program(t, "tmp/last", "#!/tmp/script");
        RUNS("script /tmp/last x\n", "/tmp/last", "x");
        /* Nothing but what was given is in the environment. */
        tiny_plan(t, "env");
        assert_runs((struct attempt){ .t = t, .environment = { "A=1", SEARCH, "B=" } }, "A=1\n" SEARCH "\nB=\n");
}

static void programs_that_are_not_there(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        FAILS(127, "cannot run nosuch: there is no such program in /sbin:/bin of the root", "", "nosuch");
        FAILS(127, "cannot run /bin/nosuch: there is no such program in the root", "", "/bin/nosuch");
        FAILS(126, "cannot run /bin/sh/x: Not a directory", "", "/bin/sh/x");
        assert_int_equal(symlinkat("/gone", t->fd, "bin/dangling"), 0);
        FAILS(127, "cannot run /bin/dangling", "", "/bin/dangling");
        FAILS(127, "cannot run dangling", "", "dangling");
        tiny_plan(t, "sh");
        assert_fails((struct attempt){ .t = t, .environment = { "PATH=" } }, 127, "cannot run sh", "");
        assert_fails((struct attempt){ .t = t, .environment = { "X=1" } }, 127, "cannot run sh", "");
}

static void programs_that_may_not_be_run(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        put_text(t->fd, "bin/plain", "#!/bin/sh\n");
        assert_int_equal(mkfifoat(t->fd, "bin/fifo", 0755), 0);
        FAILS(126, "cannot run /bin/plain: Permission denied", "", "/bin/plain");
        FAILS(126, "cannot run /bin/plain: Permission denied", "", "plain");
        FAILS(126, "cannot run /bin: Is a directory", "", "/bin");
        FAILS(126, "cannot run /bin/fifo", "", "/bin/fifo"); /* and is not opened: that would wait */
}

/* The search goes on behind what cannot be run, as execvp(3) does it. */
static void the_search_goes_on(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        assert_int_equal(mkdirat(t->fd, "sbin", 0755), 0);
        assert_int_equal(mkdirat(t->fd, "sbin/true", 0755), 0);
        put_text(t->fd, "sbin/echo", "#!/bin/sh\n");
        put_text(t->fd, "sbin/only", "#!/bin/sh\n");
        RUNS("x\n", "echo", "x");
        RUNS("", "true");
        FAILS(126, "cannot run /sbin/only: Permission denied", "", "only");
        tiny_plan(t, "echo", "x");
        assert_runs((struct attempt){ .t = t, .environment = { "PATH=/etc/passwd:/nosuch:/bin" } }, "x\n");
}

static void what_is_no_program(void **state) {
        struct tiny *t = *state;
        Elf64_Ehdr e = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                         .e_type = ET_EXEC,
                         .e_machine = EM_68K };

        tiny_need(t);
        put_program(t, "bin/text", "echo a text without a first line\n");
        put_program(t, "bin/empty", "");
        put_program(t, "bin/nobody", "#!\n");
        put_bytes(t->fd, "bin/m68k", &e, sizeof e, 0755);
        put_bytes(t->fd, "bin/short", &e, 20, 0755);
        FAILS(126, "no program that this kernel can run", "architecture", "/bin/text");
        FAILS(126, "no program that this kernel can run", "#! line", "empty");
        FAILS(126, "cannot run /bin/nobody", "", "nobody");
        FAILS(126, "no program that this kernel can run", "", "/bin/m68k");
        FAILS(126, "no program that this kernel can run", "", "/bin/short");
}

/* An ELF file whose only segment names INTERPRETER. */
static void put_elf(struct tiny *t, const char *path, const char *interpreter) {
        struct {
                Elf64_Ehdr e;
                Elf64_Phdr p;
                char name[64];
        } file = {
                .e = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                       .e_type = ET_DYN,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_phoff = sizeof file.e,
                       .e_ehsize = sizeof file.e,
                       .e_phentsize = sizeof file.p,
                       .e_phnum = 1 },
                .p = { .p_type = PT_INTERP,
                       .p_offset = offsetof(typeof(file), name),
                       .p_filesz = strlen(interpreter) + 1 },
        };
        strcpy(file.name, interpreter);
        put_bytes(t->fd, path, &file, sizeof file, 0755);
}

static void interpreters_that_are_missing(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        put_program(t, "bin/script", "#!/usr/bin/perl -w\n");
        put_program(t, "bin/crlf", "#!/bin/sh\r\n");
        put_program(t, "bin/second", "#!/bin/script\n");
        put_elf(t, "bin/elf", "/lib/ld-none.so.9");
        put_program(t, "bin/denied", "#!/etc/plain\n");
        put_text(t->fd, "etc/plain", "#!/bin/sh\n");
        FAILS(127, "cannot run /bin/script: its interpreter /usr/bin/perl: No such file", "", "/bin/script");
        FAILS(127, "cannot run /bin/script: its interpreter /usr/bin/perl: No such file", "", "script");
        FAILS(127, "its interpreter /bin/sh\r: No such file", "", "/bin/crlf");
        FAILS(127, "cannot run /bin/second: its interpreter /usr/bin/perl", "", "/bin/second");
        FAILS(127, "its interpreter /lib/ld-none.so.9: No such file", "", "/bin/elf");
        FAILS(126, "cannot run /bin/denied: Permission denied", "", "/bin/denied");
}

/* Nothing may make the kernel run this very program, a file of the host, in the tree. */
static void magic_links_run_nothing(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        put_program(t, "bin/exe", "#!/proc/self/exe\n");
        put_program(t, "bin/thread", "#!/proc/thread-self/exe\n");
        put_program(t, "bin/deep", "#!/bin/exe\n");
        put_elf(t, "bin/elf", "/proc/self/exe");
        assert_int_equal(symlinkat("/proc/self/exe", t->fd, "bin/link"), 0);
        put_program(t, "bin/linked", "#!/bin/link\n");
        FAILS(126, "interpreter /proc/self/exe leads through a magic link", "", "/bin/exe");
        FAILS(126, "interpreter /proc/thread-self/exe leads through a magic link", "", "/bin/thread");
        FAILS(126, "interpreter /proc/self/exe leads through a magic link", "", "/bin/deep");
        FAILS(126, "interpreter /proc/self/exe leads through a magic link", "", "/bin/elf");
        FAILS(126, "interpreter /bin/link leads through a magic link", "", "/bin/linked");
        FAILS(126, "cannot run /bin/link: it leads through a magic link", "", "/bin/link");
        FAILS(126, "cannot run /proc/self/exe: it leads through a magic link", "", "/proc/self/exe");
        put_program(t, "bin/a", "#!/bin/b\n");
        put_program(t, "bin/b", "#!/bin/a\n");
        FAILS(126, "or a loop", "", "/bin/a");
}

/* What is relative is so to the working directory, for us as for the kernel: also where the same path below the root
 * is something else. */
static void relative_paths(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        put_program(t, "tmp/here", "#!/bin/sh\necho here\n");
        tiny_plan(t, "./here");
        assert_runs((struct attempt){ .t = t, .directory = "/tmp" }, "here\n");
        tiny_plan(t, "../tmp/here");
        assert_runs((struct attempt){ .t = t, .directory = "/etc" }, "here\n");
        tiny_plan(t, "here");
        assert_runs((struct attempt){ .t = t, .directory = "/tmp", .environment = { "PATH=/etc:" } }, "here\n");
        tiny_plan(t, "here");
        assert_runs((struct attempt){ .t = t, .directory = "/tmp", .environment = { "PATH=:/etc" } }, "here\n");
        tiny_plan(t, "./here");
        assert_fails((struct attempt){ .t = t }, 127, "cannot run ./here", "");

        put_program(t, "exe", "#!/bin/sh\necho decoy\n");
        put_program(t, "tmp/relative", "#!exe\n");
        tiny_plan(t, "./exe");
        assert_fails((struct attempt){ .t = t, .directory = "/proc/self" }, 126, "magic link", "");
        tiny_plan(t, "/tmp/relative");
        assert_fails((struct attempt){ .t = t, .directory = "/proc/self" }, 126, "magic link", "");
        assert_runs((struct attempt){ .t = t }, "decoy\n");
}

static void shells(void **state) {
        struct tiny *t = *state;
        const char *say = "echo $0 $#\n";

        tiny_need(t);
        tiny_plan_words(t, (const char *const[]){ NULL });
        assert_int_equal(symlinkat("sh", t->fd, "bin/ash"), 0);
        assert_runs((struct attempt){ .t = t, .input = say, .shell = "/bin/ash" }, "-ash 0\n");
        assert_runs((struct attempt){ .t = t, .input = say }, "-sh 0\n");
        assert_runs((struct attempt){ .t = t, .input = say, .shell = "/bin/gone" }, "-sh 0\n");
        assert_runs((struct attempt){ .t = t, .input = say, .shell = "/usr/sbin/nologin" }, "-sh 0\n");
        assert_int_equal(symlinkat("ash", t->fd, "bin/nologin"), 0);
        assert_runs((struct attempt){ .t = t, .input = say, .shell = "/bin/nologin" }, "-sh 0\n");
        assert_runs((struct attempt){ .t = t, .input = say, .shell = "/bin/false" }, "-sh 0\n");
        put_program(t, "bin/bash", "#!/bin/sh\necho bash\n");
        assert_runs((struct attempt){ .t = t, .input = say, .shell = "/bin/gone" }, "bash\n");
        assert_int_equal(unlinkat(t->fd, "bin/bash", 0) | unlinkat(t->fd, "bin/sh", 0), 0);
        assert_fails((struct attempt){ .t = t, .shell = "/bin/gone" }, 127, "/bin/sh", "");
}

static void inits(void **state) {
        struct tiny *t = *state;

        tiny_need(t);
        assert_int_equal(mkdirat(t->fd, "sbin", 0755), 0);
        put_program(t, "sbin/init", "#!/bin/sh\necho $0 \"$@\"\n");
        put_program(t, "init", "#!/bin/sh\necho last $0 \"$@\"\n");
        RUNS("/sbin/init one 2\n", "-b", "one", "2");
        /* One that was there and cannot be run: the next. */
        put_program(t, "sbin/init", "#!/nosuch\n");
        RUNS("last /init x\n", "-b", "x");
        put_program(t, "init", "no program");
        FAILS(126, "/init", "architecture", "-b");
        assert_int_equal(unlinkat(t->fd, "init", 0), 0);
        FAILS(127, "cannot run /sbin/init: its interpreter /nosuch", "", "-b");
        put_text(t->fd, "sbin/init", "#!/bin/sh\n");
        FAILS(126, "cannot run /sbin/init: Permission denied", "", "-b");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TINY_TEST(commands_run),
                TINY_TEST(programs_that_are_not_there),
                TINY_TEST(programs_that_may_not_be_run),
                TINY_TEST(the_search_goes_on),
                TINY_TEST(what_is_no_program),
                TINY_TEST(interpreters_that_are_missing),
                TINY_TEST(magic_links_run_nothing),
                TINY_TEST(relative_paths),
                TINY_TEST(shells),
                TINY_TEST(inits),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
