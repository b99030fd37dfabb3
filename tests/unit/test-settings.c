/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings files: text and a command line in, a spec out. */
#include "launcher/settings.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/mount.h>

#include "basic/log.h"
#include "helpers.h"

#define W(x) ((char *) (x))
#define FILE_NAME "/x/m.nspawn"

struct taken {
        struct spec spec;
        struct error error;
        char *warnings; /* what was logged */
        int r;
};

static struct spec parse_words(char *const words[], const char *variable) {
        char *environment[] = { W(variable), NULL };
        enum spec_action action;
        struct spec spec;
        int argc = 0;

        while (words[argc])
                argc++;
        spec_init(&spec);
        assert_int_equal(spec_parse(&spec, argc, words, environment, &action, NULL), 0);
        return spec;
}

static struct taken take_bytes(char *const words[], const char *variable, bool trusted, const char *text,
                               size_t size) {
        struct taken t = { .spec = parse_words(words, variable) };
        char *copy = malloc(size + 1); /* of its size, so that what reads beyond it is seen */

        memcpy(copy, text, size);
        copy[size] = 0;
        struct capture c = capture_start(STDERR_FILENO);
        t.r = settings_parse(&t.spec, FILE_NAME, trusted, copy, size, &t.error);
        t.warnings = capture_end(&c);
        free(copy);
        return t;
}

static void done(struct taken *t) {
        spec_free(&t->spec);
        free(t->warnings);
}

#define TAKE(trusted, text, ...)                                                                                      \
        take_bytes((char *[]){ W("spawn"), W("-D/r"), __VA_ARGS__ __VA_OPT__(, ) NULL }, NULL, trusted, text,         \
                   strlen(text))

/* Taken without a complaint. */
static struct taken take_well(struct taken t) {
        if (t.r != 0 || *t.warnings)
                fail_msg("%d \"%s\" \"%s\"", t.r, t.error.text, t.warnings);
        return t;
}
#define TAKE_WELL(...) take_well(TAKE(__VA_ARGS__))

/* What an option takes, what it does not, and for what this version lacks what asks for nothing. */
static const struct {
        const char *name, *good, *bad, *harmless;
} samples[] = {
        { "Boot", "yes", "maybe", NULL },
        { "ProcessTwo", "on", "2", NULL },
        { "Parameters", "/bin/x y", "\"", NULL },
        { "Ephemeral", "yes", NULL, "no" },
        { "Environment", "A=b", "1A=b", NULL },
        { "User", "nobody", "-1", NULL },
        { "WorkingDirectory", "/a", "a", NULL },
        { "PivotRoot", "/a:/b", NULL, NULL },
        { "KillSignal", "SIGRTMIN+3", "SIGNO", NULL },
        { "NotifyReady", "yes", "maybe", NULL },
        { "Hostname", "h.example", "a_b", NULL },
        { "MachineID", "0123456789abcdef0123456789abcdef", "0", NULL },
        { "Personality", "x86", "vax", NULL },
        { "Capability", "CAP_NET_ADMIN cap_ipc_lock", "CAP_NOPE", NULL },
        { "DropCapability", "all", "CAP_NET_ADMIN CAP_NOPE", NULL },
        { "AmbientCapability", "CAP_CHOWN", "all", NULL },
        { "NoNewPrivileges", "yes", "maybe", NULL },
        { "SystemCallFilter", "@mount ptrace", "ptrace @nope", NULL },
        { "RestrictAddressFamilies", "AF_INET", NULL, NULL },
        { "SuppressSync", "yes", NULL, "no" },
        { "PrivateUsers", "pick", NULL, "no" },
        { "PrivateUsersDelegate", "1", NULL, "0" },
        { "LimitCPU", "5", "x", NULL },
        { "LimitFSIZE", "1M", "x", NULL },
        { "LimitDATA", "1M", "x", NULL },
        { "LimitSTACK", "1M:2M", "2M:1M", NULL },
        { "LimitCORE", "0", "x", NULL },
        { "LimitRSS", "1G", "x", NULL },
        { "LimitNOFILE", "5:6", "6:5", NULL },
        { "LimitAS", "infinity", "x", NULL },
        { "LimitNPROC", "7", "-1", NULL },
        { "LimitMEMLOCK", "1M", "x", NULL },
        { "LimitLOCKS", "7", "x", NULL },
        { "LimitSIGPENDING", "7", "x", NULL },
        { "LimitMSGQUEUE", "7", "x", NULL },
        { "LimitNICE", "+5", "x", NULL },
        { "LimitRTPRIO", "7", "x", NULL },
        { "LimitRTTIME", "7", "x", NULL },
        { "OOMScoreAdjust", "-5", "1001", NULL },
        { "CPUAffinity", "0-1 3", "3-1", NULL },
        { "ResolvConf", "replace-stub", "maybe", NULL },
        { "Timezone", "symlink", "help", NULL },
        { "LinkJournal", "try-host", "maybe", NULL },
        { "ReadOnly", "yes", "maybe", NULL },
        { "Volatile", "state", NULL, "no" },
        { "Bind", "/a:/b:norbind", "relative:/b", NULL },
        { "BindReadOnly", "+/a:/b", "/a:b", NULL },
        { "TemporaryFileSystem", "/t:size=1M", "t", NULL },
        { "Inaccessible", "/x", "/", NULL },
        { "Overlay", "/a:/b", NULL, NULL },
        { "OverlayReadOnly", "/a:/b", NULL, NULL },
        { "PrivateUsersOwnership", "chown", NULL, "off" },
        { "PrivateUsersChown", "yes", NULL, "no" },
        { "BindUser", "u", NULL, NULL },
        { "BindUserShell", "/bin/sh", NULL, "no" },
        { "Private", "yes", "maybe", NULL },
        { "NamespacePath", "/n", NULL, NULL },
        { "VirtualEthernet", "yes", NULL, "no" },
        { "VirtualEthernetExtra", "a", NULL, NULL },
        { "Interface", "a", NULL, NULL },
        { "MACVLAN", "a", NULL, NULL },
        { "IPVLAN", "a", NULL, NULL },
        { "Bridge", "a", NULL, NULL },
        { "Zone", "a", NULL, NULL },
        { "Port", "80", NULL, NULL },
};

