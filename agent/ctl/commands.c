/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which command is meant, and what all of them have in common. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/command_table.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "policy/scope.h"

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

static const CommandGroup *const groups[] = {&commands_guard, &commands_policy, &commands_login,
                                             &commands_grant};

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

/* The command that OPTIONS begin with, and how many words that takes; NULL if there is none. */
static const Command *find(const Options *options, size_t *ret_words) {
        for (size_t i = 0; i < ELEMENTS(groups); i++)
                for (const Command *command = groups[i]->commands;
                     command < groups[i]->commands + groups[i]->n; command++)
                        if ((*ret_words = words_of(command->name, options)) > 0)
                                return command;
        return NULL;
}

int sekishoctl(int argc, char **argv) {
        const Command *command;
        size_t words;
        Options options;

        if (options_parse(argc, argv, &options) != 0)
                return EXIT_TROUBLE;
        if (options.value[OPTION_VERSION]) {
                puts("sekishoctl " SEKISHO_VERSION);
                return EXIT_YES;
        }
        if (options.value[OPTION_JSON])
                setlocale(LC_MESSAGES, "C"); /* programs are answered in one language */
        command = find(&options, &words);
        return command ? run(command, &options, words) : no_command(&options);
}
