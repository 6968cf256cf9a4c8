/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h: the commands of sekishoctl. Each takes the options (its own words are no longer among the
 * arguments), prints to stdout, complains to stderr in one line, and returns the exit status.
 */
#pragma once

#include "agent/ctl/options.h"

enum {
        EXIT_YES = 0,    /* yes, in order, allowed */
        EXIT_NO = 1,     /* no, findings, refused */
        EXIT_TROUBLE = 2 /* usage, or it could not be found out */
};

int command_status(const Options *options);
int command_devices(const Options *options);
int command_devices_add(const Options *options);
int command_devices_remove(const Options *options);
int command_devices_list(const Options *options);
int command_events(const Options *options);
int command_review(const Options *options);
int command_audit_verify(const Options *options);
int command_policy_check(const Options *options);
int command_pam_check(const Options *options);
int command_policy_diff(const Options *options);
int command_policy_replay(const Options *options);
int command_policy_restore(const Options *options);
int command_policy_bundle(const Options *options);
int command_policy_sign(const Options *options);
int command_policy_unpack(const Options *options);
int command_policy_install(const Options *options);
int command_policy_fetch(const Options *options);
int command_policy_history(const Options *options);
int command_explain_device(const Options *options);
int command_explain_open(const Options *options);
int command_explain_login(const Options *options);
int command_explain_destination(const Options *options);
int command_network_explain(const Options *options);
int command_maintenance(const Options *options);
int command_maintenance_on(const Options *options);
int command_maintenance_off(const Options *options);
int command_lockdown(const Options *options);
int command_lockdown_on(const Options *options);
int command_lockdown_off(const Options *options);
int command_grant(const Options *options);
int command_grant_approve(const Options *options);
int command_grant_request(const Options *options);
int command_grant_redeem(const Options *options);
int command_grant_answer(const Options *options);
int command_grant_key(const Options *options);
int command_grant_terminal(const Options *options);
int command_grants_list(const Options *options);
int command_grants_show(const Options *options);
int command_grants_revoke(const Options *options);
int command_grants_close(const Options *options);
int command_inspect(const Options *options);
int command_reload(const Options *options);
int command_enrol(const Options *options);
int command_enrol_fido2(const Options *options);
int command_enrol_fingerprint(const Options *options);
int command_enrol_card(const Options *options);
int command_unenrol(const Options *options);
int command_factors(const Options *options);
int command_recovery_codes(const Options *options);
int command_substitute(const Options *options);

/* sekishoctl's main() without the locale: parse, find the command, run it. */
int sekishoctl(int argc, char **argv);
