/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the policy is only tried out: told when it begins and ends, and at each start of the agent. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "policy/monitor.h"
#include "policy/scope.h"
#include "policy/translate.h"

static time_t now(const Agent *agent) {
        PolicyTime time = {0};

        (void)clock_policy_time(&agent->clock, &time); /* fails for no clock that counts seconds */
        return time.expiry_now;
}

static void put_until(Record *record, time_t until) {
        struct tm local;
        char text[32];

        if (until != 0 && localtime_r(&until, &local) &&
            strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local) > 0)
                record_set(record, TEXT_EXPIRES, text);
}

static void tell(Agent *agent, EventKind kind, const Monitoring *a, const Monitoring *b) {
        MonitoringChange change;
        Record *record;

        if (monitoring_compare(a, b, agent->store.policy, now(agent), &change) < 0) {
                report_submit(agent->report, NULL);
                return;
        }
        if (change.n > 0) {
                record = agent_record(agent, kind);
                if (record) {
                        record->count = change.n;
                        record_set(record, TEXT_RULE, change.names);
                        if (kind == EVENT_MONITOR_STARTED)
                                put_until(record, change.until);
                        record_set(record, TEXT_MODE, kind == EVENT_MONITOR_STARTED ? "monitor" : "enforce");
                }
                report_submit(agent->report, record);
        }
        free(change.names);
}

void agent_follow_monitoring(Agent *agent) {
        Monitoring present;

        if (monitoring_read(agent->store.policy, now(agent), agent->settings.monitor, &present) < 0) {
                agent_tell_failure(agent, NULL, NULL, N_("list of what is only recorded"), -ENOMEM);
                return;
        }
        tell(agent, EVENT_MONITOR_STARTED, &present, &agent->monitoring);
        tell(agent, EVENT_MONITOR_ENDED, &agent->monitoring, &present);
        monitoring_clear(&agent->monitoring);
        agent->monitoring = present;
}

static int add_monitored(void *userdata, const Monitored *monitored) {
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "rule", json_object_new_string(monitored->name));
        json_object_object_add(object, "origin",
                               monitored->origin ? json_object_new_string(monitored->origin) : NULL);
        json_object_object_add(object, "until",
                               monitored->until ? json_object_new_int64(monitored->until) : NULL);
        json_object_array_add(userdata, object);
        return 0;
}

struct json_object *agent_monitored_object(const Agent *agent) {
        struct json_object *list = json_object_new_array();

        (void)policy_foreach_monitored(agent->store.policy, now(agent), add_monitored, list);
        return list;
}
