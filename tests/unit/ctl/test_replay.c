/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/replay.h"
#include "agent/ctl/timespec.h"
#include "policy/build.h"
#include "policy/load.h"

/* 2026-11-21 08:30:15 in Tokyo, a Saturday */
#define THEN (UINT64_C(1795217415) * USEC_PER_SEC)

enum {
        SATO = 1001,
        STRANGER = 1002, /* whom the machine does not know */
        ZEIMU = 2001
};

static int user(void *userdata, const char *name, uid_t *ret) {
        (void)userdata;
        *ret = SATO;
        return strcmp(name, "sato") == 0 ? 0 : -ENOENT;
}

static int group(void *userdata, const char *name, gid_t *ret) {
        (void)userdata;
        *ret = ZEIMU;
        return strcmp(name, "zeimu") == 0 ? 0 : -ENOENT;
}

/* sato is in zeimu. */
static int person(void *userdata, const char *uid, Subject *ret, gid_t **ret_groups) {
        gid_t *groups;

        (void)userdata;
        if (strtoul(uid, NULL, 10) != SATO)
                return -ENOENT;
        groups = malloc(sizeof(*groups));
        cr_assert_not_null(groups);
        groups[0] = ZEIMU;
        *ret = (Subject){.uid = SATO, .loginuid = SATO, .gid = ZEIMU, .groups = groups, .n_groups = 1};
        *ret_groups = groups;
        return 0;
}

#define STICK(rest)                                                                                         \
        "removable:\n  default: read-only\n  devices:\n    - {name: stick, match: {serial: \"A\"}, "        \
        "access: " rest "}\n"
#define DENIED     "SEKISHO_EVENT=write-denied", "SEKISHO_VERDICT=deny", "SEKISHO_FSTYPE=vfat"
#define ON_STICK   "SEKISHO_DEVICE=sdb", "SEKISHO_DEVICE_BUS=usb", "SEKISHO_DEVICE_SERIAL=A"
#define BY_SATO    "SEKISHO_UID=1001"
#define TWO        "mfa: {factors: [password, totp], services: {login: required}}\n"
#define ALLOWED_IN "SEKISHO_EVENT=login-allowed", "SEKISHO_VERDICT=allow", "SEKISHO_SERVICE=login"
#define KEPT_OUT   "SEKISHO_EVENT=login-denied", "SEKISHO_VERDICT=deny", "SEKISHO_SERVICE=login"

#define WEB(to) "network: {allow: [{name: n, protocol: tcp, ports: [443], to: " to "}]}\n"
#define CONNECTION                                                                                          \
        "SEKISHO_EVENT=connection-denied", "SEKISHO_VERDICT=deny", "SEKISHO_DESTINATION=10.9.0.1",          \
                "SEKISHO_PORT=443", "SEKISHO_PROTOCOL=tcp"

