/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: the verdict on each, what the guard in force asks for, and the records of what became
 * of it. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "agent/note.h"
#include "policy/decide_interface.h"
#include "policy/scope.h"
#include "policy/translate.h"

static const char *or_null(const char *text) {
        return text[0] != '\0' ? text : NULL;
}

static InterfaceIdentity identity_of(const InterfaceFacts *facts) {
        return (InterfaceIdentity){.name = facts->name,
                                   .driver = or_null(facts->driver),
                                   .bus = or_null(facts->bus),
                                   .mac = or_null(facts->mac),
                                   .kind = facts->kind,
                                   .loopback = facts->loopback,
                                   .tunnel = facts->tunnel,
                                   .vendor = or_null(facts->vendor),
                                   .product = or_null(facts->product),
                                   .serial = or_null(facts->serial)};
}

static void judge(void *userdata, const InterfaceFacts *facts, OpenDecision *ret) {
        const Agent *agent = userdata;
        const InterfaceIdentity identity = identity_of(facts);

        decide_interface(agent->store.policy, &identity, ret);
}

static void describe(const Interface *interface, Record *record) {
        const InterfaceFacts *facts = &interface->facts;

        record_set(record, TEXT_NETWORK_INTERFACE, facts->name);
        record_set(record, TEXT_INTERFACE_KIND, interface_kind_to_string(facts->kind));
        record_set(record, TEXT_INTERFACE_DRIVER, or_null(facts->driver));
        record_set(record, TEXT_INTERFACE_MAC, or_null(facts->mac));
        if (facts->device[0] != '\0') {
                record_set(record, TEXT_DEVICE, strrchr(facts->device, '/') + 1);
                record_set(record, TEXT_DEVICE_VENDOR, or_null(facts->vendor));
                record_set(record, TEXT_DEVICE_PRODUCT, or_null(facts->product));
                record_set(record, TEXT_DEVICE_SERIAL, or_null(facts->serial));
                record_set(record, TEXT_DEVICE_BUS, or_null(facts->bus));
        }
}

/* Somebody has just plugged it in or had it made, or another policy holds, and it does not work. */
static bool is_for_seat(const Interface *interface, InterfaceChange change) {
        return (change == INTERFACE_FOUND || change == INTERFACE_REJUDGED) &&
               interface->decision.verdict == VERDICT_DENY &&
               (interface->facts.device[0] != '\0' || interface->facts.tunnel);
}

static void tell_verdict(Agent *agent, const Interface *interface, InterfaceChange change, const char *cause,
                         uint64_t count) {
        Record *record = agent_record(agent, EVENT_NETWORK_INTERFACE_VERDICT);

        if (record) {
                describe(interface, record);
                record_set(record, TEXT_VERDICT, verdict_to_string(interface->decision.verdict));
                record_set(record, TEXT_RULE, interface->decision.rule);
                record_set(record, TEXT_RULE_ORIGIN, interface->decision.origin);
                record_set(record, TEXT_REASON, reason_to_string(interface->decision.reason));
                record_set(record, TEXT_CAUSE, cause);
                record_set(record, TEXT_MODE, agent_is_monitor(agent) ? "monitor" : NULL);
                record->count = count;
                record->for_seat = is_for_seat(interface, change);
        }
        report_submit(agent->report, record);
}

static void tell_failure(Agent *agent, const Interface *interface, int error) {
        Record *record = agent_record(agent, EVENT_NETWORK_FAILED);

        if (record) {
                if (interface)
                        describe(interface, record);
                record_set(record, TEXT_ERROR, strerror(-error));
        }
        report_submit(agent->report, record);
}

static int add_approved(void *userdata, const Interface *interface) {
        const InterfaceFacts *facts = &interface->facts;

        if (facts->kind == INTERFACE_ETHERNET && facts->device[0] != '\0' &&
            interface->decision.verdict == VERDICT_ALLOW)
                fprintf(userdata, "%s %s\n", facts->device, facts->mac);
        return 0;
}

/* For udev's helper at the next start of the machine, should there be no agent. */
static void note_approved(const Agent *agent) {
        CLEANUP_FREE char *path = NULL, *list = NULL;
        char before[LINKS_APPROVED_MAX];
        size_t size = 0;
        ssize_t n;
        FILE *f;

        if (!agent->interfaces || asprintf(&path, "%s/" LINKS_APPROVED, agent->settings.state_dir) < 0)
                return;
        f = open_memstream(&list, &size);
        if (!f)
                return;
        (void)interfaces_foreach(agent->interfaces, add_approved, f);
        if (fclose(f) != 0)
                return;
        n = file_read_small(AT_FDCWD, path, before, sizeof(before));
        if (n >= 0 && size > 0 && (size_t)n == size - 1 && memcmp(before, list, (size_t)n) == 0)
                return;                             /* reading drops the last newline */
        (void)file_replace(path, list, size, 0600); /* else they wait for the agent */
}

