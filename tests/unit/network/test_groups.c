/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is in a group, with a user database that does as it is told. */
#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "agent/network/groups.h"
#include "tests/unit/network/plans.h"

static struct {
        int group_error, person_error; /* of every question; 0: it answers */
        const char *unknown;           /* nobody has that name */
        const char *silent;            /* no answer about that one */
} database;

/* Everybody's group: its members are uid1001 and uid1002. */
int getgrgid_r(gid_t gid, struct group *group, char *buffer, size_t size, struct group **ret) {
        static char *members[] = {(char *)"uid1001", (char *)"uid1002", NULL};

        (void)buffer;
        (void)size;
        *ret = NULL;
        if (database.group_error == 0 && gid == 50) {
                *group = (struct group){.gr_gid = gid, .gr_mem = members};
                *ret = group;
        }
        return database.group_error;
}

int getpwnam_r(const char *name, struct passwd *person, char *buffer, size_t size, struct passwd **ret) {
        (void)buffer;
        (void)size;
        *ret = NULL;
        if (database.silent && strcmp(name, database.silent) == 0)
                return EIO;
        if (database.person_error == 0 && (!database.unknown || strcmp(name, database.unknown) != 0)) {
                *person = (struct passwd){.pw_uid = (uid_t)strtoul(name + 3, NULL, 10)};
                *ret = person;
        }
        return database.person_error;
}

static Policy *policy_of_groups(const char *groups) {
        char text[512];
        Policy *policy;

        (void)snprintf(text, sizeof(text), NETWORK "  allow:\n    - {name: a, to: 10.0.0.1, groups: [%s]}\n",
                       groups);
        policy = policy_of(text);
        policy_number_users(policy);
        return policy;
}

Test(network_groups, have_those_whom_the_database_knows) {
        Policy *policy = policy_of_groups("gid50, gid51");
        NetworkGroup *groups = NULL;
        size_t n = 0;

        database.unknown = "uid1001";
        cr_assert_eq(network_groups_read(policy, NULL, 0, &groups, &n), 0);
        cr_assert_eq(n, 2);
        cr_assert_eq(groups[0].n_uids, 1);
        cr_expect_eq(groups[0].uids[0], 1002);
        cr_expect_eq(groups[1].n_uids, 0, "a group that is not there has nobody");
        network_groups_free(groups, n);
        policy_unref(policy);
}

Test(network_groups, keep_their_members_while_the_database_does_not_answer_and_not_after) {
        const uid_t before[] = {1003};
        const NetworkGroup last[] = {{50, before, 1}, {51, before, 1}};
        static const struct {
                int group_error, person_error;
                size_t known, gone; /* members of the group that is there, and of the one that is not */
        } cases[] = {{EIO, 0, 1, 1}, {0, EIO, 1, 0}, {0, 0, 2, 0}};
        Policy *policy = policy_of_groups("gid50, gid51");

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                NetworkGroup *groups = NULL;
                size_t n = 0;

                database.group_error = cases[i].group_error;
                database.person_error = cases[i].person_error;
                cr_assert_eq(network_groups_read(policy, last, ELEMENTS(last), &groups, &n),
                             cases[i].group_error || cases[i].person_error);
                cr_assert_eq(n, 2);
                cr_assert_eq(groups[0].n_uids, cases[i].known, "case %zu", i);
                cr_expect_eq(groups[1].n_uids, cases[i].gone, "case %zu", i);
                cr_expect_eq(groups[0].uids[0], cases[i].known == 1 ? 1003 : 1001);
                network_groups_free(groups, n);
        }
        policy_unref(policy);
}

Test(network_groups, have_the_others_where_one_cannot_be_asked_about) {
        Policy *policy = policy_of_groups("gid50");
        NetworkGroup *groups = NULL;
        size_t n = 0;

        database.silent = "uid1001";
        cr_assert_eq(network_groups_read(policy, NULL, 0, &groups, &n), 1);
        cr_assert_eq(n, 1);
        cr_assert_eq(groups[0].n_uids, 1);
        cr_expect_eq(groups[0].uids[0], 1002);
        network_groups_free(groups, n);
        policy_unref(policy);
}

Test(network_groups, have_nobody_where_nobody_was_ever_known) {
        Policy *policy = policy_of_groups("gid50");
        NetworkGroup *groups = NULL;
        size_t n = 0;

        database.person_error = EIO;
        cr_assert_eq(network_groups_read(policy, NULL, 0, &groups, &n), 1);
        cr_assert_eq(n, 1);
        cr_expect(groups[0].gid == 50 && groups[0].n_uids == 0);
        network_groups_free(groups, n);
        policy_unref(policy);
}
