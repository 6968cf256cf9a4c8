/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "policy/destination.h"
#include "policy/scope.h"

Test(policy_destination, takes_addresses_prefixes_and_host_names) {
        static const char *const good[] = {"10.20.0.1",  "10.20.0.0/16",   "0.0.0.0/0",  "fd00::1",
                                           "fd00::/8",   "::/0",           "::1/128",    "gw.lgwan.local",
                                           "fs01",       "a-b.example.jp", "0x.example", "3com.example.jp",
                                           "LGWAN.local"};
        const char *why;

        for (size_t i = 0; i < ELEMENTS(good); i++)
                cr_expect_eq(destination_check(good[i], &why), 0, "%s: %s", good[i], why);
}

Test(policy_destination, refuses_what_leads_nowhere_or_not_where_it_seems) {
        static const char *const bad[] = {
                "",          "10.20.0",     "10.20.0.256", "10.20.0.0/33", "10.20.0.0/", "10.20.1.0/16",
                "fd00::1/8", "fd00::/129",  "10.0.0.0/08", "10.0.0.0/8/8", "-a.example", "a-.example",
                "a..b",      "a.b.",        ".a",          "a b",          "住民.jp",    "a_b.example",
                "host/24",   "1.2.3.4:443", "10.0.0.0/-1"};
        const char *why;

        for (size_t i = 0; i < ELEMENTS(bad); i++)
                cr_expect(destination_check(bad[i], &why) == -EINVAL && why, "%s is taken", bad[i]);
}

Test(policy_destination, refuses_a_label_longer_than_63_characters) {
        char name[70];
        const char *why;

        memset(name, 'a', sizeof(name));
        name[63] = '\0';
        cr_expect_eq(destination_check(name, &why), 0);
        name[63] = 'a';
        name[64] = '\0';
        cr_expect_eq(destination_check(name, &why), -EINVAL);
}

Test(policy_destination, reads_ports_and_ranges_of_them) {
        static const struct {
                const char *text;
                unsigned from, to;
        } good[] = {{"1", 1, 1},
                    {"443", 443, 443},
                    {"8000-8010", 8000, 8010},
                    {"65535", 65535, 65535},
                    {"5-5", 5, 5}};
        static const char *const bad[] = {"",          "0",    "65536", "99999999999999999999",
                                          "8010-8000", "-1",   "443-",  "0443",
                                          "1-2-3",     "443 ", "https", "0-10",
                                          "1- 2"};
        const char *why;
        PortRange range;

        for (size_t i = 0; i < ELEMENTS(good); i++) {
                cr_expect_eq(port_range_parse(good[i].text, &range, &why), 0, "%s: %s", good[i].text, why);
                cr_expect(range.from == good[i].from && range.to == good[i].to, "%s", good[i].text);
        }
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                cr_expect(port_range_parse(bad[i], &range, &why) == -EINVAL && why, "%s is taken", bad[i]);
}
