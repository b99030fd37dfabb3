/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What each option does to the spec. VALUE is NULL where none was given. Each returns 0, OPTION_LISTED and its kin, or
 * a negative errno with a sentence that begins with the option. */

#include "launcher/options.h"

#define SETTER(name) int name(struct spec *spec, const char *value, const struct option_row *row, struct error *error)

SETTER(set_ambient_capability);
SETTER(set_as_pid2);
SETTER(set_bind);
SETTER(set_bind_ro);
SETTER(set_boot);
SETTER(set_capability);
SETTER(set_chdir);
SETTER(set_cleanup);
SETTER(set_console);
SETTER(set_console_filter);
SETTER(set_console_log);
SETTER(set_cpu_affinity);
SETTER(set_detach);
SETTER(set_detachable);
SETTER(set_directory);
SETTER(set_image);
SETTER(set_drop_capability);
SETTER(set_environment);
SETTER(set_explain);
SETTER(set_fstab);
SETTER(set_help);
SETTER(set_hostname);
SETTER(set_inaccessible);
SETTER(set_journal);
SETTER(set_keep_unit);
SETTER(set_kill_signal);
SETTER(set_link_journal);
SETTER(set_machine);
SETTER(set_no_new_privileges);
SETTER(set_no_pager);
SETTER(set_notify_ready);
SETTER(set_on_hangup);
SETTER(set_oom_score_adjust);
SETTER(set_personality);
SETTER(set_pipe);
SETTER(set_private_network);
SETTER(set_property);
SETTER(set_quiet);
SETTER(set_read_only);
SETTER(set_record);
SETTER(set_record_input);
SETTER(set_register);
SETTER(set_resolv_conf);
SETTER(set_rlimit);
SETTER(set_scrollback);
SETTER(set_escape);
SETTER(set_settings);
SETTER(set_slice);
SETTER(set_stop_timeout);
SETTER(set_system_call_filter);
SETTER(set_timezone);
SETTER(set_tmpfs);
SETTER(set_user);
SETTER(set_uuid);
SETTER(set_version);
SETTER(set_wait);
