/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command maintenance: lift the protection of the guard itself for a while, end that, or show it. */
#include "agent/ctl/maintenance.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/console.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/maintenance.h"
#include "policy/model.h"

static bool is_asked_for(const struct json_object *protection) {
        for (int i = 0; i < PROTECTIONS; i++)
                if (json_is_true(protection, protected_to_string((Protected)i)))
                        return true;
        return false;
}

static void print_maintenance(const struct json_object *maintenance) {
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t until = 0;

        (void)json_number(maintenance, "until", &until);
        printf(_("Maintenance until %s: nothing protects the guard itself.\n"),
               until > 0 ? timespec_for_person((uint64_t)until * USEC_PER_SEC, buffer) : "?");
        fputs(_("Begun at "), stdout);
        text_print(json_text(maintenance, "terminal"), stdout);
        fputs(": ", stdout);
        text_print(json_text(maintenance, "reason"), stdout);
        putchar('\n');
}

static void print_for_person(const struct json_object *protection) {
        if (json_map(protection, "maintenance"))
                print_maintenance(json_map(protection, "maintenance"));
        else if (json_is_true(protection, "holds") && is_asked_for(protection))
                puts(_("There is no maintenance: the guard itself is protected."));
        else if (is_asked_for(protection))
                puts(_("There is no maintenance, and the guard itself is not protected although the policy "
                       "asks "
                       "for it; see sekishoctl status."));
        else
                puts(_("There is no maintenance, and the policy asks for no protection of the guard "
                       "itself."));
}

/* Whether it may be touched now. */
static int show(const Options *options) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        struct json_object *protection;

        if (status_file_open(options->value[OPTION_RUNTIME_DIR], "Status", &status) != 0)
                return EXIT_TROUBLE;
        protection = json_map(status.root, "self_protection");
        if (!status.alive || !protection)
                return fail(_(
                        "the guard is not running; what it has protected stays so until it is stopped in a "
                        "maintenance, or until the next start of the terminal"));
        if (!options->value[OPTION_JSON])
                print_for_person(protection);
        else if (json_print(protection, "\n") < 0)
                return fail(_("out of memory"));
        return json_is_true(protection, "holds") && is_asked_for(protection) ? EXIT_NO : EXIT_YES;
}

int command_maintenance(const Options *options) {
        return show(options);
}

int maintenance_begin(const char *reason, unsigned minutes) {
        int r = guard_begin_maintenance(reason, minutes);

        switch (r) {
        case -ENOTTY:
                return fail(_("the guard takes that at a console of the terminal itself only, such as tty3 "
                              "(Ctrl+Alt+F3)"));
        case -EACCES:
                return fail(_("only root may begin or end a maintenance"));
        default:
                return r < 0 ? fail(_("the guard does not answer on the system bus (%s); where it is "
                                      "protected and "
                                      "does not run: start the terminal in emergency mode, where nothing of "
                                      "it is "
                                      "in force"),
                                    strerror(-r))
                             : 0;
        }
}

static int minutes_of(const char *text, unsigned *ret) {
        char *end;
        unsigned long minutes;

        if (!text) {
                *ret = MAINTENANCE_MINUTES;
                return 0;
        }
        minutes = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || minutes == 0 || minutes > MAINTENANCE_MINUTES_MAX)
                return fail(_("'%s' is no number of minutes from 1 to %d"), text,
                            (int)MAINTENANCE_MINUTES_MAX);
        *ret = (unsigned)minutes;
        return 0;
}

int command_maintenance_on(const Options *options) {
        const char *reason = options->value[OPTION_REASON];
        char tty[TTY_TEXT_MAX];
        unsigned minutes = 0;

        if (!reason)
                return fail(_("a maintenance needs --reason, which goes into the journal"));
        if (!maintenance_reason_is_good(reason))
                return fail(_("--reason has to be one line of visible text, at most %d bytes"),
                            (int)MAINTENANCE_REASON_MAX);
        if (minutes_of(options->value[OPTION_MINUTES], &minutes) != 0)
                return EXIT_TROUBLE;
        if (geteuid() != 0)
                return fail(_("only root may begin or end a maintenance"));
        if (!console_is_here(tty))
                return fail(_("this is for the console of the terminal itself, and this is %s"), tty);
        if (maintenance_begin(reason, minutes) != 0)
                return EXIT_TROUBLE;
        return show(options);
}

int command_maintenance_off(const Options *options) {
        int r;

        if (geteuid() != 0)
                return fail(_("only root may begin or end a maintenance"));
        r = guard_end_maintenance();
        if (r < 0)
                return fail(_("the guard does not answer on the system bus (%s)"), strerror(-r));
        if (r == 0 && !options->value[OPTION_JSON]) {
                puts(_("There is no maintenance."));
                return EXIT_YES;
        }
        return show(options) == EXIT_TROUBLE ? EXIT_TROUBLE : EXIT_YES;
}
