/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/build.h"
#include "policy/compile_private.h"
#include "policy/expiry.h"
#include "policy/hours.h"
#include "policy/serial_hash.h"

int compile_make_origin(const Compile *compile, const TreeNode *node, char **ret) {
        char *origin = NULL;

        if (!node)
                return -EINVAL;
        if (asprintf(&origin, "%s:%zu", compile->file, node->line) < 0)
                return -ENOMEM;
        *ret = origin;
        return 0;
}

int compile_replace_origin(const Compile *compile, const TreeNode *node, char **origin) {
        char *new_origin;
        int r = compile_make_origin(compile, node, &new_origin);

        if (r < 0)
                return r;
        free(*origin);
        *origin = new_origin;
        return 0;
}

int compile_grow(void **items, size_t n, size_t more, size_t size) {
        char *larger;

        if (more == 0)
                return 0;
        larger = reallocarray(*items, n + more, size);
        if (!larger)
                return -ENOMEM;
        memset(larger + n * size, 0, more * size);
        *items = larger;
        return 0;
}

int compile_take_expires(const char *text, time_t *ret) {
        const char *why;

        return text ? expiry_parse(text, ret, &why) : 0;
}

int compile_take_scope(RawScope *raw, RuleScope *scope) {
        const char *why;

        scope->n_users = raw->users_count;
        scope->users = STEAL_PTR(raw->users);
        raw->users_count = 0;
        scope->n_groups = raw->groups_count;
        scope->groups = STEAL_PTR(raw->groups);
        raw->groups_count = 0;
        if (raw->hours && hours_parse(raw->hours, &scope->hours, &why) < 0)
                return -EINVAL;
        return compile_take_expires(raw->expires, &scope->expires);
}

int compile_take_monitor(const RawMonitor *raw, MonitorSpan *monitor) {
        monitor->on = raw->mode && *raw->mode == MODE_MONITOR;
        return compile_take_expires(raw->until, &monitor->until);
}

/* Of a section's default; a later file's takes the place of an earlier one's, with its end or without. */
static int take_default_monitor(const bool *on, const char *until, MonitorSpan *monitor) {
        if (!on)
                return 0;
        *monitor = (MonitorSpan){.on = *on};
        return compile_take_expires(until, &monitor->until);
}

static void take_match(RawMatch *raw, DeviceMatch *match) {
        match->vendor = STEAL_PTR(raw->vendor);
        match->product = STEAL_PTR(raw->product);
        match->serial = STEAL_PTR(raw->serial);
        match->bus_set = raw->bus;
        match->bus = raw->bus ? *raw->bus : DEVICE_BUS_UNKNOWN;
}

static int add_device(Compile *compile, RawDevice *raw, const TreeNode *node) {
        DeviceRule *rule = &compile->policy->devices[compile->policy->n_devices++];

        rule->name = STEAL_PTR(raw->name);
        take_match(&raw->match, &rule->match);
        rule->access = raw->access;
        rule->encrypted = raw->encrypted;
        rule->holder = STEAL_PTR(raw->holder);
        if (compile_take_scope(&raw->scope, &rule->scope) < 0 ||
            compile_take_monitor(&raw->monitor, &rule->monitor) < 0)
                return -EINVAL;
        return compile_make_origin(compile, node, &rule->origin);
}

static int add_removable(Compile *compile, RawRemovable *raw, const TreeNode *section) {
        const TreeNode *devices = tree_find(compile->tree, section, "devices");
        const TreeNode *node = devices ? tree_first(compile->tree, devices) : NULL;
        Policy *policy = compile->policy;
        int r;

        r = take_default_monitor(raw->monitor, raw->monitor_until, &policy->removable_monitor);
        if (r < 0)
                return r;
        if (raw->initial) {
                policy->removable_default = *raw->initial;
                r = compile_replace_origin(compile, tree_find(compile->tree, section, "default"),
                                           &policy->removable_origin);
                if (r < 0)
                        return r;
        }
        for (uint32_t i = 0; i < raw->also_external_count; i++)
                policy->bus_external[raw->also_external[i]] = true;
        if ((r = GROW(policy->devices, policy->n_devices, raw->devices_count)) < 0)
                return r;
        for (uint32_t i = 0; i < raw->devices_count; i++) {
                if (!node || (r = add_device(compile, &raw->devices[i], node)) < 0)
                        return node ? r : -EINVAL;
                node = tree_next(compile->tree, node);
        }
        return 0;
}

