/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h: the answers a policy gives. Zero denies everywhere: a zeroed Decision is a denial.
 */
#pragma once

#include <stdbool.h>

#include "policy/enum.h"

/* What may be done with a device or a superblock. */
#define ACCESS_LIST(X)                                                                                      \
        X(ACCESS_DENY, "deny")                                                                              \
        X(ACCESS_READ_ONLY, "read-only")                                                                    \
        X(ACCESS_WRITE, "write")
DECLARE_ENUM(Access, access, ACCESS_LIST);

/* Whether one operation by one person goes ahead. */
#define VERDICT_LIST(X)                                                                                     \
        X(VERDICT_DENY, "deny")                                                                             \
        X(VERDICT_ALLOW, "allow")
DECLARE_ENUM(Verdict, verdict, VERDICT_LIST);

/* Why a decision fell as it did: one word for programs; reason_for_person() has the sentence. */
#define REASON_LIST(X)                                                                                      \
        X(REASON_NO_DECISION, "no-decision")         /* nothing was decided: denied */                      \
        X(REASON_INTERNAL, "internal")               /* the terminal's own disk or a kernel file system */  \
        X(REASON_DEFAULT, "default")                 /* no rule names it: the section's default */          \
        X(REASON_RULE, "rule")                       /* a rule names it and says so */                      \
        X(REASON_RULE_EXPIRED, "rule-expired")       /* a rule names it, but has expired */                 \
        X(REASON_NOT_THIS_PERSON, "not-this-person") /* the rule is for other users or groups */            \
        X(REASON_OUTSIDE_HOURS, "outside-hours")     /* the rule is for other hours */                      \
        X(REASON_READ_ONLY, "read-only")             /* may be read, not written */                         \
        X(REASON_INTERFACE_CLASS, "interface-class") /* the USB interface class is listed */                \
        X(REASON_NOT_ENCRYPTED, "not-encrypted")     /* only a LUKS2 volume on it may be written to */      \
        X(REASON_NEEDS_LSM, "needs-lsm") /* approved for some, and this kernel cannot tell them apart */    \
        X(REASON_NODE_CLOSED,                                                                               \
          "node-closed") /* who reads its node could make it writable, and this kernel asks nobody */       \
        X(REASON_LOCKDOWN, "lockdown") /* an emergency: everything external is denied until it is lifted */ \
        X(REASON_NOT_GUARDED,                                                                               \
          "not-guarded") /* the policy does not speak of the network: all of it is open */                  \
        X(REASON_LABELLED_SOURCE,                                                                           \
          "labelled-source")                       /* it would come from an asset that is never exported */ \
        X(REASON_UNKNOWN_SOURCE, "unknown-source") /* where it would come from cannot be told */            \
        X(REASON_INVALID_QUESTION, "invalid-question") /* not enough is known to decide: denied */
DECLARE_ENUM(Reason, reason, REASON_LIST);

/* A decision about a device, a USB interface or a superblock. Strings are borrowed from the policy that
 * decided (or static) and live as long as it does. */
typedef struct Decision {
        Access access;
        Reason reason;
        bool conditional;   /* ACCESS_WRITE only: it holds for some people or hours; every open must be asked
                             */
        bool monitor;       /* what this refuses is only recorded, and goes ahead */
        bool external;      /* the object lies outside the terminal's own disks */
        const char *rule;   /* the deciding rule's name, or "removable.default" and the like; never NULL once
                               decided */
        const char *origin; /* "FILE:LINE" of that rule, or "built-in" */
} Decision;

/* What is in force comes before what is only tried out, whatever that would refuse. */
static inline int decision_rank(const Decision *decision) {
        if (decision->access == ACCESS_WRITE && !decision->conditional)
                return 2 * (ACCESS_WRITE + 1);
        return (int)decision->access + (decision->monitor ? ACCESS_WRITE + 1 : 0);
}

/* Whether A allows less than B; a write that has to be asked for is less than one that has not. */
static inline bool decision_is_stricter(const Decision *a, const Decision *b) {
        return decision_rank(a) < decision_rank(b);
}

/* A decision about one open. */
typedef struct OpenDecision {
        Verdict verdict;
        Reason reason;
        bool monitor; /* a denial that is only recorded: it goes ahead */
        const char *rule;
        const char *origin;
        const char *label; /* of the asset it may come from; NULL: none that is known */
} OpenDecision;

/* The sentence for REASON as a person is told it, in English (gettext's msgid). Never NULL; static. */
const char *reason_for_person(Reason reason);
