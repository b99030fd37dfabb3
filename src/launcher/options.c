/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "launcher/setters.h"

/* clang-format off */
const struct option_row option_table[] = {
        { "General", 'h', "help", ARGUMENT_NONE, NULL, SETTING_COUNT, set_help,
          "show this help",
          "Prints the options and exits with status 0.", NULL },
        { NULL, 0, "version", ARGUMENT_NONE, NULL, SETTING_COUNT, set_version,
          "show the version",
          "The first line begins with *systemd* and a number, since callers look for the systemd-nspawn whose behaviour they can count on; the version of spawn itself follows in parentheses.", NULL },
        { NULL, 'q', "quiet", ARGUMENT_NONE, NULL, SETTING_QUIET, set_quiet,
          "print only errors and warnings",
          "Leaves out what spawn says of its own progress. Implied in pipe mode.", NULL },
        { NULL, 0, "no-pager", ARGUMENT_NONE, NULL, SETTING_COUNT, set_no_pager,
          "accepted: spawn never starts a pager",
          "A pager run by root could be asked for a shell, so there is none.", NULL },
        { NULL, 0, "explain", ARGUMENT_OPTIONAL, "FORMAT", SETTING_EXPLAIN, set_explain,
          "show what would be done, and where it comes from (text, json)",
          "Prints the plan and exits: each namespace, mount, device, mask, capability, filter, limit and variable with its origin, and all that would be written into the root. Nothing is changed, and root is not needed where the root directory can be read.", "text json" },
        { NULL, 0, "settings", ARGUMENT_REQUIRED, "MODE", SETTING_SETTINGS, set_settings,
          "read NAME.nspawn (yes, no, override, trusted)",
          "With *yes*, the default, the first of _/etc/systemd/nspawn/NAME.nspawn_, _/run/systemd/nspawn/NAME.nspawn_ and the file of that name beside the root is read, where the command line has said nothing. With *override* the file wins over the command line; with *trusted* the one beside the root may ask for all that the others may. See _Settings files_.", "yes no override trusted" },
        { NULL, 0, "cleanup", ARGUMENT_NONE, NULL, SETTING_CLEANUP, set_cleanup,
          "remove what a crashed run of this machine has left, and exit",
          "After a crash spawn cleans up by itself; what can stay is what belongs to a run all of whose processes were killed at once: the directory for *machinectl bind*, the session in _/run/spawn_, the lock, the control group. A machine that runs is refused. Meant for _ExecStopPost=_ of units. Nothing in the root is touched.", NULL },

        { "Root", 'D', "directory", ARGUMENT_REQUIRED, "PATH", SETTING_DIRECTORY, set_directory,
          "root directory of the container",
          "The directory that becomes */* of the container. A symbolic link on the host is followed. Without it, *--machine=NAME* starts the directory or the disk image (_NAME.raw_) of that name in _/etc/machines_, _/run/machines_, _/var/lib/machines_, _/var/lib/container_, _/usr/local/lib/machines_ or _/usr/lib/machines_; without either it is the working directory.", "dir" },
        { NULL, 'i', "image", ARGUMENT_REQUIRED, "PATH", SETTING_IMAGE, set_image,
          "disk image with the root of the container",
          "A file or a block device that holds a file system (ext2 to ext4, xfs, btrfs, squashfs, erofs), or a partition table: a GPT with a root partition of this architecture's type, or with one partition of the type Linux file system; an MBR with one bootable partition of type 83. Of several roots that with the highest name is taken. Partitions of a GPT for _/home_, _/srv_, _/var_, _/tmp_ and _/boot_ and the EFI system partition (_/efi_, else _/boot_) are mounted where the root has a directory for them, those for _/efi_ and _/boot_ only on an empty one. Where the image cannot be written the root is read-only; then, and with *--read-only*, journals are not replayed. Encrypted content, a separate _/usr_ and dm-verity are refused or not used; fsck is not run. The loop devices go away with the container.", "file" },
        { NULL, 0, "read-only", ARGUMENT_NONE, NULL, SETTING_READ_ONLY, set_read_only,
          "mount the root read-only",
          "With everything mounted below it on the host. Mounts that are asked for are not affected. Two containers may use one root if both do so read-only.", NULL },

        { "Execution", 'b', "boot", ARGUMENT_NONE, NULL, SETTING_START, set_boot,
          "boot the init of the root; words are its arguments",
          "Looks for */sbin/init*, */usr/lib/systemd/systemd*, */lib/systemd/systemd*, */etc/init*, */bin/init* and */init* and runs the first as PID 1.", NULL },
        { NULL, 'a', "as-pid2", ARGUMENT_NONE, NULL, SETTING_START, set_as_pid2,
          "run the command as PID 2 below a small init",
          "The PID 1 of spawn reaps orphans, passes SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 on, and ends with the command's status. For commands that do not expect to be PID 1, whose unhandled signals the kernel ignores.", NULL },
        { NULL, 0, "chdir", ARGUMENT_REQUIRED, "PATH", SETTING_CHDIR, set_chdir,
          "working directory inside the container",
          "Default: */* for a command, the user's home for a shell.", NULL },
        { NULL, 'E', "setenv", ARGUMENT_REQUIRED, "NAME[=VALUE]", SETTING_ENVIRONMENT, set_environment,
          "set a variable of the payload",
          "Without a value it takes that of spawn's own environment. Overrides every built-in variable. Nothing else of the caller's environment reaches the payload.", NULL },
        { NULL, 'u', "uid", ARGUMENT_REQUIRED, "USER", SETTING_USER, set_user,
          "run the payload as this user of the container",
          "A name from */etc/passwd* of the root, or a uid. Groups come from its */etc/group*. Digits are never looked up as a name.", NULL },
        { NULL, 0, "user", ARGUMENT_REQUIRED, "USER", SETTING_USER, set_user,
          "the same as --uid",
          "The older name of *--uid*.", NULL },
        { NULL, 0, "kill-signal", ARGUMENT_REQUIRED, "SIGNAL", SETTING_KILL_SIGNAL, set_kill_signal,
          "signal that asks PID 1 to end",
          "Default: by the init found, see _Signals and ending_. *help* lists the names.", NULL },
        { NULL, 0, "stop-timeout", ARGUMENT_REQUIRED, "TIME", SETTING_STOP_TIMEOUT, set_stop_timeout,
          "how long an orderly stop may take (90s; 0: for ever)",
          "After it the container is killed. A number of seconds, or with a unit: ms, s, min, h.", NULL },

        { NULL, 0, "notify-ready", ARGUMENT_REQUIRED, "BOOL", SETTING_NOTIFY_READY, set_notify_ready,
          "ready is when the payload says so",
          "With *no*, the default, spawn tells its own service manager (_$NOTIFY_SOCKET_) that it is ready when the payload has been started; with *yes* when PID 1 of the container has sent READY=1, as an init does at the end of its start.", "yes no" },

        { "Identity", 'M', "machine", ARGUMENT_REQUIRED, "NAME", SETTING_MACHINE, set_machine,
          "name of the machine",
          "Default: the last component of the root's path without what a host name cannot hold.", NULL },
        { NULL, 0, "hostname", ARGUMENT_REQUIRED, "NAME", SETTING_HOSTNAME, set_hostname,
          "host name inside (default: the machine's name)",
          "The kernel's host name inside the container; an init may set another.", NULL },
        { NULL, 0, "uuid", ARGUMENT_REQUIRED, "ID", SETTING_UUID, set_uuid,
          "machine id for a root that has none",
          "A valid */etc/machine-id* of the root wins. Otherwise this one, or a random one, is handed over as *container_uuid*.", NULL },

        { "Network", 0, "private-network", ARGUMENT_NONE, NULL, SETTING_PRIVATE_NETWORK, set_private_network,
          "a network of its own with only the loopback interface",
          "The payload holds CAP_NET_ADMIN over it.", NULL },

        { "Security", 0, "capability", ARGUMENT_REQUIRED, "CAP,...", SETTING_CAPABILITY, set_capability,
          "keep these capabilities too (all, help)",
          "Adds to the default set. May be given several times.", NULL },
        { NULL, 0, "drop-capability", ARGUMENT_REQUIRED, "CAP,...", SETTING_DROP_CAPABILITY, set_drop_capability,
          "drop these capabilities (all, help)",
          "Dropping wins over adding.", NULL },
        { NULL, 0, "ambient-capability", ARGUMENT_REQUIRED, "CAP,...", SETTING_AMBIENT_CAPABILITY, set_ambient_capability,
          "hand these on to a payload that is not root",
          "They become inheritable and ambient. Each must be kept by the container. Not with *--boot*.", NULL },
        { NULL, 0, "no-new-privileges", ARGUMENT_REQUIRED, "BOOL", SETTING_NO_NEW_PRIVILEGES, set_no_new_privileges,
          "no gain of privileges by executing a file",
          "Sets no_new_privs for the payload.", "yes no" },
        { NULL, 0, "system-call-filter", ARGUMENT_REQUIRED, "[~]LIST", SETTING_SYSTEM_CALL_FILTER, set_system_call_filter,
          "allow system calls or @groups; with ~ deny them",
          "Names and groups separated by spaces are added to what is allowed, or after *~* taken away; taking away wins. Denied calls fail with EPERM, unknown ones with ENOSYS.", NULL },

        { "Resources", 0, "rlimit", ARGUMENT_REQUIRED, "NAME=SOFT[:HARD]", SETTING_RLIMIT, set_rlimit,
          "set a resource limit (help lists the names)",
          "Limits that are not named are those the kernel gives a first process, not those of the caller. A hard limit that cannot be raised is set as high as possible.", NULL },
        { NULL, 0, "oom-score-adjust", ARGUMENT_REQUIRED, "N", SETTING_OOM_SCORE_ADJUST, set_oom_score_adjust,
          "OOM score adjustment of the payload (-1000 to 1000)",
          "Which process the kernel ends first when memory runs out.", NULL },
        { NULL, 0, "cpu-affinity", ARGUMENT_REQUIRED, "LIST", SETTING_CPU_AFFINITY, set_cpu_affinity,
          "CPUs that the payload may run on (0-3,7)",
          "Numbers and ranges, separated by commas.", NULL },
        { NULL, 0, "personality", ARGUMENT_REQUIRED, "ARCH", SETTING_PERSONALITY, set_personality,
          "architecture that uname shows (x86, x86-64)",
          "For 32-bit roots on a 64-bit machine.", NULL },

        { "Integration", 0, "resolv-conf", ARGUMENT_REQUIRED, "MODE", SETTING_RESOLV_CONF, set_resolv_conf,
          "how /etc/resolv.conf gets the host's name servers",
          "*off*; *auto*; *delete*; or *copy*, *replace* or *bind* followed by *-host*, *-static*, *-uplink* or *-stub*. *copy* writes the file in place and leaves a link alone, *replace* puts a new file there, *bind* shows the host's file over it. *auto* binds where the container uses the host's network and the root has the file, and writes nothing into the root.", "off auto delete copy-host copy-static copy-uplink copy-stub replace-host replace-static replace-uplink replace-stub bind-host bind-static bind-uplink bind-stub" },
        { NULL, 0, "timezone", ARGUMENT_REQUIRED, "MODE", SETTING_TIMEZONE, set_timezone,
          "how /etc/localtime gets the host's time zone",
          "*off*, *copy*, *bind*, *symlink*, *delete* or *auto*. *auto* binds where the root has another zone, and writes nothing into the root.", "off copy bind symlink delete auto" },

        { "Host", 0, "register", ARGUMENT_REQUIRED, "MODE", SETTING_REGISTER, set_register,
          "register the machine with systemd-machined (yes, no, auto)",
          "*auto*, the default, registers where there is a system bus and a machined on it, and says in a line where there is none. With *yes* that is an error. *no* never touches the bus: the container gets no scope either.", "yes no auto" },
        { NULL, 0, "keep-unit", ARGUMENT_NONE, NULL, SETTING_KEEP_UNIT, set_keep_unit,
          "stay in the unit that spawn was started in",
          "No scope is made. For service units: a reboot of the container ends spawn with status 133, so that the manager starts the unit again (*RestartForceExitStatus=133*). Where the unit's control group is delegated, spawn and the payload live in its groups _supervisor_ and _payload_.", NULL },
        { NULL, 'S', "slice", ARGUMENT_REQUIRED, "NAME", SETTING_SLICE, set_slice,
          "slice of the scope (machine.slice)",
          "A name without _.slice_ gets it. Ignored with *--keep-unit*.", NULL },
        { NULL, 0, "property", ARGUMENT_REQUIRED, "NAME=VALUE", SETTING_PROPERTY, set_property,
          "set a property of the scope",
          "As *systemctl set-property* takes them, such as *MemoryMax=2G* or *CPUQuota=50%*. May be given several times. Ignored with *--keep-unit*. *DeviceAllow=* and *DevicePolicy=* need no systemd.", NULL },

        { NULL, 0, "link-journal", ARGUMENT_REQUIRED, "MODE", SETTING_LINK_JOURNAL, set_link_journal,
          "one place for the journals of host and container",
          "With *host* the container's journal lies in _/var/log/journal/ID_ of the host and is shown inside; with *guest* it lies in the root, and the host has a link to it. *try-host* and *try-guest* do so if the host keeps a journal at all. *auto*, the default and also *yes*, shows the host's directory if it is there; *no* does nothing. ID is the container's machine id.", "no yes auto host try-host guest try-guest" },
        { NULL, 'j', "journal", ARGUMENT_NONE, NULL, SETTING_LINK_JOURNAL, set_journal,
          "the same as --link-journal=try-guest",
          "The short form is what systemd-nspawn has.", NULL },

        { "Mounts", 0, "bind", ARGUMENT_REQUIRED, "SOURCE[:TARGET[:OPTIONS]]", SETTING_MOUNTS, set_bind,
          "show a file or directory of the host inside",
          "A source that begins with *+* is a path inside the root; an empty one is an empty directory that lives as long as the container. Options: *rbind* (default: with the mounts below), *norbind*; *noidmap* (default), *idmap*: owners are those of the host, since there is no user namespace; *rootidmap*: the user and group that own the source show as root inside, and what root makes there belongs to them; *owneridmap*: they show as the owner of what is at the target. With the last two all other ids are unmapped: they show as 65534, and nothing can be made or given to them. The file system of the source, and with *rbind* those below it, must be able to do it, as ext4, xfs, btrfs and tmpfs (Linux 6.3) are and overlay is not. A colon in a path is written *\\\\:*. A missing target is made in the root.", "file" },
        { NULL, 0, "bind-ro", ARGUMENT_REQUIRED, "SOURCE[:TARGET[:OPTIONS]]", SETTING_MOUNTS, set_bind_ro,
          "the same, read-only",
          "With everything mounted below the source.", "file" },
        { NULL, 0, "tmpfs", ARGUMENT_REQUIRED, "PATH[:OPTIONS]", SETTING_MOUNTS, set_tmpfs,
          "mount an empty tmpfs inside",
          "Options as for mount(8); without any, *mode=0755*.", NULL },
        { NULL, 0, "inaccessible", ARGUMENT_REQUIRED, "PATH", SETTING_MOUNTS, set_inaccessible,
          "hide a path of the container",
          "Covers it with an empty node of the same type that nobody can open. The path must exist.", NULL },
        { NULL, 'f', "fstab", ARGUMENT_REQUIRED, "FILE", SETTING_FSTAB, set_fstab,
          "mount what a file in fstab(5)'s form lists",
          "Mount points are inside the container, sources on the host. All options that libmount knows; propagation is private. Needs libmount when the container starts.", "file" },

        { "Console", 0, "console", ARGUMENT_REQUIRED, "MODE", SETTING_CONSOLE, set_console,
          "interactive, read-only, passive, pipe or autopipe",
          "See _Console_.", "interactive read-only passive pipe autopipe" },
        { NULL, 'P', "pipe", ARGUMENT_NONE, NULL, SETTING_CONSOLE, set_pipe,
          "the same as --console=pipe",
          "The payload gets spawn's own standard streams.", NULL },
        { NULL, 0, "console-log", ARGUMENT_REQUIRED, "FILE[,OPTIONS]", SETTING_CONSOLE_LOG, set_console_log,
          "write what the payload shows on its console to a file",
          "Options: *text* (the default: plain lines, each with the time in UTC) or *raw* (the bytes as they are); *size=SIZE*, 16M unless given: a file that is full is renamed to FILE.1, that to FILE.2 and so on, up to *rotate=N*, 3 unless given. FILE is on the host, has mode 0600, and is appended to; it must be a regular file and no link. A comma in its name is written *\\,*. See _Logs and recordings_.", "file" },
        { NULL, 0, "console-filter", ARGUMENT_REQUIRED, "MODE", SETTING_CONSOLE_FILTER, set_console_filter,
          "keep control sequences that attack from the terminal (off, safe)",
          "With *safe*, what a hostile payload could use to reach the clipboard, to print, or to have the terminal type something is taken out of what is shown; see _Control sequences_. The default is *off*.", "off safe" },
        { NULL, 0, "record", ARGUMENT_REQUIRED, "FILE.cast", SETTING_RECORD, set_record,
          "record the console, to be played by asciinema",
          "In the form asciicast v2, with the times and the sizes of the terminal. FILE.cast is on the host, has mode 0600, and is overwritten; it must be a regular file and no link.", "file" },
        { NULL, 0, "record-input", ARGUMENT_REQUIRED, "BOOL", SETTING_RECORD_INPUT, set_record_input,
          "record what is typed too",
          "What is typed while the terminal's echo is off, as for a password, is never recorded. Programs that edit lines by themselves, such as most shells, switch the echo off too.", "yes no" },
        { NULL, 0, "detach", ARGUMENT_NONE, NULL, SETTING_DETACH, set_detach,
          "run in the background, return when the container runs",
          "The status is 0 as soon as the payload has been executed, or spawn's own where it could not be. *spawnctl attach* shows the console. See _Sessions_.", NULL },
        { NULL, 0, "wait", ARGUMENT_REQUIRED, "STATE", SETTING_WAIT, set_wait,
          "what --detach waits for: running or ready",
          "With *ready*, for the init inside to say so (READY=1 of sd_notify(3)).", "running ready" },
        { NULL, 0, "detachable", ARGUMENT_OPTIONAL, "BOOL", SETTING_DETACHABLE, set_detachable,
          "let the console be left with ^]^]d",
          "The supervisor is a process in the background from the start, and the terminal its first viewer. Needs a terminal. The default with *--boot* on a terminal, unless a service manager waits for spawn itself (*--keep-unit*, _$NOTIFY_SOCKET_); *no* keeps it to one process.", "yes no" },
        { NULL, 0, "on-hangup", ARGUMENT_REQUIRED, "ACTION", SETTING_ON_HANGUP, set_on_hangup,
          "what a terminal's hanging up does: kill or detach",
          "*kill*, the default in the foreground, asks the container to end. With *detach*, which implies *--detachable* where there is a terminal, it goes on and *spawnctl attach* comes back to it.", "kill detach" },
        { NULL, 0, "escape", ARGUMENT_REQUIRED, "KEY", SETTING_ESCAPE, set_escape,
          "the escape key (^]) or none",
          "The key that leaves the console or ends the container, in caret notation: *^]* is Ctrl-] (the default), *^a* Ctrl-A. With *none* all that is typed is the payload's. For a container within one, give the inner or the outer another key.", NULL },
        { NULL, 0, "scrollback", ARGUMENT_REQUIRED, "SIZE", SETTING_SCROLLBACK, set_scrollback,
          "how much output a new viewer is shown (256K)",
          "0 to 64M. Without the option it is 256K for a console that can be left, and 64K for any other.", NULL },
};
/* clang-format on */
const size_t option_count = ELEMENTSOF(option_table);

