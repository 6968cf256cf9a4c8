/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/conditions.h"
#include "policy/hours.h"

static void tokyo(void) {
        setenv("TZ", "Asia/Tokyo", 1);
        tzset();
}

static const char *const hours[] = {
        "Mon-Fri 08:30-17:15", "Sat,Sun 00:00-24:00", "Mon,Wed,Fri-Sun 22:00-05:00",
        "08:30-17:15",         "Tue 00:00-12:00",
};

Test(conditions, hours_are_told_as_they_were_written) {
        for (size_t i = 0; i < ELEMENTS(hours); i++) {
                RuleScope scope = {0};
                const char *why;

                cr_assert_eq(hours_parse(hours[i], &scope.hours, &why), 0, "%s", hours[i]);
                CLEANUP_FREE char *text = conditions_for_person(&scope);
                cr_expect_str_eq(text, hours[i]);
        }
}

Test(conditions, who_and_until_when, .init = tokyo) {
        char sato[] = "sato", suzuki[] = "suzuki", zeimu[] = "zeimu";
        char *users[] = {sato, suzuki}, *groups[] = {zeimu};
        RuleScope scope = {
                .users = users, .n_users = 2, .groups = groups, .n_groups = 1, .expires = 1806418800};
        CLEANUP_FREE char *text = conditions_for_person(&scope);
        CLEANUP_JSON struct json_object *json = conditions_json(&scope);

        cr_expect_str_eq(text, "user sato, user suzuki, group zeimu; up to the end of 2027-03-30");
        cr_expect_str_eq(json_text(json, "expires"), "2027-03-31T00:00:00.000000+09:00");
        cr_expect_eq(json_object_array_length(json_list(json, "users")), 2);
        cr_expect_null(json_text(json, "hours"));
}

Test(conditions, an_hour_of_expiry_is_told_as_such, .init = tokyo) {
        RuleScope scope = {.expires = 1806418800 + 12 * 3600};
        CLEANUP_FREE char *text = conditions_for_person(&scope);

        cr_expect_str_eq(text, "until 2027-03-31 12:00:00");
}

Test(conditions, none_are_nothing) {
        RuleScope scope = {0};

        cr_expect_null(conditions_for_person(&scope));
}
