/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name resolution and time zone: what is shown over the tree's files or written into it, for each choice. */
#include <linux/mount.h>

#include "basic/log.h"
#include "made.h"

static const struct file_write *find_write(const struct made *m, const char *target) {
        for (size_t i = 0; i < m->plan.n_writes; i++)
                if (text_equal(m->plan.writes[i].target, target))
                        return &m->plan.writes[i];
        return NULL;
}

/* Plans with warnings kept out of the way. The caller frees them. */
static char *plan_quietly(struct made *m) {
        struct capture c = capture_start(STDERR_FILENO);
        int r = made_try(m);
        char *messages = capture_end(&c);

        assert_int_equal(r, 0);
        return messages;
}

static void nothing_is_done_unasked(void **state) {
        struct made *m = *state;

        m->spec.resolv_conf = RESOLV_CONF_OFF;
        m->spec.timezone = TIMEZONE_OFF;
        made_plan(m);
        assert_int_equal(m->plan.n_writes, 0);
        assert_null(made_mount(m, "/etc/resolv.conf"));
        assert_null(made_mount(m, "/etc/localtime"));
}

static const struct {
        const char *name, *path;
} sources[] = { { "host", "/etc/resolv.conf" },
                { "static", "/usr/lib/systemd/resolv.conf" },
                { "uplink", "/run/systemd/resolve/resolv.conf" },
                { "stub", "/run/systemd/resolve/stub-resolv.conf" } };

/* Each of the twelve: from its own source, in its own way; a source that is not there is told and left out. */
static void resolvers_by_choice(void **state) {
        struct made *m = *state;

        m->spec.timezone = TIMEZONE_OFF;
        m->spec.origin[SETTING_RESOLV_CONF] = "--resolv-conf";
        for (int mode = RESOLV_CONF_COPY_HOST; mode <= RESOLV_CONF_BIND_STUB; mode++) {
                const char *path = sources[(mode - RESOLV_CONF_COPY_HOST) % 4].path;
                int way = (mode - RESOLV_CONF_COPY_HOST) / 4; /* copy, replace, bind */
                bool there = access(path, R_OK) == 0;
                m->spec.resolv_conf = (enum resolv_conf_mode) mode;
                _cleanup_free_ char *messages = plan_quietly(m);
                const struct file_write *w = find_write(m, "/etc/resolv.conf");
                const struct mount_op *op = made_mount(m, "/etc/resolv.conf");
                assert_int_equal(w != NULL, there && way < 2);
                assert_int_equal(op != NULL, there && way == 2);
                assert_int_equal(strstr(messages, path) != NULL, !there);
                if (w) {
                        assert_int_equal(w->kind, way == 0 ? WRITE_COPY : WRITE_REPLACE);
                        assert_string_equal(w->origin, "--resolv-conf");
                        assert_false(w->in_run);
                }
                if (op) {
                        assert_string_equal(op->source, path);
                        assert_true(op->attributes & MOUNT_ATTR_RDONLY);
                        assert_true(op->create && op->optional && op->no_follow);
                }
        }
        m->spec.resolv_conf = RESOLV_CONF_DELETE;
        made_plan(m);
        assert_int_equal(find_write(m, "/etc/resolv.conf")->kind, WRITE_DELETE);
}

static void the_content_is_the_hosts(void **state) {
        struct made *m = *state;
        char *text = NULL;

        _cleanup_close_ int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                skip();
        assert_int_equal(fd_read_file(fd, 65536, &text, NULL), 0);
        m->spec.timezone = TIMEZONE_OFF;
        m->spec.resolv_conf = RESOLV_CONF_COPY_HOST;
        made_plan(m);
        assert_string_equal(find_write(m, "/etc/resolv.conf")->content, text);
        free(text);
}

/* Automatic, for all that matters to it: the image keeps what it has, and nothing is written but into our own /run. */
static void resolvers_by_themselves(void **state) {
        struct made *m = *state;
        const bool readable = access("/etc/resolv.conf", R_OK) == 0;

        m->spec.timezone = TIMEZONE_OFF;
        m->spec.resolv_conf = RESOLV_CONF_AUTO;
        m->probe.root.resolv_conf_target = (char *) "/run/x/resolv.conf";
        for (unsigned bits = 0; bits < 32; bits++) {
                bool private = bits & 1, host = bits & 2, image = bits & 4, in_run = bits & 8, boot = bits & 16;
                m->spec.private_network = private;
                m->probe.host.resolv_conf = host;
                m->probe.root.has_resolv_conf = image && !in_run;
                m->probe.root.resolv_conf_in_run = in_run;
                m->spec.start = boot ? START_BOOT : START_COMMAND;
                free(plan_quietly(m));
                const struct mount_op *op = made_mount(m, "/etc/resolv.conf");
                bool shown = !private && host && image && !in_run, made = !private && host && in_run && !boot;
                assert_int_equal(op != NULL, shown);
                assert_int_equal(m->plan.n_writes, made && readable);
                if (op) {
                        assert_false(op->create); /* a missing file stays missing */
                        assert_string_equal(op->source, "/etc/resolv.conf");
                }
                if (m->plan.n_writes > 0) {
                        assert_true(m->plan.writes[0].in_run);
                        assert_string_equal(m->plan.writes[0].target, "/run/x/resolv.conf");
                }
        }
}

