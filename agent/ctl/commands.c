/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands by their words, with their help. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "policy/scope.h"

typedef struct Command {
        uint64_t bit;
        const char *name; /* its words, with one space between */
        int (*run)(const Options *options);
        size_t arguments_min, arguments_max;
        const char *help;
} Command;

static const char help_main[] =
        N_("Usage: sekishoctl COMMAND [OPTIONS]\n"
           "\n"
           "  status                 whether the guard is in force, and what it enforces\n"
           "  devices                what is plugged in, and what may be done with it\n"
           "  devices list           the register of approved media\n"
           "  devices add NAME       put the medium that is plugged in into the register\n"
           "  devices remove NAME    take it out of the register\n"
           "  events                 what was refused, to whom, by which rule\n"
           "  audit verify           whether records are missing, changed or inserted\n"
           "  review                 the sheet of a month, to be read and signed\n"
           "  reload                 have the guard load its policy again\n"
           "  policy check PATH...   every fault in policy files\n"
           "  policy diff [A] B      what becomes different with another policy\n"
           "  policy replay DRAFT    which records would have ended otherwise with it\n"
           "  policy explain device  what would be decided about a device, and why\n"
           "  policy explain open    whether a person may read or write somewhere, and why\n"
           "  policy explain login   what a login needs, and why\n"
           "  policy explain destination\n"
           "                         whether a person may reach an address or a host, and why\n"
           "  network explain DEST[:PORT]\n"
           "                         whether it may be reached, and by which rule\n"
           "  policy bundle DIR      make one file of policy files, to be signed\n"
           "  policy sign FILE       sign a bundle\n"
           "  policy unpack FILE DIR the policy files of a bundle\n"
           "  policy install FILE    put a signed bundle in force\n"
           "  policy fetch URL       fetch a signed bundle from a server, and put it in force\n"
           "  policy history         the signed policies that were in force\n"
           "  policy restore         the way back: put every policy aside, for root on the console\n"
           "  pam check              whether every login that the policy guards passes pam_sekisho\n"
           "  maintenance            whether the guard itself may be touched now\n"
           "  maintenance on         let root do so for a while, for root on the console\n"
           "  maintenance off        end that\n"
           "  lockdown               whether the terminal is locked down\n"
           "  lockdown on            an emergency: deny everything external, and logins\n"
           "  lockdown off           lift that\n"
           "  grant                  let a person write to a medium for a while\n"
           "  grant approve N        as the second administrator\n"
           "  grant request          ask the helpdesk for that by telephone\n"
           "  grant redeem CODE      what the helpdesk answered\n"
           "  grant answer CHALLENGE for the helpdesk: the answer to a request\n"
           "  grant key TERMINAL     the key of a terminal, for such answers\n"
           "  grant terminal         the number of this terminal\n"
           "  grants list            the grants of this terminal: who took what, and what came back\n"
           "  grants show N          one of them\n"
           "  grants revoke N        take one back\n"
           "  grants close N         confirm that the medium was returned or erased\n"
           "  inspect                check the terminal against its policy, with evidence\n"
           "  factors USER           what a person has to log in with\n"
           "  enrol USER             give a person one-time passwords (TOTP)\n"
           "  enrol fido2 USER       give a person the security key that is plugged in\n"
           "  enrol card USER        give a person the IC card that is in the reader\n"
           "  enrol fingerprint USER let a person's finger count, which fprintd has\n"
           "  unenrol USER           take away what a person logs in with\n"
           "  recovery-codes USER    codes on paper for when the rest is lost\n"
           "  substitute USER        a code in place of a forgotten card\n"
           "\n"
           "  --json                 the answer for programs\n"
           "  --help, --version      COMMAND --help tells a command's options\n"
           "\n"
           "Exit status: 0 yes or in order, 1 no or findings, 2 usage or failure. See sekishoctl(1).\n");

static const char help_policy[] = N_(
        "Usage: sekishoctl policy check PATH... [--json]\n"
        "       sekishoctl policy diff [BEFORE] AFTER [--json]\n"
        "       sekishoctl policy replay [--since TIME] DRAFT [--json]\n"
        "       sekishoctl policy explain device|open|login|destination ... [--json]\n"
        "       sekishoctl policy bundle DIR --output FILE [--json]\n"
        "       sekishoctl policy sign FILE --key KEY [--output FILE] [--json]\n"
        "       sekishoctl policy unpack FILE DIR\n"
        "       sekishoctl policy install FILE [--dry-run] [--json]\n"
        "       sekishoctl policy fetch URL [--ca FILE] [--dry-run] [--json]\n"
        "       sekishoctl policy history [--json]\n"
        "       sekishoctl policy restore [--json]\n"
        "\n"
        "Checks policy files, compares them, tells what would be decided by them, makes one file of them "
        "that\n"
        "can be signed, puts that in force, and puts policies aside. Each has a --help of its own; 'policy\n"
        "explain' may be written 'explain'.\n");

