/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status_file.h: what the agent says of itself in RUNTIME/status.json, and whether it is alive, which the
 * lock on RUNTIME/lock tells: the agent holds it as long as it lives.
 */
#pragma once

#include "agent/ctl/json.h"

#define DEFAULT_RUNTIME_DIR "/run/sekisho"

typedef struct StatusFile {
        struct json_object *root; /* NULL: the agent has written nothing */
        bool alive;
} StatusFile;

/* 0; -EBADMSG if the file is no status, -E2BIG, -EACCES or another -errno if it cannot be read. */
int status_file_read(const char *runtime_dir, StatusFile *ret);
void status_file_clear(StatusFile *status);

/* The same for a command: on failure one line on stderr, and 2. Without RUNTIME_DIR the guard is asked on
 * the system bus (METHOD is "Status" or "Devices", whose array is taken for a status that has nothing else),
 * and only if it does not answer what it wrote is read. */
int status_file_open(const char *runtime_dir, const char *method, StatusFile *ret);

/* Whether the agent of RUNTIME_DIR (NULL: the usual one) runs and says that the kernel's security hooks are
 * not there for it. False where that cannot be told. */
bool status_file_lacks_lsm(const char *runtime_dir);

/* Whether it runs and says that it is locked down, other than by the policy. */
bool status_file_is_locked_down(const char *runtime_dir);

#define CLEANUP_STATUS_FILE CLEANUP(status_file_clear)