static size_t sample_of(const struct settings_key *key) {
        for (size_t i = 0; i < ELEMENTSOF(samples); i++)
                if (text_equal(samples[i].name, key->name))
                        return i;
        fail_msg("there is no sample of %s", key->name);
        return 0;
}

static const struct option_row *row_of(const struct settings_key *key) {
        return key->option ? option_find(key->option, NULL) : NULL;
}

static bool is_supported(const struct settings_key *key) {
        return !key->option || row_of(key);
}

static struct taken take_key(const struct settings_key *key, const char *value, bool trusted) {
        char text[256];

        snprintf(text, sizeof text, "[%s]\n%s=%s\n", key->section, key->name, value);
        return TAKE(trusted, text);
}

static void same_list(const struct strv *a, const struct strv *b) {
        assert_int_equal(a->count, b->count);
        for (size_t i = 0; i < a->count; i++)
                assert_string_equal(a->items[i], b->items[i]);
}

static void same_mounts(const struct mount_list *a, const struct mount_list *b) {
        assert_int_equal(a->count, b->count);
        for (size_t i = 0; i < a->count; i++) {
                assert_int_equal(a->ops[i].kind, b->ops[i].kind);
                assert_string_equal(a->ops[i].target, b->ops[i].target);
                assert_true(text_equal(a->ops[i].source, b->ops[i].source));
                assert_true(text_equal(a->ops[i].options, b->ops[i].options));
                assert_true(a->ops[i].attributes == b->ops[i].attributes);
                assert_int_equal(a->ops[i].recursive, b->ops[i].recursive);
                assert_int_equal(a->ops[i].source_in_root, b->ops[i].source_in_root);
        }
}

static void same_spec(const struct spec *a, const struct spec *b) {
        assert_int_equal(a->start, b->start);
        assert_int_equal(a->as_pid2, b->as_pid2);
        same_list(&a->words, &b->words);
        same_list(&a->environment, &b->environment);
        assert_true(text_equal(a->chdir, b->chdir));
        assert_true(text_equal(a->user, b->user));
        assert_true(text_equal(a->hostname, b->hostname));
        assert_int_equal(a->kill_signal, b->kill_signal);
        assert_int_equal(a->notify_ready, b->notify_ready);
        assert_memory_equal(&a->uuid, &b->uuid, sizeof a->uuid);
        assert_int_equal(a->private_network, b->private_network);
        assert_true(a->capabilities_added == b->capabilities_added);
        assert_true(a->capabilities_dropped == b->capabilities_dropped);
        assert_true(a->capabilities_ambient == b->capabilities_ambient);
        assert_int_equal(a->no_new_privileges, b->no_new_privileges);
        same_list(&a->filter_allow, &b->filter_allow);
        same_list(&a->filter_deny, &b->filter_deny);
        assert_memory_equal(a->limits, b->limits, sizeof a->limits);
        assert_memory_equal(a->limit_set, b->limit_set, sizeof a->limit_set);
        assert_int_equal(a->oom_score_adjust, b->oom_score_adjust);
        assert_memory_equal(&a->cpu_affinity, &b->cpu_affinity, sizeof a->cpu_affinity);
        assert_int_equal(a->personality, b->personality);
        assert_int_equal(a->resolv_conf, b->resolv_conf);
        assert_int_equal(a->timezone, b->timezone);
        assert_int_equal(a->link_journal, b->link_journal);
        assert_int_equal(a->read_only, b->read_only);
        same_mounts(&a->mounts, &b->mounts);
}

