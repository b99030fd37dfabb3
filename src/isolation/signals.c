/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "isolation/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "basic/fd.h"
#include "basic/text.h"

static const struct {
        int sig;
        const char *name;
} names[] = {
        { SIGHUP, "HUP" },       { SIGINT, "INT" },   { SIGQUIT, "QUIT" },   { SIGILL, "ILL" },   { SIGTRAP, "TRAP" },
        { SIGABRT, "ABRT" },     { SIGBUS, "BUS" },   { SIGFPE, "FPE" },     { SIGKILL, "KILL" }, { SIGUSR1, "USR1" },
        { SIGSEGV, "SEGV" },     { SIGUSR2, "USR2" }, { SIGPIPE, "PIPE" },   { SIGALRM, "ALRM" }, { SIGTERM, "TERM" },
        { SIGSTKFLT, "STKFLT" }, { SIGCHLD, "CHLD" }, { SIGCONT, "CONT" },   { SIGSTOP, "STOP" }, { SIGTSTP, "TSTP" },
        { SIGTTIN, "TTIN" },     { SIGTTOU, "TTOU" }, { SIGURG, "URG" },     { SIGXCPU, "XCPU" }, { SIGXFSZ, "XFSZ" },
        { SIGVTALRM, "VTALRM" }, { SIGPROF, "PROF" }, { SIGWINCH, "WINCH" }, { SIGIO, "IO" },     { SIGPWR, "PWR" },
        { SIGSYS, "SYS" },
};

int signal_parse(const char *text) {
        const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
        uint64_t n = 0;

        if (parse_unsigned(text, 1, (uint64_t) SIGRTMAX, &n) == 0)
                return (int) n;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(name, names[i].name) == 0)
                        return names[i].sig;
        const uint64_t range = (uint64_t) (SIGRTMAX - SIGRTMIN);
        if (strncasecmp(name, "RTMIN", 5) == 0 &&
            (!name[5] || (name[5] == '+' && parse_unsigned(name + 6, 0, range, &n) == 0)))
                return SIGRTMIN + (int) n;
        if (strncasecmp(name, "RTMAX", 5) == 0 &&
            (!name[5] || (name[5] == '-' && parse_unsigned(name + 6, 0, range, &n) == 0)))
                return SIGRTMAX - (int) n;
        return -EINVAL;
}

const char *signal_name(int sig, char buffer[static SIGNAL_NAME_SIZE]) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].sig == sig) {
                        snprintf(buffer, SIGNAL_NAME_SIZE, "SIG%s", names[i].name);
                        return buffer;
                }
        if (sig >= SIGRTMIN && sig <= SIGRTMAX)
                snprintf(buffer, SIGNAL_NAME_SIZE, "SIGRTMIN+%d", sig - SIGRTMIN);
        else
                snprintf(buffer, SIGNAL_NAME_SIZE, "%d", sig);
        return buffer;
}

void signal_list(void) {
        char buffer[SIGNAL_NAME_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                printf("%s\n", signal_name(names[i].sig, buffer));
        for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
                printf("%s\n", signal_name(sig, buffer));
}
