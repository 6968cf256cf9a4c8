/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/ctl/pam.h"

#define PAM  "port 22\nusepam yes\n"
#define ASKS "kbdinteractiveauthentication yes\n"
#define KEYS "pubkeyauthentication yes\nhostbasedauthentication no\ngssapiauthentication no\n"

static const struct {
        const char *label, *text;
        size_t findings, notes;
        const char *word; /* in the first finding */
} cases[] = {
        {"nothing known", "", 1, 0, "UsePAM"},
        {"without PAM", "usepam no\n" KEYS, 1, 0, "UsePAM"},
        {"Debian's own", PAM "kbdinteractiveauthentication no\n" KEYS "authenticationmethods any\n", 1, 1,
         "publickey"},
        {"key and code", PAM ASKS KEYS "authenticationmethods publickey,keyboard-interactive\n", 0, 0, NULL},
        {"key and PAM's code", PAM ASKS KEYS "authenticationmethods publickey,keyboard-interactive:pam\n", 0,
         0, NULL},
        {"or the key alone", PAM ASKS KEYS "authenticationmethods publickey,password publickey\n", 1, 0,
         "publickey "},
        {"two keys", PAM ASKS KEYS "authenticationmethods publickey,publickey\n", 1, 0,
         "publickey,publickey"},
        {"no keys", PAM ASKS "pubkeyauthentication no\n", 0, 0, NULL},
        {"hosts and tickets",
         PAM ASKS "pubkeyauthentication no\nhostbasedauthentication yes\ngssapiauthentication yes\n", 2, 0,
         "hostbased"}};

Test(pam_sshd, is_judged_by_how_it_can_be_passed) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                PamCheck check = {.findings = json_object_new_array(), .notes = json_object_new_array()};
                CLEANUP_JSON struct json_object *findings = check.findings, *notes = check.notes;

                pam_judge_sshd(&check, cases[i].text);
                cr_expect_eq(json_object_array_length(findings), cases[i].findings, "%s", cases[i].label);
                cr_expect_eq(json_object_array_length(notes), cases[i].notes, "%s", cases[i].label);
                cr_expect_eq(check.open, cases[i].findings > 0, "%s", cases[i].label);
                if (cases[i].word)
                        cr_expect_not_null(
                                strstr(json_text(json_object_array_get_idx(findings, 0), "message"),
                                       cases[i].word),
                                "%s", cases[i].label);
        }
}