static struct spec by_option(const struct settings_key *key, const char *value) {
        const struct option_row *row = row_of(key);
        char *words[] = { W("spawn"), W("-D/r"), NULL, NULL, NULL }, option[256];

        if (!row) { /* the words themselves */
                words[2] = W("/bin/x");
                words[3] = W("y");
                return parse_words(words, NULL);
        }
        snprintf(option, sizeof option, "--%s%s%s%s%s", row->name, row->argument == ARGUMENT_NONE ? "" : "=",
                 key->shape == SHAPE_LIMIT ? key->name + strlen("Limit") : "", key->shape == SHAPE_LIMIT ? "=" : "",
                 row->argument == ARGUMENT_NONE ? "" : value);
        words[2] = option;
        return parse_words(words, NULL);
}

static void the_table_is_right(void **state) {
        (void) state;
        assert_int_equal(ELEMENTSOF(samples), settings_count);
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                (void) sample_of(key);
                /* systemd-nspawn's or ours, whether this version has it or not. */
                if (key->option)
                        assert_string_equal(option_complete(key->option, NULL), key->option);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(settings_table[k].name, key->name);
                /* Keys of one setting are masked together. */
                for (size_t k = 0; k < i && row_of(key); k++)
                        if (row_of(&settings_table[k]) && row_of(&settings_table[k])->setting == row_of(key)->setting)
                                assert_int_equal(settings_table[k].group, key->group);
        }
}

static void each_key_is_its_option(void **state) {
        (void) state;
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                const char *good = samples[sample_of(key)].good;
                if (!is_supported(key))
                        continue;
                struct taken t = take_well(take_key(key, good, true));
                struct spec option = by_option(key, good);
                const enum setting setting = row_of(key) ? row_of(key)->setting : SETTING_WORDS;
                print_message("%s\n", key->name);
                same_spec(&t.spec, &option);
                assert_string_equal(t.spec.origin[setting], FILE_NAME ":2");
                for (size_t k = 0; k < t.spec.mounts.count; k++)
                        assert_string_equal(t.spec.mounts.ops[k].origin, FILE_NAME ":2");
                spec_free(&option);
                done(&t);
                /* An empty one is none. */
                t = take_well(take_key(key, "", true));
                assert_null(t.spec.origin[setting]);
                done(&t);
        }
}

static void each_bad_value_is_refused(void **state) {
        char begins[128];

        (void) state;
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                const char *bad = samples[sample_of(key)].bad;
                if (!is_supported(key) || !bad)
                        continue;
                struct taken t = take_key(key, bad, true);
                snprintf(begins, sizeof begins, FILE_NAME ":2: %s=%s: ", key->name, bad);
                if (t.r >= 0 || !text_starts_with(t.error.text, begins) || strstr(t.error.text, ": --") ||
                    strlen(t.error.text) < strlen(begins) + 5)
                        fail_msg("%s: %d \"%s\"", begins, t.r, t.error.text);
                done(&t);
        }
}

static void what_is_lacking_is_refused(void **state) {
        char says[128], option[64];

        (void) state;
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                const size_t s = sample_of(key);
                if (is_supported(key))
                        continue;
                struct taken t = take_key(key, samples[s].good, true);
                snprintf(says, sizeof says, FILE_NAME ":2: %s= is not supported by this version of spawn", key->name);
                assert_int_equal(t.r, -EOPNOTSUPP);
                assert_string_equal(t.error.text, says);
                done(&t);
                t = take_well(take_key(key, "", true));
                done(&t);
                if (!samples[s].harmless)
                        continue;
                t = take_well(take_key(key, samples[s].harmless, true));
                done(&t);
                if (key->shape == SHAPE_FLAG)
                        continue;
                /* The command line masks it with what asks for nothing. */
                snprintf(option, sizeof option, "--%s=%s", key->option, samples[s].harmless);
                snprintf(says, sizeof says, "[%s]\n%s=%s\n", key->section, key->name, samples[s].good);
                t = TAKE_WELL(true, says, option);
                done(&t);
        }
}

