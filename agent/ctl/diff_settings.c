/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds for the whole terminal: values that are compared as they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/diff.h"
#include "agent/ctl/timespec.h"
#include "policy/schema.h"

static struct json_object *text(const char *value) {
        return value ? json_object_new_string(value) : NULL;
}

static struct json_object *number(unsigned value) {
        return json_object_new_int64(value);
}

static struct json_object *moment(time_t at) {
        char buffer[TIMESPEC_TEXT_MAX];

        return at ? json_object_new_string(timespec_iso((uint64_t)at * USEC_PER_SEC, buffer)) : NULL;
}

/* "name (class): export: path, path; ..." */
static struct json_object *assets(const Policy *policy) {
        struct json_object *made;
        char *words = NULL;
        size_t size = 0;
        FILE *to = policy->n_assets > 0 ? open_memstream(&words, &size) : NULL;

        if (!to)
                return NULL;
        for (size_t i = 0; i < policy->n_assets; i++) {
                const Asset *asset = &policy->assets[i];

                fprintf(to, "%s%s (%s): %s: ", i > 0 ? "; " : "", asset->name,
                        asset->class ? asset->class : asset->name, asset_export_to_string(asset->export));
                for (size_t j = 0; j < asset->n_paths; j++)
                        fprintf(to, "%s%s", j > 0 ? ", " : "", asset->paths[j]);
        }
        made = fclose(to) == 0 ? json_object_new_string(words) : NULL;
        free(words);
        return made;
}

static struct json_object *flag(bool value) {
        return json_object_new_boolean(value);
}

static struct json_object *list(char *const *items, size_t n) {
        struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < n; i++)
                json_append_text(array, items[i]);
        return array;
}

/* {"name": ..., "interface": ..., ...} of each rule, in order: the first that matches decides. */
static struct json_object *interfaces(const Policy *policy) {
        struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < policy->n_interfaces; i++) {
                const InterfaceMatch *match = &policy->interfaces[i].match;
                struct json_object *rule = json_object_new_object();

                json_put_text(rule, "interface", match->interface);
                json_put_text(rule, "driver", match->driver);
                json_put_text(rule, "bus", match->bus);
                json_put_text(rule, "mac", match->mac);
                json_put_text(rule, "kind", match->kind_set ? interface_kind_to_string(match->kind) : NULL);
                json_object_array_add(array, rule);
        }
        return array;
}

/* The kinds that are let up without a rule. */
static struct json_object *kinds(const Policy *policy) {
        struct json_object *array = json_object_new_array();

        for (unsigned kind = 0; kind < INTERFACE_KINDS; kind++)
                if (policy->interface_kind_allow[kind])
                        json_append_text(array, interface_kind_to_string((InterfaceKind)kind));
        return array;
}

