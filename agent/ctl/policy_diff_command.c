/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy diff. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/policy_diff.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "policy/build.h"
#include "policy/load.h"

/* What is in force: what the guard took last, as far as that may be read; else what is configured; else the
 * built-in default. */
static const char *in_force(void) {
        return access(LAST_GOOD_PATH "/.", R_OK) == 0 ? LAST_GOOD_PATH : DEFAULT_POLICY_PATH;
}

static int parse_limit(const char *text, size_t *ret) {
        unsigned long value;
        char *end;

        *ret = POLICY_DIFF_QUESTIONS_MAX;
        if (!text)
                return 0;
        errno = 0;
        value = strtoul(text, &end, 10);
        if (*text < '1' || *text > '9' || *end != '\0' || errno != 0 || value > 1000000000)
                return fail(_("--limit '%s': expected a number from 1 to %d"), text, 1000000000);
        *ret = value;
        return 0;
}

static int read_now(const char *text, time_t *ret) {
        uint64_t at = timespec_now();
        const char *why;

        if (text && timespec_parse(text, at, TIMESPEC_START, &at, &why) < 0)
                return fail("--at '%s': %s", text, _(why));
        *ret = (time_t)(at / USEC_PER_SEC);
        return 0;
}

int command_policy_diff(const Options *options) {
        const char *before_path = options->n_arguments > 1 ? options->arguments[0] : in_force(),
                   *after_path = options->arguments[options->n_arguments - 1];
        CLEANUP_POLICY Policy *before = NULL, *after = NULL;
        CLEANUP_JSON struct json_object *diff = NULL;
        size_t limit;
        time_t now = 0;
        bool locked;
        int r;

        if (parse_limit(options->value[OPTION_LIMIT], &limit) != 0 ||
            read_now(options->value[OPTION_AT], &now) != 0 ||
            explain_load(before_path, options->n_arguments > 1, &before) < 0 ||
            explain_load(after_path, true, &after) < 0)
                return EXIT_TROUBLE;
        before->lsm_missing = after->lsm_missing = status_file_lacks_lsm(options->value[OPTION_RUNTIME_DIR]);
        r = policy_diff(before, after, now, limit, &diff);
        if (r < 0)
                return fail(_("the policies could not be compared: %s"), strerror(-r));
        locked = status_file_is_locked_down(options->value[OPTION_RUNTIME_DIR]);
        json_put_flag(diff, "lockdown_ignored", locked);
        json_put_text(diff, "before", before_path);
        json_put_text(diff, "after", after_path);
        if (!options->value[OPTION_JSON]) {
                if (locked)
                        puts(_("This terminal is locked down: what follows holds once that is lifted."));
                printf(_("From %s to %s:\n"), before_path, after_path);
                r = policy_diff_print(diff, stdout);
        } else
                r = json_print(diff, "\n");
        if (r < 0)
                return fail(_("out of memory"));
        return policy_diff_changes(diff) ? EXIT_NO : EXIT_YES;
}
