/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent is and enforces, as one JSON file that is replaced whole: sekishoctl reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "agent/host.h"
#include "policy/scope.h"
#include "policy/translate.h"

static void put(struct json_object *to, const char *key, const char *value) {
        json_object_object_add(to, key, value ? json_object_new_string(value) : NULL);
}

static void put_number(struct json_object *to, const char *key, int64_t value) {
        json_object_object_add(to, key, json_object_new_int64(value));
}

static void put_flag(struct json_object *to, const char *key, bool value) {
        json_object_object_add(to, key, json_object_new_boolean(value));
}

static void put_decision(struct json_object *to, const Decision *decision, bool block) {
        put(to, "access", agent_verdict_word(decision, block));
        put_flag(to, "conditional", decision->conditional);
        put_flag(to, "monitor", decision->monitor);
        put(to, "reason", reason_to_string(decision->reason));
        put(to, "rule", decision->rule);
        put(to, "origin", decision->origin);
}

typedef struct DeviceList {
        const Agent *agent;
        struct json_object *array;
} DeviceList;

static int add_device(void *userdata, const Device *device) {
        const DeviceList *list = userdata;
        struct json_object *object, *classes;
        const DeviceIdentity *id = &device->id;

        if (agent_self_test_owns(list->agent, id))
                return 0;
        object = json_object_new_object();
        classes = json_object_new_array();

        put(object, "name", id->name);
        put(object, "syspath", device->syspath);
        put_flag(object, "block", device->block);
        put(object, "bus", device_bus_to_string(id->bus));
        put(object, "vendor", id->vendor);
        put(object, "product", id->product);
        put(object, "serial", id->serial);
        put(object, "vendor_name", id->vendor_name);
        put(object, "product_name", id->product_name);
        put_flag(object, "external", device->decision.external);
        put_decision(object, &device->decision, device->block);
        put_flag(object, "enforced", device->enforcement == 0);
        put(object, "error", device->enforcement < 0 ? strerror(-device->enforcement) : NULL);
        for (size_t i = 0; i < id->n_interfaces; i++)
                json_object_array_add(classes, json_object_new_int(id->interface_classes[i]));
        json_object_object_add(object, "interfaces", classes);
        json_object_array_add(list->array, object);
        return 0;
}

static int add_superblock(void *userdata, const Superblock *sb) {
        struct json_object *object;
        char number[32];

        if (sb->guard == GUARD_NONE && sb->identity.kind == SUPERBLOCK_KERNEL)
                return 0;
        object = json_object_new_object();
        snprintf(number, sizeof(number), "%u:%u", major(sb->identity.devnum), minor(sb->identity.devnum));
        put(object, "device", number);
        put(object, "fstype", sb->fstype);
        put(object, "source", sb->source);
        put(object, "mount", sb->mount);
        put(object, "kind", superblock_kind_to_string(sb->identity.kind));
        put_decision(object, &sb->decision, true);
        put(object, "guard", guard_to_string(sb->guard));
        put(object, "error", sb->error < 0 ? strerror(-sb->error) : NULL);
        json_object_array_add(userdata, object);
        return 0;
}

/* Who signed it and, where minisign says so, when: by that a terminal that hears nothing new knows how old
 * what it has is. */
static void put_signature(struct json_object *object, const PolicyStore *store) {
        static const char word[] = "timestamp:";
        const Policy *policy = store->policy;
        char id[20];

        put_flag(object, "signing_required", store->floor.signing_required);
        if (policy->expires != 0)
                put_number(object, "expires", policy->expires);
        if (!policy->signature)
                return;
        snprintf(id, sizeof(id), "%" PRIX64, policy->signature->id);
        put(object, "key", id);
        put(object, "comment", policy->signature->comment);
        if (strncmp(policy->signature->comment, word, strlen(word)) == 0)
                put_number(object, "signed", strtoll(policy->signature->comment + strlen(word), NULL, 10));
}

static struct json_object *policy_object(const PolicyStore *store) {
        struct json_object *object = json_object_new_object(), *refused = NULL;

