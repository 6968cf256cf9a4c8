/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/schema.h"

#include "policy/scope.h"

DEFINE_ENUM_STRINGS(Answer, answer, ANSWER_LIST)
DEFINE_ENUM_STRINGS(Encryption, encryption, ENCRYPTION_LIST)

/* libcyaml's tables of words, from the same lists as the enums. */
#define STRVAL_(constant, word)  {word, constant},
#define DEFINE_WORDS(name, LIST) static const cyaml_strval_t name[] = {LIST(STRVAL_)}

DEFINE_WORDS(access_strings, ACCESS_LIST);
DEFINE_WORDS(answer_strings, ANSWER_LIST);
DEFINE_WORDS(encryption_strings, ENCRYPTION_LIST);
DEFINE_WORDS(bus_strings, DEVICE_BUS_LIST);
DEFINE_WORDS(zone_strings, POLICY_ZONE_LIST);
DEFINE_WORDS(mode_strings, POLICY_MODE_LIST);
DEFINE_WORDS(without_lsm_strings, WITHOUT_LSM_LIST);
DEFINE_WORDS(asset_export_strings, ASSET_EXPORT_LIST);
DEFINE_WORDS(assets_unknown_strings, ASSETS_UNKNOWN_LIST);
DEFINE_WORDS(file_names_strings, FILE_NAMES_LIST);
DEFINE_WORDS(factor_strings, FACTOR_LIST);
DEFINE_WORDS(protocol_strings, PROTOCOL_LIST);
/* What a rule can ask for; not that nothing is known. */
static const cyaml_strval_t kind_strings[] = {INTERFACE_NAMED_KIND_LIST(STRVAL_)};
DEFINE_WORDS(login_strings, LOGIN_NEED_LIST);
DEFINE_WORDS(verification_strings, USER_VERIFICATION_LIST);

#define REQUIRED CYAML_FLAG_STRICT
#define OPTIONAL (CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL)
#define LIST     (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

#define FIELD_TEXT(key, flags, structure, member, max)                                                      \
        CYAML_FIELD_STRING_PTR(key, flags, structure, member, 1, max)
#define FIELD_WORD(key, structure, member, words)                                                           \
        CYAML_FIELD_ENUM(key, REQUIRED, structure, member, words, ELEMENTS(words))
#define FIELD_WORD_OPTIONAL(key, structure, member, words)                                                  \
        CYAML_FIELD_ENUM_PTR(key, OPTIONAL, structure, member, words, ELEMENTS(words))

static const cyaml_schema_value_t person_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, NAME_LENGTH_MAX)};

#define SCOPE_FIELDS(structure)                                                                             \
        CYAML_FIELD_SEQUENCE("users", LIST, structure, scope.users, &person_schema, 1, NAMES_MAX),          \
                CYAML_FIELD_SEQUENCE("groups", LIST, structure, scope.groups, &person_schema, 1,            \
                                     NAMES_MAX),                                                            \
                FIELD_TEXT("hours", OPTIONAL, structure, scope.hours, SHORT_LENGTH_MAX),                    \
                FIELD_TEXT("expires", OPTIONAL, structure, scope.expires, SHORT_LENGTH_MAX)

#define MONITOR_FIELDS(structure)                                                                           \
        FIELD_WORD_OPTIONAL("mode", structure, monitor.mode, mode_strings),                                 \
                FIELD_TEXT("monitor-until", OPTIONAL, structure, monitor.until, SHORT_LENGTH_MAX)

/* Of a section's default. */
#define DEFAULT_MONITOR_FIELDS(structure)                                                                   \
        CYAML_FIELD_BOOL_PTR("monitor", CYAML_FLAG_OPTIONAL, structure, monitor),                           \
                FIELD_TEXT("monitor-until", OPTIONAL, structure, monitor_until, SHORT_LENGTH_MAX)

const cyaml_schema_field_t match_fields[] = {
        FIELD_TEXT("vendor", OPTIONAL, RawMatch, vendor, ATTRIBUTE_LENGTH_MAX),
        FIELD_TEXT("product", OPTIONAL, RawMatch, product, ATTRIBUTE_LENGTH_MAX),
        FIELD_TEXT("serial", OPTIONAL, RawMatch, serial, ATTRIBUTE_LENGTH_MAX),
        FIELD_WORD_OPTIONAL("bus", RawMatch, bus, bus_strings),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t device_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawDevice, name, NAME_LENGTH_MAX),
        CYAML_FIELD_MAPPING("match", REQUIRED, RawDevice, match, match_fields),
        FIELD_WORD("access", RawDevice, access, access_strings),
        FIELD_WORD_OPTIONAL("encrypted", RawDevice, encrypted, encryption_strings),
        FIELD_TEXT("holder", OPTIONAL, RawDevice, holder, NAME_LENGTH_MAX),
        SCOPE_FIELDS(RawDevice),
        MONITOR_FIELDS(RawDevice),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t device_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawDevice, device_fields)};

