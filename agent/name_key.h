/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * name_key.h: the secret of this terminal by which names of files become tokens: STATE/names.key, which root
 * alone reads. Who has it can try names; who has lost it cannot find old ones any more.
 */
#pragma once

#include "policy/file_names.h"

/* 0; -ENOENT if there is none, -EBADMSG if it is damaged, -errno. */
int name_key_read(const char *state_dir, unsigned char ret[static FILE_NAMES_KEY]);

/* The same; where there is none a new one is made first. */
int name_key_ensure(const char *state_dir, unsigned char ret[static FILE_NAMES_KEY]);