static int add_usb_device(Compile *compile, RawUsbDevice *raw, const TreeNode *node) {
        UsbRule *rule = &compile->policy->usb_rules[compile->policy->n_usb_rules++];

        rule->name = STEAL_PTR(raw->name);
        take_match(&raw->match, &rule->match);
        rule->allow = raw->access == ANSWER_ALLOW;
        if (compile_take_expires(raw->expires, &rule->expires) < 0 ||
            compile_take_monitor(&raw->monitor, &rule->monitor) < 0)
                return -EINVAL;
        return compile_make_origin(compile, node, &rule->origin);
}

static int add_usb(Compile *compile, RawUsb *raw, const TreeNode *section) {
        const TreeNode *devices = tree_find(compile->tree, section, "devices");
        const TreeNode *node = devices ? tree_first(compile->tree, devices) : NULL;
        Policy *policy = compile->policy;
        int r;

        if (raw->initial) {
                policy->usb_default_given = true;
                policy->usb_default_allow = *raw->initial == ANSWER_ALLOW;
        }
        for (size_t class = 0; raw->interfaces && class < ELEMENTS(raw->interfaces->by_class); class ++)
                if (raw->interfaces->by_class[class]) {
                        policy->usb_class_named[class] = true;
                        policy->usb_class_allow[class] = *raw->interfaces->by_class[class] == ANSWER_ALLOW;
                }
        if (raw->initial || raw->interfaces) {
                r = compile_replace_origin(compile, section, &policy->usb_origin);
                if (r < 0)
                        return r;
        }
        if ((r = GROW(policy->usb_rules, policy->n_usb_rules, raw->devices_count)) < 0)
                return r;
        for (uint32_t i = 0; i < raw->devices_count; i++) {
                if (!node || (r = add_usb_device(compile, &raw->devices[i], node)) < 0)
                        return node ? r : -EINVAL;
                node = tree_next(compile->tree, node);
        }
        return 0;
}

static int add_filesystem(Compile *compile, RawFilesystem *raw, const TreeNode *node) {
        FilesystemRule *rule = &compile->policy->filesystems[compile->policy->n_filesystems++];

        rule->name = STEAL_PTR(raw->name);
        rule->type = STEAL_PTR(raw->type);
        rule->source = STEAL_PTR(raw->source);
        rule->access = raw->access;
        if (compile_take_scope(&raw->scope, &rule->scope) < 0 ||
            compile_take_monitor(&raw->monitor, &rule->monitor) < 0)
                return -EINVAL;
        return compile_make_origin(compile, node, &rule->origin);
}

static int add_filesystems(Compile *compile, RawFilesystems *raw, const TreeNode *section) {
        const TreeNode *allow = tree_find(compile->tree, section, "allow");
        const TreeNode *node = allow ? tree_first(compile->tree, allow) : NULL;
        Policy *policy = compile->policy;
        int r;

        r = take_default_monitor(raw->monitor, raw->monitor_until, &policy->filesystems_monitor);
        if (r < 0)
                return r;
        if (raw->initial) {
                policy->filesystems_default = *raw->initial;
                r = compile_replace_origin(compile, tree_find(compile->tree, section, "default"),
                                           &policy->filesystems_origin);
                if (r < 0)
                        return r;
        }
        if ((r = GROW(policy->filesystems, policy->n_filesystems, raw->allow_count)) < 0)
                return r;
        for (uint32_t i = 0; i < raw->allow_count; i++) {
                if (!node || (r = add_filesystem(compile, &raw->allow[i], node)) < 0)
                        return node ? r : -EINVAL;
                node = tree_next(compile->tree, node);
        }
        return 0;
}

