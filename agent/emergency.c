/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emergency lockdown: begun and lifted by command, and kept in the state directory, or asked for by the
 * policy. What it means is decided in policy/; here it is remembered, told, and put in force at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "policy/scope.h"
#include "policy/translate.h"

static void tell(Agent *agent, EventKind kind, const TtyUser *by, pid_t pid, const char *reason,
                 const char *cause) {
        Record *record = agent_record(agent, kind);

        if (record) {
                if (by) {
                        record->uid = by->uid;
                        record->loginuid = by->loginuid;
                        record->pid = pid;
                        record_set(record, TEXT_TERMINAL, by->tty);
                }
                record_set(record, TEXT_PURPOSE, reason);
                record_set(record, TEXT_CAUSE, cause);
        }
        report_submit(agent->report, record);
}

/* For logins while there is no bus to ask on: RUNTIME/lockdown is there as long as there is a lockdown. */
static void mark(Agent *agent, bool locked) {
        CLEANUP_FREE char *path = NULL;
        int r = asprintf(&path, "%s/lockdown", agent->settings.runtime_dir) < 0 ? -ENOMEM : 0;

        if (r == 0 && locked)
                r = file_replace(path, "", 0, 0600);
        else if (r == 0 && unlink(path) < 0 && errno != ENOENT)
                r = -errno;
        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("lockdown"), r);
}

bool agent_is_locked_down(const Agent *agent) {
        return policy_is_locked_down(agent->store.policy);
}

void agent_load_lockdown(Agent *agent) {
        agent->lockdown_error = lockdown_read(agent->settings.state_dir, &agent->lockdown);
        policy_store_set_locked(&agent->store, agent->lockdown_error != 0);
        agent->was_locked_down = agent_is_locked_down(agent);
        mark(agent, agent->was_locked_down && !agent->settings.monitor);
        if (agent->lockdown_error < 0)
                agent_tell_failure(agent, NULL, NULL, N_("lockdown"), agent->lockdown_error);
        if (agent->lockdown_error > 0)
                tell(agent, EVENT_LOCKDOWN_STARTED, &agent->lockdown.by, 0, agent->lockdown.reason, "start");
        else if (agent->was_locked_down)
                tell(agent, EVENT_LOCKDOWN_STARTED, NULL, 0, NULL,
                     agent->lockdown_error < 0 ? "unreadable" : "policy");
}

void agent_follow_lockdown(Agent *agent, const TtyUser *by, pid_t pid, const char *reason) {
        bool locked = agent_is_locked_down(agent);

        if (locked == agent->was_locked_down)
                return;
        agent->was_locked_down = locked;
        mark(agent, locked && !agent->settings.monitor);
        tell(agent, locked ? EVENT_LOCKDOWN_STARTED : EVENT_LOCKDOWN_ENDED, by, pid, reason,
             by ? "command" : "policy");
        agent_lock_all(agent, locked); /* with a record of each ... */
        if (locked)
                bus_service_lock_sessions(agent->bus); /* ... and those that only logind knows */
}

int agent_begin_lockdown(Agent *agent, pid_t pid, const char *reason) {
        Lockdown lockdown = {.since = time(NULL)};
        int r;

        if (agent->settings.monitor)
                return -EOPNOTSUPP;
        if (!maintenance_reason_is_good(reason))
                return -EINVAL;
        r = tty_user_read(pid, &lockdown.by);
        if (r < 0)
                return r;
        memcpy(lockdown.reason, reason, strlen(reason) + 1);
        /* first in force, then on disk: a disk that is full must not keep the terminal open */
        agent->lockdown = lockdown;
        agent->lockdown_error = 1;
        policy_store_set_locked(&agent->store, true);
        if (agent->was_locked_down) /* another one on top: who and why is told all the same */
                tell(agent, EVENT_LOCKDOWN_STARTED, &lockdown.by, pid, reason, "command");
        agent_follow_lockdown(agent, &lockdown.by, pid, reason);
        r = lockdown_write(agent->settings.state_dir, &lockdown);
        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("lockdown beyond a restart"), r);
        agent_judge_again(agent);
        return r;
}

int agent_end_lockdown(Agent *agent, pid_t pid, const char *reason) {
        TtyUser by;
        int r;

        if (agent->store.policy->lockdown)
                return -EBUSY;
        if (agent->lockdown_error == 0)
                return 0;
        if (!maintenance_reason_is_good(reason))
                return -EINVAL;
        r = tty_user_read(pid, &by);
        if (r == 0)
                r = lockdown_drop(agent->settings.state_dir);
        if (r < 0) /* the next start would find it: then it is not over */
                return r;
        agent->lockdown = (Lockdown){0};
        agent->lockdown_error = 0;
        policy_store_set_locked(&agent->store, false);
        agent_follow_lockdown(agent, &by, pid, reason);
        agent_judge_again(agent);
        return 1;
}
