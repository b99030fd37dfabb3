/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client against a bus of our own: a child that plays the bus, the manager and machined at once, so that each of
 * them can also be made to lie, hang or vanish. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "basic/clock.h"
#include "basic/fd.h"
#include "basic/syscalls.h"
#include "basic/text.h"
#include "machined/client.h"
#include "unit.h"

#define MANAGER ":1.1"

/* What the child does otherwise than a good host. */
enum scenario {
        GOOD,
        OLD, /* no PIDFDs=, no RegisterMachineEx, no CoredumpReceive= */
        NO_MACHINED,
        NO_MANAGER,
        NAME_TAKEN,      /* machined has the machine */
        SCOPE_TAKEN,     /* and so has the manager its scope */
        SCOPE_LEFT_OVER, /* the scope is there, no machine is */
        BAD_PROPERTY,    /* the manager refuses */
        JOB_FAILED,
        JOB_FORGED, /* JobRemoved comes from a stranger, with a lie */
        HANGS_AT_AUTH,
        HANGS_AT_SCOPE,
        HANGS_AT_JOB,
        HANGS_AT_REGISTER,
        HANGS_AT_LEAVE,
        DROPS_AT_HELLO,
        DROPS_AT_SCOPE,
        DROPS_AT_REGISTER,
        DROPS_LATER,
        STOP, /* RequestStop after registration */
        STOP_FORGED,
        STOP_AFTER_REEXEC,
        GARBAGE, /* no D-Bus at all */
};

struct fake {
        enum scenario scenario;
        sd_bus *bus;
        int log; /* the names of the calls that came, for the test to read */
        bool registered;
        bool quit;
};

static void fake_send(struct fake *f, sd_bus_message *message, const char *sender) {
        sd_bus_message_set_sender(message, sender);
        sd_bus_send(f->bus, message, NULL);
        sd_bus_message_unref(message);
}

static void fake_return(struct fake *f, sd_bus_message *call, const char *sender, const char *types,
                        const char *value) {
        sd_bus_message *reply;

        sd_bus_message_new_method_return(call, &reply);
        if (*types)
                sd_bus_message_append(reply, types, value);
        fake_send(f, reply, sender);
}

static void fake_error(struct fake *f, sd_bus_message *call, const char *name, const char *text) {
        sd_bus_message *reply;
        sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(name, text);

        sd_bus_message_new_method_error(call, &reply, &e);
        fake_send(f, reply, MANAGER);
}

static void fake_signal(struct fake *f, const char *sender, const char *path, const char *interface,
                        const char *member, const char *a, const char *b, const char *c) {
        sd_bus_message *signal;

        sd_bus_message_new_signal(f->bus, &signal, path, interface, member);
        if (strcmp(member, "JobRemoved") == 0)
                sd_bus_message_append(signal, "uoss", 7, a, b, c);
        else if (strcmp(member, "UnitRemoved") == 0)
                sd_bus_message_append(signal, "so", a, b);
        else if (strcmp(member, "NameOwnerChanged") == 0)
                sd_bus_message_append(signal, "sss", a, b, c);
        fake_send(f, signal, sender);
}

/* The properties of StartTransientUnit: their names go to the log. Returns whether NAME is among them. */
static bool fake_properties(struct fake *f, sd_bus_message *call, const char *name) {
        const char *unit, *mode, *property;
        bool found = false;

        sd_bus_message_read(call, "ss", &unit, &mode);
        dprintf(f->log, "unit=%s mode=%s\n", unit, mode);
        sd_bus_message_enter_container(call, 'a', "(sv)");
        while (sd_bus_message_enter_container(call, 'r', "sv") > 0) {
                sd_bus_message_read(call, "s", &property);
                found = found || strcmp(property, name) == 0;
                const char *contents, *text = NULL;
                char type;
                sd_bus_message_peek_type(call, &type, &contents);
                if (strcmp(contents, "s") == 0) {
                        sd_bus_message_read(call, "v", "s", &text);
                        dprintf(f->log, "%s=%s\n", property, text);
                } else {
                        sd_bus_message_skip(call, "v");
                        dprintf(f->log, "%s:%s\n", property, contents);
                }
                sd_bus_message_exit_container(call);
        }
        return found;
}

