/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide.h"
#include "tests/unit/policy/policy_text.h"

static const PolicyTime monday_noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};
static const PolicyTime monday_night = {.weekday = 1, .minute = 1400, .expiry_now = 1800000000};

static DeviceIdentity usb_disk = {.bus = DEVICE_BUS_USB};
static DeviceIdentity own_disk = {.bus = DEVICE_BUS_NVME};

static OpenDecision opened(const Policy *policy, const SuperblockIdentity *superblock,
                           const Subject *subject, bool for_writing, const PolicyTime *now) {
        OpenDecision decision;

        memset(&decision, 0xff, sizeof(decision)); /* whatever was there before */
        decide_open(policy, superblock, subject, for_writing, now, &decision);
        cr_assert_not_null(decision.rule);
        cr_assert_not_null(decision.origin);
        return decision;
}

#define expect_open(decision, verdict_, reason_, rule_)                                                     \
        do {                                                                                                \
                OpenDecision d_ = (decision);                                                               \
                cr_expect_str_eq(verdict_to_string(d_.verdict), verdict_to_string(verdict_));               \
                cr_expect_str_eq(reason_to_string(d_.reason), reason_to_string(reason_));                   \
                cr_expect_str_eq(d_.rule, rule_);                                                           \
        } while (0)

/* What each kind of superblock goes by: a policy where the two sections differ tells which one was asked. */
Test(policy_open, past_the_encryption_that_a_rule_requires_is_for_reading_only) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD "removable: {devices: [{name: r, match: {bus: usb}, access: write, encrypted: "
                     "required, users: [uid1001]}]}\n");
        DeviceIdentity device = {.bus = DEVICE_BUS_USB, .hotplug = true};
        SuperblockIdentity id = {.kind = SUPERBLOCK_BLOCK, .device = &device};
        PolicyTime time = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};
        Subject named = {.uid = 1001};
        OpenDecision decision;

        policy_number_users(policy);
        decide_open(policy, &id, &named, true, &time, &decision);
        cr_expect_eq(decision.verdict, VERDICT_DENY);
        cr_expect_eq(decision.reason, REASON_NOT_ENCRYPTED);
        decide_open(policy, &id, &named, false, &time, &decision);
        cr_expect_eq(decision.verdict, VERDICT_ALLOW);
        device.luks2 = true;
        decide_open(policy, &id, &named, true, &time, &decision);
        cr_expect_eq(decision.verdict, VERDICT_ALLOW);
        named.uid = 1002;
        decide_open(policy, &id, &named, true, &time, &decision);
        cr_expect_eq(decision.reason, REASON_NOT_THIS_PERSON);
}

Test(policy_superblock, goes_by_the_section_of_its_kind) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "removable: {default: read-only}\nfilesystems: {default: write}\n");
        static const struct {
                SuperblockKind kind;
                const DeviceIdentity *device;
                Access access;
                Reason reason;
                const char *rule;
        } cases[] = {
                {SUPERBLOCK_KERNEL, NULL, ACCESS_WRITE, REASON_INTERNAL, "internal"},
                {SUPERBLOCK_BLOCK, NULL, ACCESS_DENY, REASON_INVALID_QUESTION, "invalid-question"},
                {SUPERBLOCK_BLOCK, &own_disk, ACCESS_WRITE, REASON_INTERNAL, "internal"},
                {SUPERBLOCK_BLOCK, &usb_disk, ACCESS_READ_ONLY, REASON_DEFAULT, "removable.default"},
                {SUPERBLOCK_NETWORK, NULL, ACCESS_WRITE, REASON_DEFAULT, "filesystems.default"},
                {SUPERBLOCK_USER_SPACE, NULL, ACCESS_WRITE, REASON_DEFAULT, "filesystems.default"},
                {SUPERBLOCK_USER_SPACE, &own_disk, ACCESS_WRITE, REASON_DEFAULT, "filesystems.default"},
                {SUPERBLOCK_USER_SPACE, &usb_disk, ACCESS_READ_ONLY, REASON_DEFAULT, "removable.default"},
                {SUPERBLOCK_UNKNOWN, NULL, ACCESS_WRITE, REASON_DEFAULT, "filesystems.default"},
                {SUPERBLOCK_STACKED, NULL, ACCESS_WRITE, REASON_DEFAULT, "filesystems.default"},
                {SUPERBLOCK_STACKED, &usb_disk, ACCESS_READ_ONLY, REASON_DEFAULT, "removable.default"},
                {SUPERBLOCK_STACKED, &own_disk, ACCESS_WRITE, REASON_INTERNAL, "internal"},
                {(SuperblockKind)99, &own_disk, ACCESS_DENY, REASON_INVALID_QUESTION, "invalid-question"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                SuperblockIdentity superblock = {
                        .kind = cases[i].kind, .fstype = "x", .device = cases[i].device};
                Decision decision;

                decide_superblock(policy, &superblock, &monday_noon, &decision);
                cr_expect(decision.access == cases[i].access && decision.reason == cases[i].reason &&
                                  strcmp(decision.rule, cases[i].rule) == 0,
                          "case %zu: %s, %s by %s", i, access_to_string(decision.access),
                          reason_to_string(decision.reason), decision.rule);
                cr_expect_eq(decision.external, cases[i].reason != REASON_INTERNAL, "case %zu", i);
        }
}

