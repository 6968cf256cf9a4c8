/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/volume.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/assets.h"
#include "policy/decide.h"
#include "policy/scope.h"

struct Volume {
        atomic_uint references;
        VolumeSettings settings;
        DeviceIdentity device;
        char *fstype, *source, *mount;
        bool asks_subject;
};

static void volume_destroy(Volume *volume) {
        policy_unref(volume->settings.policy);
        device_identity_clear(&volume->device);
        free(volume->fstype);
        free(volume->source);
        free(volume->mount);
        free(volume);
}

/* NULL stays NULL; false if memory is short. */
static bool duplicate(const char *from, char **to) {
        *to = from ? strdup(from) : NULL;
        return !from || *to;
}

int volume_new(const VolumeSettings *settings, Volume **ret) {
        Volume *volume = calloc(1, sizeof(*volume));
        PolicyTime now = {0};
        Decision decision;

        if (!volume)
                return -ENOMEM;
        atomic_init(&volume->references, 1);
        volume->settings = *settings;
        policy_ref(settings->policy);
        if (!duplicate(settings->identity.fstype, &volume->fstype) ||
            !duplicate(settings->identity.source, &volume->source) ||
            !duplicate(settings->mount, &volume->mount) ||
            (settings->identity.device &&
             device_identity_copy(settings->identity.device, &volume->device) < 0)) {
                volume_destroy(volume);
                return -ENOMEM;
        }
        volume->settings.identity.fstype = volume->fstype;
        volume->settings.identity.source = volume->source;
        volume->settings.identity.device = settings->identity.device ? &volume->device : NULL;
        volume->settings.mount = volume->mount;

        clock_policy_time(settings->clock, &now);
        decide_superblock(settings->policy, &volume->settings.identity, &now, &decision);
        volume->asks_subject = decision.conditional;
        *ret = volume;
        return 0;
}

int volume_refusing(const Volume *volume, Volume **ret) {
        VolumeSettings settings = volume->settings;

        settings.refuse_writes = true;
        return volume_new(&settings, ret);
}

Volume *volume_ref(Volume *volume) {
        atomic_fetch_add(&volume->references, 1);
        return volume;
}

Volume *volume_unref(Volume *volume) {
        if (volume && atomic_fetch_sub(&volume->references, 1) == 1)
                volume_destroy(volume);
        return NULL;
}

bool volume_is_quiet(const Volume *volume) {
        return volume->settings.quiet;
}

bool volume_is_monitor(const Volume *volume) {
        return volume->settings.monitor;
}

bool volume_is_raw(const Volume *volume) {
        return volume->settings.raw;
}

bool volume_asks_subject(const Volume *volume) {
        return volume->asks_subject;
}

void volume_judge(const Volume *volume, const Subject *subject, bool for_writing, OpenDecision *ret) {
        PolicyTime now;

        *ret = (OpenDecision){.verdict = VERDICT_DENY, .rule = "guard", .origin = "built-in"};
        if (volume->settings.refuse_writes) {
                ret->verdict = for_writing ? VERDICT_DENY : VERDICT_ALLOW;
                return;
        }
        if (clock_policy_time(volume->settings.clock, &now) < 0)
                return;
        decide_open(volume->settings.policy, &volume->settings.identity, subject, for_writing, &now, ret);
        /* The node of a disk whose files may not even be read stays readable: udev has to probe it, and
         * reading takes nothing out of the terminal. */
        if (volume->settings.raw && !for_writing)
                ret->verdict = VERDICT_ALLOW;
}

bool volume_unlocks(const Volume *volume, dev_t node, const Subject *subject) {
        if (!volume->settings.raw || volume->settings.refuse_writes || subject->uid != 0)
                return false;
        for (size_t i = 0; i < volume->settings.n_closed; i++)
                if (volume->settings.closed[i] == node)
                        return true;
        return false;
}

Policy *volume_assets(const Volume *volume) {
        const VolumeSettings *settings = &volume->settings;

        return settings->raw || settings->refuse_writes || settings->policy->n_assets == 0
                       ? NULL
                       : settings->policy;
}

static const char *label_of(const Asset *asset) {
        return asset->class ? asset->class : asset->name;
}

void volume_judge_source(const Volume *volume, const Asset *asset, bool known, OpenDecision *decision) {
        const Policy *policy = volume->settings.policy;

        if (known && asset)
                decision->label = label_of(asset);
        if (decision->verdict != VERDICT_ALLOW)
                return;
        if (known && asset && asset->export == EXPORT_NEVER)
                *decision = (OpenDecision){.verdict = VERDICT_DENY,
                                           .reason = REASON_LABELLED_SOURCE,
                                           .rule = asset->name,
                                           .origin = asset->origin,
                                           .label = label_of(asset)};
        else if (!known && policy->assets_unknown == ASSETS_UNKNOWN_DENY && policy_keeps_assets(policy))
                *decision = (OpenDecision){.verdict = VERDICT_DENY,
                                           .reason = REASON_UNKNOWN_SOURCE,
                                           .rule = "assets-unknown",
                                           .origin = "built-in"};
}

void volume_describe(const Volume *volume, const OpenDecision *decision, Record *record) {
        record->policy_serial = volume->settings.policy->serial;
        record_set_device(record, volume->settings.identity.device);
        record_set(record, TEXT_FSTYPE, volume->fstype);
        record_set(record, TEXT_MOUNT, volume->mount);
        record_set(record, TEXT_VERDICT, verdict_to_string(decision->verdict));
        record_set(record, TEXT_RULE, decision->rule);
        record_set(record, TEXT_RULE_ORIGIN, decision->origin);
        record_set(record, TEXT_REASON, reason_to_string(decision->reason));
        record_set(record, TEXT_LABEL, decision->label);
        record_set(record, TEXT_MODE, volume->settings.monitor || decision->monitor ? "monitor" : NULL);
}
