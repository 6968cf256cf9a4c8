/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section mfa of a policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/build.h"
#include "policy/compile_private.h"

/* A service named again is replaced: whether it is required is a single value. */
static int set_service(Policy *policy, const char *name, bool required) {
        char *copy;
        int r;

        for (size_t i = 0; i < policy->n_mfa_services; i++)
                if (strcmp(policy->mfa_services[i].name, name) == 0) {
                        policy->mfa_services[i].required = required;
                        return 0;
                }
        if ((r = GROW(policy->mfa_services, policy->n_mfa_services, 1)) < 0)
                return r;
        if (!(copy = strdup(name)))
                return -ENOMEM;
        policy->mfa_services[policy->n_mfa_services++] = (MfaService){.name = copy, .required = required};
        return 0;
}

static int add_services(Compile *compile, const TreeNode *section) {
        const TreeNode *services = tree_find(compile->tree, section, "services");
        const TreeNode *key = services ? tree_first(compile->tree, services) : NULL, *value;
        int r;

        for (; key; key = tree_next(compile->tree, value)) {
                value = tree_next(compile->tree, key);
                if ((r = set_service(compile->policy, key->text, tree_is(value, "required"))) < 0)
                        return r;
        }
        return 0;
}

static unsigned factor_set(const Factor *factors, size_t n) {
        unsigned set = 0;

        for (size_t i = 0; i < n; i++)
                set |= FACTOR_BIT(factors[i]);
        return set;
}

static int add_rule(Compile *compile, RawMfaRule *raw, const TreeNode *node) {
        MfaRule *rule = &compile->policy->mfa_rules[compile->policy->n_mfa_rules++];

        rule->name = STEAL_PTR(raw->name);
        rule->n_services = raw->services_count;
        rule->services = STEAL_PTR(raw->services);
        raw->services_count = 0;
        rule->n_from = raw->from_count;
        rule->from = STEAL_PTR(raw->from);
        raw->from_count = 0;
        rule->login = raw->login;
        rule->factors = factor_set(raw->factors, raw->factors_count);
        if (compile_take_scope(&raw->scope, &rule->scope) < 0)
                return -EINVAL;
        return compile_make_origin(compile, node, &rule->origin);
}

static int add_break_glass(Compile *compile, RawBreakGlass *raw, const TreeNode *node) {
        MfaBreakGlass *account = &compile->policy->mfa_break_glass[compile->policy->n_mfa_break_glass++];

        account->user = STEAL_PTR(raw->user);
        account->factors = factor_set(raw->factors, raw->factors_count);
        return compile_make_origin(compile, node, &account->origin);
}

static int add_rules(Compile *compile, RawMfa *raw, const TreeNode *section) {
        const TreeNode *rules = tree_find(compile->tree, section, "rules");
        const TreeNode *node = rules ? tree_first(compile->tree, rules) : NULL;
        Policy *policy = compile->policy;
        int r = GROW(policy->mfa_rules, policy->n_mfa_rules, raw->rules_count);

        for (uint32_t i = 0; r == 0 && i < raw->rules_count; i++) {
                if (!node)
                        return -EINVAL;
                r = add_rule(compile, &raw->rules[i], node);
                node = tree_next(compile->tree, node);
        }
        return r;
}

static int add_accounts(Compile *compile, RawMfa *raw, const TreeNode *section) {
        const TreeNode *accounts = tree_find(compile->tree, section, "break-glass");
        const TreeNode *node = accounts ? tree_first(compile->tree, accounts) : NULL;
        Policy *policy = compile->policy;
        int r = GROW(policy->mfa_break_glass, policy->n_mfa_break_glass, raw->break_glass_count);

        for (uint32_t i = 0; r == 0 && i < raw->break_glass_count; i++) {
                if (!node)
                        return -EINVAL;
                r = add_break_glass(compile, &raw->break_glass[i], node);
                node = tree_next(compile->tree, node);
        }
        return r;
}

static void set_limits(Policy *policy, const RawMfa *raw) {
        if (raw->limits) {
                if (raw->limits->tries)
                        policy->mfa_limits.tries = *raw->limits->tries;
                if (raw->limits->wait)
                        policy->mfa_limits.wait = *raw->limits->wait;
                if (raw->limits->wait_max)
                        policy->mfa_limits.wait_max = *raw->limits->wait_max;
        }
        if (raw->totp && raw->totp->drift)
                policy->mfa_drift = *raw->totp->drift;
        if (raw->grace && raw->grace->days)
                policy->mfa_grace_days = *raw->grace->days;
}

static void set_text(char **text, char **raw) {
        if (*raw) {
                free(*text);
                *text = STEAL_PTR(*raw);
        }
}

static void set_card(MfaCard *card, RawCard *raw) {
        set_text(&card->module, &raw->module);
        set_text(&card->ca, &raw->ca);
        set_text(&card->crl, &raw->crl);
        if (raw->wait)
                card->wait = *raw->wait;
}

static void set_devices(Policy *policy, const RawMfa *raw) {
        MfaFido2 *fido2 = &policy->mfa_fido2;

        if (raw->card)
                set_card(&policy->mfa_card, raw->card);
        if (raw->fingerprint && raw->fingerprint->timeout)
                policy->mfa_fingerprint_timeout = *raw->fingerprint->timeout;
        if (!raw->fido2)
                return;
        set_text(&fido2->relying_party, &raw->fido2->relying_party);
        set_text(&fido2->attestation, &raw->fido2->attestation);
        if (fido2->attestation && strcmp(fido2->attestation, "none") == 0) {
                free(fido2->attestation);
                fido2->attestation = NULL;
        }
        if (raw->fido2->verification)
                fido2->verification = *raw->fido2->verification;
        if (raw->fido2->timeout)
                fido2->timeout = *raw->fido2->timeout;
}

int compile_mfa(Compile *compile, RawMfa *raw, const TreeNode *section) {
        Policy *policy = compile->policy;
        int r;

        if (raw->initial)
                policy->mfa_default = *raw->initial;
        if (raw->require_guard) {
                policy->mfa_require_guard_named = true;
                policy->mfa_require_guard = *raw->require_guard;
        }
        if (raw->lock_on_removal) {
                policy->mfa_lock_on_removal_named = true;
                policy->mfa_lock_on_removal = *raw->lock_on_removal;
        }
        if (raw->lock_idle_minutes)
                policy->mfa_lock_idle_minutes = *raw->lock_idle_minutes;
        if ((r = add_services(compile, section)) < 0)
                return r;
        if (raw->factors_count > 0) { /* one value: which factors a login takes */
                free(policy->mfa_factors);
                policy->n_mfa_factors = raw->factors_count;
                policy->mfa_factors = STEAL_PTR(raw->factors);
                raw->factors_count = 0;
        }
        if ((r = GROW(policy->mfa_exempt, policy->n_mfa_exempt, raw->exempt_count)) < 0)
                return r;
        for (uint32_t i = 0; i < raw->exempt_count; i++)
                policy->mfa_exempt[policy->n_mfa_exempt++] = STEAL_PTR(raw->exempt[i]);
        set_limits(policy, raw);
        set_devices(policy, raw);
        if (raw->grace && compile_take_expires(raw->grace->until, &policy->mfa_grace_until) < 0)
                return -EINVAL;
        if ((r = add_rules(compile, raw, section)) < 0)
                return r;
        return add_accounts(compile, raw, section);
}
