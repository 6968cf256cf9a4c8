/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conversation.h: speaking with the person through PAM's conversation, in the program's language.
 */
#pragma once

#include <libintl.h>
#include <security/pam_modules.h>

#include "pam_module/secret.h"

/* Texts that people read, from the catalog of ours: the program has its own. */
#define _(text) dgettext("sekisho", text)

/* Asks for something that is not to be seen. 0, -ENODATA if nothing was answered, or another -errno; RET on
 * success only. */
int conversation_ask_secret(pam_handle_t *pamh, const char *prompt, Secret *ret);

/* The same for something that may be seen. */
int conversation_ask(pam_handle_t *pamh, const char *prompt, Secret *ret);

/* Tells something; nobody waits for an answer. With PAM_SILENT nothing is told. 0 or -errno. */
int conversation_tell(pam_handle_t *pamh, int flags, const char *text);
