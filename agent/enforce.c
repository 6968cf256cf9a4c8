/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between policy and enforcers: verdicts out, changes in. Nothing here decides or enforces by itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "policy/decide.h"
#include "policy/monitor.h"
#include "policy/scope.h"
#include "policy/translate.h"

static PolicyTime now(const Agent *agent) {
        PolicyTime time = {0};

        (void)clock_policy_time(&agent->clock, &time); /* fails for no clock that counts seconds */
        return time;
}

bool agent_is_monitor(const Agent *agent) {
        PolicyTime time = now(agent);

        return agent->settings.monitor ||
               (policy_is_monitor(agent->store.policy, time.expiry_now) && !agent_is_locked_down(agent));
}

bool agent_only_records(const Agent *agent, const Decision *decision) {
        return decision->monitor || agent_is_monitor(agent);
}

Record *agent_record(const Agent *agent, EventKind kind) {
        Record *record = record_new(kind);

        if (record && agent->store.policy)
                record->policy_serial = agent->store.policy->serial;
        return record;
}

const char *agent_verdict_word(const Decision *decision, bool block) {
        if (block)
                return access_to_string(decision->access);
        return verdict_to_string(decision->access == ACCESS_DENY ? VERDICT_DENY : VERDICT_ALLOW);
}

static void set_decision(Record *record, const Decision *decision, bool block) {
        record_set(record, TEXT_VERDICT, agent_verdict_word(decision, block));
        record_set(record, TEXT_RULE, decision->rule);
        record_set(record, TEXT_RULE_ORIGIN, decision->origin);
        record_set(record, TEXT_REASON, reason_to_string(decision->reason));
}

void agent_tell_failure(Agent *agent, const DeviceIdentity *device, const char *mount, const char *what,
                        int error) {
        Record *record = agent_record(agent, EVENT_ENFORCEMENT_FAILED);

        if (record) {
                record_set_device(record, device);
                record_set(record, TEXT_MOUNT, mount);
                record_set(record, TEXT_VERDICT, what);
                record_set(record, TEXT_ERROR, strerror(-error));
        }
        report_submit(agent->report, record);
}

/* devices */

static void judge_device(void *userdata, const DeviceIdentity *id, Decision *ret) {
        Agent *agent = userdata;
        PolicyTime time = now(agent);

        if (agent_self_test_owns(agent, id)) {
                agent_self_test_judge(agent, id, &time, ret);
                return;
        }
        decide_device(agent->store.policy, id, &time, ret);
}

static void judge_interface(void *userdata, const DeviceIdentity *id, uint8_t class, Decision *ret) {
        Agent *agent = userdata;
        PolicyTime time = now(agent);

        decide_usb_interface(agent->store.policy, id, class, &time, ret);
}

/* Of the device and what it stands on, the one that its decision is about. */
const DeviceIdentity *agent_deciding_identity(Agent *agent, const Device *device) {
        const DeviceIdentity *strictest = &device->id;
        Decision decision, other;

        judge_device(agent, &device->id, &decision);
        for (size_t i = 0; i < device->n_bottom; i++) {
                judge_device(agent, &device->bottom[i], &other);
                if (decision_is_stricter(&other, &decision)) {
                        decision = other;
                        strictest = &device->bottom[i];
                }
        }
        return strictest;
}

/* RAW is the disk whose nodes are meant, NULL for a file system. */
Volume *agent_make_volume(Agent *agent, const SuperblockIdentity *id, const char *mount, const Device *raw) {
        VolumeSettings settings = {.policy = agent->store.policy,
                                   .clock = &agent->clock,
                                   .identity = *id,
                                   .mount = mount,
                                   .raw = raw != NULL,
                                   .quiet = raw && agent_self_test_owns(agent, &raw->id),
                                   .monitor = agent_is_monitor(agent)};
        Volume *volume = NULL;

        if (raw) {
                memcpy(settings.closed, raw->closed, sizeof(settings.closed));
                settings.n_closed = raw->n_closed;
        }
        return volume_new(&settings, &volume) < 0 ? NULL : volume;
}

