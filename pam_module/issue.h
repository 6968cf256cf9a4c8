/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * issue.h: what sekishoctl and the agent have in common where they give people factors or take them away:
 * the change itself, and its record.
 */
#pragma once

#include "pam_module/enrolment.h"
#include "policy/event.h"

/* Takes FACTOR away, and its failures. */
void issue_take_away(Enrolment *enrolment, Factor factor);

/* Who changed what of whom. Borrowed. */
typedef struct IssueRecord {
        EventKind kind;
        const char *program; /* the syslog identifier */
        const char *store;   /* directory; NULL without memory */
        const char *account, *person, *key, *by;
        uid_t uid;
        Factor factor;
        const char *expires; /* NULL: it does not */
} IssueRecord;

/* One record; where there is no journal, a line of syslog. */
void issue_record(const IssueRecord *issue);
