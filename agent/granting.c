/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions: how long they hold, and what is written under them. What is asked about them: granted.c. */
#include "agent/granting.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "agent/ctl/json.h"
#include "agent/file.h"
#include "policy/decide.h"
#include "policy/scope.h"
#include "policy/translate.h"
#include "policy/with_grants.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define RETRY_USEC   (5 * USEC_PER_SEC)

enum {
        MINUTE = 60,
        ASKED_MINUTES = 480,    /* for a second person */
        CHALLENGED_MINUTES = 15 /* for the code by telephone */
};

static const char *or_null(const char *text) {
        return text[0] ? text : NULL;
}

void agent_tell_grant(Agent *agent, EventKind kind, const Permit *permit, const char *cause) {
        Record *record = agent_record(agent, kind);

        if (record) {
                if (permit->id > 0)
                        record_setf(record, TEXT_GRANT, "%" PRIu32, permit->id);
                record_set(record, TEXT_USER, or_null(permit->user));
                record_set(record, TEXT_DEVICE, or_null(permit->device));
                record_set(record, TEXT_DEVICE_VENDOR, or_null(permit->vendor));
                record_set(record, TEXT_DEVICE_PRODUCT, or_null(permit->product));
                record_set(record, TEXT_DEVICE_SERIAL, or_null(permit->serial));
                record_set(record, TEXT_DEVICE_BUS, or_null(permit->bus));
                record_setf(record, TEXT_MINUTES, "%" PRId64, permit->minutes);
                record_set(record, TEXT_PURPOSE, or_null(permit->reason));
                record_set(record, TEXT_CAUSE, cause);
                if (permit->approver[0])
                        record_setf(record, TEXT_BY, "%s, approved by %s", permit->requester,
                                    permit->approver);
                else
                        record_set(record, TEXT_BY, or_null(permit->requester));
        }
        report_submit(agent->report, record);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        (void)agent_write_book(userdata);
        return 0;
}

