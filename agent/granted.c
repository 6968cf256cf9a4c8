/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked about exceptions on the bus, once polkit has let whoever asks. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "agent/gate/opener.h"
#include "policy/challenge.h"
#include "policy/decide.h"
#include "policy/scope.h"

#define USEC_PER_MINUTE UINT64_C(60000000)

enum {
        MINUTE = 60,
        PASSWD_MAX = 16384,
        KEY_TEXT_MAX = 2 * CHALLENGE_KEY_BYTES + 2,
        WRONG_MAX = 5 /* codes for one challenge */
};

/* people */

static void set_number(char name[static GRANT_NAME_MAX], uid_t uid) {
        (void)snprintf(name, GRANT_NAME_MAX, "%u", (unsigned)uid);
}

static void set_name(char name[static GRANT_NAME_MAX], uid_t uid) {
        CLEANUP_FREE char *buffer = malloc(PASSWD_MAX);
        struct passwd entry, *found = NULL;
        char fits[PERMIT_TEXT_MAX + 1];

        if (buffer && getpwuid_r(uid, &entry, buffer, PASSWD_MAX, &found) == 0 && found &&
            permit_set(fits, found->pw_name) == 0)
                (void)snprintf(name, GRANT_NAME_MAX, "%s", fits);
}

static bool find_user(const char *name, uid_t *ret) {
        CLEANUP_FREE char *buffer = malloc(PASSWD_MAX);
        struct passwd entry, *found = NULL;

        if (!buffer || getpwnam_r(name, &entry, buffer, PASSWD_MAX, &found) != 0 || !found)
                return false;
        *ret = found->pw_uid;
        return true;
}

/* Who sits there: who logged in, whatever root's or another account's the process is. Root without a login
 * could be anybody. Anybody may ask for an own one: then no other name is looked up. In a thread, with
 * nothing of the agent's. */
static void look_up(const GrantQuestion *question, bool names, GrantPeople *ret) {
        TtyUser by;
        uint32_t session = opener_session(question->pid);
        /* by number: one of another account than connected is another process by now, or tells nothing */
        bool read = tty_user_read(question->pid, &by) >= 0 && by.uid == question->uid,
             logged_in = read && by.loginuid != (uid_t)-1;

        *ret = (GrantPeople){.asker = logged_in ? by.loginuid : question->uid,
                             .is_known = logged_in || (read && question->uid != 0),
                             .session = read ? session : 0};
        set_number(ret->asker_name, ret->asker);
        set_number(ret->own_name, question->uid);
        if (!names)
                return;
        set_name(ret->asker_name, ret->asker);
        if (question->method == GRANT_REQUEST && question->uid != 0)
                set_name(ret->own_name, question->uid);
        else if (question->method == GRANT_REQUEST || question->method == GRANT_GIVE)
                ret->user_found = find_user(grant_argument(question, "user"), &ret->user);
}

static void set_asker(char field[static PERMIT_TEXT_MAX + 1], const GrantQuestion *question) {
        (void)permit_set(field, question->people.asker_name);
}

/* The person that PERMIT names. */
static GrantRefusal set_user(const GrantQuestion *question, Permit *permit) {
        if (question->method == GRANT_REQUEST && question->uid != 0) {
                if (strcmp(permit->user, question->people.own_name) != 0)
                        return GRANT_NOT_YOURS;
                permit->uid = question->uid;
        } else if (question->people.user_found)
                permit->uid = question->people.user;
        else
                return GRANT_NO_SUCH_USER;
        return GRANT_TAKEN;
}

/* what a permit says */

static bool may_be(const char *a, const char *b) {
        return !a[0] || !b[0] || strcasecmp(a, b) == 0;
}

/* Whether both cover some medium: what one does not give may be anything. */
static bool may_be_same_medium(const Permit *a, const Permit *b) {
        return strcmp(a->serial, b->serial) == 0 && may_be(a->vendor, b->vendor) &&
               may_be(a->product, b->product) && strcmp(a->bus, b->bus) == 0;
}

