/* SPDX-License-Identifier: GPL-2.0-or-later */
/* People see what is enrolled for their own account, and put a new one-time password program in place of
 * theirs. The guard does it, which asks for a factor that they have. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/enrol.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/text.h"
#include "pam_module/totp.h"

enum {
        LINE_SIZE = 128
};

bool own_is_meant(const Options *options) {
        const struct passwd *entry;

        if (geteuid() == 0)
                return false;
        if (options->n_arguments == 0)
                return true;
        entry = getpwuid(geteuid());
        return entry && strcmp(entry->pw_name, options->arguments[0]) == 0;
}

/* What is of root's store is none of theirs. */
static int check_options(const Options *options) {
        if (options->value[OPTION_PERSON] || options->value[OPTION_BY] || options->value[OPTION_STATE_DIR])
                return fail(_("--person, --by and --state-dir are for root"));
        return 0;
}

static int no_answer(int r) {
        if (r == -EACCES)
                return fail(_("the guard does not allow that for this account, or not from here; an "
                              "administrator can "
                              "do it"));
        return fail(_("the guard does not answer on the system bus (%s)"), strerror(-r));
}

static int print_json(const OwnFactors *own, const char *person) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        struct json_object *list = json_object_new_array();

        json_put_text(object, "user", own->account);
        if (person)
                json_put_text(object, "person", person);
        for (unsigned i = 0; i < FACTORS_N; i++)
                if (own->factors & FACTOR_BIT(i))
                        json_append_text(list, factor_to_string((Factor)i));
        json_object_object_add(object, "factors", list);
        json_put_number(object, "recovery_left", own->recovery_left);
        return json_print(object, "\n") < 0 ? fail(_("out of memory")) : 0;
}

static void print(const OwnFactors *own) {
        if (own->factors == 0)
                puts(_("nothing is enrolled"));
        for (unsigned i = 0; i < FACTORS_N; i++)
                if ((own->factors & FACTOR_BIT(i)) && i != FACTOR_RECOVERY)
                        puts(factor_to_string((Factor)i));
        if (own->recovery_left > 0)
                printf(_("recovery: %u codes left\n"), own->recovery_left);
}

int enrol_print_factors(const Options *options, const OwnFactors *found, const char *person) {
        if (options->value[OPTION_JSON])
                return print_json(found, person);
        print(found);
        return 0;
}

int own_factors(const Options *options) {
        OwnFactors own = {0};
        int r = check_options(options);

        if (r != 0)
                return r;
        r = guard_own_factors(&own);
        if (r < 0)
                return no_answer(r);
        r = enrol_print_factors(options, &own, NULL);
        if (r != 0)
                return r;
        return own.factors ? EXIT_YES : EXIT_NO;
}

int enrol_read_code(Secret *ret) {
        char line[LINE_SIZE];
        int r;

        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
                return fail(_("no code was given; nothing was enrolled"));
        line[strcspn(line, "\r\n")] = '\0';
        r = secret_from(line, strlen(line), ret);
        explicit_bzero(line, sizeof(line));
        return r < 0 ? fail(_("out of memory")) : 0;
}

static int tell(ReenrolVerdict verdict, unsigned wait) {
        switch (verdict) {
        case REENROL_DONE:
                puts(_("The new program is enrolled; codes of the one before are taken no more."));
                return EXIT_YES;
        case REENROL_WAIT:
                (void)fail(_("Too many failures. Try again in %u seconds."), wait);
                return EXIT_NO;
        case REENROL_UNCONFIRMED:
                (void)fail(_("that is not the code; nothing was enrolled"));
                return EXIT_NO;
        case REENROL_DENY:
                break;
        }
        (void)fail(_("that was no code of yours that counts; nothing was enrolled"));
        return EXIT_NO;
}

static int ask_and_enrol(const Options *options, const OwnFactors *own, TotpEnrolment *totp) {
        CLEANUP_SECRET Secret uri = {0}, code = {0}, confirmation = {0};
        ReenrolVerdict verdict = REENROL_DENY;
        unsigned wait = 0;
        int r = enrol_new_totp(options, totp);

        if (r != 0)
                return r;
        if (totp_uri(totp, ENROL_ISSUER, own->account, &uri) < 0)
                return fail(_("out of memory"));
        printf("%s", _("A code that you can log in with now, of your program or from your paper: "));
        if ((r = enrol_read_code(&code)) != 0 || (r = enrol_show(totp, uri.text)) != 0 ||
            (r = enrol_read_code(&confirmation)) != 0)
                return r;
        r = guard_enrol_own(code.text, totp, confirmation.text, &verdict, &wait);
        return r < 0 ? no_answer(r) : tell(verdict, wait);
}

int own_enrol(const Options *options) {
        OwnFactors own = {0};
        TotpEnrolment *totp;
        int r = check_options(options);

        if (r != 0)
                return r;
        if (options->value[OPTION_JSON])
                return fail(_("--json is for root: here a code is asked for"));
        if (secret_init() < 0)
                return fail(_("libsodium cannot be used"));
        r = guard_own_factors(&own);
        if (r < 0)
                return no_answer(r);
        if (!(own.factors & (FACTOR_BIT(FACTOR_TOTP) | FACTOR_BIT(FACTOR_RECOVERY))))
                return fail(_("you have no code to show who you are: an administrator has to enrol you"));
        totp = secret_alloc(sizeof(*totp));
        if (!totp)
                return fail(_("out of memory"));
        r = ask_and_enrol(options, &own, totp);
        secret_free(totp);
        return r;
}
