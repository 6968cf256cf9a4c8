/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading while every allocation in turn fails: refused, never half a policy. The test's own malloc stands
 * before the C library's, for the YAML libraries too. */
#include <errno.h>
#include <time.h>

#include "tests/unit/policy/policy_text.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)

/* glibc keeps its own under these names for programs that replace malloc. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static bool armed;
static size_t countdown;

static bool fails(void) {
        return armed && countdown-- == 0;
}

void *malloc(size_t size) {
        if (!fails())
                return __libc_malloc(size);
        errno = ENOMEM;
        return NULL;
}

void *calloc(size_t n, size_t size) {
        if (!fails())
                return __libc_calloc(n, size);
        errno = ENOMEM;
        return NULL;
}

void *realloc(void *p, size_t size) {
        if (!fails())
                return __libc_realloc(p, size);
        errno = ENOMEM;
        return NULL;
}

static void expect_same_rules(const Policy *a, const Policy *b) {
        cr_assert(a->n_devices == b->n_devices && a->n_usb_rules == b->n_usb_rules &&
                  a->n_filesystems == b->n_filesystems && a->n_network == b->n_network &&
                  a->n_mfa_services == b->n_mfa_services && a->n_mfa_factors == b->n_mfa_factors);
        cr_expect_str_eq(a->contact, b->contact);
        cr_expect_str_eq(a->removable_origin, b->removable_origin);
        cr_expect_str_eq(a->usb_origin, b->usb_origin);
        cr_expect_str_eq(a->devices[0].origin, b->devices[0].origin);
        cr_expect_str_eq(a->devices[0].match.vendor, b->devices[0].match.vendor);
        cr_expect_eq(a->devices[0].scope.n_users, b->devices[0].scope.n_users);
        cr_expect_eq(a->devices[0].scope.expires, b->devices[0].scope.expires);
        cr_expect_str_eq(a->usb_rules[0].origin, b->usb_rules[0].origin);
        cr_expect_str_eq(a->filesystems[0].origin, b->filesystems[0].origin);
        cr_expect_str_eq(a->filesystems[0].source, b->filesystems[0].source);
        cr_expect_str_eq(a->network[0].origin, b->network[0].origin);
        cr_expect_eq(a->network[0].n_ports, b->network[0].n_ports);
}

/* Fails allocation after allocation until loading TEXT ends with EXPECTED for other reasons. The C library
 * does without some (asprintf): then the policy is the WHOLE one. */
static void load_starving(const char *text, int expected, const Policy *whole) {
        size_t failed = 0;

        for (;; failed++) {
                PolicyFaults faults = {0};
                Policy *policy = NULL;
                bool starved;
                int r;

                countdown = failed;
                armed = true;
                r = policy_load_buffer("p.yaml", text, strlen(text), &policy, &faults);
                armed = false;
                starved = countdown > failed; /* it has wrapped around: an allocation failed */
                cr_assert_eq(r == 0, policy != NULL, "allocation %zu: %d", failed, r);
                cr_assert(r == expected || (starved && (r == -ENOMEM || r == -EBADMSG)),
                          "allocation %zu: %d", failed, r);
                if (r == 0)
                        expect_same_rules(policy, whole);
                policy_faults_clear(&faults);
                policy_unref(policy);
                if (!starved)
                        break;
        }
        cr_expect_gt(failed, 20, "only %zu allocations were seen", failed);
}

static const char whole_text[] =
        HEAD "contact: a\n"
             "removable: {default: write, devices: [{name: r, match: {vendor: \"0951\", bus: usb}, access: "
             "write, users: [a, b], hours: 08:00-09:00, expires: 2030-01-01}]}\n"
             "usb: {interfaces: {hid: allow}, devices: [{name: u, match: {bus: usb}, access: allow}]}\n"
             "filesystems: {allow: [{name: f, type: cifs, source: s, access: write, groups: [g]}]}\n"
             "network: {allow: [{name: n, to: a.b, protocol: tcp, ports: [443]}]}\n"
             "mfa: {services: {login: required}, factors: [password, card], exempt: [x]}\n"
             "self-protection: {process: true, state: true, policy: true}\n";

Test(policy_memory, that_runs_out_refuses_the_policy_or_changes_nothing_in_it) {
        CLEANUP_POLICY Policy *whole = NULL;

        setenv("TZ", "JST-9", 1);
        whole = policy_of(whole_text);
        load_starving(whole_text, 0, whole);
}

Test(policy_memory, that_runs_out_while_faults_are_collected_refuses_the_policy) {
        load_starving("version: 2\nserial: 1\nzone: x\nunknown: 1\n"
                      "removable: {devices: [{name: a, match: {}, access: x}, {name: a, match: {}, access: "
                      "deny}]}\n",
                      -EBADMSG, NULL);
}

#else

Test(policy_memory, that_runs_out_refuses_the_policy) {
        cr_skip("the sanitizers have a malloc of their own");
}

#endif
