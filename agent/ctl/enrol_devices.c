/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security keys and fingerprints for people. The store is not locked while a person is waited for: others
 * log in meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "agent/ctl/command.h"
#include "agent/ctl/enrol_devices.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/text.h"
#include "pam_module/fido2.h"
#include "pam_module/fingerprint.h"

enum {
        LINE_SIZE = 128,
        USEC = 1000000
};

int enrol_policy(const Options *options, Policy **ret) {
        const char *path =
                options->value[OPTION_POLICY] ? options->value[OPTION_POLICY] : DEFAULT_POLICY_PATH;
        PolicyFaults faults = {0};
        int r = policy_load(path, ret, &faults);

        policy_faults_clear(&faults);
        return r < 0 ? fail(_("%s: the policy cannot be used"), path) : 0;
}

int enrol_word(const Options *options, Option option, const char *name, const char *initial, char *ret,
               size_t size) {
        const char *text = options->value[option] ? options->value[option] : initial;

        if (*text && (!enrolment_is_word(text, size - 1) || strcmp(text, "-") == 0))
                return fail(_("--%s needs letters and digits of ASCII without blanks, at most %zu"), name,
                            size - 1);
        (void)snprintf(ret, size, "%s", text);
        return 0;
}

/* What the person is to do now: not among the answer for programs. */
static void say(const Options *options, const char *text) {
        if (options->value[OPTION_JSON])
                return;
        fputs(text, stdout);
        fflush(stdout);
}

void enrol_say(const Options *options, const char *text) {
        say(options, text);
        say(options, "\n");
}

int enrol_read_secret(const Options *options, const char *prompt, Secret *ret) {
        struct termios before, silent;
        bool typed = tcgetattr(STDIN_FILENO, &before) == 0;
        char line[LINE_SIZE];
        int r = -ENODATA;

        say(options, prompt);
        if (typed) {
                silent = before;
                silent.c_lflag &= ~(tcflag_t)ECHO;
                if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0)
                        return -errno;
        }
        setvbuf(stdin, NULL, _IONBF, 0); /* so that nothing stays in a buffer */
        if (fgets(line, sizeof(line), stdin)) {
                line[strcspn(line, "\r\n")] = '\0';
                r = *line ? secret_from(line, strlen(line), ret) : -ENODATA;
        }
        explicit_bzero(line, sizeof(line));
        if (typed) {
                (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
                enrol_say(options, "");
        }
        return r;
}

static const char *error_text(int r) {
        switch (-r) {
        case ENODEV:
                return _("no security key is plugged in");
        case ENOTUNIQ:
                return _("more than one security key is plugged in");
        case EKEYREJECTED:
                return _("that is not its PIN, or it does not say who its owner is");
        case EACCES:
                return _("it is blocked after too many wrong PINs; it has to be reset");
        case EBUSY:
                return _("it takes no PIN before it was pulled out");
        case ENOENT:
                return _("it has no PIN; set one first, with fido2-token -S");
        case EEXIST:
                return _("it is enrolled for this person already");
        case EPERM:
                return _("it is not of a maker that the policy names in mfa.fido2.attestation");
        case EINVAL:
                return _("the certificates of mfa.fido2.attestation cannot be read");
        case ETIMEDOUT:
                return _("it was not touched in time");
        default:
                return strerror(-r);
        }
}

/* Makes a credential, and has it sign once: what is enrolled works. 0 or -errno. */
static int make_key(const Options *options, const MfaFido2 *policy, const FactorsEdit *edit, Fido2Key *ret) {
        bool verify = policy->verification != USER_VERIFICATION_PREFERRED;
        CLEANUP_FIDO2 Fido2Device device = {0};
        CLEANUP_SECRET Secret pin = {0};
        Fido2Assertion assertion;
        Fido2Key key;
        int r = fido2_find_new(fido2_clock() + (uint64_t)policy->timeout * 1000, &device);

        if (r < 0)
                return r;
        if (!device.has_uv && !device.has_pin && verify)
                return -ENOENT;
        if (!device.has_uv && device.has_pin &&
            (r = enrol_read_secret(options, _("PIN of the security key: "), &pin)) < 0)
                return r == -ENODATA ? -EKEYREJECTED : r;
        enrol_say(options, _("Touch the security key, and once more when it asks again."));
        r = fido2_create(&device, policy, edit->account.name, edit->enrolment->fido2, FIDO2_KEYS_MAX,
                         pin.text, &key);
        if (r == 0)
                r = fido2_sign(&device, &key, pin.text, device.has_uv,
                               fido2_clock() + (uint64_t)policy->timeout * 1000, &assertion);
        if (r == 0)
                r = fido2_check(&key, policy->verification, &assertion, &key.counter);
        if (r == 0)
                *ret = key;
        return r;
}

