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
 * authenticated (sshd does). Only after a denial in this transaction it is refused. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void)flags;
        (void)argc;
        (void)argv;
        return login_state_denied(pamh) ? PAM_CRED_ERR : PAM_SUCCESS;
}
