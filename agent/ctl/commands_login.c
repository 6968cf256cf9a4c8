/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who can log in, and with what. */
#include "agent/ctl/command_table.h"
#include "agent/ctl/i18n.h"
#include "policy/scope.h"

static const Command commands[] = {
        {COMMAND_PAM_CHECK, "pam check", command_pam_check, 0, 256,
         N_("Usage: sekishoctl pam check [SERVICE...] [OPTIONS]\n"
            "\n"
            "Proves for the services that the policy guards that no way through their PAM configuration "
            "lets "
            "in\n"
            "without pam_sekisho, whatever other modules return; or shows the shortest one that does. "
            "Without\n"
            "SERVICE all that there are, and other. Exit status 0 if proven, 1 if there are findings.\n"
            "\n"
            "  -D, --directory DIR    the PAM configuration (default /etc/pam.d)\n"
            "  --module-dir DIR       where its modules are (default: where libpam looks)\n"
            "  --policy PATH          (default /etc/sekisho/policy.d)\n"
            "  --strict               also what is accepted otherwise: root who becomes somebody else, "
            "sessions\n"
            "                         that are not a person's\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_ENROL_FIDO2, "enrol fido2", command_enrol_fido2, 1, 1,
         N_("Usage: sekishoctl enrol fido2 USER [OPTIONS]\n"
            "\n"
            "Has the security key that is plugged in make a credential for a person, and sign with it "
            "once.\n"
            "Its PIN is asked for where it has one. For root.\n"
            "\n"
            "  --person ID            who, where several people use the account\n"
            "  --label NAME           what is written on it (default: key)\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --policy PATH          (default /etc/sekisho/policy.d)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_ENROL_CARD, "enrol card", command_enrol_card, 1, 1,
         N_("Usage: sekishoctl enrol card USER [OPTIONS]\n"
            "\n"
            "Shows the certificate of the IC card that is in the reader, has the card sign with its key, "
            "and lets\n"
            "it count for a person. The policy's mfa.card says how cards are read, and which ones count. "
            "For "
            "root.\n"
            "\n"
            "  --person ID            whose it is, where that is not the name of the account\n"
            "  --label NAME           what is written on it (default: card)\n"
            "  --slot N               the slot, where there are several cards\n"
            "  --certificate NAME     the certificate's name on the card, where it has several\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --policy PATH          (default /etc/sekisho/policy.d)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_ENROL_FINGERPRINT, "enrol fingerprint", command_enrol_fingerprint, 1, 1,
         N_("Usage: sekishoctl enrol fingerprint USER [OPTIONS]\n"
            "\n"
            "Lets the fingers count that fprintd has of a person (fprintd-enroll), once one of them was "
            "put on\n"
            "the reader. For root.\n"
            "\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --policy PATH          (default /etc/sekisho/policy.d)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_ENROL, "enrol", command_enrol, 0, 1,
         N_("Usage: sekishoctl enrol [USER] [OPTIONS]\n"
            "\n"
            "Makes a secret for one-time passwords, shows it for the person's authenticator program, and "
            "takes it\n"
            "once the person has given the code that shows there. For root, and whom polkit allows it.\n"
            "\n"
            "Without USER, for anybody: puts a new program in place of one's own, once a code that one has "
            "was\n"
            "given, of the program before or from paper. The guard does it.\n"
            "\n"
            "  --algorithm A          SHA1 (default), SHA256 or SHA512\n"
            "  --digits N             6 (default) or 8\n"
            "  --person ID            who, where several people use the account\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs; taken without a code\n")},
        {COMMAND_UNENROL, "unenrol", command_unenrol, 1, 2,
         N_("Usage: sekishoctl unenrol USER [totp|card|fido2|fingerprint|recovery|substitute] [OPTIONS]\n"
            "\n"
            "Takes a factor away from a person; without a name everything, also where the store's file "
            "cannot be\n"
            "read any more. For root, and whom polkit allows it.\n"
            "\n"
            "  --person ID            who, where several people use the account\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n")},
        {COMMAND_FACTORS, "factors", command_factors, 0, 1,
         N_("Usage: sekishoctl factors [USER] [--person ID] [--state-dir DIR] [--json]\n"
            "\n"
            "Tells what a person has to log in with. Exit status 0 if anything, 1 if nothing. For root, and "
            "whom\n"
            "polkit allows it; without USER, what one has oneself, for anybody.\n")},
        {COMMAND_RECOVERY_CODES, "recovery-codes", command_recovery_codes, 1, 1,
         N_("Usage: sekishoctl recovery-codes USER [OPTIONS]\n"
            "\n"
            "Issues codes that are taken once each, in place of those there were. For root.\n"
            "\n"
            "  --number N             how many, 1 to 10 (default 8)\n"
            "  --person ID            who, where several people use the account\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_SUBSTITUTE, "substitute", command_substitute, 1, 1,
         N_("Usage: sekishoctl substitute USER [OPTIONS]\n"
            "\n"
            "Issues a code that stands in for a forgotten card for some hours. Another person than USER has "
            "to\n"
            "do it. For root.\n"
            "\n"
            "  --for-hours N          for how long, 1 to 72 (default 12)\n"
            "  --person ID            who, where several people use the account\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
};

const CommandGroup commands_login = {commands, ELEMENTS(commands)};
