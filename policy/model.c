/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/model.h"

#include <stdlib.h>

#include "policy/build.h"

DEFINE_ENUM_STRINGS(PolicyZone, policy_zone, POLICY_ZONE_LIST)
DEFINE_ENUM_STRINGS(PolicyMode, policy_mode, POLICY_MODE_LIST)
DEFINE_ENUM_STRINGS(WithoutLsm, without_lsm, WITHOUT_LSM_LIST)
DEFINE_ENUM_STRINGS(FileNames, file_names, FILE_NAMES_LIST)
DEFINE_ENUM_STRINGS(Factor, factor, FACTOR_LIST)
DEFINE_ENUM_STRINGS(FactorKind, factor_kind, FACTOR_KIND_LIST)
DEFINE_ENUM_STRINGS(LoginNeed, login_need, LOGIN_NEED_LIST)
DEFINE_ENUM_STRINGS(UserVerification, user_verification, USER_VERIFICATION_LIST)
DEFINE_ENUM_STRINGS(Protocol, protocol, PROTOCOL_LIST)
DEFINE_ENUM_STRINGS(InterfaceKind, interface_kind, INTERFACE_KIND_LIST)
DEFINE_ENUM_STRINGS(Protected, protected, PROTECTION_LIST)

static void strings_free(char **strings, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(strings[i]);
        free(strings);
}

static void scope_clear(RuleScope *scope) {
        strings_free(scope->users, scope->n_users);
        strings_free(scope->groups, scope->n_groups);
        free(scope->uids);
        free(scope->gids);
        free(scope->sessions);
}

static void match_clear(DeviceMatch *match) {
        free(match->vendor);
        free(match->product);
        free(match->serial);
}

void device_rule_clear(DeviceRule *rule) {
        free(rule->name);
        free(rule->origin);
        free(rule->holder);
        match_clear(&rule->match);
        scope_clear(&rule->scope);
}

void usb_rule_clear(UsbRule *rule) {
        free(rule->name);
        free(rule->origin);
        match_clear(&rule->match);
}

void filesystem_rule_clear(FilesystemRule *rule) {
        free(rule->name);
        free(rule->origin);
        free(rule->type);
        free(rule->source);
        scope_clear(&rule->scope);
}

void network_rule_clear(NetworkRule *rule) {
        free(rule->name);
        free(rule->origin);
        free(rule->to);
        free(rule->ports);
        free(rule->program);
        free(rule->interface);
        scope_clear(&rule->scope);
}

void interface_rule_clear(InterfaceRule *rule) {
        free(rule->name);
        free(rule->origin);
        free(rule->match.interface);
        free(rule->match.driver);
        free(rule->match.bus);
        free(rule->match.mac);
}

void mfa_rule_clear(MfaRule *rule) {
        free(rule->name);
        free(rule->origin);
        strings_free(rule->services, rule->n_services);
        strings_free(rule->from, rule->n_from);
        scope_clear(&rule->scope);
}

void asset_clear(Asset *asset) {
        free(asset->name);
        free(asset->origin);
        free(asset->class);
        strings_free(asset->paths, asset->n_paths);
}

/* Of one that grants were added to, the rules of those alone are its own. */
static void policy_free_derived(Policy *policy) {
        for (size_t i = 0; i < policy->n_grants; i++)
                device_rule_clear(&policy->devices[i]);
        free(policy->devices);
        free(policy->device_serials);
        policy_unref(policy->base);
        free(policy);
}

