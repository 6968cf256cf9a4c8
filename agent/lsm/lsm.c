/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/lsm/pins.h"
#include "agent/lsm/private.h"
#include "policy/scope.h"

static const char *const map_names[MAPS] = {LSM_MAP_LIST(LSM_MAP_NAME_)};

enum {
        EVENTS_PER_TURN = 256
};

/* what the kernel tells */

static int on_event(void *userdata, void *data, size_t size) {
        Lsm *lsm = userdata;
        LsmDenial denial;

        if (lsm_denial_from_event(data, size, &denial) == 0)
                lsm->handler(lsm->userdata, &denial);
        return ++lsm->taken < EVENTS_PER_TURN ? 0 : -EAGAIN; /* others have their turn as well */
}

/* An end between the record and the note of it has the same told twice: too many rather than too few. */
static void take_lost(Lsm *lsm) {
        struct lsm_lost key, next;
        bool first = true;

        while (bpf_map_get_next_key(lsm->maps[MAP_lost], first ? NULL : &key, &next) == 0) {
                uint64_t count = 0, told = 0;
                LsmDenial denial;

                first = false;
                key = next;
                (void)bpf_map_lookup_elem(lsm->maps[MAP_lost], &key, &count);
                (void)bpf_map_lookup_elem(lsm->maps[MAP_told], &key, &told); /* none: nothing */
                if (count <= told)
                        continue;
                lsm_denial_from_count(&key, count - told, &denial);
                lsm->handler(lsm->userdata, &denial);
                (void)lsm_update(lsm->maps[MAP_told], &key, &count);
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

bool lsm_is_hook(const char *name) {
        return strncmp(name, "guard_", 6) == 0 || strncmp(name, "forget_", 7) == 0 ||
               strncmp(name, PINS_DEVICE, strlen(PINS_DEVICE)) == 0;
}

int lsm_update(int map, const void *key, const void *value) {
        return bpf_map_update_elem(map, key, value, BPF_ANY) < 0 ? -errno : 0;
}

/* What the kernel has given the driver WANTED, 0 for nothing. Source: proc(5), /proc/devices. */
static uint32_t read_major(const char *wanted) {
        CLEANUP_FILE FILE *f = fopen("/proc/devices", "re");
        char name[64], line[128];
        unsigned number;

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "%u %63s", &number, name) == 2 && strcmp(name, wanted) == 0)
                        return number;
        return 0;
}

static int write_settings(Lsm *lsm) {
        struct lsm_settings value = {.written = 1,
                                     .lenient = lsm->lenient || !lsm->settled,
                                     .deny_reads = lsm->deny_reads,
                                     .bsg_major = read_major("bsg"),
                                     .mapper_major = read_major("device-mapper"),
                                     .closed = !lsm->has_hooks};
        uint32_t zero = 0;

        return lsm_update(lsm->maps[MAP_settings], &zero, &value);
}

/* Without control groups the hooks hold all the same. */
static int attach_hook(void *userdata, const char *name) {
        Lsm *lsm = userdata;
        int r;

        if (!lsm_is_hook(name))
                return 0;
        r = pins_attach(lsm->directory, name);
        return r == -ENOENT && lsm->has_hooks ? 0 : r;
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

static bool has_program(const Lsm *lsm, const char *name) {
        char path[PATH_MAX + LSM_NAME];

        snprintf(path, sizeof(path), "%s/%s", lsm->directory, name);
        return access(path, F_OK) == 0;
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
        lsm->has_hooks = r == 0 && has_program(lsm, "guard_file_open");
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

bool lsm_has_hooks(const Lsm *lsm) {
        return lsm->has_hooks;
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

int lsm_settle(Lsm *lsm) {
        int r = lsm_sweep(lsm);

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
        return lsm_update(lsm->maps[MAP_types], &type, &yes);
}

int lsm_settings(Lsm *lsm, bool lenient, bool deny_reads) {
        lsm->lenient = lenient;
        lsm->deny_reads = deny_reads;
        return write_settings(lsm);
}

static const char *const tellers[] = {"tell_want_write", "tell_want_write_file", "tell_open"};

int lsm_tell_refused(Lsm *lsm, bool tell) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(tellers) && r == 0; i++)
                r = tell ? pins_attach(lsm->directory, tellers[i]) : pins_detach(lsm->directory, tellers[i]);
        return r;
}
