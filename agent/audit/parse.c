/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/audit/parse.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "policy/scope.h"

/* The value behind " NAME=" (or at the start), NULL if there is none. */
static const char *find_value(const char *text, const char *name) {
        size_t length = strlen(name);

        for (const char *p = text; (p = strstr(p, name)); p += length)
                if ((p == text || p[-1] == ' ') && p[length] == '=')
                        return p + length + 1;
        return NULL;
}

static bool number(const char *text, const char *name, int base, long min, long max, long *ret) {
        const char *value = find_value(text, name);
        char *end;

        if (!value)
                return false;
        errno = 0;
        *ret = strtol(value, &end, base);
        return end != value && errno == 0 && *ret >= min && *ret <= max;
}

static int hex_digit(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                      : -1;
}

/* A string as audit_log_untrustedstring() writes it: in quotes, or in hex where it has odd bytes. NULs
 * become spaces (arguments of a command), other control characters '?'. */
static void untrusted(const char *text, const char *name, char *to, size_t size) {
        const char *value = find_value(text, name);
        size_t n = 0;

        to[0] = '\0';
        if (!value)
                return;
        if (*value == '"') {
                for (value++; *value && *value != '"' && n + 1 < size; value++)
                        to[n++] = *value;
        } else if (strncmp(value, "(null)", 6) != 0) {
                for (; n + 1 < size && hex_digit(value[0]) >= 0 && hex_digit(value[1]) >= 0; value += 2)
                        to[n++] = (char)(hex_digit(value[0]) << 4 | hex_digit(value[1]));
                for (size_t i = 0; i < n; i++)
                        if (to[i] == '\0')
                                to[i] = ' ';
                while (n > 0 && to[n - 1] == ' ')
                        n--;
        }
        to[n] = '\0';
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)to[i] < 0x20 || to[i] == 0x7f)
                        to[i] = '?';
}

static void parse_syscall(AuditEvent *event, const char *text) {
        long value;

        event->has_syscall = number(text, "syscall", 10, 0, INT_MAX, &event->syscall) &&
                             number(text, "exit", 10, LONG_MIN, LONG_MAX, &event->exit);
        if (number(text, "pid", 10, 1, INT_MAX, &value))
                event->pid = (pid_t)value;
        if (number(text, "fsuid", 10, 0, UINT32_MAX, &value))
                event->uid = (uid_t)value;
        if (number(text, "auid", 10, 0, UINT32_MAX, &value))
                event->loginuid = (uid_t)value;
        untrusted(text, "exe", event->exe, sizeof(event->exe));
        untrusted(text, "key", event->key, sizeof(event->key));
}

/* "dev=07:1b58", both in hex. False if it is not there. */
static bool device_number(const char *text, const char *name, dev_t *ret) {
        const char *value = find_value(text, name);
        unsigned long maj;
        char *end;

        if (!value)
                return false;
        maj = strtoul(value, &end, 16);
        if (*end != ':')
                return false;
        *ret = makedev((unsigned)maj, (unsigned)strtoul(end + 1, NULL, 16));
        return true;
}

static void parse_path(AuditEvent *event, const char *text) {
        const char *type = find_value(text, "nametype");
        AuditPath *path;

        if (event->n_paths == AUDIT_PATHS)
                return;
        path = &event->paths[event->n_paths++];
        *path = (AuditPath){0};
        path->has_device = device_number(text, "dev", &path->devnum);
        (void)device_number(text, "rdev", &path->node);
        path->parent = type && strncmp(type, "PARENT", 6) == 0;
        untrusted(text, "name", path->name, sizeof(path->name));
}

/* "audit(SECONDS.MILLISECONDS:SERIAL): rest" */
static uint64_t parse_serial(const char *text, const char **ret_rest) {
        const char *colon;
        char *end;
        uint64_t serial;

        if (strncmp(text, "audit(", 6) != 0 || !(colon = strchr(text, ':')))
                return 0;
        serial = strtoull(colon + 1, &end, 10);
        if (end == colon + 1 || strncmp(end, "): ", 3) != 0)
                return 0;
        *ret_rest = end + 3;
        return serial;
}

