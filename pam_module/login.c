/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/login.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <string.h>

#include "pam_module/conversation.h"
#include "pam_module/device_module.h"
#include "pam_module/factor_device.h"
#include "pam_module/guard.h"
#include "pam_module/policy_share.h"
#include "policy/load.h"

void login_clear(Login *login) {
        account_clear(&login->account);
        policy_unref(login->policy);
        policy_faults_clear(&login->faults);
        store_close(&login->store);
        for (size_t i = 0; i < DEVICE_KINDS; i++) /* at last: WHY may be a text of theirs */
                device_module_close(login->devices[i]);
        *login = (Login){.store = STORE_CLOSED};
}

DEFINE_ENUM_STRINGS(DeviceKind, device_kind, DEVICE_KIND_LIST);

static int because(Login *login, int r, const char *why) {
        login->why = why;
        return r;
}

static bool starts(const char *text, const char *with, const char **ret_rest) {
        size_t length = strlen(with);

        if (strncmp(text, with, length) != 0)
                return false;
        *ret_rest = text + length;
        return true;
}

/* An argument that is not known may have been meant to make things stricter. */
int login_take_arguments(Login *login, int argc, const char **argv) {
        login->options = (LoginOptions){
                .store = STORE_DIRECTORY, .policy = POLICY_PATH, .runtime = GUARD_RUN, .state = STATE_PATH};
        for (int i = 0; i < argc; i++)
                if (strcmp(argv[i], "password=stack") == 0)
                        login->options.password_by_stack = true;
                else if (!starts(argv[i], "dir=", &login->options.store) &&
                         !starts(argv[i], "policy=", &login->options.policy) &&
                         !starts(argv[i], "run=", &login->options.runtime) &&
                         !starts(argv[i], "state=", &login->options.state))
                        return because(login, -EINVAL, "an argument of pam_sekisho.so is not known");
        if (login->options.store[0] != '/' || login->options.policy[0] != '/' ||
            login->options.runtime[0] != '/' || login->options.state[0] != '/')
                return because(login, -EINVAL, "an argument of pam_sekisho.so is no absolute path");
        return 0;
}

static int get_item(Login *login, int item, const char **ret) {
        return pam_get_item(login->pamh, item, (const void **)ret) == PAM_SUCCESS
                       ? 0
                       : because(login, -EIO, "PAM does not tell about the login");
}

int login_take_items(Login *login) {
        int r;

        if (pam_get_user(login->pamh, &login->user, NULL) != PAM_SUCCESS || !login->user || !*login->user) {
                login->user = NULL;
                return because(login, -ENODATA, "nobody has given a name");
        }
        if ((r = get_item(login, PAM_SERVICE, &login->service)) < 0 ||
            (r = get_item(login, PAM_RHOST, &login->rhost)) < 0 ||
            (r = get_item(login, PAM_TTY, &login->terminal)) < 0)
                return r;
        return login->service && *login->service ? 0 : because(login, -ENODATA, "there is no PAM service");
}

static int take_policy(Login *login) {
        PolicyIdentity identity = policy_identity(login->options.policy, login->options.state);
        int r;

        login->policy = policy_share_get(login->pamh, &identity);
        if (login->policy)
                return 0;
        r = policy_load_in_force(login->options.policy, login->options.state, &login->policy, &login->source,
                                 &login->faults);
        /* once in a transaction: the account phase follows, where there is an authentication */
        if ((r == -EBADMSG || (r == 0 && login->source == SOURCE_LAST_GOOD)) && !login->accounting)
                login_record_faults(login);
        if (r < 0)
                return because(login, r,
                               r == -EBADMSG
                                       ? "the policy has faults, or cannot be read, and so the last good one"
                                       : "the policy could not be loaded");
        r = policy_resolve_mfa(login->policy, &policy_resolver_nss);
        if (r < 0)
                return because(login, r, "who is named in the policy could not be looked up");
        /* whoever goes by another one than what is configured is told so by reading it again */
        if (login->source == SOURCE_CONFIGURED)
                r = policy_share_put(login->pamh, &identity, login->policy);
        return r < 0 ? because(login, r, "out of memory") : 0;
}

