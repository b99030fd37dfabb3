/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* machined.h of a build without libsystemd: there never is a bus, so that nothing but the first is ever called. */
#include "machined/machined.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/fd.h"

bool machined_bus_present(void) {
        return false;
}

int machined_open(const struct machined_plan *plan, struct machined **ret, struct error *error) {
        (void) plan;
        *ret = NULL;
        return error_set(error, EOPNOTSUPP, "this spawn was built without libsystemd, which registration needs");
}

int machined_list(struct machined_machine **ret, size_t *ret_count, struct error *error) {
        *ret = NULL;
        *ret_count = 0;
        return error_set(error, EOPNOTSUPP, "this spawn was built without libsystemd");
}

int machined_enter(struct machined *m, pid_t leader, int leader_pidfd, struct error *error) {
        (void) m, (void) leader, (void) leader_pidfd;
        return error_set(error, EOPNOTSUPP, "this spawn was built without libsystemd");
}

int machined_fd(const struct machined *m) {
        (void) m;
        return -EBADF;
}

short machined_events(const struct machined *m) {
        (void) m;
        return 0;
}

uint64_t machined_deadline(const struct machined *m) {
        (void) m;
        return 0;
}

unsigned machined_dispatch(struct machined *m) {
        (void) m;
        return 0;
}

const struct error *machined_error(const struct machined *m) {
        (void) m;
        return NULL;
}

const char *machined_unit(const struct machined *m) {
        (void) m;
        return NULL;
}

int machined_leave(struct machined *m) {
        (void) m;
        return 0;
}

void machined_free(struct machined *m) {
        (void) m;
}