static const cyaml_schema_value_t bus_schema = {
        CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, DeviceBus, bus_strings, ELEMENTS(bus_strings))};

const cyaml_schema_field_t removable_fields[] = {
        FIELD_WORD_OPTIONAL("default", RawRemovable, initial, access_strings),
        DEFAULT_MONITOR_FIELDS(RawRemovable),
        CYAML_FIELD_SEQUENCE("also-external", LIST, RawRemovable, also_external, &bus_schema, 0,
                             ELEMENTS(bus_strings)),
        CYAML_FIELD_SEQUENCE("devices", LIST, RawRemovable, devices, &device_schema, 0, RULES_MAX),
        CYAML_FIELD_END,
};

static const cyaml_schema_field_t interface_fields[] = {
#define INTERFACE_FIELD_(constant, code, word)                                                              \
        FIELD_WORD_OPTIONAL(word, RawInterfaces, by_class[code], answer_strings),
        USB_CLASS_LIST(INTERFACE_FIELD_)
#undef INTERFACE_FIELD_
                CYAML_FIELD_END,
};

const cyaml_schema_field_t usb_device_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawUsbDevice, name, NAME_LENGTH_MAX),
        CYAML_FIELD_MAPPING("match", REQUIRED, RawUsbDevice, match, match_fields),
        FIELD_WORD("access", RawUsbDevice, access, answer_strings),
        FIELD_TEXT("expires", OPTIONAL, RawUsbDevice, expires, SHORT_LENGTH_MAX),
        MONITOR_FIELDS(RawUsbDevice),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t usb_device_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawUsbDevice, usb_device_fields)};

static const cyaml_schema_field_t usb_fields[] = {
        FIELD_WORD_OPTIONAL("default", RawUsb, initial, answer_strings),
        CYAML_FIELD_MAPPING_PTR("interfaces", OPTIONAL, RawUsb, interfaces, interface_fields),
        CYAML_FIELD_SEQUENCE("devices", LIST, RawUsb, devices, &usb_device_schema, 0, RULES_MAX),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t filesystem_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawFilesystem, name, NAME_LENGTH_MAX),
        FIELD_TEXT("type", REQUIRED, RawFilesystem, type, TYPE_LENGTH_MAX),
        FIELD_TEXT("source", OPTIONAL, RawFilesystem, source, SOURCE_LENGTH_MAX),
        FIELD_WORD("access", RawFilesystem, access, access_strings),
        SCOPE_FIELDS(RawFilesystem),
        MONITOR_FIELDS(RawFilesystem),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t filesystem_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawFilesystem, filesystem_fields)};

const cyaml_schema_field_t filesystems_fields[] = {
        FIELD_WORD_OPTIONAL("default", RawFilesystems, initial, access_strings),
        DEFAULT_MONITOR_FIELDS(RawFilesystems),
        CYAML_FIELD_SEQUENCE("allow", LIST, RawFilesystems, allow, &filesystem_schema, 0, RULES_MAX),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, SHORT_LENGTH_MAX)};

const cyaml_schema_field_t network_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawNetwork, name, NAME_LENGTH_MAX),
        FIELD_TEXT("to", REQUIRED, RawNetwork, to, DESTINATION_LENGTH_MAX),
        FIELD_WORD_OPTIONAL("protocol", RawNetwork, protocol, protocol_strings),
        CYAML_FIELD_SEQUENCE("ports", LIST, RawNetwork, ports, &port_schema, 1, PORTS_MAX),
        FIELD_TEXT("program", OPTIONAL, RawNetwork, program, SOURCE_LENGTH_MAX),
        FIELD_TEXT("interface", OPTIONAL, RawNetwork, interface, INTERFACE_LENGTH_MAX),
        SCOPE_FIELDS(RawNetwork),
        MONITOR_FIELDS(RawNetwork),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t network_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawNetwork, network_fields)};

