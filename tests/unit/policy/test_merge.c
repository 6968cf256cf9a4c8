/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories of drop-ins. */
#include <errno.h>

#include "tests/unit/policy/policy_directory.h"
#include "tests/unit/policy/policy_text.h"

Test(policy_merge, replaces_single_values_and_appends_lists_in_byte_order) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "20-later.yaml",
                        "version: 1\nserial: 3\nmode: monitor\n"
                        "removable: {also-external: [loop], devices: [{name: second, match: {bus: mmc}, "
                        "access: deny}]}\n"
                        "usb: {interfaces: {printer: deny}}\n"
                        "mfa: {services: {sudo: off}, factors: [password, fido2], exempt: [b]}\n");
        directory_write(&d, "10-first.yaml",
                        "version: 1\nserial: 5\nzone: internet\ncontact: first\n"
                        "removable: {default: read-only, also-external: [virtio], devices: [{name: first, "
                        "match: {bus: "
                        "usb}, access: write}]}\n"
                        "usb: {default: allow, interfaces: {hid: allow, printer: allow}}\n"
                        "mfa: {services: {sudo: required, login: required}, factors: [password, card], "
                        "exempt: [a]}\n");
        directory_write(&d, "30-contact.yaml", "version: 1\ncontact: third\n");

        cr_assert_eq(policy_load(d.path, &policy, &faults), 0, "%s",
                     faults.n ? faults.items[0].message : "");
        cr_expect_eq(policy->serial, 5); /* the highest */
        cr_expect_eq(policy->zone, ZONE_INTERNET);
        cr_expect_eq(policy->mode, MODE_MONITOR);
        cr_expect_str_eq(policy->contact, "third");
        cr_expect_eq(policy->removable_default, ACCESS_READ_ONLY);
        cr_expect(policy->bus_external[DEVICE_BUS_LOOP] && policy->bus_external[DEVICE_BUS_VIRTIO]);
        cr_assert_eq(policy->n_devices, 2);
        cr_expect_str_eq(policy->devices[0].name, "first");
        cr_expect_str_eq(policy->devices[0].origin, directory_origin(&d, "10-first.yaml", 5));
        cr_expect_str_eq(policy->devices[1].origin, directory_origin(&d, "20-later.yaml", 4));
        cr_expect_str_eq(policy->removable_origin, directory_origin(&d, "10-first.yaml", 5));
        cr_expect(policy->usb_default_allow && policy->usb_class_allow[USB_CLASS_HID_]);
        cr_expect_not(policy->usb_class_allow[USB_CLASS_PRINTER_]);
        cr_expect_str_eq(policy->usb_origin, directory_origin(&d, "20-later.yaml", 5));
        cr_assert_eq(policy->n_mfa_services, 2);
        cr_expect(!policy->mfa_services[0].required && policy->mfa_services[1].required);
        cr_assert_eq(policy->n_mfa_factors, 2); /* one value, not a list to be added to */
        cr_expect_eq(policy->mfa_factors[1], FACTOR_FIDO2);
        cr_expect_eq(policy->n_mfa_exempt, 2);
        policy_unref(policy);
        directory_remove(&d);
}

Test(policy_merge, ignores_dot_files_and_other_names) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "a.yaml", HEAD);
        directory_write(&d, ".hidden.yaml", "broken: [");
        directory_write(&d, "b.yaml~", "broken: [");
        directory_write(&d, "README", "broken: [");
        directory_write(&d, ".yaml", "broken: [");
        directory_write(&d, "b.yml", "broken: [");
        cr_expect_eq(policy_load(d.path, &policy, &faults), 0);
        cr_expect_eq(policy->serial, 7);
        policy_unref(policy);
        directory_remove(&d);
}

Test(policy_merge, tells_the_faults_of_all_files_in_order) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "c.yaml", "version: 1\nzone: x\n");
        directory_write(&d, "a.yaml",
                        HEAD "removable: {devices: [{name: same, match: {bus: usb}, access: deny}]}\n");
        directory_write(
                &d, "b.yaml",
                "version: 1\nfilesystems: {allow: [{name: same, type: cifs, access: deny}]}\nmode: [\n");
        directory_write(&d, "d.yaml",
                        "version: 1\nfilesystems: {allow: [{name: same, type: cifs, access: deny}]}\n");
        cr_expect_eq(policy_load(d.path, &policy, &faults), -EBADMSG);
        cr_assert_eq(faults.n, 3);
        cr_expect(strstr(faults.items[0].file, "/b.yaml") && faults.items[0].line == 4);
        cr_expect(strstr(faults.items[1].file, "/c.yaml") && faults.items[1].line == 2);
        cr_expect(strstr(faults.items[2].file, "/d.yaml") && faults.items[2].line == 2);
        cr_expect_not_null(strstr(faults.items[2].message, "/a.yaml:3"));
        policy_faults_clear(&faults);
        directory_remove(&d);
}

Test(policy_merge, needs_a_version_in_each_file_and_a_serial_in_one) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "a.yaml", "version: 1\n");
        directory_write(&d, "b.yaml", "zone: lgwan\n");
        cr_expect_eq(policy_load(d.path, &policy, &faults), -EBADMSG);
        cr_assert_eq(faults.n, 2);
        cr_expect_not_null(strstr(faults.items[0].message, "\"serial\" is missing"));
        cr_expect_not_null(strstr(faults.items[1].message, "\"version\" is missing"));
        policy_faults_clear(&faults);
        directory_remove(&d);
}

Test(policy_merge, takes_factors_from_another_file_than_the_services) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "a.yaml", HEAD "mfa: {services: {login: required}}\n");
        directory_write(&d, "b.yaml", "version: 1\nmfa: {factors: [password, totp]}\n");
        cr_expect_eq(policy_load(d.path, &policy, &faults), 0);
        policy_unref(policy);
        directory_remove(&d);
}
