/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mountinfo.h: the mount table of the machine (host.h). Source: proc(5). A pure line parser and a
 * reader; decides nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct MountEntry {
        int id, parent;
        dev_t devnum;
        char *root, *point, *options, *fstype, *source,
                *super_options; /* unescaped; within the line they came from */
} MountEntry;

typedef struct MountTable {
        MountEntry *entries;
        size_t n;
        char *text; /* what the entries point into */
} MountTable;

void mount_table_clear(MountTable *table);

/* Split one line (without its newline), which is changed. 0 or -EBADMSG. */
int mountinfo_parse_line(char *line, MountEntry *ret);

/* Parse a whole table; TEXT (from malloc) is taken over on success. 0, -EBADMSG if any line is not
 * understood (a table that is half understood guards half of the mounts), -ENOMEM. */
int mountinfo_parse(char *text, MountTable *ret);

/* Read PATH (NULL: the table of the machine) at one go. 0 or -errno. */
int mountinfo_read(const char *path, MountTable *ret);

/* Whether the superblock of ENTRY is writable, whatever the mount itself allows. */
bool mount_is_writable(const MountEntry *entry);

/* The value of OPTION= in a comma-separated list of mount options, as a new string; NULL if it is not there.
 */
char *mount_option(const char *options, const char *option);