static void privileged_keys_need_trust(void **state) {
        char says[128];

        (void) state;
        for (size_t i = 0; i < settings_count; i++) {
                const struct settings_key *key = &settings_table[i];
                const size_t s = sample_of(key);
                const char *values[] = { samples[s].good, samples[s].bad };
                struct spec nothing = parse_words((char *[]){ W("spawn"), W("-D/r"), NULL }, NULL);
                for (size_t k = 0; key->privileged && k < ELEMENTSOF(values); k++) {
                        if (!values[k])
                                continue;
                        struct taken t = take_key(key, values[k], false);
                        snprintf(says, sizeof says,
                                 "spawn: " FILE_NAME ":2: %s= is ignored, since this file is not trusted\n",
                                 key->name);
                        assert_int_equal(t.r, 0);
                        assert_string_equal(t.warnings, says);
                        same_spec(&t.spec, &nothing);
                        done(&t);
                }
                if (!key->privileged && is_supported(key)) {
                        struct taken t = take_well(take_key(key, samples[s].good, false));
                        done(&t);
                }
                spec_free(&nothing);
        }
}

static void a_filter_that_only_denies_needs_no_trust(void **state) {
        (void) state;
        struct taken t = TAKE_WELL(false, "[Exec]\nSystemCallFilter=~ptrace @mount\n");
        assert_int_equal(t.spec.filter_deny.count, 2);
        done(&t);
        t = TAKE(false, "[Exec]\nSystemCallFilter=~ptrace\nSystemCallFilter=bpf\n");
        assert_int_equal(t.r, 0);
        assert_non_null(strstr(t.warnings, ":3: SystemCallFilter= is ignored"));
        assert_int_equal(t.spec.filter_allow.count, 0);
        assert_int_equal(t.spec.filter_deny.count, 1);
        done(&t);
}