static int retry_later(Agent *agent) {
        Granting *granting = &agent->granting;
        int r;

        if (!granting->retry)
                return sd_event_add_time_relative(agent->event, &granting->retry, CLOCK_BOOTTIME, RETRY_USEC,
                                                  0, on_retry, agent);
        r = sd_event_source_set_time_relative(granting->retry, RETRY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(granting->retry, SD_EVENT_ONESHOT);
}

int agent_write_book(Agent *agent) {
        Granting *granting = &agent->granting;
        bool told = granting->unwritten;
        int r = granting->error < 0 ? granting->error
                                    : book_write(agent->settings.state_dir, &granting->book);

        granting->unwritten = r < 0 && granting->error == 0;
        if (r < 0 && !told)
                agent_tell_failure(agent, NULL, NULL, N_("book of grants"), r);
        if (granting->unwritten)
                (void)retry_later(agent); /* else at the next refresh */
        return r;
}

void agent_end_permit(Agent *agent, Permit *permit, const char *cause) {
        bool ran = permit->state == PERMIT_RUNNING;

        permit->state = ran ? PERMIT_ENDED : PERMIT_REFUSED;
        permit->ended = time(NULL);
        if (ran && agent->granting.writes)
                permit->writes = (int64_t)writes_count(agent->granting.writes, permit->id);
        (void)permit_set(permit->cause, cause);
        agent_tell_grant(agent, ran ? EVENT_GRANT_ENDED : EVENT_GRANT_REFUSED, permit, cause);
}

/* how long they hold */

static bool is_past(const Permit *permit, const PolicyTime *now, uint64_t boottime) {
        /* within its last second, so that the timer, which counts seconds, finds it over */
        return now->expiry_now >= permit->until || boottime + USEC_PER_SEC > (uint64_t)permit->boot_until;
}

/* Why PERMIT does not run, or wait, any longer; NULL if it does. */
static const char *why_over(const Agent *agent, const Permit *permit, const PolicyTime *now,
                            uint64_t boottime) {
        bool waits = permit->state == PERMIT_ASKED || permit->state == PERMIT_CHALLENGED;
        int64_t wait = permit->state == PERMIT_ASKED ? ASKED_MINUTES : CHALLENGED_MINUTES;

        if (!waits && permit->state != PERMIT_RUNNING)
                return NULL;
        if (strcmp(permit->boot, agent->granting.boot) != 0)
                return "reboot";
        if (agent_is_locked_down(agent))
                return "lockdown";
        if (!agent->store.policy->grants.allowed)
                return "policy";
        if (waits)
                return now->expiry_now - permit->asked > wait * MINUTE ? "too-late" : NULL;
        return is_past(permit, now, boottime) ? "expired" : NULL;
}

static bool end_what_is_over(Agent *agent, const PolicyTime *now, uint64_t boottime) {
        bool changed = false;

        for (size_t i = 0; i < agent->granting.book.n; i++) {
                Permit *permit = &agent->granting.book.permits[i];
                const char *why = why_over(agent, permit, now, boottime);

                if (why)
                        agent_end_permit(agent, permit, why);
                changed = changed || why;
        }
        return changed;
}

static GrantRule rule_of(const Permit *permit, const PolicyTime *now, uint64_t boottime) {
        time_t counted =
                now->expiry_now + (time_t)(((uint64_t)permit->boot_until - boottime) / USEC_PER_SEC);
        int bus = device_bus_from_string(permit->bus);

        return (GrantRule){.id = permit->id,
                           .uid = (uid_t)permit->uid,
                           .match = {.vendor = (char *)or_null(permit->vendor),
                                     .product = (char *)or_null(permit->product),
                                     .serial = (char *)or_null(permit->serial),
                                     .bus_set = true,
                                     .bus = bus < 0 ? DEVICE_BUS_UNKNOWN : (DeviceBus)bus},
                           .until = counted < permit->until ? counted : (time_t)permit->until};
}

/* Whether these are what the policy in force has already. */
static bool is_in_force(const Policy *policy, const GrantRule *rules, size_t n) {
        if (policy->n_grants != n)
                return false;
        for (size_t i = 0; i < n; i++) {
                const RuleScope *scope = &policy->devices[i].scope;
                char name[32];

                (void)snprintf(name, sizeof(name), "grant %" PRIu32, rules[i].id);
                if (strcmp(policy->devices[i].name, name) != 0 || scope->n_sessions != rules[i].n_sessions ||
                    (scope->n_sessions > 0 && memcmp(scope->sessions, rules[i].sessions,
                                                     scope->n_sessions * sizeof(*scope->sessions)) != 0))
                        return false;
        }
        return true;
}

/* Of all that runs. A new array, NULL if memory is short. */
static GrantRule *rules_of(Agent *agent, const PolicyTime *now, uint64_t boottime, size_t *ret_n) {
        const Book *book = &agent->granting.book;
        GrantRule *rules = calloc(book->n + 1, sizeof(*rules));
        size_t n = 0;

        for (size_t i = 0; rules && i < book->n; i++) {
                if (book->permits[i].state != PERMIT_RUNNING)
                        continue;
                rules[n] = rule_of(&book->permits[i], now, boottime);
                agent_holders_allow(agent, &book->permits[i], &rules[n]);
                n++;
        }
        *ret_n = n;
        return rules;
}

Policy *agent_refresh_grants(Agent *agent) {
        CLEANUP_FREE GrantRule *rules = NULL;
        uint64_t boottime = clock_boottime_usec();
        Policy *old = agent->store.policy, *policy = NULL;
        PolicyTime now;
        size_t n = 0;
        int r = clock_policy_time(&agent->clock, &now);

        if ((r == 0 && end_what_is_over(agent, &now, boottime)) || agent->granting.unwritten)
                (void)agent_write_book(agent);
        if (r == 0)
                rules = rules_of(agent, &now, boottime, &n);
        for (size_t i = 0; i < n; i++) /* it is over when its rule is, for the timer goes by that */
                book_find(&agent->granting.book, rules[i].id)->until = rules[i].until;
        agent->granting.is_short = r == 0 && !rules;
        if (is_in_force(old, rules, n))
                return NULL;
        r = policy_with_grants(old, rules, n, &policy);
        if (r < 0) {
                agent->granting.is_short = true;
                agent_tell_failure(agent, NULL, NULL, N_("grants"), r);
                /* rather none of them than one that is over */
                if (policy_with_grants(old, NULL, 0, &policy) < 0 || policy == old) {
                        policy_unref(policy);
                        return NULL;
                }
        }
        agent->store.policy = policy;
        return old;
}

/* start and end */

/* What came about while there was no agent. */
static void look_back(Agent *agent) {
        PolicyTime now;
        bool changed = clock_policy_time(&agent->clock, &now) == 0 &&
                       end_what_is_over(agent, &now, clock_boottime_usec());

        changed = agent_holders_end_pulled(agent) || changed;
        changed = agent_holders_follow(agent, "logout") || changed;
        if (changed)
                (void)agent_write_book(agent);
}

void agent_load_grants(Agent *agent) {
        Granting *granting = &agent->granting;

        if (file_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", granting->boot,
                            sizeof(granting->boot)) < 0)
                granting->boot[0] = '\0';
        if (file_read_small(AT_FDCWD, "/etc/machine-id", granting->terminal, sizeof(granting->terminal)) < 0)
                granting->terminal[0] = '\0';
        granting->error = book_read(agent->settings.state_dir, &granting->book);
        if (granting->error < 0)
                agent_tell_failure(agent, NULL, NULL, N_("book of grants"), granting->error);
        agent_start_holders(agent);
        look_back(agent);
        policy_unref(agent_refresh_grants(agent)); /* nothing refers to it yet */
}

