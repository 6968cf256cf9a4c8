/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * marks.h: the socket marks of the programs that network rules name. A socket keeps its mark for as long as
 * it lives, over any number of policies: so a program's mark comes from its path, and not from its place.
 */
#pragma once

#include "policy/model.h"

/* The mark of each of POLICY's network rules, by its number; 0 where it is for any program. Equal programs
 * have equal marks, others have others. To be freed. 0 or -ENOMEM. */
int network_marks_make(const Policy *policy, uint32_t **ret);
