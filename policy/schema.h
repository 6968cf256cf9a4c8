/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema.h: the grammar of a policy file as libcyaml's tables, and the raw structs these fill. The tables
 * are the one source of truth: check.c walks a document against the same ones to find every fault with its
 * place. What a table cannot say is attached to its fields in checks.c.
 *
 * A pointer is NULL where a file leaves the key out.
 */
#pragma once

#include <cyaml/cyaml.h>

#include "policy/model.h"

/* Limits, in bytes and entries. policy/sekisho-policy.schema.json repeats them. */
enum {
        NAME_LENGTH_MAX = 255,
        CONTACT_LENGTH_MAX = 511,
        ATTRIBUTE_LENGTH_MAX = 255,
        TYPE_LENGTH_MAX = 63,
        SOURCE_LENGTH_MAX = 4095,
        DESTINATION_LENGTH_MAX = 253,
        SHORT_LENGTH_MAX = 63,
        INTERFACE_LENGTH_MAX = 15, /* IFNAMSIZ - 1 */
        RULES_MAX = 50000,
        NAMES_MAX = 1024,
        PORTS_MAX = 64,
        RESOLVERS_MAX = 16,
        SERVICES_MAX = 64,
        FACTORS_MAX = 7,
        REVOKED_KEYS_MAX = 64,
        FROM_MAX = 64,
        BREAK_GLASS_MAX = 16,
        ASSETS_MAX = 256,
        ASSET_PATHS_MAX = 64,
};

#define ANSWER_LIST(X)                                                                                      \
        X(ANSWER_DENY, "deny")                                                                              \
        X(ANSWER_ALLOW, "allow")
DECLARE_ENUM(Answer, answer, ANSWER_LIST);

/* What of an approved device may be written to. */
#define ENCRYPTION_LIST(X) X(ENCRYPTION_REQUIRED, "required")
DECLARE_ENUM(Encryption, encryption, ENCRYPTION_LIST);

typedef struct RawScope {
        char **users;
        uint32_t users_count;
        char **groups;
        uint32_t groups_count;
        char *hours, *expires;
} RawScope;

/* mode and monitor-until, of a rule or of the whole policy. */
typedef struct RawMonitor {
        PolicyMode *mode;
        char *until;
} RawMonitor;

typedef struct RawMatch {
        char *vendor, *product, *serial;
        DeviceBus *bus;
} RawMatch;

typedef struct RawDevice {
        char *name, *holder;
        RawMatch match;
        Access access;
        Encryption *encrypted;
        RawScope scope;
        RawMonitor monitor;
} RawDevice;

typedef struct RawUsbDevice {
        char *name;
        RawMatch match;
        Answer access;
        char *expires;
        RawMonitor monitor;
} RawUsbDevice;

typedef struct RawFilesystem {
        char *name, *type, *source;
        Access access;
        RawScope scope;
        RawMonitor monitor;
} RawFilesystem;

typedef struct RawNetwork {
        char *name, *to, *program, *interface;
        Protocol *protocol;
        char **ports;
        uint32_t ports_count;
        RawScope scope;
        RawMonitor monitor;
} RawNetwork;

typedef struct RawAsset {
        char *name, *class;
        char **paths;
        uint32_t paths_count;
        AssetExport export;
} RawAsset;

typedef struct RawRemovable {
        Access *initial;
        bool *monitor;
        char *monitor_until;
        DeviceBus *also_external;
        uint32_t also_external_count;
        RawDevice *devices;
        uint32_t devices_count;
} RawRemovable;

typedef struct RawInterfaces {
        Answer *by_class[256];
} RawInterfaces;

typedef struct RawUsb {
        Answer *initial;
        RawInterfaces *interfaces;
        RawUsbDevice *devices;
        uint32_t devices_count;
} RawUsb;

typedef struct RawFilesystems {
        Access *initial;
        bool *monitor;
        char *monitor_until;
        RawFilesystem *allow;
        uint32_t allow_count;
} RawFilesystems;

typedef struct RawInterfaceMatch {
        char *interface, *driver, *bus, *mac;
        InterfaceKind *kind;
} RawInterfaceMatch;