Test(policy_superblock, in_user_space_on_an_external_device_gets_the_stricter_of_both) {
        static const struct {
                const char *removable, *filesystems;
                Access expected;
                const char *rule;
        } cases[] = {
                {"write", "deny", ACCESS_DENY, "filesystems.default"},
                {"deny", "write", ACCESS_DENY, "removable.default"},
                {"read-only", "write", ACCESS_READ_ONLY, "removable.default"},
                {"write", "write", ACCESS_WRITE, "filesystems.default"},
        };
        SuperblockIdentity superblock = {
                .kind = SUPERBLOCK_USER_SPACE, .fstype = "fuseblk", .device = &usb_disk};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[256];
                Policy *policy;
                Decision decision;

                (void)snprintf(text, sizeof(text),
                               HEAD "removable: {default: %s}\nfilesystems: {default: %s}\n",
                               cases[i].removable, cases[i].filesystems);
                policy = policy_of(text);
                decide_superblock(policy, &superblock, &monday_noon, &decision);
                cr_expect(decision.access == cases[i].expected && strcmp(decision.rule, cases[i].rule) == 0,
                          "%s", text);
                policy_unref(policy);
        }
}

Test(policy_superblock, in_user_space_on_an_external_device_asks_the_persons_of_both_rules) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "removable: {devices: [{name: d, match: {bus: usb}, access: write, users: [uid1, uid2]}]}\n"
                "filesystems: {allow: [{name: f, type: fuseblk, access: write, users: [uid2, uid3]}]}\n");
        SuperblockIdentity superblock = {
                .kind = SUPERBLOCK_USER_SPACE, .fstype = "fuseblk", .device = &usb_disk};
        Subject one = {.uid = 1}, two = {.uid = 2}, three = {.uid = 3};

        policy_number_users(policy);
        expect_open(opened(policy, &superblock, &one, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "f");
        expect_open(opened(policy, &superblock, &two, true, &monday_noon), VERDICT_ALLOW, REASON_RULE, "f");
        expect_open(opened(policy, &superblock, &three, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "d");
}

Test(policy_filesystem, is_found_by_type_and_source_exactly) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "filesystems:\n"
                               "  default: deny\n"
                               "  allow:\n"
                               "    - {name: share, type: cifs, source: \"//fs01/kyoyu\", access: write}\n"
                               "    - {name: portal, type: fuse.portal, access: read-only}\n"
                               "    - {name: bare, type: fuse, access: read-only}\n");
        static const struct {
                const char *type, *source;
                Access expected;
                const char *rule;
        } cases[] = {
                {"cifs", "//fs01/kyoyu", ACCESS_WRITE, "share"},
                {"cifs", "//fs01/Kyoyu", ACCESS_DENY, "filesystems.default"},
                {"cifs", "//fs01/kyoyu/x", ACCESS_DENY, "filesystems.default"},
                {"cifs", NULL, ACCESS_DENY, "filesystems.default"},
                {"nfs", "//fs01/kyoyu", ACCESS_DENY, "filesystems.default"},
                {"fuse.portal", NULL, ACCESS_READ_ONLY, "portal"},
                {"fuse.portal", "anything", ACCESS_READ_ONLY, "portal"},
                {"fuse", NULL, ACCESS_READ_ONLY, "bare"},
                {"fuse.sshfs", NULL, ACCESS_DENY, "filesystems.default"},
                {NULL, NULL, ACCESS_DENY, "filesystems.default"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                SuperblockIdentity superblock = {
                        .kind = SUPERBLOCK_NETWORK, .fstype = cases[i].type, .source = cases[i].source};
                Decision decision;

                decide_superblock(policy, &superblock, &monday_noon, &decision);
                cr_expect(decision.access == cases[i].expected && strcmp(decision.rule, cases[i].rule) == 0,
                          "case %zu: %s by %s", i, access_to_string(decision.access), decision.rule);
        }
}

