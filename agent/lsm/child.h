/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h: how programs get into the kernel: a child process fits them to it, since that takes the types of
 * all of it, which the agent need not keep, and pins them, whole or not at all.
 */
#pragma once

#include <stddef.h>

enum {
        LSM_WHY = 256
};

struct bpf_object;

/* The name of a version of programs: that of the directory they are pinned in. */
void lsm_version_of(const void *object, size_t length, char *name, size_t size);

/* Pin the programs that are loaded, and all maps, of OBJECT in the new directory ROOT/VERSION, whole or not
 * at all. 0 or -errno. */
int lsm_pin_object(const struct bpf_object *object, const char *root, const char *version);

/* Have LOAD called in a child. What that returns, or another -errno; WHY says what the kernel complained of
 * first. */
int lsm_in_child(int (*load)(void *), void *userdata, char why[LSM_WHY]);