/* A stub resolver is shown only where one listens. */
static void the_stub_must_listen(void **state) {
        struct made *m = *state;

        m->spec.timezone = TIMEZONE_OFF;
        m->spec.resolv_conf = RESOLV_CONF_AUTO;
        m->probe.host.resolv_conf = m->probe.root.has_resolv_conf = true;
        for (unsigned bits = 0; bits < 4; bits++) {
                m->probe.host.resolv_stub = bits & 1;
                m->probe.host.stub_listens = bits & 2;
                made_plan(m);
                assert_string_equal(made_mount(m, "/etc/resolv.conf")->source,
                                    bits == 3 ? "/run/systemd/resolve/stub-resolv.conf" : "/etc/resolv.conf");
        }
}

static void zones_by_choice(void **state) {
        struct made *m = *state;

        m->spec.resolv_conf = RESOLV_CONF_OFF;
        m->spec.origin[SETTING_TIMEZONE] = "--timezone";
        m->probe.host.localtime = true;
        m->probe.host.zone = (char *) "Europe/Berlin";
        m->probe.root.has_host_zone = true;

        m->spec.timezone = TIMEZONE_BIND;
        made_plan(m);
        assert_string_equal(made_mount(m, "/etc/localtime")->source, "/etc/localtime");
        assert_true(made_mount(m, "/etc/localtime")->no_follow);
        m->spec.timezone = TIMEZONE_DELETE;
        made_plan(m);
        assert_int_equal(find_write(m, "/etc/localtime")->kind, WRITE_DELETE);
        m->spec.timezone = TIMEZONE_SYMLINK;
        made_plan(m);
        assert_int_equal(find_write(m, "/etc/localtime")->kind, WRITE_SYMLINK);
        assert_string_equal(find_write(m, "/etc/localtime")->content, "../usr/share/zoneinfo/Europe/Berlin");
        m->probe.root.localtime_zone = (char *) "Europe/Berlin"; /* it is so already */
        made_plan(m);
        assert_int_equal(m->plan.n_writes, 0);
        m->probe.root.localtime_zone = NULL;
        m->probe.root.has_host_zone = false; /* the link would lead nowhere */
        made_plan(m);
        assert_int_equal(m->plan.n_writes, 0);
        assert_non_null(made_mount(m, "/etc/localtime"));
        m->probe.host.localtime = false;
        made_plan(m);
        assert_null(made_mount(m, "/etc/localtime"));
}

/* A zone file holds bytes of all values: its size counts, not its first NUL. */
static void zones_are_copied_whole(void **state) {
        struct made *m = *state;
        struct stat st;

        m->spec.resolv_conf = RESOLV_CONF_OFF;
        m->spec.timezone = TIMEZONE_COPY;
        _cleanup_free_ char *messages = plan_quietly(m);
        if (stat("/etc/localtime", &st) < 0) {
                assert_int_equal(m->plan.n_writes, 0);
                assert_non_null(strstr(messages, "/etc/localtime"));
                return;
        }
        assert_int_equal(find_write(m, "/etc/localtime")->size, st.st_size);
        assert_memory_equal(find_write(m, "/etc/localtime")->content, "TZif", 4);
}

static void zones_by_themselves(void **state) {
        static const struct {
                const char *host, *root;
                bool has, shown;
        } cases[] = { { "A/B", "A/B", true, false },
                      { "A/B", "C/D", true, true },
                      { "A/B", NULL, true, true },
                      { "A/B", "C/D", false, false },
                      { NULL, "C/D", true, true } };
        struct made *m = *state;

        m->spec.resolv_conf = RESOLV_CONF_OFF;
        m->spec.timezone = TIMEZONE_AUTO;
        m->probe.host.localtime = true;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                m->probe.host.zone = (char *) cases[i].host;
                m->probe.root.localtime_zone = (char *) cases[i].root;
                m->probe.root.has_localtime = cases[i].has;
                made_plan(m);
                assert_int_equal(made_mount(m, "/etc/localtime") != NULL, cases[i].shown);
                assert_int_equal(m->plan.n_writes, 0); /* shown over, never written */
        }
        m->probe.host.zone = NULL;
        m->probe.root.localtime_zone = NULL;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(nothing_is_done_unasked),  MADE_TEST(resolvers_by_choice),
                MADE_TEST(the_content_is_the_hosts), MADE_TEST(resolvers_by_themselves),
                MADE_TEST(the_stub_must_listen),     MADE_TEST(zones_by_choice),
                MADE_TEST(zones_are_copied_whole),   MADE_TEST(zones_by_themselves),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
