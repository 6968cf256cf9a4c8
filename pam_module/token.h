/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * token.h: what a login was made with, by its name at the agent (policy/token.h), which locks the session
 * when it is taken away. Reads sysfs. Never fails: a key that cannot be found any more has a name as well,
 * that of one which is gone.
 */
#pragma once

#include <stddef.h>

#include "policy/token.h"

/* Of the key at NODE ("/dev/hidraw3"), while it is open: no other can have its number then. "" for a key
 * that is not plugged in, as one by NFC. */
void token_of_key(const char *node, char ret[static TOKEN_SIZE]);

/* Of the card in the slot whose description, padded with blanks, has LENGTH bytes (CK_SLOT_INFO of
 * PKCS#11). */
void token_of_card(const unsigned char *description, size_t length, char ret[static TOKEN_SIZE]);
