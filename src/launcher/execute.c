/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exec, and a sentence that tells what was wrong when it fails: the program, its interpreter or its format. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "launcher/child.h"
#include "launcher/user.h"
#include "mounts/inroot.h"

enum { INTERPRETER_DEPTH = 5 }; /* the kernel follows this many (BINPRM recursion, exec(2)) */

/* The program interpreter that an ELF file of 64 or 32 bits asks for (elf(5), PT_INTERP). Returns 1 if it has one. */
static int elf_interpreter(int fd, const unsigned char *head, size_t size, char *ret, size_t ret_size) {
        const Elf64_Ehdr *e64 = (const void *) head;
        const Elf32_Ehdr *e32 = (const void *) head;
        bool wide = size >= sizeof *e64 && head[EI_CLASS] == ELFCLASS64;
        uint64_t offset, count, step;

        if (size < sizeof *e64)
                return 0;
        offset = wide ? e64->e_phoff : e32->e_phoff;
        count = wide ? e64->e_phnum : e32->e_phnum;
        step = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
        for (uint64_t i = 0; i < count && i < 64; i++) {
                union {
                        Elf64_Phdr w;
                        Elf32_Phdr n;
                } h;
                if (pread(fd, &h, step, (off_t) (offset + i * step)) != (ssize_t) step)
                        return 0;
                if ((wide ? h.w.p_type : h.n.p_type) != PT_INTERP)
                        continue;
                uint64_t at = wide ? h.w.p_offset : h.n.p_offset, length = wide ? h.w.p_filesz : h.n.p_filesz;
                if (length == 0 || length >= ret_size || pread(fd, ret, length, (off_t) at) != (ssize_t) length)
                        return 0;
                ret[length] = 0;
                return 1;
        }
        return 0;
}

/* The interpreter of a script's first line (execve(2), "Interpreter scripts"). Returns 1 if it has one. */
static int script_interpreter(const unsigned char *head, size_t size, char *ret, size_t ret_size) {
        const char *p = (const char *) head + 2, *end = (const char *) head + size;

        while (p < end && (*p == ' ' || *p == '\t'))
                p++;
        const char *start = p;
        while (p < end && !strchr(" \t\n", *p))
                p++;
        size_t n = (size_t) (p - start);
        if (n == 0 || n >= ret_size)
                return 0;
        memcpy(ret, start, n);
        ret[n] = 0;
        return 1;
}

/* Opens PATH for reading. A relative one is looked up from the working directory, as execve(2) and the kernel's
 * loaders do it: what the root has under the same name is not what would be run. */
static int open_program(int root, const char *path) {
        char absolute[PATH_MAX] = "";

        if (*path != '/') {
                if (!getcwd(absolute, sizeof absolute))
                        return -errno;
                if (strlen(absolute) + 1 + strlen(path) >= sizeof absolute)
                        return -ENAMETOOLONG;
                stpcpy(stpcpy(absolute + strlen(absolute), "/"), path);
        }
        return inroot_open(root, *absolute ? absolute : path, O_RDONLY | O_NONBLOCK, 0);
}

/* What PATH needs to be run by: 1 and *RET, 0 if nothing, -ENOEXEC if it is no program that this kernel's loaders
 * know, or another negative errno. */
static int interpreter_of(int root, const char *path, char *ret, size_t ret_size) {
        unsigned char head[256] __attribute__((aligned(8)));
        struct stat st;

        _cleanup_close_ int fd = open_program(root, path);
        if (fd < 0)
                return fd == -EACCES ? 0 : fd; /* may be executable all the same */
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EACCES;
        ssize_t n = pread(fd, head, sizeof head, 0);
        if (n >= 4 && memcmp(head, ELFMAG, SELFMAG) == 0)
                return elf_interpreter(fd, head, (size_t) n, ret, ret_size);
        if (n >= 2 && head[0] == '#' && head[1] == '!')
                return script_interpreter(head, (size_t) n, ret, ret_size);
        return 0;
}

/* Fills *ERROR for interpreter INTERPRETER of PROGRAM that cannot be opened. */
static int bad_interpreter(const char *program, const char *interpreter, int code, struct error *error) {
        if (code == ELOOP)
                error_set(error, EACCES, "cannot run %s: its interpreter %s leads through a magic link or a loop",
                          program, interpreter);
        else
                error_set(error, code, "cannot run %s: its interpreter %s: %m", program, interpreter);
        error->status = code == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
        return -error->code;
}

/* Follows PATH to its last interpreter. None may be reached by a magic link: "#!/proc/self/exe" is a way to make the
 * kernel run this very program, a file of the host, inside the container, where its root could then open it. */
static int check_program(int root, const char *path, struct error *error) {
        char program[PATH_MAX], interpreter[PATH_MAX];

        snprintf(program, sizeof program, "%s", path);
        for (int depth = 0; depth <= INTERPRETER_DEPTH; depth++) {
                int r = interpreter_of(root, program, interpreter, sizeof interpreter);
                if (r == 0)
                        return 0;
                if (r < 0 && depth == 0)
                        return r;
                if (r < 0)
                        return bad_interpreter(path, program, -r, error);
                memcpy(program, interpreter, sizeof program);
        }
        return bad_interpreter(path, program, ELOOP, error);
}