static const char help_explain_options[] =
        N_("  --policy PATH          policy file or directory (default /etc/sekisho/policy.d)\n"
           "  --at TIME              as of this time, such as \"2026-11-21 18:00\" (default now)\n"
           "  --json                 the answer for programs\n");

static const char help_device_options[] =
        N_("  --bus BUS              how it is attached: usb, mmc, thunderbolt, ... (default usb)\n"
           "  --vendor V --product P --serial S\n"
           "                         as a rule's match names them\n"
           "  --external             take it for external, as a udev rule of the site may\n");

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
         N_("Usage: sekishoctl grant answer CHALLENGE --key FILE\n"
            "\n"
            "For the helpdesk: the code that answers a challenge. FILE has the key of all terminals, 64 "
            "hexadecimal\n"
            "digits, and nobody else may read it. Ask who calls, for what medium and why, before giving the "
            "code.\n")},
        {COMMAND_GRANT_ANSWER, "grant key", command_grant_key, 1, 1,
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
        {COMMAND_POLICY_CHECK, "policy check", command_policy_check, 1, 256,
         N_("Usage: sekishoctl policy check PATH... [--json]\n"
            "\n"
            "Checks policy files, or directories of them as a whole, and prints every fault as\n"
            "FILE:LINE:COLUMN: MESSAGE. Exit status 0 if all are good, 1 if there are faults.\n"
            "\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_DIFF, "policy diff", command_policy_diff, 1, 2,
         N_("Usage: sekishoctl policy diff [BEFORE] AFTER [--at TIME] [--limit N] [--json]\n"
            "\n"
            "Tells what becomes different with the policy AFTER, a file or a directory: which devices, "
            "file\n"
            "systems, destinations and logins are decided otherwise, for whom and when. BEFORE is what is "
            "in\n"
            "force if it is left out. Exit status 0 if no verdict changes, 1 if some do.\n"
            "\n"
            "  --at TIME              from then on (default now)\n"
            "  --limit N              ask at most so many questions (default 4000000)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_REPLAY, "policy replay", command_policy_replay, 1, 1,
         N_("Usage: sekishoctl policy replay [--since TIME] [--until TIME] DRAFT [OPTIONS]\n"
            "\n"
            "Asks the policy DRAFT about the guard's records, and tells which would have ended otherwise. "
            "Exit\n"
            "status 0 if none would, 1 if some would.\n"
            "\n"
            "  -S, --since TIME       from then on: \"2026-11-21 08:30\", 08:30, yesterday, -2h, -3d\n"
            "  -U, --until TIME       up to then; a day includes its end\n"
            "  -D, --directory DIR    read the journal files there\n"
            "  --file FILE            read this journal file\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_BUNDLE, "policy bundle", command_policy_bundle, 1, 1,
         N_("Usage: sekishoctl policy bundle DIR --output FILE [--json]\n"
            "\n"
            "Makes one file of the policy files of a directory, if they have no faults. The same files make "
            "the\n"
            "same bundle. Sign it with sekishoctl policy sign. Exit status 1 if there are faults.\n"
            "\n"
            "  --output FILE          the bundle\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_SIGN, "policy sign", command_policy_sign, 1, 1,
         N_("Usage: sekishoctl policy sign FILE --key KEY [--output FILE] [--json]\n"
            "\n"
            "Signs a bundle as minisign does, into FILE.minisig. The passphrase of the secret key is asked "
            "for "
            "where\n"
            "it has one.\n"
            "\n"
            "  --key KEY              the file with the secret key, made by: minisign -G\n"
            "  --output FILE          write the signature and the bundle there, as one file to be handed "
            "on\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_UNPACK, "policy unpack", command_policy_unpack, 2, 2,
         N_("Usage: sekishoctl policy unpack FILE DIR\n"
            "\n"
            "Writes the policy files of a bundle, signed or not, to a new directory. Does not ask whose "
            "the\n"
            "signature is.\n")},
        {COMMAND_POLICY_INSTALL, "policy install", command_policy_install, 1, 1,
         N_("Usage: sekishoctl policy install FILE [OPTIONS]\n"
            "\n"
            "Hands a bundle and its signature, FILE.minisig, to the guard, which verifies and checks it and "
            "puts "
            "it\n"
            "in force; from then on it is the whole policy. Exit status 1 if it was refused; nothing is "
            "changed\n"
            "then.\n"
            "\n"
            "  --dry-run              tell only what would change\n"
            "  --policy DIR           what it is compared with (default /etc/sekisho/policy.d)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_FETCH, "policy fetch", command_policy_fetch, 1, 1,
         N_("Usage: sekishoctl policy fetch URL [OPTIONS]\n"
            "\n"
            "Gets a signed bundle from an HTTPS server, if it is another than the one that was installed "
            "from "
            "there\n"
            "last, and hands it to the guard as policy install does. Exit status 0 also if there is nothing "
            "newer.\n"
            "\n"
            "  --ca FILE              whose certificates count for the server (default: the system's)\n"
            "  --dry-run              tell only what would change\n"
            "  --policy DIR           what it is compared with (default /etc/sekisho/policy.d)\n"
            "  --cache-dir DIR        where it is noted what the server has (default /var/cache/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_HISTORY, "policy history", command_policy_history, 0, 0,
         N_("Usage: sekishoctl policy history [--state-dir DIR] [--json]\n"
            "\n"
            "Lists the last eight signed policies that were in force, the newest first. To go back to one, "
            "unpack\n"
            "it, give it a higher serial, and sign it again: no serial comes in force twice. Exit status 1 "
            "if\n"
            "there is none. For root.\n"
            "\n"
            "  --state-dir DIR        the agent's state directory (default /var/lib/sekisho)\n"
            "  --json                 the answer for programs\n")},
        {COMMAND_POLICY_RESTORE, "policy restore", command_policy_restore, 0, 0,
         N_("Usage: sekishoctl policy restore [OPTIONS]\n"
            "\n"
            "The way back for who is locked out: puts every policy file aside, so that the built-in default "
            "is\n"
            "in force, until there is a policy with a higher serial. For root on the console of this\n"
            "terminal. The journal records it.\n"
            "\n"
            "  --policy DIR           directory of policies (default /etc/sekisho/policy.d)\n"
            "  --state-dir DIR        the agent's state directory (default /var/lib/sekisho)\n"
            "  --runtime-dir DIR      its runtime directory (default /run/sekisho)\n"
            "  --json                 the answer for programs\n")},
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
            "once the person has given the code that shows there. For root.\n"
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
            "read any more. For root.\n"
            "\n"
            "  --person ID            who, where several people use the account\n"
            "  --by NAME              who does it (default: who logged in)\n"
            "  --state-dir DIR        (default /var/lib/sekisho)\n")},
        {COMMAND_FACTORS, "factors", command_factors, 0, 1,
         N_("Usage: sekishoctl factors [USER] [--person ID] [--state-dir DIR] [--json]\n"
            "\n"
            "Tells what a person has to log in with. Exit status 0 if anything, 1 if nothing. For root; "
            "without\n"
            "USER, what one has oneself, for anybody.\n")},
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
        {COMMAND_EXPLAIN_DEVICE, "policy explain device", command_explain_device, 0, 1,
         N_("Usage: sekishoctl policy explain device [OPTIONS] [NODE|SYSPATH]\n"
            "\n"
            "Tells what would be decided about a device: one that is plugged in, by its device node or its\n"
            "directory in /sys, or one that the options describe. Exit status 0 if it may be used (a disk:\n"
            "written to), 1 if not.\n"
            "\n"
            "  --class CLASS          as a USB interface of this class, such as printer or 07; may be\n"
            "                         repeated\n")},
        {COMMAND_EXPLAIN_OPEN, "policy explain open", command_explain_open, 0, 1,
         N_("Usage: sekishoctl policy explain open --user NAME [--read|--write] [OPTIONS] [PATH]\n"
            "\n"
            "Tells whether a person may write to (or read) PATH, a file system or a device. Exit status 0 "
            "if\n"
            "allowed, 1 if refused.\n"
            "\n"
            "  -u, --user NAME|UID    who asks, with the groups the person has on this machine\n"
            "  --write, --read        for writing (default) or only for reading\n"
            "  --fstype T --source S  a file system as /proc/self/mountinfo names it: cifs, "
            "//server/share\n")},
        {COMMAND_EXPLAIN_LOGIN, "policy explain login", command_explain_login, 0, 0,
         N_("Usage: sekishoctl policy explain login --user NAME --service NAME [OPTIONS]\n"
            "\n"
            "Tells what a login needs. Exit status 0 if it can succeed, with --factors if these do, else "
            "1.\n"
            "\n"
            "  -u, --user NAME|UID    who logs in; may be unknown on this machine\n"
            "  --service NAME         PAM service, such as login, sshd or sudo\n"
            "  --from HOST            from where (default: at the terminal)\n"
            "  --factors F,...        what has been proven, such as password,totp\n"
            "  --enrolled F,...       what the person has been given; matters for grace\n")},
        {COMMAND_EXPLAIN_DESTINATION, "policy explain destination", command_explain_destination, 1, 1,
         N_("Usage: sekishoctl policy explain destination --user NAME ADDRESS|HOST [OPTIONS]\n"
            "\n"
            "Tells whether a person may reach a destination. No name is looked up: a host is what a rule "
            "names.\n"
            "Exit status 0 if allowed, 1 if refused.\n"
            "\n"
            "  -u, --user NAME|UID    who asks, with the groups the person has on this machine\n"
            "  --protocol P           tcp (default), udp or icmp\n"
            "  --port NUMBER          of tcp and udp\n"
            "  --program PATH         with this program\n"
            "  --interface NAME       by this network interface\n")},
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

/* How many arguments NAME's words are, if the arguments begin with them; else 0. "policy explain" may be
 * written "explain". */
static size_t words_of(const char *name, const Options *options) {
        static const char long_form[] = "policy explain";
        size_t n = 0;

        if (strncmp(name, long_form, strlen(long_form)) == 0 && options->n_arguments > 0 &&
            strcmp(options->arguments[0], "explain") == 0)
                name += strlen("policy ");
        while (*name) {
                size_t length = strcspn(name, " ");

                if (n >= options->n_arguments || strlen(options->arguments[n]) != length ||
                    strncmp(options->arguments[n], name, length) != 0)
                        return 0;
                n++;
                name += length + strspn(name + length, " ");
        }
        return n;
}

static int print_help(const Command *command) {
        fputs(_(command->help), stdout);
        if (command->bit & COMMAND_EXPLAIN_OBJECT)
                fputs(_(help_device_options), stdout);
        if (command->bit & COMMAND_EXPLAIN)
                fputs(_(help_explain_options), stdout);
        return EXIT_YES;
}

/* No command has these words: help if that is what was asked for. */
static int no_command(const Options *options) {
        const char *first = options->n_arguments > 0 ? options->arguments[0] : "";
        bool explain = strcmp(first, "explain") == 0, policy = strcmp(first, "policy") == 0;

        if (options->value[OPTION_HELP] && (options->n_arguments == 0 || policy || explain)) {
                fputs(policy || explain ? _(help_policy) : _(help_main), stdout);
                return EXIT_YES;
        }
        if (options->n_arguments == 0)
                return fail(_("no command given; see sekishoctl --help"));
        if (strcmp(options->arguments[0], "network") == 0)
                return fail(_("'network' is followed by explain; see sekishoctl network explain --help"));
        if (strcmp(options->arguments[0], "pam") == 0)
                return fail(_("'pam' is followed by check; see sekishoctl pam check --help"));
        if (explain || (policy && options->n_arguments > 1 && strcmp(options->arguments[1], "explain") == 0))
                return fail(_("'explain' is followed by device, open, login or destination; see sekishoctl "
                              "policy --help"));
        if (!policy)
                return fail(_("there is no command '%s'; see sekishoctl --help"), options->arguments[0]);
        return fail(_(
                "'policy' is followed by check, diff, replay, explain, bundle, unpack, install, history or "
                "restore; see sekishoctl policy --help"));
}

static int run(const Command *command, Options *options, size_t words) {
        options->arguments += words;
        options->n_arguments -= words;
        if (options->value[OPTION_HELP])
                return print_help(command);
        if (options_check(options, command->bit, command->name) != 0)
                return EXIT_TROUBLE;
        if (options->n_arguments < command->arguments_min)
                return fail(_("'%s' needs an argument; see sekishoctl %s --help"), command->name,
                            command->name);
        if (options->n_arguments > command->arguments_max)
                return fail(_("unexpected argument '%s' of '%s'"),
                            options->arguments[command->arguments_max], command->name);
        return command->run(options);
}

int sekishoctl(int argc, char **argv) {
        Options options;

        if (options_parse(argc, argv, &options) != 0)
                return EXIT_TROUBLE;
        if (options.value[OPTION_VERSION]) {
                puts("sekishoctl " SEKISHO_VERSION);
                return EXIT_YES;
        }
        if (options.value[OPTION_JSON])
                setlocale(LC_MESSAGES, "C"); /* programs are answered in one language */
        for (size_t i = 0; i < ELEMENTS(commands); i++) {
                size_t words = words_of(commands[i].name, &options);

                if (words > 0)
                        return run(&commands[i], &options, words);
        }
        return no_command(&options);
}
