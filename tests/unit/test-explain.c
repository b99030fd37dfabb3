/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan as it is printed: for people a line for each thing, for programs JSON that another program reads. */
#include <ctype.h>
#include <fcntl.h>
#include <linux/capability.h>

#include "isolation/capability.h"
#include "launcher/plan.h"
#include "made.h"

static char *explained(struct made *m, enum explain_format format) {
        struct capture c = capture_start(STDOUT_FILENO);
        int r = plan_explain(&m->plan, format);
        char *text = capture_end(&c);

        assert_int_equal(r, 0);
        return text;
}

/* A reader of RFC 8259, section by section; NULL where there is no such thing. */
static const char *value(const char *p, int depth);

static const char *blank(const char *p) {
        return p + strspn(p, " \t\r\n");
}

static const char *string(const char *p) {
        if (*p++ != '"')
                return NULL;
        for (; *p != '"'; p++) {
                if ((unsigned char) *p < 0x20)
                        return NULL;
                if (*p != '\\')
                        continue;
                p++;
                if (*p == 'u') {
                        for (int i = 0; i < 4; i++)
                                if (!isxdigit((unsigned char) *++p))
                                        return NULL;
                } else if (!*p || !strchr("\"\\/bfnrt", *p))
                        return NULL;
        }
        return p + 1;
}

static const char *members(const char *p, char end, bool named, int depth) {
        p = blank(p + 1);
        if (*p == end)
                return p + 1;
        for (;;) {
                if (named) {
                        p = string(blank(p));
                        if (!p || *(p = blank(p)) != ':')
                                return NULL;
                        p++;
                }
                p = value(p, depth + 1);
                if (!p)
                        return NULL;
                p = blank(p);
                if (*p == end)
                        return p + 1;
                if (*p++ != ',')
                        return NULL;
        }
}

static const char *value(const char *p, int depth) {
        static const char *const words[] = { "true", "false", "null" };

        p = blank(p);
        if (depth > 8)
                return NULL;
        if (*p == '{' || *p == '[')
                return members(p, *p == '{' ? '}' : ']', *p == '{', depth);
        if (*p == '"')
                return string(p);
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (text_starts_with(p, words[i]))
                        return p + strlen(words[i]);
        p += *p == '-';
        if (!isdigit((unsigned char) *p) || (*p == '0' && isdigit((unsigned char) p[1])))
                return NULL;
        return p + strspn(p, "0123456789");
}

static bool is_json(const char *text) {
        const char *end = value(text, 0);

        return end && !*blank(end);
}

