/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Screen lockers that run as the person. They can read neither policy nor store, and nobody but the person
 * hangs on what they find: the guard decides, and here it is only asked for what it wants. Writes no record:
 * one of a person's own process would be nobody's word.
 */
#include <errno.h>
#include <security/pam_ext.h>
#include <syslog.h>
#include <unistd.h>

#include "pam_module/conversation.h"
#include "pam_module/guard.h"
#include "pam_module/login.h"
#include "pam_module/unlock.h"

typedef struct Answer {
        UnlockVerdict verdict;
        bool shared;
        unsigned wait;
} Answer;

static int ask(Login *login, const char *person, const char *code, Answer *ret) {
        CLEANUP_GUARD_LINK GuardLink link = {0};
        CLEANUP_MESSAGE sd_bus_message *call = NULL, *reply = NULL;
        const char *word;
        uint32_t wait;
        int shared, verdict, r = guard_open(GUARD_WAIT_USEC, &link);

        if (r == 0)
                r = guard_new_call(&link, GUARD_LOCKERS, "Authenticate", &call);
        if (r == 0)
                r = sd_bus_message_sensitive(call);
        if (r >= 0)
                r = sd_bus_message_append(call, "sbss", login->service, (int)login_has_password(login),
                                          person, code);
        if (r >= 0) {
                link.deadline += GUARD_CHECK_USEC;
                r = guard_call(&link, call, &reply);
        }
        if (r >= 0)
                r = sd_bus_message_read(reply, "sbu", &word, &shared, &wait);
        if (r < 0)
                return r;
        verdict = unlock_verdict_from_string(word);
        *ret = (Answer){.verdict = verdict < 0 ? UNLOCK_DENY : (UnlockVerdict)verdict,
                        .shared = shared,
                        .wait = wait};
        return 0;
}

/* What was asked for and is not there is as nothing: it proves nothing. 0 or -errno. */
static int ask_person(Login *login, const Answer *answer, Answer *ret) {
        CLEANUP_SECRET Secret person = {0}, code = {0};
        int r = answer->shared ? conversation_ask(login->pamh, _("Staff number: "), &person) : 0;

        if (r == 0)
                r = conversation_ask_secret(login->pamh, _("One-time code: "), &code);
        if (r == -ENODATA)
                return -EACCES;
        return r < 0 ? r : ask(login, person.text ? person.text : "", code.text, ret);
}

static void tell_wait(Login *login, unsigned seconds) {
        char text[256];

        (void)snprintf(text, sizeof(text), _("Too many failures. Try again in %u seconds."), seconds);
        (void)conversation_tell(login->pamh, login->flags, text);
}

static int decide(Login *login) {
        Answer answer = {.verdict = UNLOCK_DENY};
        int r = account_look_up(login->user, &login->account);

        if (r < 0)
                return PAM_AUTHINFO_UNAVAIL;
        if (!login->account.known || login->account.subject.uid != geteuid())
                return PAM_PERM_DENIED;
        r = ask(login, "", "", &answer);
        if (r == 0 && answer.verdict == UNLOCK_MORE)
                r = ask_person(login, &answer, &answer);
        if (r < 0)
                return r == -EACCES ? PAM_AUTH_ERR : PAM_AUTHINFO_UNAVAIL;
        switch (answer.verdict) {
        case UNLOCK_ALLOW:
                return PAM_SUCCESS;
        case UNLOCK_WAIT:
                tell_wait(login, answer.wait);
                return PAM_MAXTRIES;
        case UNLOCK_MORE:
        case UNLOCK_DENY:
                return PAM_AUTH_ERR;
        }
        return PAM_AUTH_ERR;
}

int login_by_guard(Login *login, int argc, const char **argv) {
        int code;

        if (login_state_set(login, false) < 0)
                return PAM_BUF_ERR;
        if (secret_init() < 0 || login_take_arguments(login, argc, argv) < 0 || login_take_items(login) < 0)
                return PAM_AUTHINFO_UNAVAIL;
        code = decide(login);
        if (code == PAM_SUCCESS && login_state_set(login, true) < 0)
                code = PAM_BUF_ERR;
        if (code == PAM_AUTHINFO_UNAVAIL)
                pam_syslog(login->pamh, LOG_WARNING, "the guard does not answer, or not now");
        return code;
}
