/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checks_network.h: the checks of checks.c that are about destinations and interfaces.
 */
#pragma once

#include "policy/check.h"

void check_port(Check *check, const TreeNode *node);
void check_ports_need_protocol(Check *check, const TreeNode *node);
void check_address(Check *check, const TreeNode *node);
void check_interface(Check *check, const TreeNode *node);
void check_interface_pattern(Check *check, const TreeNode *node);
void check_kernel_word(Check *check, const TreeNode *node);
void check_mac(Check *check, const TreeNode *node);
void check_interface_match(Check *check, const TreeNode *node);
