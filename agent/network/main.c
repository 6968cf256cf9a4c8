/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho-network: what speaks to nftables. "apply" runs the commands on its standard input, for the agent;
 * "early" puts the policy that the agent would have in force to work before the network is up; "remove"
 * takes the table away.
 */
#include <errno.h>
#include <getopt.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/lockdown.h"
#include "agent/network/ether.h"
#include "agent/network/required.h"
#include "agent/network/table.h"
#include "policy/build.h"
#include "policy/decide.h"
#include "policy/last_good.h"
#include "policy/scope.h"

enum {
        EXIT_USAGE = 2
};

DEFINE_CLEANUP(NetworkPlan, network_plan_free);

/* In one transaction: all of TEXT or nothing. */
static int run(const char *text) {
        struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
        const char *errors;
        int r;

        if (!context)
                return -ENOMEM;
        (void)nft_ctx_buffer_error(context);
        (void)nft_ctx_buffer_output(context);
        r = nft_run_cmd_from_buffer(context, text) == 0 ? 0 : -EBADMSG;
        errors = nft_ctx_get_error_buffer(context);
        if (r < 0 && errors)
                fputs(errors, stderr);
        nft_ctx_free(context);
        return r;
}

static int apply(void) {
        CLEANUP_FREE char *text = NULL;
        int r = file_read_whole(STDIN_FILENO, NETWORK_TABLE_MAX, &text, NULL);

        if (r < 0)
                fprintf(stderr, "sekisho-network: cannot read: %s\n", strerror(-r));
        return r < 0 ? r : run(text);
}

/* One by one: a kernel that has no family netdev refuses what is asked with it. */
static int take_away(void) {
        int r = run("add table inet " NETWORK_TABLE "\ndelete table inet " NETWORK_TABLE "\n");
        int also = run("add table netdev " ETHER_TABLE "\ndelete table netdev " ETHER_TABLE "\n");

        return r < 0 ? r : also;
}

/* Nothing but loopback. */
static int close_all(void) {
        const NetworkPlan plan = {.locked = true};
        CLEANUP_FREE char *text = NULL;
        int r = network_table_text(&plan, &text);

        return r < 0 ? r : run(text);
}

static int open_by(Policy *policy) {
        CLEANUP(scope_network_plan_free) NetworkPlan *plan = NULL;
        CLEANUP_FREE char *text = NULL;
        const NetworkKnown nothing = {0}; /* names have no addresses yet */
        PolicyTime now;
        /* who its users are is not asked where everything is closed: the answer may not come */
        int r = policy_is_locked_down(policy) ? 0 : policy_resolve(policy, &policy_resolver_nss);

        if (r >= 0)
                r = policy_time_from_wall(time(NULL), &now);
        if (r >= 0)
                r = network_plan_make(policy, &nothing, &now, &plan);
        if (r >= 0)
                r = network_table_text(plan, &text);
        return r < 0 ? r : run(text);
}

static int early(const char *policy_path, const char *state_dir) {
        CLEANUP_POLICY Policy *policy = NULL;
        PolicyFaults faults = {0};
        PolicySource source;
        Lockdown lockdown;
        int r = policy_load_in_force(policy_path, state_dir, &policy, &source, &faults);

        policy_faults_clear(&faults);
        if (r >= 0)
                policy_set_machine_locked(policy, lockdown_read(state_dir, &lockdown) != 0);
        /* nothing was ever in force, and nothing is configured: the agent decides */
        if (r >= 0 && source == SOURCE_BUILT_IN && network_required_read(state_dir) == 0)
                return 0;
        if (r >= 0)
                r = open_by(policy);
        if (r >= 0)
                return 0;
        fprintf(stderr, "sekisho-network: no policy can be put in force: %s\n", strerror(-r));
        if (network_required_read(state_dir) == 0)
                return r;
        fputs("sekisho-network: the network was guarded, and stays closed until there is one\n", stderr);
        return close_all();
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"policy", required_argument, NULL, 'p'}, {"state-dir", required_argument, NULL, 's'}, {0}};
        const char *policy = "/etc/sekisho/policy.d", *state_dir = "/var/lib/sekisho";
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (option == 'p')
                        policy = optarg;
                else if (option == 's')
                        state_dir = optarg;
                else
                        return EXIT_USAGE;
        if (argc - optind != 1) {
                fputs("Usage: sekisho-network [--policy FILE_OR_DIR] [--state-dir DIR] apply|early|remove\n",
                      stderr);
                return EXIT_USAGE;
        }
        if (strcmp(argv[optind], "apply") == 0)
                r = apply();
        else if (strcmp(argv[optind], "early") == 0)
                r = early(policy, state_dir);
        else if (strcmp(argv[optind], "remove") == 0)
                r = take_away();
        else {
                fprintf(stderr, "sekisho-network: no such command: %s\n", argv[optind]);
                return EXIT_USAGE;
        }
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
