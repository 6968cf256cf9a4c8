/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/factors.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "pam_module/issue.h"

#define DEFAULT_STATE_DIR "/var/lib/sekisho"

char *factors_directory(const Options *options) {
        const char *state_dir = options->value[OPTION_STATE_DIR];

        return text_format("%s/login", state_dir ? state_dir : DEFAULT_STATE_DIR);
}

/* /proc/self/loginuid survives su and sudo: it is the person, whatever the process is. */
static uid_t person(void) {
        CLEANUP_FILE FILE *file = fopen("/proc/self/loginuid", "re");
        unsigned uid;

        return file && fscanf(file, "%u", &uid) == 1 && uid != (unsigned)-1 ? (uid_t)uid : (uid_t)-1;
}

static int find_issuer(const Options *options, FactorsEdit *edit) {
        uid_t uid = person();
        const struct passwd *entry = uid == (uid_t)-1 ? NULL : getpwuid(uid);
        const char *by = options->value[OPTION_BY] ? options->value[OPTION_BY]
                         : entry                   ? entry->pw_name
                                                   : "root";

        if (!enrolment_is_word(by, sizeof(edit->by) - 1))
                return fail(_("--by needs a name without blanks"));
        if (uid == edit->account.subject.uid)
                return fail(_("another person has to do this for '%s'"), edit->account.name);
        memcpy(edit->by, by, strlen(by) + 1);
        return 0;
}

static int find_person(const Options *options, FactorsEdit *edit) {
        int r;

        edit->person = options->value[OPTION_PERSON] ? options->value[OPTION_PERSON] : edit->account.name;
        r = store_key(edit->account.name, edit->person, edit->key);
        if (r == -EINVAL)
                return fail(_("--person needs a staff number: at most %d letters, digits and .-_"),
                            (int)PERSON_ID_MAX);
        return r < 0 ? fail("%s: %s", edit->account.name, strerror(-r)) : 0;
}

static int open_store(const Options *options, bool create, FactorsEdit *edit) {
        const char *directory = edit->directory = factors_directory(options);
        int r = directory && (edit->enrolment = enrolment_new()) ? 0 : -ENOMEM;

        if (r == 0 && create)
                r = store_create(directory);
        if (r == 0)
                r = store_open(directory, &edit->store);
        if (r == 0)
                r = store_lock(&edit->store);
        if (r < 0)
                return fail("%s: %s", directory ? directory : "", store_error(r));
        return 0;
}

typedef enum Purpose {
        TO_READ,
        TO_EDIT,
        TO_CREATE,
        TO_BEGIN_ANEW,
} Purpose;

static int load(FactorsEdit *edit, Purpose purpose) {
        int r = purpose == TO_BEGIN_ANEW
                        ? store_begin_anew(&edit->store, edit->key, edit->enrolment)
                        : store_load(&edit->store, edit->key, edit->account.subject.uid, edit->enrolment);

        if (r == 0)
                return 0;
        if (r != -ENOENT)
                return fail(_("%s: %s; 'sekishoctl unenrol' begins anew"), edit->account.name,
                            store_error(r));
        edit->enrolment->uid = edit->account.subject.uid;
        return 0;
}

static int open_for(const Options *options, Purpose purpose, FactorsEdit *ret) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};
        int r;

        if (geteuid() != 0)
                return fail(_("only root may do this"));
        if (secret_init() < 0)
                return fail(_("libsodium cannot be used"));
        r = account_look_up(options->arguments[0], &edit.account);
        if (r < 0)
                return fail("%s: %s", options->arguments[0], strerror(-r));
        if (!edit.account.known)
                return fail(_("no such user: '%s'"), options->arguments[0]);
        if (find_person(options, &edit) != 0)
                return 2;
        if (purpose != TO_READ && find_issuer(options, &edit) != 0)
                return 2;
        if (open_store(options, purpose == TO_CREATE, &edit) != 0 || load(&edit, purpose) != 0)
                return 2;
        edit.enrolment->uid = edit.account.subject.uid;
        *ret = edit;
        edit = (FactorsEdit){.store = STORE_CLOSED};
        return 0;
}

int factors_open(const Options *options, bool create, FactorsEdit *ret) {
        return open_for(options, create ? TO_CREATE : TO_EDIT, ret);
}

int factors_open_anew(const Options *options, FactorsEdit *ret) {
        return open_for(options, TO_BEGIN_ANEW, ret);
}

int factors_open_to_read(const Options *options, FactorsEdit *ret) {
        return open_for(options, TO_READ, ret);
}

static void record(const FactorsEdit *edit, EventKind kind, Factor factor, time_t until) {
        char time[TIMESPEC_TEXT_MAX];

        issue_record(&(IssueRecord){
                .kind = kind,
                .program = "sekishoctl",
                .store = edit->directory,
                .account = edit->account.name,
                .person = edit->person,
                .key = edit->key,
                .by = edit->by,
                .uid = edit->account.subject.uid,
                .factor = factor,
                .expires = until > 0 ? timespec_for_person((uint64_t)until * USEC_PER_SEC, time) : NULL});
}

int factors_save(FactorsEdit *edit, EventKind kind, Factor factor, time_t until) {
        int r = store_save(&edit->store, edit->key, edit->enrolment);

        if (r < 0)
                return fail("%s: %s", edit->account.name, store_error(r));
        record(edit, kind, factor, until);
        return 0;
}

void factors_close(FactorsEdit *edit) {
        account_clear(&edit->account);
        store_close(&edit->store);
        free(edit->directory);
        enrolment_free(edit->enrolment);
        *edit = (FactorsEdit){.store = STORE_CLOSED};
}
