/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekishod: options, then the agent. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/keeper/keeper.h"
#include "agent/tpm/call.h"

enum {
        OPTION_POLICY = 256,
        OPTION_STATE,
        OPTION_RUNTIME,
        OPTION_INCOMING,
        OPTION_MONITOR,
        OPTION_NETWORK,
        OPTION_TPM,
        OPTION_KEEPER,
        OPTION_KEEPER_LOCK,
        OPTION_VERSION,
        OPTION_HELP
};

enum {
        EXIT_USAGE = 2
};

static const struct option options[] = {
        {"policy", required_argument, NULL, OPTION_POLICY},
        {"state-dir", required_argument, NULL, OPTION_STATE},
        {"runtime-dir", required_argument, NULL, OPTION_RUNTIME},
        {"incoming", required_argument, NULL, OPTION_INCOMING},
        {"monitor", no_argument, NULL, OPTION_MONITOR},
        {"network", optional_argument, NULL, OPTION_NETWORK},
        {"tpm", optional_argument, NULL, OPTION_TPM},
        {"keeper-lock", required_argument, NULL, OPTION_KEEPER_LOCK},
        {"keeper", required_argument, NULL, OPTION_KEEPER}, /* how the agent starts its keeper */
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
};

static void print_help(void) {
        puts("Usage: sekishod [--policy FILE_OR_DIR] [--state-dir DIR] [--runtime-dir DIR] [--incoming "
             "DIR]\n"
             "                [--monitor] [--network[=filter]] [--tpm[=TCTI]]\n"
             "\n"
             "Keeps data on this machine: blocks writes to every external device and file system that the\n"
             "policy does not approve, and records who tried. Runs in the foreground; see sekishod(8).\n"
             "\n"
             "  --policy FILE_OR_DIR  policy file or directory of drop-ins (default /etc/sekisho/policy.d)\n"
             "  --state-dir DIR       what outlives a reboot (default /var/lib/sekisho)\n"
             "  --runtime-dir DIR     what does not (default /run/sekisho)\n"
             "  --incoming DIR        signed policies that are put there are installed (default "
             "STATE/incoming;\n"
             "                        \"\": none)\n"
             "  --monitor             record what would be denied, deny nothing\n"
             "  --network[=filter]    guard the network too, which one that is started by hand leaves "
             "alone;\n"
             "                        filter: by the packet filter alone\n"
             "  --tpm[=TCTI]          keep the highest serial in the TPM too, which one that is started by "
             "hand\n"
             "                        leaves alone (default device:/dev/tpmrm0); none: not\n"
             "  --version, --help");
}

static int run(const AgentSettings *settings) {
        Agent *agent = NULL;
        int r;

        if (geteuid() != 0) {
                fputs("sekishod: must run as root\n", stderr);
                return EXIT_FAILURE;
        }
        r = agent_new(settings, &agent);
        if (r == -EBUSY) {
                fprintf(stderr, "sekishod: another one already runs with runtime directory %s\n",
                        settings->runtime_dir);
                return EXIT_FAILURE;
        }
        if (r < 0) {
                fprintf(stderr, "sekishod: cannot start: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        r = agent_run(agent);
        agent_free(agent);
        if (r < 0)
                fprintf(stderr, "sekishod: event loop failed: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int descriptor(const char *text) {
        return text ? (int)strtol(text, NULL, 10) : -1;
}

int main(int argc, char **argv) {
        AgentSettings settings = {.policy = "/etc/sekisho/policy.d",
                                  .state_dir = "/var/lib/sekisho",
                                  .runtime_dir = "/run/sekisho"};
        int option, keeper = -1, keeper_lock = -1;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case OPTION_POLICY:
                        settings.policy = optarg;
                        break;
                case OPTION_STATE:
                        settings.state_dir = optarg;
                        break;
                case OPTION_RUNTIME:
                        settings.runtime_dir = optarg;
                        break;
                case OPTION_INCOMING:
                        settings.incoming = optarg;
                        break;
                case OPTION_MONITOR:
                        settings.monitor = true;
                        break;
                case OPTION_NETWORK:
                        settings.network = true;
                        settings.network_filter_only = optarg && strcmp(optarg, "filter") == 0;
                        if (optarg && !settings.network_filter_only) {
                                fprintf(stderr, "sekishod: --network knows 'filter', not '%s'\n", optarg);
                                return EXIT_USAGE;
                        }
                        break;
                case OPTION_TPM:
                        settings.tpm = !optarg ? TPM_DEVICE : strcmp(optarg, "none") == 0 ? "" : optarg;
                        break;
                case OPTION_KEEPER:
                        keeper = descriptor(optarg);
                        break;
                case OPTION_KEEPER_LOCK:
                        keeper_lock = descriptor(optarg);
                        break;
                case OPTION_VERSION:
                        puts("sekishod " SEKISHO_VERSION);
                        return EXIT_SUCCESS;
                case OPTION_HELP:
                        print_help();
                        return EXIT_SUCCESS;
                default:
                        return EXIT_USAGE;
                }
        if (optind < argc) {
                fprintf(stderr, "sekishod: unexpected argument '%s'\n", argv[optind]);
                return EXIT_USAGE;
        }
        if (keeper >= 0)
                return keeper_main(keeper, keeper_lock, settings.runtime_dir);
        return run(&settings);
}