/* Whether PERMIT may begin now, as things stand. */
static GrantRefusal check_standing(const Agent *agent, const Permit *permit) {
        const Policy *policy = agent->store.policy->base ? agent->store.policy->base : agent->store.policy;
        int bus = device_bus_from_string(permit->bus);
        const DeviceIdentity device = {.vendor = permit->vendor[0] ? (char *)permit->vendor : NULL,
                                       .product = permit->product[0] ? (char *)permit->product : NULL,
                                       .serial = (char *)permit->serial,
                                       .bus = bus < 0 ? DEVICE_BUS_UNKNOWN : (DeviceBus)bus,
                                       .hotplug = true};
        PolicyTime now;
        Decision decision;

        if (agent->granting.error < 0)
                return GRANT_BOOK_UNREADABLE;
        if (!policy->grants.allowed || !agent->granting.boot[0])
                return GRANT_NOT_ALLOWED;
        if (agent_is_locked_down(agent))
                return GRANT_IN_LOCKDOWN;
        if (agent_is_monitor(agent))
                return GRANT_WATCHES_ONLY;
        if (policy_holds_conditions(agent->store.policy))
                return GRANT_NEEDS_LSM;
        if (permit->minutes >
            (policy->grants.minutes_max ? policy->grants.minutes_max : GRANTS_MINUTES_DEFAULT))
                return GRANT_TOO_LONG;
        if (clock_policy_time(&agent->clock, &now) < 0)
                return GRANT_NOT_ALLOWED;
        decide_device(policy, &device, &now, &decision);
        if (decision.access == ACCESS_WRITE && !decision.conditional)
                return GRANT_APPROVED_ALREADY;
        for (size_t i = 0; i < agent->granting.book.n; i++)
                if (agent->granting.book.permits[i].state == PERMIT_RUNNING &&
                    may_be_same_medium(&agent->granting.book.permits[i], permit))
                        return GRANT_MEDIUM_TAKEN;
        return GRANT_TAKEN;
}

static bool parse_number(const char *text, int64_t max, int64_t *ret) {
        char *end;
        long long value;

        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        value = strtoll(text, &end, 10);
        if (errno != 0 || *end || value <= 0 || value > max)
                return false;
        *ret = value;
        return true;
}

/* The person, the medium, the time and what for, as QUESTION gives them. */
static GrantRefusal read_permit(const GrantQuestion *question, Permit *permit) {
        const struct {
                const char *name;
                char *field;
        } texts[] = {
                {"user", permit->user},       {"vendor", permit->vendor},
                {"product", permit->product}, {"serial", permit->serial},
                {"bus", permit->bus},         {"device", permit->device},
                {"reason", permit->reason},   {"data-class", permit->data_class},
                {"carrier", permit->carrier}, {"purpose", permit->purpose},
        };
        GrantRefusal refusal;

        for (size_t i = 0; i < ELEMENTS(texts); i++)
                if (permit_set(texts[i].field, grant_argument(question, texts[i].name)) < 0)
                        return GRANT_BAD_ARGUMENTS;
        if (!maintenance_reason_is_good(permit->reason) || device_bus_from_string(permit->bus) < 0)
                return GRANT_BAD_ARGUMENTS;
        if (!parse_number(grant_argument(question, "minutes"), INT32_MAX, &permit->minutes))
                return GRANT_BAD_ARGUMENTS;
        if (!permit->serial[0])
                return GRANT_NO_SERIAL;
        refusal = set_user(question, permit);
        return refusal == GRANT_TAKEN && permit->minutes > GRANTS_MINUTES_MAX ? GRANT_TOO_LONG : refusal;
}

/* DRAFT as a permit of the book, asked for by whoever asks. */
static GrantRefusal enter(Agent *agent, const GrantQuestion *question, const Permit *draft, Permit **ret) {
        HolderSessions sessions;
        PolicyTime now;
        Permit *permit;
        uint32_t id;

        if (clock_policy_time(&agent->clock, &now) < 0 || book_add(&agent->granting.book, &permit) < 0)
                return GRANT_BOOK_FULL;
        id = permit->id;
        *permit = *draft;
        permit->id = id;
        permit->approver_uid = -1;
        permit->requester_uid = question->people.asker;
        set_asker(permit->requester, question);
        permit->asked = now.expiry_now;
        (void)permit_set(permit->boot, agent->granting.boot);
        agent_find_holders(agent, (uid_t)permit->uid, &sessions);
        holder_ask(permit, &sessions, question->people.session);
        *ret = permit;
        return GRANT_TAKEN;
}

