/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/assets.h"
#include "tests/unit/policy/policy_text.h"

#define ASSETS                                                                                               \
        HEAD "assets: [{name: all, paths: [/srv], export: record}, {name: juki, class: 特定個人情報, " \
             "paths: "                                                                                       \
             "[/srv/juki, /data/x], export: never}]\n"

Test(assets, are_told_by_the_path_of_a_file_the_strictest_first) {
        CLEANUP_POLICY Policy *policy = policy_of(ASSETS);
        static const struct {
                const char *path, *name;
        } cases[] = {
                {"/srv/juki/a.xlsx", "juki"},
                {"/srv/juki", "juki"},
                {"/srv/juki (deleted)", "juki"},
                {"/srv/jukia", "all"},
                {"/srv/other", "all"},
                {"/srv", "all"},
                {"/srvx", NULL},
                {"/data/x/y/z", "juki"},
                {"/data", NULL},
                {"pipe:[1]", NULL},
                {"", NULL},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const Asset *asset = policy_asset_of(policy, cases[i].path);

                if (cases[i].name)
                        cr_expect_str_eq(asset ? asset->name : "none", cases[i].name, "%s", cases[i].path);
                else
                        cr_expect_null(asset, "%s", cases[i].path);
        }
        cr_expect(policy_keeps_assets(policy));
        cr_expect_eq(policy->assets_unknown, ASSETS_UNKNOWN_DENY);
        cr_expect_str_eq(policy->assets[1].class, "特定個人情報");
}

Test(assets, that_are_only_recorded_keep_nothing) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "assets: [{name: all, paths: [/srv], export: record}]\n");

        cr_expect_not(policy_keeps_assets(policy));
}
