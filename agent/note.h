/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * note.h: notes below the runtime directory, RUNTIME/KIND/MAJOR:MINOR with a number in it, by which
 * processes of Sekisho tell each other what was done to a device or superblock. The number says to which
 * one: device numbers are used again, and a note on another one holds for nothing.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* A disk is let go; the number is its medium's sequence number (diskseq). */
#define NOTE_RELEASED "released"
/* A superblock was made read-only by us, not by whoever mounted it; the number is the mount's id. */
#define NOTE_SEALED "sealed"
/* A network interface is let go; the device number is its own, and so is the number. */
#define NOTE_LINK "links"
/* In the state directory: the policy does not ask that network interfaces be held. */
#define LINKS_NOT_GUARDED "links-not-guarded"
/* In the state directory: cards in the terminal that were approved last, a line for each: its directory in
 * sysfs, a blank, its hardware address. */
#define LINKS_APPROVED "links-approved"
enum {
        LINKS_APPROVED_MAX = 64 * 1024
};

/* Write, drop and ask for a note. RUNTIME_DIR is absolute. 0 or -errno; note_holds: 1 yes, 0 no, -errno
 * (which callers take as no): -EPERM for one that somebody else could have written. A number of 0 names
 * nothing. */
int note_write(const char *runtime_dir, const char *kind, dev_t devnum, uint64_t number);
int note_drop(const char *runtime_dir, const char *kind, dev_t devnum);
int note_holds(const char *runtime_dir, const char *kind, dev_t devnum, uint64_t number);
