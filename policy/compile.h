/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.h: from what was read of one checked file into a Policy, on top of what earlier files gave.
 */
#pragma once

#include "policy/model.h"
#include "policy/schema.h"
#include "policy/tree.h"

/* Adds one file's contents. Strings are taken out of RAW. TREE gives the lines. RET_HAS_SERIAL is set when
 * the file has a serial and is untouched otherwise. Returns 0, -ENOMEM, or -EINVAL where RAW and TREE
 * disagree. */
int compile_add(Policy *policy, RawPolicy *raw, const Tree *tree, const char *file, bool *ret_has_serial);

/* What can be said only when all files are in: origins of what no file named, classes by default, the
 * index of serials. */
int compile_finish(Policy *policy);
