/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscall.h: what a thread that is blocked in an open wants: reading, or anything else. Read from
 * /proc/TID/syscall (number and arguments of the system call, proc(5)) and made sure of by /proc/TID/stack:
 * the same thread may open files from the kernel on its way back to user space (a core dump, io_uring's task
 * work) while its registers still show an innocent open. Pure parsers; whatever is not known for sure is
 * OPERATION_UNKNOWN, which counts as a write.
 */
#pragma once

#include <stdbool.h>

#include "policy/event.h"

/* Judge the text of /proc/TID/syscall. OPERATION_OPEN_READ only for an open that can neither write, create
 * nor truncate: open, openat, open_by_handle_at with O_RDONLY alone, and execve. */
Operation operation_from_syscall(const char *text);

/* Whether the text of /proc/TID/syscall says that the thread is on a processor, or about to be: what it does
 * cannot be told at this moment. */
bool syscall_is_running(const char *text);

/* Whether the text of /proc/TID/stack shows nothing but the system call itself: no task work, no io_uring,
 * no core dump between the system call's entry and the open. */
bool stack_is_plain_open(const char *text);