static void drop_nodes(Agent *agent, const Device *device) {
        if (nodes_gate(agent->nodes, device->id.devnum))
                (void)keeper_gate_gone(agent->keeper, device->id.devnum, true);
        nodes_release(agent->nodes, device->id.devnum);
        (void)keeper_disk(agent->keeper, device->id.devnum, false);
}

static int guard_nodes(Agent *agent, const Device *device) {
        SuperblockIdentity identity = {.kind = SUPERBLOCK_BLOCK,
                                       .devnum = device->id.devnum,
                                       .device = agent_deciding_identity(agent, device)};
        Volume *volume = agent_make_volume(agent, &identity, NULL, device);
        int r;

        if (!volume)
                return -ENOMEM;
        r = nodes_guard(agent->nodes, device->id.devnum, device->syspath, volume);
        volume_unref(volume);
        if (r == 0 && nodes_gate(agent->nodes, device->id.devnum) &&
            !agent_only_records(agent, &device->decision))
                r = keeper_gate(agent->keeper, device->id.devnum, true,
                                nodes_gate(agent->nodes, device->id.devnum), &identity, NULL,
                                agent->store.policy->serial);
        if (r == 0)
                r = keeper_disk(agent->keeper, device->id.devnum,
                                (device->decision.conditional || device->n_closed > 0) &&
                                        !agent_only_records(agent, &device->decision) && !agent->hooks);
        return r;
}

static void tell_device(Agent *agent, const Device *device, EventKind kind) {
        Record *record = agent_record(agent, kind);
        bool verdict = kind == EVENT_DEVICE_VERDICT;

        if (record) {
                record_set_device(record, &device->id);
                if (verdict)
                        set_decision(record, &device->decision, device->block);
                record->for_seat = verdict && device->decision.access == ACCESS_DENY;
                if (agent_only_records(agent, &device->decision))
                        record_set(record, TEXT_MODE, "monitor");
        }
        report_submit(agent->report, record);
}

static bool needs_guard(const Decision *decision) {
        return decision->external && (decision->access != ACCESS_WRITE || decision->conditional);
}

/* Who has its nodes open for writing keeps them: those of them who may not, or no more, are ended. */
static void end_raw_writers(Agent *agent, const Device *device) {
        if (device->block && device->decision.access == ACCESS_WRITE && device->decision.conditional &&
            !agent_only_records(agent, &device->decision))
                agent_end_raw_writers(agent, device);
}

static void on_judged(void *userdata, const Device *device) {
        agent_backstop_device(userdata, device);
}

static void on_device(void *userdata, const Device *device, DeviceChange change) {
        Agent *agent = userdata;
        int r = 0;

        if (change == DEVICE_DETACHED) {
                agent_backstop_forget_device(agent, device);
                agent_grants_unplugged(agent, &device->id);
        }
        if (change == DEVICE_ATTACHED)
                agent_grants_plugged(agent, &device->id);
        if (device->block && change != DEVICE_DETACHED && needs_guard(&device->decision))
                r = guard_nodes(agent, device);
        else if (device->block)
                drop_nodes(agent, device);
        agent_settle_soon(agent);
        if (!device->decision.external && change != DEVICE_REJUDGED && change != DEVICE_UNLOCKED)
                return; /* the terminal's own disks are no news */
        if (agent_self_test_owns(agent, &device->id))
                return; /* nor is the one of the self-test */
        switch (change) {
        case DEVICE_ATTACHED:
                tell_device(agent, device, EVENT_DEVICE_ATTACHED);
                tell_device(agent, device, EVENT_DEVICE_VERDICT);
                break;
        case DEVICE_REJUDGED:
                tell_device(agent, device, EVENT_DEVICE_VERDICT);
                break;
        case DEVICE_UNLOCKED:
                break;
        case DEVICE_DETACHED:
                tell_device(agent, device, EVENT_DEVICE_DETACHED);
                return;
        }
        if (device->enforcement < 0)
                agent_tell_failure(agent, &device->id, NULL, access_to_string(device->decision.access),
                                   device->enforcement);
        if (r < 0)
                agent_tell_failure(agent, &device->id, NULL, N_("gate on device nodes"), r);
        end_raw_writers(agent, device);
}