typedef struct RawInterface {
        char *name;
        RawInterfaceMatch match;
} RawInterface;

typedef struct RawNetworkInterfaces {
        Answer *initial;
        RawInterface *allow;
        uint32_t allow_count;
} RawNetworkInterfaces;

typedef struct RawServices {
        Answer *dhcp, *neighbours;
} RawServices;

typedef struct RawNetworks {
        Answer *initial;
        char **resolvers, **ntp;
        uint32_t resolvers_count, ntp_count;
        RawServices *services;
        RawNetworkInterfaces *interfaces;
        RawNetwork *allow;
        uint32_t allow_count;
} RawNetworks;

/* mfa.services has names of the site's choice as keys, which libcyaml's tables cannot say; it is taken from
 * the tree. */
typedef struct RawMfaRule {
        char *name;
        char **services;
        uint32_t services_count;
        char **from;
        uint32_t from_count;
        LoginNeed login;
        Factor *factors;
        uint32_t factors_count;
        RawScope scope;
} RawMfaRule;

typedef struct RawBreakGlass {
        char *user;
        Factor *factors;
        uint32_t factors_count;
} RawBreakGlass;

typedef struct RawGrace {
        char *until;
        uint32_t *days;
} RawGrace;

typedef struct RawLimits {
        uint32_t *tries, *wait, *wait_max;
} RawLimits;

typedef struct RawTotp {
        uint32_t *drift;
} RawTotp;

typedef struct RawFido2 {
        char *relying_party, *attestation;
        UserVerification *verification;
        uint32_t *timeout;
} RawFido2;

typedef struct RawFingerprint {
        uint32_t *timeout;
} RawFingerprint;

typedef struct RawCard {
        char *module, *ca, *crl;
        uint32_t *wait;
} RawCard;

typedef struct RawMfa {
        LoginNeed *initial;
        Factor *factors;
        uint32_t factors_count;
        char **exempt;
        uint32_t exempt_count;
        RawMfaRule *rules;
        uint32_t rules_count;
        RawBreakGlass *break_glass;
        uint32_t break_glass_count;
        RawGrace *grace;
        RawLimits *limits;
        RawTotp *totp;
        RawFido2 *fido2;
        RawFingerprint *fingerprint;
        bool *require_guard;
        RawCard *card;
        bool *lock_on_removal;
        uint32_t *lock_idle_minutes;
} RawMfa;

typedef struct RawSelfProtection {
        bool *process, *state, *policy;
} RawSelfProtection;

typedef struct RawSelfTest {
        uint32_t *every;
} RawSelfTest;

typedef struct RawRecords {
        uint32_t *keep_days;
        FileNames *file_names;
} RawRecords;

typedef struct RawGrants {
        bool *allowed, *two_people;
        uint32_t *minutes_max;
        char *answer_key;
} RawGrants;

typedef struct RawSigning {
        bool *required;
        char **revoked;
        uint32_t revoked_count;
} RawSigning;

typedef struct RawPolicy {
        int version;
        uint64_t *serial;
        PolicyZone *zone;
        RawMonitor monitor;
        WithoutLsm *without_lsm;
        bool *lockdown;
        char *contact, *not_before, *expires;
        RawSigning *signing;
        RawRemovable *removable;
        RawUsb *usb;
        RawFilesystems *filesystems;
        RawNetworks *network;
        RawMfa *mfa;
        RawSelfProtection *self_protection;
        RawSelfTest *self_test;
        RawRecords *records;
        RawAsset *assets;
        uint32_t assets_count;
        AssetsUnknown *assets_unknown;
        RawGrants *grants;
} RawPolicy;

extern const cyaml_schema_value_t policy_schema;
extern const cyaml_schema_field_t policy_fields[], match_fields[], device_fields[], usb_device_fields[],
        filesystem_fields[], network_fields[], networks_fields[], network_interface_fields[],
        interface_match_fields[], mfa_fields[], mfa_rule_fields[], break_glass_fields[], signing_fields[],
        grace_fields[], limits_fields[], totp_fields[], fido2_fields[], fingerprint_fields[], card_fields[],
        records_fields[], self_test_fields[], removable_fields[], filesystems_fields[], asset_fields[],
        grants_fields[];