/* Options of systemd-nspawn that this version lacks. WORD: the argument is the next word if it is not joined by "=".
 * HARMLESS: values that ask for nothing else than what happens anyway. */
static const struct {
        const char *name;
        bool word;
        const char *harmless; /* separated by spaces; "*": any; NULL: none */
} foreign[] = {
        { "no-ask-password", false, "*" },
        { "template", true, NULL },
        { "ephemeral", false, NULL },
        { "image-policy", true, NULL },
        { "mstack", true, NULL },
        { "oci-bundle", true, NULL },
        { "volatile", false, "no" },
        { "root-hash", true, NULL },
        { "root-hash-sig", true, NULL },
        { "verity-data", true, NULL },
        { "pivot-root", true, NULL },
        { "suppress-sync", true, "no" },
        { "private-users", false, "no" },
        { "private-users-ownership", true, "off" },
        { "private-users-chown", false, NULL },
        { "private-users-delegate", true, "0" },
        { "network-interface", true, NULL },
        { "network-macvlan", true, NULL },
        { "network-ipvlan", true, NULL },
        { "network-veth", false, NULL },
        { "network-veth-extra", true, NULL },
        { "network-bridge", true, NULL },
        { "network-zone", true, NULL },
        { "network-namespace-path", true, NULL },
        { "port", true, NULL },
        { "restrict-address-families", true, NULL },
        { "selinux-context", true, NULL },
        { "selinux-apifs-context", true, NULL },
        { "forward-journal", true, NULL },
        { "bind-user", true, NULL },
        { "bind-user-shell", true, "no" },
        { "bind-user-group", true, NULL },
        { "overlay", true, NULL },
        { "overlay-ro", true, NULL },
        { "background", true, "*" },
        { "set-credential", true, NULL },
        { "load-credential", true, NULL },
        { "share-system", false, NULL },
};
static const struct {
        char letter;
        const char *name;
} foreign_letters[] = { { 'x', "ephemeral" }, { 'U', "private-users" },   { 'n', "network-veth" },
                        { 'p', "port" },      { 'Z', "selinux-context" }, { 'L', "selinux-apifs-context" } };