#define UNIT "machine-a\\x2db.scope"
#define UNIT_PATH "/org/freedesktop/systemd1/unit/machine_2da_5cx2db_2escope"
#define JOB "/org/freedesktop/systemd1/job/7"

static void fake_start(struct fake *f, sd_bus_message *call) {
        bool by_fd = fake_properties(f, call, "PIDFDs");

        switch (f->scenario) {
        case NO_MANAGER:
                fake_error(f, call, "org.freedesktop.DBus.Error.ServiceUnknown", "nobody has that name");
                return;
        case SCOPE_TAKEN:
        case SCOPE_LEFT_OVER:
                fake_error(f, call, "org.freedesktop.systemd1.UnitExists", "Unit exists");
                return;
        case BAD_PROPERTY:
                fake_error(f, call, "org.freedesktop.DBus.Error.PropertyReadOnly", "Cannot set \033[31mMemoryMax");
                return;
        case OLD:
                if (by_fd) {
                        fake_error(f, call, "org.freedesktop.DBus.Error.PropertyReadOnly",
                                   "Cannot set property PIDFDs, or unknown property.");
                        return;
                }
                break;
        case HANGS_AT_SCOPE:
                return;
        case DROPS_AT_SCOPE:
                f->quit = true;
                return;
        default:
                break;
        }
        fake_return(f, call, MANAGER, "o", JOB);
        if (f->scenario == JOB_FORGED)
                fake_signal(f, ":1.66", SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", JOB, UNIT, "failed");
        if (f->scenario != HANGS_AT_JOB)
                fake_signal(f, MANAGER, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", JOB, UNIT,
                            f->scenario == JOB_FAILED ? "failed" : "done");
}

static void fake_stop(struct fake *f, const char *sender) {
        fake_signal(f, sender, UNIT_PATH, "org.freedesktop.systemd1.Scope", "RequestStop", NULL, NULL, NULL);
}

static void fake_register(struct fake *f, sd_bus_message *call, bool ex) {
        switch (f->scenario) {
        case NO_MACHINED:
                fake_error(f, call, "org.freedesktop.DBus.Error.ServiceUnknown", "The name is not activatable");
                return;
        case NAME_TAKEN:
                fake_error(f, call, "org.freedesktop.machine1.MachineExists", "Machine exists");
                return;
        case OLD:
                if (ex) {
                        fake_error(f, call, "org.freedesktop.DBus.Error.UnknownMethod", "Unknown method");
                        return;
                }
                break;
        case HANGS_AT_REGISTER:
                return;
        case DROPS_AT_REGISTER:
                f->quit = true;
                return;
        default:
                break;
        }
        fake_return(f, call, ":1.2", "o", "/org/freedesktop/machine1/machine/a_2db");
        if (f->scenario == STOP)
                fake_stop(f, MANAGER);
        if (f->scenario == STOP_FORGED)
                fake_stop(f, ":1.66");
        if (f->scenario == STOP_AFTER_REEXEC) {
                fake_signal(f, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                            "NameOwnerChanged", SYSTEMD_NAME, MANAGER, ":1.9");
                fake_stop(f, ":1.9");
        }
        f->quit = f->scenario == DROPS_LATER;
}

static void fake_holder(struct fake *f, sd_bus_message *call) {
        sd_bus_message *reply;

        sd_bus_message_new_method_return(call, &reply);
        sd_bus_message_append(reply, "a{sv}", 4, "Name", "s", "a-b", "Leader", "u", 4711, "Service", "s", "evil\033",
                              "RootDirectory", "s", "/srv/other");
        fake_send(f, reply, ":1.2");
}

static void fake_list(struct fake *f, sd_bus_message *call) {
        sd_bus_message *reply;

        if (f->scenario == NO_MACHINED) {
                fake_error(f, call, "org.freedesktop.DBus.Error.ServiceUnknown", "nobody has that name");
                return;
        }
        if (f->scenario == HANGS_AT_REGISTER)
                return;
        sd_bus_message_new_method_return(call, &reply);
        sd_bus_message_append(reply, "a(ssso)", 2, ".host", "host", "", "/org/freedesktop/machine1/machine/_2ehost",
                              "one", "container-with-a-class-that-is-too-long", "nspawn",
                              "/org/freedesktop/machine1/machine/one");
        fake_send(f, reply, ":1.2");
}

static void fake_property(struct fake *f, sd_bus_message *call) {
        const char *interface = "", *name = "";
        sd_bus_message *reply;

        sd_bus_message_read(call, "ss", &interface, &name);
        sd_bus_message_new_method_return(call, &reply);
        if (strcmp(name, "Leader") == 0 && f->scenario == OLD)
                sd_bus_message_append(reply, "v", "s", "not a number");
        else if (strcmp(name, "Leader") == 0)
                sd_bus_message_append(reply, "v", "u", 4711);
        else if (strcmp(name, "RootDirectory") == 0)
                sd_bus_message_append(reply, "v", "s", "/srv/one");
        else
                sd_bus_message_append(reply, "v", "b", 0);
        fake_send(f, reply, MANAGER);
}

static int fake_call(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        struct fake *f = userdata;
        const char *member = sd_bus_message_get_member(call);

        (void) ret_error;
        if (!sd_bus_message_is_method_call(call, NULL, NULL))
                return 0;
        dprintf(f->log, "%s\n", member);
        if (strcmp(member, "Hello") == 0) {
                if (f->scenario == DROPS_AT_HELLO)
                        f->quit = true;
                else
                        fake_return(f, call, "org.freedesktop.DBus", "s", ":1.42");
        } else if (strcmp(member, "Get") == 0) {
                if (f->scenario == OLD && strstr(sd_bus_message_get_path(call), "/systemd1"))
                        fake_error(f, call, "org.freedesktop.DBus.Error.UnknownProperty", "Unknown property");
                else
                        fake_property(f, call);
        } else if (strcmp(member, "ListMachines") == 0) {
                fake_list(f, call);
        } else if (strcmp(member, "StartTransientUnit") == 0) {
                fake_start(f, call);
        } else if (text_starts_with(member, "RegisterMachine")) {
                fake_register(f, call, text_ends_with(member, "Ex"));
        } else if (strcmp(member, "GetMachine") == 0) {
                if (f->scenario == SCOPE_LEFT_OVER)
                        fake_error(f, call, "org.freedesktop.machine1.NoSuchMachine", "No such machine");
                else
                        fake_return(f, call, ":1.2", "o", "/org/freedesktop/machine1/machine/a_2db");
        } else if (strcmp(member, "GetAll") == 0) {
                fake_holder(f, call);
        } else if (f->scenario != HANGS_AT_LEAVE || strcmp(member, "AddMatch") == 0) {
                fake_return(f, call, MANAGER, "", NULL);
                if (strcmp(member, "UnrefUnit") == 0)
                        fake_signal(f, MANAGER, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitRemoved", UNIT, UNIT_PATH, NULL);
        }
        return 1;
}

static void fake_run(enum scenario scenario, int listener, int log) {
        struct fake f = { .scenario = scenario, .log = log };
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (scenario == HANGS_AT_AUTH)
                pause();
        if (scenario == GARBAGE) {
                static const char lines[] = "REJECTED\r\nOK\r\n\377\0\1garbage without end\r\n";
                for (;;)
                        if (send(fd, lines, sizeof lines, MSG_NOSIGNAL) < 0)
                                _exit(0);
        }
        sd_bus_new(&f.bus);
        sd_bus_set_fd(f.bus, fd, fd);
        sd_bus_set_server(f.bus, 1, SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f, 10));
        sd_bus_negotiate_fds(f.bus, 1);
        sd_bus_add_filter(f.bus, NULL, fake_call, &f);
        if (sd_bus_start(f.bus) < 0)
                _exit(1);
        while (!f.quit) {
                int r = sd_bus_process(f.bus, NULL);
                if (r < 0)
                        _exit(0);
                if (r == 0)
                        sd_bus_wait(f.bus, UINT64_MAX);
        }
        sd_bus_flush(f.bus);
        _exit(0);
}

struct world {
        pid_t fake, leader;
        int leader_pidfd, log;
        char path[64];
        struct machined *machined;
        struct machined_plan plan;
        unsigned turns;
};

static const uint8_t id[16] = { 1, 2, 3 };

static struct world world_make(enum scenario scenario, enum machined_register register_) {
        struct world w = { .plan = { .machine = "a-b",
                                     .id = id,
                                     .service = "systemd-nspawn",
                                     .root_directory = "/srv/a",
                                     .register_ = register_ } };
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char address[80];
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), pipes[2];

        snprintf(w.path, sizeof w.path, "/tmp/spawn-bus-%d", (int) getpid());
        unlink(w.path);
        strcpy(a.sun_path, w.path);
        assert_int_equal(bind(listener, (void *) &a, sizeof a), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
        snprintf(address, sizeof address, "unix:path=%s", w.path);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
        w.fake = fork();
        if (w.fake == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                fake_run(scenario, listener, pipes[1]);
        }
        close(listener);
        close(pipes[1]);
        w.log = pipes[0];
        w.leader = fork();
        if (w.leader == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        pause();
        }
        w.leader_pidfd = sys_pidfd_open(w.leader, 0);
        return w;
}

static void world_open(struct world *w) {
        struct error e = { 0 };

        if (machined_open(&w->plan, &w->machined, &e) < 0 ||
            machined_enter(w->machined, w->leader, w->leader_pidfd, &e) < 0)
                fail_msg("%s", e.text);
}

/* Drives the client as a supervisor does, until one of EVENTS or for MSEC. Returns what came. */
static unsigned world_run(struct world *w, unsigned events, unsigned msec) {
        uint64_t until = clock_usec() + msec * UINT64_C(1000), now;
        unsigned seen = 0;

        while ((now = clock_usec()) < until && !(seen & events)) {
                uint64_t wake = machined_deadline(w->machined);
                struct pollfd p = { .fd = machined_fd(w->machined), .events = machined_events(w->machined) };
                if (wake == 0 || wake > until)
                        wake = until;
                poll(&p, 1, wake > now ? (int) ((wake - now + 999) / 1000) : 0);
                uint64_t before = clock_usec();
                seen |= machined_dispatch(w->machined);
                assert_true(clock_usec() - before < 1000000); /* nothing blocks */
                w->turns++;
        }
        return seen;
}

/* What the fake was asked; the caller frees. */
static char *world_log(struct world *w) {
        char *text = calloc(1, 16384);
        ssize_t n = read(w->log, text, 16383);

        (void) n;
        return text;
}

static void world_end(struct world *w) {
        machined_free(w->machined);
        kill(w->fake, SIGKILL);
        kill(w->leader, SIGKILL);
        waitpid(w->fake, NULL, 0);
        waitpid(w->leader, NULL, 0);
        close(w->leader_pidfd);
        close(w->log);
        unlink(w->path);
}

static void assert_contains(const char *text, const char *part) {
        if (!text || !strstr(text, part))
                fail_msg("\"%s\" is not in \"%s\"", part, text ? text : "(null)");
}

static const char *error_text(struct world *w) {
        return machined_error(w->machined) ? machined_error(w->machined)->text : "";
}

static void test_success(void **state) {
        static const char *const properties[] = { "MemoryMax=1G",
                                                  "IPAddressAllow=localhost",
                                                  "AllowedCPUs=0-3",
                                                  "IOReadIOPSMax=/dev/sda 5",
                                                  "IOReadIOPSMax=",
                                                  "DeviceAllow=/dev/sda r",
                                                  "MemoryHigh=50%",
                                                  "Wants=a.service b.service",
                                                  "CPUAccounting=yes",
                                                  "Description=mine",
                                                  NULL };
        static const char *const expected[] = {
                "unit=machine-a\\x2db.scope mode=fail",
                "PIDFDs:ah",
                "Description=Container a-b",
                "Delegate:b",
                "CollectMode=inactive-or-failed",
                "AddRef:b",
                "Slice=web.slice",
                "Controller=:1.42",
                "DevicePolicy=closed",
                "DeviceAllow:a(ss)",
                "TasksMax:t",
                "KillSignal:i",
                "KillMode=mixed",
                "CoredumpReceive:b",
                "MemoryMax:t",
                "IPAddressAllow:a(iayu)",
                "AllowedCPUs:ay",
                "IOReadIOPSMax:a(st)",
                "MemoryHighScale:u",
                "Wants:as",
                "CPUAccounting:b",
                "Description=mine",
                "RegisterMachineEx",
        };
        static const struct machined_device devices[] = { { "/dev/sda", "rw" } };
        static const int interfaces[] = { 3, 4 };
        struct world w = world_make(GOOD, MACHINED_YES);

        (void) state;
        w.plan.slice = "web";
        w.plan.properties = properties;
        w.plan.kill_signal = SIGRTMIN + 3;
        w.plan.boot = true;
        w.plan.devices = devices;
        w.plan.n_devices = 1;
        w.plan.interfaces = interfaces;
        w.plan.n_interfaces = 2;
        assert_true(machined_bus_present());
        world_open(&w);
        assert_null(machined_unit(w.machined));
        if (world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000) != MACHINED_ENTERED)
                fail_msg("%s", error_text(&w));
        assert_null(machined_error(w.machined));
        assert_string_equal(machined_unit(w.machined), UNIT);
        assert_int_equal(machined_deadline(w.machined), 0);
        _cleanup_free_ char *log = world_log(&w);
        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
                assert_contains(log, expected[i]);
        struct error e = { 0 };
        assert_int_equal(machined_enter(w.machined, w.leader, w.leader_pidfd, &e), -EBUSY);
        machined_leave(w.machined);
        assert_int_equal(world_run(&w, MACHINED_LEFT, 4000), MACHINED_LEFT);
        _cleanup_free_ char *end = world_log(&w);
        assert_contains(end, "UnregisterMachine\nAbandonScope\nKillUnit\nUnrefUnit\n");
        assert_null(machined_unit(w.machined));
        /* a reboot */
        assert_int_equal(machined_enter(w.machined, w.leader, w.leader_pidfd, &e), 0);
        assert_int_equal(world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000), MACHINED_ENTERED);
        world_end(&w);
}

