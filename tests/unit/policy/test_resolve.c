/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/unit/policy/policy_text.h"

static const char text[] =
        HEAD "removable: {devices: [{name: d, match: {bus: usb}, access: write, users: [uid1, gone, uid3], "
             "groups: [gid9]}]}\n"
             "filesystems: {allow: [{name: f, type: nfs, access: write, groups: [nobody-here]}]}\n"
             "network: {allow: [{name: n, to: a.b, users: [uid5]}]}\n";

static char told[256];

static void remember(void *userdata, const char *rule, const char *kind, const char *name) {
        size_t at = strlen(told);

        (void)userdata;
        (void)snprintf(told + at, sizeof(told) - at, "%s %s %s;", rule, kind, name);
}

Test(policy_resolve, fills_numbers_and_tells_which_names_are_missing) {
        CLEANUP_POLICY Policy *policy = policy_of(text);
        PolicyResolver resolver = {.user = numbered_user, .group = numbered_group, .missing = remember};

        cr_assert_eq(policy_resolve(policy, &resolver), 0);
        cr_assert_eq(policy->devices[0].scope.n_uids, 2);
        cr_expect(policy->devices[0].scope.uids[0] == 1 && policy->devices[0].scope.uids[1] == 3);
        cr_assert_eq(policy->devices[0].scope.n_gids, 1);
        cr_expect_eq(policy->devices[0].scope.gids[0], 9);
        cr_expect_eq(policy->filesystems[0].scope.n_gids, 0);
        cr_expect_eq(policy->network[0].scope.uids[0], 5);
        cr_expect_str_eq(told, "d user gone;f group nobody-here;");
}

static int failing_user(void *userdata, const char *name, uid_t *ret) {
        (void)userdata;
        (void)name;
        (void)ret;
        return -EIO;
}

Test(policy_resolve, fails_where_the_source_of_names_does) {
        CLEANUP_POLICY Policy *policy = policy_of(text);
        PolicyResolver resolver = {.user = failing_user, .group = numbered_group};

        cr_expect_eq(policy_resolve(policy, &resolver), -EIO);
        cr_expect_eq(policy->devices[0].scope.n_uids, 0);
}

Test(policy_resolve, asks_the_machine_for_names) {
        uid_t uid = 4711;
        gid_t gid = 4711;

        cr_expect_eq(policy_resolver_nss.user(NULL, "root", &uid), 0);
        cr_expect_eq(uid, 0);
        cr_expect_eq(policy_resolver_nss.group(NULL, "root", &gid), 0);
        cr_expect_eq(gid, 0);
        cr_expect_eq(policy_resolver_nss.user(NULL, "no-such-user-here", &uid), -ENOENT);
        cr_expect_eq(policy_resolver_nss.group(NULL, "no-such-group-here", &gid), -ENOENT);
}
