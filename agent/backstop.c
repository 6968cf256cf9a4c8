/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of the programs in the kernel (lsm/): verdicts in, refusals out. Where the kernel has no
 * BPF LSM nothing here does anything, and gates and read-only flags are all there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "agent/agent_private.h"
#include "agent/device/partitions.h"
#include "agent/mount/classify.h"
#include "policy/decide.h"
#include "policy/scope.h"

/* verdicts in */

static LsmMoment moment(const Agent *agent) {
        LsmMoment now = {.boottime = clock_boottime_usec() * 1000, .second = (unsigned)(time(NULL) % 60)};

        (void)clock_policy_time(&agent->clock, &now.time); /* fails for no clock that counts seconds */
        return now;
}

static LsmVerdict make_verdict(const Agent *agent, const SuperblockIdentity *id, const Decision *decision) {
        LsmMoment now = moment(agent);
        LsmVerdict verdict;

        lsm_verdict_make(agent->store.policy, id, decision, &now, &verdict);
        if (agent->settings.monitor) {
                verdict.value.monitor = true;
                verdict.value.until = 0;
        }
        return verdict;
}

static bool is_among(const dev_t *list, size_t n, dev_t devnum) {
        for (size_t i = 0; i < n; i++)
                if (list[i] == devnum)
                        return true;
        return false;
}

