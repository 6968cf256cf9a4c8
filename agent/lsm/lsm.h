/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lsm.h: the guard inside the kernel (BPF LSM): what the policy decided of superblocks and disks is kept in
 * maps, and programs at the kernel's security hooks refuse every change that it does not allow, whether or
 * not the agent runs. What nobody has judged is refused if it may lie outside the terminal. A new agent
 * takes over what is there; another version of the programs is put in force before the older one is taken
 * away. Runs in the event loop's thread. Source: Documentation/bpf/prog_lsm.rst.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "agent/lsm/denial.h"
#include "agent/lsm/load.h"
#include "agent/lsm/verdict.h"

#define LSM_ROOT "/sys/fs/bpf/sekisho"

typedef struct Lsm Lsm;

typedef void (*LsmHandler)(void *userdata, const LsmDenial *denial);

/* Find the programs in the kernel, or bring them there and put them in force: what is judged holds from then
 * on, what nobody has judged is let through until lsm_settle(). 0, or -errno with WHY: this
 * kernel does not allow it. */
int lsm_new(sd_event *event, LsmHandler handler, void *userdata, Lsm **ret, char why[LSM_WHY]);

/* Whether they are asked at the kernel's security hooks; if not, they hold device nodes, and WHY of
 * lsm_new() says what the kernel refused. */
bool lsm_has_hooks(const Lsm *lsm);

/* Forget them; they stay in force. Returns NULL. */
Lsm *lsm_free(Lsm *lsm);

/* Everything that is there has been judged: from now on what has not been is refused, what an earlier agent
 * judged and this one has not is forgotten, and programs of other versions are taken away. 0 or -errno. */
int lsm_settle(Lsm *lsm);

/* Take them out of force and out of the kernel: nothing is guarded by them any more. 0 or -errno. */
int lsm_remove(void);

/* Types of file systems that keep nothing outside the terminal: let through without a verdict. 0 or -errno.
 */
int lsm_free_type(Lsm *lsm, const char *fstype);

/* What holds for everything: LENIENT, that nothing is to be refused for want of a verdict; DENY_READS, that
 * some verdict refuses even reading, for which every open is looked at. 0 or -errno. */
int lsm_settings(Lsm *lsm, bool lenient, bool deny_reads);

/* The verdict on a superblock, and on a disk or partition (DISKSEQ is its medium's number, 0 if there is
 * none). 0 or -errno: it is then refused. */
int lsm_superblock(Lsm *lsm, dev_t devnum, const LsmVerdict *verdict);
int lsm_disk(Lsm *lsm, dev_t devnum, const LsmVerdict *verdict);
void lsm_superblock_forget(Lsm *lsm, dev_t devnum);
void lsm_disk_forget(Lsm *lsm, dev_t devnum);

/* Whether a verdict on that superblock, or disk, stands: they go with what they are about. */
bool lsm_superblock_known(Lsm *lsm, dev_t devnum);
bool lsm_disk_known(Lsm *lsm, dev_t devnum);

/* A character device that speaks to a device past its node. 0 or -errno. */
int lsm_character(Lsm *lsm, dev_t devnum, bool guarded);
void lsm_character_forget(Lsm *lsm, dev_t devnum);

/* PID is the guard itself: it may do to guarded volumes what guarding takes. 0 or -errno. */
int lsm_guard_process(Lsm *lsm, pid_t pid);

/* How the programs in the kernel know a file. 0; -EINVAL if PATH is not absolute, or is the root;
 * -ENAMETOOLONG: they could not know it. */
int lsm_program_key(dev_t devnum, const char *path, struct lsm_program *ret);

/* A program that may read the nodes of what nobody may write. */
typedef struct LsmReader {
        dev_t devnum; /* of the superblock that it is on */
        char *path;   /* from the root of that, with a slash at the front */
        bool family;  /* what it starts may as well */
} LsmReader;

/* Where lsm_has_hooks() is false nobody but these reads such nodes, mounting apart: a reader could take the
 * read-only flag away. Replaces those of before. 0 or -errno. */
int lsm_readers(Lsm *lsm, const LsmReader *readers, size_t n);

/* Whether to tell who is refused by superblocks that are read-only underneath: it costs every open on the
 * machine a little, so only while there are some. 0 or -errno. */
int lsm_tell_refused(Lsm *lsm, bool tell);

/* force.c: whether every program that refuses is attached still, as the kernel says: 0, or -errno of the
 * first that is not. */
int lsm_in_force(const Lsm *lsm);

/* What of the guard itself nobody else may touch, root included. */
typedef struct LsmProtection {
        bool process;                   /* the processes of lsm_guard_process(): signals, tracing, limits */
        bool pins;                      /* the programs and maps in the kernel */
        const char *const *directories; /* of whose entries none may be changed but by the guard */
        size_t n_directories;
        uint64_t lifted_until; /* CLOCK_BOOTTIME in ns until when nothing of this holds; 0: it holds */
} LsmProtection;

/* Whether the service manager started this process, in a unit of its own. */
bool lsm_is_unit(void);

/* Replaces what was protected before. Outside a unit nothing is: nobody could take over. Who is started by
 * the service manager in this agent's own unit counts as the guard as well, so that a new agent can take
 * over. 0 or -errno. */
int lsm_protect(Lsm *lsm, const LsmProtection *protection);