Test(policy_filesystem, whose_rule_has_expired_goes_by_the_default_and_says_so) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "filesystems: {default: read-only, allow: [{name: f, type: nfs, access: write, expires: "
                "2020-01-01}]}\n");
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_NETWORK, .fstype = "nfs"};
        Subject anybody = {.uid = 1};

        expect_open(opened(policy, &superblock, &anybody, true, &monday_noon), VERDICT_DENY,
                    REASON_RULE_EXPIRED, "f");
        expect_open(opened(policy, &superblock, &anybody, false, &monday_noon), VERDICT_ALLOW,
                    REASON_RULE_EXPIRED, "f");
}

Test(policy_open, follows_the_access_of_the_superblock) {
        static const struct {
                const char *removable;
                bool for_writing;
                Verdict verdict;
                Reason reason;
                const char *rule;
        } cases[] = {
                {"default: deny", false, VERDICT_DENY, REASON_DEFAULT, "removable.default"},
                {"default: deny", true, VERDICT_DENY, REASON_DEFAULT, "removable.default"},
                {"default: read-only", false, VERDICT_ALLOW, REASON_DEFAULT, "removable.default"},
                {"default: read-only", true, VERDICT_DENY, REASON_DEFAULT, "removable.default"},
                {"default: write", true, VERDICT_ALLOW, REASON_DEFAULT, "removable.default"},
                {"devices: [{name: r, match: {bus: usb}, access: deny}]", false, VERDICT_DENY, REASON_RULE,
                 "r"},
                {"devices: [{name: r, match: {bus: usb}, access: read-only}]", false, VERDICT_ALLOW,
                 REASON_RULE, "r"},
                {"devices: [{name: r, match: {bus: usb}, access: read-only}]", true, VERDICT_DENY,
                 REASON_READ_ONLY, "r"},
                {"devices: [{name: r, match: {bus: usb}, access: write}]", true, VERDICT_ALLOW, REASON_RULE,
                 "r"},
        };
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &usb_disk};
        Subject root = {.uid = 0};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[256];
                Policy *policy;

                (void)snprintf(text, sizeof(text), HEAD "removable: {%s}\n", cases[i].removable);
                policy = policy_of(text);
                expect_open(opened(policy, &superblock, &root, cases[i].for_writing, &monday_noon),
                            cases[i].verdict, cases[i].reason, cases[i].rule);
                policy_unref(policy);
        }
}

static const char for_some[] = HEAD "removable:\n"
                                    "  devices:\n"
                                    "    - name: r\n"
                                    "      match: {bus: usb}\n"
                                    "      access: write\n"
                                    "      users: [uid1001, gone]\n"
                                    "      groups: [gid50]\n"
                                    "      hours: Mon-Fri 08:30-17:15\n";

