/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What PAM calls. See pam_sekisho(8). */
#include "pam_module/login.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        CLEANUP_LOGIN Login login = {.pamh = pamh, .flags = flags, .store = STORE_CLOSED};

        return login_authenticate(&login, argc, argv);
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        CLEANUP_LOGIN Login login = {.pamh = pamh, .flags = flags, .store = STORE_CLOSED};

        return login_account(&login, argc, argv);
}

/* There are no credentials of ours to set, and a program may ask in another process than the one that
 * authenticated (sshd does). Only after a denial in this transaction it is refused. Lockers renew the
 * credentials of a session that there is already. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        CLEANUP_LOGIN Login login = {.pamh = pamh, .flags = flags, .store = STORE_CLOSED};

        (void)argc;
        (void)argv;
        if (login_state_denied(pamh))
                return PAM_CRED_ERR;
        if (flags & (PAM_REINITIALIZE_CRED | PAM_REFRESH_CRED))
                login_tell_unlock(&login);
        return PAM_SUCCESS;
}

EXPORTED int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        CLEANUP_LOGIN Login login = {.pamh = pamh, .flags = flags, .store = STORE_CLOSED};

        return login_open_session(&login, argc, argv);
}

EXPORTED int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        CLEANUP_LOGIN Login login = {.pamh = pamh, .flags = flags, .store = STORE_CLOSED};

        (void)argc;
        (void)argv;
        return login_close_session(&login);
}