static void test_old_host(void **state) {
        struct world w = world_make(OLD, MACHINED_YES);

        (void) state;
        w.plan.boot = true;
        world_open(&w);
        if (world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000) != MACHINED_ENTERED)
                fail_msg("%s", error_text(&w));
        _cleanup_free_ char *log = world_log(&w);
        assert_contains(log, "PIDs:au");
        assert_contains(log, "RegisterMachineEx\nRegisterMachineWithNetwork\n");
        assert_null(strstr(log, "CoredumpReceive"));
        world_end(&w);
}

static void test_parts(void **state) {
        (void) state;
        struct world w = world_make(GOOD, MACHINED_NO);
        world_open(&w);
        assert_int_equal(world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000), MACHINED_ENTERED);
        _cleanup_free_ char *log = world_log(&w);
        assert_null(strstr(log, "RegisterMachine"));
        assert_string_equal(machined_unit(w.machined), UNIT);
        world_end(&w);

        w = world_make(GOOD, MACHINED_YES);
        w.plan.keep_unit = true;
        world_open(&w);
        assert_int_equal(world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000), MACHINED_ENTERED);
        _cleanup_free_ char *log2 = world_log(&w);
        assert_null(strstr(log2, "StartTransientUnit"));
        assert_contains(log2, "RegisterMachineEx");
        assert_null(machined_unit(w.machined));
        machined_leave(w.machined);
        assert_int_equal(world_run(&w, MACHINED_LEFT, 4000), MACHINED_LEFT);
        world_end(&w);
}