/* What the terminal has of its own and nobody refuses is no news. */
static bool is_news(const Interface *interface) {
        return interface->decision.verdict == VERDICT_DENY || interface->facts.device[0] != '\0';
}

static void on_changed(void *userdata, const Interface *interface, InterfaceChange change) {
        Agent *agent = userdata;
        bool guarded = agent->store.policy->network_given;

        agent_settle_soon(agent);
        if (!guarded)
                return;
        switch (change) {
        case INTERFACE_FOUND:
                note_approved(agent);
                if (is_news(interface))
                        tell_verdict(agent, interface, change, "found", 1);
                break;
        case INTERFACE_REJUDGED:
                note_approved(agent);
                tell_verdict(agent, interface, change, "judged-anew", 1);
                break;
        case INTERFACE_RAISED:
                tell_verdict(agent, interface, change, "set-up", interface->raised);
                break;
        case INTERFACE_MOVED:
                if (interface->facts.device[0] != '\0')
                        tell_verdict(agent, interface, change, "moved-to-a-namespace", 1);
                break;
        case INTERFACE_GONE:
                return;
        }
        if (interface->enforcement < 0)
                tell_failure(agent, interface, interface->enforcement);
}

static void on_lost(void *userdata, int error) {
        Agent *agent = userdata;

        report_submit(agent->report, agent_record(agent, EVENT_NETWORK_GUARD_LOST));
        if (error < 0)
                tell_failure(agent, NULL, error);
}

static InterfacesMode mode_of(const Agent *agent) {
        return !agent_guards_network(agent) || !agent->store.policy->network_given ? INTERFACES_OFF
               : agent_is_monitor(agent)                                           ? INTERFACES_MONITOR
                                                                                   : INTERFACES_ENFORCE;
}

/* For udev's helper, which holds what can be plugged in while nobody judges it: this terminal's policy does
 * not ask for that. */
static int note_mode(const Agent *agent, InterfacesMode mode) {
        char path[PATH_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/" LINKS_NOT_GUARDED, agent->settings.state_dir) >=
            sizeof(path))
                return -ENAMETOOLONG;
        if (mode != INTERFACES_ENFORCE)
                return access(path, F_OK) == 0 ? 0 : file_replace(path, "", 0, 0600);
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

void agent_update_links(Agent *agent) {
        const InterfacesCallbacks callbacks = {
                .judge = judge, .changed = on_changed, .lost = on_lost, .userdata = agent};
        InterfacesMode mode = mode_of(agent);
        int r;

        if (!agent_guards_network(agent))
                return;
        r = note_mode(agent, mode);
        if (r < 0 && mode != INTERFACES_OFF)
                tell_failure(agent, NULL, r);
        if (agent->interfaces) {
                (void)interfaces_rejudge(agent->interfaces, mode); /* what failed was told with each */
                return;
        }
        agent->interfaces_error = interfaces_new(agent->event, "/sys", agent->settings.runtime_dir, mode,
                                                 &callbacks, &agent->interfaces);
        if (mode != INTERFACES_OFF)
                note_approved(agent);
        if (agent->interfaces_error < 0 && mode != INTERFACES_OFF)
                tell_failure(agent, NULL, agent->interfaces_error);
}

void agent_stop_links(Agent *agent) {
        if (agent->interfaces && !lsm_is_unit()) /* one that was started by hand leaves nothing */
                (void)interfaces_rejudge(agent->interfaces, INTERFACES_OFF);
        agent->interfaces = interfaces_free(agent->interfaces);
}

/* status */

static void put(struct json_object *to, const char *key, const char *value) {
        json_object_object_add(to, key, value ? json_object_new_string(value) : NULL);
}

static int add_interface(void *userdata, const Interface *interface) {
        struct json_object *object = json_object_new_object();
        const InterfaceFacts *facts = &interface->facts;

        put(object, "name", facts->name);
        put(object, "kind", interface_kind_to_string(facts->kind));
        put(object, "driver", or_null(facts->driver));
        put(object, "bus", or_null(facts->bus));
        put(object, "mac", or_null(facts->mac));
        put(object, "vendor", or_null(facts->vendor));
        put(object, "product", or_null(facts->product));
        put(object, "serial", or_null(facts->serial));
        put(object, "verdict", verdict_to_string(interface->decision.verdict));
        put(object, "reason", reason_to_string(interface->decision.reason));
        put(object, "rule", interface->decision.rule);
        put(object, "origin", interface->decision.origin);
        json_object_object_add(object, "up", json_object_new_boolean((interface->link.flags & IFF_UP) != 0));
        put(object, "error", interface->enforcement < 0 ? strerror(-interface->enforcement) : NULL);
        json_object_array_add(userdata, object);
        return 0;
}

struct json_object *agent_links_object(const Agent *agent) {
        struct json_object *array = json_object_new_array();

        if (agent->interfaces)
                (void)interfaces_foreach(agent->interfaces, add_interface, array);
        return array;
}
