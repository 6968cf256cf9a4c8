/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/reenrol.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#include "pam_module/account.h"
#include "pam_module/record.h"
#include "pam_module/totp.h"
#include "policy/build.h"

DEFINE_ENUM_STRINGS(ReenrolVerdict, reenrol_verdict, REENROL_VERDICT_LIST)

enum {
        CONFIRM_DRIFT = 1
};

/* Not the substitute for a forgotten card: what is good for hours is not to become good for ever. */
#define CODES (FACTOR_BIT(FACTOR_TOTP) | FACTOR_BIT(FACTOR_RECOVERY))

/* What is looked up for one answer. */
typedef struct Scene {
        Reenrol *question;
        Account account;
        Store store;
        Moment now;
        unsigned accepted; /* of CODES */
} Scene;

static void scene_clear(Scene *scene) {
        account_clear(&scene->account);
        store_close(&scene->store);
}

static int because(Scene *scene, int r, const char *why) {
        scene->question->why = why;
        return r;
}

static int find_account(uid_t uid, Account *ret, char name[static STORE_KEY_SIZE]) {
        int r = account_look_up_uid(uid, ret);

        if (r < 0)
                return r;
        if (strlen(ret->name) >= STORE_KEY_SIZE)
                return -ENAMETOOLONG;
        memcpy(name, ret->name, strlen(ret->name) + 1);
        return 0;
}

static int open_own_store(const char *directory, const char *account, Store *ret) {
        int r = store_open(directory, ret);

        if (r == 0)
                r = store_is_shared(ret, account);
        return r > 0 ? -EPERM : r;
}

/* Whether the person may at all, and which codes count. */
static int ask_policy(Scene *scene) {
        MfaQuestion question = {.service = REENROL_SERVICE, .subject = &scene->account.subject};
        MfaDecision decision;
        int r = policy_time_from_wall(scene->now.wall, &question.now);

        if (r < 0)
                return because(scene, r, "there is no clock");
        decide_mfa(scene->question->policy, &question, &decision);
        if (decision.break_glass)
                return because(scene, -EPERM, "an account for emergencies is enrolled by others");
        if (decision.verdict == MFA_DENY && decision.reason != MFA_NO_FACTORS)
                return because(scene, -EPERM, "the policy does not allow it");
        scene->accepted = decision.kinds_needed < 2 ? CODES : decision.accepted & CODES;
        return 0;
}

static int prepare(Scene *scene) {
        Reenrol *question = scene->question;
        int r;

        if (secret_init() < 0)
                return because(scene, -EIO, "libsodium cannot be used");
        if ((r = moment_now(&scene->now)) < 0)
                return because(scene, r, "there is no clock");
        if ((r = find_account(question->uid, &scene->account, question->account)) < 0)
                return because(scene, r, "the account could not be looked up");
        if ((r = ask_policy(scene)) < 0)
                return r;
        r = open_own_store(question->store, question->account, &scene->store);
        return r == 0 ? 0
                      : because(scene, r,
                                r == -EPERM ? "several people use the account, or the store is not in order"
                                            : store_error(r));
}

static int put(Scene *scene) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        const Reenrol *question = scene->question;
        int r = enrolment ? store_lock(&scene->store) : -ENOMEM;

        if (r < 0)
                return r;
        r = store_load(&scene->store, question->account, question->uid, enrolment);
        if (r == 0) {
                enrolment->totp = *question->totp;
                memset(&enrolment->failures[FACTOR_TOTP], 0, sizeof(Failures));
                r = store_save(&scene->store, question->account, enrolment);
        }
        store_unlock(&scene->store);
        return r;
}

static ReenrolVerdict prove(Scene *scene) {
        Reenrol *question = scene->question;
        Verification verification = {.store = &scene->store,
                                     .user = question->account,
                                     .uid = question->uid,
                                     .limits = question->policy->mfa_limits,
                                     .drift = question->policy->mfa_drift,
                                     .factors = scene->accepted,
                                     .now = scene->now,
                                     .factor = FACTOR_TOTP};

        question->proof = verify_code(&verification, question->code);
        question->has_proof = true;
        question->factor = verification.factor;
        question->wait = verification.wait;
        if (question->proof == PROOF_BROKEN)
                question->why = store_error(verification.error);
        return question->proof == PROOF_PROVEN ? REENROL_DONE
               : question->proof == PROOF_WAIT ? REENROL_WAIT
                                               : REENROL_DENY;
}