static const cyaml_schema_value_t address_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, SHORT_LENGTH_MAX)};

static const cyaml_schema_field_t services_fields[] = {
        FIELD_WORD_OPTIONAL("dhcp", RawServices, dhcp, answer_strings),
        FIELD_WORD_OPTIONAL("neighbour-discovery", RawServices, neighbours, answer_strings),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t interface_match_fields[] = {
        FIELD_TEXT("interface", OPTIONAL, RawInterfaceMatch, interface, INTERFACE_LENGTH_MAX),
        FIELD_TEXT("driver", OPTIONAL, RawInterfaceMatch, driver, SHORT_LENGTH_MAX),
        FIELD_TEXT("bus", OPTIONAL, RawInterfaceMatch, bus, SHORT_LENGTH_MAX),
        FIELD_TEXT("mac", OPTIONAL, RawInterfaceMatch, mac, SHORT_LENGTH_MAX),
        FIELD_WORD_OPTIONAL("kind", RawInterfaceMatch, kind, kind_strings),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t network_interface_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawInterface, name, NAME_LENGTH_MAX),
        CYAML_FIELD_MAPPING("match", REQUIRED, RawInterface, match, interface_match_fields),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t network_interface_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawInterface, network_interface_fields)};

static const cyaml_schema_field_t network_interfaces_fields[] = {
        FIELD_WORD_OPTIONAL("default", RawNetworkInterfaces, initial, answer_strings),
        CYAML_FIELD_SEQUENCE("allow", LIST, RawNetworkInterfaces, allow, &network_interface_schema, 0,
                             RULES_MAX),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t networks_fields[] = {
        FIELD_WORD_OPTIONAL("default", RawNetworks, initial, answer_strings),
        CYAML_FIELD_SEQUENCE("resolvers", LIST, RawNetworks, resolvers, &address_schema, 0, RESOLVERS_MAX),
        CYAML_FIELD_SEQUENCE("ntp", LIST, RawNetworks, ntp, &address_schema, 0, RESOLVERS_MAX),
        CYAML_FIELD_MAPPING_PTR("services", OPTIONAL, RawNetworks, services, services_fields),
        CYAML_FIELD_MAPPING_PTR("interfaces", OPTIONAL, RawNetworks, interfaces, network_interfaces_fields),
        CYAML_FIELD_SEQUENCE("allow", LIST, RawNetworks, allow, &network_schema, 0, RULES_MAX),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t factor_schema = {
        CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, Factor, factor_strings, ELEMENTS(factor_strings))};

static const cyaml_schema_value_t service_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, SHORT_LENGTH_MAX)};

static const cyaml_schema_value_t from_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, DESTINATION_LENGTH_MAX)};

const cyaml_schema_field_t mfa_rule_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawMfaRule, name, NAME_LENGTH_MAX),
        CYAML_FIELD_SEQUENCE("services", LIST, RawMfaRule, services, &service_schema, 1, SERVICES_MAX),
        CYAML_FIELD_SEQUENCE("from", LIST, RawMfaRule, from, &from_schema, 1, FROM_MAX),
        FIELD_WORD("login", RawMfaRule, login, login_strings),
        CYAML_FIELD_SEQUENCE("factors", LIST, RawMfaRule, factors, &factor_schema, 2, FACTORS_MAX),
        SCOPE_FIELDS(RawMfaRule),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t mfa_rule_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawMfaRule, mfa_rule_fields)};

const cyaml_schema_field_t break_glass_fields[] = {
        FIELD_TEXT("user", REQUIRED, RawBreakGlass, user, NAME_LENGTH_MAX),
        CYAML_FIELD_SEQUENCE("factors", CYAML_FLAG_POINTER, RawBreakGlass, factors, &factor_schema, 2,
                             FACTORS_MAX),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t break_glass_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawBreakGlass, break_glass_fields)};

