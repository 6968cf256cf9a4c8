/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An administrator who is not root sees what others have to log in with, enrols them, and takes factors
 * away. The guard does it, which asks polkit whether they may, and records who did it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/enrol.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "pam_module/totp.h"

/* What only counts where the store is written directly. */
static int check_options(const Options *options) {
        if (options->value[OPTION_BY] || options->value[OPTION_STATE_DIR])
                return fail(_("--by and --state-dir are for root"));
        return 0;
}

static const char *person_of(const Options *options) {
        return options->value[OPTION_PERSON] ? options->value[OPTION_PERSON] : "";
}

static int no_answer(int r) {
        if (r == -EACCES)
                return fail(_("you may not do this for others; root may, and whom polkit allows it"));
        return fail(_("the guard does not do it, or does not answer on the system bus (%s)"), strerror(-r));
}

/* 0, or a status after one line on stderr. */
static int tell(const Options *options, ManageVerdict verdict) {
        const char *user = options->arguments[0];

        switch (verdict) {
        case MANAGE_DONE:
                return 0;
        case MANAGE_OWN:
                return fail(_("another person has to do this for '%s'"), user);
        case MANAGE_UNKNOWN:
                return fail(_("there is no such user, staff number or factor"));
        case MANAGE_UNCONFIRMED:
                return fail(_("that is not the code; nothing was enrolled"));
        case MANAGE_ALREADY:
                return fail(_("'%s' has totp already; take it away first with sekishoctl unenrol"), user);
        case MANAGE_DENY:
                break;
        }
        return fail(_("the guard does not do it"));
}

int others_factors(const Options *options) {
        ManageVerdict verdict = MANAGE_DENY;
        OwnFactors found = {0};
        int r = check_options(options);

        if (r != 0)
                return r;
        r = guard_factors(options->arguments[0], person_of(options), &verdict, &found);
        if (r < 0)
                return no_answer(r);
        if ((r = tell(options, verdict)) != 0 ||
            (r = enrol_print_factors(options, &found, options->value[OPTION_PERSON])) != 0)
                return r;
        return found.factors ? EXIT_YES : EXIT_NO;
}

int others_unenrol(const Options *options) {
        const char *factor = options->n_arguments > 1 ? options->arguments[1] : "";
        ManageVerdict verdict = MANAGE_DENY;
        int r = check_options(options);

        if (r != 0)
                return r;
        r = guard_unenrol(options->arguments[0], person_of(options), factor, &verdict);
        return r < 0 ? no_answer(r) : tell(options, verdict);
}

static int show_and_enrol(const Options *options, TotpEnrolment *totp) {
        const char *user = options->arguments[0], *person = options->value[OPTION_PERSON];
        CLEANUP_FREE char *label = person ? text_format("%s:%s", user, person) : strdup(user);
        CLEANUP_SECRET Secret uri = {0}, confirmation = {0};
        ManageVerdict verdict = MANAGE_DENY;
        int r = enrol_new_totp(options, totp);

        if (r != 0)
                return r;
        if (!label || totp_uri(totp, ENROL_ISSUER, label, &uri) < 0)
                return fail(_("out of memory"));
        if ((r = enrol_show(totp, uri.text)) != 0 || (r = enrol_read_code(&confirmation)) != 0)
                return r;
        r = guard_enrol(user, person_of(options), totp, confirmation.text, &verdict);
        if (r < 0)
                return no_answer(r);
        r = tell(options, verdict);
        if (r != 0)
                return r;
        printf(_("totp is enrolled for %s."), user);
        putchar('\n');
        return EXIT_YES;
}

int others_enrol(const Options *options) {
        TotpEnrolment *totp;
        int r = check_options(options);

        if (r != 0)
                return r;
        if (options->value[OPTION_JSON])
                return fail(_("--json is for root: here a code is asked for"));
        if (secret_init() < 0)
                return fail(_("libsodium cannot be used"));
        totp = secret_alloc(sizeof(*totp));
        if (!totp)
                return fail(_("out of memory"));
        r = show_and_enrol(options, totp);
        secret_free(totp);
        return r;
}
