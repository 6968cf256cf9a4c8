/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard says of itself, judged. */
#include <inttypes.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"

static const char *or_unknown(const char *text) {
        return text ? text : "?";
}

static bool begins(const char *text, const char *word) {
        return strncmp(text, word, strlen(word)) == 0;
}

static const char *when(const struct json_object *object, const char *key,
                        char buffer[static TIMESPEC_TEXT_MAX]) {
        int64_t seconds;

        if (!json_number(object, key, &seconds) || seconds < 0 || seconds > INT64_C(253402300799))
                return "?";
        return timespec_for_person((uint64_t)seconds * USEC_PER_SEC, buffer);
}

static void check_running(const StatusFile *status, Inspection *ret) {
        const char *what = _("The guard is in force"), *mode = json_text(status->root, "mode");
        char buffer[TIMESPEC_TEXT_MAX];

        if (!status->alive)
                inspect_add(ret, "guard", "6(3)①", what, INSPECT_FINDING, "%s", _("not running"));
        else if (!status->root)
                inspect_add(ret, "guard", "6(3)①", what, INSPECT_FINDING, "%s",
                            _("running, but has not yet said what it enforces"));
        else
                inspect_add(ret, "guard", "6(3)①", what,
                            mode && strcmp(mode, "enforce") == 0 ? INSPECT_OK : INSPECT_FINDING,
                            _("mode %s, since %s, version %s"), or_unknown(word_mode(mode)),
                            when(status->root, "started", buffer),
                            or_unknown(json_text(status->root, "version")));
}

/* What a kernel cannot is made up for by other means, which are there as well: no finding, and no proof. */
static void check_mechanism(const char *name, const char *state, Inspection *ret) {
        CLEANUP_FREE char *text = word_state(state);
        bool evidence = strcmp(name, "audit") == 0;

        if (strcmp(name, "self-protection") == 0) /* has a line of its own */
                return;
        inspect_add(ret, "mechanism", evidence ? "6(7)" : "6(3)①",
                    evidence ? _("Who is refused is known") : _("A means of enforcement works"),
                    begins(state, "ok")                               ? INSPECT_OK
                    : begins(state, "off") || begins(state, "failed") ? INSPECT_FINDING
                                                                      : INSPECT_UNKNOWN,
                    "%s: %s", name, or_unknown(text));
}

static void check_mechanisms(const struct json_object *root, Inspection *ret) {
        struct json_object *mechanisms = json_map(root, "mechanisms");

        if (!mechanisms) {
                inspect_add(ret, "mechanism", "6(3)①", _("A means of enforcement works"), INSPECT_FINDING,
                            "%s", _("the guard does not say by what means it enforces"));
                return;
        }
        json_object_object_foreach(mechanisms, name, value) check_mechanism(
                name,
                json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "failed",
                ret);
        if (!json_text(mechanisms, "network"))
                inspect_add(ret, "network", "6(3)①", _("Communication is limited to what is approved"),
                            INSPECT_UNKNOWN, "%s",
                            _("this guard does not limit it: see to the terminal's firewall and network"));
}

static void check_devices(const struct json_object *root, Inspection *ret) {
        struct json_object *devices = json_list(root, "devices");
        const char *what = _("Every verdict on a device is enforced");
        size_t external = 0, bad = 0;

        for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
                const struct json_object *device = json_object_array_get_idx(devices, i);

                external += json_is_true(device, "external");
                if (json_is_true(device, "enforced"))
                        continue;
                bad++;
                inspect_add(ret, "devices", "6(3)①", what, INSPECT_FINDING, "%s: %s",
                            or_unknown(json_text(device, "name")),
                            or_unknown(word_text(json_text(device, "error"))));
        }
        if (bad == 0)
                inspect_add(ret, "devices", "6(3)①", what, devices ? INSPECT_OK : INSPECT_UNKNOWN,
                            _("%zu devices, %zu of them external"),
                            devices ? json_object_array_length(devices) : 0, external);
}

