/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard itself: what it does, has seen and refused, and what it is told to do. */
#include "agent/ctl/command_table.h"
#include "agent/ctl/i18n.h"
#include "policy/scope.h"

static const Command commands[] = {
        {COMMAND_STATUS, "status", command_status, 0, 0,
         N_("Usage: sekishoctl status [--runtime-dir DIR] [--json]\n"
            "\n"
            "Tells whether the guard is in force and what it enforces. Exit status 0 if it runs, enforces "
            "and\n"
            "nothing failed, 1 otherwise.\n"
            "\n"
            "  --runtime-dir DIR      read what the agent wrote there, and do not ask it\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_DEVICES_ADD, "devices add", command_devices_add, 1, 1,
         N_("Usage: sekishoctl devices add NAME [OPTIONS]\n"
            "\n"
            "Approves the external medium that is plugged in: puts it into the register, a file of the "
            "policy,\n"
            "checks the whole policy with it, and has the guard take it. For root.\n"
            "\n"
            "  -d, --device PATH      which one, by its device node or its directory in /sys\n"
            "  --holder TEXT          who has it\n"
            "  --access ACCESS        write (default) or read-only\n"
            "  --encrypted required   only a LUKS2 volume on it may be written to\n"
            "  --users U,... --groups G,...\n"
            "                         only these may write\n"
            "  --hours HOURS          only then, such as \"Mon-Fri 08:30-17:15\"\n"
            "  --expires DATE         up to the end of this day, such as 2027-03-31\n"
            "  --without-serial       it has no serial number: approve EVERY device of its model\n"
            "  --register FILE        (default /etc/sekisho/policy.d/50-register.yaml)\n"
            "  --runtime-dir DIR      the agent's runtime directory (default /run/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_DEVICES_REMOVE, "devices remove", command_devices_remove, 1, 1,
         N_("Usage: sekishoctl devices remove NAME [--register FILE] [--runtime-dir DIR] [--json]\n"
            "\n"
            "Takes a medium out of the register, and has the guard take the policy without it. For "
            "root.\n")},
        {COMMAND_DEVICES_LIST, "devices list", command_devices_list, 0, 0,
         N_("Usage: sekishoctl devices list [--register FILE] [--json]\n"
            "\n"
            "Lists the register: what has been approved, who has it, and for whom, when and until when it "
            "may\n"
            "be written to.\n")},
        {COMMAND_DEVICES, "devices", command_devices, 0, 0,
         N_("Usage: sekishoctl devices [--all] [--runtime-dir DIR] [--json]\n"
            "\n"
            "Lists the external devices that the guard knows, and what may be done with them.\n"
            "\n"
            "  -a, --all              the terminal's own disks as well\n"
            "  --runtime-dir DIR      read what the agent wrote there, and do not ask it\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_EVENTS, "events", command_events, 0, 0,
         N_("Usage: sekishoctl events [OPTIONS]\n"
            "\n"
            "Shows the guard's records from the journal, the oldest first.\n"
            "\n"
            "  -u, --user NAME|UID    of this person, by login or by process\n"
            "  -d, --device TEXT      about this device: serial, vendor:product or kernel name\n"
            "  --person ID            of the person of this staff number\n"
            "  -r, --rule NAME        decided by this rule\n"
            "  --name NAME            about a file of this name, also where records hold tokens for names\n"
            "  --state-dir DIR        where the secret for that is (default /var/lib/sekisho)\n"
            "  --destination PLACE    on the way there: an address, a prefix or a host name\n"
            "  -e, --event KIND       of this kind, such as write-denied; may be repeated\n"
            "  -S, --since TIME       from then on: \"2026-11-21 08:30\", 08:30, yesterday, -2h, -3d\n"
            "  -U, --until TIME       up to then; a day includes its end\n"
            "  -n, --lines N          the last N only\n"
            "  -f, --follow           go on with what comes (from the last 10 on, unless told otherwise)\n"
            "  -D, --directory DIR    read the journal files there, and below\n"
            "  --file FILE            read this journal file\n"
            "  --terminal NAME        of the terminal of this name or machine ID\n"
            "  --untrusted            also what others than the guard have written in its name\n"
            "  --json                 one array; with --follow one object per line\n")},
        {COMMAND_REVIEW, "review", command_review, 0, 0,
         N_("Usage: sekishoctl review [--month YYYY-MM] [--html|--csv|--json] [OPTIONS]\n"
            "\n"
            "What the records of a month come to, on a sheet to be read and signed: who was refused what, "
            "by "
            "which\n"
            "rule; media, failed logins, emergencies, maintenance, changes; and what is worth a question.\n"
            "\n"
            "  --month YYYY-MM        which month (default: the last one)\n"
            "  --html                 a page to print\n"
            "  --csv                  for a spreadsheet\n"
            "  -D, --directory DIR    of the journal files there\n"
            "  --file FILE            of this journal file\n"
            "  --terminal NAME        of the terminal of this name or machine ID\n"
            "  --policy PATH          (default /etc/sekisho/policy.d)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_AUDIT_VERIFY, "audit verify", command_audit_verify, 0, 0,
         N_("Usage: sekishoctl audit verify [OPTIONS]\n"
            "\n"
            "Follows the chains of the guard's records through the journal. Exit status 0 if no record is "
            "missing,\n"
            "changed or inserted, 1 otherwise.\n"
            "\n"
            "  -S, --since TIME       the records from then on: \"2026-11-21 08:30\", yesterday, -3d\n"
            "  -D, --directory DIR    in the journal files there\n"
            "  --file FILE            in this journal file\n"
            "  --terminal NAME        of the terminal of this name or machine ID\n"
            "  --verify-key FILE      has journalctl check the seals with the key in FILE\n"
            "  --state-dir DIR        the agent's state directory (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_RELOAD, "reload", command_reload, 0, 0,
         N_("Usage: sekishoctl reload [--json]\n"
            "\n"
            "Has the running guard load its policy again. Exit status 0 if it was taken, 1 if it was "
            "refused\n"
            "and the one before stays in force; then every fault is printed.\n"
            "\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_MAINTENANCE_ON, "maintenance on", command_maintenance_on, 0, 0,
         N_("Usage: sekishoctl maintenance on --reason TEXT [--minutes N] [--runtime-dir DIR] [--json]\n"
            "\n"
            "Lifts the protection of the guard itself, so that root may change or remove it. For root on a\n"
            "console of this terminal. It ends by itself, at the next start of the terminal, and with\n"
            "maintenance off. The journal records it.\n"
            "\n"
            "  --reason TEXT          what for, for the journal\n"
            "  --minutes N            for how long, 1 to 480 (default 30)\n"
            "  --runtime-dir DIR      read what the agent wrote there, and do not ask it\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_MAINTENANCE, "maintenance off", command_maintenance_off, 0, 0,
         N_("Usage: sekishoctl maintenance off [--runtime-dir DIR] [--json]\n"
            "\n"
            "Ends a maintenance before its time. For root.\n")},
        {COMMAND_MAINTENANCE, "maintenance", command_maintenance, 0, 0,
         N_("Usage: sekishoctl maintenance [--runtime-dir DIR] [--json]\n"
            "       sekishoctl maintenance on --reason TEXT [--minutes N]\n"
            "       sekishoctl maintenance off\n"
            "\n"
            "Tells whether the guard itself may be touched now. Exit status 0 if nothing of it is "
            "protected, 1 if\n"
            "it is.\n"
            "\n"
            "  --runtime-dir DIR      read what the agent wrote there, and do not ask it\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_LOCKDOWN_SET, "lockdown on", command_lockdown_on, 0, 0,
         N_("Usage: sekishoctl lockdown on --reason TEXT [--runtime-dir DIR] [--json]\n"
            "\n"
            "An emergency: everything external is denied at once, sessions are locked, and nobody but\n"
            "break-glass accounts logs in, until it is lifted; also after a restart. For root, and for whom "
            "polkit\n"
            "lets.\n")},
        {COMMAND_LOCKDOWN_SET, "lockdown off", command_lockdown_off, 0, 0,
         N_("Usage: sekishoctl lockdown off --reason TEXT [--runtime-dir DIR] [--json]\n"
            "\n"
            "Lifts a lockdown that was begun by command. For root, and for whom polkit lets. Exit status 1 "
            "if the\n"
            "policy asks for one, which stays.\n")},
        {COMMAND_LOCKDOWN, "lockdown", command_lockdown, 0, 0,
         N_("Usage: sekishoctl lockdown [--runtime-dir DIR] [--json]\n"
            "       sekishoctl lockdown on --reason TEXT\n"
            "       sekishoctl lockdown off --reason TEXT\n"
            "\n"
            "Tells whether the terminal is locked down. Exit status 0 if it is not, 1 if it is.\n"
            "\n"
            "  --runtime-dir DIR      read what the agent wrote there, and do not ask it\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_INSPECT, "inspect", command_inspect, 0, 0,
         N_("Usage: sekishoctl inspect [--output FILE] [OPTIONS]\n"
            "\n"
            "Checks the terminal against its policy and the clauses behind it: each line has its clause, "
            "its "
            "result\n"
            "and its evidence. Exit status 0 without findings, 1 with some. For root.\n"
            "\n"
            "  --output FILE          the report as a page to print (HTML), in place of text\n"
            "  --policy PATH          (default /etc/sekisho/policy.d)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n"
            "  --runtime-dir DIR      read what the agent wrote there, and do not ask it\n"
            "  -D, --directory DIR    the PAM configuration is there (default /etc/pam.d)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_NETWORK_EXPLAIN, "network explain", command_network_explain, 1, 1,
         N_("Usage: sekishoctl network explain ADDRESS|HOST[:PORT] [OPTIONS]\n"
            "\n"
            "Tells whether a destination may be reached, and which rule says so. No name is looked up: a "
            "host is\n"
            "what a rule names. Exit status 0 if allowed, 1 if refused.\n"
            "\n"
            "  -u, --user NAME|UID    who asks (default: somebody whom no rule names)\n"
            "  --protocol P           tcp (default), udp or icmp\n"
            "  --port NUMBER          of tcp and udp, where it does not stand behind the destination\n"
            "  --program PATH         with this program\n"
            "  --interface NAME       by this network interface\n")},
};

const CommandGroup commands_guard = {commands, ELEMENTS(commands)};