Test(policy_open, for_writing_asks_who_and_when) {
        CLEANUP_POLICY Policy *policy = policy_of(for_some);
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &usb_disk};
        static const gid_t groups[] = {7, 50};
        Subject named = {.uid = 1001, .gid = 1}, by_group = {.uid = 5, .gid = 50},
                stranger = {.uid = 5, .gid = 7};
        Subject by_further_group = {.uid = 5, .gid = 1, .groups = groups, .n_groups = 2};
        Subject root = {.uid = 0}, logged_in_as_named = {.uid = 5, .loginuid = 1001};

        policy_number_users(policy);
        expect_open(opened(policy, &superblock, &named, true, &monday_noon), VERDICT_ALLOW, REASON_RULE,
                    "r");
        expect_open(opened(policy, &superblock, &by_group, true, &monday_noon), VERDICT_ALLOW, REASON_RULE,
                    "r");
        expect_open(opened(policy, &superblock, &by_further_group, true, &monday_noon), VERDICT_ALLOW,
                    REASON_RULE, "r");
        expect_open(opened(policy, &superblock, &stranger, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "r");
        expect_open(opened(policy, &superblock, &root, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "r");
        expect_open(opened(policy, &superblock, &logged_in_as_named, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "r");
        expect_open(opened(policy, &superblock, &named, true, &monday_night), VERDICT_DENY,
                    REASON_OUTSIDE_HOURS, "r");
        expect_open(opened(policy, &superblock, NULL, true, &monday_noon), VERDICT_DENY,
                    REASON_INVALID_QUESTION, "r");
}

Test(policy_open, for_reading_asks_nobody_where_some_may_write) {
        CLEANUP_POLICY Policy *policy = policy_of(for_some);
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &usb_disk};
        Subject stranger = {.uid = 5, .gid = 7};

        policy_number_users(policy);
        expect_open(opened(policy, &superblock, &stranger, false, &monday_night), VERDICT_ALLOW, REASON_RULE,
                    "r");
}

Test(policy_open, for_writing_by_names_that_do_not_exist_is_for_nobody) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "removable: {devices: [{name: r, match: {bus: usb}, access: write, groups: [gone]}]}\n");
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &usb_disk};
        Subject root = {.uid = 0};

        expect_open(opened(policy, &superblock, &root, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "r");
        policy_number_users(policy);
        expect_open(opened(policy, &superblock, &root, true, &monday_noon), VERDICT_DENY,
                    REASON_NOT_THIS_PERSON, "r");
}

Test(policy_open, on_the_terminals_own_disk_is_nobodys_business) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD);
        SuperblockIdentity disk = {.kind = SUPERBLOCK_BLOCK, .fstype = "ext4", .device = &own_disk};
        SuperblockIdentity proc = {.kind = SUPERBLOCK_KERNEL, .fstype = "proc"};

        expect_open(opened(policy, &disk, NULL, true, &monday_noon), VERDICT_ALLOW, REASON_INTERNAL,
                    "internal");
        expect_open(opened(policy, &proc, NULL, true, &monday_noon), VERDICT_ALLOW, REASON_INTERNAL,
                    "internal");
}

Test(policy_open, is_decided_alike_while_only_monitoring) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "mode: monitor\n");
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &usb_disk};

        expect_open(opened(policy, &superblock, NULL, true, &monday_noon), VERDICT_DENY, REASON_DEFAULT,
                    "removable.default");
}

Test(policy_open, that_makes_no_sense_is_refused) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "removable: {default: write}\nfilesystems: {default: write}\n");
        SuperblockIdentity superblock = {.kind = SUPERBLOCK_BLOCK};
        Subject root = {.uid = 0};

        expect_open(opened(policy, &superblock, &root, false, &monday_noon), VERDICT_DENY,
                    REASON_INVALID_QUESTION, "invalid-question");
        expect_open(opened(policy, NULL, &root, false, &monday_noon), VERDICT_DENY, REASON_INVALID_QUESTION,
                    "invalid-question");
        expect_open(opened(NULL, &superblock, &root, false, &monday_noon), VERDICT_DENY,
                    REASON_INVALID_QUESTION, "invalid-question");
        expect_open(opened(policy, &superblock, &root, false, NULL), VERDICT_DENY, REASON_INVALID_QUESTION,
                    "invalid-question");
}