static int add_key(Enrolment *enrolment, const Fido2Key *key) {
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                if (enrolment->fido2[i].length == 0) {
                        enrolment->fido2[i] = *key;
                        return 0;
                }
        return fail(_("there are %d security keys already; take them away first with sekishoctl unenrol"),
                    FIDO2_KEYS_MAX);
}

static int tell_enrolled(const Options *options, const FactorsEdit *edit, Factor factor) {
        CLEANUP_JSON struct json_object *object = NULL;

        if (!options->value[OPTION_JSON]) {
                printf(_("%s is enrolled for %s."), factor_to_string(factor), edit->account.name);
                putchar('\n');
                return EXIT_YES;
        }
        object = json_object_new_object();
        json_put_text(object, "user", edit->account.name);
        json_put_text(object, "factor", factor_to_string(factor));
        return json_print(object, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
}

int enrol_save(const Options *options, FactorsEdit *edit, Factor factor) {
        memset(&edit->enrolment->failures[factor], 0, sizeof(Failures));
        if (factors_save(edit, EVENT_FACTOR_ENROLLED, factor, 0) != 0)
                return EXIT_TROUBLE;
        return tell_enrolled(options, edit, factor);
}

int command_enrol_fido2(const Options *options) {
        CLEANUP_FACTORS FactorsEdit before = {.store = STORE_CLOSED}, edit = {.store = STORE_CLOSED};
        CLEANUP_POLICY Policy *policy = NULL;
        Fido2Key key;
        char person[PERSON_SIZE], label[LABEL_SIZE];
        int r;

        if (enrol_word(options, OPTION_PERSON, "person", "", person, sizeof(person)) != 0 ||
            enrol_word(options, OPTION_LABEL, "label", "key", label, sizeof(label)) != 0 ||
            enrol_policy(options, &policy) != 0 || factors_open(options, true, &before) != 0)
                return EXIT_TROUBLE;
        store_close(&before.store);
        fido2_init();
        r = make_key(options, &policy->mfa_fido2, &before, &key);
        if (r < 0)
                return fail(_("%s; nothing was enrolled"), error_text(r));
        memcpy(key.person, person, sizeof(key.person));
        memcpy(key.label, label, sizeof(key.label));
        if (factors_open(options, true, &edit) != 0 || add_key(edit.enrolment, &key) != 0)
                return EXIT_TROUBLE;
        return enrol_save(options, &edit, FACTOR_FIDO2);
}

static void tell_again(void *userdata) {
        enrol_say(userdata, _("Put the finger on the reader once more."));
}

static const char *finger_error_text(int r) {
        switch (-r) {
        case ENODEV:
                return _("there is no fprintd, or no reader");
        case ENOKEY:
                return _("fprintd has no finger of this person; run fprintd-enroll first");
        case EKEYREJECTED:
                return _("that is not the finger");
        case EBUSY:
                return _("the reader is in use");
        case EPERM:
                return _("who answers for fprintd is not root");
        case ETIMEDOUT:
                return _("no finger was put on the reader in time");
        default:
                return strerror(-r);
        }
}

/* Which fingers fprintd has, once one of them was put on the reader. 0 or -errno. */
static int take_fingers(const Options *options, const FactorsEdit *edit, unsigned timeout, char *ret) {
        CLEANUP_FINGERPRINT Fingerprint fingerprint = {0};
        int r = fingerprint_open(edit->account.name, (uint64_t)timeout * USEC, &fingerprint);

        if (r < 0)
                return r;
        enrol_say(options, _("Have the person put the finger on the reader."));
        r = fingerprint_verify(&fingerprint, (uint64_t)timeout * USEC, tell_again, (void *)options);
        memcpy(ret, fingerprint.fingers, FINGERS_SIZE);
        return r;
}

int command_enrol_fingerprint(const Options *options) {
        CLEANUP_FACTORS FactorsEdit before = {.store = STORE_CLOSED}, edit = {.store = STORE_CLOSED};
        CLEANUP_POLICY Policy *policy = NULL;
        FingerprintEnrolment enrolled = {.enrolled = true};
        int r;

        if (enrol_policy(options, &policy) != 0 || factors_open(options, true, &before) != 0)
                return EXIT_TROUBLE;
        store_close(&before.store);
        r = take_fingers(options, &before, policy->mfa_fingerprint_timeout, enrolled.fingers);
        if (r < 0)
                return fail(_("%s; nothing was enrolled"), finger_error_text(r));
        if (factors_open(options, true, &edit) != 0)
                return EXIT_TROUBLE;
        edit.enrolment->fingerprint = enrolled;
        return enrol_save(options, &edit, FACTOR_FINGERPRINT);
}
