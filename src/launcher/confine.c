/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/syscalls.h"
#include "isolation/capability.h"
#include "isolation/filter.h"
#include "isolation/limits.h"
#include "mounts/inroot.h"

/* Signals that the caller ignores or blocks (nohup(1), a job's mask) are none of the container's: every one starts
 * with its default action, as the kernel starts a first process. */
void confine_signals(void) {
        sigset_t none;

        for (int sig = 1; sig <= SIGRTMAX; sig++)
                (void) signal(sig, SIG_DFL); /* refused for SIGKILL, SIGSTOP and the C library's own */
        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

static int write_proc(const char *path, const char *value) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

        return fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
}

/* What is written to the process's own /proc files, while that is still the host's procfs and not yet something that
 * an image or a user's mount may have covered. */
int confine_attributes(const struct launch *launch, struct error *error) {
        const struct spec *spec = launch->plan->spec;
        char text[16];

        /* The login session of whoever called us is none of the container's (audit). Absent or locked: as it is. */
        (void) write_proc("/proc/self/loginuid", "4294967295");
        if (!spec->origin[SETTING_OOM_SCORE_ADJUST])
                return 0;
        snprintf(text, sizeof text, "%d", spec->oom_score_adjust);
        int r = write_proc("/proc/self/oom_score_adj", text);
        return r < 0 ? error_set(error, -r, "cannot set the OOM score to %s: %m", text) : 0;
}

int confine_keyring(struct error *error) {
        if (sys_keyctl_join_session() < 0 && errno != ENOSYS && errno != EPERM && errno != EACCES && errno != EDQUOT)
                return error_set(error, errno, "cannot make a session keyring: %m");
        return 0;
}

int confine_limits(const struct launch *launch, struct error *error) {
        const struct spec *spec = launch->plan->spec;

        if (spec->origin[SETTING_CPU_AFFINITY] &&
            sched_setaffinity(0, sizeof spec->cpu_affinity, &spec->cpu_affinity) < 0)
                return error_set(error, errno, "cannot set the CPU affinity: %m");
        if (spec->origin[SETTING_PERSONALITY] && personality(spec->personality) < 0)
                return error_set(error, errno, "cannot set the personality: %m");
        return limits_apply(launch->plan->limits, error);
}

/* Enters PATH without magic links: a link /work -> /proc/self/fd/N in an image would else lead through one of our own
 * descriptors to a directory of the host. */
int confine_directory(int root, const char *path) {
        _cleanup_close_ int fd = inroot_open(root, path, O_PATH | O_DIRECTORY, 0);

        if (fd < 0)
                return fd;
        return fchdir(fd) < 0 ? -errno : 0;
}

int confine_privileges(const struct launch *launch, const struct user *user, struct error *error) {
        const struct plan *plan = launch->plan;
        const struct capability_plan capabilities = {
                .retained = plan->bounding,
                .ambient = plan->ambient,
                .credentials = { .uid = user->uid,
                                 .gid = user->gid,
                                 .groups = user->groups,
                                 .n_groups = user->n_groups },
        };
        int r;

        if (plan->filter) {
                r = filter_install(&launch->filter, error);
                if (r < 0)
                        return r;
        }
        r = capability_apply(&capabilities, error);
        if (r < 0)
                return r;
        if (plan->spec->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set(error, errno, "cannot set no_new_privs: %m");
        return 0;
}

int confine_environment(const struct plan *plan, const struct user *user, struct strv *env, struct error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->environment.count; i++)
                r = strv_add(env, plan->environment.items[i]);
        if (r >= 0)
                r = strv_add_format(env, "HOME=%s", user->home ? user->home : "/");
        if (r >= 0)
                r = strv_add_format(env, "USER=%s", user->name);
        if (r >= 0)
                r = strv_add_format(env, "LOGNAME=%s", user->name);
        for (size_t i = 0; r >= 0 && i < plan->spec->environment.count; i++)
                r = strv_setenv(env, plan->spec->environment.items[i]);
        return r < 0 ? error_memory(error) : 0;
}

/* Descriptors above the streams close at the exec, ours and whatever the caller left open; not the sockets that a
 * service manager has passed for the payload. */
int confine_descriptors(int first, struct error *error) {
        for (int fd = 3; fd < first; fd++)
                if (fcntl(fd, F_SETFD, 0) < 0)
                        return error_set(error, errno, "cannot pass descriptor %d on: %m", fd);
        if (sys_close_range((unsigned) first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
                return 0;
        if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
                return error_set(error, errno, "cannot close the remaining descriptors: %m");
        struct rlimit limit = { 1024, 1024 };
        getrlimit(RLIMIT_NOFILE, &limit);
        long top = limit.rlim_max < 65536 ? (long) limit.rlim_max : 65536;
        for (int fd = first; fd < top; fd++)
                (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
        return 0;
}
