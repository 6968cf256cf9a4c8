/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

enum {
        BUFFER_MAX = 1024 * 1024,
        NAME_BUFFER = 65536,
        GROUPS_MAX = 65536 /* NGROUPS_MAX */
};

static int add_groups(const struct passwd *entry, Account *account) {
        int n = 64;

        for (;;) {
                gid_t *larger = reallocarray(account->groups, (size_t)n, sizeof(gid_t));
                int room = n;

                if (!larger)
                        return -ENOMEM;
                account->groups = larger;
                if (getgrouplist(entry->pw_name, entry->pw_gid, larger, &n) >= 0)
                        break;
                if (n <= room) /* it failed without wanting more */
                        n = room * 2;
                if (n > GROUPS_MAX)
                        return -E2BIG;
        }
        account->subject.groups = account->groups;
        account->subject.n_groups = (size_t)n;
        return 0;
}

static int take_entry(const struct passwd *entry, Account *ret) {
        CLEANUP_ACCOUNT Account account = {
                .known = true,
                .name = strdup(entry->pw_name),
                .subject = {.uid = entry->pw_uid, .gid = entry->pw_gid, .loginuid = (uid_t)-1}};
        int r;

        if (!account.name)
                return -ENOMEM;
        r = add_groups(entry, &account);
        if (r < 0)
                return r;
        *ret = account;
        account = (Account){0};
        return 0;
}

int account_look_up(const char *name, Account *ret) {
        CLEANUP_FREE char *buffer = NULL;
        struct passwd entry, *found = NULL;

        for (size_t size = 4096; size <= BUFFER_MAX; size *= 2) {
                char *larger = realloc(buffer, size);
                int r;

                if (!larger)
                        return -ENOMEM;
                buffer = larger;
                r = getpwnam_r(name, &entry, buffer, size, &found);
                if (found)
                        return take_entry(found, ret);
                if (r == ERANGE || r == EINTR)
                        continue;
                if (r != 0 && r != ENOENT && r != ESRCH) /* getpwnam_r(3): not everybody says 0 */
                        return -r;
                *ret = (Account){0};
                return 0;
        }
        return -ERANGE;
}

int account_look_up_uid(uid_t uid, Account *ret) {
        CLEANUP_FREE char *buffer = malloc(NAME_BUFFER);
        CLEANUP_ACCOUNT Account account = {0};
        struct passwd entry, *found = NULL;
        int r;

        if (!buffer)
                return -ENOMEM;
        r = getpwuid_r(uid, &entry, buffer, NAME_BUFFER, &found);
        if (!found)
                return r > 0 ? -r : -ENOENT;
        r = account_look_up(found->pw_name, &account);
        if (r < 0)
                return r;
        if (!account.known || account.subject.uid != uid)
                return -ENOENT;
        *ret = account;
        account = (Account){0};
        return 0;
}

void account_clear(Account *account) {
        free(account->name);
        free(account->groups);
        *account = (Account){0};
}
