/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/unlock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#include "pam_module/account.h"
#include "pam_module/record.h"
#include "policy/build.h"

DEFINE_ENUM_STRINGS(UnlockVerdict, unlock_verdict, UNLOCK_VERDICT_LIST)

#define CODES (FACTOR_BIT(FACTOR_TOTP) | FACTOR_BIT(FACTOR_RECOVERY) | FACTOR_BIT(FACTOR_SUBSTITUTE))

/* What is looked up for one answer. */
typedef struct Scene {
        Unlock *unlock;
        Account account;
        Store store;
        Moment now;
        PolicyTime policy_time;
        char key[STORE_KEY_SIZE];
        unsigned enrolled;
        time_t first_seen, last_seen;
} Scene;

static void scene_clear(Scene *scene) {
        account_clear(&scene->account);
        store_close(&scene->store);
}

static int because(Scene *scene, int r, const char *why) {
        scene->unlock->why = why;
        return r;
}

static int look_up(Scene *scene) {
        int r = account_look_up_uid(scene->unlock->uid, &scene->account);

        if (r < 0)
                return r;
        if (strlen(scene->account.name) >= STORE_KEY_SIZE)
                return -ENAMETOOLONG;
        memcpy(scene->unlock->account, scene->account.name, strlen(scene->account.name) + 1);
        return 0;
}

static MfaVerdict decide(Scene *scene) {
        Unlock *unlock = scene->unlock;
        MfaQuestion question = {.service = unlock->service,
                                .subject = &scene->account.subject,
                                .now = scene->policy_time,
                                .proven = unlock->proven,
                                .enrolled = unlock->shared ? FACTORS_ALL : scene->enrolled,
                                .first_seen = scene->first_seen,
                                .last_seen = scene->last_seen};

        decide_mfa(unlock->policy, &question, &unlock->decision);
        return unlock->decision.verdict;
}

/* 1 if there is an enrolment of who it is, 0 if not, -errno. */
static int load(Scene *scene) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        Unlock *unlock = scene->unlock;
        const char *person;
        int r;

        if (!enrolment)
                return -ENOMEM;
        r = store_open(unlock->store, &scene->store);
        if (r == 0)
                r = store_is_shared(&scene->store, scene->account.name);
        if (r < 0)
                return r;
        unlock->shared = r > 0;
        person = unlock->shared ? unlock->person : scene->account.name;
        r = store_key(scene->account.name, person, scene->key);
        if (r < 0)
                return r == -EINVAL ? 0 : r;
        r = store_lock(&scene->store);
        if (r < 0)
                return r;
        r = store_load(&scene->store, scene->key, unlock->uid, enrolment);
        store_unlock(&scene->store);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        memcpy(unlock->who, person, strlen(person) + 1);
        scene->enrolled = enrolment_factors(enrolment);
        scene->first_seen = enrolment->first_seen;
        scene->last_seen = enrolment->last_seen;
        return 1;
}

static UnlockVerdict verify(Scene *scene, bool known) {
        Unlock *unlock = scene->unlock;
        Verification verification = {.store = &scene->store,
                                     .user = scene->key,
                                     .uid = unlock->uid,
                                     .limits = unlock->policy->mfa_limits,
                                     .break_glass = unlock->decision.break_glass,
                                     .drift = unlock->policy->mfa_drift,
                                     .factors = unlock->decision.wanted & CODES,
                                     .now = scene->now,
                                     .factor = FACTOR_TOTP};

        unlock->proof = known ? verify_code(&verification, unlock->code) : PROOF_NOT_ENROLLED;
        unlock->has_proof = true;
        unlock->factor = verification.factor;
        unlock->wait = verification.wait;
        if (unlock->proof == PROOF_BROKEN)
                unlock->why = store_error(verification.error);
        if (unlock->proof == PROOF_WAIT)
                return UNLOCK_WAIT;
        if (unlock->proof != PROOF_PROVEN)
                return UNLOCK_DENY;
        unlock->proven |= FACTOR_BIT(unlock->factor);
        return decide(scene) == MFA_ALLOW ? UNLOCK_ALLOW : UNLOCK_DENY;
}

