/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts and the people they are for, in the maps, and which of them this agent has given. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent/lsm/private.h"
#include "policy/scope.h"

static int compare_numbers(const void *a, const void *b) {
        const uint32_t *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

static size_t place_of(const Numbers *numbers, uint32_t number) {
        size_t low = 0, high = numbers->n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (numbers->items[middle] < number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool holds(const Numbers *numbers, uint32_t number) {
        return numbers->n > 0 &&
               bsearch(&number, numbers->items, numbers->n, sizeof(number), compare_numbers) != NULL;
}

static int remember(Numbers *numbers, uint32_t number) {
        size_t at = place_of(numbers, number);
        uint32_t *grown;

        if (holds(numbers, number))
                return 0;
        grown = reallocarray(numbers->items, numbers->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        memmove(grown + at + 1, grown + at, (numbers->n - at) * sizeof(*grown));
        grown[at] = number;
        numbers->items = grown;
        numbers->n++;
        return 0;
}

static void forget(Numbers *numbers, uint32_t number) {
        size_t at = place_of(numbers, number);

        if (!holds(numbers, number))
                return;
        memmove(numbers->items + at, numbers->items + at + 1,
                (numbers->n - at - 1) * sizeof(*numbers->items));
        numbers->n--;
}

static int set(Lsm *lsm, int map, dev_t devnum, const void *value) {
        uint32_t key = lsm_devnum(devnum);
        int r = remember(&lsm->known[map], key);

        return r < 0 ? r : lsm_update(lsm->maps[map], &key, value);
}

static void drop(Lsm *lsm, int map, dev_t devnum) {
        uint32_t key = lsm_devnum(devnum);

        forget(&lsm->known[map], key);
        (void)bpf_map_delete_elem(lsm->maps[map], &key); /* it may have gone by itself */
}

/* Delete from MAP, keyed by a number at the front, whatever stands on a number this agent has not judged. */
static int sweep(Lsm *lsm, int map, const Numbers *known) {
        uint32_t key, next;
        bool first = true;

        while (bpf_map_get_next_key(lsm->maps[map], first ? NULL : &key, &next) == 0) {
                first = false;
                if (!holds(known, next)) {
                        if (bpf_map_delete_elem(lsm->maps[map], &next) < 0 && errno != ENOENT)
                                return -errno;
                        first = true; /* the walk goes on from what is there still */
                        continue;
                }
                key = next;
        }
        return 0;
}

int lsm_sweep(Lsm *lsm) {
        static const int judged[] = {MAP_superblocks, MAP_disks, MAP_characters};
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(judged) && r == 0; i++)
                r = sweep(lsm, judged[i], &lsm->known[judged[i]]);
        return r;
}

static int name_all(Lsm *lsm, struct lsm_person person, const uint32_t *ids, size_t n, uint8_t what) {
        uint8_t yes = 1;

        person.what = what;
        for (size_t i = 0; i < n; i++) {
                int r;

                person.id = ids[i];
                r = lsm_update(lsm->maps[MAP_people], &person, &yes);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_person_of(const struct lsm_person *person, uint32_t dev, uint8_t on) {
        return person->dev == dev && person->on == on;
}

/* The ids of SCOPE that are of that kind. */
static const uint32_t *ids_of(const RuleScope *scope, uint8_t what, size_t *ret_n) {
        *ret_n = what == LSM_USER ? scope->n_uids : what == LSM_GROUP ? scope->n_gids : scope->n_sessions;
        return what == LSM_USER ? scope->uids : what == LSM_GROUP ? scope->gids : scope->sessions;
}

static bool is_named(const LsmVerdict *verdict, const struct lsm_person *person) {
        const RuleScope *scope =
                person->condition < verdict->value.n_conditions ? verdict->scopes[person->condition] : NULL;
        size_t n = 0;
        const uint32_t *ids = scope ? ids_of(scope, person->what, &n) : NULL;

        for (size_t i = 0; i < n; i++)
                if (ids[i] == person->id)
                        return true;
        return false;
}

/* Delete who is in the map for that number and not in VERDICT. */
static void unname_others(Lsm *lsm, uint32_t dev, uint8_t on, const LsmVerdict *verdict) {
        struct lsm_person key, next;
        bool first = true;

        while (bpf_map_get_next_key(lsm->maps[MAP_people], first ? NULL : &key, &next) == 0) {
                first = false;
                if (is_person_of(&next, dev, on) && !is_named(verdict, &next)) {
                        if (bpf_map_delete_elem(lsm->maps[MAP_people], &next) < 0)
                                return; /* it is gone already */
                        first = true;
                        continue;
                }
                key = next;
        }
}

/* Who is no longer meant goes before the verdict changes, who is new comes before it. */
static int set_verdict(Lsm *lsm, int map, uint8_t on, dev_t devnum, const LsmVerdict *verdict) {
        struct lsm_person person = {.dev = lsm_devnum(devnum), .on = on};
        int r = 0;

        unname_others(lsm, person.dev, on, verdict);
        for (size_t i = 0; i < verdict->value.n_conditions && r == 0; i++) {
                const RuleScope *scope = verdict->scopes[i];

                person.condition = (uint8_t)i;
                for (uint8_t what = LSM_USER; what <= LSM_SESSION && r == 0; what++) {
                        size_t n;
                        const uint32_t *ids = ids_of(scope, what, &n);

                        r = name_all(lsm, person, ids, n, what);
                }
        }
        if (r == 0)
                r = set(lsm, map, devnum, &verdict->value);
        if (r < 0)
                drop(lsm, map, devnum);
        return r;
}

int lsm_superblock(Lsm *lsm, dev_t devnum, const LsmVerdict *verdict) {
        return set_verdict(lsm, MAP_superblocks, LSM_ON_SUPERBLOCK, devnum, verdict);
}

int lsm_disk(Lsm *lsm, dev_t devnum, const LsmVerdict *verdict) {
        return set_verdict(lsm, MAP_disks, LSM_ON_DISK, devnum, verdict);
}

static void forget_verdict(Lsm *lsm, int map, uint8_t on, dev_t devnum) {
        static const LsmVerdict nobody;

        drop(lsm, map, devnum);
        unname_others(lsm, lsm_devnum(devnum), on, &nobody);
}

void lsm_superblock_forget(Lsm *lsm, dev_t devnum) {
        forget_verdict(lsm, MAP_superblocks, LSM_ON_SUPERBLOCK, devnum);
}

void lsm_disk_forget(Lsm *lsm, dev_t devnum) {
        forget_verdict(lsm, MAP_disks, LSM_ON_DISK, devnum);
}

static bool is_known(const Lsm *lsm, int map, dev_t devnum) {
        uint32_t key = lsm_devnum(devnum);
        struct lsm_verdict value;

        return bpf_map_lookup_elem(lsm->maps[map], &key, &value) == 0;
}

bool lsm_superblock_known(Lsm *lsm, dev_t devnum) {
        return is_known(lsm, MAP_superblocks, devnum);
}

bool lsm_disk_known(Lsm *lsm, dev_t devnum) {
        return is_known(lsm, MAP_disks, devnum);
}

int lsm_character(Lsm *lsm, dev_t devnum, bool guarded) {
        uint32_t value = guarded ? LSM_CHAR_GUARDED : LSM_CHAR_FREE;

        return set(lsm, MAP_characters, devnum, &value);
}

void lsm_character_forget(Lsm *lsm, dev_t devnum) {
        drop(lsm, MAP_characters, devnum);
}

int lsm_guard_process(Lsm *lsm, pid_t pid) {
        CLEANUP_CLOSE int process = pidfd_open(pid, 0);
        uint32_t yes = 1;

        return process < 0 ? -errno : lsm_update(lsm->maps[MAP_guards], &process, &yes);
}