        json_object_object_add(object, "serial", json_object_new_uint64(store->policy->serial));
        put(object, "path", store->path);
        put_flag(object, "builtin", store->builtin);
        put_number(object, "loaded", store->loaded);
        put_signature(object, store);
        if (store->refused != 0) {
                struct json_object *faults = json_object_new_array();

                for (size_t i = 0; i < store->faults.n; i++) {
                        const PolicyFault *fault = &store->faults.items[i];
                        char text[1024];

                        snprintf(text, sizeof(text), "%s:%zu:%zu: %s", fault->file, fault->line,
                                 fault->column, fault->message);
                        json_object_array_add(faults, json_object_new_string(text));
                }
                refused = json_object_new_object();
                put_number(refused, "time", store->refused);
                json_object_object_add(refused, "faults", faults);
        }
        json_object_object_add(object, "refused", refused);
        return object;
}

/* What the policy asks for, whether it holds now, and the maintenance that lifts it. */
static struct json_object *self_protection_object(const Agent *agent) {
        struct json_object *object = json_object_new_object(), *maintenance = NULL;
        uint64_t now = clock_boottime_usec();
        const Maintenance *current = &agent->maintenance;

        for (int i = 0; i < PROTECTIONS; i++)
                put_flag(object, protected_to_string((Protected)i), agent->store.policy->protects[i]);
        put_flag(object, "holds",
                 agent->hooks && agent->protection_error == 0 && !agent_is_monitor(agent) &&
                         current->until == 0);
        if (current->until > now) {
                maintenance = json_object_new_object();
                put_number(maintenance, "until", time(NULL) + (int64_t)((current->until - now) / 1000000));
                put(maintenance, "reason", current->reason);
                put(maintenance, "terminal", current->by.tty);
                put_number(maintenance, "loginuid",
                           current->by.loginuid == (uid_t)-1 ? -1 : (int64_t)current->by.loginuid);
        }
        json_object_object_add(object, "maintenance", maintenance);
        return object;
}

/* NULL if there is none. */
static struct json_object *lockdown_object(const Agent *agent) {
        const Lockdown *lockdown = &agent->lockdown;
        struct json_object *object;

        if (!agent_is_locked_down(agent))
                return NULL;
        object = json_object_new_object();
        put(object, "cause",
            agent->lockdown_error > 0   ? "command"
            : agent->lockdown_error < 0 ? "unreadable"
                                        : "policy");
        put(object, "origin", agent->store.policy->lockdown ? agent->store.policy->lockdown_origin : NULL);
        put_flag(object, "enforced", !agent_is_monitor(agent));
        if (agent->lockdown_error > 0) {
                put_number(object, "since", lockdown->since);
                put(object, "reason", lockdown->reason);
                put(object, "terminal", lockdown->by.tty);
                put_number(object, "uid", lockdown->by.uid);
                put_number(object, "loginuid",
                           lockdown->by.loginuid == (uid_t)-1 ? -1 : (int64_t)lockdown->by.loginuid);
        }
        return object;
}

static struct json_object *mechanisms_object(const Agent *agent) {
        struct json_object *object = json_object_new_object();
        char text[128] = "", lsm[LSM_WHY + 32], tpm[TPM_WORD_MAX];

        put(object, "fanotify", N_("ok: permission events, asked by thread"));
        put(object, "open-mode",
            access("/proc/self/stack", R_OK) == 0
                    ? N_("ok: registers and kernel stack")
                    : N_("no kernel stacks: every open on a guarded volume counts as a write"));
        put(object, "device-nodes",
            agent->hooks ? N_("ok: asked at the kernel's security hooks")
            : agent->lsm ? N_("ok: asked by the control group of all processes, for reading as well")
            : nodes_have_gates(agent->nodes)
                    ? N_("ok: permission events")
                    : N_("this kernel asks nobody about special files: raw writes are refused by the "
                         "read-only flag, and told by audit"));
        put(object, "mounts",
            host_can_be_seen()
                    ? N_("ok: those of the first process")
                    : N_("the first process cannot be looked at: those of the agent's namespace"));
        snprintf(lsm, sizeof(lsm), "%s: %s", N_("this kernel cannot"), agent->lsm_why);
        put(object, "lsm",
            agent->hooks ? N_("ok: changes are refused at the kernel's security hooks") : lsm);
        put(object, "self-protection", agent_protection_word(agent));
        put(object, "network", agent_network_word(agent));
        put(object, "network-callers", agent_callers_word(agent));
        put(object, "tpm", agent_tpm_word(agent, tpm));
        put(object, "udev", "ok");
        put(object, "block-read-only", "ok");
        if (!agent->audit || agent->audit_error < 0)
                snprintf(text, sizeof(text), "off: %s", strerror(-agent->audit_error));
        put(object, "audit",
            agent->hooks ? N_("ok: not needed, attempts are told by the kernel's security hooks")
            : text[0]    ? text
                         : N_("ok: attempts on read-only volumes are recorded"));
        put(object, "keeper", agent->keeper ? "ok" : "off");
        put(object, "bus",
            bus_service_is_up(agent->bus) ? N_("ok: answers on the system bus")
                                          : N_("waiting: there is no system bus that lets the guard in"));
        return object;
}