static int find_foreign(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                if (text_equal(name, foreign[i].name))
                        return (int) i;
        return -ENOENT;
}

bool option_foreign_takes_word(const char *name) {
        int i = find_foreign(name);

        return i >= 0 && foreign[i].word;
}

bool option_is_harmless(const char *name, const char *value) {
        int i = find_foreign(name);
        struct strv words = { 0 };
        bool result = false, truth;

        if (i < 0 || !foreign[i].harmless)
                return false;
        if (text_equal(foreign[i].harmless, "*"))
                return foreign[i].word == (value != NULL);
        if (!value || strv_split(&words, foreign[i].harmless, " ") < 0)
                return false;
        /* "no" stands for all words that mean it. */
        result = strv_contains(&words, value) ||
                 (strv_contains(&words, "no") && parse_boolean(value, &truth) == 0 && !truth);
        strv_free(&words);
        return result;
}

/* Complains of entry I of the table above, written as LETTER or (0) by its name. */
static void lacks(int i, char letter, struct error *error) {
        const char *harmless = foreign[i].harmless;
        char form[8] = "";

        if (text_equal(harmless, "*")) {
                error_set(error, EINVAL, "--%s %s argument", foreign[i].name,
                          foreign[i].word ? "needs an" : "takes no");
                return;
        }
        if (letter)
                snprintf(form, sizeof form, "-%c, ", letter);
        error_set(error, EOPNOTSUPP, "%s--%s is not supported by this version of spawn", form, foreign[i].name);
        if (error && harmless)
                error_hint(error, "only --%s=%.*s is", foreign[i].name, (int) strcspn(harmless, " "), harmless);
}