/* What each host leads to, with --register=yes and =auto. NULL: that is not an error. */
static void test_hosts(void **state) {
        static const struct {
                enum scenario scenario;
                const char *yes, *automatic;
                unsigned automatic_event;
                bool scope;
        } cases[] = {
                { NO_MACHINED, "there is no systemd-machined", "there is no systemd-machined", MACHINED_ENTERED,
                  true },
                { NO_MANAGER, "systemd does not run", "systemd does not run", MACHINED_ENTERED, false },
                { NAME_TAKEN, "a-b runs already: PID 4711, started by evil\\x1b, in /srv/other", "PID 4711",
                  MACHINED_FAILED, true },
                { SCOPE_TAKEN, "a-b runs already: PID 4711", "PID 4711", MACHINED_FAILED, false },
                { SCOPE_LEFT_OVER, "machine-a\\x2db.scope is there already", "is there already", MACHINED_FAILED,
                  false },
                { BAD_PROPERTY, "refuses the scope machine-a\\x2db.scope: Cannot set \\x1b[31mMemoryMax", "refuses",
                  MACHINED_ENTERED, false },
                { JOB_FAILED, "could not start the scope", "could not start", MACHINED_ENTERED, false },
                { DROPS_AT_HELLO, "connection to the system bus is lost", "lost", MACHINED_ENTERED, false },
                { DROPS_AT_SCOPE, "connection to the system bus is lost", "lost", MACHINED_ENTERED, false },
                { DROPS_AT_REGISTER, "connection to the system bus is lost", "lost", MACHINED_ENTERED, false },
                { GARBAGE, "system bus is lost", "lost", MACHINED_ENTERED, false },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (int automatic = 0; automatic < 2; automatic++) {
                        struct world w = world_make(cases[i].scenario, automatic ? MACHINED_AUTO : MACHINED_YES);
                        world_open(&w);
                        unsigned seen = world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000);
                        if (seen != (automatic ? cases[i].automatic_event : MACHINED_FAILED))
                                fail_msg("host %zu, auto %d: events %x, \"%s\"", i, automatic, seen, error_text(&w));
                        assert_contains(error_text(&w), automatic ? cases[i].automatic : cases[i].yes);
                        assert_int_equal(machined_unit(w.machined) != NULL, cases[i].scope);
                        w.turns = 0;
                        assert_int_equal(world_run(&w, 0, 50), 0);
                        assert_true(w.turns < 5); /* no spin */
                        machined_leave(w.machined);
                        assert_int_equal(world_run(&w, MACHINED_LEFT, 1000), MACHINED_LEFT);
                        assert_true(w.turns < 20);
                        world_end(&w);
                }
}