/* It runs from now on; nothing is written or judged yet. */
static GrantRefusal begin(Agent *agent, Permit *permit) {
        HolderSessions sessions;
        PolicyTime now;

        agent_find_holders(agent, (uid_t)permit->uid, &sessions);
        if (!holder_begin(permit, &sessions))
                return GRANT_SESSION_UNKNOWN;
        agent_holders_note_media(agent, permit);
        if (clock_policy_time(&agent->clock, &now) < 0)
                return GRANT_NOT_ALLOWED;
        permit->state = PERMIT_RUNNING;
        permit->begun = time(NULL);
        permit->until = now.expiry_now + permit->minutes * MINUTE;
        permit->boot_until = (int64_t)(clock_boottime_usec() + (uint64_t)permit->minutes * USEC_PER_MINUTE);
        return GRANT_TAKEN;
}

/* On disk first: what is not on record does not run. BEFORE is what it was, NULL if it is new (and the
 * last). */
static GrantRefusal settle(Agent *agent, Permit *permit, const Permit *before) {
        if (agent_write_book(agent) < 0) {
                if (before)
                        *permit = *before;
                else
                        agent->granting.book.n--;
                return GRANT_NOT_WRITTEN;
        }
        if (permit->state == PERMIT_RUNNING) {
                agent_tell_grant(agent, EVENT_GRANT_BEGUN, permit, NULL);
                agent_judge_again(agent);
        }
        return GRANT_TAKEN;
}

/* by administrators */

static GrantRefusal give(Agent *agent, const GrantQuestion *question, Permit **ret, Permit *draft) {
        GrantRefusal refusal = read_permit(question, draft);
        bool known = question->people.is_known;

        if (refusal == GRANT_TAKEN)
                refusal = check_standing(agent, draft);
        if (refusal == GRANT_TAKEN && !known && !agent->store.policy->grants.one_person)
                refusal = GRANT_NO_LOGIN;
        if (refusal == GRANT_TAKEN)
                refusal = enter(agent, question, draft, ret);
        if (refusal != GRANT_TAKEN)
                return refusal;
        (*ret)->state = PERMIT_ASKED;
        if (agent->store.policy->grants.one_person)
                refusal = begin(agent, *ret);
        if (refusal != GRANT_TAKEN) {
                agent->granting.book.n--; /* it is the last */
                *ret = NULL;
                return refusal;
        }
        return settle(agent, *ret, NULL);
}

/* The permit that QUESTION names. */
static Permit *find(const Agent *agent, const GrantQuestion *question) {
        int64_t id;

        return parse_number(grant_argument(question, "id"), UINT32_MAX, &id)
                       ? book_find(&agent->granting.book, (uint32_t)id)
                       : NULL;
}

static GrantRefusal approve(Agent *agent, const GrantQuestion *question, Permit *permit) {
        const Permit before = *permit;
        bool known = question->people.is_known;
        uid_t person = question->people.asker;
        GrantRefusal refusal;

        if (permit->state != PERMIT_ASKED)
                return GRANT_OTHER_STATE;
        if (!known)
                return GRANT_NO_LOGIN;
        if (person == permit->requester_uid || person == permit->uid)
                return GRANT_SAME_PERSON;
        refusal = check_standing(agent, permit);
        if (refusal == GRANT_TAKEN)
                refusal = begin(agent, permit);
        if (refusal != GRANT_TAKEN) {
                *permit = before;
                return refusal;
        }
        permit->approver_uid = person;
        set_asker(permit->approver, question);
        return settle(agent, permit, &before);
}

static GrantRefusal take_back(Agent *agent, Permit *permit) {
        int r;

        if (permit->state != PERMIT_RUNNING && permit->state != PERMIT_ASKED &&
            permit->state != PERMIT_CHALLENGED)
                return GRANT_OTHER_STATE;
        agent_end_permit(agent, permit, "revoked");
        r = agent_write_book(agent); /* it is over all the same, until the agent starts anew */
        agent_judge_again(agent);
        return r < 0 ? GRANT_NOT_WRITTEN : GRANT_TAKEN;
}

static GrantRefusal close_permit(Agent *agent, const GrantQuestion *question, Permit *permit) {
        const char *outcome = grant_argument(question, "outcome");
        const Permit before = *permit;

        if (strcmp(outcome, "returned") != 0 && strcmp(outcome, "erased") != 0)
                return GRANT_BAD_ARGUMENTS;
        if (permit->state != PERMIT_ENDED)
                return GRANT_OTHER_STATE;
        permit->state = PERMIT_CLOSED;
        permit->closed = time(NULL);
        (void)permit_set(permit->outcome, outcome);
        set_asker(permit->closer, question);
        if (settle(agent, permit, &before) != GRANT_TAKEN)
                return GRANT_NOT_WRITTEN;
        agent_tell_grant(agent, EVENT_GRANT_ENDED, permit, outcome);
        return GRANT_TAKEN;
}