/* A day begins with its first minute, and not with its end as where something expires. */
static int take_not_before(const char *text, time_t *ret) {
        char minute[SHORT_LENGTH_MAX + sizeof(" 00:00")];

        snprintf(minute, sizeof(minute), "%s%s", text, strlen(text) == strlen("YYYY-MM-DD") ? " 00:00" : "");
        return compile_take_expires(minute, ret);
}

static int add_dates(Policy *policy, const RawPolicy *raw) {
        int r = raw->not_before ? take_not_before(raw->not_before, &policy->not_before) : 0;

        return r == 0 && raw->expires ? compile_take_expires(raw->expires, &policy->expires) : r;
}

static int add_signing(Policy *policy, const RawSigning *raw) {
        int r = GROW(policy->signing_revoked, policy->n_signing_revoked, raw->revoked_count);

        for (uint32_t i = 0; r == 0 && i < raw->revoked_count; i++) {
                r = minisign_id_parse(raw->revoked[i], &policy->signing_revoked[policy->n_signing_revoked]);
                if (r == 0)
                        policy->n_signing_revoked++;
        }
        if (raw->required) {
                policy->signing_named = true;
                policy->signing_required = *raw->required;
        }
        return r;
}

static int add_asset(Compile *compile, RawAsset *raw, const TreeNode *node) {
        Asset *asset = &compile->policy->assets[compile->policy->n_assets++];

        asset->name = STEAL_PTR(raw->name);
        asset->class = STEAL_PTR(raw->class);
        asset->n_paths = raw->paths_count;
        asset->paths = STEAL_PTR(raw->paths);
        raw->paths_count = 0;
        asset->export = raw->export;
        return compile_make_origin(compile, node, &asset->origin);
}

static int add_assets(Compile *compile, RawPolicy *raw, const TreeNode *list) {
        const TreeNode *node = list ? tree_first(compile->tree, list) : NULL;
        int r = GROW(compile->policy->assets, compile->policy->n_assets, raw->assets_count);

        for (uint32_t i = 0; r == 0 && i < raw->assets_count; i++) {
                r = node ? add_asset(compile, &raw->assets[i], node) : -EINVAL;
                node = node ? tree_next(compile->tree, node) : NULL;
        }
        return r;
}

static void add_grants(Policy *policy, RawGrants *raw) {
        free(policy->grants.answer_key);
        policy->grants = (PolicyGrants){.allowed = raw->allowed && *raw->allowed,
                                        .one_person = raw->two_people && !*raw->two_people,
                                        .minutes_max = raw->minutes_max ? *raw->minutes_max : 0,
                                        .answer_key = STEAL_PTR(raw->answer_key)};
}

static void add_self_protection(Policy *policy, const RawSelfProtection *raw) {
        const bool *const given[PROTECTIONS] = {[PROTECT_PROCESS] = raw->process,
                                                [PROTECT_STATE] = raw->state,
                                                [PROTECT_POLICY] = raw->policy};

        for (size_t i = 0; i < PROTECTIONS; i++)
                if (given[i]) {
                        policy->protect_named[i] = true;
                        policy->protects[i] = *given[i];
                }
}

/* A later file's mode takes the place of an earlier one's, with its end or without. */
static int add_mode(Compile *compile, const RawPolicy *raw, const TreeNode *root) {
        Policy *policy = compile->policy;
        MonitorSpan span = {0};
        int r;

        if (!raw->monitor.mode)
                return 0;
        r = compile_take_monitor(&raw->monitor, &span);
        if (r < 0)
                return r;
        policy->mode = *raw->monitor.mode;
        policy->monitor_until = span.until;
        return compile_replace_origin(compile, tree_find(compile->tree, root, "mode"), &policy->mode_origin);
}

