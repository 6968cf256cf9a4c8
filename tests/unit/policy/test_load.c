/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a good file becomes. */
#include "tests/unit/policy/policy_text.h"

static const char whole[] =
        "version: 1\n"
        "serial: 2026112101\n"
        "zone: lgwan\n"
        "mode: monitor\n"
        "contact: 情報政策課 内線 2345\n"
        "removable:\n"
        "  default: read-only\n"
        "  also-external: [loop, virtio]\n"
        "  devices:\n"
        "    - name: 課税課 暗号化USB 01\n"
        "      match: {vendor: \"0951\", product: \"1666\", serial: \"E0D55EA574\", bus: usb}\n"
        "      access: write\n"
        "      users: [yamada]\n"
        "      groups: [zeimu, koho]\n"
        "      hours: Mon-Fri 08:30-17:15\n"
        "      expires: 2027-03-31\n"
        "    - {name: second, match: {bus: mmc}, access: deny}\n"
        "usb:\n"
        "  default: deny\n"
        "  interfaces: {hid: allow, printer: deny}\n"
        "  devices:\n"
        "    - {name: labels, match: {vendor: 04f9}, access: allow, expires: 2027-03-31}\n"
        "filesystems:\n"
        "  default: deny\n"
        "  allow:\n"
        "    - {name: share, type: cifs, source: \"//fs01/kyoyu\", access: write, users: [a]}\n"
        "    - {name: any, type: nfs4, access: read-only}\n"
        "network:\n"
        "  default: deny\n"
        "  allow:\n"
        "    - {name: juki, to: 10.20.0.0/16, protocol: tcp, ports: [443, 8000-8010, \"22\"],\n"
        "       hours: 00:00-24:00}\n"
        "    - {name: ping, to: gw.local, protocol: icmp}\n"
        "    - {name: all, to: \"fd00::1\"}\n"
        "mfa:\n"
        "  services: {login: required, sudo: off}\n"
        "  factors: [password, card]\n"
        "  exempt: [konbini]\n"
        "self-protection: {process: true, policy: false}\n";

Test(policy_load, keeps_every_key_of_a_file) {
        CLEANUP_POLICY Policy *p = policy_of(whole);
        const DeviceRule *device = &p->devices[0];

        cr_expect_eq(p->version, 1);
        cr_expect_eq(p->serial, 2026112101);
        cr_expect_eq(p->zone, ZONE_LGWAN);
        cr_expect_eq(p->mode, MODE_MONITOR);
        cr_expect_str_eq(p->contact, "情報政策課 内線 2345");
        cr_expect_eq(p->removable_default, ACCESS_READ_ONLY);
        cr_expect_str_eq(p->removable_origin, "p.yaml:7");
        cr_expect(p->bus_external[DEVICE_BUS_LOOP] && p->bus_external[DEVICE_BUS_VIRTIO]);
        cr_expect_not(p->bus_external[DEVICE_BUS_NVME]);

        cr_assert_eq(p->n_devices, 2);
        cr_expect_str_eq(device->name, "課税課 暗号化USB 01");
        cr_expect_str_eq(device->origin, "p.yaml:10");
        cr_expect_str_eq(device->match.vendor, "0951");
        cr_expect_str_eq(device->match.product, "1666");
        cr_expect_str_eq(device->match.serial, "E0D55EA574");
        cr_expect(device->match.bus_set && device->match.bus == DEVICE_BUS_USB);
        cr_expect_eq(device->access, ACCESS_WRITE);
        cr_assert_eq(device->scope.n_users, 1);
        cr_expect_str_eq(device->scope.users[0], "yamada");
        cr_assert_eq(device->scope.n_groups, 2);
        cr_expect_str_eq(device->scope.groups[1], "koho");
        cr_expect(device->scope.hours.set && device->scope.hours.days == 0x3e &&
                  device->scope.hours.from == 510 && device->scope.hours.to == 1035);
        cr_expect_gt(device->scope.expires, 0);
        cr_expect_str_eq(p->devices[1].origin, "p.yaml:17");
        cr_expect_null(p->devices[1].match.vendor);
        cr_expect_eq(p->devices[1].access, ACCESS_DENY);
        cr_expect_eq(p->devices[1].scope.expires, 0);

        cr_expect(p->usb_class_allow[USB_CLASS_HID_] && p->usb_class_named[USB_CLASS_HID_]);
        cr_expect(!p->usb_class_allow[USB_CLASS_PRINTER_] && p->usb_class_named[USB_CLASS_PRINTER_]);
        cr_expect_not(p->usb_class_named[USB_CLASS_AUDIO_]);
        cr_assert_eq(p->n_usb_rules, 1);
        cr_expect(p->usb_rules[0].allow && p->usb_rules[0].expires == device->scope.expires);
        cr_expect_str_eq(p->usb_rules[0].origin, "p.yaml:22");

        cr_expect_eq(p->filesystems_default, ACCESS_DENY);
        cr_expect_str_eq(p->filesystems_origin, "p.yaml:24");
        cr_assert_eq(p->n_filesystems, 2);
        cr_expect_str_eq(p->filesystems[0].source, "//fs01/kyoyu");
        cr_expect_eq(p->filesystems[0].scope.n_users, 1);
        cr_expect_null(p->filesystems[1].source);
        cr_expect_str_eq(p->filesystems[1].type, "nfs4");
        cr_expect_str_eq(p->filesystems[1].origin, "p.yaml:27");

        cr_expect_not(p->network_default_allow);
        cr_assert_eq(p->n_network, 3);
        cr_expect_str_eq(p->network[0].to, "10.20.0.0/16");
        cr_expect_eq(p->network[0].protocol, PROTOCOL_TCP);
        cr_assert_eq(p->network[0].n_ports, 3);
        cr_expect(p->network[0].ports[1].from == 8000 && p->network[0].ports[1].to == 8010);
        cr_expect_eq(p->network[0].ports[2].to, 22);
        cr_expect(p->network[0].scope.hours.set);
        cr_expect_eq(p->network[2].protocol, PROTOCOL_ANY);
        cr_expect_eq(p->network[2].n_ports, 0);

        cr_assert_eq(p->n_mfa_services, 2);
        cr_expect_str_eq(p->mfa_services[0].name, "login");
        cr_expect(p->mfa_services[0].required && !p->mfa_services[1].required);
        cr_assert_eq(p->n_mfa_factors, 2);
        cr_expect(p->mfa_factors[0] == FACTOR_PASSWORD && p->mfa_factors[1] == FACTOR_CARD);
        cr_expect(p->protects[PROTECT_PROCESS] && p->protect_named[PROTECT_PROCESS]);
        cr_expect(!p->protects[PROTECT_STATE] && !p->protect_named[PROTECT_STATE]);
        cr_expect(!p->protects[PROTECT_POLICY] && p->protect_named[PROTECT_POLICY]);
        cr_assert_eq(p->n_mfa_exempt, 1);
        cr_expect_str_eq(p->mfa_exempt[0], "konbini");
}

