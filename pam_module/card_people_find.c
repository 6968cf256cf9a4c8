/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose card is in a reader. Apart from the rest of card_people.h, for it takes PKCS#11. */
#include <errno.h>
#include <string.h>

#include "pam_module/card_people.h"
#include "pam_module/pkcs11.h"

/* Of those who are HERE the only one, or NULL. */
static const char *only_person(const CardPeople *people, const bool *here) {
        const char *person = NULL;

        for (size_t i = 0; i < people->n; i++) {
                if (!here[i])
                        continue;
                if (person && strcmp(person, people->list[i].person) != 0)
                        return NULL;
                person = people->list[i].person;
        }
        return person;
}

int card_people_find(const CardPeople *people, const char *path, char ret[static PERSON_SIZE]) {
        CLEANUP_CARD_MODULE CardModule module = {0};
        CLEANUP_FREE bool *here = NULL;
        const char *person;
        int r;

        if (people->n == 0)
                return 0;
        here = calloc(people->n, sizeof(*here));
        if (!here)
                return -ENOMEM;
        r = card_module_open(path, &module);
        if (r == 0)
                r = card_find_all(&module, people->list, people->n, here);
        if (r <= 0)
                return r == -ENOMEM ? r : 0;
        person = only_person(people, here);
        if (!person)
                return 0;
        memcpy(ret, person, strlen(person) + 1);
        return 1;
}