/* by telephone */

static bool read_key(const Agent *agent, uint8_t key[static CHALLENGE_KEY_BYTES]) {
        const char *path = agent->store.policy->grants.answer_key;
        char text[KEY_TEXT_MAX];
        CLEANUP_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
        struct stat st;
        ssize_t n;
        bool good;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
            (st.st_mode & (S_IRWXG | S_IRWXO)))
                return false;
        n = read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        good = challenge_key_parse(text, key) == 0;
        explicit_bzero(text, sizeof(text));
        return good && agent->granting.terminal[0];
}

/* Whether no code is taken yet, because too many were wrong. */
static bool has_to_wait(Agent *agent) {
        const MfaLimits *limits = &agent->store.policy->mfa_limits;
        Book *book = &agent->granting.book;
        int64_t over = book->wrong - (int64_t)limits->tries;
        uint64_t wait = limits->wait;
        PolicyTime now;

        if (over < 0)
                return false;
        if (clock_policy_time(&agent->clock, &now) < 0)
                return true;
        if (book->wrong_at > now.expiry_now) /* the clock was set back: from now on, then */
                book->wrong_at = now.expiry_now;
        for (; over > 0 && wait < limits->wait_max; over--)
                wait *= 2;
        if (wait > limits->wait_max)
                wait = limits->wait_max;
        return now.expiry_now - book->wrong_at < (int64_t)wait;
}

static GrantRefusal request(Agent *agent, const GrantQuestion *question, Permit **ret, Permit *draft) {
        uint8_t key[CHALLENGE_KEY_BYTES];
        GrantRefusal refusal = read_permit(question, draft);
        Challenge challenge;

        if (refusal == GRANT_TAKEN)
                refusal = check_standing(agent, draft);
        if (refusal == GRANT_TAKEN && has_to_wait(agent))
                refusal = GRANT_WAIT;
        if (refusal == GRANT_TAKEN && !read_key(agent, key))
                refusal = GRANT_NO_KEY;
        explicit_bzero(key, sizeof(key));
        if (refusal != GRANT_TAKEN)
                return refusal;
        for (size_t i = 0; i < agent->granting.book.n; i++)
                if (agent->granting.book.permits[i].state == PERMIT_CHALLENGED &&
                    agent->granting.book.permits[i].uid == draft->uid)
                        agent_end_permit(agent, &agent->granting.book.permits[i], "asked-again");
        refusal = enter(agent, question, draft, ret);
        if (refusal != GRANT_TAKEN)
                return refusal;
        challenge = (Challenge){
                .terminal = challenge_terminal(agent->granting.terminal),
                .object = challenge_object((*ret)->vendor, (*ret)->product, (*ret)->serial, (*ret)->user),
                .minutes = (uint16_t)(*ret)->minutes};
        randombytes_buf(&challenge.random, sizeof(challenge.random));
        challenge_text(&challenge, (*ret)->challenge);
        (*ret)->state = PERMIT_CHALLENGED;
        return settle(agent, *ret, NULL);
}

/* One code against one permit: 0, or as challenge_check(). */
static int try_code(const uint8_t *key, const Permit *permit, const char *code) {
        Challenge challenge;
        int r = challenge_parse(permit->challenge, &challenge);

        return r < 0 ? -EACCES : challenge_check(key, &challenge, code);
}

static GrantRefusal count_wrong(Agent *agent, const GrantQuestion *question) {
        Book *book = &agent->granting.book;
        PolicyTime now;

        book->wrong++;
        book->wrong_at = clock_policy_time(&agent->clock, &now) < 0 ? time(NULL) : now.expiry_now;
        for (size_t i = 0; i < book->n; i++) {
                Permit *permit = &book->permits[i];

                if (permit->state != PERMIT_CHALLENGED ||
                    (question->uid != 0 && permit->uid != question->uid))
                        continue;
                permit->wrong++;
                if (permit->wrong >= WRONG_MAX)
                        agent_end_permit(agent, permit, "wrong-codes");
        }
        return agent_write_book(agent) < 0 ? GRANT_NOT_WRITTEN : GRANT_WRONG_CODE;
}

