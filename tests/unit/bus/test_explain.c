/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policy in force decides, as the bus is told. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "agent/bus/explain.h"
#include "agent/ctl/json.h"
#include "policy/load.h"

static const char text[] = "version: 1\n"
                           "serial: 7\n"
                           "removable:\n"
                           "  default: read-only\n"
                           "  devices:\n"
                           "    - name: for root\n"
                           "      match: {serial: S1}\n"
                           "      access: write\n"
                           "      users: [root]\n"
                           "usb:\n"
                           "  interfaces: {printer: deny, hid: allow}\n"
                           "filesystems:\n"
                           "  allow:\n"
                           "    - {name: share, type: cifs, source: //fs/share, access: write}\n";

static Policy *policy;
static PolicyTime now;

static void setup(void) {
        PolicyFaults faults = {0};

        cr_assert_eq(policy_load_buffer("test", text, strlen(text), &policy, &faults), 0);
        cr_assert_eq(policy_resolve(policy, &policy_resolver_nss), 0);
        cr_assert_eq(policy_time_from_wall(1795217415, &now), 0);
}

static void teardown(void) {
        policy_unref(policy);
}

TestSuite(explain, .init = setup, .fini = teardown);

#define ASK(kind, ...)                                                                                      \
        ask(kind, (const BusExplainArgument[]){__VA_ARGS__},                                                \
            sizeof((const BusExplainArgument[]){__VA_ARGS__}) / sizeof(BusExplainArgument))

static struct json_object *ask(const char *kind, const BusExplainArgument *arguments, size_t n) {
        struct json_object *object = NULL;
        const char *why = NULL;
        char *answer = NULL;

        cr_assert_eq(bus_explain(policy, &now, kind, arguments, n, &answer, &why), 0, "%s", why ? why : "");
        cr_assert_eq(json_parse(answer, strlen(answer), &object), 0);
        free(answer);
        return object;
}

static void expect(struct json_object *object, bool allowed, const char *rule, const char *reason) {
        bool is_allowed = !allowed;

        cr_expect(json_flag(object, "allowed", &is_allowed));
        cr_expect_eq(is_allowed, allowed);
        cr_expect_str_eq(json_text(object, "rule"), rule);
        cr_expect_str_eq(json_text(object, "reason"), reason);
        cr_expect_not_null(json_text(object, "sentence"));
        json_object_put(object);
}

Test(explain, a_device_by_its_identity) {
        expect(ASK("device", {"serial", "S1"}), true, "for root", "rule");
        expect(ASK("device", {"serial", "S2"}), false, "removable.default", "default");
        expect(ASK("device", {"serial", "S2"}, {"bus", "ata"}), true, "internal", "internal");
}

Test(explain, an_interface_by_its_class) {
        expect(ASK("device", {"class", "printer"}), false, "usb.interfaces", "interface-class");
        expect(ASK("device", {"class", "hid"}), true, "usb.interfaces", "interface-class");
        expect(ASK("device", {"class", "mass-storage"}, {"serial", "S2"}), false, "removable.default",
               "default");
}

Test(explain, an_open_by_who_asks) {
        expect(ASK("open", {"serial", "S1"}, {"uid", "0"}), true, "for root", "rule");
        expect(ASK("open", {"serial", "S1"}, {"uid", "1000"}, {"gids", "1000,27"}), false, "for root",
               "not-this-person");
        expect(ASK("open", {"serial", "S2"}, {"uid", "0"}, {"operation", "read"}), true, "removable.default",
               "default");
        expect(ASK("open", {"fstype", "cifs"}, {"source", "//fs/share"}, {"uid", "1000"}), true, "share",
               "rule");
}

Test(explain, refuses_a_question_that_is_none) {
        static const struct {
                const char *kind;
                BusExplainArgument arguments[3];
        } cases[] = {
                {"door", {{0}}},
                {"device", {{"colour", "blue"}}},
                {"device", {{"bus", "ship"}}},
                {"device", {{"class", "no-such"}}},
                {"device", {{"class", "hid"}, {"bus", "mmc"}}},
                {"device", {{"uid", "0"}}},
                {"open", {{"uid", "0"}}},
                {"open", {{"serial", "S1"}}},
                {"open", {{"serial", "S1"}, {"uid", "-1"}}},
                {"open", {{"serial", "S1"}, {"uid", "4294967295"}}},
                {"open", {{"serial", "S1"}, {"uid", "1x"}}},
                {"open", {{"serial", "S1"}, {"uid", "1"}, {"gids", "1,"}}},
                {"open", {{"serial", "S1"}, {"uid", "1"}, {"gids", "1 2"}}},
                {"open", {{"serial", "S1"}, {"uid", "1"}, {"operation", "delete"}}},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const char *why = NULL;
                char *answer = NULL;
                size_t n = 0;

                while (n < ELEMENTS(cases[i].arguments) && cases[i].arguments[n].name)
                        n++;
                cr_expect_eq(bus_explain(policy, &now, cases[i].kind, cases[i].arguments, n, &answer, &why),
                             -EINVAL, "case %zu", i);
                cr_expect_not_null(why, "case %zu", i);
                cr_expect_null(answer);
        }
}
