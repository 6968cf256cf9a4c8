/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * superblocks.h: every mounted superblock, followed through the machine's mount table; each is classified,
 * judged and, where not everybody may write to it, guarded: by a gate, and read-only underneath where nobody
 * may. What was mounted or open for writing before the guard came is found and dealt with. Internal file
 * systems get no mark. Asks for verdicts through its callbacks. Runs in the event loop's thread.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/device/devices.h"
#include "agent/gate/gate.h"
#include "policy/object.h"
#include "policy/verdict.h"

typedef struct Superblocks Superblocks;

#define GUARD_LIST(X)                                                                                       \
        X(GUARD_FAILED, "failed") /* it should be guarded and is not */                                     \
        X(GUARD_NONE, "none")                                                                               \
        X(GUARD_READ_ONLY, "read-only")                                                                     \
        X(GUARD_GATE, "gate")                                                                               \
        X(GUARD_GATE_READ_ONLY, "gate+read-only")                                                           \
        X(GUARD_LSM, "lsm") /* by the programs in the kernel */                                             \
        X(GUARD_LSM_READ_ONLY, "lsm+read-only")                                                             \
        X(GUARD_SHUT_DOWN, "shut-down")
DECLARE_ENUM(Guard, guard, GUARD_LIST);

typedef struct Superblock {
        SuperblockIdentity identity; /* what it points to is the entry's own */
        DeviceIdentity device;       /* the one whose verdict decides, as it was when last judged */
        char *fstype, *source, *mount;
        Decision decision; /* strings borrowed from the policy */
        Guard guard;
        int error; /* the -errno behind GUARD_FAILED, or why there is no gate; else 0 */
        int mount_id;
        bool writable; /* mounted writable, as the table says */
        bool watched;  /* guarded, but only to record: nothing is refused */
        Gate *gate;
        Volume *volume; /* the snapshot last made, also where no gate could be set */
} Superblock;

typedef struct SuperblocksCallbacks {
        void (*judge)(void *userdata, const SuperblockIdentity *id, Decision *ret);
        /* a snapshot for a gate; NULL if memory is short */
        Volume *(*volume)(void *userdata, const SuperblockIdentity *id, const char *mount);
        /* the disk that holds a block device number, or NULL */
        const Device *(*find_device)(void *userdata, dev_t devnum);
        /* whether each open for writing is to be looked at for where it comes from, whatever else holds */
        bool (*labels)(void *userdata, const Superblock *sb);
        /* the kernel itself is to hold SB by its decision: 1 if it does from now on, 0 if it cannot, -errno
         */
        int (*hold)(void *userdata, const Superblock *sb);
        /* whether it still does: not if another superblock has SB's number */
        bool (*is_held)(void *userdata, const Superblock *sb);
        /* SB is out of sight */
        void (*let_go)(void *userdata, const Superblock *sb);
        /* SB was guarded, released or failed to be */
        void (*changed)(void *userdata, const Superblock *sb);
        /* a process has SB open for writing although it may not; it is cut off */
        void (*late_writer)(void *userdata, const Superblock *sb, pid_t pid, bool mapped, const char *path);
        /* a gate was made, or is about to go */
        void (*gate_made)(void *userdata, const Superblock *sb, Volume *volume);
        void (*gate_gone)(void *userdata, const Superblock *sb);
        void *userdata;
} SuperblocksCallbacks;

/* Reads the table and follows it. 0 or -errno. */
int superblocks_new(sd_event *event, Report *report, const char *runtime_dir, bool monitor_only,
                    const SuperblocksCallbacks *callbacks, Superblocks **ret);
/* Gates are closed after answering whoever waits. Returns NULL. */
Superblocks *superblocks_free(Superblocks *superblocks);

/* Judge everything anew. 0 or the first -errno (all are tried). */
int superblocks_rejudge(Superblocks *superblocks, bool monitor_only);

/* On clean shutdown: make read-only what some may write to, without cutting anybody off. Returns whether
 * nothing is left that has to be asked for. */
bool superblocks_close(Superblocks *superblocks);

/* gate_hand_over() for every gate; false if any did not end. */
bool superblocks_hand_over(Superblocks *superblocks);

int superblocks_foreach(Superblocks *superblocks, int (*f)(void *userdata, const Superblock *sb),
                        void *userdata);
