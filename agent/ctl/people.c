/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/people.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

enum {
        GROUPS_MAX = 65536
};

static bool parse_uid(const char *text, uid_t *ret) {
        unsigned long value;
        char *end;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        value = strtoul(text, &end, 10);
        if (errno != 0 || *end != '\0' || value >= UINT32_MAX)
                return false;
        *ret = (uid_t)value;
        return true;
}

/* The C library's own entry, or NULL and why; this program has one thread. getpwnam(3): some sources leave
 * one of several errors for a name that is not there. */
static const struct passwd *entry_of(const char *text, int *ret_error) {
        const struct passwd *entry;
        uid_t uid;

        errno = 0;
        entry = getpwnam(text);
        if (!entry && parse_uid(text, &uid))
                entry = getpwuid(uid);
        if (!entry)
                *ret_error = errno == EIO || errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno
                                                                                                   : -ENOENT;
        return entry;
}

int person_uid(const char *text, uid_t *ret) {
        int error = 0;
        const struct passwd *entry = entry_of(text, &error);

        if (!entry)
                /* by number also somebody who is no longer known here */
                return error == -ENOENT && parse_uid(text, ret) ? 0 : error;
        *ret = entry->pw_uid;
        return 0;
}

int person_subject(const char *text, Subject *ret, gid_t **ret_groups) {
        CLEANUP_FREE gid_t *groups = NULL;
        int n = 64, error = 0;
        const struct passwd *entry = entry_of(text, &error);

        if (!entry)
                return error;
        for (;;) {
                gid_t *larger = reallocarray(groups, (size_t)n, sizeof(*groups));

                if (!larger)
                        return -ENOMEM;
                groups = larger;
                if (getgrouplist(entry->pw_name, entry->pw_gid, groups, &n) >= 0)
                        break;
                if (n > GROUPS_MAX)
                        return -E2BIG;
        }
        *ret = (Subject){.uid = entry->pw_uid,
                         .loginuid = entry->pw_uid,
                         .gid = entry->pw_gid,
                         .groups = groups,
                         .n_groups = (size_t)n};
        *ret_groups = STEAL_PTR(groups);
        return 0;
}

char *people_name(void *userdata, const char *uid) {
        People *people = userdata;
        const struct passwd *entry;
        uid_t number;
        void *grown;

        for (size_t i = 0; i < people->n; i++)
                if (strcmp(people->items[i].uid, uid) == 0)
                        return strdup(people->items[i].name);
        entry = parse_uid(uid, &number) ? getpwuid(number) : NULL;
        grown = reallocarray(people->items, people->n + 1, sizeof(*people->items));
        if (!grown)
                return NULL;
        people->items = grown;
        people->items[people->n].uid = strdup(uid);
        people->items[people->n].name = strdup(entry ? entry->pw_name : uid);
        if (!people->items[people->n].uid || !people->items[people->n].name) {
                free(people->items[people->n].uid);
                free(people->items[people->n].name);
                return NULL;
        }
        return strdup(people->items[people->n++].name);
}

void people_clear(People *people) {
        for (size_t i = 0; i < people->n; i++) {
                free(people->items[i].uid);
                free(people->items[i].name);
        }
        free(people->items);
        *people = (People){0};
}
