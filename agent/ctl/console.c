/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/console.h"

#include <systemd/sd-login.h>
#include <unistd.h>

#include "policy/scope.h"

static bool session_is_here(const char *session, char ret_tty[static TTY_TEXT_MAX]) {
        CLEANUP_FREE char *tty = NULL;
        CLEANUP_FREE char *seat = NULL;

        (void)sd_session_get_tty(session, &tty);
        (void)sd_session_get_seat(session, &seat);
        tty_set_name(ret_tty, tty ? tty : seat ? seat : session);
        if (sd_session_is_remote(session) != 0)
                return false; /* also where it cannot be told */
        return seat || (tty && tty_is_local(tty));
}

bool console_is_here(char ret_tty[static TTY_TEXT_MAX]) {
        CLEANUP_FREE char *session = NULL;

        tty_set_name(ret_tty, "-");
        if (sd_pid_get_session(0, &session) >= 0)
                return session_is_here(session, ret_tty);
        return tty_of_process(getpid(), ret_tty) == 0 && tty_is_local(ret_tty);
}