/* What the user asked for is not left out because registration is optional. */
static void test_properties_are_mandatory(void **state) {
        static const char *const properties[] = { "MemoryMax=1G", NULL };
        struct world w = world_make(BAD_PROPERTY, MACHINED_AUTO);

        (void) state;
        w.plan.properties = properties;
        world_open(&w);
        assert_int_equal(world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000), MACHINED_FAILED);
        assert_contains(error_text(&w), "MemoryMax");
        world_end(&w);
}

static void test_forged_job(void **state) {
        struct world w = world_make(JOB_FORGED, MACHINED_YES);

        (void) state;
        world_open(&w);
        assert_int_equal(world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000), MACHINED_ENTERED);
        world_end(&w);
}

static void test_stop(void **state) {
        static const struct {
                enum scenario scenario;
                bool stops;
        } cases[] = { { STOP, true }, { STOP_FORGED, false }, { STOP_AFTER_REEXEC, true } };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct world w = world_make(cases[i].scenario, MACHINED_YES);
                world_open(&w);
                unsigned seen = world_run(&w, MACHINED_STOP_REQUESTED | MACHINED_FAILED, cases[i].stops ? 4000 : 300);
                assert_int_equal(seen, MACHINED_ENTERED | (cases[i].stops ? MACHINED_STOP_REQUESTED : 0));
                world_end(&w);
        }
}