/* "?" is in no staff number: nobody has an enrolment of that name. */
static int be_nobody(Login *login) {
        login->person[0] = '\0';
        return (size_t)snprintf(login->key, sizeof(login->key), "%s:?", login->account.name) >=
                               sizeof(login->key)
                       ? -ENAMETOOLONG
                       : 0;
}

static int be_person(Login *login, const char *person) {
        int r = store_key(login->account.name, person, login->key);

        if (r < 0)
                return r == -EINVAL ? be_nobody(login) : r;
        memcpy(login->person, person, strlen(person) + 1);
        return 0;
}

/* By the cards of PEOPLE: whose is in a reader. 1, 0 or -errno. */
static int be_owner(Login *login, const CardPeople *people) {
        const DeviceModule *module = NULL;
        char person[PERSON_SIZE];
        int r;

        if (people->n == 0)
                return 0;
        r = device_module(login, DEVICE_CARD, &module);
        if (r == 0 && module)
                r = module->person(people, login->policy->mfa_card.module, person);
        if (r <= 0)
                return r;
        r = be_person(login, person);
        return r < 0 ? r : 1;
}

static int wait_for_owner(Login *login, const CardPeople *people) {
        uint64_t start = 0;
        bool told = false;
        int r;

        do {
                r = be_owner(login, people);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (!told)
                        factor_tell(login, _("Put your card into the reader."));
                told = true;
        } while (factor_look_again(&start, login->policy->mfa_card.wait));
        return be_nobody(login);
}

static int load_cards(Login *login, CardPeople *ret) {
        int r;

        if (!(login->decision.accepted & FACTOR_BIT(FACTOR_CARD)) || factor_is_remote(login))
                return 0;
        r = store_lock(&login->store);
        if (r < 0)
                return r;
        r = card_people_load(&login->store, login->account.name, login->account.subject.uid, ret);
        store_unlock(&login->store);
        return r;
}

static int ask_person(Login *login) {
        CLEANUP_CARD_PEOPLE CardPeople people = {0};
        CLEANUP_SECRET Secret answer = {0};
        int r = load_cards(login, &people);

        if (r == 0)
                r = be_owner(login, &people);
        if (r != 0)
                return r < 0 ? r : 0;
        r = conversation_ask(login->pamh,
                             people.n > 0 ? _("Staff number (or put in your card, and press Enter): ")
                                          : _("Staff number: "),
                             &answer);
        if (r == -ENODATA)
                return people.n > 0 ? wait_for_owner(login, &people) : be_nobody(login);
        if (r < 0)
                return because(login, r, "the conversation with the person failed");
        return be_person(login, answer.text);
}

/* Of a shared account somebody has to say who it is, or a card does. In the account phase it was said
 * before, or the authentication was passed by. */
static int find_person(Login *login) {
        int r = store_is_shared(&login->store, login->account.name);

        if (r < 0)
                return because(login, r, store_error(r));
        login->shared = r > 0;
        if (!login->shared)
                return be_person(login, login->account.name);
        if (login->accounting) {
                LoginState state = login_state_get(login);

                return state.person[0] ? be_person(login, state.person) : be_nobody(login);
        }
        return ask_person(login);
}

static int take_enrolment(Login *login) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        int r;

        if (!enrolment)
                return because(login, -ENOMEM, "out of memory");
        r = store_open(login->options.store, &login->store);
        if (r < 0)
                return because(login, r, store_error(r));
        if (!login->account.known)
                return 0;
        r = find_person(login);
        if (r < 0)
                return login->why ? r : because(login, r, store_error(r));
        r = store_lock(&login->store);
        if (r < 0)
                return because(login, r, store_error(r));
        r = store_load(&login->store, login->key, login->account.subject.uid, enrolment);
        store_unlock(&login->store);
        if (r ==
            -ENOENT) /* of a shared account it is somebody nobody knows, or a slip that is not for records */
                return login->shared ? be_nobody(login) : 0;
        if (r < 0)
                return because(login, r, store_error(r));
        /* fprintd knows fingers of accounts: on a shared one a finger does not say whose it is */
        login->enrolled =
                enrolment_factors(enrolment) & ~(login->shared ? FACTOR_BIT(FACTOR_FINGERPRINT) : 0);
        login->first_seen = enrolment->first_seen;
        login->last_seen = enrolment->last_seen;
        return 0;
}