static void policy_free(Policy *policy) {
        if (policy->base) {
                policy_free_derived(policy);
                return;
        }
        free(policy->contact);
        free(policy->mode_origin);
        free(policy->signature);
        free(policy->signing_revoked);
        free(policy->lockdown_origin);
        for (size_t i = 0; i < policy->n_devices; i++)
                device_rule_clear(&policy->devices[i]);
        free(policy->devices);
        free(policy->device_serials);
        for (size_t i = 0; i < policy->n_usb_rules; i++)
                usb_rule_clear(&policy->usb_rules[i]);
        free(policy->usb_rules);
        for (size_t i = 0; i < policy->n_filesystems; i++)
                filesystem_rule_clear(&policy->filesystems[i]);
        free(policy->filesystems);
        for (size_t i = 0; i < policy->n_network; i++)
                network_rule_clear(&policy->network[i]);
        free(policy->network);
        strings_free(policy->resolvers, policy->n_resolvers);
        strings_free(policy->ntp, policy->n_ntp);
        for (size_t i = 0; i < policy->n_interfaces; i++)
                interface_rule_clear(&policy->interfaces[i]);
        free(policy->interfaces);
        for (size_t i = 0; i < policy->n_assets; i++)
                asset_clear(&policy->assets[i]);
        free(policy->assets);
        for (size_t i = 0; i < policy->n_mfa_services; i++)
                free(policy->mfa_services[i].name);
        free(policy->mfa_services);
        free(policy->mfa_factors);
        strings_free(policy->mfa_exempt, policy->n_mfa_exempt);
        free(policy->mfa_exempt_uids);
        free(policy->mfa_fido2.relying_party);
        free(policy->mfa_fido2.attestation);
        free(policy->mfa_card.module);
        free(policy->mfa_card.ca);
        free(policy->mfa_card.crl);
        for (size_t i = 0; i < policy->n_mfa_rules; i++)
                mfa_rule_clear(&policy->mfa_rules[i]);
        free(policy->mfa_rules);
        for (size_t i = 0; i < policy->n_mfa_break_glass; i++) {
                free(policy->mfa_break_glass[i].user);
                free(policy->mfa_break_glass[i].origin);
        }
        free(policy->mfa_break_glass);
        free(policy->grants.answer_key);
        free(policy->removable_origin);
        free(policy->usb_origin);
        free(policy->filesystems_origin);
        free(policy->network_origin);
        free(policy->interfaces_origin);
        free(policy->resolvers_origin);
        free(policy->ntp_origin);
        free(policy);
}

Policy *policy_new(void) {
        Policy *policy = calloc(1, sizeof(*policy));

        if (!policy)
                return NULL;
        policy->references = 1;
        policy->network_dhcp = policy->network_neighbours = true; /* what boot needs */
        policy->mfa_default = LOGIN_REQUIRED; /* by factors that are not given: nobody, until a file says */
        policy->mfa_limits = (MfaLimits){
                .tries = MFA_TRIES_DEFAULT, .wait = MFA_WAIT_DEFAULT, .wait_max = MFA_WAIT_MAX_DEFAULT};
        policy->mfa_drift = MFA_DRIFT_DEFAULT;
        policy->self_test_every = SELF_TEST_EVERY_DEFAULT;
        policy->mfa_fido2.timeout = policy->mfa_fingerprint_timeout = policy->mfa_card.wait =
                MFA_TIMEOUT_DEFAULT;
        return policy;
}

bool policy_is_locked_down(const Policy *policy) {
        return policy->lockdown || __atomic_load_n(&policy->machine_locked, __ATOMIC_ACQUIRE);
}

void policy_set_machine_locked(Policy *policy, bool locked) {
        __atomic_store_n(&policy->machine_locked, locked, __ATOMIC_RELEASE);
}

Policy *policy_ref(Policy *policy) {
        if (policy)
                __atomic_add_fetch(&policy->references, 1, __ATOMIC_RELAXED);
        return policy;
}

Policy *policy_unref(Policy *policy) {
        if (policy && __atomic_sub_fetch(&policy->references, 1, __ATOMIC_ACQ_REL) == 0)
                policy_free(policy);
        return NULL;
}

FactorKind factor_kind(Factor factor) {
        switch (factor) {
        case FACTOR_PASSWORD:
        case FACTOR_CARD_PIN:
                return KIND_KNOWLEDGE;
        case FACTOR_TOTP:
        case FACTOR_CARD:
        case FACTOR_FIDO2:
        case FACTOR_RECOVERY:
        case FACTOR_SUBSTITUTE:
                return KIND_POSSESSION;
        case FACTOR_FINGERPRINT:
                return KIND_INHERENCE;
        }
        return KIND_NONE;
}

unsigned factor_kinds_count(unsigned factors) {
        unsigned kinds = 0;

        for (unsigned factor = 0; factor <= FACTOR_SUBSTITUTE; factor++)
                if (factors & FACTOR_BIT(factor))
                        kinds |= 1U << factor_kind((Factor)factor);
        return (unsigned)__builtin_popcount(kinds & ~(1U << KIND_NONE));
}
