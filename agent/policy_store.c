/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/policy_copies.h"
#include "policy/bundle.h"
#include "policy/file.h"
#include "policy/scope.h"

static int load(const char *path, const char *keys, Policy **ret, bool *ret_builtin, PolicyFaults *faults) {
        Policy *policy = NULL;
        int r = policy_load_with_keys(path, keys, &policy, faults), resolved;

        if (r < 0)
                return r;
        resolved = policy_resolve(policy, &policy_resolver_nss);
        if (resolved < 0) {
                policy_unref(policy);
                return resolved;
        }
        *ret_builtin = r == 1;
        *ret = policy;
        return 0;
}

/* One fault, in line 0 where it is of the file as a whole. Takes MESSAGE over, which may be NULL for want of
 * memory. */
static int add_fault(PolicyFaults *faults, const char *file, size_t line, char *message) {
        PolicyFault *items = reallocarray(faults->items, faults->n + 1, sizeof(*items));
        char *name = strdup(file);

        if (items)
                faults->items = items;
        if (!items || !name || !message) {
                free(name);
                free(message);
                return -ENOMEM;
        }
        faults->items[faults->n++] =
                (PolicyFault){.file = name, .line = line, .column = line > 0 ? 1 : 0, .message = message};
        return -EBADMSG;
}

/* The place "FILE:LINE"; where it is none, the file PATH. */
static int add_fault_at(PolicyFaults *faults, const char *origin, const char *path, char *message) {
        const char *colon = origin ? strrchr(origin, ':') : NULL;
        CLEANUP_FREE char *file = colon ? strndup(origin, (size_t)(colon - origin)) : strdup(path);

        if (!file) {
                free(message);
                return -ENOMEM;
        }
        return add_fault(faults, file, colon ? strtoul(colon + 1, NULL, 10) : 0, message);
}

static int add_faultf(PolicyFaults *faults, const char *file, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
static int add_faultf(PolicyFaults *faults, const char *file, const char *format, ...) {
        char *message = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&message, format, ap) < 0)
                message = NULL;
        va_end(ap);
        return add_fault(faults, file, 0, message);
}

/* A serial never goes down: an old policy that somebody kept must not bring back what was withdrawn. */
static int check_serial(const PolicyStore *store, const Policy *policy, PolicyFaults *faults) {
        Restored restored;

        if (restored_read(store->state_dir, &restored) == 1 && policy->serial <= restored.serial)
                return add_faultf(
                        faults, store->path,
                        "serial %" PRIu64 " is not above %" PRIu64
                        ", up to which policies were put aside by sekishoctl policy restore: expected a "
                        "higher one",
                        policy->serial, restored.serial);
        if (policy->serial >= store->floor.serial)
                return 0;
        return add_faultf(faults, store->path,
                          "serial %" PRIu64 " is lower than %" PRIu64
                          ", which was in force: expected the same or a higher one",
                          policy->serial, store->floor.serial);
}

static int check_signature(const PolicyStore *store, const Policy *policy, PolicyFaults *faults) {
        switch (floor_judge(&store->floor, policy)) {
        case FLOOR_UNSIGNED:
                return add_faultf(faults, store->path,
                                  "is not signed, and a policy that was in force requires it: expected a "
                                  "signed bundle");
        case FLOOR_ASKS_UNSIGNED:
                return add_faultf(faults, store->path,
                                  "requires signatures and has none itself: expected a signed bundle");
        case FLOOR_REVOKED:
                return add_faultf(faults, store->path,
                                  "is signed with the key %" PRIX64
                                  ", which a policy has revoked: expected another",
                                  policy->signature->id);
        case FLOOR_GOOD:
                return 0;
        }
        return -EBADMSG;
}

/* Only of a policy that comes into force: one that is in force outlives its date. */
static int check_dates(const PolicyStore *store, const Policy *policy, PolicyFaults *faults) {
        time_t now = time(NULL);

        if (policy->not_before > now)
                return add_faultf(faults, store->path,
                                  "is not to come into force yet (not-before): expected a later time, or "
                                  "another edition");
        if (policy->expires != 0 && policy->expires <= now)
                return add_faultf(faults, store->path, "has expired: expected a newer edition");
        return 0;
}

/* A terminal that nobody can log in to any more is no safer for it, and nobody can put it right. */
static int try_out(const PolicyStore *store, const Policy *policy, bool builtin, const char *path,
                   PolicyFaults *faults) {
        const char *origin = NULL;
        char *why = NULL;

        if (builtin || !store->trial ||
            store->trial(store->trial_userdata, store->policy, policy, &why, &origin) <= 0)
                return 0;
        return add_fault_at(faults, origin, path, why);
}

/* That no policy is there at all gives the built-in default, which approves nothing; but where policies have
 * to be signed only root at the console takes the last one away (sekishoctl policy restore). */
static int judge_none(const PolicyStore *store, PolicyFaults *faults) {
        Restored restored;

        if (!store->floor.signing_required || restored_read(store->state_dir, &restored) == 1)
                return 0;
        return add_faultf(
                faults, store->path,
                "holds no policy any more, and one that was in force requires a signed one: expected "
                "that, or sekishoctl policy restore");
}