static AuditEvent *slot(AuditParser *parser, uint64_t serial, bool make) {
        AuditEvent *event;

        for (size_t i = 0; i < AUDIT_IN_FLIGHT; i++)
                if (parser->events[i].serial == serial)
                        return &parser->events[i];
        if (!make)
                return NULL;
        for (size_t i = 0; i < AUDIT_IN_FLIGHT; i++)
                if (parser->events[i].serial == 0) {
                        event = &parser->events[i];
                        goto found;
                }
        event = &parser->events[parser->next];
        parser->next = (parser->next + 1) % AUDIT_IN_FLIGHT;
        parser->dropped++;
found:
        memset(event, 0, sizeof(*event));
        event->serial = serial;
        event->uid = event->loginuid = (uid_t)-1;
        return event;
}

const AuditEvent *audit_parse(AuditParser *parser, unsigned type, const char *text) {
        const char *rest = "";
        uint64_t serial = parse_serial(text, &rest);
        AuditEvent *event;

        if (serial == 0)
                return NULL;
        event = slot(parser, serial, type == AUDIT_SYSCALL);
        if (!event)
                return NULL;
        switch (type) {
        case AUDIT_SYSCALL:
                parse_syscall(event, rest);
                return NULL;
        case AUDIT_CWD:
                untrusted(rest, "cwd", event->cwd, sizeof(event->cwd));
                return NULL;
        case AUDIT_PATH:
                parse_path(event, rest);
                return NULL;
        case AUDIT_PROCTITLE:
                untrusted(rest, "proctitle", event->command, sizeof(event->command));
                return NULL;
        case AUDIT_EOE:
                event->serial = 0; /* the slot may be taken again by the next call */
                return event->has_syscall ? event : NULL;
        default:
                return NULL;
        }
}

Operation audit_operation(long syscall) {
        switch (syscall) {
        case SYS_openat:
        case SYS_openat2:
        case SYS_open_by_handle_at:
                return OPERATION_OPEN_WRITE;
        case SYS_truncate:
        case SYS_ftruncate:
        case SYS_fallocate:
                return OPERATION_TRUNCATE;
        case SYS_mkdirat:
                return OPERATION_MKDIR;
        case SYS_mknodat:
                return OPERATION_MKNOD;
        case SYS_symlinkat:
                return OPERATION_SYMLINK;
        case SYS_linkat:
                return OPERATION_LINK;
        case SYS_renameat:
        case SYS_renameat2:
                return OPERATION_RENAME;
        case SYS_unlinkat:
                return OPERATION_UNLINK;
        case SYS_setxattr:
        case SYS_lsetxattr:
        case SYS_fsetxattr:
        case SYS_removexattr:
        case SYS_lremovexattr:
        case SYS_fremovexattr:
                return OPERATION_SETXATTR;
        case SYS_fchmod:
        case SYS_fchmodat:
        case SYS_fchown:
        case SYS_fchownat:
        case SYS_utimensat:
                return OPERATION_SETATTR;
#ifdef SYS_open /* calls that newer architectures do without */
        case SYS_open:
                return OPERATION_OPEN_WRITE;
        case SYS_creat:
                return OPERATION_CREATE;
        case SYS_mkdir:
                return OPERATION_MKDIR;
        case SYS_mknod:
                return OPERATION_MKNOD;
        case SYS_symlink:
                return OPERATION_SYMLINK;
        case SYS_link:
                return OPERATION_LINK;
        case SYS_rename:
                return OPERATION_RENAME;
        case SYS_unlink:
                return OPERATION_UNLINK;
        case SYS_rmdir:
                return OPERATION_RMDIR;
        case SYS_chmod:
        case SYS_chown:
        case SYS_lchown:
        case SYS_utime:
        case SYS_utimes:
        case SYS_futimesat:
                return OPERATION_SETATTR;
#endif
        default:
                return OPERATION_UNKNOWN;
        }
}
