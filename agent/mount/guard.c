/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/gate/opener.h"
#include "agent/host.h"
#include "agent/mount/reach.h"
#include "agent/mount/seal.h"
#include "agent/mount/writers.h"
#include "agent/note.h"
#include "policy/scope.h"

enum {
        FDINFO_SIZE = 4096
};

bool guard_is_marked(const Superblock *sb) {
        char path[64], text[FDINFO_SIZE];

        if (!sb->gate)
                return false;
        /* Documentation/filesystems/proc.rst: a line "fanotify sdev:…" per superblock mark */
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", gate_fd(sb->gate));
        return file_read_small(AT_FDCWD, path, text, sizeof(text)) >= 0 && strstr(text, "fanotify sdev:");
}

static int set_volume(Superblocks *all, Superblock *sb) {
        const SuperblocksCallbacks *callbacks = superblocks_callbacks(all);
        Volume *volume = callbacks->volume(callbacks->userdata, &sb->identity, sb->mount);

        if (!volume)
                return -ENOMEM;
        volume_unref(sb->volume);
        sb->volume = volume;
        return 0;
}

static void drop_gate(Superblocks *all, Superblock *sb) {
        if (!sb->gate)
                return;
        superblocks_callbacks(all)->gate_gone(superblocks_callbacks(all)->userdata, sb);
        sb->gate = gate_free(sb->gate);
}

static void release(Superblocks *all, Superblock *sb) {
        drop_gate(all, sb);
        sb->volume = volume_unref(sb->volume);
        sb->guard = GUARD_NONE;
        sb->watched = false;
        sb->error = 0;
}

/* A gate that stays is kept by nobody while it only records. */
static void tell_watched(Superblocks *all, Superblock *sb, bool watched) {
        const SuperblocksCallbacks *callbacks = superblocks_callbacks(all);

        if (watched)
                callbacks->gate_made(callbacks->userdata, sb, sb->volume);
        else
                callbacks->gate_gone(callbacks->userdata, sb);
}

/* A gate with a mark on SB and the present verdicts. WATCHED is what it was for before. */
static int set_gate(Superblocks *all, Superblock *sb, int mount_fd, bool watched) {
        const SuperblocksCallbacks *callbacks = superblocks_callbacks(all);
        int r = 0;

        if (sb->gate) {
                gate_set_volume(sb->gate, sb->volume);
                if (watched != sb->watched)
                        tell_watched(all, sb, watched);
        } else {
                r = gate_new(sb->volume, superblocks_report(all), &sb->gate);
                if (r == 0)
                        callbacks->gate_made(callbacks->userdata, sb, sb->volume);
        }
        if (r == 0)
                r = gate_mark_superblock(sb->gate, mount_fd);
        if (r < 0 && !guard_is_marked(sb))
                drop_gate(all, sb);
        return r;
}

/* Whoever asks about each open: the kernel's own programs, else a gate. 0 or -errno if there is nobody. */
static int set_asking(Superblocks *all, Superblock *sb, int mount_fd, bool watched) {
        const SuperblocksCallbacks *callbacks = superblocks_callbacks(all);
        int r = set_volume(all, sb);
        bool held;

        sb->guard = GUARD_GATE;
        if (r < 0)
                return r;
        held = callbacks->hold(callbacks->userdata, sb) == 1; /* what failed was told */
        if (!held || callbacks->labels(callbacks->userdata, sb))
                return set_gate(all, sb, mount_fd, watched);
        drop_gate(all, sb);
        sb->guard = GUARD_LSM;
        return 0;
}

static Guard read_only_too(const Superblock *sb) {
        if (sb->guard == GUARD_LSM || sb->guard == GUARD_LSM_READ_ONLY)
                return GUARD_LSM_READ_ONLY;
        return sb->gate ? GUARD_GATE_READ_ONLY : GUARD_READ_ONLY;
}