/* Whether POLICY may come into force: 0 or -errno with FAULTS. */
static int judge(const PolicyStore *store, const Policy *policy, bool builtin, PolicyFaults *faults) {
        int r;

        if (builtin)
                return judge_none(store, faults);
        r = check_signature(store, policy, faults);
        if (r == 0)
                r = check_dates(store, policy, faults);
        if (r == 0)
                r = check_serial(store, policy, faults);
        return r == 0 ? try_out(store, policy, builtin, store->path, faults) : r;
}

/* Remember what became of an attempt. Takes FAULTS over. 0, 1 or -errno. */
static int finish(PolicyStore *store, int r, PolicyFaults *faults) {
        policy_faults_clear(&store->faults);
        store->refused = 0;
        if (r >= 0) {
                policy_faults_clear(faults);
                return 0;
        }
        store->faults = *faults;
        store->refused = time(NULL);
        return r == -EBADMSG ? 1 : r;
}

/* Load the configured path into POLICY; on refusal remember why. 0, 1 or -errno. */
static int try_path(PolicyStore *store, Policy **ret, bool *ret_builtin) {
        PolicyFaults faults = {0};
        int r = load(store->path, store->keys, ret, ret_builtin, &faults);

        if (r >= 0) {
                r = judge(store, *ret, *ret_builtin, &faults);
                if (r < 0)
                        *ret = policy_unref(*ret);
        }
        return finish(store, r, &faults);
}

static bool is_put_aside(const PolicyStore *store, const Policy *policy) {
        Restored restored;

        return restored_read(store->state_dir, &restored) == 1 && policy->serial <= restored.serial;
}

static int keep_floor(const PolicyStore *store) {
        char path[PATH_MAX], text[FLOOR_TEXT_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/" FLOOR_NAME, store->state_dir) >= sizeof(path))
                return -ENAMETOOLONG;
        return file_replace(path, text, floor_format(&store->floor, text), 0600);
}

static int drop_note(const PolicyStore *store) {
        Restored restored;

        if (restored_read(store->state_dir, &restored) != 1 || !restored.told)
                return 0; /* else it waits for its record */
        return restored_drop(store->state_dir);
}

/* A policy from the configured path is in force. What cannot be kept is for the caller to tell: the next
 * start would fall back to what was before. A floor that was not written is tried again with each policy. */
static void settle_in(PolicyStore *store) {
        bool learned = floor_learn(&store->floor, store->policy) || store->unkept[KEPT_FLOOR] < 0;

        store->unkept[KEPT_FLOOR] = learned ? keep_floor(store) : 0;
        store->unkept[KEPT_LAST_GOOD] = policy_copies_keep(store->path, store->last_good);
        store->unkept[KEPT_HISTORY] =
                store->policy->signature
                        ? policy_copies_add_history(store->path, store->state_dir, store->policy->serial)
                        : 0;
        store->unkept[KEPT_NOTE] = drop_note(store);
}

/* The state directory, of which LAST_GOOD came, may be an older copy of itself: that one was followed by
 * another, and neither the agent nor who logs people in is to find it again. */
static void set_against(PolicyStore *store, uint64_t known, Policy **last_good, bool absent) {
        if (known > store->floor.serial) {
                store->was_behind = true;
                store->floor.serial = known;
                store->unkept[KEPT_FLOOR] = keep_floor(store);
        }
        if (!*last_good || absent || (*last_good)->serial >= known)
                return;
        *last_good = policy_unref(*last_good);
        store->unkept[KEPT_LAST_GOOD] = policy_copies_drop(store->last_good);
}

int policy_store_open(PolicyStore *store, const char *path, const char *state_dir, PolicyTrial trial,
                      void *trial_userdata) {
        return policy_store_open_above(store, path, state_dir, 0, trial, trial_userdata);
}

int policy_store_open_above(PolicyStore *store, const char *path, const char *state_dir, uint64_t known,
                            PolicyTrial trial, void *trial_userdata) {
        PolicyFaults ignored = {0};
        Policy *last_good = NULL;
        bool absent = false;
        int r;

        *store = (PolicyStore){.path = strdup(path), .trial = trial, .trial_userdata = trial_userdata};
        store->state_dir = strdup(state_dir);
        store->keys = policy_keys_of(path);
        if (!store->path || !store->state_dir || !store->keys ||
            asprintf(&store->last_good, "%s/last-good", state_dir) < 0)
                return -ENOMEM;
        store->loaded = time(NULL);
        (void)floor_read(state_dir,
                         &store->floor); /* one that makes no sense is made anew from what follows */
        if (load(store->last_good, store->keys, &last_good, &absent, &ignored) == 0) {
                if (floor_judge(&store->floor, last_good) == FLOOR_GOOD)
                        (void)floor_learn(&store->floor, last_good);
                else
                        last_good = policy_unref(last_good);
        }
        policy_faults_clear(&ignored);
        set_against(store, known, &last_good, absent);
        r = try_path(store, &store->policy, &store->builtin);
        if (r == 0) {
                policy_unref(last_good);
                if (!store->builtin)
                        settle_in(store);
                return 0;
        }
        if (last_good && (is_put_aside(store, last_good) ||
                          try_out(store, last_good, absent, store->last_good, &store->faults) < 0))
                last_good = policy_unref(last_good);
        if (last_good) {
                store->policy = last_good;
                store->builtin = absent;
                return 1;
        }
        store->builtin = true;
        r = policy_default(&store->policy);
        return r < 0 ? r : 1;
}

void policy_store_set_lsm(PolicyStore *store, bool missing) {
        store->lsm_missing = missing;
        store->policy->lsm_missing = missing;
}

void policy_store_set_locked(PolicyStore *store, bool locked) {
        store->machine_locked = locked;
        policy_set_machine_locked(store->policy, locked);
}

int policy_store_reload(PolicyStore *store, Policy **ret_old) {
        Policy *policy = NULL;
        bool builtin = false;
        int r = try_path(store, &policy, &builtin);

        if (r != 0)
                return r;
        policy->lsm_missing = store->lsm_missing;
        policy_set_machine_locked(policy, store->machine_locked);
        *ret_old = store->policy;
        store->policy = policy;
        store->builtin = builtin;
        store->loaded = time(NULL);
        if (!builtin)
                settle_in(store);
        return 0;
}

/* The directory of policies as one where a bundle may be put. 0 or -errno. */
static int bundle_path(const PolicyStore *store, char path[static PATH_MAX]) {
        int r = directory_ensure(store->path, 0700);

        if (r < 0)
                return r;
        return (size_t)snprintf(path, PATH_MAX, "%s/" BUNDLE_NAME, store->path) >= PATH_MAX ? -ENAMETOOLONG
                                                                                            : 0;
}

/* What is there now: a new string, NULL if nothing is. 0 or -errno. */
static int read_bundle(const char *path, char **ret, size_t *ret_length) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return file_read_whole(fd, POLICY_FILE_MAX, ret, ret_length);
}

