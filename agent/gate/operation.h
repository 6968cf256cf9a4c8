/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * operation.h: what a thread that is blocked in an open is opening for, read from /proc/TID/syscall and
 * /proc/TID/stack (see syscall.h). The files of the threads that asked last stay open: finding them anew
 * costs more than reading them. They belong to the thread and not to its number, so that a reader never
 * looks at another thread that has got the number since: reading then fails with ESRCH. Source: proc(5).
 */
#pragma once

#include <sys/types.h>

#include "policy/event.h"

typedef struct OperationReader OperationReader;

/* For one thread's use. 0 or -ENOMEM. */
int operation_reader_new(OperationReader **ret);
OperationReader *operation_reader_free(OperationReader *reader); /* returns NULL */

/* What thread TID is opening for. OPERATION_UNKNOWN, which counts as a write, if not sure. Waits a moment if
 * the thread has not come to rest yet. READER may be NULL: then nothing stays open. */
Operation operation_read(OperationReader *reader, pid_t tid);
