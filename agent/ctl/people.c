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

/* The entry of the C library's own; this program has one thread. getpwnam(3): some sources leave one of
 * several errors for a name that is not there. */
static int entry_of(const char *text, const struct passwd **ret) {
        const struct passwd *entry;
        uid_t uid;

        errno = 0;
        entry = getpwnam(text);
        if (!entry && parse_uid(text, &uid))
                entry = getpwuid(uid);
        if (!entry)
                return errno == EIO || errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno
                                                                                             : -ENOENT;
        *ret = entry;
        return 0;
}

int person_uid(const char *text, uid_t *ret) {
        const struct passwd *entry;
        int r = entry_of(text, &entry);

        if (r == 0)
                *ret = entry->pw_uid;
        else if (r == -ENOENT && parse_uid(text, ret))
                r = 0; /* somebody who is no longer known here */
        return r;
}

int person_subject(const char *text, Subject *ret, gid_t **ret_groups) {
        CLEANUP_FREE gid_t *groups = NULL;
        const struct passwd *entry;
        int n = 64, r = entry_of(text, &entry);

        if (r < 0)
                return r;
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
