/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions in the words of people. */
#include <string.h>

#include "agent/ctl/grants.h"
#include "agent/ctl/i18n.h"
#include "agent/grants/book.h"

const char *grants_refusal_text(GrantRefusal refusal) {
        switch (refusal) {
        case GRANT_TAKEN:
                break;
        case GRANT_NOT_ALLOWED:
                return _("the policy of this terminal allows no grants (grants.allowed)");
        case GRANT_WATCHES_ONLY:
                return _("the guard only watches here: nothing is denied that a grant would allow");
        case GRANT_IN_LOCKDOWN:
                return _("there is an emergency lockdown: lift that first");
        case GRANT_NEEDS_LSM:
                return _("a grant is for one person, and this kernel has no BPF LSM to tell people apart: "
                         "what is approved for some is written to by nobody here (without-lsm)");
        case GRANT_BAD_ARGUMENTS:
                return _("the guard does not take these arguments; each text is one line of at most 200 "
                         "bytes, and a reason is needed");
        case GRANT_NO_SERIAL:
                return _("this medium has no serial number: another one could take its place");
        case GRANT_NO_SUCH_USER:
                return _("there is no such user on this terminal");
        case GRANT_NOT_YOURS:
                return _("this is for yourself only");
        case GRANT_TOO_LONG:
                return _("that is longer than the policy allows (grants.minutes-max)");
        case GRANT_APPROVED_ALREADY:
                return _("the policy lets everybody write to this medium already");
        case GRANT_MEDIUM_TAKEN:
                return _("a grant for this medium is running already");
        case GRANT_NO_KEY:
                return _("this terminal has no key for answers by telephone (grants.answer-key)");
        case GRANT_SAME_PERSON:
                return _("somebody else has to approve: neither who asked nor who is to write");
        case GRANT_NO_LOGIN:
                return _(
                        "it takes two people, and root without a login could be anybody: log in as yourself "
                        "first");
        case GRANT_SESSION_UNKNOWN:
                return _(
                        "it cannot be told for which session of this account that would be: have the person "
                        "ask for it in their own, or the others log out");
        case GRANT_NO_SUCH_GRANT:
                return _("there is no such grant");
        case GRANT_OTHER_STATE:
                return _("nothing waits for that, or it is too late");
        case GRANT_WRONG_CODE:
                return _("that is not the code");
        case GRANT_MISHEARD:
                return _("there is a mistake in this code: have it read out again");
        case GRANT_WAIT:
                return _("too many codes were wrong: wait some minutes");
        case GRANT_BOOK_UNREADABLE:
                return _("the book of grants cannot be read, and nothing is granted until it is put aside");
        case GRANT_BOOK_FULL:
                return _("the book of grants is full: close those whose media are back");
        case GRANT_NOT_WRITTEN:
                return _("the book of grants could not be written: nothing was granted, and what was taken "
                         "back has "
                         "ended, but may run again if the guard restarts before it can be");
        }
        return _("the guard refuses it");
}

const char *grants_state_text(const char *word) {
        int state = word ? permit_state_from_string(word) : -1;

        if (state < 0)
                return word ? word : "-";
        switch ((PermitState)state) {
        case PERMIT_REFUSED:
                return C_("grant", "refused");
        case PERMIT_ASKED:
                return C_("grant", "waits for approval");
        case PERMIT_CHALLENGED:
                return C_("grant", "waits for code");
        case PERMIT_RUNNING:
                return C_("grant", "running");
        case PERMIT_ENDED:
                return C_("grant", "ended, not returned");
        case PERMIT_CLOSED:
                return C_("grant", "closed");
        }
        return word;
}

const char *grants_cause_text(const char *word) {
        static const struct {
                const char *word, *text;
        } causes[] = {
                {"expired", N_("time over")},
                {"logout", N_("logged out")},
                {"unplugged", N_("medium pulled")},
                {"revoked", N_("taken back")},
                {"lockdown", N_("emergency lockdown")},
                {"policy", N_("not allowed by the policy any more")},
                {"reboot", N_("terminal restarted")},
                {"too-late", N_("nobody approved in time")},
                {"asked-again", N_("asked for again")},
                {"wrong-codes", N_("too many wrong codes")},
                {"person-changed", N_("another person came")},
                {"session-unknown", N_("it could not be told for which session")},
                {"returned", N_("returned")},
                {"erased", N_("erased")},
        };

        if (!word || !*word)
                return "";
        for (size_t i = 0; i < ELEMENTS(causes); i++)
                if (strcmp(causes[i].word, word) == 0)
                        return _(causes[i].text);
        return word;
}