const cyaml_schema_field_t grace_fields[] = {
        FIELD_TEXT("until", OPTIONAL, RawGrace, until, SHORT_LENGTH_MAX),
        CYAML_FIELD_UINT_PTR("days", CYAML_FLAG_OPTIONAL, RawGrace, days),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t limits_fields[] = {
        CYAML_FIELD_UINT_PTR("tries", CYAML_FLAG_OPTIONAL, RawLimits, tries),
        CYAML_FIELD_UINT_PTR("wait", CYAML_FLAG_OPTIONAL, RawLimits, wait),
        CYAML_FIELD_UINT_PTR("wait-max", CYAML_FLAG_OPTIONAL, RawLimits, wait_max),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t totp_fields[] = {
        CYAML_FIELD_UINT_PTR("drift", CYAML_FLAG_OPTIONAL, RawTotp, drift),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t fido2_fields[] = {
        FIELD_TEXT("relying-party", OPTIONAL, RawFido2, relying_party, SHORT_LENGTH_MAX),
        FIELD_WORD_OPTIONAL("user-verification", RawFido2, verification, verification_strings),
        CYAML_FIELD_UINT_PTR("timeout-seconds", CYAML_FLAG_OPTIONAL, RawFido2, timeout),
        FIELD_TEXT("attestation", OPTIONAL, RawFido2, attestation, SOURCE_LENGTH_MAX),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t fingerprint_fields[] = {
        CYAML_FIELD_UINT_PTR("timeout-seconds", CYAML_FLAG_OPTIONAL, RawFingerprint, timeout),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t card_fields[] = {
        FIELD_TEXT("module", OPTIONAL, RawCard, module, SOURCE_LENGTH_MAX),
        FIELD_TEXT("ca", OPTIONAL, RawCard, ca, SOURCE_LENGTH_MAX),
        FIELD_TEXT("crl", OPTIONAL, RawCard, crl, SOURCE_LENGTH_MAX),
        CYAML_FIELD_UINT_PTR("wait-seconds", CYAML_FLAG_OPTIONAL, RawCard, wait),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t mfa_fields[] = {
        FIELD_WORD_OPTIONAL("default", RawMfa, initial, login_strings),
        CYAML_FIELD_IGNORE("services", CYAML_FLAG_OPTIONAL),
        CYAML_FIELD_SEQUENCE("factors", LIST, RawMfa, factors, &factor_schema, 2, FACTORS_MAX),
        CYAML_FIELD_SEQUENCE("exempt", LIST, RawMfa, exempt, &person_schema, 0, NAMES_MAX),
        CYAML_FIELD_SEQUENCE("rules", LIST, RawMfa, rules, &mfa_rule_schema, 0, RULES_MAX),
        CYAML_FIELD_SEQUENCE("break-glass", LIST, RawMfa, break_glass, &break_glass_schema, 0,
                             BREAK_GLASS_MAX),
        CYAML_FIELD_MAPPING_PTR("grace", OPTIONAL, RawMfa, grace, grace_fields),
        CYAML_FIELD_MAPPING_PTR("limits", OPTIONAL, RawMfa, limits, limits_fields),
        CYAML_FIELD_MAPPING_PTR("totp", OPTIONAL, RawMfa, totp, totp_fields),
        CYAML_FIELD_MAPPING_PTR("fido2", OPTIONAL, RawMfa, fido2, fido2_fields),
        CYAML_FIELD_MAPPING_PTR("fingerprint", OPTIONAL, RawMfa, fingerprint, fingerprint_fields),
        CYAML_FIELD_BOOL_PTR("require-guard", CYAML_FLAG_OPTIONAL, RawMfa, require_guard),
        CYAML_FIELD_MAPPING_PTR("card", OPTIONAL, RawMfa, card, card_fields),
        CYAML_FIELD_BOOL_PTR("lock-on-removal", CYAML_FLAG_OPTIONAL, RawMfa, lock_on_removal),
        CYAML_FIELD_UINT_PTR("lock-idle-minutes", CYAML_FLAG_OPTIONAL, RawMfa, lock_idle_minutes),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t records_fields[] = {
        CYAML_FIELD_UINT_PTR("keep-days", CYAML_FLAG_OPTIONAL, RawRecords, keep_days),
        FIELD_WORD_OPTIONAL("file-names", RawRecords, file_names, file_names_strings),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t self_test_fields[] = {
        CYAML_FIELD_UINT_PTR("every", CYAML_FLAG_OPTIONAL, RawSelfTest, every),
        CYAML_FIELD_END,
};

const cyaml_schema_field_t grants_fields[] = {
        CYAML_FIELD_BOOL_PTR("allowed", CYAML_FLAG_OPTIONAL, RawGrants, allowed),
        CYAML_FIELD_BOOL_PTR("two-people", CYAML_FLAG_OPTIONAL, RawGrants, two_people),
        CYAML_FIELD_UINT_PTR("minutes-max", CYAML_FLAG_OPTIONAL, RawGrants, minutes_max),
        FIELD_TEXT("answer-key", OPTIONAL, RawGrants, answer_key, SOURCE_LENGTH_MAX),
        CYAML_FIELD_END,
};

static const cyaml_schema_field_t self_protection_fields[] = {
        CYAML_FIELD_BOOL_PTR("process", CYAML_FLAG_OPTIONAL, RawSelfProtection, process),
        CYAML_FIELD_BOOL_PTR("state", CYAML_FLAG_OPTIONAL, RawSelfProtection, state),
        CYAML_FIELD_BOOL_PTR("policy", CYAML_FLAG_OPTIONAL, RawSelfProtection, policy),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t key_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, SHORT_LENGTH_MAX)};

const cyaml_schema_field_t signing_fields[] = {
        CYAML_FIELD_BOOL_PTR("required", CYAML_FLAG_OPTIONAL, RawSigning, required),
        CYAML_FIELD_SEQUENCE("revoked", LIST, RawSigning, revoked, &key_schema, 0, REVOKED_KEYS_MAX),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t path_schema = {
        CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, SOURCE_LENGTH_MAX)};

const cyaml_schema_field_t asset_fields[] = {
        FIELD_TEXT("name", REQUIRED, RawAsset, name, NAME_LENGTH_MAX),
        FIELD_TEXT("class", OPTIONAL, RawAsset, class, NAME_LENGTH_MAX),
        CYAML_FIELD_SEQUENCE("paths", CYAML_FLAG_POINTER, RawAsset, paths, &path_schema, 1, ASSET_PATHS_MAX),
        FIELD_WORD("export", RawAsset, export, asset_export_strings),
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t asset_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RawAsset, asset_fields)};

const cyaml_schema_field_t policy_fields[] = {
        CYAML_FIELD_INT("version", CYAML_FLAG_DEFAULT, RawPolicy, version),
        CYAML_FIELD_UINT_PTR("serial", CYAML_FLAG_OPTIONAL, RawPolicy, serial),
        FIELD_WORD_OPTIONAL("zone", RawPolicy, zone, zone_strings),
        MONITOR_FIELDS(RawPolicy),
        FIELD_WORD_OPTIONAL("without-lsm", RawPolicy, without_lsm, without_lsm_strings),
        CYAML_FIELD_BOOL_PTR("lockdown", CYAML_FLAG_OPTIONAL, RawPolicy, lockdown),
        FIELD_TEXT("contact", OPTIONAL, RawPolicy, contact, CONTACT_LENGTH_MAX),
        FIELD_TEXT("not-before", OPTIONAL, RawPolicy, not_before, SHORT_LENGTH_MAX),
        FIELD_TEXT("expires", OPTIONAL, RawPolicy, expires, SHORT_LENGTH_MAX),
        CYAML_FIELD_MAPPING_PTR("signing", OPTIONAL, RawPolicy, signing, signing_fields),
        CYAML_FIELD_MAPPING_PTR("removable", OPTIONAL, RawPolicy, removable, removable_fields),
        CYAML_FIELD_MAPPING_PTR("usb", OPTIONAL, RawPolicy, usb, usb_fields),
        CYAML_FIELD_MAPPING_PTR("filesystems", OPTIONAL, RawPolicy, filesystems, filesystems_fields),
        CYAML_FIELD_MAPPING_PTR("network", OPTIONAL, RawPolicy, network, networks_fields),
        CYAML_FIELD_MAPPING_PTR("mfa", OPTIONAL, RawPolicy, mfa, mfa_fields),
        CYAML_FIELD_MAPPING_PTR("self-protection", OPTIONAL, RawPolicy, self_protection,
                                self_protection_fields),
        CYAML_FIELD_MAPPING_PTR("self-test", OPTIONAL, RawPolicy, self_test, self_test_fields),
        CYAML_FIELD_SEQUENCE("assets", LIST, RawPolicy, assets, &asset_schema, 0, ASSETS_MAX),
        FIELD_WORD_OPTIONAL("assets-unknown", RawPolicy, assets_unknown, assets_unknown_strings),
        CYAML_FIELD_MAPPING_PTR("records", OPTIONAL, RawPolicy, records, records_fields),
        CYAML_FIELD_MAPPING_PTR("grants", OPTIONAL, RawPolicy, grants, grants_fields),
        CYAML_FIELD_END,
};

const cyaml_schema_value_t policy_schema = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, RawPolicy, policy_fields)};