static const struct {
        const char *label, *draft, *fields[12];
        ReplayOutcome outcome;
        const char *after;
} cases[] = {
        {"refused as then", STICK("read-only"), {DENIED, ON_STICK, BY_SATO}, REPLAY_SAME, "deny"},
        {"approved now", STICK("write"), {DENIED, ON_STICK, BY_SATO}, REPLAY_OTHERWISE, "allow"},
        {"approved for a group of the person",
         STICK("write, groups: [zeimu]"),
         {DENIED, ON_STICK, BY_SATO},
         REPLAY_OTHERWISE,
         "allow"},
        {"the person's groups are not known",
         STICK("write, groups: [zeimu]"),
         {DENIED, ON_STICK, "SEKISHO_UID=1002"},
         REPLAY_UNDECIDED,
         NULL},
        {"groups do not matter",
         STICK("write"),
         {DENIED, ON_STICK, "SEKISHO_UID=1002"},
         REPLAY_OTHERWISE,
         "allow"},
        {"a Saturday is outside the hours",
         STICK("write, hours: \"Mon-Fri 08:00-17:00\""),
         {DENIED, ON_STICK, BY_SATO},
         REPLAY_SAME,
         "deny"},
        {"had expired by then",
         STICK("write, expires: 2026-11-20"),
         {DENIED, ON_STICK, BY_SATO},
         REPLAY_SAME,
         "deny"},
        {"expires later",
         STICK("write, expires: 2026-11-22"),
         {DENIED, ON_STICK, BY_SATO},
         REPLAY_OTHERWISE,
         "allow"},
        {"hangs on encryption",
         STICK("write, encrypted: required"),
         {DENIED, ON_STICK, BY_SATO},
         REPLAY_UNDECIDED,
         NULL},
        {"a raw write is never encrypted",
         STICK("write, encrypted: required"),
         {"SEKISHO_EVENT=raw-write-denied", "SEKISHO_VERDICT=deny", ON_STICK, BY_SATO},
         REPLAY_SAME,
         "deny"},
        {"reading is refused now as then",
         STICK("deny"),
         {"SEKISHO_EVENT=read-denied", "SEKISHO_VERDICT=deny", ON_STICK, BY_SATO},
         REPLAY_SAME,
         "deny"},
        {"who it was is not known", STICK("write"), {DENIED, ON_STICK}, REPLAY_UNDECIDED, NULL},
        {"where it was is not known",
         STICK("write"),
         {"SEKISHO_EVENT=write-denied", "SEKISHO_VERDICT=deny", BY_SATO},
         REPLAY_UNDECIDED,
         NULL},
        {"a source that records do not have",
         "filesystems: {default: deny, allow: [{name: n, type: cifs, source: //a/b, access: write}]}\n",
         {"SEKISHO_EVENT=write-denied", "SEKISHO_VERDICT=deny", "SEKISHO_FSTYPE=cifs", BY_SATO},
         REPLAY_UNDECIDED,
         NULL},
        {"any source",
         "filesystems: {default: deny, allow: [{name: n, type: cifs, access: write}]}\n",
         {"SEKISHO_EVENT=write-denied", "SEKISHO_VERDICT=deny", "SEKISHO_FSTYPE=cifs", BY_SATO},
         REPLAY_OTHERWISE,
         "allow"},
        {"a device's verdict",
         STICK("read-only"),
         {"SEKISHO_EVENT=device-verdict", "SEKISHO_VERDICT=write", ON_STICK},
         REPLAY_OTHERWISE,
         "read-only"},
        {"a USB device that is no disk",
         STICK("deny"),
         {"SEKISHO_EVENT=device-verdict", "SEKISHO_VERDICT=allow", "SEKISHO_DEVICE=1-2",
          "SEKISHO_DEVICE_BUS=usb"},
         REPLAY_NO_VERDICT,
         NULL},
        {"an interface",
         "usb: {interfaces: {printer: allow}}\n",
         {"SEKISHO_EVENT=interface-verdict", "SEKISHO_VERDICT=deny", "SEKISHO_DEVICE=1-2",
          "SEKISHO_DEVICE_BUS=usb", "SEKISHO_USB_INTERFACE=1-2:1.0 class 07"},
         REPLAY_OTHERWISE,
         "allow"},
        {"a file system's verdict",
         STICK("write"),
         {"SEKISHO_EVENT=superblock-guarded", "SEKISHO_VERDICT=read-only", "SEKISHO_FSTYPE=vfat", ON_STICK},
         REPLAY_OTHERWISE,
         "write"},
        {"two factors do",
         TWO,
         {ALLOWED_IN, BY_SATO, "SEKISHO_FACTORS=password,totp"},
         REPLAY_SAME,
         "allow"},
        {"one did, and does no longer",
         TWO,
         {ALLOWED_IN, BY_SATO, "SEKISHO_FACTORS=password"},
         REPLAY_OTHERWISE,
         "more"},
        {"one did not, and does not",
         TWO,
         {KEPT_OUT, BY_SATO, "SEKISHO_FACTORS=password"},
         REPLAY_SAME,
         "deny"},
        {"one did not, and does now",
         "mfa: {factors: [password, totp], default: required, services: {login: off}}\n",
         {KEPT_OUT, BY_SATO, "SEKISHO_FACTORS=password"},
         REPLAY_OTHERWISE,
         "allow"},
        {"hangs on what was enrolled",
         "mfa: {factors: [password, totp], grace: {until: 2027-01-01}}\n",
         {ALLOWED_IN, BY_SATO, "SEKISHO_FACTORS=password"},
         REPLAY_UNDECIDED,
         NULL},
        {"the store failed",
         TWO,
         {KEPT_OUT, BY_SATO, "SEKISHO_ERROR=out of memory"},
         REPLAY_UNDECIDED,
         NULL},
        {"a lockdown stays one",
         TWO,
         {KEPT_OUT, BY_SATO, "SEKISHO_FACTORS=password,totp", "SEKISHO_REASON=lockdown"},
         REPLAY_SAME,
         "deny"},
        {"no guard is required",
         TWO,
         {KEPT_OUT, BY_SATO, "SEKISHO_FACTORS=password,totp", "SEKISHO_REASON=no-guard"},
         REPLAY_OTHERWISE,
         "allow"},
        {"nothing of the guard is protected",
         "",
         {"SEKISHO_EVENT=guard-touched", "SEKISHO_OPERATION=signal", "SEKISHO_UID=0"},
         REPLAY_OTHERWISE,
         "allow"},
        {"one of two things is protected",
         "self-protection: {state: true}\n",
         {"SEKISHO_EVENT=guard-touched", "SEKISHO_OPERATION=unlink"},
         REPLAY_UNDECIDED,
         NULL},
        {"a destination refused as then",
         WEB("10.9.0.2"),
         {CONNECTION, BY_SATO, "SEKISHO_EXE=/usr/bin/curl"},
         REPLAY_SAME,
         "deny"},
        {"a destination approved now",
         WEB("10.9.0.0/16"),
         {CONNECTION, BY_SATO, "SEKISHO_EXE=/usr/bin/curl"},
         REPLAY_OTHERWISE,
         "allow"},
        {"a destination for another program",
         WEB("10.9.0.0/16, program: /usr/bin/sync"),
         {CONNECTION, BY_SATO, "SEKISHO_EXE=/usr/bin/curl"},
         REPLAY_SAME,
         "deny"},
        {"a program that the record does not have",
         WEB("10.9.0.0/16, program: /usr/bin/sync"),
         {CONNECTION, BY_SATO},
         REPLAY_UNDECIDED,
         NULL},
        {"a destination that a name may have had",
         WEB("gw.example.jp"),
         {CONNECTION, BY_SATO, "SEKISHO_EXE=/usr/bin/curl"},
         REPLAY_UNDECIDED,
         NULL},
        {"a socket that leads nowhere yet",
         WEB("10.9.0.0/16"),
         {"SEKISHO_EVENT=connection-denied", "SEKISHO_OPERATION=packet-socket", BY_SATO},
         REPLAY_UNDECIDED,
         NULL},
        {"the guard is off with it", "", {CONNECTION, BY_SATO}, REPLAY_OTHERWISE, "allow"},
        {"a network interface by its driver",
         "network: {interfaces: {default: deny, allow: [{name: n, match: {driver: r8152}}]}}\n",
         {"SEKISHO_EVENT=network-interface-verdict", "SEKISHO_VERDICT=deny",
          "SEKISHO_NETWORK_INTERFACE=eth7", "SEKISHO_INTERFACE_KIND=usb", "SEKISHO_INTERFACE_DRIVER=r8152"},
         REPLAY_OTHERWISE,
         "allow"},
        {"a network interface by its kind",
         "network: {interfaces: {default: deny, allow: [{name: n, match: {kind: ethernet}}]}}\n",
         {"SEKISHO_EVENT=network-interface-verdict", "SEKISHO_VERDICT=deny",
          "SEKISHO_NETWORK_INTERFACE=eth7", "SEKISHO_INTERFACE_KIND=usb"},
         REPLAY_SAME,
         "deny"},
        {"no verdict", STICK("write"), {"SEKISHO_EVENT=agent-started"}, REPLAY_NO_VERDICT, NULL},
        {"no event of ours", STICK("write"), {"SEKISHO_EVENT=bogus"}, REPLAY_NO_VERDICT, NULL},
};

