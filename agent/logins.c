/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent makes of who logs in. Records hang on it, and sessions that lock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "agent/gate/opener.h"

static void describe(void *userdata, Record *record) {
        sessions_describe(userdata, record);
}

static void tell_changed(Agent *agent, const Session *before, const Session *by) {
        Record *record = agent_record(agent, EVENT_PERSON_CHANGED);

        if (record) {
                record->uid = by->uid;
                record_set(record, TEXT_SESSION, before->id[0] ? before->id : NULL);
                record_set(record, TEXT_TERMINAL, before->terminal[0] ? before->terminal : NULL);
                record_set(record, TEXT_PERSON, by->person);
                record_set(record, TEXT_PERSON_BEFORE, before->person);
                record_set(record, TEXT_FACTORS, by->factors[0] ? by->factors : NULL);
        }
        report_submit(agent->report, record);
}

/* It is known even where it could not be written down. */
static int tolerate(int r) {
        return r == -ENOSPC || r == -EINVAL || r == -ENOENT || r >= 0 ? r : 0;
}

static int open_session(void *userdata, const Session *told) {
        Agent *agent = userdata;
        Session with_audit = *told;
        const Session *session = &with_audit;
        int r;

        with_audit.audit = opener_session(told->leader);
        r = sessions_open(agent->sessions, session);

        if (r != 1)
                agent_lock_follow(agent, session);
        agent_grants_sessions_changed(agent, "logout");
        return tolerate(r);
}

static int change_person(void *userdata, const Session *by) {
        Agent *agent = userdata;
        Session before = {0}, now = {0};
        int r = sessions_change_person(agent->sessions, by, &before, &now);

        if (r > 0)
                tell_changed(agent, &before, by);
        if (strcmp(before.person, now.person) != 0) /* also where that could not be written down */
                agent_grants_sessions_changed(agent, "person-changed");
        if (r != -ENOENT)
                agent_lock_follow(agent, &now);
        return tolerate(r);
}

static int close_session(void *userdata, pid_t leader) {
        Agent *agent = userdata;
        int r;

        agent_lock_forget(agent, leader);
        r = sessions_close(agent->sessions, leader);
        agent_grants_sessions_changed(agent, "logout");
        return tolerate(r);
}

BusLoginsCallbacks agent_logins_callbacks(Agent *agent) {
        return (BusLoginsCallbacks){
                .open = open_session, .change = change_person, .close = close_session, .userdata = agent};
}

int agent_start_logins(Agent *agent) {
        int r = sessions_new(agent->settings.runtime_dir, &agent->sessions);

        if (r == 0 && asprintf(&agent->login_store, "%s/login", agent->settings.state_dir) < 0) {
                agent->login_store = NULL;
                r = -ENOMEM;
        }
        if (r == 0)
                report_describe(agent->report, describe, agent->sessions);
        return r;
}

void agent_stop_logins(Agent *agent) {
        if (agent->report)
                report_describe(agent->report, NULL, NULL);
        agent->sessions = sessions_free(agent->sessions);
        free(agent->login_store);
        agent->login_store = NULL;
}
