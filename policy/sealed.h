/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sealed.h: from a bundle with its signature to its files, if somebody signed it whose signature counts. Not
 * a byte of what is signed is looked at before that is certain.
 */
#pragma once

#include "policy/bundle.h"
#include "policy/faults.h"
#include "policy/keyring.h"

/* Whether TEXT sets out to be a sealed bundle, and not YAML. */
bool sealed_is(const char *text, size_t length);

/* PATH names the bundle in faults. RET borrows from TEXT; RET_SIGNATURE says by whom. 0, -ENOMEM, or
 * -EBADMSG with one fault added. */
int sealed_open(const char *path, const char *text, size_t length, const Keyring *keyring, Bundle *ret,
                MinisignSignature *ret_signature, Faults *faults);
