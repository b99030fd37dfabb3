/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/namespaces.h"

#include <sched.h>

#include "basic/fd.h"

const struct namespace_kind namespace_table[] = {
        { "mnt", CLONE_NEWNS },  { "pid", CLONE_NEWPID },   { "ipc", CLONE_NEWIPC },       { "uts", CLONE_NEWUTS },
        { "net", CLONE_NEWNET }, { "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP },
};
const size_t namespace_count = ELEMENTSOF(namespace_table);
