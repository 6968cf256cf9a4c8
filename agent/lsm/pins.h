/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pins.h: the directory of BPF objects that outlive the agent, ROOT/VERSION, and in it each map and program
 * under its name and each attachment as link_PROGRAM. Source: Documentation/filesystems and bpf(2).
 */
#pragma once

/* What the names of programs begin with that control groups ask. */
#define PINS_DEVICE "device_"

/* The number of entries matters to nobody: F is called with each name in DIRECTORY. Stops at the first
 * negative result and returns it. 0 or -errno. */
int pins_foreach(const char *directory, int (*f)(void *userdata, const char *name), void *userdata);

/* A descriptor of an object, or -errno. */
int pins_open(const char *directory, const char *name);

/* Put PROGRAM in force at its hook, or, if its name begins with "device_" or "network_", for the control
 * group of all processes (-ENOENT where there is none), and pin that; a program that is in force already
 * stays so. 0 or -errno. */
int pins_attach(const char *directory, const char *program);

/* The same for the control group in the directory GROUP, NULL for that of all processes. */
int pins_attach_in(const char *directory, const char *program, const char *group);

/* Take it out of force again. 0 (also if it was not) or -errno. */
int pins_detach(const char *directory, const char *program);

/* Remove a directory and all that is pinned in it, which ends what nothing else holds. 0 (also if there is
 * none) or -errno. */
int pins_remove(const char *directory);

/* Remove all of ROOT but VERSION. 0 or the first -errno. */
int pins_remove_others(const char *root, const char *version);
