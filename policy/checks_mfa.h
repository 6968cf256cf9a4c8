/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checks_mfa.h: what the tables of schema.c cannot say of the section mfa; attached to fields in checks.c.
 */
#pragma once

#include "policy/check.h"

void check_mfa_services(Check *check, const TreeNode *node);
void check_mfa_service(Check *check, const TreeNode *node);
void check_mfa_factors(Check *check, const TreeNode *node);
void check_mfa_rule(Check *check, const TreeNode *node);
void check_mfa_days(Check *check, const TreeNode *node);
void check_mfa_tries(Check *check, const TreeNode *node);
void check_mfa_wait(Check *check, const TreeNode *node);
void check_mfa_wait_max(Check *check, const TreeNode *node);
void check_mfa_drift(Check *check, const TreeNode *node);
void check_mfa_timeout(Check *check, const TreeNode *node);
void check_mfa_lock_idle(Check *check, const TreeNode *node);
void check_self_test_every(Check *check, const TreeNode *node);
void check_grant_minutes(Check *check, const TreeNode *node);
void check_keep_days(Check *check, const TreeNode *node); /* of the records */
void check_mfa_relying_party(Check *check, const TreeNode *node);
void check_mfa_path(Check *check, const TreeNode *node);
void check_mfa_card(Check *check, const TreeNode *node);
void check_mfa_attestation(Check *check, const TreeNode *node);
