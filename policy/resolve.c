/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/load.h"
#include "policy/scope.h"

enum {
        NSS_BUFFER_MAX = 1024 * 1024
};

/* Doubles *BUFFER; the C library says ERANGE when an entry does not fit. */
static int grow(char **buffer, size_t *size) {
        size_t larger = *size ? *size * 2 : 4096;
        char *p;

        if (larger > NSS_BUFFER_MAX)
                return -ERANGE;
        p = realloc(*buffer, larger);
        if (!p)
                return -ENOMEM;
        *buffer = p;
        *size = larger;
        return 0;
}

/* getpwnam_r(3): some sources say ENOENT, ESRCH, EBADF or EPERM for a name that does not exist. */
static int missing_or(int error) {
        switch (error) {
        case 0:
        case ENOENT:
        case ESRCH:
        case EBADF:
        case EPERM:
                return -ENOENT;
        default:
                return -error;
        }
}

static int nss_user(void *userdata, const char *name, uid_t *ret) {
        CLEANUP_FREE char *buffer = NULL;
        struct passwd entry, *found = NULL;
        size_t size = 0;
        int r;

        (void)userdata;
        do {
                if ((r = grow(&buffer, &size)) < 0)
                        return r;
                r = getpwnam_r(name, &entry, buffer, size, &found);
        } while (r == ERANGE || r == EINTR);
        if (!found)
                return missing_or(r);
        *ret = entry.pw_uid;
        return 0;
}

static int nss_group(void *userdata, const char *name, gid_t *ret) {
        CLEANUP_FREE char *buffer = NULL;
        struct group entry, *found = NULL;
        size_t size = 0;
        int r;

        (void)userdata;
        do {
                if ((r = grow(&buffer, &size)) < 0)
                        return r;
                r = getgrnam_r(name, &entry, buffer, size, &found);
        } while (r == ERANGE || r == EINTR);
        if (!found)
                return missing_or(r);
        *ret = entry.gr_gid;
        return 0;
}

const PolicyResolver policy_resolver_nss = {.user = nss_user, .group = nss_group};

static void tell_missing(const PolicyResolver *resolver, const char *rule, const char *kind,
                         const char *name) {
        if (resolver->missing)
                resolver->missing(resolver->userdata, rule, kind, name);
}

static int resolve_users(RuleScope *scope, const char *rule, const PolicyResolver *resolver) {
        CLEANUP_FREE uid_t *uids = NULL;
        size_t n = 0;

        if (scope->n_users == 0)
                return 0;
        uids = calloc(scope->n_users, sizeof(*uids));
        if (!uids)
                return -ENOMEM;
        for (size_t i = 0; i < scope->n_users; i++) {
                int r = resolver->user(resolver->userdata, scope->users[i], &uids[n]);

                if (r == -ENOENT)
                        tell_missing(resolver, rule, "user", scope->users[i]);
                else if (r < 0)
                        return r;
                else
                        n++;
        }
        free(scope->uids);
        scope->uids = STEAL_PTR(uids);
        scope->n_uids = n;
        return 0;
}

static int resolve_groups(RuleScope *scope, const char *rule, const PolicyResolver *resolver) {
        CLEANUP_FREE gid_t *gids = NULL;
        size_t n = 0;

        if (scope->n_groups == 0)
                return 0;
        gids = calloc(scope->n_groups, sizeof(*gids));
        if (!gids)
                return -ENOMEM;
        for (size_t i = 0; i < scope->n_groups; i++) {
                int r = resolver->group(resolver->userdata, scope->groups[i], &gids[n]);

                if (r == -ENOENT)
                        tell_missing(resolver, rule, "group", scope->groups[i]);
                else if (r < 0)
                        return r;
                else
                        n++;
        }
        free(scope->gids);
        scope->gids = STEAL_PTR(gids);
        scope->n_gids = n;
        return 0;
}

static int resolve_scope(RuleScope *scope, const char *rule, const PolicyResolver *resolver) {
        int r = resolve_users(scope, rule, resolver);

        return r < 0 ? r : resolve_groups(scope, rule, resolver);
}

static int resolve_exempt(Policy *policy, const PolicyResolver *resolver) {
        RuleScope scope = {.users = policy->mfa_exempt,
                           .n_users = policy->n_mfa_exempt,
                           .uids = policy->mfa_exempt_uids,
                           .n_uids = policy->n_mfa_exempt_uids};
        int r = resolve_users(&scope, "mfa.exempt", resolver);

        policy->mfa_exempt_uids = scope.uids;
        policy->n_mfa_exempt_uids = scope.n_uids;
        return r;
}

static int resolve_break_glass(MfaBreakGlass *account, const PolicyResolver *resolver) {
        int r = resolver->user(resolver->userdata, account->user, &account->uid);

        account->uid_known = r >= 0;
        if (r == -ENOENT)
                tell_missing(resolver, "mfa.break-glass", "user", account->user);
        return r == -ENOENT || r >= 0 ? 0 : r;
}

int policy_resolve_mfa(Policy *policy, const PolicyResolver *resolver) {
        int r = resolve_exempt(policy, resolver);

        for (size_t i = 0; r == 0 && i < policy->n_mfa_rules; i++)
                r = resolve_scope(&policy->mfa_rules[i].scope, policy->mfa_rules[i].name, resolver);
        for (size_t i = 0; r == 0 && i < policy->n_mfa_break_glass; i++)
                r = resolve_break_glass(&policy->mfa_break_glass[i], resolver);
        return r;
}

int policy_resolve(Policy *policy, const PolicyResolver *resolver) {
        int r;

        for (size_t i = 0; i < policy->n_devices; i++)
                if ((r = resolve_scope(&policy->devices[i].scope, policy->devices[i].name, resolver)) < 0)
                        return r;
        for (size_t i = 0; i < policy->n_filesystems; i++)
                if ((r = resolve_scope(&policy->filesystems[i].scope, policy->filesystems[i].name,
                                       resolver)) < 0)
                        return r;
        for (size_t i = 0; i < policy->n_network; i++)
                if ((r = resolve_scope(&policy->network[i].scope, policy->network[i].name, resolver)) < 0)
                        return r;
        return policy_resolve_mfa(policy, resolver);
}
