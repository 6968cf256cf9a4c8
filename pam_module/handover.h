/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.h: what a login has shown, handed on to the process that opens the session where another one has
 * authenticated: sshd does that in a child and takes over nothing of PAM's but its environment. There it is
 * left, for that very parent process, with a message authentication code: environments are not only root's
 * to write. The key lies in the store, and is made with the first such login.
 */
#pragma once

#include "pam_module/login.h"

/* Leaves STATE for the parent of this process. 0 or -errno. */
int handover_leave(const Login *login, const LoginState *state);

/* Takes what a child of this process has left about UID, and removes it. 0, -ENOENT if there is none, -EPERM
 * if it is not genuine, -errno. */
int handover_take(const Login *login, uid_t uid, LoginState *ret);

/* Removes what is left, where nobody needs it. */
void handover_forget(pam_handle_t *pamh);