/* The name that NAME was perhaps meant to be; NULL if none is near. */
static const char *nearest(const char *name) {
        size_t best = strlen(name) / 3 + 2;
        const char *result = NULL;

        for (size_t i = 0; i < option_count; i++) {
                size_t d = text_distance(name, option_table[i].name);
                if (d < best) {
                        best = d;
                        result = option_table[i].name;
                }
        }
        return result;
}

/* Options that would make ambiguous what systemd-nspawn takes for short, such as --con=pipe: they count only where
 * nothing else is meant. */
static bool gives_way(const char *name) {
        static const char *const names[] = { "console-log", "console-filter", "record", "record-input" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(name, names[i]))
                        return true;
        return false;
}

/* Name number I of all that can be written: the table's, then those of systemd-nspawn. NULL after the last. */
static const char *any_name(size_t i) {
        if (i < option_count)
                return option_table[i].name;
        i -= option_count;
        return i < ELEMENTSOF(foreign) ? foreign[i].name : NULL;
}

/* Counts the names that begin with NAME, among those that give way or the others; an exact one is the only one. */
static size_t count_matches(const char *name, bool giving_way, char *list, size_t size, const char **ret_found) {
        const char *candidate;
        size_t matches = 0;

        *list = 0;
        for (size_t i = 0; (candidate = any_name(i)); i++) {
                bool equal = text_equal(candidate, name);
                if (!equal && (!*name || !text_starts_with(candidate, name) || gives_way(candidate) != giving_way))
                        continue;
                *ret_found = candidate;
                if (equal)
                        return 1;
                matches++;
                size_t n = strlen(list);
                snprintf(list + n, size - n, "%s--%s", n > 0 ? ", " : "", candidate);
        }
        return matches;
}

