/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "isolation/capability.h"

static uint64_t bits(int first, ...) {
        uint64_t mask = 0;
        va_list ap;

        va_start(ap, first);
        for (int c = first; c >= 0; c = va_arg(ap, int))
                mask |= CAPABILITY_BIT(c);
        va_end(ap);
        return mask;
}

static void test_parse(void **state) {
        const struct {
                const char *text;
                uint64_t mask;
        } table[] = {
                { "", 0 },
                { " , ", 0 },
                { "CAP_CHOWN", CAPABILITY_BIT(0) },
                { "chown", CAPABILITY_BIT(0) },
                { "Cap_Sys_Admin", CAPABILITY_BIT(21) },
                { "net_raw,CAP_NET_ADMIN", bits(13, 12, -1) },
                { "net_raw cap_bpf,,perfmon", bits(13, 39, 38, -1) },
                { "0", CAPABILITY_BIT(0) },
                { "40,checkpoint_restore", CAPABILITY_BIT(40) },
                { "all", UINT64_MAX },
                { "ALL,chown", UINT64_MAX },
                { "chown,all", UINT64_MAX },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                uint64_t mask = 1234;
                assert_int_equal(capability_parse_list(table[i].text, true, &mask, NULL), 0);
                assert_int_equal(mask, table[i].mask);
        }
}

static void test_parse_errors(void **state) {
        static const char *const bad[] = { "41",         "-1",           "64",   "00",   "+1", "CAP_",
                                           "chown;kill", "CAP_CAP_KILL", "chow", "none", "1x" };
        uint64_t mask = 1234;
        struct error error;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                error = (struct error){ 0 };
                assert_int_equal(capability_parse_list(bad[i], true, &mask, &error), -EINVAL);
                assert_non_null(strstr(error.text, bad[i]));
                assert_int_equal(mask, 1234);
        }
        assert_int_equal(capability_parse_list("chown,all", false, &mask, &error), -EINVAL);
        assert_string_equal(error.hint, "");
        assert_int_equal(capability_parse_list("net_amdin", true, &mask, &error), -EINVAL);
        assert_non_null(strstr(error.hint, "CAP_NET_ADMIN"));
        assert_int_equal(capability_parse_list("cap_sysadmin", true, &mask, &error), -EINVAL);
        assert_non_null(strstr(error.hint, "CAP_SYS_ADMIN"));
        assert_int_equal(capability_parse_list("x", true, &mask, NULL), -EINVAL);
}

static void test_names(void **state) {
        (void) state;
        assert_string_equal(capability_name(0), "CAP_CHOWN");
        assert_string_equal(capability_name(21), "CAP_SYS_ADMIN");
        assert_string_equal(capability_name(40), "CAP_CHECKPOINT_RESTORE");
        assert_null(capability_name(41));
        assert_null(capability_name(UINT32_MAX));
        for (unsigned c = 0; c <= 40; c++) {
                uint64_t mask;
                assert_non_null(capability_name(c));
                assert_int_equal(capability_parse_list(capability_name(c), false, &mask, NULL), 0);
                assert_int_equal(mask, CAPABILITY_BIT(c));
        }
        /* The documented default, as a number: nothing may slip into it unnoticed. */
        assert_int_equal(CAPABILITY_DEFAULT, UINT64_C(0xfdecafff));
}

/* What a program started after capability_apply() says of itself (proc_pid_status(5)). */
struct status {
        uint64_t inheritable, permitted, effective, bounding, ambient;
        unsigned uids[4], gids[4];
        char groups[64];
        int securebits;
};

static void read_status(int fd, struct status *ret) {
        static char text[16384];
        size_t size = 0;

        for (ssize_t n; size < sizeof text - 1 && (n = read(fd, text + size, sizeof text - 1 - size)) > 0;)
                size += (size_t) n;
        text[size] = 0;
        const struct {
                const char *label;
                uint64_t *value;
        } masks[] = { { "CapInh:", &ret->inheritable },
                      { "CapPrm:", &ret->permitted },
                      { "CapEff:", &ret->effective },
                      { "CapBnd:", &ret->bounding },
                      { "CapAmb:", &ret->ambient } };
        for (size_t i = 0; i < ELEMENTSOF(masks); i++) {
                const char *line = strstr(text, masks[i].label);
                assert_non_null(line);
                *masks[i].value = strtoull(line + strlen(masks[i].label), NULL, 16);
        }
        assert_int_equal(sscanf(strstr(text, "\nUid:"), "\nUid: %u %u %u %u", &ret->uids[0], &ret->uids[1],
                                &ret->uids[2], &ret->uids[3]),
                         4);
        assert_int_equal(sscanf(strstr(text, "\nGid:"), "\nGid: %u %u %u %u", &ret->gids[0], &ret->gids[1],
                                &ret->gids[2], &ret->gids[3]),
                         4);
        assert_int_equal(sscanf(strstr(text, "\nGroups:"), "\nGroups:%63[^\n]", ret->groups), 1);
}

