/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/verdict.h"

DEFINE_ENUM_STRINGS(Access, access, ACCESS_LIST)
DEFINE_ENUM_STRINGS(Verdict, verdict, VERDICT_LIST)
DEFINE_ENUM_STRINGS(Reason, reason, REASON_LIST)

const char *reason_for_person(Reason reason) {
        switch (reason) {
        case REASON_NO_DECISION:
                return "Nothing was decided about this, so it was refused.";
        case REASON_INTERNAL:
                return "It belongs to this terminal itself.";
        case REASON_DEFAULT:
                return "It is not on the list of what this terminal may use.";
        case REASON_RULE:
                return "The policy of this terminal says so.";
        case REASON_RULE_EXPIRED:
                return "It had been approved, but the approval has expired.";
        case REASON_NOT_THIS_PERSON:
                return "It has been approved for other persons.";
        case REASON_OUTSIDE_HOURS:
                return "It has been approved for other hours.";
        case REASON_READ_ONLY:
                return "It may be read on this terminal, but not written to.";
        case REASON_INTERFACE_CLASS:
                return "The policy of this terminal decides about this kind of USB device.";
        case REASON_INVALID_QUESTION:
                return "Too little is known about it, so it was refused.";
        }
        return "It was refused.";
}
