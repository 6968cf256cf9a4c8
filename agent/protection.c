/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the guard itself nobody else may touch: by the policy, but for a maintenance that root on the
 * console has begun. The programs in the kernel (lsm/) hold it; where there are none, nothing does.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "agent/note.h"
#include "policy/scope.h"
#include "policy/translate.h"

#define MINUTE_USEC UINT64_C(60000000)
#define LAST_GOOD   "last-good"
#define SETTINGS    "/etc/sekisho"

enum {
        DIRECTORIES_MAX = 8
};

typedef struct Directories {
        char paths[DIRECTORIES_MAX][PATH_MAX];
        const char *list[DIRECTORIES_MAX];
        size_t n;
} Directories;

static int add(Directories *directories, const char *path, const char *below) {
        char *to = directories->paths[directories->n];

        if ((size_t)snprintf(to, PATH_MAX, "%s%s%s", path, below ? "/" : "", below ? below : "") >= PATH_MAX)
                return -ENAMETOOLONG;
        directories->list[directories->n++] = to;
        return 0;
}

/* Where notes will be is made now: what is not there cannot be protected. */
static int add_runtime(Directories *directories, const char *runtime, const char *kind) {
        int r = add(directories, runtime, kind);

        return r < 0 ? r : directory_ensure(directories->paths[directories->n - 1], 0700);
}