static int follow_device(void *userdata, const Device *device) {
        Agent *agent = userdata;
        int r = device->block && needs_guard(&device->decision) ? guard_nodes(agent, device) : 0;

        if (r < 0 && r != -ENODEV) /* gone: that is told soon */
                agent_tell_failure(agent, &device->id, NULL, N_("gate on device nodes"), r);
        end_raw_writers(agent, device);
        return 0;
}

void agent_nodes_follow(Agent *agent) {
        (void)devices_foreach(agent->devices, follow_device, agent);
}

static void on_interface(void *userdata, const DeviceIdentity *id, const char *interface, uint8_t class,
                         const Decision *decision, int enforcement) {
        Agent *agent = userdata;
        Record *record = agent_record(agent, EVENT_INTERFACE_VERDICT);

        if (record) {
                record_set_device(record, id);
                record_setf(record, TEXT_INTERFACE, "%s class %02x", interface, class);
                set_decision(record, decision, false);
                record_set(record, TEXT_MODE, agent_only_records(agent, decision) ? "monitor" : NULL);
                record->for_seat = decision->access == ACCESS_DENY;
        }
        report_submit(agent->report, record);
        if (enforcement < 0)
                agent_tell_failure(agent, id, NULL, N_("USB interface authorisation"), enforcement);
        agent_settle_soon(agent);
}

DevicesCallbacks agent_devices_callbacks(Agent *agent) {
        return (DevicesCallbacks){.judge = judge_device,
                                  .judge_interface = judge_interface,
                                  .judged = on_judged,
                                  .changed = on_device,
                                  .interface_changed = on_interface,
                                  .userdata = agent};
}

/* superblocks */

static void judge_superblock(void *userdata, const SuperblockIdentity *id, Decision *ret) {
        Agent *agent = userdata;
        PolicyTime time = now(agent);

        decide_superblock(agent->store.policy, id, &time, ret);
}

static Volume *volume_of_superblock(void *userdata, const SuperblockIdentity *id, const char *mount) {
        return agent_make_volume(userdata, id, mount, NULL);
}

/* Outside, and for somebody to write to. */
static bool labels(void *userdata, const Superblock *sb) {
        const Agent *agent = userdata;

        return agent->store.policy->n_assets > 0 && sb->decision.external &&
               sb->decision.access == ACCESS_WRITE;
}

static const Device *find_device(void *userdata, dev_t devnum) {
        return devices_find_block(((Agent *)userdata)->devices, devnum);
}

static void describe_superblock(const Superblock *sb, Record *record) {
        record_set_device(record, sb->identity.device);
        record_set(record, TEXT_FSTYPE, sb->fstype);
        record_set(record, TEXT_MOUNT, sb->mount);
}

static void on_superblock(void *userdata, const Superblock *sb) {
        Agent *agent = userdata;
        Record *record = agent_record(agent, sb->guard == GUARD_NONE ? EVENT_SUPERBLOCK_RELEASED
                                                                     : EVENT_SUPERBLOCK_GUARDED);

        if (record) {
                describe_superblock(sb, record);
                set_decision(record, &sb->decision, true);
                record_set(record, TEXT_MODE, sb->watched ? "monitor" : NULL);
        }
        report_submit(agent->report, record);
        agent_grants_follow(agent, sb);
        if (sb->error < 0)
                agent_tell_failure(agent, sb->identity.device, sb->mount,
                                   sb->guard == GUARD_FAILED ? access_to_string(sb->decision.access)
                                                             : "gate",
                                   sb->error);
        agent_settle_soon(agent);
}

static void on_late_writer(void *userdata, const Superblock *sb, pid_t pid, bool mapped, const char *path) {
        Agent *agent = userdata;
        Record *record = agent_record(agent, EVENT_LATE_WRITER);

        if (record) {
                Opener opener;

                (void)opener_read(pid, &opener); /* it may be gone: then only its number is told */
                opener_describe(&opener, record);
                record->pid = pid;
                record->operation = mapped ? OPERATION_MAPPED_BEFORE : OPERATION_OPENED_BEFORE;
                describe_superblock(sb, record);
                set_decision(record, &sb->decision, true);
                record_set(record, TEXT_PATH, path);
        }
        report_submit(agent->report, record);
}