typedef struct LateWriters {
        Superblocks *all;
        Superblock *sb;
        Volume *volume; /* set where some may write: then each writer is judged */
        bool kill;
        int not_allowed;
} LateWriters;

static bool may_write(const LateWriters *late, pid_t pid) {
        OpenDecision decision;
        Opener opener;
        int r;

        if (!late->volume)
                return false;
        r = opener_read(pid, &opener);
        if (r < 0)
                return r == -ENOENT || r == -ESRCH; /* gone by now, and what it had open with it */
        volume_judge(late->volume, &opener.subject, true, &decision);
        return decision.verdict == VERDICT_ALLOW;
}

static void on_late_writer(void *userdata, const Writer *writer) {
        LateWriters *late = userdata;
        const SuperblocksCallbacks *callbacks = superblocks_callbacks(late->all);

        if (writer->pid == getpid() || may_write(late, writer->pid))
                return;
        late->not_allowed++;
        if (!late->kill) {
                callbacks->late_writer(callbacks->userdata, late->sb, writer->pid, writer->mapped,
                                       writer->path);
                return;
        }
        (void)writer_end(writer->pid); /* if that failed, sealing will tell */
}

static int seal_and_note(Superblocks *all, const Superblock *sb, int mount_fd) {
        /* first the note: one too many does no harm */
        if (sb->writable)
                (void)note_write(superblocks_runtime_dir(all), NOTE_SEALED, sb->identity.devnum,
                                 (uint64_t)sb->mount_id);
        return seal_read_only(mount_fd);
}

/* Nobody may write here: read-only underneath. Writers that make the kernel refuse are cut off from the file
 * system; only where it knows no such thing they are ended, since what must not get out weighs more. */
static int set_seal(Superblocks *all, Superblock *sb, int mount_fd) {
        LateWriters late = {.all = all, .sb = sb};
        SealResult result;

        if (seal_and_note(all, sb, mount_fd) == 0) {
                sb->guard = read_only_too(sb);
                return 0;
        }
        (void)writers_foreach(sb->identity.devnum, on_late_writer, &late);
        result = seal(mount_fd, sb->identity.devnum, sb->fstype);
        if (result == SEAL_FAILED) {
                late.kill = true;
                (void)writers_foreach(sb->identity.devnum, on_late_writer, &late);
                result = seal(mount_fd, sb->identity.devnum, sb->fstype);
        }
        switch (result) {
        case SEAL_DONE:
                sb->guard = read_only_too(sb);
                return 0;
        case SEAL_SHUT_DOWN:
                sb->guard = GUARD_SHUT_DOWN;
                return 0;
        case SEAL_FAILED:
                break;
        }
        return -EBUSY;
}

/* Some may write: those who may not and have it open already cannot be told apart underneath, so that nobody
 * writes until it is mounted anew. All processes are looked at, which takes its time: MOUNT_FD, with which
 * nobody could unmount it, is closed meanwhile. */
static int check_writers(Superblocks *all, const MountTable *table, Superblock *sb, int *mount_fd) {
        LateWriters late = {.all = all, .sb = sb, .volume = sb->volume};

        close(*mount_fd);
        *mount_fd = -1;
        if (writers_foreach(sb->identity.devnum, on_late_writer, &late) < 0)
                late.not_allowed++;
        if (late.not_allowed == 0)
                return 0;
        *mount_fd = mount_reach(table, sb->identity.devnum);
        return *mount_fd < 0 ? *mount_fd : set_seal(all, sb, *mount_fd);
}

static int seal_off(int mount_fd, Superblock *sb) {
        int r = seal_shut_down(mount_fd, sb->identity.devnum, sb->fstype);

        if (r == 0)
                sb->guard = GUARD_SHUT_DOWN;
        return r;
}

/* A device that is denied is never mounted: take its mounts out of sight. The superblock itself is sealed.
 */
