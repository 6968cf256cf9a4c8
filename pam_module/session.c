/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guard is told of sessions. It asks for nothing: who has got in has got in. But where several
 * people use one account, a session that nobody's name stands for does not begin.
 */
#include <errno.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "pam_module/guard.h"
#include "pam_module/handover.h"
#include "pam_module/login.h"
#include "pam_module/record.h"

static const char *or_nothing(const char *text) {
        return text ? text : "";
}

/* Whose session it is and what PAM knows of it. 0, or -errno; -ENOENT if there is nothing to tell: the
 * authentication was another process's (sshd), another account's (sudo), or was not asked for. */
static int find_state(Login *login, LoginState *ret) {
        int r;

        if (pam_get_user(login->pamh, &login->user, NULL) != PAM_SUCCESS || !login->user ||
            pam_get_item(login->pamh, PAM_SERVICE, (const void **)&login->service) != PAM_SUCCESS ||
            pam_get_item(login->pamh, PAM_RHOST, (const void **)&login->rhost) != PAM_SUCCESS ||
            pam_get_item(login->pamh, PAM_TTY, (const void **)&login->terminal) != PAM_SUCCESS)
                return -EIO;
        r = account_look_up(login->user, &login->account);
        if (r < 0)
                return r;
        *ret = login_state_get(login);
        return ret->allowed && ret->person[0] ? 0 : -ENOENT;
}

/* What a child of this process has found out, as sshd has it done. */
static int take_over(Login *login, LoginState *ret) {
        int r = handover_take(login, login->account.subject.uid, ret);

        if (r < 0 && r != -ENOENT)
                pam_syslog(login->pamh, LOG_WARNING, "what the authentication left is not genuine: %s",
                           strerror(-r));
        return r < 0 ? r : login_state_put(login->pamh, ret);
}

/* The session as the kernel's control groups have it; not as the environment does, which people can write.
 */
static int append_session(sd_bus_message *call) {
        CLEANUP_FREE char *session = NULL;

        (void)sd_pid_get_session(getpid(),
                                 &session); /* there may be none: no logind, or not in this stack */
        return sd_bus_message_append(call, "s", or_nothing(session));
}

static int tell(Login *login, const LoginState *state, const char *method, bool opened) {
        CLEANUP_GUARD_LINK GuardLink link = {0};
        CLEANUP_MESSAGE sd_bus_message *call = NULL;
        char factors[FACTORS_TEXT_SIZE];
        int r = guard_open(GUARD_WAIT_USEC, &link);

        if (r == 0)
                r = guard_new_call(&link, GUARD_LOGINS, method, &call);
        if (r == 0)
                r = append_session(call);
        if (r >= 0)
                r = sd_bus_message_append(call, "usssbs", (uint32_t)state->uid, state->person,
                                          factors_text(state->proven, factors), or_nothing(login->terminal),
                                          login->rhost && login->rhost[0] ? 1 : 0, state->token);
        if (r >= 0 && opened)
                r = sd_bus_message_append(call, "su", or_nothing(login->service), (uint32_t)getpid());
        return r < 0 ? r : guard_call(&link, call, NULL);
}

static void note_told(Login *login) {
        const LoginState *state = NULL;

        if (pam_get_data(login->pamh, LOGIN_STATE_NAME, (const void **)&state) == PAM_SUCCESS && state)
                ((LoginState *)state)->told = true; /* it is ours: login_state_set() made it */
}

int login_open_session(Login *login, int argc, const char **argv) {
        LoginState state;
        int r = login_take_arguments(login, argc, argv);

        if (r < 0)
                return PAM_SESSION_ERR;
        login_tell_monitor(login);
        r = find_state(login, &state);
        if (r == -ENOENT && !login_state_denied(login->pamh))
                r = take_over(login, &state);
        handover_forget(login->pamh);
        if (r < 0)
                return r == -ENOENT ? PAM_SUCCESS : PAM_SESSION_ERR;
        r = tell(login, &state, "OpenSession", true);
        if (r == 0) {
                note_told(login);
                return PAM_SUCCESS;
        }
        pam_syslog(login->pamh, LOG_WARNING, "the guard could not be told who has logged in: %s",
                   strerror(-r));
        return state.shared ? PAM_SESSION_ERR : PAM_SUCCESS;
}

/* What is not told is forgotten by the guard when the process is gone. */
int login_close_session(Login *login) {
        CLEANUP_GUARD_LINK GuardLink link = {0};
        CLEANUP_MESSAGE sd_bus_message *call = NULL;
        LoginState state;

        if (find_state(login, &state) < 0 || !state.told)
                return PAM_SUCCESS;
        if (guard_open(GUARD_WAIT_USEC, &link) == 0 &&
            guard_new_call(&link, GUARD_LOGINS, "CloseSession", &call) == 0 &&
            sd_bus_message_append(call, "u", (uint32_t)getpid()) >= 0)
                (void)guard_call(&link, call, NULL);
        return PAM_SUCCESS;
}

void login_tell_unlock(Login *login) {
        LoginState state;
        int r = geteuid() == 0 ? find_state(login, &state) : -ENOENT; /* else the guard knows already */

        if (r == 0)
                r = tell(login, &state, "ChangePerson", false);
        if (r < 0 && r != -ENOENT)
                pam_syslog(login->pamh, LOG_WARNING, "the guard could not be told who has unlocked: %s",
                           strerror(-r));
}
