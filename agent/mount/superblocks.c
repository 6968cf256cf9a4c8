/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/superblocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/host.h"
#include "agent/mount/beneath.h"
#include "agent/mount/guard.h"
#include "agent/mount/mountinfo.h"
#include "agent/note.h"
#include "policy/scope.h"

DEFINE_ENUM_STRINGS(Guard, guard, GUARD_LIST)

struct Superblocks {
        SuperblocksCallbacks callbacks;
        Report *report;
        const char *runtime_dir;
        bool monitor_only;
        int table_fd;
        sd_event_source *source;
        Superblock **items; /* in order of devnum */
        size_t n;
};

static void superblock_free(Superblocks *all, Superblock *sb) {
        if (sb->gate) {
                all->callbacks.gate_gone(all->callbacks.userdata, sb);
                gate_free(sb->gate);
        }
        volume_unref(sb->volume);
        device_identity_clear(&sb->device);
        free(sb->fstype);
        free(sb->source);
        free(sb->mount);
        free(sb);
}

/* The verdict, and which of the devices beneath it comes from. */
static void judge(Superblocks *all, const Device *device, SuperblockIdentity *id, Decision *ret) {
        const DeviceIdentity *strictest = device ? &device->id : NULL;

        id->device = strictest;
        all->callbacks.judge(all->callbacks.userdata, id, ret);
        for (size_t i = 0; device && i < device->n_bottom; i++) {
                Decision other;

                id->device = &device->bottom[i];
                all->callbacks.judge(all->callbacks.userdata, id, &other);
                if (decision_is_stricter(&other, ret)) {
                        *ret = other;
                        strictest = &device->bottom[i];
                }
        }
        id->device = strictest;
}

static int set_strings(Superblock *sb, const MountEntry *entry) {
        free(sb->fstype);
        free(sb->source);
        free(sb->mount);
        sb->fstype = strdup(entry->fstype);
        sb->source = strdup(entry->source);
        sb->mount = strdup(entry->point);
        if (!sb->fstype || !sb->source || !sb->mount)
                return -ENOMEM;
        sb->identity.fstype = sb->fstype;
        sb->identity.source = sb->source;
        return 0;
}

/* What ENTRY shows, and the verdict on it. The device in ID is borrowed. */
static void look(Superblocks *all, const MountTable *table, const MountEntry *entry, SuperblockIdentity *id,
                 Decision *ret) {
        dev_t beneath;
        SuperblockKind kind = mount_beneath(table, entry, &beneath);
        const Device *device = NULL;

        if (beneath != 0)
                device = all->callbacks.find_device(all->callbacks.userdata, beneath);
        id->kind = kind;
        id->devnum = entry->devnum;
        judge(all, device, id, ret);
}

/* A copy of the device that decides: the list of devices may read it anew at any time. */
static void keep_device(Superblock *sb) {
        DeviceIdentity copy = {0};
        bool known = sb->identity.device && device_identity_copy(sb->identity.device, &copy) == 0;

        device_identity_clear(&sb->device);
        sb->device = copy;
        sb->identity.device = known ? &sb->device : NULL;
}

/* Judge SB as ENTRY shows it and bring its guard in line. */
static int enforce(Superblocks *all, const MountTable *table, Superblock *sb, const MountEntry *entry) {
        Decision before = sb->decision;
        Guard guard_before = sb->guard;
        int r;

        look(all, table, entry, &sb->identity, &sb->decision);
        keep_device(sb);
        r = guard_apply(all, table, sb);
        if (r == 0 && (sb->decision.access == ACCESS_WRITE || sb->decision.monitor || all->monitor_only) &&
            !sb->writable)
                guard_lift(all, table, sb);
        if (sb->guard != guard_before ||
            (sb->guard != GUARD_NONE &&
             (before.access != sb->decision.access || before.conditional != sb->decision.conditional ||
              before.monitor != sb->decision.monitor)))
                all->callbacks.changed(all->callbacks.userdata, sb);
        return r;
}