/* Whether a place could be asked at all, before anything of the person's is read: where nothing is required
 * nothing of it has to be in order. */
static bool needs_enrolment(const Login *login) {
        return login->decision.kinds_needed > 1;
}

int login_prepare(Login *login, int argc, const char **argv) {
        int r;

        if (secret_init() < 0)
                return because(login, -EIO, "libsodium cannot be used");
        if ((r = login_take_arguments(login, argc, argv)) < 0 || (r = login_take_items(login)) < 0)
                return r;
        if ((r = moment_now(&login->now)) < 0 ||
            (r = policy_time_from_wall(login->now.wall, &login->policy_time)) < 0)
                return because(login, r, "there is no clock");
        if ((r = account_look_up(login->user, &login->account)) < 0)
                return because(login, r, "the account could not be looked up");
        if ((r = take_policy(login)) < 0)
                return r;
        login_decide(login);
        return needs_enrolment(login) && login->decision.verdict != MFA_DENY ? take_enrolment(login) : 0;
}

void login_decide(Login *login) {
        MfaQuestion question = {.service = login->service,
                                .subject = login->account.known ? &login->account.subject : NULL,
                                .rhost = login->rhost,
                                .now = login->policy_time,
                                .proven = login->proven,
                                /* there is always somebody who has something: nobody gets in without */
                                .enrolled = login->shared ? FACTORS_ALL : login->enrolled,
                                .first_seen = login->first_seen,
                                .last_seen = login->last_seen};

        decide_mfa(login->policy, &question, &login->decision);
}

void login_ask_guard(Login *login) {
        uint64_t wait = login->policy->mfa_require_guard ? GUARD_WAIT_USEC : GUARD_GLANCE_USEC;

        if (mfa_asks_guard(&login->decision))
                decide_guard(login->policy, guard_presence(login->options.runtime, wait),
                             login->policy_time.expiry_now, &login->decision);
}

static void free_state(pam_handle_t *pamh, void *data, int status) {
        (void)pamh;
        (void)status;
        free(data);
}

int login_state_put(pam_handle_t *pamh, const LoginState *from) {
        LoginState *state = calloc(1, sizeof(*state));

        if (state)
                *state = *from;
        /* without memory the state is emptied all the same: nothing of an earlier try stays */
        if (pam_set_data(pamh, LOGIN_STATE_NAME, state, free_state) != PAM_SUCCESS) {
                free(state);
                return -ENOMEM;
        }
        return state ? 0 : -ENOMEM;
}

int login_state_set(const Login *login, bool allowed) {
        LoginState state = {.allowed = allowed && login->account.known,
                            .proven = login->proven,
                            .uid = login->account.subject.uid,
                            .shared = login->shared};

        memcpy(state.person, login->person, sizeof(state.person));
        memcpy(state.token, login->token, sizeof(state.token));
        return login_state_put(login->pamh, &state);
}

LoginState login_state_get(const Login *login) {
        const LoginState *state = NULL;

        if (pam_get_data(login->pamh, LOGIN_STATE_NAME, (const void **)&state) != PAM_SUCCESS || !state ||
            !login->account.known || state->uid != login->account.subject.uid)
                return (LoginState){0};
        return *state;
}

bool login_state_denied(pam_handle_t *pamh) {
        const LoginState *state = NULL;

        return pam_get_data(pamh, LOGIN_STATE_NAME, (const void **)&state) == PAM_SUCCESS &&
               (!state || !state->allowed);
}