static int detach_mounts(const MountTable *table, const Superblock *sb) {
        CLEANUP_FREE const char **points = calloc(table->n + 1, sizeof(*points));
        size_t n = 0;

        if (!points)
                return -ENOMEM;
        for (size_t i = 0; i < table->n; i++)
                if (table->entries[i].devnum == sb->identity.devnum)
                        points[n++] = table->entries[i].point;
        return host_detach(points, n);
}

int guard_apply(Superblocks *all, const MountTable *table, Superblock *sb) {
        const Decision *decision = &sb->decision;
        bool monitor = superblocks_monitor_only(all) || decision->monitor;
        CLEANUP_CLOSE int mount_fd = -1;
        int r, gate_error, detach_error = 0;
        bool watched;

        if (decision->access == ACCESS_WRITE && !decision->conditional &&
            !superblocks_callbacks(all)->labels(superblocks_callbacks(all)->userdata, sb)) {
                release(all, sb);
                return superblocks_callbacks(all)->hold(superblocks_callbacks(all)->userdata, sb) < 0 ? -EIO
                                                                                                      : 0;
        }
        mount_fd = mount_reach(table, sb->identity.devnum);
        if (mount_fd < 0) {
                sb->guard = GUARD_FAILED;
                return sb->error = mount_fd;
        }
        watched = sb->watched;
        sb->watched = monitor;
        gate_error = set_asking(all, sb, mount_fd, watched);
        if (monitor)
                r = gate_error;
        else if (decision->access == ACCESS_WRITE)
                /* Without a gate there is nobody to ask, and so nobody writes. Who had it open rightly until
                 * now may have lost the permission: other people, other hours, the end of a grant. */
                r = gate_error < 0 ? set_seal(all, sb, mount_fd) : check_writers(all, table, sb, &mount_fd);
        else
                r = set_seal(all, sb, mount_fd);
        if (!monitor && r == 0 && decision->access == ACCESS_DENY && gate_error < 0)
                r = seal_off(mount_fd, sb); /* not even reading, and there is no gate to refuse it */
        if (!monitor && decision->access == ACCESS_DENY && sb->identity.kind == SUPERBLOCK_BLOCK)
                detach_error = detach_mounts(table, sb);
        if (r < 0)
                sb->guard = GUARD_FAILED;
        /* without a gate it is held, but nobody tells who tried; in sight, it is closed all the same */
        sb->error = r < 0 ? r : gate_error < 0 ? gate_error : detach_error;
        return r;
}

int guard_out_of_sight(Superblocks *all, Superblock *sb) {
        LateWriters late = {.all = all, .sb = sb};
        int r = set_volume(all, sb);

        if (r < 0)
                return r;
        gate_set_volume(sb->gate, sb->volume);
        if (sb->watched || volume_is_monitor(sb->volume))
                return 0;
        late.volume = sb->volume;
        r = writers_foreach(sb->identity.devnum, on_late_writer, &late); /* each is told of first */
        late.kill = true;
        if (r >= 0 && late.not_allowed > 0)
                r = writers_foreach(sb->identity.devnum, on_late_writer, &late);
        return r < 0 ? r : 0;
}

void guard_lift(Superblocks *all, const MountTable *table, Superblock *sb) {
        CLEANUP_CLOSE int mount_fd = -1;

        if (note_holds(superblocks_runtime_dir(all), NOTE_SEALED, sb->identity.devnum,
                       (uint64_t)sb->mount_id) != 1)
                return;
        mount_fd = mount_reach(table, sb->identity.devnum);
        if (mount_fd < 0 || seal_lift(mount_fd) < 0)
                return; /* it stays read-only: who wants to write mounts it anew */
        sb->writable = true;
        (void)note_drop(superblocks_runtime_dir(all), NOTE_SEALED, sb->identity.devnum);
}

bool guard_close(Superblocks *all, const MountTable *table, const Superblock *sb) {
        CLEANUP_CLOSE int mount_fd = mount_reach(table, sb->identity.devnum);

        if (mount_fd < 0)
                return !guard_is_marked(sb);
        return seal_and_note(all, sb, mount_fd) == 0;
}
