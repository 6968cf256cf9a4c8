/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for the person who was blocked. */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "agent/notify/notice.h"
#include "policy/scope.h"

static Notice notice;

static void set(const char *name, const char *value) {
        cr_assert_eq(notice_set_text(&notice, name, value), 0);
}

static void setup(void) {
        cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
        notice = (Notice){.count = 1, .loginuid = UINT64_MAX};
        set("event", "write-denied");
        set("path", "/media/stick/住民.txt");
        set("rule", "stick <1> & more");
        set("reason", "outside-hours");
        set("contact", "情報政策課 内線 2345");
}

static void teardown(void) {
        notice_clear(&notice);
}

TestSuite(notice, .init = setup, .fini = teardown);

Test(notice, says_what_why_and_whom_to_ask) {
        CLEANUP_FREE char *body = notice_body(&notice, 1, false), *line = notice_line(&notice, 12);

        cr_expect_str_eq(notice_summary(&notice), "Writing was blocked");
        cr_expect_str_eq(body, "/media/stick/住民.txt\n"
                               "It has been approved for other hours.\n"
                               "Rule: stick <1> & more\n"
                               "Contact: 情報政策課 内線 2345");
        cr_expect_str_eq(line,
                         "Sekisho: Writing was blocked | /media/stick/住民.txt | It has been approved for "
                         "other hours. | Rule: stick <1> & more | Contact: 情報政策課 内線 2345 | 12 "
                         "refusals so far");
}

Test(notice, says_what_was_plugged_in) {
        const struct {
                const char *event, *summary;
        } cases[] = {{"network-interface-verdict", "A network interface was refused"},
                     {"device-verdict", "A device was refused"},
                     {"interface-verdict", "A part of a device was refused"}};

        notice_clear(&notice);
        notice = (Notice){.count = 1, .loginuid = UINT64_MAX, .seat = UINT64_MAX};
        set("device", "1-2:1.0");
        set("network_interface", "usb0");
        set("reason", "default");
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                set("event", cases[i].event);
                cr_expect_str_eq(notice_summary(&notice), cases[i].summary);
        }
        for (int i = 0; i < 2; i++) {
                CLEANUP_FREE char *body = notice_body(&notice, 1, false);

                cr_expect_str_eq(body, i == 0 ? "usb0\nIt is not on the list of what this terminal may use."
                                              : "usb0\n18d1:4ee3 0123<&\n"
                                                "It is not on the list of what this terminal may use.");
                set("device_vendor", "18d1");
                set("device_product", "4ee3");
                set("device_serial", "0123<&");
        }
}

Test(notice, is_no_markup_of_its_own) {
        CLEANUP_FREE char *body = notice_body(&notice, 2, true);

        cr_expect_not_null(strstr(body, "\nRule: stick &lt;1&gt; &amp; more\n"));
        cr_expect_null(strchr(body, '<'));
}

Test(notice, steers_no_terminal) {
        CLEANUP_FREE char *body = NULL, *line = NULL;

        set("path", "/a\x1b]0;b\x07\n\xe2\x80\xae"
                    "\xff");
        set("contact", "c\rd");
        body = notice_body(&notice, 1, false);
        line = notice_line(&notice, 1);
        cr_expect_not_null(strstr(body, "/a\\x1b]0;b\\x07\\x0a\\u202e\\xff\n"));
        cr_expect_not_null(strstr(line, "Contact: c\\x0dd"));
        for (const char *c = line; *c; c++)
                cr_expect((unsigned char)*c >= 0x20 && *c != 0x7f, "%02x", (unsigned char)*c);
}

Test(notice, makes_do_with_little) {
        Notice little = {0};
        CLEANUP_FREE char *body = notice_body(&little, 1, true), *line = notice_line(&little, 1);

        cr_expect_str_eq(notice_summary(&little), "Writing was blocked");
        cr_expect_str_eq(body, "");
        cr_expect_str_eq(line, "Sekisho: Writing was blocked");
}

Test(notice, names_each_kind) {
        set("event", "read-denied");
        cr_expect_str_eq(notice_summary(&notice), "Reading was blocked");
        set("event", "raw-write-denied");
        cr_expect_str_eq(notice_summary(&notice), "Writing to a device was blocked");
}

Test(notice, passes_over_what_it_does_not_know) {
        CLEANUP_FREE char *body = NULL;

        set("colour", "blue");
        set("reason", "because");
        notice_set_number(&notice, "pid", 12);
        notice_set_number(&notice, "loginuid", 1000);
        body = notice_body(&notice, 1, false);
        cr_expect_null(strstr(body, "blue"));
        cr_expect_null(strstr(body, "because"));
        cr_expect_eq(notice.loginuid, 1000);
        cr_expect_eq(notice.count, 1);
}

Test(notice, of_a_connection_names_where_it_was_to_go) {
        Notice refused = {0};
        CLEANUP_FREE char *body = NULL;

        cr_assert_eq(notice_set_text(&refused, "event", "connection-denied"), 0);
        cr_assert_eq(notice_set_text(&refused, "destination", "10.9.0.1"), 0);
        cr_assert_eq(notice_set_text(&refused, "port", "443"), 0);
        cr_assert_eq(notice_set_text(&refused, "rule", "network.default"), 0);
        body = notice_body(&refused, 1, false);
        cr_expect_str_eq(notice_summary(&refused), "A network connection was blocked");
        cr_expect_str_eq(body, "10.9.0.1, port 443\nRule: network.default");
        notice_clear(&refused);
}