static Policy *load(const char *draft) {
        const PolicyResolver resolver = {.user = user, .group = group};
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_FREE char *text = NULL;
        Policy *policy = NULL;
        int n = asprintf(&text, "version: 1\nserial: 7\nzone: lgwan\n%s", draft);

        cr_assert_gt(n, 0);
        cr_assert_eq(policy_load_buffer("draft.yaml", text, (size_t)n, &policy, &faults), 0, "%s",
                     faults.n ? faults.items[0].message : "?");
        cr_assert_eq(policy_resolve(policy, &resolver), 0);
        return policy;
}

Test(replay, says_what_the_draft_would_have_said_and_what_it_cannot_tell) {
        setenv("TZ", "Asia/Tokyo", 1);
        tzset();
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_EVENT_RECORD EventRecord record = {.realtime = THEN};
                CLEANUP_POLICY Policy *draft = load(cases[i].draft);
                Replay replay;

                for (size_t j = 0; j < ELEMENTS(cases[i].fields) && cases[i].fields[j]; j++)
                        cr_assert_eq(
                                event_record_add(&record, cases[i].fields[j], strlen(cases[i].fields[j])),
                                0);
                cr_assert_eq(replay_record(draft, &record, person, NULL, &replay), 0);
                cr_expect_eq(replay.outcome, cases[i].outcome, "%s: %d (%s, %s)", cases[i].label,
                             replay.outcome, replay.after ? replay.after : "-",
                             replay.missing ? replay.missing : "-");
                cr_expect_eq(replay.missing != NULL, cases[i].outcome == REPLAY_UNDECIDED, "%s",
                             cases[i].label);
                if (cases[i].after && replay.after)
                        cr_expect_str_eq(replay.after, cases[i].after, "%s", cases[i].label);
        }
}