/* What the command line says, what of the file it keeps out, and what it does not. */
static void one_option_masks_its_group(void **state) {
        static const struct {
                const char *option, *masked;
        } cases[] = {
                { "-b", "[Exec]\nProcessTwo=yes\nBoot=no\nParameters=a b\n" },
                { "-a", "[Exec]\nBoot=yes\nParameters=a b\n" },
                { "word", "[Exec]\nBoot=yes\nParameters=a b\n" },
                { "-EA=b", "[Exec]\nEnvironment=B=c\n" },
                { "-uroot", "[Exec]\nUser=nobody\n" },
                { "--chdir=/a", "[Exec]\nWorkingDirectory=/b\n" },
                { "--capability=CHOWN", "[Exec]\nCapability=all\nDropCapability=all\nAmbientCapability=CAP_KILL\n" },
                { "--drop-capability=CHOWN", "[Exec]\nCapability=all\nDropCapability=all\n" },
                { "--ambient-capability=CHOWN", "[Exec]\nCapability=all\nDropCapability=all\n" },
                { "--kill-signal=SIGTERM", "[Exec]\nKillSignal=SIGINT\n" },
                { "--personality=x86", "[Exec]\nPersonality=x86-64\n" },
                { "--uuid=0123456789abcdef0123456789abcdef", "[Exec]\nMachineID=ffffffffffffffffffffffffffffffff\n" },
                { "--notify-ready=no", "[Exec]\nNotifyReady=yes\n" },
                { "--system-call-filter=bpf", "[Exec]\nSystemCallFilter=~bpf\n" },
                { "--rlimit=NOFILE=5", "[Exec]\nLimitNOFILE=6\n" },
                { "--oom-score-adjust=1", "[Exec]\nOOMScoreAdjust=2\n" },
                { "--cpu-affinity=0", "[Exec]\nCPUAffinity=1\n" },
                { "--hostname=a", "[Exec]\nHostname=b\n" },
                { "--hostname=", "[Exec]\nHostname=b\n" },
                { "--no-new-privileges=no", "[Exec]\nNoNewPrivileges=yes\n" },
                { "--resolv-conf=off", "[Exec]\nResolvConf=delete\n" },
                { "--timezone=off", "[Exec]\nTimezone=delete\n" },
                { "--link-journal=no", "[Exec]\nLinkJournal=host\n" },
                { "-j", "[Exec]\nLinkJournal=host\n" },
                { "--read-only", "[Files]\nReadOnly=no\n" },
                { "--bind=/a",
                  "[Files]\nBind=/b\nBindReadOnly=/c\nTemporaryFileSystem=/d\nInaccessible=/e\nOverlay=/a:/b\n" },
                { "--tmpfs=/a", "[Files]\nBind=/b\nOverlayReadOnly=/a:/b\n" },
                { "--inaccessible=/a", "[Files]\nBind=/b\n" },
                { "-f/dev/null", "[Files]\nBind=/b\n" },
                { "--private-network",
                  "[Network]\nPrivate=no\nVirtualEthernet=yes\nZone=z\nBridge=b\nNamespacePath=/x\n" },
                { "--private-users=no", "[Exec]\nPrivateUsers=pick\n[Files]\nPrivateUsersOwnership=map\n" },
                { "--private-users-ownership=off", "[Exec]\nPrivateUsers=pick\n" },
                { "--volatile=no", "[Files]\nVolatile=yes\n" },
                { "--suppress-sync=no", "[Exec]\nSuppressSync=yes\n" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *words[] = { W("spawn"), W("-D/r"), W(cases[i].option), NULL };
                struct spec alone = parse_words(words, NULL);
                struct taken t = take_well(take_bytes(words, NULL, true, cases[i].masked, strlen(cases[i].masked)));
                print_message("%s\n", cases[i].option);
                same_spec(&t.spec, &alone);
                for (int s = 0; s < SETTING_COUNT; s++)
                        assert_true(text_equal(t.spec.origin[s], alone.origin[s]));
                done(&t);
                /* All else is taken, also where the masked lines are in the file. */
                _cleanup_free_ char *more = text_format("%s[Exec]\nLimitCORE=7\n[Network]\nPort=\n", cases[i].masked);
                t = take_well(take_bytes(words, NULL, true, more, strlen(more)));
                assert_true(t.spec.limit_set[RLIMIT_CORE]);
                assert_string_not_equal(t.spec.limit_origin[RLIMIT_CORE], "");
                done(&t);
                spec_free(&alone);
        }
        /* Ports are a group of their own. */
        struct taken t = TAKE(true, "[Network]\nPort=80\n", W("--private-network"));
        assert_int_equal(t.r, -EOPNOTSUPP);
        done(&t);
        /* What is masked is looked at all the same. */
        t = TAKE(true, "[Exec]\nUser=-1\n", W("-uroot"));
        assert_int_equal(t.r, -EINVAL);
        done(&t);
        /* So does a variable. */
        t = take_well(take_bytes((char *[]){ W("spawn"), W("-D/r"), NULL }, "SYSTEMD_SUPPRESS_SYNC=no", true,
                                 "[Exec]\nSuppressSync=yes\n", strlen("[Exec]\nSuppressSync=yes\n")));
        done(&t);
}

static void each_limit_is_a_group(void **state) {
        (void) state;
        struct taken t = TAKE_WELL(true, "[Exec]\nLimitNOFILE=7\nLimitCORE=8\n", W("--rlimit=NOFILE=5"));
        assert_int_equal(t.spec.limits[RLIMIT_NOFILE].rlim_cur, 5);
        assert_null(t.spec.limit_origin[RLIMIT_NOFILE]);
        assert_int_equal(t.spec.limits[RLIMIT_CORE].rlim_cur, 8);
        assert_string_equal(t.spec.limit_origin[RLIMIT_CORE], FILE_NAME ":3");
        assert_string_equal(t.spec.origin[SETTING_RLIMIT], "--rlimit");
        done(&t);
        t = TAKE_WELL(true, "[Exec]\nLimitNOFILE=7\n", W("--rlimit=NOFILE=5"), W("--settings=override"));
        assert_int_equal(t.spec.limits[RLIMIT_NOFILE].rlim_cur, 7);
        done(&t);
}

static void override_lets_the_file_win(void **state) {
        static const char text[] = "[Exec]\nEnvironment=A=1\nUser=nobody\nBoot=no\nHostname=h\n"
                                   "[Files]\nBind=/f\nReadOnly=no\n[Network]\nPrivate=no\n";

        (void) state;
        struct taken t = TAKE_WELL(true, text, W("--settings=override"), W("-b"), W("-EB=2"), W("-uroot"),
                                   W("--bind=/c"), W("-f/dev/null"), W("--read-only"), W("--private-network"),
                                   W("--chdir=/kept"), W("--hostname=c"), W("init-word"));
        assert_int_equal(t.spec.environment.count, 1);
        assert_string_equal(t.spec.environment.items[0], "A=1");
        assert_string_equal(strv_getenv(&t.spec.environment_origin, "A"), FILE_NAME ":2");
        assert_string_equal(t.spec.user, "nobody");
        assert_int_equal(t.spec.start, START_SHELL);
        assert_int_equal(t.spec.words.count, 0);
        assert_string_equal(t.spec.hostname, "h");
        assert_int_equal(t.spec.mounts.count, 1);
        assert_string_equal(t.spec.mounts.ops[0].source, "/f");
        assert_null(t.spec.origin[SETTING_FSTAB]);
        assert_false(t.spec.read_only);
        assert_string_equal(t.spec.origin[SETTING_READ_ONLY], FILE_NAME ":8");
        assert_false(t.spec.private_network);
        assert_string_equal(t.spec.chdir, "/kept");
        assert_string_equal(t.spec.origin[SETTING_CHDIR], "--chdir");
        done(&t);
        /* The file's trust is that of its place all the same. */
        t = TAKE(false, "[Files]\nBind=/f\n", W("--settings=override"), W("--bind=/c"));
        assert_int_equal(t.r, 0);
        assert_string_equal(t.spec.mounts.ops[0].source, "/c");
        done(&t);
        /* Words without Boot= are the arguments of what the command line boots. */
        t = TAKE_WELL(true, "[Exec]\nParameters=rescue\n", W("--settings=override"), W("-b"), W("old"));
        assert_int_equal(t.spec.start, START_BOOT);
        assert_int_equal(t.spec.words.count, 1);
        assert_string_equal(t.spec.words.items[0], "rescue");
        done(&t);
}

static void capabilities_add_up(void **state) {
        const uint64_t chown = UINT64_C(1) << CAP_CHOWN, killing = UINT64_C(1) << CAP_KILL;
        const uint64_t net = UINT64_C(1) << CAP_NET_ADMIN;

        (void) state;
        struct taken t =
                TAKE_WELL(true, "[Exec]\nCapability=CAP_CHOWN\nCapability=CAP_IPC_LOCK CAP_CHOWN\n",
                          W("--settings=override"), W("--capability=NET_ADMIN"), W("--drop-capability=CHOWN,KILL"));
        assert_true(t.spec.capabilities_added == (chown | net | UINT64_C(1) << CAP_IPC_LOCK));
        assert_true(t.spec.capabilities_dropped == killing);
        assert_string_equal(t.spec.capability_origin[CAP_CHOWN], FILE_NAME ":2");
        assert_string_equal(t.spec.capability_origin[CAP_IPC_LOCK], FILE_NAME ":3");
        assert_null(t.spec.capability_origin[CAP_NET_ADMIN]);
        done(&t);
        t = TAKE_WELL(true, "[Network]\nPrivate=no\n", W("--settings=override"), W("--capability=NET_ADMIN"));
        assert_true(t.spec.capabilities_added == 0);
        done(&t);
        t = TAKE_WELL(true, "[Network]\nPrivate=no\n", W("--capability=NET_ADMIN"));
        assert_true(t.spec.capabilities_added == net);
        done(&t);
        t = TAKE_WELL(true, "[Exec]\nDropCapability=CAP_KILL\nDropCapability=CAP_CHOWN\n");
        assert_true(t.spec.capabilities_dropped == (chown | killing));
        done(&t);
}

static void boot_and_process_two_conflict(void **state) {
        static const struct {
                const char *text;
                enum start_mode start;
                bool as_pid2, conflict;
        } cases[] = {
                { "Boot=yes\nProcessTwo=no\n", START_BOOT, false, false },
                { "Boot=no\nProcessTwo=yes\n", START_SHELL, true, false },
                { "Boot=yes\nProcessTwo=yes\n", START_BOOT, false, true },
                { "ProcessTwo=yes\nBoot=yes\n", START_SHELL, true, true },
                { "Boot=yes\nBoot=no\n", START_BOOT, false, true },
                { "ProcessTwo=yes\nProcessTwo=no\n", START_SHELL, true, true },
                { "Boot=yes\nBoot=\nProcessTwo=yes\n", START_SHELL, true, false },
                { "ProcessTwo=yes\nParameters=x\n", START_COMMAND, true, false },
                { "Boot=no\n", START_SHELL, false, false },
                { "Parameters=x\n", START_COMMAND, false, false },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = text_format("[Exec]\n%s", cases[i].text);
                struct taken t = TAKE(true, text);
                if (t.r != 0 || t.spec.start != cases[i].start || t.spec.as_pid2 != cases[i].as_pid2 ||
                    cases[i].conflict != (strstr(t.warnings, ":3: ") && strstr(t.warnings, "conflicts")))
                        fail_msg("%s: %d \"%s\" %d %d \"%s\"", cases[i].text, t.r, t.error.text, t.spec.start,
                                 t.spec.as_pid2, t.warnings);
                done(&t);
        }
}

static void the_syntax_of_units(void **state) {
        static const char text[] = "\xef\xbb\xbf# first\r\n"
                                   "\n"
                                   "  [Exec]  \r\n"
                                   "; another comment\n"
                                   " \tUser \t = \t nobody \t\r\n"
                                   "Parameters=a \\\n"
                                   "# between\n"
                                   "   ; and so on\n"
                                   "   b \\\r\n"
                                   "   \"c d\" 'e \"f' g\"h i\"j\n"
                                   "Parameters=\"\" back\\slash \\\\\n"
                                   "Hostname=x=y\n"
                                   "Hostname=\n"
                                   "X-Other=1\n"
                                   "[X-Vendor]\n"
                                   "anything at all\n"
                                   "[Files]\n"
                                   "ReadOnly=yes";
        static const char *const words[] = { "a", "b", "c d", "e \"f", "gh ij", "", "back\\slash", "\\\\" };

        (void) state;
        struct taken t = TAKE_WELL(true, text);
        assert_string_equal(t.spec.user, "nobody");
        assert_string_equal(t.spec.origin[SETTING_USER], FILE_NAME ":5");
        assert_int_equal(t.spec.words.count, ELEMENTSOF(words));
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_string_equal(t.spec.words.items[i], words[i]);
        assert_string_equal(t.spec.origin[SETTING_WORDS], FILE_NAME ":11");
        assert_null(t.spec.hostname);
        assert_true(t.spec.read_only);
        assert_string_equal(t.spec.origin[SETTING_READ_ONLY], FILE_NAME ":18");
        done(&t);
}

static void empty_assignments_take_back(void **state) {
        (void) state;
        struct taken t =
                TAKE_WELL(true, "[Exec]\nEnvironment=A=1\nCapability=all\nUser=nobody\nEnvironment=\n"
                                "Capability=\nUser=\nEnvironment=B=2\n[Files]\nBind=/a\nTemporaryFileSystem=/t\n"
                                "Bind=\nBind=/b\nOverlay=/x:/y\nOverlay=\n");
        assert_int_equal(t.spec.environment.count, 1);
        assert_string_equal(t.spec.environment.items[0], "B=2");
        assert_true(t.spec.capabilities_added == 0);
        assert_null(t.spec.origin[SETTING_CAPABILITY]);
        assert_null(t.spec.user);
        assert_int_equal(t.spec.mounts.count, 2); /* a key takes back its own lines */
        assert_string_equal(t.spec.mounts.ops[0].target, "/t");
        assert_string_equal(t.spec.mounts.ops[1].origin, FILE_NAME ":13");
        done(&t);
}

static void the_last_value_counts_and_lists_grow(void **state) {
        (void) state;
        struct taken t = TAKE_WELL(true, "[Exec]\nUser=a\nUser=b\nCPUAffinity=0\nCPUAffinity=2\n"
                                         "Environment=A=1 A=2\nEnvironment=\"B=x y\"\nSystemCallFilter=a b\n"
                                         "SystemCallFilter=c\n[Files]\nReadOnly=yes\nReadOnly=no\n");
        assert_string_equal(t.spec.user, "b");
        assert_int_equal(CPU_COUNT(&t.spec.cpu_affinity), 2);
        assert_string_equal(strv_getenv(&t.spec.environment, "A"), "2");
        assert_string_equal(strv_getenv(&t.spec.environment, "B"), "x y");
        assert_string_equal(strv_getenv(&t.spec.environment_origin, "B"), FILE_NAME ":7");
        assert_int_equal(t.spec.filter_allow.count, 3);
        assert_false(t.spec.read_only);
        done(&t);
}

/* The caller's environment is not the image's to read. */
static void variables_have_values(void **state) {
        static const char text[] = "[Exec]\nEnvironment=SECRET\n";

        (void) state;
        struct taken t = take_bytes((char *[]){ W("spawn"), W("-D/r"), NULL }, "SECRET=s", true, text, strlen(text));
        assert_int_equal(t.r, -EINVAL);
        assert_string_equal(t.error.text, FILE_NAME ":2: Environment=SECRET: not NAME=VALUE");
        done(&t);
}

static void what_is_no_settings_file(void **state) {
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "[Exec\nUser=x\n", ":1: a section's line" },
                { "[\n", ":1: a section's line" },
                { "\n[Exec] # no comment\n", ":2: a section's line" },
                { "[Exec]\nsecret words\n", ":2: this is neither" },
                { "[Exec]\n=x\n", ":2: this is neither" },
                { "[Exec]\nParameters='x\n", ":2: Parameters='x: a quote is not closed" },
                { "[Exec]\nParameters=\"x\nUser=root\n", ":2: Parameters=\"x: a quote is not closed" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct taken t = TAKE(true, cases[i].text);
                if (t.r != -EINVAL || !strstr(t.error.text, cases[i].says) || strstr(t.error.text, "secret"))
                        fail_msg("%s: %d \"%s\"", cases[i].text, t.r, t.error.text);
                assert_null(t.spec.origin[SETTING_USER]); /* nothing is taken by halves */
                done(&t);
        }
        struct taken t =
                take_bytes((char *[]){ W("spawn"), W("-D/r"), NULL }, NULL, true, "[Exec]\n\nUser=a\0b\n", 18);
        assert_int_equal(t.r, -EINVAL);
        assert_non_null(strstr(t.error.text, FILE_NAME ":3: there is a NUL byte"));
        done(&t);
}

