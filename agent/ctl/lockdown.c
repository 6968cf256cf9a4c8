/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command lockdown: deny everything external in an emergency, lift that, or show it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/maintenance.h"

static void print_command(const struct json_object *lockdown) {
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t since = 0, uid = -1;

        (void)json_number(lockdown, "since", &since);
        if (!json_number(lockdown, "loginuid", &uid) || uid < 0)
                (void)json_number(lockdown, "uid", &uid);
        printf(_("Begun at %s by uid %" PRId64 ": "),
               since > 0 ? timespec_for_person((uint64_t)since * USEC_PER_SEC, buffer) : "?", uid);
        text_print(json_text(lockdown, "reason"), stdout);
        putchar('\n');
}

static void print_for_person(const struct json_object *lockdown) {
        const char *cause = json_text(lockdown, "cause");

        if (!lockdown) {
                puts(_("There is no lockdown."));
                return;
        }
        puts(_("EMERGENCY LOCKDOWN: everything external is denied, and nobody but break-glass accounts logs "
               "in."));
        if (!json_is_true(lockdown, "enforced"))
                puts(_("But the guard only watches: NOTHING of that is enforced."));
        if (cause && strcmp(cause, "command") == 0)
                print_command(lockdown);
        if (cause && strcmp(cause, "unreadable") == 0)
                puts(_("The note that says who began it, in the state directory, cannot be read."));
        if (json_text(lockdown, "origin")) {
                fputs(_("The policy asks for it: "), stdout);
                text_print(json_text(lockdown, "origin"), stdout);
                putchar('\n');
        }
}

static int show(const Options *options) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        struct json_object *lockdown;

        if (status_file_open(options->value[OPTION_RUNTIME_DIR], "Status", &status) != 0)
                return EXIT_TROUBLE;
        if (!status.root)
                return fail(
                        _("the guard is not running; a lockdown that was begun holds again when it does"));
        lockdown = json_map(status.root, "lockdown");
        if (!options->value[OPTION_JSON])
                print_for_person(lockdown);
        else if (lockdown ? json_print(lockdown, "\n") < 0 : puts("null") < 0)
                return fail(_("out of memory"));
        return lockdown ? EXIT_NO : EXIT_YES;
}

int command_lockdown(const Options *options) {
        return show(options);
}

/* 0 or 2. */
static int check_reason(const char *reason) {
        if (!reason)
                return fail(_("a lockdown needs --reason, which goes into the journal"));
        if (!maintenance_reason_is_good(reason))
                return fail(_("--reason has to be one line of visible text, at most %d bytes"),
                            (int)MAINTENANCE_REASON_MAX);
        return 0;
}

static int trouble(int r) {
        switch (r) {
        case -EACCES:
                return fail(_("only administrators may begin or lift a lockdown"));
        case -EOPNOTSUPP:
                return fail(_("the guard was started to watch only, and enforces nothing"));
        default:
                return fail(_("the guard does not answer on the system bus (%s)"), strerror(-r));
        }
}

int command_lockdown_on(const Options *options) {
        const char *reason = options->value[OPTION_REASON];
        int r = check_reason(reason);

        if (r != 0)
                return r;
        r = guard_begin_lockdown(reason);
        if (r == -EACCES || r == -EOPNOTSUPP)
                return trouble(r);
        if (r < 0) /* it may hold all the same, until the agent ends: what it says is shown */
                (void)trouble(r);
        return show(options) == EXIT_NO && r == 0 ? EXIT_YES : EXIT_TROUBLE;
}

int command_lockdown_off(const Options *options) {
        const char *reason = options->value[OPTION_REASON];
        int r = check_reason(reason);

        if (r != 0)
                return r;
        r = guard_end_lockdown(reason);
        return r < 0 && r != -EBUSY ? trouble(r) : show(options);
}