static void the_reader_reads_json_only(void **state) {
        static const char *const good[] = { "{}", "[1,-2,\"a\\u00e9\\n\",true]", " {\"a\":{\"b\":[]}} \n" };
        static const char *const bad[] = {
                "", "{", "{,}", "[1,]", "{\"a\"}", "{a:1}", "[1 2]", "\"\n\"", "\"\\x41\"", "01", "{}x", "\"\\u12\"",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(is_json(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (is_json(bad[i]))
                        fail_msg("%s", bad[i]);
}

static void assert_holds(const char *text, const char *part) {
        if (!text || !strstr(text, part))
                fail_msg("there is no %s in %s", part, text ? text : "nothing");
}

static void both_forms_tell_the_plan(void **state) {
        static const char *const lists[] = { "settings", "payload",      "namespaces",   "mounts",
                                             "entries",  "image-writes", "capabilities", "system-call-filter",
                                             "limits",   "environment" };
        struct made *m = *state;

        m->spec.start = START_BOOT;
        m->spec.seccomp = true;
        made_plan(m);
        _cleanup_free_ char *json = explained(m, EXPLAIN_JSON), *text = explained(m, EXPLAIN_TEXT);
        assert_true(is_json(json));
        assert_false(is_json(text));
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                char name[64];
                snprintf(name, sizeof name, "\"%s\":[", lists[i]);
                assert_holds(json, name);
                snprintf(name, sizeof name, "%s:\n", lists[i]);
                assert_holds(text, name);
        }
        assert_holds(json, "{\"name\":\"machine\",\"value\":\"foobar-x\",\"origin\":\"default\"}");
        assert_holds(text, "  - machine value=foobar-x origin=default\n");
        assert_holds(json, "\"start\":\"init\",\"init\":\"/sbin/init\",\"kind\":\"systemd\"");
        assert_holds(text, "stop=SIGRTMIN+3");
        assert_holds(json, "{\"name\":\"CAP_CHOWN\",\"ambient\":false,\"origin\":\"default\"}");
        assert_holds(text, "  - /proc kind=new type=proc nosuid nodev noexec origin=default\n");
        assert_holds(text, "  - null in=/dev kind=character device mode=0666 device=1:3 origin=default\n");
        assert_holds(text, "  - fd in=/dev kind=symlink target=/proc/self/fd origin=default\n");
        assert_holds(json, "\"variable\":\"container=systemd-nspawn\"");
        assert_holds(json, "\"instructions\":");
}

static void origins_are_told(void **state) {
        struct made *m = *state;
        struct mount_op op = { .kind = MOUNT_BIND,
                               .target = strdup("/to"),
                               .source = strdup("/from"),
                               .origin = strdup("/x.nspawn:12") };

        m->spec.start = START_COMMAND;
        m->spec.origin[SETTING_MACHINE] = "--machine";
        m->spec.machine = strdup("named");
        m->spec.origin[SETTING_CAPABILITY] = "--capability";
        m->spec.capabilities_added = UINT64_C(1) << CAP_IPC_LOCK;
        m->spec.origin[SETTING_PRIVATE_NETWORK] = "--private-network";
        m->spec.private_network = true;
        m->spec.origin[SETTING_RLIMIT] = "--rlimit";
        m->spec.limit_set[RLIMIT_NOFILE] = true;
        m->spec.limits[RLIMIT_NOFILE] = (struct rlimit){ 5, RLIM_INFINITY };
        m->spec.origin[SETTING_ENVIRONMENT] = "--setenv";
        assert_int_equal(strv_add(&m->spec.environment, "A=b"), 0);
        assert_int_equal(strv_add(&m->spec.words, "word"), 0);
        assert_int_equal(mount_list_add(&m->spec.mounts, &op), 0);
        made_plan(m);
        _cleanup_free_ char *json = explained(m, EXPLAIN_JSON), *text = explained(m, EXPLAIN_TEXT);
        assert_true(is_json(json));
        assert_holds(text, "  - machine value=named origin=--machine\n");
        assert_holds(text, "  - CAP_IPC_LOCK origin=--capability\n");
        assert_holds(text, "  - CAP_NET_ADMIN origin=--private-network\n");
        assert_holds(text, "  - CAP_CHOWN origin=default\n");
        assert_holds(text, "net origin=--private-network\n");
        assert_holds(text, "NOFILE soft=5 hard=infinity origin=--rlimit\n");
        assert_holds(text, "  - A=b origin=--setenv\n");
        assert_holds(text, "  - /to kind=bind source=/from origin=/x.nspawn:12\n");
        assert_holds(json, "{\"word\":\"word\",\"origin\":\"command line\"}");
        assert_holds(text, "payload:\n  - command stop=");
}

/* What came out of an image or from a user cannot break out of its place, nor drive a terminal. */
static void hostile_words_are_escaped(void **state) {
        static const char *const words[] = {
                "quote\"back\\slash", "new\nline",  "esc\x1b[2J",      "\x7f",         "caf\xc3\xa9",
                "bad\xff\xfe",        "\302\233c1", "</script>{}[],:", "\t\r\b\f\x01",
        };
        struct made *m = *state;

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                assert_int_equal(strv_add(&m->spec.words, words[i]), 0);
                assert_int_equal(strv_add_format(&m->spec.environment, "V%zu=%s", i, words[i]), 0);
        }
        m->spec.start = START_COMMAND;
        m->probe.root.machine_id_text = (char *) "\"\n\x1b";
        m->probe.root.real_path = (char *) "/srv/a\"b\nc\x1b\\";
        made_plan(m);
        _cleanup_free_ char *json = explained(m, EXPLAIN_JSON), *text = explained(m, EXPLAIN_TEXT);
        assert_true(is_json(json));
        for (const unsigned char *p = (const unsigned char *) json; *p; p++)
                assert_true(*p == '\n' || (*p >= 0x20 && *p != 0x7f));
        for (const unsigned char *p = (const unsigned char *) text; *p; p++)
                assert_true(*p == '\n' || (*p >= 0x20 && *p != 0x7f));
        assert_null(strstr(text, "\xc2\x9b"));
        assert_null(strstr(json, "\xc2\x9b"));
        assert_holds(json, "{\"word\":\"quote\\\"back\\\\slash\",");
        assert_holds(json, "{\"word\":\"new\\u000aline\",");
        assert_holds(text, "word=new\\x0aline origin");
        assert_holds(json, "{\"name\":\"directory\",\"value\":\"/srv/a\\\"b\\u000ac\\u001b\\\\\",");
}

/* Names are told as they are spelt: what UTF-8 stands for survives a reader. Checked with another program's reader. */
static void another_reader_gets_the_same(void **state) {
        static const char script[] =
                "import json,sys; p=[x['word'] for x in json.load(sys.stdin.buffer)['payload'] if 'word' in x]; "
                "sys.exit(p!=['caf\\u00e9','\\U0001f600','a\\nb\"\\\\','bad\\\\xff\\\\xc3','plain'])";
        static const char *const words[] = { "caf\xc3\xa9", "\xf0\x9f\x98\x80", "a\nb\"\\", "bad\xff\xc3", "plain" };
        struct made *m = *state;

        if (system("python3 -c pass 2>/dev/null") != 0) {
                print_message("there is no python3\n");
                skip();
        }
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_int_equal(strv_add(&m->spec.words, words[i]), 0);
        m->spec.start = START_COMMAND;
        made_plan(m);
        _cleanup_free_ char *json = explained(m, EXPLAIN_JSON);
        setenv("SCRIPT", script, 1);
        FILE *f = popen("python3 -c \"$SCRIPT\"", "we");
        assert_non_null(f);
        fputs(json, f);
        assert_int_equal(pclose(f), 0);
}

static void a_full_disk_is_told(void **state) {
        struct made *m = *state;

        made_plan(m);
        fflush(stdout);
        int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        dup2(full, STDOUT_FILENO);
        int r = plan_explain(&m->plan, EXPLAIN_TEXT);
        dup2(saved, STDOUT_FILENO);
        clearerr(stdout);
        close(saved);
        close(full);
        assert_int_equal(r, -EIO);
}

static void writes_into_the_image_are_told(void **state) {
        char dir[] = "/tmp/test-explain-XXXXXX";
        struct made *m = *state;

        assert_non_null(mkdtemp(dir));
        _cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(fd, "proc", 0755), 0);
        m->probe.root.fd = fd;
        m->spec.resolv_conf = RESOLV_CONF_DELETE;
        m->spec.timezone = TIMEZONE_OFF;
        m->spec.origin[SETTING_RESOLV_CONF] = "--resolv-conf";
        made_plan(m);
        _cleanup_free_ char *text = explained(m, EXPLAIN_TEXT);
        const char *part = strstr(text, "image-writes:\n");
        assert_non_null(part);
        assert_holds(part, "  - /sys kind=mount point origin=default\n");
        assert_holds(part, "  - /etc/resolv.conf kind=delete origin=--resolv-conf\n");
        assert_null(strstr(part, "  - /proc kind=mount point"));    /* it is there */
        assert_null(strstr(part, "  - /dev/pts kind=mount point")); /* that is made in our own /dev */
        m->probe.root.fd = -1;
        remove_tree_at(dir);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_reader_reads_json_only),
                MADE_TEST(both_forms_tell_the_plan),
                MADE_TEST(origins_are_told),
                MADE_TEST(hostile_words_are_escaped),
                MADE_TEST(another_reader_gets_the_same),
                MADE_TEST(a_full_disk_is_told),
                MADE_TEST(writes_into_the_image_are_told),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