/* X(what, how its value is told): by the keys of the policy, so that an admin finds them. */
#define SETTING_LIST(X)                                                                                     \
        X("mode", text(policy_mode_to_string(policy->mode)))                                                \
        X("monitor-until", moment(policy->monitor_until))                                                   \
        X("assets", assets(policy))                                                                         \
        X("assets-unknown", text(assets_unknown_to_string(policy->assets_unknown)))                         \
        X("records.file-names", text(file_names_to_string(policy->records_file_names)))                     \
        X("without-lsm", text(without_lsm_to_string(policy->without_lsm)))                                  \
        X("zone", text(policy_zone_to_string(policy->zone)))                                                \
        X("self-protection.process", flag(policy->protects[PROTECT_PROCESS]))                               \
        X("self-protection.state", flag(policy->protects[PROTECT_STATE]))                                   \
        X("self-protection.policy", flag(policy->protects[PROTECT_POLICY]))                                 \
        X("self-test.every", number(policy->self_test_every))                                               \
        X("network.resolvers", list(policy->resolvers, policy->n_resolvers))                                \
        X("network.ntp", list(policy->ntp, policy->n_ntp))                                                  \
        X("network.services.dhcp",                                                                          \
          text(answer_to_string(policy->network_dhcp ? ANSWER_ALLOW : ANSWER_DENY)))                        \
        X("network.services.neighbour-discovery",                                                           \
          text(answer_to_string(policy->network_neighbours ? ANSWER_ALLOW : ANSWER_DENY)))                  \
        X("network.interfaces.default", kinds(policy))                                                      \
        X("network.interfaces.allow", interfaces(policy))                                                   \
        X("grants.allowed", flag(policy->grants.allowed))                                                   \
        X("grants.two-people", flag(!policy->grants.one_person))                                            \
        X("grants.minutes-max",                                                                             \
          number(policy->grants.minutes_max ? policy->grants.minutes_max : GRANTS_MINUTES_DEFAULT))         \
        X("grants.answer-key", text(policy->grants.answer_key))                                             \
        X("mfa.require-guard", flag(policy->mfa_require_guard))                                             \
        X("mfa.lock-on-removal", flag(policy->mfa_lock_on_removal))                                         \
        X("mfa.lock-idle-minutes", number(policy->mfa_lock_idle_minutes))                                   \
        X("mfa.grace.days", number(policy->mfa_grace_days))                                                 \
        X("mfa.limits.tries", number(policy->mfa_limits.tries))                                             \
        X("mfa.limits.wait", number(policy->mfa_limits.wait))                                               \
        X("mfa.limits.wait-max", number(policy->mfa_limits.wait_max))                                       \
        X("mfa.totp.drift", number(policy->mfa_drift))                                                      \
        X("mfa.fido2.relying-party", text(policy->mfa_fido2.relying_party ? policy->mfa_fido2.relying_party \
                                                                          : MFA_RELYING_PARTY_DEFAULT))     \
        X("mfa.fido2.user-verification", text(user_verification_to_string(policy->mfa_fido2.verification))) \
        X("mfa.fido2.timeout-seconds", number(policy->mfa_fido2.timeout))                                   \
        X("mfa.fido2.attestation",                                                                          \
          text(policy->mfa_fido2.attestation ? policy->mfa_fido2.attestation : "none"))                     \
        X("mfa.fingerprint.timeout-seconds", number(policy->mfa_fingerprint_timeout))                       \
        X("mfa.card.module",                                                                                \
          text(policy->mfa_card.module ? policy->mfa_card.module : MFA_CARD_MODULE_DEFAULT))                \
        X("mfa.card.ca", text(policy->mfa_card.ca))                                                         \
        X("mfa.card.crl", text(policy->mfa_card.crl))                                                       \
        X("mfa.card.wait-seconds", number(policy->mfa_card.wait))

#define SETTING_NAME_(what, value)  what,
#define SETTING_VALUE_(what, value) value,

enum {
        SETTINGS_MAX = 64
};

static const char *const names[] = {SETTING_LIST(SETTING_NAME_)};

_Static_assert(ELEMENTS(names) <= SETTINGS_MAX, "more settings than are kept");

static void read_settings(const Policy *policy, struct json_object *ret[static SETTINGS_MAX]) {
        struct json_object *const values[] = {SETTING_LIST(SETTING_VALUE_)};

        memcpy(ret, values, sizeof(values));
}

int diff_settings(Diff *diff) {
        struct json_object *values[DIFF_SIDES][SETTINGS_MAX] = {0};
        int r = 0;

        for (int side = 0; side < DIFF_SIDES; side++)
                read_settings(diff->policies[side], values[side]);
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                struct json_object *before = values[DIFF_BEFORE][i], *after = values[DIFF_AFTER][i];
                struct json_object *change;

                if (r < 0 || json_object_equal(before, after)) {
                        json_object_put(before);
                        json_object_put(after);
                        continue;
                }
                change = json_object_new_object();
                json_put_text(change, "section", "settings");
                json_put_text(change, "what", names[i]);
                json_object_object_add(change, "before", before);
                json_object_object_add(change, "after", after);
                r = json_object_array_add(diff->changes, change);
        }
        return r;
}