static void test_bus_lost(void **state) {
        struct world w = world_make(DROPS_LATER, MACHINED_YES);

        (void) state;
        world_open(&w);
        assert_int_equal(world_run(&w, MACHINED_BUS_LOST | MACHINED_FAILED, 4000),
                         MACHINED_ENTERED | MACHINED_BUS_LOST);
        assert_true(machined_fd(w.machined) < 0);
        w.turns = 0;
        assert_int_equal(world_run(&w, MACHINED_BUS_LOST, 50), 0);
        assert_true(w.turns < 3);
        machined_leave(w.machined);
        assert_int_equal(world_run(&w, MACHINED_LEFT, 1000), MACHINED_LEFT);
        world_end(&w);
}

static void hang(enum scenario scenario, enum machined_register register_, unsigned event, const char *text) {
        struct world w = world_make(scenario, register_);
        uint64_t begun = clock_usec();

        world_open(&w);
        unsigned seen = world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 8000);
        uint64_t took = clock_usec() - begun;
        if (seen != event)
                fail_msg("scenario %d: events %x, \"%s\"", (int) scenario, seen, error_text(&w));
        assert_contains(error_text(&w), text);
        assert_true(took >= MACHINED_STEP_USEC && took < MACHINED_STEP_USEC + 2000000);
        world_end(&w);
}

