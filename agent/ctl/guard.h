/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h: asking the running guard on the system bus. Waits for an answer for some seconds; for a person
 * who is asked for an administrator's password (at a terminal) for two minutes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/grants/question.h"
#include "pam_module/manage.h"
#include "pam_module/reenrol.h"

/* Call METHOD ("Status" or "Devices"). 0 and the JSON as a new string; -EACCES if the guard or the bus
 * refuses; another -errno if there is no bus, no guard on it, or no answer. */
int guard_ask(const char *method, char **ret);

/* Have the policy loaded again: whether it was taken, and the faults of one that was not as a new string.
 * As guard_ask(). */
int guard_reload(bool *ret_loaded, char **ret_faults);

/* Have a sealed bundle put in force: as guard_reload(). */
int guard_install(const char *text, size_t length, bool *ret_installed, char **ret_faults);

/* Have the protection of the guard itself lifted for so many minutes. 0; -ENOTTY if the guard says that this
 * is no console of the terminal; as guard_ask(). */
int guard_begin_maintenance(const char *reason, unsigned minutes);

/* What is enrolled for the caller's own account. 0; -EACCES also if several people use it; as guard_ask().
 */
int guard_own_factors(OwnFactors *ret);

/* Put the one-time password program TOTP, whose code CONFIRMATION is, in place of the caller's own; CODE is
 * of a factor that is enrolled. 0 with RET, and the seconds to wait for REENROL_WAIT; as guard_ask(). */
int guard_enrol_own(const char *code, const TotpEnrolment *totp, const char *confirmation,
                    ReenrolVerdict *ret, unsigned *ret_wait);

/* For an administrator who is not root: what PERSON ("": the account's own) has for the account USER; enrol
 * the one-time password program TOTP, whose code CONFIRMATION is; take FACTOR away ("": all). 0 with a
 * verdict, MANAGE_DONE if it was done; -EACCES; as guard_ask(). */
int guard_factors(const char *user, const char *person, ManageVerdict *ret_verdict, OwnFactors *ret);
int guard_enrol(const char *user, const char *person, const TotpEnrolment *totp, const char *confirmation,
                ManageVerdict *ret);
int guard_unenrol(const char *user, const char *person, const char *factor, ManageVerdict *ret);

/* End it before its time. 1, 0 if there is none; as guard_ask(). */
int guard_end_maintenance(void);

/* Lock the terminal down. 0; -EINVAL for a reason that is none, -EOPNOTSUPP where the guard only watches; as
 * guard_ask(). */
int guard_begin_lockdown(const char *reason);

/* Lift that. 1, 0 if there is none; -EBUSY if the policy asks for it; as guard_ask(). */
int guard_end_lockdown(const char *reason);

/* Ask METHOD of exceptions with the N ARGUMENTS. 0 with JSON as a new string; a negative value with
 * RET_REFUSAL if the guard refuses it for a reason; as guard_ask(). */
int guard_grants(GrantMethod method, const GrantArgument *arguments, size_t n, char **ret,
                 GrantRefusal *ret_refusal);