static int compare_entries(const void *a, const void *b) {
        const MountEntry *const *x = a, *const *y = b;

        if ((*x)->devnum != (*y)->devnum)
                return (*x)->devnum < (*y)->devnum ? -1 : 1;
        return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

/* Whether another superblock has taken the place of SB between two looks at the table: device numbers and
 * mount ids are used again at once. Then its mark is gone, or another device lies beneath. */
static bool is_replaced(Superblocks *all, const MountTable *table, const Superblock *sb,
                        const MountEntry *entry) {
        SuperblockIdentity id = sb->identity;
        Decision decision;

        if (sb->mount_id != entry->id || strcmp(sb->fstype, entry->fstype) != 0)
                return true;
        if (sb->gate)
                return !guard_is_marked(sb);
        if (!all->callbacks.is_held(all->callbacks.userdata, sb))
                return true;
        if (sb->identity.kind != SUPERBLOCK_BLOCK)
                return false;
        look(all, table, entry, &id, &decision);
        return decision.access != sb->decision.access || decision.conditional != sb->decision.conditional ||
               decision.monitor != sb->decision.monitor;
}

/* The policy that decided on SB may go, and it is not judged by the next one. */
static void forget_rule(Superblock *sb) {
        sb->decision.rule = "guard";
        sb->decision.origin = "built-in";
}

/* One superblock, found again or new. SB is NULL for a new one. */
static int refresh_one(Superblocks *all, const MountTable *table, const MountEntry *entry, bool rejudge,
                       Superblock **sb) {
        bool fresh = !*sb, other, written_again;
        int r = 0;

        if (fresh) {
                *sb = calloc(1, sizeof(**sb));
                if (!*sb)
                        return -ENOMEM;
                (*sb)->guard = GUARD_NONE;
        }
        other = fresh || is_replaced(all, table, *sb, entry);
        written_again = mount_is_writable(entry) && !(*sb)->writable;
        (*sb)->writable = mount_is_writable(entry);
        if (other) {
                r = set_strings(*sb, entry);
                if (r < 0) {
                        forget_rule(*sb);
                        return r;
                }
                (*sb)->mount_id = entry->id;
                if (!guard_is_marked(*sb))
                        (*sb)->guard = GUARD_NONE; /* nothing holds it yet, whatever held the one before */
        }
        if (other || rejudge || (*sb)->guard == GUARD_FAILED ||
            (written_again && (*sb)->guard != GUARD_NONE))
                r = enforce(all, table, *sb, entry);
        return r;
}

/* Keep or free a superblock that the table shows no longer: it may still be mounted in another namespace, as
 * its mark tells, and is guarded there: as it was, or with REJUDGE as the policy says now. 0 or -errno. */
static int leave_table(Superblocks *all, bool rejudge, Superblock *sb, Superblock **items, size_t *n) {
        int r = 0;

        if (!guard_is_marked(sb)) {
                (void)note_drop(all->runtime_dir, NOTE_SEALED, sb->identity.devnum);
                all->callbacks.let_go(all->callbacks.userdata, sb);
                superblock_free(all, sb);
                return 0;
        }
        sb->mount_id = -1;
        if (rejudge)
                r = guard_out_of_sight(all, sb);
        forget_rule(sb);
        items[(*n)++] = sb;
        return r;
}

static void note_error(int *first, int r) {
        if (r < 0 && *first == 0)
                *first = r;
}

/* Nothing could be looked at: what is guarded stays so, as it is. */
static int fail(Superblocks *all, bool rejudge, int error) {
        for (size_t i = 0; rejudge && i < all->n; i++)
                forget_rule(all->items[i]);
        return error;
}

/* Read the table and bring everything in line with it; with REJUDGE also what has not changed. */
static int refresh(Superblocks *all, bool rejudge) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        CLEANUP_FREE const MountEntry **sorted = NULL;
        Superblock **items;
        size_t n = 0, old = 0;
        int r, first_error = 0;

        r = mountinfo_read(NULL, &table);
        if (r < 0)
                return fail(all, rejudge, r);
        sorted = calloc(table.n + 1, sizeof(void *));
        items = calloc(table.n + all->n + 1, sizeof(void *));
        if (!sorted || !items) {
                free(items);
                return fail(all, rejudge, -ENOMEM);
        }
        for (size_t i = 0; i < table.n; i++)
                sorted[i] = &table.entries[i];
        qsort(sorted, table.n, sizeof(void *), compare_entries);

        for (size_t i = 0; i < table.n; i++) {
                Superblock *sb = NULL;

                if (i > 0 && sorted[i]->devnum == sorted[i - 1]->devnum)
                        continue; /* another mount of the same superblock */
                while (old < all->n && all->items[old]->identity.devnum < sorted[i]->devnum)
                        note_error(&first_error, leave_table(all, rejudge, all->items[old++], items, &n));
                if (old < all->n && all->items[old]->identity.devnum == sorted[i]->devnum)
                        sb = all->items[old++];
                note_error(&first_error, refresh_one(all, &table, sorted[i], rejudge, &sb));
                if (sb && sb->fstype)
                        items[n++] = sb;
                else
                        free(sb);
        }
        while (old < all->n)
                note_error(&first_error, leave_table(all, rejudge, all->items[old++], items, &n));
        free(all->items);
        all->items = items;
        all->n = n;
        return first_error;
}

