/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/verdict.h"

#include "policy/translate.h"

DEFINE_ENUM_STRINGS(Access, access, ACCESS_LIST)
DEFINE_ENUM_STRINGS(Verdict, verdict, VERDICT_LIST)
DEFINE_ENUM_STRINGS(Reason, reason, REASON_LIST)

const char *reason_for_person(Reason reason) {
        switch (reason) {
        case REASON_NO_DECISION:
                return N_("Nothing was decided about this, so it was refused.");
        case REASON_INTERNAL:
                return N_("It belongs to this terminal itself.");
        case REASON_DEFAULT:
                return N_("It is not on the list of what this terminal may use.");
        case REASON_RULE:
                return N_("The policy of this terminal says so.");
        case REASON_RULE_EXPIRED:
                return N_("It had been approved, but the approval has expired.");
        case REASON_NOT_THIS_PERSON:
                return N_("It has been approved for other persons.");
        case REASON_OUTSIDE_HOURS:
                return N_("It has been approved for other hours.");
        case REASON_READ_ONLY:
                return N_("It may be read on this terminal, but not written to.");
        case REASON_INTERFACE_CLASS:
                return N_("The policy of this terminal decides about this kind of USB device.");
        case REASON_NOT_ENCRYPTED:
                return N_("It has been approved for writing to an encrypted (LUKS2) volume on it only.");
        case REASON_NEEDS_LSM:
                return N_("It is approved for some people only, and this terminal's kernel cannot tell them "
                          "apart.");
        case REASON_NODE_CLOSED:
                return N_("Nothing may be written to it, and on this terminal's kernel whoever reads its "
                          "device "
                          "node could: only programs of the system read that.");
        case REASON_LOCKDOWN:
                return N_("This terminal is in an emergency lockdown: nothing external may be used until it "
                          "is lifted.");
        case REASON_NOT_GUARDED:
                return N_("The policy of this terminal does not speak of the network, so nothing is guarded "
                          "there.");
        case REASON_LABELLED_SOURCE:
                return N_("The program has a file open that must not leave this terminal.");
        case REASON_UNKNOWN_SOURCE:
                return N_(
                        "It cannot be told whether it comes from files that must not leave this terminal.");
        case REASON_INVALID_QUESTION:
                return N_("Too little is known about it, so it was refused.");
        }
        return N_("It was refused.");
}
