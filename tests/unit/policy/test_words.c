/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "policy/event.h"
#include "policy/model.h"
#include "policy/scope.h"

#define ROUND_TRIP_(constant, word)                                                                         \
        cr_expect_str_eq(TO(constant), word);                                                               \
        cr_expect_eq(FROM(word), (int)constant);

Test(policy_words, go_to_numbers_and_back){
#define TO   access_to_string
#define FROM access_from_string
        ACCESS_LIST(ROUND_TRIP_)
#undef TO
#undef FROM
#define TO   device_bus_to_string
#define FROM device_bus_from_string
                DEVICE_BUS_LIST(ROUND_TRIP_)
#undef TO
#undef FROM
#define TO   reason_to_string
#define FROM reason_from_string
                        REASON_LIST(ROUND_TRIP_)
#undef TO
#undef FROM
#define TO   factor_to_string
#define FROM factor_from_string
                                FACTOR_LIST(ROUND_TRIP_)
#undef TO
#undef FROM
#define TO   operation_to_string
#define FROM operation_from_string
                                        OPERATION_LIST(ROUND_TRIP_)
#undef TO
#undef FROM
#define TO   superblock_kind_to_string
#define FROM superblock_kind_from_string
                                                SUPERBLOCK_KIND_LIST(ROUND_TRIP_)
#undef TO
#undef FROM
}

Test(policy_words, that_are_in_no_list_are_nothing) {
        cr_expect_eq(access_from_string("Write"), -1);
        cr_expect_eq(access_from_string(""), -1);
        cr_expect_null(access_to_string((Access)3));
        cr_expect_null(policy_zone_to_string((PolicyZone)-1));
        cr_expect_eq(event_from_string("nothing"), -1);
        cr_expect_null(event_to_string((EventKind)1000));
        cr_expect_null(event_message_id((EventKind)1000));
}

Test(policy_words, of_usb_classes_have_their_codes) {
        cr_expect_eq(usb_class_from_string("mass-storage"), 0x08);
        cr_expect_eq(usb_class_from_string("vendor-specific"), 0xff);
        cr_expect_eq(usb_class_from_string("camera"), -1);
        cr_expect_str_eq(usb_class_to_string(0x06), "still-image");
        cr_expect_null(usb_class_to_string(0x04));
}

Test(policy_words, whose_number_is_zero_deny) {
        cr_expect_str_eq(access_to_string((Access)0), "deny");
        cr_expect_str_eq(verdict_to_string((Verdict)0), "deny");
        cr_expect_str_eq(reason_to_string((Reason)0), "no-decision");
        cr_expect_str_eq(superblock_kind_to_string((SuperblockKind)0), "unknown");
        cr_expect_str_eq(policy_mode_to_string((PolicyMode)0), "enforce");
        cr_expect_str_eq(policy_zone_to_string((PolicyZone)0), "mynumber");
}

Test(policy_reason, has_a_sentence_for_each_person_who_is_refused) {
        for (int reason = 0; reason_to_string((Reason)reason); reason++) {
                const char *sentence = reason_for_person((Reason)reason);

                cr_expect(sentence && sentence[strlen(sentence) - 1] == '.', "%s",
                          reason_to_string((Reason)reason));
                for (int other = 0; other < reason; other++)
                        cr_expect_str_neq(sentence, reason_for_person((Reason)other));
        }
        cr_expect_not_null(reason_for_person((Reason)1000));
}

Test(policy_event, has_a_message_id_of_its_own) {
        for (int kind = 0; event_to_string((EventKind)kind); kind++) {
                const char *id = event_message_id((EventKind)kind);

                cr_expect_eq(strlen(id), 32);
                cr_expect_eq(strspn(id, "0123456789abcdef"), 32);
                cr_expect_eq(event_from_string(event_to_string((EventKind)kind)), kind);
                cr_expect(event_priority((EventKind)kind) >= 1 && event_priority((EventKind)kind) <= 7);
                for (int other = 0; other < kind; other++)
                        cr_expect_str_neq(id, event_message_id((EventKind)other));
        }
}

Test(policy_identity, is_copied_whole) {
        static char name[] = "sdb", path[] = "/sys/x", vendor[] = "0951", serial[] = "S1", label[] = "Stick";
        DeviceIdentity id = {.name = name,
                             .syspath = path,
                             .vendor = vendor,
                             .serial = serial,
                             .vendor_name = label,
                             .bus = DEVICE_BUS_USB,
                             .size = 7,
                             .hotplug = true};
        DeviceIdentity copy = {0};

        cr_assert_eq(device_identity_copy(&id, &copy), 0);
        cr_expect_str_eq(copy.name, "sdb");
        cr_expect_neq(copy.name, id.name);
        cr_expect_str_eq(copy.serial, "S1");
        cr_expect_str_eq(copy.vendor_name, "Stick");
        cr_expect_null(copy.product);
        cr_expect(copy.bus == DEVICE_BUS_USB && copy.size == 7 && copy.hotplug);
        device_identity_clear(&copy);
        cr_expect_null(copy.name);
        cr_expect_eq(copy.size, 0);
}
