/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/words.h"

#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/mount/superblocks.h"
#include "policy/event.h"
#include "policy/model.h"
#include "policy/scope.h"
#include "policy/verdict.h"

static const char *of_event(EventKind kind) {
        switch (kind) {
        case EVENT_NONE:
                return NULL;
        case EVENT_WRITE_DENIED:
                return C_("event", "write-denied");
        case EVENT_READ_DENIED:
                return C_("event", "read-denied");
        case EVENT_RAW_WRITE_DENIED:
                return C_("event", "raw-write-denied");
        case EVENT_LATE_WRITER:
                return C_("event", "late-writer");
        case EVENT_DEVICE_ATTACHED:
                return C_("event", "device-attached");
        case EVENT_DEVICE_VERDICT:
                return C_("event", "device-verdict");
        case EVENT_DEVICE_DETACHED:
                return C_("event", "device-detached");
        case EVENT_INTERFACE_VERDICT:
                return C_("event", "interface-verdict");
        case EVENT_SUPERBLOCK_GUARDED:
                return C_("event", "superblock-guarded");
        case EVENT_SUPERBLOCK_RELEASED:
                return C_("event", "superblock-released");
        case EVENT_POLICY_LOADED:
                return C_("event", "policy-loaded");
        case EVENT_POLICY_REFUSED:
                return C_("event", "policy-refused");
        case EVENT_POLICY_RESTORED:
                return C_("event", "policy-restored");
        case EVENT_SERIAL_WITNESSED:
                return C_("event", "serial-witnessed");
        case EVENT_SERIAL_LOWERED:
                return C_("event", "serial-lowered");
        case EVENT_AGENT_STARTED:
                return C_("event", "agent-started");
        case EVENT_AGENT_STOPPED:
                return C_("event", "agent-stopped");
        case EVENT_AGENT_LOST:
                return C_("event", "agent-lost");
        case EVENT_ENFORCEMENT_FAILED:
                return C_("event", "enforcement-failed");
        case EVENT_LOGIN_ALLOWED:
                return C_("event", "login-allowed");
        case EVENT_LOGIN_DENIED:
                return C_("event", "login-denied");
        case EVENT_FACTOR_FAILED:
                return C_("event", "factor-failed");
        case EVENT_FACTOR_ENROLLED:
                return C_("event", "factor-enrolled");
        case EVENT_FACTOR_REMOVED:
                return C_("event", "factor-removed");
        case EVENT_SUBSTITUTE_ISSUED:
                return C_("event", "substitute-issued");
        case EVENT_MAINTENANCE_STARTED:
                return C_("event", "maintenance-started");
        case EVENT_MAINTENANCE_ENDED:
                return C_("event", "maintenance-ended");
        case EVENT_GUARD_TOUCHED:
                return C_("event", "guard-touched");
        case EVENT_BREAK_GLASS_USED:
                return C_("event", "break-glass-used");
        case EVENT_PERSON_CHANGED:
                return C_("event", "person-changed");
        case EVENT_SESSION_LOCKED:
                return C_("event", "session-locked");
        case EVENT_SESSION_LOCK_FAILED:
                return C_("event", "session-lock-failed");
        case EVENT_LOCKDOWN_STARTED:
                return C_("event", "lockdown-started");
        case EVENT_LOCKDOWN_ENDED:
                return C_("event", "lockdown-ended");
        case EVENT_SELF_TEST_PASSED:
                return C_("event", "self-test-passed");
        case EVENT_SELF_TEST_FAILED:
                return C_("event", "self-test-failed");
        case EVENT_SELF_TEST_NOT_RUN:
                return C_("event", "self-test-not-run");
        case EVENT_MONITOR_STARTED:
                return C_("event", "monitor-started");
        case EVENT_MONITOR_ENDED:
                return C_("event", "monitor-ended");
        case EVENT_CONNECTION_DENIED:
                return C_("event", "connection-denied");
        case EVENT_CONNECTION_SEEN:
                return C_("event", "connection-seen");
        case EVENT_NETWORK_INTERFACE_VERDICT:
                return C_("event", "network-interface-verdict");
        case EVENT_NETWORK_GUARD_LOST:
                return C_("event", "network-guard-lost");
        case EVENT_NETWORK_FAILED:
                return C_("event", "network-failed");
        case EVENT_LABELLED_WRITE:
                return C_("event", "labelled-write");
        case EVENT_GRANT_BEGUN:
                return C_("event", "grant-begun");
        case EVENT_GRANT_ENDED:
                return C_("event", "grant-ended");
        case EVENT_GRANT_REFUSED:
                return C_("event", "grant-refused");
        case EVENT_GRANT_WRITE:
                return C_("event", "grant-write");
        }
        return NULL;
}