void agent_free_grants(Agent *agent) {
        if (agent->granting.unwritten)
                (void)book_write(agent->settings.state_dir, &agent->granting.book);
        agent_stop_holders(agent);
        agent->granting.again = sd_event_source_disable_unref(agent->granting.again);
        agent->granting.retry = sd_event_source_disable_unref(agent->granting.retry);
        agent->granting.writes = writes_free(agent->granting.writes);
        book_clear(&agent->granting.book);
}

/* what changes */

static int on_again(sd_event_source *source, void *userdata) {
        (void)source;
        agent_judge_again(userdata);
        return 0;
}

/* Not at once: who calls is in the middle of devices or sessions. Before anything else is looked at. */
static void judge_soon(Agent *agent) {
        Granting *granting = &agent->granting;
        int r = 0;

        if (!granting->again) {
                r = sd_event_add_defer(agent->event, &granting->again, on_again, agent);
                if (r >= 0)
                        r = sd_event_source_set_priority(granting->again, SD_EVENT_PRIORITY_IMPORTANT);
        }
        if (r >= 0)
                r = sd_event_source_set_enabled(granting->again, SD_EVENT_ONESHOT);
        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("grants"), r);
}

void agent_grants_sessions_changed(Agent *agent, const char *cause) {
        CLEANUP_FREE GrantRule *rules = NULL;
        uint64_t boottime = clock_boottime_usec();
        bool changed = agent_holders_follow(agent, cause);
        PolicyTime now;
        size_t n = 0;

        if (changed) {
                (void)agent_write_book(agent);
                judge_soon(agent);
                return;
        }
        if (clock_policy_time(&agent->clock, &now) == 0)
                rules = rules_of(agent, &now, boottime, &n);
        if (!rules || !is_in_force(agent->store.policy, rules, n))
                judge_soon(agent);
}

void agent_grants_unplugged(Agent *agent, const DeviceIdentity *device) {
        bool changed = false;

        for (size_t i = 0; i < agent->granting.book.n; i++) {
                Permit *permit = &agent->granting.book.permits[i];
                GrantRule rule;

                if (permit->state != PERMIT_RUNNING)
                        continue;
                rule = rule_of(permit, &(PolicyTime){0}, 0);
                if (!device_match_covers(&rule.match, device))
                        continue;
                agent_end_permit(agent, permit, "unplugged");
                changed = true;
        }
        if (changed) {
                (void)agent_write_book(agent);
                judge_soon(agent);
        }
}

/* what is written under them */

/* The number of the grant that lets write there, 0 if none does. */
static uint32_t grant_of(const Superblock *sb) {
        uint32_t id;

        return sb->decision.access == ACCESS_WRITE && sb->decision.origin && sb->decision.rule &&
                               strcmp(sb->decision.origin, "grants") == 0 &&
                               sscanf(sb->decision.rule, "grant %" SCNu32, &id) == 1
                       ? id
                       : 0;
}

void agent_grants_follow(Agent *agent, const Superblock *sb) {
        Granting *granting = &agent->granting;
        uint32_t id = grant_of(sb);
        int r = 0;

        if (id == 0) {
                if (granting->writes)
                        writes_leave(granting->writes, sb->identity.devnum);
                return;
        }
        if (!granting->writes)
                r = writes_new(agent->report, &granting->writes);
        if (r == 0)
                r = writes_watch(granting->writes, sb->mount, sb->identity.devnum, id,
                                 agent->store.policy->serial, sb->identity.device);
        if (r < 0)
                agent_tell_failure(agent, sb->identity.device, sb->mount,
                                   N_("record of what is written under a grant"), r);
}

static int follow(void *userdata, const Superblock *sb) {
        agent_grants_follow(userdata, sb);
        return 0;
}

void agent_grants_follow_all(Agent *agent) {
        if (agent->superblocks && (agent->granting.writes || agent->store.policy->n_grants > 0))
                (void)superblocks_foreach(agent->superblocks, follow, agent);
}

/* For the status. */
char *agent_grants_text(const Agent *agent) {
        Book book = {0};
        char *text;

        book.permits = calloc(agent->granting.book.n + 1, sizeof(*book.permits));
        if (!book.permits)
                return NULL;
        for (size_t i = 0; i < agent->granting.book.n; i++) {
                const Permit *permit = &agent->granting.book.permits[i];

                if (permit->state != PERMIT_CLOSED && permit->state != PERMIT_REFUSED)
                        book.permits[book.n++] = *permit;
        }
        text = book_text(&book);
        book_clear(&book);
        return text;
}
