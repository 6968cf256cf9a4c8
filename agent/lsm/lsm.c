/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/lsm.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent/lsm/pins.h"
#include "policy/scope.h"

#define LSM_MAP_LIST(X)                                                                                     \
        X(superblocks) X(disks) X(characters) X(people) X(types) X(settings) X(guards) X(events) X(lost)
#define LSM_MAP_CONSTANT_(name) MAP_##name,
#define LSM_MAP_NAME_(name)     [MAP_##name] = #name,
enum {
        LSM_MAP_LIST(LSM_MAP_CONSTANT_) MAPS
};
static const char *const map_names[MAPS] = {LSM_MAP_LIST(LSM_MAP_NAME_)};

enum {
        EVENTS_PER_TURN = 256
};

/* Numbers that this agent has judged: what else stands in a map is an earlier one's. */
typedef struct Numbers {
        uint32_t *items;
        size_t n;
} Numbers;

struct Lsm {
        char directory[PATH_MAX], version[32];
        int maps[MAPS];
        struct ring_buffer *ring;
        sd_event_source *source;
        LsmHandler handler;
        void *userdata;
        unsigned taken; /* events in this turn of the loop */
        size_t hooks;
        bool adopted; /* they were in the kernel already */
        bool settled, lenient, deny_reads;
        Numbers known[MAPS];
};

/* what the kernel tells */

static int on_event(void *userdata, void *data, size_t size) {
        Lsm *lsm = userdata;
        LsmDenial denial;

        if (lsm_denial_from_event(data, size, &denial) == 0)
                lsm->handler(lsm->userdata, &denial);
        return ++lsm->taken < EVENTS_PER_TURN ? 0 : -EAGAIN; /* others have their turn as well */
}

static void take_lost(Lsm *lsm) {
        struct lsm_lost key;
        uint64_t count;

        while (bpf_map_get_next_key(lsm->maps[MAP_lost], NULL, &key) == 0) {
                LsmDenial denial;

                if (bpf_map_lookup_and_delete_elem(lsm->maps[MAP_lost], &key, &count) < 0)
                        return;
                lsm_denial_from_count(&key, count, &denial);
                lsm->handler(lsm->userdata, &denial);
        }
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Lsm *lsm = userdata;

        (void)source;
        (void)fd;
        (void)revents;
        lsm->taken = 0;
        (void)ring_buffer__consume(lsm->ring); /* what is left has the source ready again */
        take_lost(lsm);
        return 0;
}

/* taking over */

static int open_maps(Lsm *lsm) {
        for (int i = 0; i < MAPS; i++) {
                lsm->maps[i] = pins_open(lsm->directory, map_names[i]);
                if (lsm->maps[i] < 0)
                        return lsm->maps[i];
        }
        return 0;
}

static int watch_ring(Lsm *lsm, sd_event *event) {
        int r;

        lsm->ring = ring_buffer__new(lsm->maps[MAP_events], on_event, lsm, NULL);
        if (!lsm->ring)
                return -errno;
        r = sd_event_add_io(event, &lsm->source, ring_buffer__epoll_fd(lsm->ring), EPOLLIN, on_ring, lsm);
        if (r >= 0)
                r = sd_event_source_set_priority(lsm->source, SD_EVENT_PRIORITY_NORMAL + 10);
        return r;
}

static bool is_hook(const char *name) {
        return strncmp(name, "guard_", 6) == 0 || strncmp(name, "forget_", 7) == 0;
}

static int update(int map, const void *key, const void *value) {
        return bpf_map_update_elem(map, key, value, BPF_ANY) < 0 ? -errno : 0;
}

static uint32_t read_bsg_major(void) {
        CLEANUP_FILE FILE *f = fopen("/proc/devices", "re");
        char name[64], line[128];
        unsigned number;

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "%u %63s", &number, name) == 2 && strcmp(name, "bsg") == 0)
                        return number;
        return 0;
}

static int write_settings(Lsm *lsm) {
        struct lsm_settings value = {.written = 1,
                                     .lenient = lsm->lenient || !lsm->settled,
                                     .deny_reads = lsm->deny_reads,
                                     .bsg_major = read_bsg_major()};
        uint32_t zero = 0;

        return update(lsm->maps[MAP_settings], &zero, &value);
}

static int attach_hook(void *userdata, const char *name) {
        Lsm *lsm = userdata;
        int r = is_hook(name) ? pins_attach(lsm->directory, name) : 0;

        if (is_hook(name) && r == 0)
                lsm->hooks++;
        return r;
}

/* Programs that an earlier agent left in force stay as strict as it left them. */
static int attach(Lsm *lsm) {
        struct lsm_settings value;
        uint32_t zero = 0;
        int r;

        if (bpf_map_lookup_elem(lsm->maps[MAP_settings], &zero, &value) < 0)
                return -errno;
        lsm->deny_reads = value.deny_reads;
        lsm->settled = lsm->adopted && value.written && !value.lenient;
        r = write_settings(lsm);
        return r < 0 ? r : pins_foreach(lsm->directory, attach_hook, lsm);
}