int compile_add(Policy *policy, RawPolicy *raw, const Tree *tree, const char *file, bool *ret_has_serial) {
        Compile compile = {.policy = policy, .tree = tree, .file = file};
        const TreeNode *root = tree_root(tree);
        int r;

        policy->version = raw->version;
        if (raw->serial) {
                policy->serial = *raw->serial > policy->serial ? *raw->serial : policy->serial;
                *ret_has_serial = true;
        }
        if (raw->zone)
                policy->zone = *raw->zone;
        if ((r = add_mode(&compile, raw, root)) < 0)
                return r;
        if (raw->without_lsm)
                policy->without_lsm = *raw->without_lsm;
        if (raw->lockdown) {
                policy->lockdown = *raw->lockdown;
                r = compile_replace_origin(&compile, tree_find(tree, root, "lockdown"),
                                           &policy->lockdown_origin);
                if (r < 0)
                        return r;
        }
        if (raw->contact) {
                free(policy->contact);
                policy->contact = STEAL_PTR(raw->contact);
        }
        if ((r = add_dates(policy, raw)) < 0 ||
            (raw->signing && (r = add_signing(policy, raw->signing)) < 0))
                return r;
        if (raw->removable &&
            (r = add_removable(&compile, raw->removable, tree_find(tree, root, "removable"))) < 0)
                return r;
        if (raw->usb && (r = add_usb(&compile, raw->usb, tree_find(tree, root, "usb"))) < 0)
                return r;
        if (raw->filesystems &&
            (r = add_filesystems(&compile, raw->filesystems, tree_find(tree, root, "filesystems"))) < 0)
                return r;
        if (raw->network &&
            (r = compile_networks(&compile, raw->network, tree_find(tree, root, "network"))) < 0)
                return r;
        if (raw->mfa && (r = compile_mfa(&compile, raw->mfa, tree_find(tree, root, "mfa"))) < 0)
                return r;
        if ((r = add_assets(&compile, raw, tree_find(tree, root, "assets"))) < 0)
                return r;
        if (raw->assets_unknown)
                policy->assets_unknown = *raw->assets_unknown;
        if (raw->self_protection)
                add_self_protection(policy, raw->self_protection);
        if (raw->self_test && raw->self_test->every)
                policy->self_test_every = *raw->self_test->every;
        if (raw->records && raw->records->keep_days)
                policy->records_keep_days = *raw->records->keep_days;
        if (raw->records && raw->records->file_names)
                policy->records_file_names = *raw->records->file_names;
        if (raw->grants)
                add_grants(policy, raw->grants);
        return 0;
}

static int built_in_unless_named(char **origin) {
        if (!*origin)
                *origin = strdup("built-in");
        return *origin ? 0 : -ENOMEM;
}

static int index_serials(Policy *policy) {
        int r = GROW(policy->device_serials, 0, policy->n_devices);

        for (size_t i = 0; r == 0 && i < policy->n_devices; i++)
                policy->device_serials[i] = serial_hash(policy->devices[i].match.serial);
        return r;
}

int compile_finish(Policy *policy) {
        /* a policy that does not speak of USB must not take the terminal's keyboard away */
        for (size_t class = 0; class < ELEMENTS(policy->usb_class_allow); class ++)
                if (!policy->usb_class_named[class])
                        policy->usb_class_allow[class] =
                                policy->usb_default_given ? policy->usb_default_allow
                                                          : usb_class_allowed_by_default((uint8_t) class);
        protect_by_zone(policy);
        require_guard_by_zone(policy);
        lock_by_zone(policy);
        interfaces_by_zone(policy);
        if (built_in_unless_named(&policy->removable_origin) < 0 ||
            built_in_unless_named(&policy->usb_origin) < 0 ||
            built_in_unless_named(&policy->filesystems_origin) < 0 ||
            built_in_unless_named(&policy->network_origin) < 0 ||
            built_in_unless_named(&policy->interfaces_origin) < 0)
                return -ENOMEM;
        return index_serials(policy);
}
