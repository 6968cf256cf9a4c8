/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random_policy.h: policies and questions by chance, over so few names that rules meet and shadow each
 * other. The seed is SEKISHO_TEST_SEED, or of the moment; a test prints it, so that what it found can be had
 * again.
 */
#pragma once

#include <stdint.h>

#include "policy/decide.h"
#include "policy/decide_mfa.h"
#include "policy/decide_network.h"

typedef struct Random {
        uint64_t state, seed;
} Random;

Random random_begin(void);
unsigned random_below(Random *random, unsigned n);
/* True in one of N cases. */
bool random_one_in(Random *random, unsigned n);

typedef struct RandomQuestion {
        DeviceIdentity device; /* strings are static */
        uint8_t class;
        SuperblockIdentity superblock, filesystem; /* of the device; of the network */
        Subject subject;
        gid_t groups[3];
        bool writing;
        PolicyTime now;
        NetworkQuestion network;
        MfaQuestion login;
} RandomQuestion;

/* A policy that loads, with users and groups that every machine has. Those of the same NUMBER differ in a
 * few places. Text to be freed. */
char *random_policy_text(Random *random, uint64_t number);
Policy *random_policy(Random *random, uint64_t number);

/* Names as the numbers that questions have. */
void random_policy_resolve(Policy *policy);

/* The name of who asks. */
const char *random_user(const RandomQuestion *question);

/* RET refers to itself: it must not be copied. */
void random_question(Random *random, RandomQuestion *ret);
