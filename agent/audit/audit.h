/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit.h: who was refused by a file system that is read-only underneath. Such a refusal (EROFS) comes
 * before any fanotify event, so the kernel's audit subsystem is asked for it: an exit filter on EROFS, which
 * is set while there is such a file system and costs nothing while there is none. Only reads what the kernel
 * multicasts: it takes nothing away from auditd or journald. Source: auditctl(8), audit_add_rule_data(3),
 * Linux net/netlink and kernel/audit.c (AUDIT_NLGRP_READLOG).
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/audit/parse.h"

typedef struct Audit Audit;

/* EVENT was refused. DEVNUM is the watched file system's on which it was refused with EROFS and PATH the
 * best name there is; or, with NODE, the number of the watched device node PATH that was opened for writing.
 */
typedef void (*AuditHandler)(void *userdata, const AuditEvent *event, bool node, dev_t devnum,
                             const char *path);

/* RUNTIME_DIR is where it is noted that auditing was off before. 0, -ENOTSUP where the kernel has no audit,
 * -errno. Nothing is switched on yet. */
int audit_new(sd_event *event, const char *runtime_dir, AuditHandler handler, void *userdata, Audit **ret);
/* Takes its rules away and leaves auditing as it was found. Returns NULL. */
Audit *audit_free(Audit *audit);

/* Watch these file systems and these device nodes from now on (replaces the earlier lists; copied); none
 * switches auditing off again. 0 or -errno. */
int audit_watch(Audit *audit, const dev_t *devnums, size_t n, char *const *nodes, size_t n_nodes);

/* Messages that the kernel could not deliver or that came too mixed up, since the start. */
uint64_t audit_lost(const Audit *audit);
