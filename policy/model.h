/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h: a policy as it is held in memory, after loading, merging and checking. Read-only once made;
 * several threads may decide from one at a time. See sekisho-policy(5) for what the fields mean to an admin.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "policy/enum.h"
#include "policy/minisign.h"
#include "policy/object.h"
#include "policy/verdict.h"

#define POLICY_ZONE_LIST(X)                                                                                 \
        X(ZONE_MYNUMBER, "mynumber")                                                                        \
        X(ZONE_LGWAN, "lgwan")                                                                              \
        X(ZONE_INTERNET, "internet")
DECLARE_ENUM(PolicyZone, policy_zone, POLICY_ZONE_LIST);

#define POLICY_MODE_LIST(X)                                                                                 \
        X(MODE_ENFORCE, "enforce")                                                                          \
        X(MODE_MONITOR, "monitor")
DECLARE_ENUM(PolicyMode, policy_mode, POLICY_MODE_LIST);

/* What becomes of an approval for some (users, groups, hours) where no security hook of the kernel asks who
 * changes what. */
#define WITHOUT_LSM_LIST(X)                                                                                 \
        X(WITHOUT_LSM_READ_ONLY, "read-only") /* nobody writes */                                           \
        X(WITHOUT_LSM_GATE, "gate") /* who opens for writing is asked by fanotify; names and attributes are \
                                       open to all whom the file system lets */
DECLARE_ENUM(WithoutLsm, without_lsm, WITHOUT_LSM_LIST);

/* What records tell of the names of files, which may be people's. */
#define FILE_NAMES_LIST(X)                                                                                  \
        X(FILE_NAMES_PLAIN, "plain")                                                                        \
        X(FILE_NAMES_MASKED, "masked") /* nothing but the volume and a usual extension */                   \
        X(FILE_NAMES_KEYED, "keyed")   /* a token for each, the same for the same name on this terminal */
DECLARE_ENUM(FileNames, file_names, FILE_NAMES_LIST);

#define FACTOR_LIST(X)                                                                                      \
        X(FACTOR_PASSWORD, "password")                                                                      \
        X(FACTOR_TOTP, "totp")                                                                              \
        X(FACTOR_CARD, "card")                                                                              \
        X(FACTOR_FIDO2, "fido2")                                                                            \
        X(FACTOR_FINGERPRINT, "fingerprint")                                                                \
        X(FACTOR_CARD_PIN, "card-pin")     /* the card took it, and signed: never without FACTOR_CARD's */  \
        X(FACTOR_RECOVERY, "recovery")     /* one of a few codes on paper, each taken once */               \
        X(FACTOR_SUBSTITUTE, "substitute") /* for a forgotten card, for some hours, from a second person */
DECLARE_ENUM(Factor, factor, FACTOR_LIST);

/* Sets of factors. */
#define FACTOR_BIT(factor) (1U << (unsigned)(factor))
#define FACTORS_ALL        (FACTOR_BIT(FACTOR_SUBSTITUTE + 1) - 1)

/* What a factor shows: something known, had or been. Two of one kind are one. */
#define FACTOR_KIND_LIST(X)                                                                                 \
        X(KIND_NONE, "none")                                                                                \
        X(KIND_KNOWLEDGE, "knowledge")                                                                      \
        X(KIND_POSSESSION, "possession")                                                                    \
        X(KIND_INHERENCE, "inherence")
DECLARE_ENUM(FactorKind, factor_kind, FACTOR_KIND_LIST);

/* KIND_NONE for what is no factor. */
FactorKind factor_kind(Factor factor);
/* How many different kinds are in a set of factors. */
unsigned factor_kinds_count(unsigned factors);

/* What a login needs. */
#define LOGIN_NEED_LIST(X)                                                                                  \
        X(LOGIN_DENY, "deny")                                                                               \
        X(LOGIN_REQUIRED, "required") /* two kinds of factors */                                            \
        X(LOGIN_OFF, "off")           /* nothing beyond what the PAM stack asks for otherwise */
DECLARE_ENUM(LoginNeed, login_need, LOGIN_NEED_LIST);

#define PROTOCOL_LIST(X)                                                                                    \
        X(PROTOCOL_ANY, "any")                                                                              \
        X(PROTOCOL_TCP, "tcp")                                                                              \
        X(PROTOCOL_UDP, "udp")                                                                              \
        X(PROTOCOL_ICMP, "icmp")
DECLARE_ENUM(Protocol, protocol, PROTOCOL_LIST);

