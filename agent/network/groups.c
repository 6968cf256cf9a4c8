/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/groups.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

enum {
        BUFFER = 1024 * 1024
};

void network_groups_free(NetworkGroup *groups, size_t n) {
        for (size_t i = 0; i < n; i++)
                free((uid_t *)groups[i].uids);
        free(groups);
}

static const NetworkGroup *find(const NetworkGroup *groups, size_t n, gid_t gid) {
        for (size_t i = 0; i < n; i++)
                if (groups[i].gid == gid)
                        return &groups[i];
        return NULL;
}

/* The uids of those that the group's entry lists. Those whose own group it is are known by their sockets.
 * -EAGAIN where it, or one of them, cannot be asked about, other than one that is not there; RET has the
 * others then. */
static int read_group(gid_t gid, NetworkGroup *ret) {
        CLEANUP_FREE char *buffer = malloc(BUFFER), *names = malloc(BUFFER);
        struct group group, *found = NULL;
        struct passwd person, *known;
        CLEANUP_FREE uid_t *uids = NULL;
        size_t n = 0, n_uids = 0;
        int r = 0;

        *ret = (NetworkGroup){.gid = gid};
        if (!buffer || !names)
                return -ENOMEM;
        if (getgrgid_r(gid, &group, buffer, BUFFER, &found) != 0)
                return -EAGAIN;
        if (!found)
                return 0;
        while (group.gr_mem[n])
                n++;
        uids = calloc(n + 1, sizeof(*uids));
        if (!uids)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (getpwnam_r(group.gr_mem[i], &person, names, BUFFER, &known) != 0)
                        r = -EAGAIN;
                else if (known)
                        uids[n_uids++] = person.pw_uid;
        }
        ret->n_uids = n_uids;
        ret->uids = STEAL_PTR(uids);
        return r;
}

static int copy_group(const NetworkGroup *group, NetworkGroup *ret) {
        uid_t *uids = calloc(group->n_uids + 1, sizeof(*uids));

        if (!uids)
                return -ENOMEM;
        if (group->n_uids > 0)
                memcpy(uids, group->uids, group->n_uids * sizeof(*uids));
        *ret = (NetworkGroup){.gid = group->gid, .uids = uids, .n_uids = group->n_uids};
        return 0;
}

int network_groups_read(const Policy *policy, const NetworkGroup *last, size_t n_last, NetworkGroup **ret,
                        size_t *ret_n) {
        NetworkGroup *groups = NULL;
        bool incomplete = false;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < policy->n_network && r == 0; i++) {
                const RuleScope *scope = &policy->network[i].scope;

                for (size_t j = 0; j < scope->n_gids && r == 0; j++) {
                        const NetworkGroup *before;
                        NetworkGroup *larger;

                        if (find(groups, n, scope->gids[j]))
                                continue;
                        larger = reallocarray(groups, n + 1, sizeof(*groups));
                        if (!larger) {
                                r = -ENOMEM;
                                break;
                        }
                        groups = larger;
                        r = read_group(scope->gids[j], &groups[n]);
                        before = r == -EAGAIN ? find(last, n_last, scope->gids[j]) : NULL;
                        incomplete = incomplete || r == -EAGAIN;
                        if (r == -EAGAIN)
                                r = 0;
                        if (before) {
                                free((uid_t *)groups[n].uids);
                                r = copy_group(before, &groups[n]);
                        }
                        n += r == 0;
                }
        }
        if (r < 0) {
                network_groups_free(groups, n);
                return r;
        }
        *ret = groups;
        *ret_n = n;
        return incomplete;
}
