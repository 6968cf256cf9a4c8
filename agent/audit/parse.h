/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.h: records of the kernel's audit subsystem, put together into the refused attempts that they tell
 * of. Pure: text in, values out. One attempt is several messages (SYSCALL, CWD, PATH…, PROCTITLE, EOE) that
 * share a serial number and may interleave with another's. Source: Linux kernel/auditsc.c, auditctl(8),
 * include/uapi/linux/audit.h.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/event.h"

enum {
        AUDIT_IN_FLIGHT = 16,
        AUDIT_PATHS = 4,
        AUDIT_TEXT = 1024
};

typedef struct AuditPath {
        bool has_device;
        dev_t devnum; /* device number of the file system that the inode lies on */
        dev_t node;   /* it is a device node, with this number; else 0 */
        bool parent;  /* it is the directory in which a name was to be made or removed */
        char name[AUDIT_TEXT];
} AuditPath;

typedef struct AuditEvent {
        uint64_t serial; /* 0: the slot is free */
        bool has_syscall;
        long syscall, exit;
        pid_t pid;
        uid_t uid, loginuid;
        char exe[AUDIT_TEXT], key[64], cwd[AUDIT_TEXT], command[AUDIT_TEXT];
        AuditPath paths[AUDIT_PATHS];
        size_t n_paths;
} AuditEvent;

typedef struct AuditParser {
        AuditEvent events[AUDIT_IN_FLIGHT];
        size_t next;      /* the slot that is given up when all are taken */
        uint64_t dropped; /* events given up before they were whole */
} AuditParser;

/* Feed one netlink message of TYPE (AUDIT_SYSCALL …) with its text. Returns the event that it completes,
 * valid until the next call, or NULL. */
const AuditEvent *audit_parse(AuditParser *parser, unsigned type, const char *text);

/* What a system call was trying (x86-64 numbers). */
Operation audit_operation(long syscall);
