/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --link-journal: what is planned for each choice, and what is made on the host. */
#include "launcher/journal.h"

#include "made.h"

#define ID "0123456789abcdef0123456789abcdef"

static bool host_keeps_journal(void) {
        struct stat st;

        return lstat("/var/log/journal", &st) == 0 && S_ISDIR(st.st_mode);
}

static struct made *with_id(void **state, enum link_journal mode) {
        struct made *m = *state;

        m->probe.root.machine_id_text = (char *) ID;
        m->spec.link_journal = mode;
        m->spec.origin[SETTING_LINK_JOURNAL] = "--link-journal";
        return m;
}

static void nothing_without_a_journal_of_the_host(void **state) {
        static const enum link_journal modes[] = { LINK_JOURNAL_NO, LINK_JOURNAL_AUTO, LINK_JOURNAL_TRY_HOST,
                                                   LINK_JOURNAL_TRY_GUEST };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                if (host_keeps_journal() && modes[i] > LINK_JOURNAL_NO)
                        continue;
                struct made *m = with_id(state, modes[i]);
                made_plan(m);
                assert_null(m->plan.journal.path);
                assert_null(made_mount(m, "/var/log/journal/" ID));
        }
}

static void what_must_be_and_cannot_is_refused(void **state) {
        static const enum link_journal modes[] = { LINK_JOURNAL_HOST, LINK_JOURNAL_GUEST };

        for (size_t i = 0; i < ELEMENTSOF(modes) && !host_keeps_journal(); i++) {
                struct made *m = with_id(state, modes[i]);
                assert_int_equal(made_try(m), -ENOENT);
                assert_non_null(strstr(m->error.text, "--link-journal: the host keeps no journal"));
        }
}

/* One journal with two writers. */
static void the_host_s_own_id_is_refused(void **state) {
        struct made *m = with_id(state, LINK_JOURNAL_HOST);

        m->probe.host.machine_id_known = true;
        assert_int_equal(id128_parse(ID, &m->probe.host.machine_id), 0);
        assert_int_equal(made_try(m), -EEXIST);
        assert_non_null(strstr(m->error.text, "host's own machine id"));
        m->spec.link_journal = LINK_JOURNAL_TRY_GUEST;
        made_plan(m);
        assert_null(m->plan.journal.path);
}

static void directories_and_links_are_made_once(void **state) {
        char dir[] = "/tmp/test-journal-XXXXXX", path[64], found[64] = "";
        struct error error = { 0 };
        struct stat st;

        (void) state;
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/" ID, dir);
        struct journal_link nothing = { 0 }, directory = { .path = path },
                            link = { .path = path, .target = (char *) "/r/x" };
        assert_int_equal(journal_link(&nothing, &error), 0);
        assert_int_equal(journal_link(&directory, &error), 0);
        assert_int_equal(journal_link(&directory, &error), 0);
        assert_true(lstat(path, &st) == 0 && S_ISDIR(st.st_mode));
        /* An empty directory makes place for the link; a link is no directory. */
        assert_int_equal(journal_link(&link, &error), 0);
        assert_int_equal(journal_link(&link, &error), 0);
        assert_int_equal(readlink(path, found, sizeof found), 4);
        assert_memory_equal(found, "/r/x", 4);
        assert_int_equal(journal_link(&directory, &error), -EEXIST);
        assert_non_null(strstr(error.text, path));
        link.target = (char *) "/r/other";
        assert_int_equal(journal_link(&link, &error), -EEXIST);
        link.optional = true;
        assert_int_equal(journal_link(&link, &error), 0);
        assert_int_equal(readlink(path, found, sizeof found), 4);
        /* What is full stays. */
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0755), 0);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put_text(fd, "system.journal", "x");
        link.optional = false;
        assert_int_equal(journal_link(&link, &error), -ENOTEMPTY);
        assert_int_equal(faccessat(fd, "system.journal", F_OK, 0), 0);
        link.path = (char *) "/no/such/place/" ID;
        assert_int_equal(journal_link(&link, &error), -ENOENT);
        remove_tree_at(dir);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                MADE_TEST(nothing_without_a_journal_of_the_host),
                MADE_TEST(what_must_be_and_cannot_is_refused),
                MADE_TEST(the_host_s_own_id_is_refused),
                cmocka_unit_test(directories_and_links_are_made_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