static int prepare(Scene *scene) {
        int r;

        if (secret_init() < 0)
                return because(scene, -EIO, "libsodium cannot be used");
        if ((r = moment_now(&scene->now)) < 0 ||
            (r = policy_time_from_wall(scene->now.wall, &scene->policy_time)) < 0)
                return because(scene, r, "there is no clock");
        r = look_up(scene);
        return r < 0 ? because(scene, r, "the account could not be looked up") : 0;
}

UnlockVerdict unlock_decide(Unlock *unlock) {
        CLEANUP(scene_clear) Scene scene = {.unlock = unlock, .store = STORE_CLOSED};
        MfaVerdict verdict;
        int known;

        if (prepare(&scene) < 0)
                return UNLOCK_DENY;
        unlock->proven = unlock->password ? FACTOR_BIT(FACTOR_PASSWORD) : 0;
        verdict = decide(&scene);
        if (verdict == MFA_DENY || unlock->decision.kinds_needed < 2)
                return verdict == MFA_ALLOW ? UNLOCK_ALLOW : UNLOCK_DENY;
        known = load(&scene);
        if (known < 0) {
                unlock->why = store_error(known);
                return UNLOCK_DENY;
        }
        verdict = decide(&scene);
        if (verdict != MFA_MORE)
                return verdict == MFA_ALLOW ? UNLOCK_ALLOW : UNLOCK_DENY;
        return unlock->code[0] ? verify(&scene, known > 0) : UNLOCK_MORE;
}

static void record_as(const Unlock *unlock, EventKind kind) {
        LoginRecord record = {.length = 0};
        char factors[FACTORS_TEXT_SIZE];
        const char *reason = mfa_reason_to_string(unlock->decision.reason);

        record_begin(&record, kind, "sekishod");
        record_add(&record, "MESSAGE", "%s: %s unlocks by %s: %s", event_to_string(kind),
                   unlock->account[0] ? unlock->account : "(unknown)", unlock->service,
                   unlock->why                   ? unlock->why
                   : kind == EVENT_FACTOR_FAILED ? proof_to_string(unlock->proof)
                                                 : reason);
        record_add(&record, FIELD_VERDICT, "%s", kind == EVENT_LOGIN_ALLOWED ? "allow" : "deny");
        record_add_text(&record, FIELD_USER, unlock->account);
        record_add_text(&record, FIELD_PERSON, unlock->who);
        record_add_text(&record, FIELD_SERVICE, unlock->service);
        record_add_text(&record, FIELD_FACTORS, factors_text(unlock->proven, factors));
        record_add_text(&record, FIELD_RULE, unlock->decision.rule);
        record_add_text(&record, FIELD_RULE_ORIGIN, unlock->decision.origin);
        record_add_text(&record, FIELD_REASON, reason);
        record_add_text(&record, FIELD_ERROR, unlock->why);
        record_add_text(&record, FIELD_CAUSE, "locker"); /* the password was right by its word alone */
        record_add(&record, FIELD_UID, "%" PRIu32, (uint32_t)unlock->uid);
        record_add(&record, FIELD_POLICY_SERIAL, "%" PRIu64, unlock->policy->serial);
        if (kind == EVENT_FACTOR_FAILED) {
                record_add_text(&record, FIELD_FACTOR, factor_to_string(unlock->factor));
                record_add_text(&record, FIELD_RESULT, proof_to_string(unlock->proof));
        }
        if (record_send(&record, unlock->store) < 0)
                syslog(LOG_AUTHPRIV | event_priority(kind), "%s of %s", event_to_string(kind),
                       unlock->account);
}

void unlock_record(const Unlock *unlock, UnlockVerdict verdict) {
        /* whoever asks without a code is told what would be needed: nothing has happened */
        if (!unlock->has_proof && !unlock->why)
                return;
        if (unlock->has_proof && unlock->proof != PROOF_PROVEN)
                record_as(unlock, EVENT_FACTOR_FAILED);
        record_as(unlock, verdict == UNLOCK_ALLOW ? EVENT_LOGIN_ALLOWED : EVENT_LOGIN_DENIED);
}