/* What of the guard itself nobody else may touch, root included. */
#define PROTECTION_LIST(X)                                                                                  \
        X(PROTECT_PROCESS, "process") /* its processes, and what it has pinned in the kernel */             \
        X(PROTECT_STATE, "state")     /* its state and runtime directories */                               \
        X(PROTECT_POLICY, "policy")   /* the files of the policy */
DECLARE_ENUM(Protected, protected, PROTECTION_LIST);
enum {
        PROTECTIONS = PROTECT_POLICY + 1
};

/* Hours of a week: bit 0 of days is Sunday; minutes since midnight, from inclusive, to exclusive; a window
 * whose end is not after its start runs over midnight and belongs to the day it starts on. */
typedef struct Hours {
        bool set; /* false: no limit */
        uint8_t days;
        uint16_t from, to;
} Hours;

/* To whom and until when a rule applies. An empty list of users and groups means everybody. */
typedef struct RuleScope {
        char **users;
        size_t n_users;
        char **groups;
        size_t n_groups;
        uid_t *uids; /* users and groups resolved by policy_resolve(): names that exist on this machine */
        size_t n_uids;
        gid_t *gids;
        size_t n_gids;
        bool by_session; /* only in these sessions of audit; nobody where there are none */
        uint32_t *sessions;
        size_t n_sessions;
        Hours hours;
        time_t expires; /* first second at which the rule no longer holds; 0: never */
} RuleScope;

/* What is only tried out: what it would refuse is recorded, and goes ahead, up to an end. */
typedef struct MonitorSpan {
        bool on;
        time_t until; /* first second at which it is in force; 0: no end */
} MonitorSpan;

/* Attributes a device must have, all that are set. At least one is. */
typedef struct DeviceMatch {
        char *vendor, *product, *serial;
        bool bus_set;
        DeviceBus bus;
} DeviceMatch;

typedef struct DeviceRule {
        char *name;
        char *origin; /* FILE:LINE */
        DeviceMatch match;
        Access access;
        bool encrypted; /* written only through a LUKS2 volume on it */
        char *holder;   /* who has it, for people only; NULL if none is given */
        RuleScope scope;
        MonitorSpan monitor;
} DeviceRule;

/* A USB device that is let in or kept out as a whole, whatever its interface classes. */
typedef struct UsbRule {
        char *name, *origin;
        DeviceMatch match;
        bool allow;
        time_t expires;
        MonitorSpan monitor;
} UsbRule;

typedef struct FilesystemRule {
        char *name, *origin;
        char *type;   /* fstype, exact; "fuse" also stands for no subtype */
        char *source; /* NULL: any */
        Access access;
        RuleScope scope;
        MonitorSpan monitor;
} FilesystemRule;

typedef struct PortRange {
        uint16_t from, to;
} PortRange;

typedef struct NetworkRule {
        char *name, *origin;
        char *to; /* address, prefix or name */
        Protocol protocol;
        PortRange *ports;
        size_t n_ports;
        char *program;   /* its path, absolute; NULL: any */
        char *interface; /* by which the way leads out; NULL: any */
        RuleScope scope;
        MonitorSpan monitor;
} NetworkRule;

/* What a network interface is to people. */
#define INTERFACE_NAMED_KIND_LIST(X)                                                                        \
        X(INTERFACE_ETHERNET, "ethernet") /* wired, and not on USB */                                       \
        X(INTERFACE_WIFI, "wifi")         /* on whatever bus */                                             \
        X(INTERFACE_WWAN, "wwan")                                                                           \
        X(INTERFACE_BLUETOOTH, "bluetooth")                                                                 \
        X(INTERFACE_USB, "usb")         /* everything else on USB: tethering, dongles */                    \
        X(INTERFACE_VIRTUAL, "virtual") /* no device beneath: bridges, veth, tunnels */
#define INTERFACE_KIND_LIST(X) X(INTERFACE_UNKNOWN, "unknown") INTERFACE_NAMED_KIND_LIST(X)
DECLARE_ENUM(InterfaceKind, interface_kind, INTERFACE_KIND_LIST);
enum {
        INTERFACE_KINDS = INTERFACE_VIRTUAL + 1
};

/* Attributes a network interface must have, all that are set. At least one is. */
typedef struct InterfaceMatch {
        char *interface; /* its name; a star at the end stands for any rest */
        char *driver;    /* as the kernel names it: e1000e */
        char *bus;       /* as the kernel names it: pci, usb, virtio */
        char *mac;       /* the address it was made with */
        bool kind_set;
        InterfaceKind kind;
} InterfaceMatch;

/* A network interface that is let up. */
typedef struct InterfaceRule {
        char *name, *origin;
        InterfaceMatch match;
} InterfaceRule;

