/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * card_people.h: whose card it is, of the people who share an account. That is what a card says, and proves
 * nothing: the person it names has to log in with it like anybody else.
 */
#pragma once

#include "pam_module/enrolment.h"
#include "pam_module/store.h"

typedef struct CardPeople {
        CardEnrolment *list; /* owned; PERSON is the staff number */
        size_t n, room;
} CardPeople;

void card_people_clear(CardPeople *people);
#define CLEANUP_CARD_PEOPLE CLEANUP(card_people_clear)

/* The cards of all who share ACCOUNT and whose enrolment can be read: who cannot log in by it keeps nobody
 * else from it. The store's lock is held. 0 or -errno. */
int card_people_load(const Store *store, const char *account, uid_t uid, CardPeople *ret);

/* Who of PEOPLE else than PERSON has CARD, or NULL. */
const char *card_people_other(const CardPeople *people, const char *person, const CardEnrolment *card);

/* Whose card is in a reader, by the module at PATH. 1 with RET; 0 if there is none, or those of several
 * people; -ENOMEM. */
int card_people_find(const CardPeople *people, const char *path, char ret[static PERSON_SIZE]);
