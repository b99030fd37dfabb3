/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/fd.h"
#include "launcher/settings.h"

/* clang-format off */
#define LIMIT(resource) { "Exec", "Limit" resource, "rlimit", MASK_LIMIT, true, SHAPE_LIMIT }

const struct settings_key settings_table[] = {
        { "Exec", "Boot", "boot", MASK_START, false, SHAPE_FLAG },
        { "Exec", "ProcessTwo", "as-pid2", MASK_START, false, SHAPE_FLAG },
        { "Exec", "Parameters", NULL, MASK_START, false, SHAPE_WORDS },
        { "Exec", "Ephemeral", "ephemeral", MASK_EPHEMERAL, true, SHAPE_FLAG },
        { "Exec", "Environment", "setenv", MASK_ENVIRONMENT, false, SHAPE_ASSIGNMENTS },
        { "Exec", "User", "uid", MASK_USER, false, SHAPE_VALUE },
        { "Exec", "WorkingDirectory", "chdir", MASK_WORKING_DIRECTORY, false, SHAPE_VALUE },
        { "Exec", "PivotRoot", "pivot-root", MASK_PIVOT_ROOT, false, SHAPE_VALUE },
        { "Exec", "KillSignal", "kill-signal", MASK_KILL_SIGNAL, false, SHAPE_CHOICE },
        { "Exec", "NotifyReady", "notify-ready", MASK_NOTIFY_READY, false, SHAPE_VALUE },
        { "Exec", "Hostname", "hostname", MASK_HOSTNAME, false, SHAPE_VALUE },
        { "Exec", "MachineID", "uuid", MASK_MACHINE_ID, true, SHAPE_VALUE },
        { "Exec", "Personality", "personality", MASK_PERSONALITY, false, SHAPE_VALUE },
        { "Exec", "Capability", "capability", MASK_CAPABILITY, true, SHAPE_LIST },
        { "Exec", "DropCapability", "drop-capability", MASK_CAPABILITY, false, SHAPE_LIST },
        { "Exec", "AmbientCapability", "ambient-capability", MASK_CAPABILITY, true, SHAPE_LIST },
        { "Exec", "NoNewPrivileges", "no-new-privileges", MASK_NO_NEW_PRIVILEGES, false, SHAPE_VALUE },
        { "Exec", "SystemCallFilter", "system-call-filter", MASK_SYSTEM_CALL_FILTER, true, SHAPE_FILTER },
        { "Exec", "RestrictAddressFamilies", "restrict-address-families", MASK_ADDRESS_FAMILIES, false, SHAPE_LIST },
        { "Exec", "SuppressSync", "suppress-sync", MASK_SUPPRESS_SYNC, false, SHAPE_VALUE },
        { "Exec", "PrivateUsers", "private-users", MASK_USERS, true, SHAPE_VALUE },
        { "Exec", "PrivateUsersDelegate", "private-users-delegate", MASK_USERS, true, SHAPE_VALUE },
        LIMIT("CPU"), LIMIT("FSIZE"), LIMIT("DATA"), LIMIT("STACK"), LIMIT("CORE"), LIMIT("RSS"), LIMIT("NOFILE"),
        LIMIT("AS"), LIMIT("NPROC"), LIMIT("MEMLOCK"), LIMIT("LOCKS"), LIMIT("SIGPENDING"), LIMIT("MSGQUEUE"),
        LIMIT("NICE"), LIMIT("RTPRIO"), LIMIT("RTTIME"),
        { "Exec", "OOMScoreAdjust", "oom-score-adjust", MASK_OOM_SCORE_ADJUST, true, SHAPE_VALUE },
        { "Exec", "CPUAffinity", "cpu-affinity", MASK_CPU_AFFINITY, true, SHAPE_LIST },
        { "Exec", "ResolvConf", "resolv-conf", MASK_RESOLV_CONF, false, SHAPE_CHOICE },
        { "Exec", "Timezone", "timezone", MASK_TIMEZONE, false, SHAPE_CHOICE },
        { "Exec", "LinkJournal", "link-journal", MASK_LINK_JOURNAL, true, SHAPE_CHOICE },

        { "Files", "ReadOnly", "read-only", MASK_READ_ONLY, false, SHAPE_FLAG },
        { "Files", "Volatile", "volatile", MASK_VOLATILE, false, SHAPE_CHOICE },
        { "Files", "Bind", "bind", MASK_MOUNTS, true, SHAPE_VALUE },
        { "Files", "BindReadOnly", "bind-ro", MASK_MOUNTS, true, SHAPE_VALUE },
        { "Files", "TemporaryFileSystem", "tmpfs", MASK_MOUNTS, true, SHAPE_VALUE },
        { "Files", "Inaccessible", "inaccessible", MASK_MOUNTS, true, SHAPE_VALUE },
        { "Files", "Overlay", "overlay", MASK_MOUNTS, true, SHAPE_VALUE },
        { "Files", "OverlayReadOnly", "overlay-ro", MASK_MOUNTS, true, SHAPE_VALUE },
        { "Files", "PrivateUsersOwnership", "private-users-ownership", MASK_USERS, true, SHAPE_CHOICE },
        { "Files", "PrivateUsersChown", "private-users-chown", MASK_USERS, true, SHAPE_FLAG },
        { "Files", "BindUser", "bind-user", MASK_BIND_USER, true, SHAPE_VALUE },
        { "Files", "BindUserShell", "bind-user-shell", MASK_BIND_USER, true, SHAPE_VALUE },

        { "Network", "Private", "private-network", MASK_NETWORK, true, SHAPE_FLAG },
        { "Network", "NamespacePath", "network-namespace-path", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "VirtualEthernet", "network-veth", MASK_NETWORK, true, SHAPE_FLAG },
        { "Network", "VirtualEthernetExtra", "network-veth-extra", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "Interface", "network-interface", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "MACVLAN", "network-macvlan", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "IPVLAN", "network-ipvlan", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "Bridge", "network-bridge", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "Zone", "network-zone", MASK_NETWORK, true, SHAPE_VALUE },
        { "Network", "Port", "port", MASK_PORT, true, SHAPE_VALUE },
};
/* clang-format on */
const size_t settings_count = ELEMENTSOF(settings_table);
