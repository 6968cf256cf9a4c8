/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "policy/scope.h"

enum {
        ARGUMENTS = 6
};

/* Flags with which an open cannot change anything. O_LARGEFILE, O_CLOEXEC and the like are among them; a
 * flag the list does not have makes the open a write, so that a flag of tomorrow is not let through today.
 */
static const unsigned long harmless_flags =
        O_APPEND | O_ASYNC | O_CLOEXEC | O_DIRECT | O_DIRECTORY | O_DSYNC |
        0100000UL /* the kernel's O_LARGEFILE, which is 0 in libc on x86-64 */ | O_NOATIME | O_NOCTTY |
        O_NOFOLLOW | O_NONBLOCK | O_SYNC;

static Operation from_flags(unsigned long flags) {
        if (flags & O_CREAT)
                return OPERATION_CREATE;
        if (flags & O_TRUNC) /* truncates even where it is opened for reading */
                return OPERATION_TRUNCATE;
        if ((flags & O_ACCMODE) != O_RDONLY)
                return OPERATION_OPEN_WRITE;
        return flags & ~harmless_flags ? OPERATION_UNKNOWN : OPERATION_OPEN_READ;
}

/* "NUMBER ARG0 … ARG5 SP PC"; "running" or "-1 SP PC" have no arguments. Returns false for those. */
static bool parse(const char *text, long *ret_number, unsigned long arguments[ARGUMENTS]) {
        char *end;

        errno = 0;
        *ret_number = strtol(text, &end, 10);
        if (end == text || errno != 0 || *ret_number < 0)
                return false;
        for (size_t i = 0; i < ARGUMENTS; i++) {
                if (strncmp(end, " 0x", 3) != 0)
                        return false;
                text = end + 1;
                arguments[i] = strtoul(text, &end, 16);
                if (end == text || errno != 0)
                        return false;
        }
        return *end == ' ';
}

Operation operation_from_syscall(const char *text) {
        unsigned long arguments[ARGUMENTS];
        long number;

        if (!parse(text, &number, arguments))
                return OPERATION_UNKNOWN;
        /* The kernel takes the flags as an int: the upper half of the register is not looked at. The numbers
         * are those of x86-64; a 32-bit call with the same number never opens a file (arch/x86/entry/
         * syscalls/syscall_32.tbl: 2 fork, 59 oldolduname, 85 readlink, 257 remap_file_pages, 304 symlinkat,
         * 322 timerfd_create), so one that opens is not taken for a read. */
        switch (number) {
#ifdef SYS_open
        case SYS_open:
                return from_flags(arguments[1] & 0xffffffff);
        case SYS_creat:
                return OPERATION_CREATE;
#endif
        case SYS_openat:
        case SYS_open_by_handle_at:
                return from_flags(arguments[2] & 0xffffffff);
        case SYS_execve:
        case SYS_execveat:
                return OPERATION_OPEN_READ;
        case SYS_truncate:
                return OPERATION_TRUNCATE;
        default:
                return OPERATION_UNKNOWN;
        }
}

bool syscall_is_running(const char *text) {
        return strncmp(text, "running", strlen("running")) == 0;
}

bool stack_is_plain_open(const char *text) {
        static const char *const detours[] = {"] io_",      "task_work", "coredump",
                                              "get_signal", "kthread",   "ret_from_fork"};
        static const char *const entries[] = {"do_sys_open",    "__x64_sys_open", "__x64_sys_creat",
                                              "do_handle_open", "do_execve",      "__x64_sys_exec"};

        for (size_t i = 0; i < ELEMENTS(detours); i++)
                if (strstr(text, detours[i]))
                        return false;
        for (size_t i = 0; i < ELEMENTS(entries); i++)
                if (strstr(text, entries[i]))
                        return true;
        return false;
}
