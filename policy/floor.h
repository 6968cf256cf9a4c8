/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor.h: what a terminal has learned from the policies that were in force and does not unlearn: the
 * highest serial, that policies have to be signed, and the keys that were revoked. The agent keeps it in
 * STATE/floor; whoever decides by a policy judges it by this first. Lines of text:
 *
 *     serial 2026112101
 *     signing required
 *     revoked A266A3C8B735E67
 */
#pragma once

#include "policy/keyring.h"
#include "policy/model.h"

#define FLOOR_NAME "floor"

enum {
        FLOOR_TEXT_MAX = 4096
};

typedef struct Floor {
        uint64_t serial;
        bool signing_required;
        uint64_t revoked[REVOKED_MAX];
        size_t n_revoked;
} Floor;

/* 0 or -EBADMSG, RET untouched then. */
int floor_parse(const char *text, Floor *ret);

/* TEXT gets what floor_parse() takes. Its length. */
size_t floor_format(const Floor *floor, char text[static FLOOR_TEXT_MAX]);

/* STATE_DIR's. 0, also if there is none (RET is empty then), or -errno (-EBADMSG: it makes no sense). */
int floor_read(const char *state_dir, Floor *ret);

/* What is wrong with who signed POLICY, or that nobody did. */
typedef enum FloorVerdict {
        FLOOR_UNSIGNED,      /* and policies have to be */
        FLOOR_ASKS_UNSIGNED, /* it says itself that policies have to be */
        FLOOR_REVOKED,       /* by a policy, or by itself */
        FLOOR_GOOD,
} FloorVerdict;
FloorVerdict floor_judge(const Floor *floor, const Policy *policy);

/* POLICY is in force. Whether FLOOR changed by that. */
bool floor_learn(Floor *floor, const Policy *policy);
