/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions that lock: what the policy asks for, and the records of what became of it. */
#include <errno.h>
#include <string.h>

#include "agent/agent_private.h"

static Record *record_of(const Agent *agent, EventKind kind, const Session *session, LockReason reason) {
        Record *record = agent_record(agent, kind);

        if (record) {
                record->uid = session->uid;
                record_set(record, TEXT_PERSON, session->person);
                record_set(record, TEXT_SESSION, session->id[0] ? session->id : NULL);
                record_set(record, TEXT_TERMINAL, session->terminal[0] ? session->terminal : NULL);
                record_set(record, TEXT_REASON, lock_reason_to_string(reason));
        }
        return record;
}

static void on_locked(void *userdata, const Session *session, LockReason reason) {
        Agent *agent = userdata;

        report_submit(agent->report, record_of(agent, EVENT_SESSION_LOCKED, session, reason));
        if (reason == LOCK_TOKEN_REMOVED) /* the next agent would lock it once more */
                (void)sessions_forget_token(agent->sessions, session->leader);
}

static void tell_failed(Agent *agent, const Session *session, LockReason reason, const char *why) {
        Record *record = record_of(agent, EVENT_SESSION_LOCK_FAILED, session, reason);

        if (record)
                record_set(record, TEXT_ERROR, why);
        report_submit(agent->report, record);
}

static void on_failed(void *userdata, const Session *session, LockReason reason, const char *why) {
        tell_failed(userdata, session, reason, why);
}

void agent_lock_follow(Agent *agent, const Session *session) {
        int r = agent->locks ? locks_follow(agent->locks, session) : -ENOMEM;

        if (r < 0)
                tell_failed(agent, session, LOCK_FOR_NOTHING, strerror(-r));
}

void agent_lock_forget(Agent *agent, pid_t leader) {
        if (agent->locks)
                locks_forget(agent->locks, leader);
}

void agent_lock_all(Agent *agent, bool emergency) {
        if (agent->locks)
                locks_lock_all(agent->locks, emergency ? LOCK_IN_EMERGENCY : LOCK_FOR_NOTHING);
}

void agent_update_locks(Agent *agent) {
        const Policy *policy = agent->store.policy;

        if (agent->locks)
                locks_set_rules(agent->locks, policy->mfa_lock_on_removal, policy->mfa_lock_idle_minutes);
}

static void follow(void *userdata, const Session *session) {
        agent_lock_follow(userdata, session);
}

void agent_start_locks(Agent *agent) {
        const LocksCallbacks callbacks = {.locked = on_locked, .failed = on_failed, .userdata = agent};

        (void)locks_new(agent->event, &callbacks, &agent->locks); /* each session tells if there are none */
        agent_update_locks(agent);
        sessions_foreach(agent->sessions, follow, agent);
}

void agent_stop_locks(Agent *agent) {
        agent->locks = locks_free(agent->locks);
}
