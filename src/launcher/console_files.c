/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launcher/console_files.h"

#include "console/log_file.h"
#include "console/record.h"

static int add(struct console *console, struct console_sink sink, struct error *e) {
        int r = console_add_sink(console, &sink);

        return r < 0 ? error_set(e, -r, "too many want to be told of the console: %m") : 0;
}

static int open_log(const struct console_log *log, struct console *console, struct console_files *files,
                    struct error *e) {
        const struct log_file_options options = {
                .path = log->path, .raw = log->raw, .size = log->size, .rotate = log->rotate
        };
        int r = log_file_open(&options, &files->log, e);

        return r < 0 ? r : add(console, log_file_sink(files->log), e);
}

static int open_record(const struct plan *plan, struct console *console, struct console_files *files,
                       struct error *e) {
        const struct record_options options = { .path = plan->spec->record,
                                                .terminal = strv_getenv(&plan->environment, "TERM"),
                                                .input = plan->spec->record_input };
        int r = record_open(&options, &files->record, e);

        return r < 0 ? r : add(console, record_sink(files->record, console), e);
}

int console_files_open(const struct plan *plan, struct console *console, struct console_files *files,
                       struct error *e) {
        int r = 0;

        if (plan->spec->console_log.path)
                r = open_log(&plan->spec->console_log, console, files, e);
        if (r >= 0 && plan->spec->record)
                r = open_record(plan, console, files, e);
        return r;
}

bool console_files_pending(const struct console_files *files) {
        return files->record && record_pending(files->record);
}

void console_files_flush(struct console_files *files) {
        if (files->record)
                record_flush(files->record);
}

const char *console_files_toggle_log(struct console_files *files) {
        if (!files->log)
                return "there is no log: --console-log=FILE writes one";
        return log_file_toggle(files->log) ? "the log pauses" : "the log goes on";
}

void console_files_close(struct console_files *files) {
        files->log = log_file_close(files->log);
        files->record = record_close(files->record);
}