/* Applies PLAN in a child, which then runs cat. Returns capability_apply()'s result if that failed. */
static int apply(const struct capability_plan *plan, struct status *ret) {
        int pipe_fds[2], status;

        assert_int_equal(pipe(pipe_fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct error error = { 0 };
                int r = capability_apply(plan, &error);
                if (r < 0)
                        _exit(-r);
                /* Not only what exec makes of it: nothing is to be left lying about before. */
                struct capability_sets sets;
                if (sys_capget(&sets) < 0 ||
                    (sets.permitted & ~(plan->credentials.uid == 0 ? plan->retained : plan->ambient)))
                        _exit(199);
                if (prctl(PR_GET_SECUREBITS) != 0 || prctl(PR_GET_KEEPCAPS) != 0)
                        _exit(200);
                dup2(pipe_fds[1], 1);
                execl("/bin/cat", "cat", "/proc/self/status", NULL);
                _exit(201);
        }
        close(pipe_fds[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 0)
                read_status(pipe_fds[0], ret);
        close(pipe_fds[0]);
        return -WEXITSTATUS(status);
}

static uint64_t own;

static int need_root(void **state) {
        (void) state;
        own = capability_bounding_probe();
        return 0;
}

#define NEED_ROOT()                                                                                                   \
        do {                                                                                                          \
                if (geteuid() != 0 || !(own & CAPABILITY_BIT(CAP_SETPCAP)))                                           \
                        skip();                                                                                       \
        } while (0)

static void test_root(void **state) {
        struct status s;
        const uint64_t retained = CAPABILITY_DEFAULT;

        (void) state;
        NEED_ROOT();
        assert_int_equal(apply(&(struct capability_plan){ .retained = retained }, &s), 0);
        assert_int_equal(s.bounding, retained & own);
        assert_int_equal(s.permitted, retained & own);
        assert_int_equal(s.effective, retained & own);
        assert_int_equal(s.inheritable, 0);
        assert_int_equal(s.ambient, 0);
        assert_string_equal(s.groups + strspn(s.groups, " \t"), "");
        /* Everything that there is, and bits that no kernel knows. */
        assert_int_equal(apply(&(struct capability_plan){ .retained = UINT64_MAX }, &s), 0);
        assert_int_equal(s.bounding, own);
        assert_int_equal(s.effective, own);
        assert_int_equal(apply(&(struct capability_plan){ .retained = 0 }, &s), 0);
        assert_int_equal(s.bounding | s.permitted | s.effective | s.inheritable | s.ambient, 0);
}

static void test_root_ambient(void **state) {
        struct status s;
        const uint64_t ambient = CAPABILITY_BIT(CAP_NET_RAW);
        const struct capability_plan plan = { .retained = CAPABILITY_DEFAULT, .ambient = ambient };

        (void) state;
        NEED_ROOT();
        assert_int_equal(apply(&plan, &s), 0);
        assert_int_equal(s.bounding, CAPABILITY_DEFAULT & own);
        assert_int_equal(s.effective, CAPABILITY_DEFAULT & own);
        assert_int_equal(s.inheritable, ambient);
        assert_int_equal(s.ambient, ambient);
}

static void check_ids(const struct status *s, unsigned uid, unsigned gid) {
        for (int i = 0; i < 4; i++) {
                assert_int_equal(s->uids[i], uid);
                assert_int_equal(s->gids[i], gid);
        }
}

static void test_user(void **state) {
        static const gid_t groups[] = { 5, 70000, 6 };
        const uint64_t ambient = bits(CAP_NET_RAW, CAP_SYS_NICE, -1);
        struct capability_plan plan = {
                .retained = CAPABILITY_DEFAULT,
                .credentials = { .uid = 70001, .gid = 70002, .groups = groups, .n_groups = ELEMENTSOF(groups) },
        };
        struct status s;

        (void) state;
        NEED_ROOT();
        assert_int_equal(apply(&plan, &s), 0);
        check_ids(&s, 70001, 70002);
        assert_non_null(strstr(s.groups, "5 6 70000"));
        assert_int_equal(s.bounding, CAPABILITY_DEFAULT & own);
        assert_int_equal(s.permitted | s.effective | s.inheritable | s.ambient, 0);
        plan.ambient = ambient;
        assert_int_equal(apply(&plan, &s), 0);
        check_ids(&s, 70001, 70002);
        assert_int_equal(s.bounding, CAPABILITY_DEFAULT & own);
        assert_int_equal(s.permitted, ambient);
        assert_int_equal(s.effective, ambient);
        assert_int_equal(s.inheritable, ambient);
        assert_int_equal(s.ambient, ambient);
        /* A group without the user. */
        plan = (struct capability_plan){ .retained = CAPABILITY_DEFAULT, .credentials = { .gid = 7 } };
        assert_int_equal(apply(&plan, &s), 0);
        check_ids(&s, 0, 7);
        assert_int_equal(s.effective, CAPABILITY_DEFAULT & own);
}

/* With all but the right to drop capabilities. */
static void test_no_setpcap(void **state) {
        int status;

        (void) state;
        NEED_ROOT();
        pid_t pid = fork();
        if (pid == 0) {
                struct capability_sets sets;
                struct error error = { 0 };
                if (sys_capget(&sets) < 0)
                        _exit(1);
                sets.effective &= ~CAPABILITY_BIT(CAP_SETPCAP);
                sets.permitted = sets.effective;
                if (sys_capset(&sets) < 0)
                        _exit(1);
                int r = capability_apply(&(struct capability_plan){ .retained = CAPABILITY_DEFAULT }, &error);
                _exit(r == -EPERM && error.text[0] ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* Without privileges it fails and says so, rather than leave the payload with what it should not have. */
static void test_unprivileged(void **state) {
        int status;

        (void) state;
        NEED_ROOT();
        pid_t pid = fork();
        if (pid == 0) {
                struct error error = { 0 };
                if (setgid(70002) < 0 || setuid(70001) < 0)
                        _exit(1);
                int r = capability_apply(&(struct capability_plan){ .retained = CAPABILITY_DEFAULT }, &error);
                _exit(r == -EPERM && error.text[0] ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),        cmocka_unit_test(test_parse_errors), cmocka_unit_test(test_names),
                cmocka_unit_test(test_root),         cmocka_unit_test(test_root_ambient), cmocka_unit_test(test_user),
                cmocka_unit_test(test_unprivileged), cmocka_unit_test(test_no_setpcap),
        };

        return cmocka_run_group_tests(tests, need_root, NULL);
}