static int at(const char *step, int r, char why[LSM_WHY]) {
        if (r < 0)
                snprintf(why, LSM_WHY, "%s: %s", step, strerror(-r));
        return r;
}

int lsm_new(sd_event *event, LsmHandler handler, void *userdata, Lsm **ret, char why[LSM_WHY]) {
        Lsm *lsm = calloc(1, sizeof(*lsm));
        int r;

        why[0] = '\0';
        if (!lsm)
                return -ENOMEM;
        for (int i = 0; i < MAPS; i++)
                lsm->maps[i] = -1;
        lsm->handler = handler;
        lsm->userdata = userdata;
        lsm_version(lsm->version, sizeof(lsm->version));
        snprintf(lsm->directory, sizeof(lsm->directory), "%s/%s", LSM_ROOT, lsm->version);
        lsm->adopted = access(lsm->directory, F_OK) == 0;
        r = lsm->adopted ? 0 : lsm_load(LSM_ROOT, lsm->version, why);
        if (r == 0)
                r = at("maps", open_maps(lsm), why);
        if (r == 0)
                r = at("process", lsm_guard_process(lsm, getpid()), why);
        if (r == 0)
                r = at("events", watch_ring(lsm, event), why);
        if (r >= 0)
                r = at("hooks", attach(lsm), why);
        if (r < 0) {
                lsm_free(lsm);
                return r;
        }
        *ret = lsm;
        return 0;
}

Lsm *lsm_free(Lsm *lsm) {
        if (!lsm)
                return NULL;
        sd_event_source_disable_unref(lsm->source);
        ring_buffer__free(lsm->ring);
        for (int i = 0; i < MAPS; i++) {
                if (lsm->maps[i] >= 0)
                        close(lsm->maps[i]);
                free(lsm->known[i].items);
        }
        free(lsm);
        return NULL;
}

/* what this agent has judged */

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

        return r < 0 ? r : update(lsm->maps[map], &key, value);
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

int lsm_settle(Lsm *lsm) {
        static const int judged[] = {MAP_superblocks, MAP_disks, MAP_characters};
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(judged) && r == 0; i++)
                r = sweep(lsm, judged[i], &lsm->known[judged[i]]);
        lsm->settled = true;
        if (r == 0)
                r = write_settings(lsm);
        return r < 0 ? r : pins_remove_others(LSM_ROOT, lsm->version);
}

int lsm_remove(void) {
        int r = pins_remove_others(LSM_ROOT, "");

        if (r == -ENOENT)
                return 0;
        if (r == 0 && rmdir(LSM_ROOT) < 0)
                r = -errno;
        return r;
}

/* verdicts */

int lsm_free_type(Lsm *lsm, const char *fstype) {
        struct lsm_type type = {0};
        uint8_t yes = 1;

        if (strlen(fstype) >= sizeof(type.name))
                return -ENAMETOOLONG;
        memcpy(type.name, fstype, strlen(fstype));
        return update(lsm->maps[MAP_types], &type, &yes);
}

int lsm_settings(Lsm *lsm, bool lenient, bool deny_reads) {
        lsm->lenient = lenient;
        lsm->deny_reads = deny_reads;
        return write_settings(lsm);
}

static int name_all(Lsm *lsm, struct lsm_person person, const uint32_t *ids, size_t n, uint8_t is_group) {
        uint8_t yes = 1;

        person.is_group = is_group;
        for (size_t i = 0; i < n; i++) {
                int r;

                person.id = ids[i];
                r = update(lsm->maps[MAP_people], &person, &yes);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_person_of(const struct lsm_person *person, uint32_t dev, uint8_t on) {
        return person->dev == dev && person->on == on;
}

static bool is_named(const LsmVerdict *verdict, const struct lsm_person *person) {
        const RuleScope *scope =
                person->condition < verdict->value.n_conditions ? verdict->scopes[person->condition] : NULL;
        const uint32_t *ids = !scope ? NULL : person->is_group ? scope->gids : scope->uids;
        size_t n = !scope ? 0 : person->is_group ? scope->n_gids : scope->n_uids;

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
                r = name_all(lsm, person, scope->uids, scope->n_uids, 0);
                if (r == 0)
                        r = name_all(lsm, person, scope->gids, scope->n_gids, 1);
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

        return process < 0 ? -errno : update(lsm->maps[MAP_guards], &process, &yes);
}

static const char *const tellers[] = {"tell_want_write", "tell_want_write_file", "tell_open"};

int lsm_tell_refused(Lsm *lsm, bool tell) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(tellers) && r == 0; i++)
                r = tell ? pins_attach(lsm->directory, tellers[i]) : pins_detach(lsm->directory, tellers[i]);
        return r;
}

size_t lsm_hooks(const Lsm *lsm) {
        return lsm->hooks;
}
