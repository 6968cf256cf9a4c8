/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/grace.h"

#include <errno.h>
#include <time.h>

#include "pam_module/conversation.h"

enum {
        MOMENT_SIZE = 32
};

int grace_note(Login *login) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        time_t now = login->now.wall > 0 ? login->now.wall : 1;
        int r = enrolment ? store_lock(&login->store) : -ENOMEM;

        if (r < 0)
                return r;
        r = store_load(&login->store, login->key, login->account.subject.uid, enrolment);
        if (r == -ENOENT) {
                enrolment->uid = login->account.subject.uid;
                r = 0;
        }
        if (r == 0) {
                if (enrolment->first_seen == 0)
                        enrolment->first_seen = now;
                if (enrolment->last_seen < now)
                        enrolment->last_seen = now;
                r = store_save(&login->store, login->key, enrolment);
        }
        store_unlock(&login->store);
        return r;
}

/* "2026-11-28 17:15", as the policy writes moments. False where that cannot be told. */
static bool moment_text(time_t moment, char text[static MOMENT_SIZE]) {
        struct tm tm;

        return localtime_r(&moment, &tm) && strftime(text, MOMENT_SIZE, "%Y-%m-%d %H:%M", &tm) > 0;
}

static void tell(const Login *login, const char *text) {
        const char *contact = login->policy->contact;
        CLEANUP_FREE char *whom = NULL;

        (void)conversation_tell(login->pamh, login->flags, text);
        if (contact && asprintf(&whom, _("To have one enrolled, ask: %s"), contact) > 0)
                (void)conversation_tell(login->pamh, login->flags, whom);
}

void grace_tell(const Login *login) {
        CLEANUP_FREE char *text = NULL;
        char end[MOMENT_SIZE];

        if (!moment_text(login->decision.grace_end, end) ||
            asprintf(&text,
                     _("You have no second factor yet. Have one enrolled: from %s on you cannot log in "
                       "without."),
                     end) < 0)
                text = NULL;
        tell(login, text ? text
                         : _("You have no second factor yet. Have one enrolled: soon you cannot log in "
                             "without."));
}

void grace_tell_over(const Login *login) {
        if (login->decision.grace_over && (login->proven & FACTOR_BIT(FACTOR_PASSWORD)))
                tell(login, _("You have no second factor, and the time to have one enrolled is over: you "
                              "cannot log in without."));
}