static void what_is_nothing(void **state) {
        static const char *const texts[] = { "",       "\n",           "\r\n",    "\\",           "\\\n",      "#",
                                             "[Exec]", "# \\\n[Exec]", "[]\\\n]", "\xef\xbb\xbf", " \\\n \\\n" };
        struct spec nothing = parse_words((char *[]){ W("spawn"), W("-D/r"), NULL }, NULL);

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                struct taken t = TAKE(true, texts[i]);
                if (t.r != 0)
                        fail_msg("%s: \"%s\"", texts[i], t.error.text);
                same_spec(&t.spec, &nothing);
                done(&t);
        }
        spec_free(&nothing);
}

static size_t count_lines(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

static void unknown_things_are_a_few_warnings(void **state) {
        (void) state;
        struct taken t = TAKE(true, "User=x\n[Exec]\nNo\x1b=1\nuser=x\n[exec]\nUser=x\nno words\n[Files]\nUser=x\n");
        assert_int_equal(t.r, 0);
        assert_int_equal(count_lines(t.warnings), 5);
        assert_non_null(strstr(t.warnings, FILE_NAME ":1: what comes before the first section is ignored\n"));
        assert_non_null(
                strstr(t.warnings, FILE_NAME ":3: there is no key No\\x1b= in section [Exec], and it is ignored\n"));
        assert_non_null(strstr(t.warnings, FILE_NAME ":5: there is no section [exec]"));
        assert_non_null(strstr(t.warnings, FILE_NAME ":9: there is no key User= in section [Files]"));
        assert_null(t.spec.user);
        done(&t);

        char *many = malloc(10000 * 16 + 64), *p = stpcpy(many, "[Exec]\n");
        for (int i = 0; i < 10000; i++)
                p += sprintf(p, "Nope%d=%d\n", i, i);
        strcpy(p, "User=nobody\n");
        t = TAKE(true, many);
        assert_int_equal(t.r, 0);
        assert_string_equal(t.spec.user, "nobody");
        assert_int_equal(count_lines(t.warnings), 11);
        assert_non_null(strstr(t.warnings, FILE_NAME ": 9990 more lines are ignored\n"));
        free(many);
        done(&t);
}

static void too_many_words(void **state) {
        char *text = malloc(8192 * 8 + 64), *p = stpcpy(text, "[Exec]\nUser=u\nEnvironment=");

        (void) state;
        for (int i = 0; i < 8191; i++)
                p += sprintf(p, "A%d= ", i);
        struct taken t = TAKE_WELL(false, text);
        assert_int_equal(t.spec.environment.count, 8191);
        done(&t);
        strcpy(p, "B=");
        t = TAKE(false, text);
        assert_int_equal(t.r, -E2BIG);
        assert_non_null(strstr(t.error.text, FILE_NAME ":3: there are more than 8192 words in this file"));
        assert_null(t.spec.user);
        done(&t);
        free(text);
}

static void long_lines(void **state) {
        enum { LENGTH = 100000 };
        static const char begin[] = "[Exec]\nEnvironment=A=";
        char *text = malloc(sizeof begin + LENGTH);

        (void) state;
        memset(text, 'x', sizeof begin + LENGTH);
        memcpy(text, begin, strlen(begin));
        text[strlen(begin) + LENGTH] = 0;
        struct taken t = TAKE_WELL(true, text);
        assert_int_equal(strlen(t.spec.environment.items[0]), LENGTH + 2);
        done(&t);
        /* In a message they are cut, and the reason is there. */
        memcpy(text, "[Exec]\nUser=--------", strlen("[Exec]\nUser=--------"));
        t = TAKE(true, text);
        assert_int_equal(t.r, -EINVAL);
        assert_true(strlen(t.error.text) < 250);
        assert_non_null(strstr(t.error.text, "...: not a value that this key takes"));
        done(&t);
        memset(text, 'y', LENGTH);
        t = TAKE(true, text);
        assert_int_equal(t.r, 0);
        done(&t);
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_table_is_right),
                cmocka_unit_test(each_key_is_its_option),
                cmocka_unit_test(each_bad_value_is_refused),
                cmocka_unit_test(what_is_lacking_is_refused),
                cmocka_unit_test(privileged_keys_need_trust),
                cmocka_unit_test(a_filter_that_only_denies_needs_no_trust),
                cmocka_unit_test(one_option_masks_its_group),
                cmocka_unit_test(each_limit_is_a_group),
                cmocka_unit_test(override_lets_the_file_win),
                cmocka_unit_test(capabilities_add_up),
                cmocka_unit_test(boot_and_process_two_conflict),
                cmocka_unit_test(the_syntax_of_units),
                cmocka_unit_test(empty_assignments_take_back),
                cmocka_unit_test(the_last_value_counts_and_lists_grow),
                cmocka_unit_test(variables_have_values),
                cmocka_unit_test(what_is_no_settings_file),
                cmocka_unit_test(what_is_nothing),
                cmocka_unit_test(unknown_things_are_a_few_warnings),
                cmocka_unit_test(too_many_words),
                cmocka_unit_test(long_lines),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
