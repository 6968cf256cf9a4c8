/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hide.h: the one place at which names of files go out of a record, before it leaves the agent. */
#pragma once

#include "agent/report/record.h"
#include "policy/file_names.h"

/* Takes the names out of every field of RECORD that may have one. What cannot be hidden for want of memory
 * is left out. */
void record_hide_names(Record *record, const FileNamesSecret *secret);
