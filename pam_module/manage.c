/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/manage.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "pam_module/account.h"
#include "pam_module/issue.h"
#include "pam_module/totp.h"

DEFINE_ENUM_STRINGS(ManageVerdict, manage_verdict, MANAGE_VERDICT_LIST)

enum {
        CONFIRM_DRIFT = 1
};

typedef struct Scene {
        Manage *question;
        Account account, by;
        const char *person;
        char key[STORE_KEY_SIZE];
        Store store;
        Enrolment *enrolment;
} Scene;

static void scene_clear(Scene *scene) {
        account_clear(&scene->account);
        account_clear(&scene->by);
        store_close(&scene->store);
        if (scene->enrolment)
                enrolment_free(scene->enrolment);
}

static ManageVerdict because(const Scene *scene, int r) {
        scene->question->why = store_error(r);
        return MANAGE_DENY;
}

/* MANAGE_DONE, or what is told. */
static ManageVerdict find_accounts(Scene *scene) {
        Manage *question = scene->question;
        int r = account_look_up(question->user, &scene->account);

        if (r < 0)
                return because(scene, r);
        if (!scene->account.known || strlen(scene->account.name) >= sizeof(question->account))
                return MANAGE_UNKNOWN;
        r = account_look_up_uid(question->by, &scene->by);
        if (r < 0)
                return because(scene, r);
        if (!enrolment_is_word(scene->by.name, ISSUER_SIZE - 1))
                return because(scene, -EINVAL);
        memcpy(question->account, scene->account.name, strlen(scene->account.name) + 1);
        scene->person = *question->person ? question->person : question->account;
        r = store_key(question->account, scene->person, scene->key);
        return r == -EINVAL ? MANAGE_UNKNOWN : r < 0 ? because(scene, r) : MANAGE_DONE;
}

static ManageVerdict open_store(Scene *scene) {
        const char *directory = scene->question->store;
        int r = scene->question->kind == MANAGE_ENROL_TOTP ? store_create(directory) : 0;

        if (r == 0)
                r = store_open(directory, &scene->store);
        if (r == 0)
                r = (scene->enrolment = enrolment_new()) ? store_lock(&scene->store) : -ENOMEM;
        if (r == -ENOENT)
                return MANAGE_UNKNOWN;
        return r < 0 ? because(scene, r) : MANAGE_DONE;
}

static ManageVerdict load(Scene *scene) {
        int r = store_load(&scene->store, scene->key, scene->account.subject.uid, scene->enrolment);

        if (r < 0 && r != -ENOENT)
                return because(scene, r);
        scene->enrolment->uid = scene->account.subject.uid;
        return MANAGE_DONE;
}

static ManageVerdict save(Scene *scene, EventKind kind, Factor factor) {
        int r = store_save(&scene->store, scene->key, scene->enrolment);

        if (r < 0)
                return because(scene, r);
        issue_record(&(IssueRecord){.kind = kind,
                                    .program = "sekishod",
                                    .store = scene->question->store,
                                    .account = scene->question->account,
                                    .person = scene->person,
                                    .key = scene->key,
                                    .by = scene->by.name,
                                    .uid = scene->account.subject.uid,
                                    .factor = factor});
        return MANAGE_DONE;
}

static ManageVerdict list(Scene *scene) {
        ManageVerdict verdict = load(scene);

        if (verdict != MANAGE_DONE)
                return verdict;
        scene->question->factors = enrolment_factors(scene->enrolment);
        scene->question->recovery_left = enrolment_recovery_left(scene->enrolment);
        return MANAGE_DONE;
}

static ManageVerdict enrol(Scene *scene) {
        ManageVerdict verdict = load(scene);

        if (verdict != MANAGE_DONE)
                return verdict;
        if (scene->enrolment->totp.enrolled)
                return MANAGE_ALREADY;
        if (totp_take(scene->question->totp, scene->question->confirmation, time(NULL), CONFIRM_DRIFT) < 0)
                return MANAGE_UNCONFIRMED;
        scene->enrolment->totp = *scene->question->totp;
        memset(&scene->enrolment->failures[FACTOR_TOTP], 0, sizeof(Failures));
        return save(scene, EVENT_FACTOR_ENROLLED, FACTOR_TOTP);
}

/* Everything, also where the enrolment cannot be read any more. */
static ManageVerdict remove_all(Scene *scene) {
        int r = store_begin_anew(&scene->store, scene->key, scene->enrolment);

        if (r < 0)
                return because(scene, r);
        scene->enrolment->uid = scene->account.subject.uid;
        return save(scene, EVENT_FACTOR_REMOVED, FACTOR_TOTP);
}

static ManageVerdict remove_one(Scene *scene) {
        int factor = factor_from_string(scene->question->factor);
        ManageVerdict verdict;

        if (factor < 0 || factor >= FACTORS_N || factor == FACTOR_PASSWORD || factor == FACTOR_CARD_PIN)
                return MANAGE_UNKNOWN;
        verdict = load(scene);
        if (verdict != MANAGE_DONE)
                return verdict;
        issue_take_away(scene->enrolment, (Factor)factor);
        return save(scene, EVENT_FACTOR_REMOVED, (Factor)factor);
}

ManageVerdict manage(Manage *question) {
        CLEANUP(scene_clear) Scene scene = {.question = question, .store = STORE_CLOSED};
        ManageVerdict verdict = secret_init() < 0 ? because(&scene, -EIO) : find_accounts(&scene);

        if (verdict != MANAGE_DONE)
                return verdict;
        if (question->kind != MANAGE_LIST && scene.account.subject.uid == question->by)
                return MANAGE_OWN;
        verdict = open_store(&scene);
        if (verdict == MANAGE_UNKNOWN && question->kind == MANAGE_LIST) /* nobody was ever enrolled */
                return MANAGE_DONE;
        if (verdict != MANAGE_DONE)
                return verdict;
        switch (question->kind) {
        case MANAGE_LIST:
                return list(&scene);
        case MANAGE_ENROL_TOTP:
                return enrol(&scene);
        case MANAGE_REMOVE:
                return *question->factor ? remove_one(&scene) : remove_all(&scene);
        }
        return MANAGE_DENY;
}