/* Whether files of an asset may be the source of a write to what is approved. */
#define ASSET_EXPORT_LIST(X)                                                                                \
        X(EXPORT_NEVER, "never")                                                                            \
        X(EXPORT_RECORD, "record") /* it goes ahead, with a record */
DECLARE_ENUM(AssetExport, asset_export, ASSET_EXPORT_LIST);

/* A write of which it cannot be told where it comes from. */
#define ASSETS_UNKNOWN_LIST(X)                                                                              \
        X(ASSETS_UNKNOWN_DENY, "deny")                                                                      \
        X(ASSETS_UNKNOWN_ALLOW, "allow")
DECLARE_ENUM(AssetsUnknown, assets_unknown, ASSETS_UNKNOWN_LIST);

/* Files and directories of one kind of confidentiality. */
typedef struct Asset {
        char *name, *origin;
        char *class; /* the label that records have; NULL: the name */
        char **paths;
        size_t n_paths;
        AssetExport export;
} Asset;

typedef struct MfaService {
        char *name;
        bool required;
} MfaService;

/* What some logins need. It matches if all that is set does: services, places, persons, hours. */
typedef struct MfaRule {
        char *name, *origin;
        char **services; /* PAM services; none: all */
        size_t n_services;
        char **from; /* "local", "remote", addresses, prefixes, host names; none: from anywhere */
        size_t n_from;
        LoginNeed login;
        unsigned factors; /* 0: those of all */
        RuleScope scope;
} MfaRule;

/* An account for emergencies, which nobody else can lock. */
typedef struct MfaBreakGlass {
        char *user, *origin;
        unsigned factors;
        bool uid_known;
        uid_t uid;
} MfaBreakGlass;

/* Whether a security key has to know its owner, by PIN or fingerprint, besides being touched. */
#define USER_VERIFICATION_LIST(X)                                                                           \
        X(USER_VERIFICATION_REQUIRED, "required")                                                           \
        X(USER_VERIFICATION_PREFERRED, "preferred") /* where the key can */
DECLARE_ENUM(UserVerification, user_verification, USER_VERIFICATION_LIST);

typedef struct MfaFido2 {
        char *relying_party; /* NULL: MFA_RELYING_PARTY_DEFAULT */
        UserVerification verification;
        unsigned timeout;  /* seconds */
        char *attestation; /* file with certificates of those whose keys are enrolled; NULL: anybody's */
} MfaFido2;

/* How IC cards are read, by PKCS#11, and what their certificates are checked against. */
typedef struct MfaCard {
        char *module;  /* path; NULL: MFA_CARD_MODULE_DEFAULT */
        char *ca;      /* file with certificates; NULL: what was enrolled is enough */
        char *crl;     /* file with revocation lists; NULL: none */
        unsigned wait; /* seconds */
} MfaCard;

#define MFA_RELYING_PARTY_DEFAULT "pam.sekisho"

/* Bounds on guessing: after TRIES failures of one factor WAIT seconds, doubled with each further one. */
typedef struct MfaLimits {
        unsigned tries, wait, wait_max;
} MfaLimits;

enum {
        MFA_TRIES_DEFAULT = 5,
        MFA_WAIT_DEFAULT = 30,
        MFA_WAIT_MAX_DEFAULT = 900,
        MFA_DRIFT_DEFAULT = 1,
        MFA_TIMEOUT_DEFAULT = 30,
        SELF_TEST_EVERY_DEFAULT = 60
};

/* Exceptions that people give for a while: sekishoctl grant. */
typedef struct PolicyGrants {
        bool allowed;
        bool one_person;      /* no second one has to approve */
        unsigned minutes_max; /* 0: GRANTS_MINUTES_DEFAULT */
        char *answer_key;     /* file with the terminal's secret; NULL: none is given by telephone */
} PolicyGrants;

enum {
        GRANTS_MINUTES_DEFAULT = 60,
        GRANTS_MINUTES_MAX = 720
};