static void on_gate_made(void *userdata, const Superblock *sb, Volume *volume) {
        Agent *agent = userdata;

        (void)volume;
        if (sb->watched)
                return;
        if (keeper_gate(agent->keeper, sb->identity.devnum, false, sb->gate, &sb->identity, sb->mount,
                        agent->store.policy->serial) < 0)
                agent_tell_failure(agent, sb->identity.device, sb->mount, N_("keeping of the gate"), -EPIPE);
}

static void on_gate_gone(void *userdata, const Superblock *sb) {
        Agent *agent = userdata;

        if (agent->keeper) /* else it has taken over */
                (void)keeper_gate_gone(agent->keeper, sb->identity.devnum, false);
        agent_settle_soon(agent);
}

SuperblocksCallbacks agent_superblocks_callbacks(Agent *agent) {
        return (SuperblocksCallbacks){.judge = judge_superblock,
                                      .volume = volume_of_superblock,
                                      .find_device = find_device,
                                      .labels = labels,
                                      .hold = agent_backstop_superblock,
                                      .is_held = agent_backstop_holds,
                                      .let_go = agent_backstop_let_go,
                                      .changed = on_superblock,
                                      .late_writer = on_late_writer,
                                      .gate_made = on_gate_made,
                                      .gate_gone = on_gate_gone,
                                      .userdata = agent};
}

/* the keeper */

static int keep_device(void *userdata, const Device *device) {
        Agent *agent = userdata;

        if (device->block && needs_guard(&device->decision) && guard_nodes(agent, device) < 0)
                agent_tell_failure(agent, &device->id, NULL, N_("keeping of the gate"), -EPIPE);
        return 0;
}

static int keep_superblock(void *userdata, const Superblock *sb) {
        if (sb->gate)
                on_gate_made(userdata, sb, NULL);
        return 0;
}

void agent_on_keeper_restarted(void *userdata) {
        Agent *agent = userdata;

        agent_tell_failure(agent, NULL, NULL, N_("the keeper ended and was started anew"), -EPIPE);
        agent_update_protection(agent);
        if (agent->devices)
                (void)devices_foreach(agent->devices, keep_device, agent);
        if (agent->superblocks)
                (void)superblocks_foreach(agent->superblocks, keep_superblock, agent);
}

/* what the kernel itself refused */

typedef struct Sealed {
        dev_t *devnums;
        size_t n;
        char **nodes;
        size_t n_nodes;
        const Agent *agent;
} Sealed;

