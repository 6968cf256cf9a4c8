/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.h: what the agent's status means, and how people and programs are told. Reads nothing but the
 * StatusFile it is given.
 */
#pragma once

#include <stdio.h>

#include "agent/ctl/status_file.h"

/* Everything that keeps the guard from being in force without failures, as an array of sentences; empty if
 * all is well. What is missing from the status does not count as well. The caller puts it. */
struct json_object *status_findings(const StatusFile *status);

/* The whole status for people. */
void status_print(const StatusFile *status, const struct json_object *findings, FILE *to);

/* self_test.c: the last self-test in ROOT as a table; and one of its probes in a line, a new string or NULL.
 */
void self_test_print(const struct json_object *root, FILE *to);
char *self_test_words(const struct json_object *probe);

/* The table of the devices in ROOT; internal ones only with ALL. */
void status_print_devices(const struct json_object *root, bool all, FILE *to);