static int on_table_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void)source;
        (void)fd;
        (void)revents; /* EPOLLPRI: the table changed; it is marked as seen by being polled */
        (void)refresh(userdata, false); /* what could not be guarded was told through `changed` */
        return 0;
}

int superblocks_new(sd_event *event, Report *report, const char *runtime_dir, bool monitor_only,
                    const SuperblocksCallbacks *callbacks, Superblocks **ret) {
        Superblocks *all = calloc(1, sizeof(*all));
        int r;

        if (!all)
                return -ENOMEM;
        all->callbacks = *callbacks;
        all->report = report;
        all->runtime_dir = runtime_dir;
        all->monitor_only = monitor_only;
        all->table_fd = open(host_mountinfo(), O_RDONLY | O_CLOEXEC);
        r = all->table_fd < 0 ? -errno : 0;
        if (r == 0)
                r = sd_event_add_io(event, &all->source, all->table_fd, EPOLLPRI, on_table_changed, all);
        if (r >= 0)
                (void)sd_event_source_set_priority(all->source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0) {
                r = refresh(all, false);
                if (r != -ENOMEM)
                        r = 0; /* a superblock that could not be guarded was told; the others are */
        }
        if (r < 0) {
                superblocks_free(all);
                return r;
        }
        *ret = all;
        return 0;
}

Superblocks *superblocks_free(Superblocks *all) {
        if (!all)
                return NULL;
        sd_event_source_disable_unref(all->source);
        if (all->table_fd >= 0)
                close(all->table_fd);
        for (size_t i = 0; i < all->n; i++)
                superblock_free(all, all->items[i]);
        free(all->items);
        free(all);
        return NULL;
}

int superblocks_rejudge(Superblocks *all, bool monitor_only) {
        all->monitor_only = monitor_only;
        return refresh(all, true);
}

int superblocks_foreach(Superblocks *all, int (*f)(void *userdata, const Superblock *sb), void *userdata) {
        for (size_t i = 0; i < all->n; i++) {
                int r = f(userdata, all->items[i]);

                if (r != 0)
                        return r;
        }
        return 0;
}

bool superblocks_close(Superblocks *all) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        bool closed = true;

        if (all->monitor_only)
                return true;
        if (mountinfo_read(NULL, &table) < 0)
                return false;
        for (size_t i = 0; i < all->n; i++)
                if ((all->items[i]->guard == GUARD_GATE || all->items[i]->guard == GUARD_LSM) &&
                    !all->items[i]->watched)
                        closed = guard_close(all, &table, all->items[i]) && closed;
        return closed;
}

bool superblocks_hand_over(Superblocks *all) {
        bool ended = true;

        for (size_t i = 0; all && i < all->n; i++)
                if (all->items[i]->gate)
                        ended = gate_hand_over(all->items[i]->gate) && ended;
        return ended;
}

const SuperblocksCallbacks *superblocks_callbacks(const Superblocks *all) {
        return &all->callbacks;
}

const char *superblocks_runtime_dir(const Superblocks *all) {
        return all->runtime_dir;
}

Report *superblocks_report(const Superblocks *all) {
        return all->report;
}

bool superblocks_monitor_only(const Superblocks *all) {
        return all->monitor_only;
}
