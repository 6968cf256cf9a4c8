/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/card_people.h"

#include <errno.h>
#include <string.h>

enum {
        ROOM_MIN = 16,
        PEOPLE_CARDS_MAX = 4096 /* more share no account */
};

void card_people_clear(CardPeople *people) {
        free(people->list);
        *people = (CardPeople){0};
}

static int add(CardPeople *people, const CardEnrolment *card, const char *person) {
        if (people->n == people->room) {
                size_t room = people->room > 0 ? people->room * 2 : ROOM_MIN;
                CardEnrolment *list = reallocarray(people->list, room, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                people->list = list;
                people->room = room;
        }
        if (people->n == PEOPLE_CARDS_MAX)
                return -E2BIG;
        people->list[people->n] = *card;
        memcpy(people->list[people->n].person, person, strlen(person) + 1);
        people->n++;
        return 0;
}

typedef struct Loading {
        const Store *store;
        const char *account;
        uid_t uid;
        CardPeople people;
} Loading;

static int take(const char *person, void *userdata) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        Loading *loading = userdata;
        char key[STORE_KEY_SIZE];
        int r = enrolment ? store_key(loading->account, person, key) : -ENOMEM;

        if (r == 0)
                r = store_load(loading->store, key, loading->uid, enrolment);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; r == 0 && i < CARDS_MAX; i++)
                if (enrolment->cards[i].length > 0)
                        r = add(&loading->people, &enrolment->cards[i], person);
        return r;
}

int card_people_load(const Store *store, const char *account, uid_t uid, CardPeople *ret) {
        Loading loading = {.store = store, .account = account, .uid = uid};
        int r = store_each_person(store, account, take, &loading);

        if (r < 0) {
                card_people_clear(&loading.people);
                return r;
        }
        *ret = loading.people;
        return 0;
}

const char *card_people_other(const CardPeople *people, const char *person, const CardEnrolment *card) {
        for (size_t i = 0; i < people->n; i++)
                if (strcmp(people->list[i].person, person) != 0 && people->list[i].length == card->length &&
                    memcmp(people->list[i].certificate, card->certificate, card->length) == 0)
                        return people->list[i].person;
        return NULL;
}