/* Of a policy that is one file, the directory that it can be replaced in. */
static int add_policy(Directories *directories, const char *path) {
        struct stat st;
        int r = add(directories, path, NULL);
        char *slash, *added;

        if (r < 0 || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
                return r;
        added = directories->paths[directories->n - 1];
        slash = strrchr(added, '/');
        if (slash)
                *(slash == added ? slash + 1 : slash) = '\0';
        else
                memcpy(added, ".", 2);
        return 0;
}

static int collect(const Agent *agent, Directories *directories) {
        const bool *protects = agent->store.policy->protects;
        const char *state = agent->settings.state_dir, *runtime = agent->settings.runtime_dir;
        struct stat st;
        int r = 0;

        if (protects[PROTECT_STATE]) {
                r = add(directories, state, NULL);
                if (r == 0)
                        r = add(directories, state, LAST_GOOD); /* it comes into force again */
                if (r == 0)
                        r = add(directories, runtime, NULL);
                if (r == 0)
                        r = add_runtime(directories, runtime, NOTE_RELEASED);
                if (r == 0)
                        r = add_runtime(directories, runtime, NOTE_SEALED);
        }
        if (r == 0 && protects[PROTECT_POLICY])
                r = add_policy(directories, agent->settings.policy);
        if (r == 0 && protects[PROTECT_POLICY] && stat(agent->store.keys, &st) == 0)
                r = add(directories, agent->store.keys, NULL);
        if (r == 0 && protects[PROTECT_POLICY])
                r = add(directories, SETTINGS, NULL);
        return r;
}

static int protect(Agent *agent) {
        const bool *protects = agent->store.policy->protects;
        LsmProtection protection = {.lifted_until = agent->maintenance.until * 1000};
        Directories directories = {0};
        int r = agent_is_monitor(agent) ? 0 : collect(agent, &directories);

        if (r < 0)
                return r;
        if (!agent_is_monitor(agent))
                protection.process = protection.pins = protects[PROTECT_PROCESS];
        protection.directories = directories.list;
        protection.n_directories = directories.n;
        r = keeper_pid(agent->keeper) > 0 ? lsm_guard_process(agent->lsm, keeper_pid(agent->keeper)) : 0;
        return r < 0 ? r : lsm_protect(agent->lsm, &protection);
}

void agent_update_protection(Agent *agent) {
        if (!agent->hooks)
                return;
        agent->protection_error = protect(agent);
        if (agent->protection_error < 0)
                agent_tell_failure(agent, NULL, NULL, N_("protection of the guard itself"),
                                   agent->protection_error);
        agent_settle_soon(agent);
}

const char *agent_protection_word(const Agent *agent) {
        static const char *const words[] = {
                N_("nothing: the policy does not ask for it"),
                N_("ok: processes and what is in the kernel"),
                N_("ok: state"),
                N_("ok: processes, what is in the kernel, and state"),
                N_("ok: policy files"),
                N_("ok: processes, what is in the kernel, and policy files"),
                N_("ok: state and policy files"),
                N_("ok: processes, what is in the kernel, state, and policy files"),
        };
        const bool *protects = agent->store.policy->protects;
        size_t which = 0;

        for (size_t i = 0; i < PROTECTIONS; i++)
                which |= (protects[i] ? 1U : 0U) << i;
        if (which == 0)
                return words[0];
        if (!agent->hooks)
                return N_("nothing: this kernel cannot; root can end and change the guard");
        if (!agent->stays)
                return N_("nothing: the service manager has not started the guard");
        if (agent->protection_error < 0)
                return N_("failed: it was not taken by the kernel");
        if (agent_is_monitor(agent))
                return N_("nothing: the guard only watches");
        if (agent->maintenance.until != 0)
                return N_("nothing: maintenance");
        return words[which];
}

/* maintenance */

static void tell(Agent *agent, EventKind kind, const TtyUser *by, pid_t pid, const char *cause) {
        const Maintenance *maintenance = &agent->maintenance;
        Record *record = agent_record(agent, kind);

        if (record) {
                record->uid = by->uid;
                record->loginuid = by->loginuid;
                record->pid = pid;
                record_set(record, TEXT_TERMINAL, by->tty);
                record_set(record, TEXT_PURPOSE, maintenance->reason);
                record_set(record, TEXT_CAUSE, cause);
                if (kind == EVENT_MAINTENANCE_STARTED)
                        record_setf(record, TEXT_MINUTES, "%llu",
                                    (unsigned long long)((maintenance->until - clock_boottime_usec() +
                                                          MINUTE_USEC / 2) /
                                                         MINUTE_USEC));
        }
        report_submit(agent->report, record);
}

static void end(Agent *agent, const TtyUser *by, pid_t pid, const char *cause) {
        int r = maintenance_drop(agent->settings.runtime_dir);

        if (r < 0) /* it is over all the same, but for an agent that starts before its time is up */
                agent_tell_failure(agent, NULL, NULL, N_("end of the maintenance"), r);
        tell(agent, EVENT_MAINTENANCE_ENDED, by, pid, cause);
        agent->maintenance = (Maintenance){0};
        agent->maintenance_end = sd_event_source_disable_unref(agent->maintenance_end);
        agent_update_protection(agent);
        agent_settle_soon(agent);
}

static int on_end(sd_event_source *source, uint64_t usec, void *userdata) {
        Agent *agent = userdata;
        TtyUser by = agent->maintenance.by;

        (void)source;
        (void)usec;
        end(agent, &by, 0, "time");
        return 0;
}

static int arm(Agent *agent) {
        agent->maintenance_end = sd_event_source_disable_unref(agent->maintenance_end);
        return sd_event_add_time(agent->event, &agent->maintenance_end, CLOCK_BOOTTIME,
                                 agent->maintenance.until, 1000, on_end, agent);
}

void agent_start_protection(Agent *agent) {
        int r = maintenance_read(agent->settings.runtime_dir, clock_boottime_usec(), &agent->maintenance);

        if (r == 1) /* also one whose end came while no agent ran: that is told at once */
                r = arm(agent);
        else /* none, or one that holds for nothing */
                (void)maintenance_drop(agent->settings.runtime_dir);
        if (r < 0) {
                agent->maintenance = (Maintenance){0};
                agent_tell_failure(agent, NULL, NULL, N_("maintenance"), r);
        }
        agent_update_protection(agent);
}

static int begin(Agent *agent, const Maintenance *maintenance) {
        int r = maintenance_write(agent->settings.runtime_dir, maintenance);

        if (r < 0)
                return r;
        agent->maintenance = *maintenance;
        r = arm(agent);
        if (r < 0) {
                (void)maintenance_drop(agent->settings.runtime_dir);
                agent->maintenance = (Maintenance){0};
                agent_update_protection(agent); /* one that was on has gone with it */
        }
        return r;
}

int agent_begin_maintenance(Agent *agent, pid_t pid, const char *reason, uint32_t minutes) {
        Maintenance maintenance = {0};
        int r = tty_user_read(pid, &maintenance.by);

        if (r < 0)
                return r;
        if (maintenance.by.uid != 0)
                return -EACCES;
        if (!tty_is_local(maintenance.by.tty))
                return -ENOTTY;
        if (minutes == 0 || minutes > MAINTENANCE_MINUTES_MAX || !maintenance_reason_is_good(reason))
                return -EINVAL;
        memcpy(maintenance.reason, reason, strlen(reason) + 1);
        maintenance.until = clock_boottime_usec() + minutes * MINUTE_USEC;
        r = begin(agent, &maintenance);
        if (r < 0)
                return r;
        tell(agent, EVENT_MAINTENANCE_STARTED, &maintenance.by, pid, NULL);
        agent_update_protection(agent);
        agent_settle_soon(agent);
        return agent->protection_error;
}

int agent_end_maintenance(Agent *agent, pid_t pid) {
        TtyUser by;
        int r;

        if (agent->maintenance.until == 0)
                return 0;
        r = tty_user_read(pid, &by);
        if (r < 0)
                return r;
        end(agent, &by, pid, "command");
        return 1;
}