ReenrolVerdict reenrol(Reenrol *question) {
        CLEANUP(scene_clear) Scene scene = {.question = question, .store = STORE_CLOSED};
        ReenrolVerdict verdict;
        int r;

        if (prepare(&scene) < 0)
                return REENROL_DENY;
        /* first, so that a slip does not use a code up; whoever guesses here guesses their own secret */
        if (totp_take(question->totp, question->confirmation, scene.now.wall, CONFIRM_DRIFT) < 0)
                return REENROL_UNCONFIRMED;
        verdict = prove(&scene);
        if (verdict != REENROL_DONE)
                return verdict;
        r = put(&scene);
        if (r == 0)
                return REENROL_DONE;
        question->why = store_error(r);
        return REENROL_DENY;
}

static void record_as(const Reenrol *question, EventKind kind) {
        LoginRecord record = {.length = 0};
        const char *account = question->account[0] ? question->account : "(unknown)";

        record_begin(&record, kind, "sekishod");
        if (kind == EVENT_FACTOR_FAILED)
                record_add(&record, "MESSAGE", "%s failed to prove a factor to enrol another one: %s",
                           account, question->why ? question->why : proof_to_string(question->proof));
        else
                record_add(&record, "MESSAGE", "%s: %s of %s by themselves, who proved %s",
                           event_to_string(kind), factor_to_string(FACTOR_TOTP), account,
                           factor_to_string(question->factor));
        record_add_text(&record, FIELD_USER, question->account);
        record_add_text(&record, FIELD_PERSON, question->account);
        record_add(&record, FIELD_UID, "%" PRIu32, (uint32_t)question->uid);
        record_add_text(&record, FIELD_SERVICE, REENROL_SERVICE);
        record_add_text(&record, FIELD_ERROR, question->why);
        if (kind == EVENT_FACTOR_FAILED) {
                record_add(&record, FIELD_VERDICT, "deny");
                record_add_text(&record, FIELD_FACTOR, factor_to_string(question->factor));
                record_add_text(&record, FIELD_RESULT, proof_to_string(question->proof));
        } else {
                record_add_text(&record, FIELD_FACTOR, factor_to_string(FACTOR_TOTP));
                record_add_text(&record, FIELD_FACTORS, factor_to_string(question->factor));
                record_add_text(&record, FIELD_BY, question->account);
        }
        if (record_send(&record, question->store) < 0)
                syslog(LOG_AUTHPRIV | event_priority(kind), "%s of %s", event_to_string(kind), account);
}

void reenrol_record(const Reenrol *question, ReenrolVerdict verdict) {
        if (verdict == REENROL_DONE)
                record_as(question, EVENT_FACTOR_ENROLLED);
        else if (question->has_proof || question->why)
                record_as(question, EVENT_FACTOR_FAILED);
}

int own_factors_read(const char *store, uid_t uid, OwnFactors *ret) {
        CLEANUP(scene_clear) Scene scene = {.store = STORE_CLOSED};
        CLEANUP_ENROLMENT Enrolment *enrolment = NULL;
        OwnFactors own = {0};
        int r = secret_init() < 0 ? -EIO : find_account(uid, &scene.account, own.account);

        if (r == 0)
                r = open_own_store(store, own.account, &scene.store);
        if (r == 0)
                r = (enrolment = enrolment_new()) ? store_lock(&scene.store) : -ENOMEM;
        if (r < 0)
                return r;
        r = store_load(&scene.store, own.account, uid, enrolment);
        store_unlock(&scene.store);
        if (r < 0 && r != -ENOENT)
                return r;
        own.factors = r == 0 ? enrolment_factors(enrolment) : 0;
        own.recovery_left = r == 0 ? enrolment_recovery_left(enrolment) : 0;
        *ret = own;
        return 0;
}
