/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies: checked, compared, signed, put in force, explained. */
#include "agent/ctl/command_table.h"
#include "agent/ctl/i18n.h"
#include "policy/scope.h"

static const Command commands[] = {
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
};

const CommandGroup commands_policy = {commands, ELEMENTS(commands)};