/* Which entry belongs to which disk, so that they go together. */
static int own(Agent *agent, dev_t owner, dev_t node, bool character) {
        BackstopNode *grown;

        for (size_t i = 0; i < agent->n_backstop_nodes; i++) {
                BackstopNode *known = &agent->backstop_nodes[i];

                if (known->node == node && known->character == character) {
                        known->owner = owner;
                        return 0;
                }
        }
        grown = reallocarray(agent->backstop_nodes, agent->n_backstop_nodes + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        agent->backstop_nodes = grown;
        grown[agent->n_backstop_nodes++] =
                (BackstopNode){.owner = owner, .node = node, .character = character};
        return 0;
}

static int set_node(Agent *agent, const Device *device, dev_t node, const LsmVerdict *verdict) {
        LsmVerdict own_verdict = *verdict;
        int r = own(agent, device->id.devnum, node, false);

        own_verdict.value.unlocks = is_among(device->closed, device->n_closed, node);
        return r < 0 ? r : lsm_disk(agent->lsm, node, &own_verdict);
}

static int set_character(Agent *agent, const Device *device, dev_t owner, const char *directory,
                         const char *entry, bool guarded) {
        dev_t number = sysfs_devnum(directory, entry);
        int r;

        (void)device;
        if (number == 0)
                return 0;
        r = own(agent, owner, number, true);
        return r < 0 ? r : lsm_character(agent->lsm, number, guarded);
}

/* The nodes by which SCSI commands reach the disk: DIRECTORY/sgN, DIRECTORY/H:C:T:L */
static int set_generic(Agent *agent, const Device *device, const char *class, bool guarded) {
        char path[PATH_MAX];
        const struct dirent *entry;
        int r = 0;

        if ((size_t)snprintf(path, sizeof(path), "%s/device/%s", device->syspath, class) >= sizeof(path))
                return -ENAMETOOLONG;
        CLEANUP_DIR DIR *dir = opendir(path);
        while (dir && r == 0 && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = set_character(agent, device, device->id.devnum, path, entry->d_name, guarded);
        return r;
}

static bool is_guarded(const Decision *decision) {
        return decision->external && (decision->access != ACCESS_WRITE || decision->conditional);
}

static int set_disk(Agent *agent, const Device *device) {
        SuperblockIdentity id = {.kind = SUPERBLOCK_BLOCK,
                                 .devnum = device->id.devnum,
                                 .device = agent_deciding_identity(agent, device)};
        LsmVerdict verdict = make_verdict(agent, &id, &device->decision);
        bool guarded = is_guarded(&device->decision) && !agent_only_records(agent, &device->decision);
        dev_t numbers[PARTITIONS_MAX];
        int n = disk_numbers(device->syspath, numbers, ELEMENTS(numbers)), r = n < 0 ? n : 0;

        verdict.value.diskseq = device->id.diskseq;
        for (int i = 0; i < n && r == 0; i++)
                r = set_node(agent, device, numbers[i], &verdict);
        if (r == 0)
                r = set_generic(agent, device, "scsi_generic", guarded);
        if (r == 0)
                r = set_generic(agent, device, "bsg", guarded);
        return r == -ENODEV ? 0 : r; /* gone again */
}

/* Through its node in /dev/bus/usb a stick can be spoken to past the block layer. */
static int set_usb(Agent *agent, const Device *device) {
        PolicyTime now;
        Decision decision;
        bool storage = false;

        for (size_t i = 0; i < device->id.n_interfaces; i++)
                storage = storage || device->id.interface_classes[i] == USB_CLASS_MASS_STORAGE_;
        (void)clock_policy_time(&agent->clock, &now);
        decide_device(agent->store.policy, &device->id, &now, &decision);
        return set_character(agent, device, 0, device->syspath, ".",
                             storage && is_guarded(&decision) && !agent_only_records(agent, &decision));
}

void agent_backstop_device(Agent *agent, const Device *device) {
        int r;

        if (!agent->lsm)
                return;
        r = device->block ? set_disk(agent, device) : set_usb(agent, device);
        if (r < 0)
                agent_tell_failure(agent, &device->id, NULL, N_("verdict in the kernel"), r);
}

void agent_backstop_forget_device(Agent *agent, const Device *device) {
        dev_t usb = device->block ? 0 : sysfs_devnum(device->syspath, ".");

        if (!agent->lsm)
                return;
        for (size_t i = agent->n_backstop_nodes; i-- > 0;) {
                BackstopNode *node = &agent->backstop_nodes[i];

                if (device->block ? node->owner != device->id.devnum : !node->character || node->node != usb)
                        continue;
                if (node->character)
                        lsm_character_forget(agent->lsm, node->node);
                else
                        lsm_disk_forget(agent->lsm, node->node);
                *node = agent->backstop_nodes[--agent->n_backstop_nodes];
        }
}

/* A file system on a disk goes by the disk's verdict; btrfs has numbers of its own. */
static bool goes_by_disk(const Superblock *sb) {
        return sb->identity.kind == SUPERBLOCK_BLOCK && major(sb->identity.devnum) != 0;
}

int agent_backstop_superblock(void *userdata, const Superblock *sb) {
        Agent *agent = userdata;
        LsmVerdict verdict;
        int r;

        if (!agent->hooks)
                return 0;
        if (sb->identity.kind == SUPERBLOCK_KERNEL)
                return 1;
        if (sb->decision.access == ACCESS_DENY && !agent->deny_reads) {
                agent->deny_reads = true;
                (void)lsm_settings(agent->lsm, agent_is_monitor(agent), true);
        }
        if (goes_by_disk(sb)) {
                const Device *device = devices_find_block(agent->devices, sb->identity.devnum);

                if (device && !lsm_disk_known(agent->lsm, sb->identity.devnum))
                        agent_backstop_device(agent, device); /* a partition that was just made */
                return lsm_disk_known(agent->lsm, sb->identity.devnum);
        }
        verdict = make_verdict(agent, &sb->identity, &sb->decision);
        r = lsm_superblock(agent->lsm, sb->identity.devnum, &verdict);
        if (r < 0) {
                agent_tell_failure(agent, sb->identity.device, sb->mount, N_("verdict in the kernel"), r);
                return r;
        }
        return 1;
}

bool agent_backstop_holds(void *userdata, const Superblock *sb) {
        const Agent *agent = userdata;

        return !agent->hooks || sb->identity.kind == SUPERBLOCK_KERNEL || goes_by_disk(sb) ||
               lsm_superblock_known(agent->lsm, sb->identity.devnum);
}

void agent_backstop_let_go(void *userdata, const Superblock *sb) {
        const Agent *agent = userdata;

        if (agent->hooks && sb->identity.kind != SUPERBLOCK_KERNEL && !goes_by_disk(sb))
                lsm_superblock_forget(agent->lsm, sb->identity.devnum);
}

/* refusals out */

typedef struct Place {
        dev_t devnum;
        const char *path; /* instead of the number, where that is 0 */
        const Superblock *found;
} Place;

static bool lies_in(const char *mount, const char *path) {
        size_t length = strcmp(mount, "/") == 0 ? 0 : strlen(mount);

        return strncmp(path, mount, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int find_place(void *userdata, const Superblock *sb) {
        Place *place = userdata;

        if (place->devnum != 0 ? sb->identity.devnum == place->devnum
                               : lies_in(sb->mount, place->path) &&
                                         (!place->found || strlen(sb->mount) > strlen(place->found->mount)))
                place->found = sb;
        return 0;
}

static const Superblock *superblock_at(Agent *agent, dev_t devnum, const char *path) {
        Place place = {.devnum = devnum, .path = path};

        if (devnum != 0 || path[0] == '/')
                (void)superblocks_foreach(agent->superblocks, find_place, &place);
        return place.found;
}

/* PATH, from the root of a superblock's file system, as people see it. */
static void put_path(Agent *agent, dev_t devnum, const char *below, char *to, size_t size) {
        const Superblock *sb = superblock_at(agent, devnum, "");
        const char *mount = sb && strcmp(sb->mount, "/") != 0 ? sb->mount : "";

        snprintf(to, size, "%s%s", mount, below[0] || mount[0] ? below : "/");
}

/* The usual name of a block device's node; nothing for others. */
static void put_node(dev_t devnum, char *to, size_t size) {
        char link[64], target[PATH_MAX];
        const char *slash;
        ssize_t n;

        snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(devnum), minor(devnum));
        n = readlink(link, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        slash = strrchr(target, '/');
        snprintf(to, size, "%s%s", slash ? "/dev" : "", slash ? slash : "");
}

/* The path that DENIAL is about. */
static void tell_path(Agent *agent, const LsmDenial *denial, char *to, size_t size) {
        size_t n;

        switch (denial->kind) {
        case LSM_EVENT_NODE:
                if (!denial->path[0]) { /* the kernel opened it by its number */
                        put_node(denial->devnum, to, size);
                        return;
                }
                put_path(agent, denial->base_devnum, denial->path, to, size);
                return;
        case LSM_EVENT_NAME:
                if (denial->path[0] == '/' || !denial->path[0]) {
                        snprintf(to, size, "%s", denial->path);
                        return;
                }
                put_path(agent, denial->base_devnum, denial->base, to, size);
                n = strlen(to);
                snprintf(to + n, size - n, "/%s", denial->path);
                return;
        default:
                put_path(agent, denial->devnum, denial->path, to, size);
        }
}

/* Of a process that may be gone already: then what the kernel told of it. */
void agent_tell_caller(Agent *agent, const LsmDenial *denial, Record *record, Opener *opener) {
        CLEANUP_FREE char *line = NULL;
        char exe[PATH_MAX];

        record->pid = denial->pid;
        record->uid = denial->uid;
        record->loginuid = denial->loginuid;
        if (denial->exe[0]) {
                put_path(agent, denial->exe_devnum, denial->exe, exe, sizeof(exe));
                record_set(record, TEXT_EXE, exe);
        }
        opener->subject = (Subject){.uid = denial->uid, .loginuid = denial->loginuid, .gid = (gid_t)-1};
        if (denial->pid == 0 || !opener_is(denial->pid, denial->started) ||
            opener_read(denial->tid, opener) < 0)
                return;
        opener_describe(opener, record);
        if (agent->cmdline && cmdline_read(agent->cmdline, denial->pid, &line) == 0)
                record_set(record, TEXT_CMDLINE, line);
}

static EventKind event_of(const LsmDenial *denial) {
        if (denial->kind == LSM_EVENT_NODE)
                return EVENT_RAW_WRITE_DENIED;
        return denial->operation == OPERATION_OPEN_READ ? EVENT_READ_DENIED : EVENT_WRITE_DENIED;
}

/* Whose text the record gets: of a node that of its disk, of a superblock nobody has judged that of the disk
 * beneath. The caller has a reference. */
static Volume *refusing_volume(Agent *agent, const LsmDenial *denial, const Superblock *sb) {
        SuperblockIdentity id = {.kind = SUPERBLOCK_BLOCK, .devnum = denial->devnum};
        const Device *device = NULL;

        if (sb && sb->volume)
                return volume_ref(sb->volume);
        for (size_t i = 0; i < agent->n_backstop_nodes && !device; i++)
                if (agent->backstop_nodes[i].node == denial->devnum && agent->backstop_nodes[i].owner != 0)
                        device = devices_find_block(agent->devices, agent->backstop_nodes[i].owner);
        if (device)
                id.device = agent_deciding_identity(agent, device);
        return agent_make_volume(agent, &id, sb ? sb->mount : NULL,
                                 denial->kind == LSM_EVENT_NODE ? device : NULL);
}

static bool is_sealed(const Superblock *sb) {
        return sb && (sb->guard == GUARD_READ_ONLY || sb->guard == GUARD_GATE_READ_ONLY ||
                      sb->guard == GUARD_LSM_READ_ONLY);
}

/* Somebody laid hands on the guard itself. */
static void tell_touched(Agent *agent, const LsmDenial *denial) {
        CLEANUP_FREE Opener *opener = calloc(1, sizeof(*opener));
        Record *record = opener ? agent_record(agent, EVENT_GUARD_TOUCHED) : NULL;
        char path[PATH_MAX];

        if (record) {
                agent_tell_caller(agent, denial, record, opener);
                record->operation = denial->operation;
                record->count = denial->count;
                if (denial->path[0]) {
                        put_path(agent, denial->base_devnum, denial->path, path, sizeof(path));
                        record_set(record, TEXT_PATH, path);
                }
        }
        report_submit(agent->report, record);
}

void agent_on_lsm_denial(void *userdata, const LsmDenial *denial) {
        Agent *agent = userdata;
        CLEANUP_FREE Opener *opener = NULL;
        const Superblock *sb = NULL;
        char path[PATH_MAX];
        OpenDecision decision;
        Volume *volume;
        Record *record;
        bool closed;

        if (denial->pid == getpid() || !agent->superblocks)
                return;
        if (denial->kind == LSM_EVENT_GUARD) {
                tell_touched(agent, denial);
                return;
        }
        if (agent_self_test_tried(agent, denial->pid, denial->devnum))
                return;
        tell_path(agent, denial, path, sizeof(path));
        if (denial->kind != LSM_EVENT_NODE)
                sb = superblock_at(agent, denial->devnum, path);
        if ((denial->kind == LSM_EVENT_READ_ONLY || denial->kind == LSM_EVENT_NAME) && !is_sealed(sb))
                return; /* read-only, but not because of us */
        opener = calloc(1, sizeof(*opener));
        record = opener ? agent_record(agent, event_of(denial)) : NULL;
        volume = record ? refusing_volume(agent, denial, sb) : NULL;
        if (record && volume) {
                agent_tell_caller(agent, denial, record, opener);
                closed = denial->kind == LSM_EVENT_NODE && denial->operation == OPERATION_OPEN_READ;
                volume_judge(volume, &opener->subject, closed || denial->operation != OPERATION_OPEN_READ,
                             &decision);
                decision.verdict = VERDICT_DENY;
                if (closed)
                        decision.reason = REASON_NODE_CLOSED;
                volume_describe(volume, &decision, record);
                record_set(record, TEXT_MODE, denial->monitor ? "monitor" : NULL);
                if (sb) {
                        record_set(record, TEXT_FSTYPE, sb->fstype);
                        record_set(record, TEXT_MOUNT, sb->mount);
                }
                record->operation =
                        denial->kind == LSM_EVENT_NODE && !closed ? OPERATION_RAW_WRITE : denial->operation;
                record->count = denial->count;
                record_set(record, TEXT_PATH, path[0] ? path : sb ? sb->mount : NULL);
        }
        volume_unref(volume);
        report_submit(agent->report, record);
}

static int see_denied(void *userdata, const Superblock *sb) {
        bool *deny_reads = userdata;

        *deny_reads = *deny_reads || sb->decision.access == ACCESS_DENY;
        return 0;
}

static int see_sealed(void *userdata, const Superblock *sb) {
        bool *sealed = userdata;

        *sealed = *sealed || is_sealed(sb);
        return 0;
}

bool agent_backstop_tells(Agent *agent) {
        bool sealed = false, deny_reads = false;
        int r;

        if (!agent->lsm)
                return false;
        (void)superblocks_foreach(agent->superblocks, see_denied, &deny_reads);
        (void)superblocks_foreach(agent->superblocks, see_sealed, &sealed);
        r = lsm_settings(agent->lsm, agent_is_monitor(agent), deny_reads);
        agent->deny_reads = deny_reads;
        if (r == 0 && agent->hooks)
                r = lsm_tell_refused(agent->lsm, sealed);
        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("attribution in the kernel"), r);
        return r == 0 && agent->hooks;
}

void agent_start_backstop(Agent *agent) {
        const char *type;
        int r = lsm_new(agent->event, agent_on_lsm_denial, agent, &agent->lsm, agent->lsm_why);

        for (size_t i = 0; r >= 0 && (type = superblock_inner_type(i)); i++)
                r = lsm_free_type(agent->lsm, type);
        if (r >= 0)
                r = lsm_settings(agent->lsm, agent_is_monitor(agent), true);
        agent->deny_reads = true;
        agent->hooks = r >= 0 && lsm_has_hooks(agent->lsm);
        if (r >= 0 && !agent->hooks)
                agent_admit_readers(agent);
        agent->stays = agent->hooks && lsm_is_unit(); /* started by hand it leaves nothing behind */
        if (r >= 0) {
                if (!agent->hooks && !agent->lsm_why[0]) /* taken over as they were */
                        snprintf(agent->lsm_why, sizeof(agent->lsm_why), "%s",
                                 N_("the agent before this one was refused them"));
                return;
        }
        if (!agent->lsm_why[0])
                snprintf(agent->lsm_why, sizeof(agent->lsm_why), "%s", strerror(-r));
        agent->lsm = lsm_free(agent->lsm);
}

void agent_settle_backstop(Agent *agent) {
        int r = agent->lsm ? lsm_settle(agent->lsm) : 0;

        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("verdict in the kernel"), r);
}
