/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the guard is in force, and what is amiss. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/status.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"

enum {
        MONITORED_TOLD = 10
};

/* Without it everything is refused all the same; only less is known of who tried. */
static const char *const evidence_only[] = {"audit"};

static __attribute__((format(printf, 2, 3))) void find(struct json_object *findings, const char *format,
                                                       ...) {
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        json_append_text(findings, text ? text : "?");
}

static const char *or_unknown(const char *text) {
        return text ? text : "?";
}

static bool begins(const char *text, const char *word) {
        return strncmp(text, word, strlen(word)) == 0;
}

static bool is_evidence_only(const char *mechanism) {
        for (size_t i = 0; i < ELEMENTS(evidence_only); i++)
                if (strcmp(evidence_only[i], mechanism) == 0)
                        return true;
        return false;
}

static void find_in_mechanism(struct json_object *findings, const char *name, const char *state) {
        CLEANUP_FREE char *text = word_state(state);

        find(findings, "%s: %s", name, or_unknown(text));
}

static void find_in_mechanisms(const struct json_object *root, struct json_object *findings) {
        struct json_object *mechanisms = json_map(root, "mechanisms");

        if (!mechanisms) {
                find(findings, _("the guard does not say by what means it enforces"));
                return;
        }
        json_object_object_foreach(mechanisms, name, value) {
                const char *text = json_object_is_type(value, json_type_string)
                                           ? json_object_get_string(value)
                                           : "failed";

                if (begins(text, "failed") || (begins(text, "off") && !is_evidence_only(name)))
                        find_in_mechanism(findings, name, text);
        }
}

static void find_in_devices(const struct json_object *root, struct json_object *findings) {
        struct json_object *devices = json_list(root, "devices");

        for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
                const struct json_object *device = json_object_array_get_idx(devices, i);

                if (!json_is_true(device, "enforced"))
                        find(findings, _("the verdict on device %s could not be enforced: %s"),
                             or_unknown(json_text(device, "name")),
                             or_unknown(word_text(json_text(device, "error"))));
        }
}

static void find_in_superblocks(const struct json_object *root, struct json_object *findings) {
        struct json_object *superblocks = json_list(root, "superblocks");

        for (size_t i = 0; superblocks && i < json_object_array_length(superblocks); i++) {
                const struct json_object *superblock = json_object_array_get_idx(superblocks, i);
                const char *guard = json_text(superblock, "guard");

                if (!guard || strcmp(guard, "failed") == 0)
                        find(findings, _("the file system at %s could not be guarded: %s"),
                             or_unknown(json_text(superblock, "mount")),
                             or_unknown(word_text(json_text(superblock, "error"))));
        }
}

static void find_in_policy(const struct json_object *root, struct json_object *findings) {
        const struct json_object *policy = json_map(root, "policy");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t expires = 0;

        if (!policy)
                find(findings, _("the guard does not say which policy is in force"));
        else if (json_map(policy, "refused"))
                find(findings, _("the policy that is there now was refused; the last good one is in force"));
        if (policy && json_number(policy, "expires", &expires) &&
            expires <= (int64_t)(timespec_now() / USEC_PER_SEC))
                find(findings,
                     _("the policy has expired on %s; it stays in force until there is a newer one"),
                     timespec_for_person((uint64_t)expires * USEC_PER_SEC, buffer));
}

static void find_maintenance(const struct json_object *root, struct json_object *findings) {
        const struct json_object *maintenance = json_map(json_map(root, "self_protection"), "maintenance");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t until = 0;

        if (!maintenance)
                return;
        (void)json_number(maintenance, "until", &until);
        find(findings, _("maintenance until %s, nothing protects the guard itself: %s"),
             until > 0 ? timespec_for_person((uint64_t)until * USEC_PER_SEC, buffer) : "?",
             or_unknown(json_text(maintenance, "reason")));
}

static void find_lockdown(const struct json_object *root, struct json_object *findings) {
        const struct json_object *lockdown = json_map(root, "lockdown");
        const char *reason = json_text(lockdown, "reason");

        if (!lockdown)
                return;
        if (reason)
                find(findings, _("EMERGENCY LOCKDOWN: everything external is denied, and logins: %s"),
                     reason);
        else
                find(findings, "%s", _("EMERGENCY LOCKDOWN: everything external is denied, and logins"));
}

static void find_in_self_test(const struct json_object *root, struct json_object *findings) {
        struct json_object *probes = json_list(json_map(root, "self_test"), "probes");

        for (size_t i = 0; probes && i < json_object_array_length(probes); i++) {
                const struct json_object *probe = json_object_array_get_idx(probes, i);
                const char *state = json_text(probe, "state");
                CLEANUP_FREE char *text = NULL;

                if (state && (strcmp(state, "passed") == 0 || strcmp(state, "not-probed") == 0))
                        continue;
                text = self_test_words(probe);
                find(findings, _("SELF-TEST FAILED: %s"), or_unknown(text));
        }
}

static void find_monitored(const struct json_object *root, struct json_object *findings) {
        struct json_object *monitored = json_list(root, "monitor");
        char buffer[TIMESPEC_TEXT_MAX];

        for (size_t i = 0; monitored && i < json_object_array_length(monitored); i++) {
                const struct json_object *one = json_object_array_get_idx(monitored, i);
                const char *rule = or_unknown(json_text(one, "rule"));
                int64_t until = 0;

                if (i == MONITORED_TOLD) {
                        find(findings, _("only recorded, not refused: %zu others"),
                             json_object_array_length(monitored) - i);
                        break;
                }
                if (json_number(one, "until", &until) && until > 0)
                        find(findings, _("only recorded, not refused, until %s: %s"),
                             timespec_for_person((uint64_t)until * USEC_PER_SEC, buffer), rule);
                else
                        find(findings, _("only recorded, not refused, without an end: %s"), rule);
        }
}

struct json_object *status_findings(const StatusFile *status) {
        struct json_object *findings = json_object_new_array();
        const char *mode = json_text(status->root, "mode");

        if (!status->alive) {
                find(findings, _("the guard is not running; external devices stay read-only"));
                return findings;
        }
        if (!status->root) {
                find(findings, _("the guard has not yet said what it enforces"));
                return findings;
        }
        if (!mode || strcmp(mode, "enforce") != 0)
                find(findings, _("the guard only watches (mode %s): nothing is refused"),
                     or_unknown(word_mode(mode)));
        find_monitored(status->root, findings);
        find_lockdown(status->root, findings);
        find_in_policy(status->root, findings);
        find_in_mechanisms(status->root, findings);
        find_in_self_test(status->root, findings);
        find_maintenance(status->root, findings);
        find_in_devices(status->root, findings);
        find_in_superblocks(status->root, findings);
        return findings;
}