Test(policy_load, denies_what_a_file_leaves_out) {
        CLEANUP_POLICY Policy *p = policy_of("version: 1\nserial: 0\n");

        cr_expect_eq(p->zone, ZONE_MYNUMBER);
        cr_expect_eq(p->mode, MODE_ENFORCE);
        cr_expect_eq(p->removable_default, ACCESS_DENY);
        cr_expect_eq(p->filesystems_default, ACCESS_DENY);
        cr_expect_not(p->network_default_allow);
        for (int class = 0; class < 256; class ++)
                cr_expect(!p->usb_class_named[class]);
        cr_expect_not(p->usb_class_allow[USB_CLASS_COMMUNICATIONS_]);
        cr_expect_not(p->usb_class_allow[USB_CLASS_VENDOR_]);
        cr_expect_str_eq(p->removable_origin, "built-in");
        cr_expect_null(p->contact);
}

Test(policy_load, keeps_the_keyboard_unless_a_file_says_otherwise) {
        CLEANUP_POLICY Policy *silent = policy_of(HEAD);
        CLEANUP_POLICY Policy *other = policy_of(HEAD "usb: {interfaces: {printer: allow}}\n");
        CLEANUP_POLICY Policy *denied = policy_of(HEAD "usb: {default: deny}\n");
        CLEANUP_POLICY Policy *named = policy_of(HEAD "usb: {interfaces: {hid: deny}}\n");

        cr_expect(silent->usb_class_allow[USB_CLASS_HID_] && silent->usb_class_allow[USB_CLASS_HUB_]);
        cr_expect(other->usb_class_allow[USB_CLASS_HID_] && other->usb_class_allow[USB_CLASS_PRINTER_]);
        cr_expect_not(denied->usb_class_allow[USB_CLASS_HID_]);
        cr_expect_not(named->usb_class_allow[USB_CLASS_HID_]);
        cr_expect(named->usb_class_allow[USB_CLASS_HUB_]);
}

Test(policy_load, lets_in_unnamed_usb_classes_where_the_default_allows) {
        CLEANUP_POLICY Policy *p = policy_of(HEAD "usb: {default: allow, interfaces: {wireless: deny}}\n");

        cr_expect(p->usb_class_allow[0x77]);
        cr_expect_not(p->usb_class_named[0x77]);
        cr_expect_not(p->usb_class_allow[USB_CLASS_WIRELESS_]);
        cr_expect_str_eq(p->usb_origin, "p.yaml:3");
}

Test(policy_load, takes_a_byte_order_mark_windows_lines_and_comments) {
        CLEANUP_POLICY Policy *p = policy_of("\xef\xbb\xbf# 方針\r\nversion: 1\r\nserial: 3 # 版\r\n");

        cr_expect_eq(p->serial, 3);
}

Test(policy_load, takes_empty_sections_and_lists) {
        CLEANUP_POLICY Policy *p = policy_of(
                HEAD "removable: {also-external: [], devices: []}\nusb: {interfaces: {}, devices: []}\n"
                     "filesystems: {allow: []}\nnetwork: {allow: []}\nmfa: {services: {}, exempt: []}\n");

        cr_expect_eq(p->n_devices, 0);
        cr_expect_eq(p->n_mfa_services, 0);
}

Test(policy_load, counts_references) {
        Policy *policy = policy_of(HEAD);

        cr_expect_eq(policy_ref(policy), policy);
        cr_expect_null(policy_unref(policy));
        cr_expect_eq(policy->references, 1);
        cr_expect_null(policy_unref(policy));
        cr_expect_null(policy_unref(NULL));
        cr_expect_null(policy_ref(NULL));
}