typedef struct Policy {
        unsigned references; /* policy_ref, policy_unref; atomic */
        int version;
        uint64_t serial;
        PolicyZone zone;
        PolicyMode mode;
        time_t monitor_until; /* MODE_MONITOR: first second at which it is enforced; 0: no end */
        char *mode_origin;    /* where mode is named; NULL if it is not */
        char *contact;        /* NULL if none */
        WithoutLsm without_lsm;
        bool lsm_missing;  /* not of the file: set by who knows the machine, before the first decision */
        time_t not_before; /* first second at which it may come into force; 0: any */
        time_t expires;    /* first second at which it may not any more; 0: never */

        MinisignSignature *signature; /* who signed it; NULL: nobody */
        bool signing_required;        /* later ones have to be signed ... */
        bool signing_named;           /* ... and a file says so, or that they need not */
        uint64_t *signing_revoked;    /* keys that do not count any more */
        size_t n_signing_revoked;

        bool lockdown;         /* of the file */
        char *lockdown_origin; /* where; NULL if no file speaks of it */
        bool machine_locked;   /* not of the file: policy_set_machine_locked(), at any time */

        Access removable_default;
        MonitorSpan removable_monitor;              /* of the default alone */
        bool bus_external[DEVICE_BUS_PLATFORM + 1]; /* removable.also-external */
        DeviceRule *devices;
        size_t n_devices;
        struct Policy *base; /* not of the file: whose everything is but the first n_grants of devices, and
                                the array (policy_with_grants()); NULL: it is nobody's */
        size_t n_grants;
        uint32_t *device_serials; /* serial_hash() of each rule's serial; NULL: not made, every rule is
                                     compared */

        bool usb_default_given; /* a file says usb.default; else the built-in choice of classes holds */
        bool usb_default_allow;
        bool usb_class_allow[256]; /* by class code; usb_default_allow is already in it for what is not named
                                    */
        bool usb_class_named[256];
        UsbRule *usb_rules;
        size_t n_usb_rules;

        Access filesystems_default;
        MonitorSpan filesystems_monitor; /* of the default alone */
        FilesystemRule *filesystems;
        size_t n_filesystems;

        bool network_given; /* a file has the section network; else the network guard is off */
        bool network_default_allow;
        NetworkRule *network;
        size_t n_network;
        char **resolvers; /* addresses; DNS to them is approved for everybody, names are resolved by them */
        size_t n_resolvers;
        char **ntp; /* addresses */
        size_t n_ntp;
        bool network_dhcp, network_neighbours; /* network.services: what a link needs to come up */

        InterfaceRule *interfaces;
        size_t n_interfaces;
        bool interfaces_default_given; /* a file says network.interfaces.default; else kinds and zone do */
        bool interfaces_default_allow; /* of those no rule matches and no kind is known of */
        bool interface_kind_allow[INTERFACE_KINDS]; /* of those no rule matches */

        MfaService *mfa_services;
        size_t n_mfa_services;
        Factor *mfa_factors;
        size_t n_mfa_factors;
        char **mfa_exempt;
        size_t n_mfa_exempt;
        uid_t *mfa_exempt_uids; /* resolved by policy_resolve() */
        size_t n_mfa_exempt_uids;
        LoginNeed mfa_default; /* services that are not named; the built-in default alone says off */
        MfaRule *mfa_rules;
        size_t n_mfa_rules;
        MfaBreakGlass *mfa_break_glass;
        size_t n_mfa_break_glass;
        time_t mfa_grace_until;  /* enrolment may wait until then; 0: not by date */
        unsigned mfa_grace_days; /* and so many days from a person's first login; 0: not by days */
        MfaLimits mfa_limits;
        unsigned mfa_drift; /* TOTP: steps of 30 s that clocks may differ, either way */
        MfaFido2 mfa_fido2;
        unsigned mfa_fingerprint_timeout; /* seconds */
        bool mfa_require_guard;       /* nobody logs in while no guard is in force; by zone where no ... */
        bool mfa_require_guard_named; /* ... file names it */
        MfaCard mfa_card;
        bool mfa_lock_on_removal; /* a session whose card or key is taken away locks; by zone where no ... */
        bool mfa_lock_on_removal_named; /* ... file names it */
        unsigned mfa_lock_idle_minutes; /* an idle session locks; 0: not by time */

        unsigned self_test_every; /* minutes; 0: not at intervals */
        Asset *assets;
        size_t n_assets;
        AssetsUnknown assets_unknown;

        FileNames records_file_names;
        unsigned records_keep_days; /* how long records have to be kept; 0: the policy does not say */

        PolicyGrants grants;

        bool protects[PROTECTIONS];      /* by Protected; by zone where no file names it */
        bool protect_named[PROTECTIONS]; /* a file does */

        /* where the values above that stand alone came from: "FILE:LINE" or "built-in" */
        char *removable_origin, *usb_origin, *filesystems_origin, *network_origin, *interfaces_origin,
                *resolvers_origin, *ntp_origin; /* these two NULL where there are none */
} Policy;

/* Whether everything external is denied, whatever rules say: an emergency. By the file, or because who knows
 * the machine says so; that may change while others decide. */
bool policy_is_locked_down(const Policy *policy);
void policy_set_machine_locked(Policy *policy, bool locked);

Policy *policy_ref(Policy *policy);
Policy *policy_unref(Policy *policy); /* returns NULL */