static struct json_object *counters_object(const Agent *agent) {
        ReportCounters counters = report_counters(agent->report);
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "denied", json_object_new_uint64(counters.denied));
        json_object_object_add(object, "records", json_object_new_uint64(counters.written));
        json_object_object_add(object, "folded", json_object_new_uint64(counters.folded));
        json_object_object_add(object, "lost", json_object_new_uint64(counters.overflowed));
        json_object_object_add(object, "untold", json_object_new_uint64(bus_service_untold(agent->bus)));
        if (agent->audit)
                json_object_object_add(object, "audit_lost",
                                       json_object_new_uint64(audit_lost(agent->audit)));
        return object;
}

static char *text_of(struct json_object *object) {
        const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                                          JSON_C_TO_STRING_NOSLASHESCAPE);
        char *copy = text ? strdup(text) : NULL;

        json_object_put(object);
        return copy;
}

/* What is not over and done with: NULL if memory is short. */
static struct json_object *grants_object(const Agent *agent) {
        CLEANUP_FREE char *text = agent_grants_text(agent);
        struct json_object *book = text ? json_tokener_parse(text) : NULL, *permits = NULL;

        if (book && json_object_object_get_ex(book, "permits", &permits))
                json_object_get(permits);
        json_object_put(book);
        return permits;
}

char *agent_status_text(Agent *agent) {
        struct json_object *object = json_object_new_object(), *devices = json_object_new_array(),
                           *superblocks = json_object_new_array();

        put(object, "version", SEKISHO_VERSION);
        put_number(object, "pid", getpid());
        put_number(object, "started", agent->started);
        put(object, "mode", agent_is_monitor(agent) ? "monitor" : "enforce");
        put(object, "zone", policy_zone_to_string(agent->store.policy->zone));
        put(object, "contact", agent->store.policy->contact);
        json_object_object_add(object, "policy", policy_object(&agent->store));
        json_object_object_add(object, "mechanisms", mechanisms_object(agent));
        json_object_object_add(object, "self_protection", self_protection_object(agent));
        json_object_object_add(object, "lockdown", lockdown_object(agent));
        put_number(object, "keep_days", agent->store.policy->records_keep_days);
        json_object_object_add(object, "grants", grants_object(agent));
        json_object_object_add(object, "self_test", agent_self_test_object(agent));
        (void)devices_foreach(agent->devices, add_device, &(DeviceList){agent, devices});
        json_object_object_add(object, "monitor", agent_monitored_object(agent));
        (void)superblocks_foreach(agent->superblocks, add_superblock, superblocks);
        json_object_object_add(object, "devices", devices);
        json_object_object_add(object, "superblocks", superblocks);
        json_object_object_add(object, "interfaces", agent_links_object(agent));
        json_object_object_add(object, "counters", counters_object(agent));
        return text_of(object);
}

static int add_external_device(void *userdata, const Device *device) {
        return device->decision.external ? add_device(userdata, device) : 0;
}

char *agent_devices_text(Agent *agent) {
        struct json_object *devices = json_object_new_array();

        (void)devices_foreach(agent->devices, add_external_device, &(DeviceList){agent, devices});
        return text_of(devices);
}

int agent_write_status(Agent *agent) {
        CLEANUP_FREE char *text = agent_status_text(agent);

        return text ? file_replace(agent->status_path, text, strlen(text), 0600) : -ENOMEM;
}
