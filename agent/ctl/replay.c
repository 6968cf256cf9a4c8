/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/timespec.h"
#include "agent/mount/classify.h"
#include "policy/decide.h"
#include "policy/decide_interface.h"
#include "policy/decide_mfa.h"
#include "policy/decide_network.h"
#include "policy/monitor.h"
#include "policy/scope.h"

enum {
        WAYS_MAX = 16,
        LONG_AGO = 1 /* seconds since the epoch */
};

/* One way in which what the record leaves open may have been. */
typedef struct Way {
        bool luks2, in_groups, enrolled, late, absent;
} Way;

typedef struct Asked {
        const Policy *draft;
        const EventRecord *record;
        PolicyTime now;
        DeviceIdentity device; /* borrowed strings */
        bool has_device, known_person;
        Subject subject;
        gid_t *groups, *all_groups;
        size_t n_all_groups;
} Asked;

/* What came out of one way. */
typedef struct Answer {
        const char *word, *rule, *reason;
        bool monitor;
} Answer;

static void asked_clear(Asked *asked) {
        free(asked->groups);
        free(asked->all_groups);
}

static const char *get(const Asked *asked, const char *field) {
        return event_record_get(asked->record, field);
}

/* Every group that the draft names. */
static int collect_groups(Asked *asked, const RuleScope *scope) {
        gid_t *grown;

        if (scope->n_gids == 0)
                return 0;
        grown = reallocarray(asked->all_groups, asked->n_all_groups + scope->n_gids, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        asked->all_groups = grown;
        memcpy(grown + asked->n_all_groups, scope->gids, scope->n_gids * sizeof(*grown));
        asked->n_all_groups += scope->n_gids;
        return 0;
}

static int collect_all_groups(Asked *asked) {
        const Policy *draft = asked->draft;
        int r = 0;

        for (size_t i = 0; r == 0 && i < draft->n_devices; i++)
                r = collect_groups(asked, &draft->devices[i].scope);
        for (size_t i = 0; r == 0 && i < draft->n_filesystems; i++)
                r = collect_groups(asked, &draft->filesystems[i].scope);
        for (size_t i = 0; r == 0 && i < draft->n_network; i++)
                r = collect_groups(asked, &draft->network[i].scope);
        for (size_t i = 0; r == 0 && i < draft->n_mfa_rules; i++)
                r = collect_groups(asked, &draft->mfa_rules[i].scope);
        return r;
}

/* Strings are borrowed from the record. */
static char *lend(const char *text) {
        return (char *)text;
}

static void find_device(Asked *asked) {
        const char *bus = get(asked, FIELD_DEVICE_BUS), *reason = get(asked, FIELD_REASON);
        int value = bus ? device_bus_from_string(bus) : -1;

        asked->has_device = value >= 0;
        if (!asked->has_device)
                return;
        /* a record is about what lies outside the terminal, unless it says otherwise */
        asked->device = (DeviceIdentity){
                .bus = (DeviceBus)value,
                .name = lend(get(asked, FIELD_DEVICE)),
                .vendor = lend(get(asked, FIELD_DEVICE_VENDOR)),
                .product = lend(get(asked, FIELD_DEVICE_PRODUCT)),
                .serial = lend(get(asked, FIELD_DEVICE_SERIAL)),
                .marked_external = !reason || strcmp(reason, reason_to_string(REASON_INTERNAL)) != 0};
}

static int find_person(Asked *asked, ReplayPerson person, void *userdata) {
        const char *uid = get(asked, FIELD_UID);
        int r = uid ? person(userdata, uid, &asked->subject, &asked->groups) : -ENOENT;

        asked->known_person = r == 0;
        if (r != -ENOENT || !uid)
                return r == -ENOENT ? 0 : r;
        asked->subject =
                (Subject){.uid = (uid_t)strtoul(uid, NULL, 10), .loginuid = (uid_t)-1, .gid = (gid_t)-1};
        return collect_all_groups(asked);
}

static Subject subject_of(const Asked *asked, const Way *way) {
        Subject subject = asked->subject;

        if (!asked->known_person && way->in_groups) {
                subject.groups = asked->all_groups;
                subject.n_groups = asked->n_all_groups;
        }
        return subject;
}

/* one way each */

static SuperblockIdentity superblock_of(const Asked *asked, const DeviceIdentity *device) {
        const char *fstype = get(asked, FIELD_FSTYPE);

        return (SuperblockIdentity){
                .kind = fstype ? superblock_classify(fstype, device ? makedev(8, 0) : makedev(0, 1))
                               : SUPERBLOCK_BLOCK,
                .fstype = fstype,
                .device = device};
}

static Answer of_verdict(const OpenDecision *decision) {
        return (Answer){verdict_to_string(decision->verdict), decision->rule,
                        reason_to_string(decision->reason),
                        decision->verdict == VERDICT_DENY && decision->monitor};
}

static Answer of_open(const Asked *asked, const Way *way, EventKind kind) {
        DeviceIdentity device = asked->device;
        Subject subject = subject_of(asked, way);
        SuperblockIdentity id;
        OpenDecision open;

        device.luks2 = way->luks2 && kind != EVENT_RAW_WRITE_DENIED;
        id = superblock_of(asked, asked->has_device ? &device : NULL);
        if (kind == EVENT_RAW_WRITE_DENIED)
                id.kind = SUPERBLOCK_BLOCK;
        decide_open(asked->draft, &id, &subject, kind != EVENT_READ_DENIED, &asked->now, &open);
        return of_verdict(&open);
}

/* Whether an address was a rule's name's no record says: it may have been or not. */
static bool any_name(const void *userdata, const char *name, const Address *address) {
        (void)userdata;
        (void)address;
        return address_parse(name, strcspn(name, "/")).bits == 0;
}

static Answer of_connection(const Asked *asked, const Way *way) {
        const char *protocol = get(asked, FIELD_PROTOCOL), *port = get(asked, FIELD_PORT);
        int value = protocol ? protocol_from_string(protocol) : PROTOCOL_ANY;
        Subject subject = subject_of(asked, way);
        const NetworkQuestion question = {.to = get(asked, FIELD_DESTINATION),
                                          .protocol = value < 0 ? PROTOCOL_ANY : (Protocol)value,
                                          .port = port ? (uint16_t)strtoul(port, NULL, 10) : 0,
                                          .subject = get(asked, FIELD_UID) ? &subject : NULL,
                                          .now = asked->now,
                                          .program = get(asked, FIELD_EXE),
                                          .interface = get(asked, FIELD_NETWORK_INTERFACE),
                                          .resolves = way->late ? any_name : NULL};
        OpenDecision decision;

        decide_network(asked->draft, &question, &decision);
        return of_verdict(&decision);
}

static Answer of_network_interface(const Asked *asked) {
        const char *kind = get(asked, FIELD_INTERFACE_KIND);
        int value = kind ? interface_kind_from_string(kind) : INTERFACE_UNKNOWN;
        const InterfaceIdentity id = {.name = get(asked, FIELD_NETWORK_INTERFACE),
                                      .driver = get(asked, FIELD_INTERFACE_DRIVER),
                                      .bus = get(asked, FIELD_DEVICE_BUS),
                                      .mac = get(asked, FIELD_INTERFACE_MAC),
                                      .kind = value < 0 ? INTERFACE_UNKNOWN : (InterfaceKind)value};
        InterfaceDecision decision;

        decide_interface(asked->draft, &id, &decision);
        return of_verdict(&decision);
}

static Answer of_decision(const Decision *decision) {
        return (Answer){access_to_string(decision->access), decision->rule,
                        reason_to_string(decision->reason), decision->monitor};
}

static Answer of_device(const Asked *asked) {
        Decision decision;

        decide_device(asked->draft, &asked->device, &asked->now, &decision);
        return of_decision(&decision);
}

static Answer of_superblock(const Asked *asked, const Way *way) {
        DeviceIdentity device = asked->device;
        SuperblockIdentity id;
        Decision decision;

        device.luks2 = way->luks2;
        id = superblock_of(asked, asked->has_device ? &device : NULL);
        decide_superblock(asked->draft, &id, &asked->now, &decision);
        return of_decision(&decision);
}

static Answer of_interface(const Asked *asked, uint8_t class) {
        Decision decision;
        Answer answer;

        decide_usb_interface(asked->draft, &asked->device, class, &asked->now, &decision);
        answer = of_decision(&decision);
        answer.word = verdict_to_string(decision.access == ACCESS_DENY ? VERDICT_DENY : VERDICT_ALLOW);
        return answer;
}

static unsigned factors_of(const char *text) {
        unsigned factors = 0;

        for (; text && *text; text += strspn(text, ",")) {
                size_t length = strcspn(text, ",");

                for (unsigned factor = 0; factor <= FACTOR_SUBSTITUTE; factor++) {
                        const char *word = factor_to_string((Factor)factor);

                        if (strlen(word) == length && strncmp(word, text, length) == 0)
                                factors |= FACTOR_BIT(factor);
                }
                text += length;
        }
        return factors;
}

/* What the guard said of itself at that login, as far as the reason tells. */
static Presence presence_of(const char *reason, const Way *way) {
        int value = reason ? mfa_reason_from_string(reason) : -1;

        if (value == MFA_LOCKDOWN)
                return PRESENCE_LOCKDOWN;
        if (value == MFA_NO_GUARD)
                return way->absent ? PRESENCE_NONE : PRESENCE_NOT_IN_FORCE;
        return PRESENCE_IN_FORCE;
}

static Answer of_login(const Asked *asked, const Way *way, EventKind kind) {
        const char *rhost = get(asked, FIELD_REMOTE_HOST);
        Subject subject = subject_of(asked, way);
        const MfaQuestion question = {.service = get(asked, FIELD_SERVICE),
                                      .subject = get(asked, FIELD_UID) ? &subject : NULL,
                                      .rhost = rhost ? rhost : "",
                                      .now = asked->now,
                                      .proven = factors_of(get(asked, FIELD_FACTORS)),
                                      .enrolled = way->enrolled ? FACTORS_ALL : 0,
                                      .first_seen = way->late ? LONG_AGO : 0};
        MfaDecision decision;

        decide_mfa(asked->draft, &question, &decision);
        decide_guard(asked->draft, presence_of(get(asked, FIELD_REASON), way), asked->now.expiry_now,
                     &decision);
        if (kind == EVENT_LOGIN_DENIED && decision.verdict == MFA_MORE)
                decision.verdict = MFA_DENY; /* nothing more was proven */
        return (Answer){mfa_verdict_to_string(decision.verdict), decision.rule,
                        mfa_reason_to_string(decision.reason), false};
}

/* What was tried on the guard itself says what of it was meant; of a file only that it is one of two. */
static Answer of_guard(const Asked *asked, const Way *way) {
        const char *word = get(asked, FIELD_OPERATION);
        int operation = word ? operation_from_string(word) : -1;
        bool process = operation == OPERATION_SIGNAL || operation == OPERATION_TRACE ||
                       operation == OPERATION_LIMIT || operation == OPERATION_BPF;
        Protected which = process ? PROTECT_PROCESS : way->absent ? PROTECT_STATE : PROTECT_POLICY;
        bool holds =
                asked->draft->protects[which] && !policy_is_monitor(asked->draft, asked->now.expiry_now);

        return (Answer){verdict_to_string(holds ? VERDICT_DENY : VERDICT_ALLOW), "self-protection",
                        protected_to_string(which), false};
}

/* all ways */

static Way way_of(unsigned number) {
        return (Way){.luks2 = number & 1,
                     .in_groups = number & 2,
                     .enrolled = number & 1,
                     .late = number & 4,
                     .absent = number & 8};
}

static bool is_connection(EventKind kind) {
        return kind == EVENT_CONNECTION_DENIED || kind == EVENT_CONNECTION_SEEN;
}

/* What the packet filter recorded has no program. */
static const char *missing_of_connection(const Asked *asked) {
        if (!get(asked, FIELD_DESTINATION))
                return N_("it was refused for what it is, and not for where it leads");
        for (size_t i = 0; !get(asked, FIELD_EXE) && i < asked->draft->n_network; i++)
                if (asked->draft->network[i].program)
                        return N_("a rule names a program, and the record has none");
        return NULL;
}

static bool is_about_source(const Asked *asked) {
        const char *reason = get(asked, FIELD_REASON);

        return reason && (strcmp(reason, reason_to_string(REASON_LABELLED_SOURCE)) == 0 ||
                          strcmp(reason, reason_to_string(REASON_UNKNOWN_SOURCE)) == 0);
}

/* What the record has to say for there to be an answer at all; NULL if it does. */
static const char *missing(const Asked *asked, EventKind kind) {
        if (is_about_source(asked))
                return N_("which files the program had open is in no record");
        switch (kind) {
        case EVENT_WRITE_DENIED:
        case EVENT_READ_DENIED:
                if (!asked->has_device && !get(asked, FIELD_FSTYPE))
                        return N_("neither the device nor the file system is known");
                return get(asked, FIELD_UID) ? NULL : N_("it is not known who did it");
        case EVENT_RAW_WRITE_DENIED:
                if (!asked->has_device)
                        return N_("the device is not known");
                return get(asked, FIELD_UID) ? NULL : N_("it is not known who did it");
        case EVENT_DEVICE_VERDICT:
        case EVENT_INTERFACE_VERDICT:
                return asked->has_device ? NULL : N_("the device is not known");
        case EVENT_SUPERBLOCK_GUARDED:
        case EVENT_SUPERBLOCK_RELEASED:
                return asked->has_device || get(asked, FIELD_FSTYPE)
                               ? NULL
                               : N_("neither the device nor the file system is known");
        case EVENT_CONNECTION_DENIED:
        case EVENT_CONNECTION_SEEN:
                return missing_of_connection(asked);
        case EVENT_NETWORK_INTERFACE_VERDICT:
                return get(asked, FIELD_NETWORK_INTERFACE) ? NULL : N_("the interface is not known");
        case EVENT_LOGIN_ALLOWED:
                return get(asked, FIELD_SERVICE) ? NULL : N_("the service is not known");
        case EVENT_LOGIN_DENIED:
                if (get(asked, FIELD_ERROR))
                        return N_("it was denied for a reason that no policy gives");
                return get(asked, FIELD_SERVICE) ? NULL : N_("the service is not known");
        default:
                return NULL;
        }
}

/* A file system's source is in no record: a rule that names one may have been meant or not. */
static bool source_matters(const Asked *asked) {
        const char *fstype = get(asked, FIELD_FSTYPE);

        for (size_t i = 0; fstype && i < asked->draft->n_filesystems; i++)
                if (asked->draft->filesystems[i].source &&
                    strcmp(asked->draft->filesystems[i].type, fstype) == 0)
                        return true;
        return false;
}

static bool is_of_filesystem(const Asked *asked, EventKind kind) {
        SuperblockIdentity id = superblock_of(asked, asked->has_device ? &asked->device : NULL);

        return (kind == EVENT_WRITE_DENIED || kind == EVENT_READ_DENIED ||
                kind == EVENT_SUPERBLOCK_GUARDED || kind == EVENT_SUPERBLOCK_RELEASED) &&
               id.kind != SUPERBLOCK_BLOCK && source_matters(asked);
}

/* False if the record is about no verdict of a policy. */
static bool answer(const Asked *asked, EventKind kind, const Way *way, uint8_t class, Answer *ret) {
        switch (kind) {
        case EVENT_WRITE_DENIED:
        case EVENT_READ_DENIED:
        case EVENT_RAW_WRITE_DENIED:
                *ret = of_open(asked, way, kind);
                return true;
        case EVENT_DEVICE_VERDICT:
                *ret = of_device(asked);
                return true;
        case EVENT_INTERFACE_VERDICT:
                *ret = of_interface(asked, class);
                return true;
        case EVENT_SUPERBLOCK_GUARDED:
        case EVENT_SUPERBLOCK_RELEASED:
                *ret = of_superblock(asked, way);
                return true;
        case EVENT_LOGIN_ALLOWED:
        case EVENT_LOGIN_DENIED:
                *ret = of_login(asked, way, kind);
                return true;
        case EVENT_CONNECTION_DENIED:
        case EVENT_CONNECTION_SEEN:
                *ret = of_connection(asked, way);
                return true;
        case EVENT_NETWORK_INTERFACE_VERDICT:
                *ret = of_network_interface(asked);
                return true;
        case EVENT_GUARD_TOUCHED:
                *ret = of_guard(asked, way);
                return true;
        default:
                return false;
        }
}

static const char *recorded(const Asked *asked, EventKind kind) {
        const char *word = get(asked, FIELD_VERDICT);
        int access = word ? access_from_string(word) : -1, verdict = word ? verdict_from_string(word) : -1;

        if (kind == EVENT_GUARD_TOUCHED || kind == EVENT_CONNECTION_DENIED)
                return verdict_to_string(VERDICT_DENY);
        if (kind == EVENT_CONNECTION_SEEN)
                return verdict_to_string(VERDICT_ALLOW);
        if (kind == EVENT_DEVICE_VERDICT || kind == EVENT_SUPERBLOCK_GUARDED ||
            kind == EVENT_SUPERBLOCK_RELEASED)
                return access < 0 ? NULL : access_to_string((Access)access);
        return verdict < 0 ? NULL : verdict_to_string((Verdict)verdict);
}

/* A USB device that is no disk has the verdicts of its interfaces, which have records of their own. */
static bool is_whole_usb_device(const Asked *asked, EventKind kind) {
        const char *name = get(asked, FIELD_DEVICE), *word = get(asked, FIELD_VERDICT);

        return kind == EVENT_DEVICE_VERDICT &&
               ((name && *name >= '0' && *name <= '9') ||
                (word && strcmp(word, verdict_to_string(VERDICT_ALLOW)) == 0));
}

/* "1-2:1.0 class 07". */
static bool parse_class(const char *interface, uint8_t *ret) {
        const char *at = interface ? strstr(interface, " class ") : NULL;
        unsigned long value;
        char *end;

        if (!at)
                return false;
        value = strtoul(at + strlen(" class "), &end, 16);
        *ret = (uint8_t)value;
        return *end == '\0' && value <= UINT8_MAX;
}

static void judge(const Asked *asked, EventKind kind, Replay *ret) {
        Answer first = {0};
        uint8_t class = 0;

        if (is_whole_usb_device(asked, kind) || !answer(asked, kind, &(Way){0}, class, &first))
                return;
        ret->outcome = REPLAY_UNDECIDED;
        ret->before = recorded(asked, kind);
        ret->missing = missing(asked, kind);
        if (!ret->missing && !ret->before)
                ret->missing = N_("the verdict of then is not known");
        if (!ret->missing && kind == EVENT_INTERFACE_VERDICT &&
            !parse_class(get(asked, FIELD_INTERFACE), &class))
                ret->missing = N_("the class of the interface is not known");
        if (!ret->missing && is_of_filesystem(asked, kind))
                ret->missing = N_("a rule names a source, and records have none");
        for (unsigned i = 0; !ret->missing && i < WAYS_MAX; i++) {
                const Way way = way_of(i);
                Answer other = first;

                (void)answer(asked, kind, &way, class, &other);
                if (i == 0)
                        first = other;
                else if (strcmp(first.word, other.word) != 0)
                        ret->missing = is_connection(kind) && way.late
                                               ? N_("it hangs on which addresses a name had")
                                       : asked->known_person || kind == EVENT_GUARD_TOUCHED
                                               ? N_("it hangs on what records do not hold: encryption, "
                                                    "enrolment, or which file it was")
                                               : N_("it is not known in which groups the person was");
        }
        if (ret->missing)
                return;
        ret->after = first.word;
        ret->rule = first.rule;
        ret->monitor = first.monitor;
        ret->reason = first.reason;
        ret->outcome = strcmp(ret->before, ret->after) == 0 ? REPLAY_SAME : REPLAY_OTHERWISE;
}

int replay_record(const Policy *draft, const EventRecord *record, ReplayPerson person, void *userdata,
                  Replay *ret) {
        CLEANUP(asked_clear) Asked asked = {.draft = draft, .record = record};
        const char *word = event_record_get(record, FIELD_EVENT);
        int kind = word ? event_from_string(word) : -1, r;

        *ret = (Replay){.outcome = REPLAY_NO_VERDICT};
        if (kind < 0)
                return 0;
        r = policy_time_from_wall((time_t)(record->realtime / USEC_PER_SEC), &asked.now);
        if (r < 0)
                return r;
        find_device(&asked);
        r = find_person(&asked, person, userdata);
        if (r < 0)
                return r;
        judge(&asked, (EventKind)kind, ret);
        return 0;
}