static GrantRefusal redeem(Agent *agent, const GrantQuestion *question, Permit **ret) {
        const char *code = grant_argument(question, "code");
        uint8_t key[CHALLENGE_KEY_BYTES];
        Book *book = &agent->granting.book;
        GrantRefusal refusal;
        Permit before;
        int r = -ENOENT;

        if (has_to_wait(agent))
                return GRANT_WAIT;
        if (!read_key(agent, key))
                return GRANT_NO_KEY;
        for (size_t i = 0; i < book->n && r != 0 && r != -EINVAL && r != -EBADMSG; i++) {
                Permit *permit = &book->permits[i];

                if (permit->state != PERMIT_CHALLENGED ||
                    (question->uid != 0 && permit->uid != question->uid))
                        continue;
                r = try_code(key, permit, code);
                if (r == 0)
                        *ret = permit;
        }
        explicit_bzero(key, sizeof(key));
        if (r == -ENOENT)
                return GRANT_OTHER_STATE;
        if (r == -EINVAL || r == -EBADMSG)
                return GRANT_MISHEARD;
        if (r < 0 || !*ret)
                return count_wrong(agent, question);
        before = **ret;
        refusal = check_standing(agent, *ret);
        if (refusal == GRANT_TAKEN)
                refusal = begin(agent, *ret);
        if (refusal != GRANT_TAKEN) {
                **ret = before;
                return refusal;
        }
        (void)permit_set((*ret)->approver, "helpdesk");
        book->wrong = 0;
        return settle(agent, *ret, &before);
}

/* all of it */

static GrantRefusal go_by_method(Agent *agent, const GrantQuestion *question, Permit **permit,
                                 Permit *draft) {
        switch (question->method) {
        case GRANT_GIVE:
                return give(agent, question, permit, draft);
        case GRANT_REQUEST:
                return request(agent, question, permit, draft);
        case GRANT_REDEEM:
                return redeem(agent, question, permit);
        case GRANT_APPROVE:
        case GRANT_REVOKE:
        case GRANT_CLOSE:
        case GRANT_LIST:
                break;
        }
        *permit = find(agent, question);
        if (!*permit)
                return GRANT_NO_SUCH_GRANT;
        *draft = **permit;
        switch (question->method) {
        case GRANT_APPROVE:
                return approve(agent, question, *permit);
        case GRANT_REVOKE:
                return take_back(agent, *permit);
        case GRANT_CLOSE:
                return close_permit(agent, question, *permit);
        case GRANT_GIVE:
        case GRANT_REQUEST:
        case GRANT_REDEEM:
        case GRANT_LIST:
                break;
        }
        return GRANT_BAD_ARGUMENTS;
}

/* What was written under those that ended may not all have been counted then. */
static void count_writes(Agent *agent) {
        Granting *granting = &agent->granting;
        bool late = false;

        for (size_t i = 0; granting->writes && i < granting->book.n; i++) {
                Permit *permit = &granting->book.permits[i];
                int64_t count;

                if (permit->state != PERMIT_RUNNING &&
                    (permit->state != PERMIT_ENDED || strcmp(permit->boot, granting->boot) != 0))
                        continue;
                count = (int64_t)writes_count(granting->writes, permit->id);
                if (count <= permit->writes)
                        continue;
                permit->writes = count;
                late = late || permit->state == PERMIT_ENDED;
        }
        if (late)
                (void)agent_write_book(agent); /* what failed was told */
}

static GrantRefusal ask(void *userdata, const GrantQuestion *question, char **ret) {
        Agent *agent = userdata;
        Permit *permit = NULL, draft = {.approver_uid = -1};
        Policy *old;
        GrantRefusal refusal;

        if (agent->granting.error < 0)
                return GRANT_BOOK_UNREADABLE;
        old = agent_refresh_grants(agent); /* what has waited for too long is over */
        if (old) {
                agent_judge_again(agent);
                policy_unref(old);
        }
        if (question->method == GRANT_LIST) {
                count_writes(agent);
                *ret = book_text(&agent->granting.book);
                return GRANT_TAKEN;
        }
        refusal = go_by_method(agent, question, &permit, &draft);
        if (refusal == GRANT_TAKEN)
                *ret = permit_text(permit);
        else {
                if (!draft.requester[0])
                        set_asker(draft.requester, question);
                agent_tell_grant(agent, EVENT_GRANT_REFUSED, permit ? permit : &draft,
                                 grant_refusal_to_string(refusal));
        }
        return refusal;
}

BusGrantsCallbacks agent_grants_callbacks(Agent *agent) {
        return (BusGrantsCallbacks){.look_up = look_up, .ask = ask, .userdata = agent};
}