/* Fills *ERROR for a program that the kernel would not run. */
static int cannot_run(const char *path, int code, struct error *error) {
        if (error->code)
                return -error->code;
        switch (code) {
        case ENOENT:
                error_set(error, code, "cannot run %s: there is no such program in the root", path);
                break;
        case ENOEXEC:
                error_set(error, code, "cannot run %s: it is no program that this kernel can run", path);
                error_hint(error, "is it built for another architecture, or a script without a #! line?");
                break;
        case ELOOP:
                error_set(error, code, "cannot run %s: it leads through a magic link or a loop of links", path);
                break;
        default:
                error_set(error, code, "cannot run %s: %m", path);
        }
        error->status = code == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
        return -code;
}

static int run(int root, const char *path, char *const argv[], char *const env[], struct error *error) {
        int r = check_program(root, path, error);

        if (r < 0)
                return cannot_run(path, -r, error);
        execve(path, argv, env);
        return cannot_run(path, errno, error);
}

/* Runs the first of the payload's $PATH that has NAME, as execvp(3) does; a program that is there but cannot be run is
 * remembered, and the search goes on. */
static int run_from_path(int root, char *const argv[], char *const env[], const char *search, struct error *error) {
        struct error denied = { 0 };

        if (strchr(argv[0], '/'))
                return run(root, argv[0], argv, env, error);
        for (const char *p = *search ? search : NULL, *end; p; p = *end ? end + 1 : NULL) {
                end = strchrnul(p, ':');
                size_t n = (size_t) (end - p);
                _cleanup_free_ char *path = text_format("%.*s/%s", n > 0 ? (int) n : 1, n > 0 ? p : ".", argv[0]);
                if (!path)
                        return error_memory(error);
                *error = (struct error){ 0 };
                int r = run(root, path, argv, env, error);
                if (r != -ENOENT && r != -ENOTDIR && !denied.code)
                        denied = *error;
                else if (r == -ENOENT && strstr(error->text, "interpreter"))
                        return r;
        }
        if (denied.code) {
                *error = denied;
                return -denied.code;
        }
        error_set(error, ENOENT, "cannot run %s: there is no such program in %s of the root", argv[0], search);
        error->status = EXIT_NOT_FOUND;
        return -ENOENT;
}

static int run_init(const struct launch *launch, char *const env[], struct error *error) {
        const struct plan *plan = launch->plan;
        const struct strv *words = &plan->spec->words;
        _cleanup_free_ char **argv = calloc(words->count + 2, sizeof *argv);
        const char *const *candidate = init_candidates;

        if (!argv)
                return error_memory(error);
        for (size_t i = 0; i < words->count; i++)
                argv[i + 1] = words->items[i];
        while (!text_equal(*candidate, plan->probe->root.init_path))
                candidate++;
        for (; *candidate; candidate++) {
                struct error this = { 0 };
                argv[0] = (char *) *candidate;
                int r = run(launch->tree_fd, *candidate, argv, env, &this);
                if (!error->code || r != -ENOENT)
                        *error = this;
        }
        return -error->code;
}

/* A login shell is told so by a dash before its name (bash(1), INVOCATION). */
int execute_shell(int root, const struct user *user, char *const env[], struct error *error) {
        const char *const shells[] = { user->shell, "/bin/bash", "/bin/sh" };
        int r = -ENOENT;

        for (size_t i = 0; i < ELEMENTSOF(shells); i++) {
                /* A user who may not log in is still one that root may be (nologin(8)). */
                if (!shells[i] || text_ends_with(shells[i], "/nologin") || text_ends_with(shells[i], "/false"))
                        continue;
                const char *slash = strrchr(shells[i], '/');
                _cleanup_free_ char *name = text_format("-%s", slash ? slash + 1 : shells[i]);
                char *const argv[] = { name, NULL };
                if (!name)
                        return error_memory(error);
                *error = (struct error){ 0 };
                r = run(root, shells[i], argv, env, error);
        }
        return r;
}

int execute_words(int root, char *const words[], char *const environment[], struct error *error) {
        const char *path = "";

        for (char *const *e = environment; *e; e++)
                if (text_starts_with(*e, "PATH="))
                        path = *e + strlen("PATH=");
        return run_from_path(root, words, environment, path, error);
}

int child_execute(const struct launch *launch, const struct user *user, char *const environment[],
                  struct error *error) {
        const struct spec *spec = launch->plan->spec;

        switch (spec->start) {
        case START_BOOT:
                return run_init(launch, environment, error);
        case START_SHELL:
                return execute_shell(launch->tree_fd, user, environment, error);
        case START_COMMAND:
                break;
        }
        return execute_words(launch->tree_fd, spec->words.items, environment, error);
}