static void test_hangs(void **state) {
        (void) state;
        hang(HANGS_AT_AUTH, MACHINED_YES, MACHINED_FAILED, "system bus");
        hang(HANGS_AT_SCOPE, MACHINED_YES, MACHINED_FAILED, "has not made the scope");
        hang(HANGS_AT_JOB, MACHINED_AUTO, MACHINED_ENTERED, "has not made the scope");
        hang(HANGS_AT_REGISTER, MACHINED_AUTO, MACHINED_ENTERED, "does not answer");
}

static void test_hanging_end(void **state) {
        struct world w = world_make(HANGS_AT_LEAVE, MACHINED_YES);

        (void) state;
        world_open(&w);
        assert_int_equal(world_run(&w, MACHINED_ENTERED | MACHINED_FAILED, 4000), MACHINED_ENTERED);
        machined_leave(w.machined);
        assert_int_equal(world_run(&w, MACHINED_LEFT, 8000), MACHINED_LEFT);
        world_end(&w);
}

static void test_no_bus(void **state) {
        struct machined_plan plan = { .machine = "a", .id = id, .service = "s", .register_ = MACHINED_YES };
        struct machined *m = NULL;
        struct error e = { 0 };

        (void) state;
        setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/no/such/bus", 1);
        assert_false(machined_bus_present());
        assert_true(machined_open(&plan, &m, &e) < 0);
        assert_contains(e.text, "cannot connect to the system bus");
        plan.register_ = MACHINED_AUTO;
        assert_int_equal(machined_open(&plan, &m, &e), 0);
        assert_int_equal(machined_dispatch(m), 0);
        assert_int_equal(machined_enter(m, getpid(), -1, &e), 0);
        assert_true(machined_deadline(m) > 0);
        assert_int_equal(machined_dispatch(m), MACHINED_ENTERED);
        assert_contains(machined_error(m)->text, "cannot connect");
        machined_free(m);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", "tcp:host=localhost,port=1", 1);
        plan.register_ = MACHINED_YES;
        assert_int_equal(machined_open(&plan, &m, &e), -EPROTONOSUPPORT);
        unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
        machined_free(NULL);
}

static void test_check(void **state) {
        static const char *const good[] = { "MemoryMax=1G", NULL }, *const bad[] = { "MemoryMax=1G", "No=1", NULL };
        struct machined_plan plan = { .machine = "a", .slice = "web", .properties = good };
        struct error e = { 0 };

        (void) state;
        assert_int_equal(machined_check(&plan, &e), 0);
        plan.properties = bad;
        assert_int_equal(machined_check(&plan, &e), -EINVAL);
        assert_contains(e.text, "No");
        plan.properties = NULL;
        plan.slice = "a.service";
        assert_int_equal(machined_check(&plan, &e), -EINVAL);
}

static void test_list(void **state) {
        static const enum scenario without[] = { NO_MACHINED, HANGS_AT_AUTH, HANGS_AT_REGISTER, DROPS_AT_HELLO,
                                                 GARBAGE };
        struct machined_machine *list = NULL;
        struct error e = { 0 };
        size_t count = 0;

        (void) state;
        for (int old = 0; old < 2; old++) {
                struct world w = world_make(old ? OLD : GOOD, MACHINED_AUTO);
                if (machined_list(&list, &count, &e) < 0)
                        fail_msg("%s", e.text);
                assert_int_equal(count, 2);
                assert_string_equal(list[0].name, ".host");
                assert_string_equal(list[1].name, "one");
                assert_string_equal(list[1].class, "container-with-");
                assert_string_equal(list[1].service, "nspawn");
                assert_int_equal(list[1].leader, old ? 0 : 4711);
                assert_string_equal(list[1].root, "/srv/one");
                free(list);
                world_end(&w);
        }
        for (size_t i = 0; i < ELEMENTSOF(without); i++) {
                struct world w = world_make(without[i], MACHINED_AUTO);
                uint64_t before = clock_usec();
                assert_true(machined_list(&list, &count, &e) < 0);
                assert_true(clock_usec() - before < 2 * MACHINED_LIST_USEC);
                assert_int_equal(count, 0);
                assert_contains(e.text, "systemd-machined does not say");
                free(list);
                world_end(&w);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_success),
                cmocka_unit_test(test_old_host),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_properties_are_mandatory),
                cmocka_unit_test(test_forged_job),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_bus_lost),
                cmocka_unit_test(test_hangs),
                cmocka_unit_test(test_hanging_end),
                cmocka_unit_test(test_no_bus),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_list),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