const char *option_complete(const char *name, struct error *error) {
        const char *found = NULL;
        char list[160];
        size_t matches = count_matches(name, false, list, sizeof list, &found);

        if (matches == 0)
                matches = count_matches(name, true, list, sizeof list, &found);
        if (matches == 1)
                return found;
        error_set(error, EINVAL, matches > 1 ? "option --%s is ambiguous" : "unknown option --%s", name);
        const char *guess = matches > 1 ? NULL : nearest(name);
        if (error && matches > 1)
                error_hint(error, "it could be %s", list);
        else if (error && guess)
                error_hint(error, "did you mean --%s?", guess);
        return NULL;
}

const struct option_row *option_find(const char *name, struct error *error) {
        int i = find_foreign(name);

        for (size_t k = 0; k < option_count; k++)
                if (text_equal(option_table[k].name, name))
                        return &option_table[k];
        if (i >= 0)
                lacks(i, 0, error);
        else
                error_set(error, EINVAL, "unknown option --%s", name);
        return NULL;
}

const struct option_row *option_find_letter(char letter, struct error *error) {
        for (size_t i = 0; i < option_count; i++)
                if (option_table[i].letter == letter)
                        return &option_table[i];
        for (size_t i = 0; i < ELEMENTSOF(foreign_letters); i++)
                if (foreign_letters[i].letter == letter) {
                        lacks(find_foreign(foreign_letters[i].name), letter, error);
                        return NULL;
                }
        error_set(error, EINVAL, "unknown option -%c", letter);
        if (error)
                error_hint(error, "--help lists the options");
        return NULL;
}