static int put_back(const char *path, const char *old, size_t length) {
        if (old)
                return file_replace(path, old, length, 0600);
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* 0 if the sealed TEXT may replace what is there; else -errno with FAULTS. */
static int judge_sealed(const PolicyStore *store, const char *path, const char *text, size_t length,
                        bool same, PolicyFaults *faults) {
        Policy *policy = NULL;
        int r = policy_load_sealed(path, text, length, store->keys, &policy, faults);

        if (r == 0)
                r = policy_resolve(policy, &policy_resolver_nss);
        if (r == 0)
                r = judge(store, policy, false, faults);
        if (r == 0 && !same && policy->serial == store->floor.serial)
                r = add_faultf(faults, path,
                               "serial %" PRIu64 " was in force with other contents: expected a higher one",
                               policy->serial);
        policy_unref(policy);
        return r;
}

int policy_store_install(PolicyStore *store, const char *text, size_t length, Policy **ret_old) {
        CLEANUP_FREE char *old = NULL;
        PolicyFaults faults = {0};
        char path[PATH_MAX];
        size_t old_length = 0;
        int r = bundle_path(store, path);

        if (r == 0)
                policy_copies_tidy(store->path);
        if (r == 0)
                r = read_bundle(path, &old, &old_length);
        if (r == 0)
                r = judge_sealed(store, path, text, length,
                                 old && old_length == length && memcmp(old, text, length) == 0, &faults);
        if (r == 0)
                r = file_replace(path, text, length, 0600);
        if (r < 0)
                return finish(store, r, &faults);
        policy_faults_clear(&faults);
        r = policy_store_reload(store, ret_old);
        if (r != 0) /* what was judged good is not: its names, or the machine, have changed meanwhile */
                (void)put_back(path, old, old_length);
        return r;
}

void policy_store_close(PolicyStore *store) {
        policy_unref(store->policy);
        policy_faults_clear(&store->faults);
        free(store->path);
        free(store->last_good);
        free(store->state_dir);
        free(store->keys);
        *store = (PolicyStore){0};
}

int policy_store_learn_serial(PolicyStore *store, uint64_t serial) {
        if (serial <= store->floor.serial)
                return 0;
        store->floor.serial = serial;
        store->unkept[KEPT_FLOOR] = keep_floor(store);
        return 1;
}

uint64_t policy_store_kept_serial(const PolicyStore *store) {
        return store->builtin || store->unkept[KEPT_FLOOR] < 0 || store->unkept[KEPT_LAST_GOOD] < 0
                       ? 0
                       : store->policy->serial;
}

int policy_store_take_restored(const PolicyStore *store, Restored *ret) {
        Restored restored;
        int r = restored_read(store->state_dir, &restored);

        if (r <= 0 || restored.told)
                return r < 0 ? r : 0;
        *ret = restored;
        restored.told = true;
        r = restored_write(store->state_dir, &restored);
        return r < 0 ? r : 1;
}