static int collect_sealed(void *userdata, const Superblock *sb) {
        Sealed *sealed = userdata;
        dev_t *grown;

        if (sb->guard != GUARD_READ_ONLY && sb->guard != GUARD_GATE_READ_ONLY)
                return 0;
        grown = reallocarray(sealed->devnums, sealed->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        sealed->devnums = grown;
        sealed->devnums[sealed->n++] = sb->identity.devnum;
        return 0;
}

/* A node that has a gate is told of by that; one on which some may write is not refused by the kernel. */
static int collect_node(void *userdata, dev_t disk, const char *path) {
        Sealed *sealed = userdata;
        const Volume *volume = nodes_volume(sealed->agent->nodes, disk);
        char **grown;

        if (sealed->agent->lsm || nodes_gate(sealed->agent->nodes, disk) || !volume ||
            volume_asks_subject(volume) || volume_is_monitor(volume))
                return 0;
        grown = reallocarray(sealed->nodes, sealed->n_nodes + 1, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        sealed->nodes = grown;
        sealed->nodes[sealed->n_nodes] = strdup(path);
        return sealed->nodes[sealed->n_nodes++] ? 0 : -ENOMEM;
}

void agent_update_audit(Agent *agent) {
        Sealed sealed = {.agent = agent};
        int r;

        if (agent_backstop_tells(agent)) { /* with names, and for less */
                if (agent->audit)
                        (void)audit_watch(agent->audit, NULL, 0, NULL, 0);
                return;
        }
        if (!agent->audit)
                return;
        r = superblocks_foreach(agent->superblocks, collect_sealed, &sealed);
        if (r == 0)
                r = nodes_foreach(agent->nodes, collect_node, &sealed);
        if (r == 0)
                r = audit_watch(agent->audit, sealed.devnums, sealed.n, sealed.nodes, sealed.n_nodes);
        if (r < 0 && agent->audit_error == 0)
                agent_tell_failure(agent, NULL, NULL, N_("attribution by audit"), r);
        agent->audit_error = r;
        for (size_t i = 0; i < sealed.n_nodes; i++)
                free(sealed.nodes[i]);
        free(sealed.nodes);
        free(sealed.devnums);
}

typedef struct Wanted {
        dev_t devnum;
        const Superblock *found;
} Wanted;

static int find_superblock(void *userdata, const Superblock *sb) {
        Wanted *wanted = userdata;

        if (sb->identity.devnum == wanted->devnum)
                wanted->found = sb;
        return 0;
}

/* Who is asked for the record's text, and why it was refused. NULL if it is none of ours any more. */
static const Volume *refusing_volume(Agent *agent, bool node, dev_t devnum, OpenDecision *decision) {
        Subject nobody = {.uid = (uid_t)-1, .loginuid = (uid_t)-1, .gid = (gid_t)-1};
        Wanted wanted = {.devnum = devnum};
        const Volume *volume;
        const Device *disk;

        if (node) {
                disk = devices_find_block(agent->devices, devnum);
                volume = disk ? nodes_volume(agent->nodes, disk->id.devnum) : NULL;
        } else {
                (void)superblocks_foreach(agent->superblocks, find_superblock, &wanted);
                volume = wanted.found ? wanted.found->volume : NULL;
        }
        if (volume)
                volume_judge(volume, &nobody, true, decision);
        return volume;
}

/* Where the name was given relative to a directory descriptor, audit knows the directory by its inode alone
 * and puts the working directory in its place: then the mount is the best that can be said. */
static const char *within_mount(Agent *agent, dev_t devnum, const char *path) {
        Wanted wanted = {.devnum = devnum};
        size_t length;

        (void)superblocks_foreach(agent->superblocks, find_superblock, &wanted);
        if (!wanted.found)
                return path;
        length = strlen(wanted.found->mount);
        return strncmp(path, wanted.found->mount, length) == 0 &&
                               (path[length] == '/' || path[length] == '\0')
                       ? path
                       : wanted.found->mount;
}

void agent_on_refused(void *userdata, const AuditEvent *event, bool node, dev_t devnum, const char *path) {
        Agent *agent = userdata;
        OpenDecision decision;
        const Volume *volume;
        Record *record;

        if (event->pid == getpid() || event->syscall == SYS_faccessat || event->syscall == SYS_faccessat2)
                return; /* asking whether one may is no attempt */
#ifdef SYS_access
        if (event->syscall == SYS_access)
                return;
#endif
        if (agent_self_test_tried(agent, event->pid, devnum))
                return;
        volume = refusing_volume(agent, node, devnum, &decision);
        if (!volume)
                return;
        record = agent_record(agent, node ? EVENT_RAW_WRITE_DENIED : EVENT_WRITE_DENIED);
        if (record) {
                decision.verdict = VERDICT_DENY;
                volume_describe(volume, &decision, record);
                record->operation = node ? OPERATION_RAW_WRITE : audit_operation(event->syscall);
                record->pid = event->pid;
                record->uid = event->uid;
                record->loginuid = event->loginuid;
                record_set(record, TEXT_EXE, event->exe[0] ? event->exe : NULL);
                record_set(record, TEXT_CMDLINE, event->command[0] ? event->command : NULL);
                record_set(record, TEXT_PATH, node ? path : within_mount(agent, devnum, path));
        }
        report_submit(agent->report, record);
}

void agent_on_nodes_changed(void *userdata) {
        agent_settle_soon(userdata);
}