static void check_superblocks(const struct json_object *root, Inspection *ret) {
        struct json_object *list = json_list(root, "superblocks");
        const char *what = _("Every file system that has to be is guarded");
        size_t guarded = 0, bad = 0;

        for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                const struct json_object *superblock = json_object_array_get_idx(list, i);
                const char *guard = json_text(superblock, "guard");

                guarded += guard && strcmp(guard, "none") != 0;
                if (guard && strcmp(guard, "failed") != 0)
                        continue;
                bad++;
                inspect_add(ret, "filesystems", "6(3)①", what, INSPECT_FINDING, "%s: %s",
                            or_unknown(json_text(superblock, "mount")),
                            or_unknown(word_text(json_text(superblock, "error"))));
        }
        if (bad == 0)
                inspect_add(ret, "filesystems", "6(3)①", what, list ? INSPECT_OK : INSPECT_UNKNOWN,
                            _("%zu guarded now"), guarded);
}

static void check_self_protection(const struct json_object *root, Inspection *ret) {
        const char *what = _("The guard itself is protected against everybody");
        const struct json_object *protection = json_map(root, "self_protection"),
                                 *maintenance = json_map(protection, "maintenance");
        CLEANUP_FREE char *state = word_state(json_text(json_map(root, "mechanisms"), "self-protection"));
        bool asked = json_is_true(protection, "process") && json_is_true(protection, "state");

        if (!protection)
                inspect_add(ret, "self-protection", "6(6)", what, INSPECT_UNKNOWN, "%s", or_unknown(state));
        else if (maintenance)
                inspect_add(ret, "self-protection", "6(6)", what, INSPECT_FINDING, _("maintenance: %s"),
                            or_unknown(json_text(maintenance, "reason")));
        else
                inspect_add(ret, "self-protection", "6(6)", what,
                            asked && json_is_true(protection, "holds") ? INSPECT_OK : INSPECT_FINDING, "%s",
                            or_unknown(state));
}

static void check_lockdown(const struct json_object *root, Inspection *ret) {
        const struct json_object *lockdown = json_map(root, "lockdown");

        if (lockdown)
                inspect_add(ret, "lockdown", "6(7)", _("There is no emergency"), INSPECT_FINDING,
                            _("emergency lockdown: %s"), or_unknown(json_text(lockdown, "reason")));
        else
                inspect_add(ret, "lockdown", "6(7)", _("There is no emergency"), INSPECT_OK, "%s",
                            _("There is no lockdown."));
}

static void check_records(const struct json_object *root, Inspection *ret) {
        const struct json_object *counters = json_map(root, "counters");
        int64_t denied = 0, records = 0, lost = 0, audit_lost = 0;

        if (!json_number(counters, "denied", &denied) || !json_number(counters, "records", &records)) {
                inspect_add(ret, "records", "6(7)", _("No refusal is lost to the journal"), INSPECT_UNKNOWN,
                            "?");
                return;
        }
        (void)json_number(counters, "lost", &lost);
        (void)json_number(counters, "audit_lost", &audit_lost);
        inspect_add(ret, "records", "6(7)", _("No refusal is lost to the journal"),
                    lost > 0 || audit_lost > 0 ? INSPECT_FINDING : INSPECT_OK,
                    _("%" PRId64 " refusals, %" PRId64 " records written, %" PRId64 " lost in detail, "
                      "%" PRId64 " audit messages dropped by the kernel"),
                    denied, records, lost, audit_lost);
}

