/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho-hold-link: run by udev for every new network interface, once it has its name and before anybody
 * else is told of it. A device is set down, and no frame leaves or enters by it, unless the agent has let it
 * go, or it is a card in the terminal that was approved last, or the policy that was in force last does not
 * ask for that. Where nothing is known of that policy, cards in the terminal come up. Needs no agent and no
 * policy.
 *
 * It fails closed but for one: where the root file system is on the network, an interface that is up already
 * was set up in the initial ramdisk to get at it, and is left to the agent: a terminal that cannot start
 * protects nobody.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/device/stack.h"
#include "agent/network/ether.h"
#include "agent/network/unjudged.h"
#include "agent/note.h"
#include "policy/scope.h"

enum {
        EXIT_USAGE = 2
};

static bool carries_root(const Link *link) {
        dev_t root[STACK_MAX];

        return (link->flags & IFF_UP) != 0 && stack_root(root, ELEMENTS(root)) == -ENODEV;
}

/* 0 where nothing is to be held, 1 if it is held now, -errno. */
static int hold(const char *name, const char *runtime_dir, const char *state_dir) {
        CLEANUP_CLOSE int links = netlink_open(NETLINK_ROUTE, 0);
        CLEANUP_CLOSE int packets = netlink_open(NETLINK_NETFILTER, 0);
        InterfaceFacts facts;
        Link link;
        int r, down;

        if (links < 0)
                return links;
        r = link_get(links, (int)if_nametoindex(name), &link);
        if (r < 0)
                return r == -ENODEV || r == -EINVAL ? 0 : r; /* gone already */
        interface_identify("/sys", &link, &facts);
        if (facts.kind == INTERFACE_VIRTUAL || facts.loopback || !unjudged_is_held(state_dir, &facts) ||
            carries_root(&link) ||
            note_holds(runtime_dir, NOTE_LINK, (dev_t)link.index, (uint64_t)link.index) == 1)
                return 0;
        r = packets < 0 ? packets : ether_add(packets, link.name);
        down = link_set_up(links, link.index, false);
        return r < 0 ? r : down < 0 && down != -ENODEV ? down : 1;
}

int main(int argc, char **argv) {
        static const struct option options[] = {{"runtime-dir", required_argument, NULL, 'r'},
                                                {"state-dir", required_argument, NULL, 's'},
                                                {0}};
        const char *runtime_dir = "/run/sekisho", *state_dir = "/var/lib/sekisho", *name;
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case 'r':
                        runtime_dir = optarg;
                        break;
                case 's':
                        state_dir = optarg;
                        break;
                default:
                        return EXIT_USAGE;
                }
        if (optind < argc) {
                fprintf(stderr, "sekisho-hold-link: unexpected argument '%s'\n", argv[optind]);
                return EXIT_USAGE;
        }
        name = getenv("INTERFACE");
        if (!name) {
                fputs("sekisho-hold-link: to be run by udev: no interface in the environment\n", stderr);
                return EXIT_FAILURE;
        }
        r = hold(name, runtime_dir, state_dir);
        if (r >= 0)
                return EXIT_SUCCESS;
        fprintf(stderr, "sekisho-hold-link: %s: cannot hold it: %s\n", name, strerror(-r));
        return EXIT_FAILURE;
}
