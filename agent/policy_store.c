/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/policy_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

enum {
        POLICY_FILE_MAX = 4 * 1024 * 1024
};

static bool is_policy_name(const char *name) {
        size_t n = strlen(name);

        return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

/* Remove every policy file of DIR but those that KEEP (a directory, or NULL) has, too. */
static int remove_stale(const char *dir, const char *keep) {
        CLEANUP_DIR DIR *d = opendir(dir);
        const struct dirent *entry;

        if (!d)
                return -errno;
        while ((entry = readdir(d))) {
                char path[PATH_MAX];

                if (!is_policy_name(entry->d_name))
                        continue;
                snprintf(path, sizeof(path), "%s/%s", keep ? keep : "", entry->d_name);
                if (keep && access(path, F_OK) == 0)
                        continue;
                if (unlinkat(dirfd(d), entry->d_name, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int copy_file(const char *from, const char *to) {
        CLEANUP_FREE char *text = malloc(POLICY_FILE_MAX + 1);
        ssize_t n;

        if (!text)
                return -ENOMEM;
        n = file_read_small(AT_FDCWD, from, text, POLICY_FILE_MAX + 1);
        if (n < 0)
                return (int)n;
        text[n] = '\n'; /* the reader dropped it */
        return file_replace(to, text, (size_t)n + 1, 0600);
}

static int copy_directory(const char *from, const char *to) {
        CLEANUP_DIR DIR *d = opendir(from);
        const struct dirent *entry;

        if (!d)
                return -errno;
        while ((entry = readdir(d))) {
                char source[PATH_MAX], target[PATH_MAX];
                int r;

                if (!is_policy_name(entry->d_name))
                        continue;
                if ((size_t)snprintf(source, sizeof(source), "%s/%s", from, entry->d_name) >=
                            sizeof(source) ||
                    (size_t)snprintf(target, sizeof(target), "%s/%s", to, entry->d_name) >= sizeof(target))
                        return -ENAMETOOLONG;
                r = copy_file(source, target);
                if (r < 0)
                        return r;
        }
        return remove_stale(to, from);
}

/* Keep a copy of what is in force now. It is only ever read again if it loads whole. */
static int remember(const PolicyStore *store) {
        char target[PATH_MAX];
        struct stat st;
        int r = directory_ensure(store->last_good, 0700);

        if (r < 0)
                return r;
        if (stat(store->path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return copy_directory(store->path, store->last_good);
        snprintf(target, sizeof(target), "%s/policy.yaml", store->last_good);
        r = copy_file(store->path, target);
        if (r < 0)
                return r;
        return 0;
}

static int load(const char *path, Policy **ret, bool *ret_builtin, PolicyFaults *faults) {
        Policy *policy = NULL;
        int r = policy_load(path, &policy, faults), resolved;

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

/* A serial never goes down: an old policy that somebody kept must not bring back what was withdrawn. That no
 * policy is there at all gives the built-in default, which approves nothing. */
static int check_serial(const PolicyStore *store, const Policy *policy, bool builtin, PolicyFaults *faults) {
        char *message = NULL;
        Restored restored;

        if (!builtin && restored_read(store->state_dir, &restored) == 1 &&
            policy->serial <= restored.serial) {
                if (asprintf(
                            &message,
                            "serial %" PRIu64 " is not above %" PRIu64
                            ", up to which policies were put aside by sekishoctl policy restore: expected a "
                            "higher one",
                            policy->serial, restored.serial) < 0)
                        message = NULL;
                return add_fault(faults, store->path, 0, message);
        }
        if (builtin || policy->serial >= store->serial_floor)
                return 0;
        if (asprintf(&message,
                     "serial %" PRIu64 " is lower than %" PRIu64
                     ", which was in force: expected the same or a higher one",
                     policy->serial, store->serial_floor) < 0)
                message = NULL;
        return add_fault(faults, store->path, 0, message);
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

/* Load the configured path into POLICY; on refusal remember why. 0, 1 or -errno. */
static int try_path(PolicyStore *store, Policy **ret, bool *ret_builtin) {
        PolicyFaults faults = {0};
        int r = load(store->path, ret, ret_builtin, &faults);

        if (r >= 0) {
                r = check_serial(store, *ret, *ret_builtin, &faults);
                if (r == 0)
                        r = try_out(store, *ret, *ret_builtin, store->path, &faults);
                if (r < 0)
                        *ret = policy_unref(*ret);
                else if ((*ret)->serial > store->serial_floor)
                        store->serial_floor = (*ret)->serial;
        }

        policy_faults_clear(&store->faults);
        store->refused = 0;
        if (r >= 0) {
                policy_faults_clear(&faults);
                return 0;
        }
        store->faults = faults;
        store->refused = time(NULL);
        return r == -EBADMSG ? 1 : r;
}

static bool is_put_aside(const PolicyStore *store, const Policy *policy) {
        Restored restored;

        return restored_read(store->state_dir, &restored) == 1 && policy->serial <= restored.serial;
}

/* A policy from the configured path is in force. */
static void settle_in(const PolicyStore *store) {
        Restored restored;

        (void)remember(store);
        if (restored_read(store->state_dir, &restored) == 1 && restored.told)
                (void)restored_drop(store->state_dir); /* else it waits for its record */
}

int policy_store_open(PolicyStore *store, const char *path, const char *state_dir, PolicyTrial trial,
                      void *trial_userdata) {
        PolicyFaults ignored = {0};
        Policy *last_good = NULL;
        bool absent = false;
        int r;

        *store = (PolicyStore){.path = strdup(path), .trial = trial, .trial_userdata = trial_userdata};
        store->state_dir = strdup(state_dir);
        if (!store->path || !store->state_dir || asprintf(&store->last_good, "%s/last-good", state_dir) < 0)
                return -ENOMEM;
        store->loaded = time(NULL);
        if (load(store->last_good, &last_good, &absent, &ignored) == 0)
                store->serial_floor = last_good->serial;
        policy_faults_clear(&ignored);
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

int policy_store_reload(PolicyStore *store, Policy **ret_old) {
        Policy *policy = NULL;
        bool builtin = false;
        int r = try_path(store, &policy, &builtin);

        if (r != 0)
                return r;
        policy->lsm_missing = store->lsm_missing;
        *ret_old = store->policy;
        store->policy = policy;
        store->builtin = builtin;
        store->loaded = time(NULL);
        if (!builtin)
                settle_in(store);
        return 0;
}

void policy_store_close(PolicyStore *store) {
        policy_unref(store->policy);
        policy_faults_clear(&store->faults);
        free(store->path);
        free(store->last_good);
        free(store->state_dir);
        *store = (PolicyStore){0};
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