/* What is in force, which is not always what the files say. */
static void check_policy_in_force(const InspectFacts *facts, Inspection *ret) {
        const struct json_object *root = facts->status->root;
        const struct json_object *policy = json_map(root, "policy"), *refused = json_map(policy, "refused");
        const char *what = _("The policy that is there is in force");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t serial = 0;

        if (refused)
                inspect_add(ret, "policy", "6(3)①", what, INSPECT_FINDING,
                            _("a newer one was refused at %s; the last good one is in force"),
                            when(refused, "time", buffer));
        else if (!policy || json_is_true(policy, "builtin"))
                inspect_add(ret, "policy", "6(3)①", what, INSPECT_FINDING, "%s",
                            _("there is none: the built-in default is in force"));
        else if (!json_number(policy, "serial", &serial) ||
                 (facts->policy && facts->policy->serial != (uint64_t)serial))
                inspect_add(
                        ret, "policy", "6(3)①", what, INSPECT_FINDING,
                        _("serial %" PRId64 " is in force, and the files have another: sekishoctl reload"),
                        serial);
        else {
                inspect_add(ret, "policy", "6(3)①", what, INSPECT_OK, _("serial %" PRId64 ", loaded %s, %s"),
                            serial, when(policy, "loaded", buffer), or_unknown(json_text(policy, "path")));
        }
}

static void check_signature(const struct json_object *root, Inspection *ret) {
        const struct json_object *policy = json_map(root, "policy");
        const char *what = _("The policy is signed, and another one would not be taken"),
                   *key = json_text(policy, "key");
        bool required;

        if (!json_flag(policy, "signing_required", &required))
                inspect_add(ret, "signature", "6(6)", what, INSPECT_UNKNOWN, "%s",
                            _("the guard says nothing of signatures"));
        else if (!key)
                inspect_add(ret, "signature", "6(6)", what, INSPECT_FINDING, "%s",
                            required ? _("it is not signed, although it has to be") : _("it is not signed"));
        else
                inspect_add(ret, "signature", "6(6)", what, required ? INSPECT_OK : INSPECT_FINDING,
                            required ? _("key %s") : _("key %s, but unsigned ones would be taken as well"),
                            key);
}

static void check_policy_expiry(const struct json_object *root, uint64_t now, Inspection *ret) {
        const char *what = _("The policy has not expired");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t expires = 0;

        if (!json_number(json_map(root, "policy"), "expires", &expires))
                inspect_add(ret, "policy-expiry", "8", what, INSPECT_OK, "%s", _("it has no end"));
        else
                inspect_add(ret, "policy-expiry", "8", what,
                            (uint64_t)expires * USEC_PER_SEC > now ? INSPECT_OK : INSPECT_FINDING,
                            _("it ends at %s"), when(json_map(root, "policy"), "expires", buffer));
}

/* Media that somebody was let write to, and that nobody has confirmed to be back. */
static void check_grants(const struct json_object *root, Inspection *ret) {
        const char *what = _("Media taken out by grants are back, or erased");
        struct json_object *grants = json_list(root, "grants");
        char out[128] = "";
        size_t n = 0, length = 0;

        for (size_t i = 0; grants && i < json_object_array_length(grants); i++) {
                const struct json_object *grant = json_object_array_get_idx(grants, i);
                const char *state = json_text(grant, "state");
                int64_t id = 0;

                if (!state || strcmp(state, "ended") != 0 || !json_number(grant, "id", &id))
                        continue;
                n++;
                if (length + 24 < sizeof(out))
                        length += (size_t)snprintf(out + length, sizeof(out) - length, " %" PRId64, id);
        }
        if (n > 0)
                inspect_add(ret, "grants", "6(3)①", what, INSPECT_FINDING,
                            _("%zu not confirmed (sekishoctl grants close):%s"), n, out);
        else
                inspect_add(ret, "grants", "6(3)①", what, INSPECT_OK, "%s", _("none is out"));
}

void inspect_guard(const InspectFacts *facts, Inspection *ret) {
        const struct json_object *root = facts->status->root;

        check_running(facts->status, ret);
        if (!facts->status->alive || !root)
                return; /* what a dead one said proves nothing */
        check_policy_in_force(facts, ret);
        check_signature(root, ret);
        check_policy_expiry(root, facts->now, ret);
        check_mechanisms(root, ret);
        check_devices(root, ret);
        check_superblocks(root, ret);
        inspect_self_test(root, ret);
        check_self_protection(root, ret);
        check_lockdown(root, ret);
        check_grants(root, ret);
        check_records(root, ret);
}