static const char *of_access(Access access) {
        switch (access) {
        case ACCESS_DENY:
                return C_("access", "deny");
        case ACCESS_READ_ONLY:
                return C_("access", "read-only");
        case ACCESS_WRITE:
                return C_("access", "write");
        }
        return NULL;
}

static const char *of_guard(Guard state) {
        switch (state) {
        case GUARD_FAILED:
                return C_("guard", "failed");
        case GUARD_NONE:
                return C_("guard", "none");
        case GUARD_READ_ONLY:
                return C_("guard", "read-only");
        case GUARD_GATE:
                return C_("guard", "gate");
        case GUARD_GATE_READ_ONLY:
                return C_("guard", "gate+read-only");
        case GUARD_LSM:
                return C_("guard", "lsm");
        case GUARD_LSM_READ_ONLY:
                return C_("guard", "lsm+read-only");
        case GUARD_SHUT_DOWN:
                return C_("guard", "shut-down");
        }
        return NULL;
}

static const char *of_zone(PolicyZone which) {
        switch (which) {
        case ZONE_MYNUMBER:
                return C_("zone", "mynumber");
        case ZONE_LGWAN:
                return C_("zone", "lgwan");
        case ZONE_INTERNET:
                return C_("zone", "internet");
        }
        return NULL;
}

static const char *of_lock_reason(LockReason which) {
        switch (which) {
        case LOCK_TOKEN_REMOVED:
                return C_("lock", "token-removed");
        case LOCK_IDLE:
                return C_("lock", "idle");
        case LOCK_IN_EMERGENCY:
                return C_("lock", "lockdown");
        case LOCK_FOR_NOTHING:
                return NULL;
        }
        return NULL;
}

static const char *of_mode(PolicyMode which) {
        switch (which) {
        case MODE_ENFORCE:
                return C_("mode", "enforce");
        case MODE_MONITOR:
                return C_("mode", "monitor");
        }
        return NULL;
}

static const char *or_itself(const char *translated, const char *word) {
        return translated ? translated : word;
}

const char *word_event(const char *word) {
        int value = word ? event_from_string(word) : -1;

        return or_itself(value < 0 ? NULL : of_event((EventKind)value), word);
}

const char *word_access(const char *word) {
        int value = word ? access_from_string(word) : -1;

        if (word && strcmp(word, verdict_to_string(VERDICT_ALLOW)) == 0) /* a USB device that is let in */
                return C_("access", "allow");
        return or_itself(value < 0 ? NULL : of_access((Access)value), word);
}

const char *word_guard(const char *word) {
        int value = word ? guard_from_string(word) : -1;

        return or_itself(value < 0 ? NULL : of_guard((Guard)value), word);
}

const char *word_zone(const char *word) {
        int value = word ? policy_zone_from_string(word) : -1;

        return or_itself(value < 0 ? NULL : of_zone((PolicyZone)value), word);
}

const char *word_mode(const char *word) {
        int value = word ? policy_mode_from_string(word) : -1;

        return or_itself(value < 0 ? NULL : of_mode((PolicyMode)value), word);
}

const char *word_lock_reason(const char *word) {
        int value = word ? lock_reason_from_string(word) : -1;

        return or_itself(value < 0 ? NULL : of_lock_reason((LockReason)value), word);
}

/* The C library has its errors in many languages under a domain of its own; the agent wrote them in English.
 */
const char *word_text(const char *text) {
        const char *found;

        if (!text || !*text) /* gettext's answer for "" is the catalog's header */
                return text;
        found = gettext(text);
        return found == text ? dgettext("libc", text) : found;
}

static const char *state_word(const char *word) {
        if (strcmp(word, "ok") == 0)
                return C_("state", "ok");
        if (strcmp(word, "off") == 0)
                return C_("state", "off");
        if (strcmp(word, "failed") == 0)
                return C_("state", "failed");
        return word_text(word);
}

char *word_state(const char *text) {
        const char *colon = text ? strstr(text, ": ") : NULL;
        CLEANUP_FREE char *word = NULL;

        if (!text)
                return NULL;
        if (!colon || word_text(text) != text)
                return strdup(state_word(text));
        word = strndup(text, (size_t)(colon - text));
        return word ? text_format(_("%s: %s"), state_word(word), word_text(colon + 2)) : NULL;
}
