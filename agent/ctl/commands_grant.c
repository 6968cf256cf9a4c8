/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions for a person, a medium and a while. */
#include "agent/ctl/command_table.h"
#include "agent/ctl/i18n.h"
#include "policy/scope.h"

static const Command commands[] = {
        {COMMAND_GRANT_ID, "grant approve", command_grant_approve, 1, 1,
         N_("Usage: sekishoctl grant approve N\n"
            "\n"
            "Approves a grant that another administrator asked for. Neither who asked nor who is to write "
            "can. For root,\n"
            "and for whom polkit lets.\n")},
        {COMMAND_GRANT, "grant request", command_grant_request, 0, 0,
         N_("Usage: sekishoctl grant request --minutes N --reason TEXT [OPTIONS]\n"
            "\n"
            "Shows a challenge to read out to the helpdesk, which answers with a code for 'grant redeem'. "
            "Options are\n"
            "those of 'grant'; without --user for oneself. It is void after 15 minutes.\n")},
        {COMMAND_GRANT_ID, "grant redeem", command_grant_redeem, 1, 1,
         N_("Usage: sekishoctl grant redeem CODE\n"
            "\n"
            "Begins the grant that was requested, with the code of the helpdesk. It does once, on this "
            "terminal.\n")},
        {COMMAND_GRANT_ANSWER, "grant answer", command_grant_answer, 1, 1,
         N_("Usage: sekishoctl grant answer CHALLENGE --key FILE --user NAME --serial S [OPTIONS]\n"
            "\n"
            "For the helpdesk: the code that answers a challenge. FILE has the key of all terminals, 64 "
            "hexadecimal\n"
            "digits, and nobody else may read it. Ask who calls, for what medium and why, and give that "
            "here: "
            "a challenge\n"
            "for another person or medium is not answered. Without --user and --serial nothing is "
            "compared.\n"
            "\n"
            "  --user NAME            who is to write\n"
            "  --serial S             the medium's serial number\n"
            "  --vendor V             its vendor's number, if it has one\n"
            "  --product P            its product's number, if it has one\n")},
        {COMMAND_GRANT_KEY, "grant key", command_grant_key, 1, 1,
         N_("Usage: sekishoctl grant key TERMINAL --key FILE\n"
            "\n"
            "Prints the key of one terminal, made from that of all, for the file that the terminal's policy "
            "names as\n"
            "grants.answer-key. It answers for no other terminal.\n")},
        {COMMAND_GRANT_TERMINAL, "grant terminal", command_grant_terminal, 0, 0,
         N_("Usage: sekishoctl grant terminal\n"
            "\n"
            "Prints the number of this terminal, made from /etc/machine-id.\n")},
        {COMMAND_GRANT, "grant", command_grant, 0, 0,
         N_("Usage: sekishoctl grant --user NAME --minutes N --reason TEXT [OPTIONS]\n"
            "\n"
            "Lets a person write to a medium for a while, as far as the policy's grants section allows; "
            "where it asks for\n"
            "two people, another administrator has to approve. It ends with its time, when the person logs "
            "out, or when\n"
            "the medium is pulled. While it runs the medium is for that person alone, and each file that is "
            "written is on\n"
            "record. For root, and for whom polkit lets.\n"
            "\n"
            "  --user NAME            who is to write\n"
            "  --device NODE          the medium (default: the only one that is plugged in)\n"
            "  --serial S             one that is not plugged in, with --vendor, --product and --bus (usb)\n"
            "  --minutes N            for how long\n"
            "  --reason TEXT          what for, for the journal\n"
            "  --data-class TEXT      what kind of data leaves\n"
            "  --carrier TEXT         who carries it\n"
            "  --purpose TEXT         where it goes, and for what\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_GRANT_ID, "grants approve", command_grant_approve, 1, 1,
         N_("Usage: sekishoctl grant approve N\n"
            "\n"
            "Approves a grant that another administrator asked for. Neither who asked nor who is to write "
            "can. For root,\n"
            "and for whom polkit lets.\n")},
        {COMMAND_GRANT_ID, "grants revoke", command_grants_revoke, 1, 1,
         N_("Usage: sekishoctl grants revoke N\n"
            "\n"
            "Ends a grant at once, or what waits to become one. For root, and for whom polkit lets.\n")},
        {COMMAND_GRANTS_CLOSE, "grants close", command_grants_close, 1, 1,
         N_("Usage: sekishoctl grants close N --returned|--erased\n"
            "\n"
            "Confirms that the medium of a grant that has ended is back, or was erased. For root, and for "
            "whom polkit lets.\n")},
        {COMMAND_GRANT_ID, "grants show", command_grants_show, 1, 1,
         N_("Usage: sekishoctl grants show N [--json]\n"
            "\n"
            "Shows one grant. For root, and for whom polkit lets.\n")},
        {COMMAND_GRANTS_LIST, "grants list", command_grants_list, 0, 0,
         N_("Usage: sekishoctl grants list [--csv|--json]\n"
            "\n"
            "Lists the grants of this terminal. For root, and for whom polkit lets.\n"
            "\n"
            "  --csv                  the register of media taken out, for a spreadsheet\n"
            "  --json                 for programs\n")},
};

const CommandGroup commands_grant = {commands, ELEMENTS(commands)};
