/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network/chains.h"
#include "agent/network/lookups.h"
#include "policy/scope.h"

/* Behind every other filter and after addresses were rewritten, so that what is judged is what leaves. */
#define PRIORITY "300"

/* By its number, which it has in each network namespace: a name may become another's. A word is a name
 * first, so it has as many digits as no name can (IFNAMSIZ). Source: include/net/flow.h (LOOPBACK_IFINDEX),
 * nft(8). */
#define LOOPBACK "\"0000000000000001\""

/* So many packets a second are told one by one; all are counted. */
#define LOG_LIMIT "limit rate 200/second burst 1000 packets"
#define LOG       "snaplen 128 queue-threshold 8 group "

DEFINE_CLEANUP(NetworkChains, network_chains_free);

/* Which destinations have been told, so that each is told once. */
static void print_seen(FILE *to) {
        for (int version = 4; version <= 6; version += 2) {
                fprintf(to,
                        "\tset seen%d {\n\t\ttype ipv%d_addr . inet_proto . inet_service\n"
                        "\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 12h\n\t}\n",
                        version, version);
                fprintf(to,
                        "\tset others%d {\n\t\ttype ipv%d_addr . inet_proto\n"
                        "\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 12h\n\t}\n",
                        version, version);
        }
}

/* What is let through, and recorded the first time. A set that is full takes no more, and then all is told.
 */
static void print_passed(FILE *to) {
        fputs("\tchain passed {\n"
              "\t\tmeta l4proto { tcp, udp } ip daddr . meta l4proto . th dport @seen4 accept\n"
              "\t\tmeta l4proto { tcp, udp } ip6 daddr . meta l4proto . th dport @seen6 accept\n"
              "\t\tmeta l4proto != { tcp, udp } ip daddr . meta l4proto @others4 accept\n"
              "\t\tmeta l4proto != { tcp, udp } ip6 daddr . meta l4proto @others6 accept\n"
              "\t\tmeta l4proto { tcp, udp } add @seen4 { ip daddr . meta l4proto . th dport }\n"
              "\t\tmeta l4proto { tcp, udp } add @seen6 { ip6 daddr . meta l4proto . th dport }\n"
              "\t\tmeta l4proto != { tcp, udp } add @others4 { ip daddr . meta l4proto }\n"
              "\t\tmeta l4proto != { tcp, udp } add @others6 { ip6 daddr . meta l4proto }\n"
              "\t\tcounter name " NETWORK_COUNT_PASSED "\n",
              to);
        fprintf(to, "\t\t" LOG_LIMIT " log prefix \"" NETWORK_LOG_PASSED "\" " LOG "%d\n\t\taccept\n\t}\n",
                NETWORK_LOG_GROUP);
}

/* Refused at once, so that a program says so instead of hanging: a reset goes to the caller by loopback. */
static void print_refused(FILE *to, const char *chain, const char *prefix) {
        fprintf(to,
                "\tchain %s {\n"
                "\t\tct direction reply counter name " NETWORK_COUNT_QUIET " drop\n"
                "\t\tmeta l4proto igmp counter name " NETWORK_COUNT_QUIET " drop\n"
                "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, "
                "mld-listener-report, mld-listener-done, mld2-listener-report } counter "
                "name " NETWORK_COUNT_QUIET " drop\n"
                "\t\tmeta mark 0x%x counter name " NETWORK_COUNT_QUIET " drop\n"
                "\t\tcounter name " NETWORK_COUNT_REFUSED "\n"
                "\t\t" LOG_LIMIT " log prefix \"%s\" " LOG "%d\n",
                chain, NETWORK_MARK_SELF_TEST, prefix, NETWORK_LOG_GROUP);
        if (strcmp(chain, "forwarded") != 0)
                fputs("\t\tmeta l4proto tcp reject with tcp reset\n"
                      "\t\treject with icmpx type admin-prohibited\n",
                      to);
        fputs("\t\tdrop\n\t}\n", to);
}

/* Packets of each version meet none of the other's rules. Where a source route leads is not where the packet
 * says it goes; few packets have any option. Hop limit 255: what a router has passed on is no neighbour's.
 */
static void print_versions(const NetworkPlan *plan, const NetworkLookups lookups[2], const char *otherwise,
                           FILE *to) {
        const char *refusal = plan->monitor ? "passed" : "refuse";

        fprintf(to,
                "\tchain options4 {\n\t\tip option lsrr exists goto %1$s\n"
                "\t\tip option ssrr exists goto %1$s\n\t}\n"
                "\tchain output4 {\n\t\tip hdrlength > 5 jump options4\n",
                refusal);
        if (plan->dhcp)
                fputs("\t\tudp sport 68 udp dport 67 accept\n", to);
        network_lookups_print_rules(&lookups[0], to);
        fprintf(to, "\t\tgoto %s\n\t}\n\tchain output6 {\n\t\texthdr rt exists goto %s\n", otherwise,
                refusal);
        if (plan->neighbours)
                fputs("\t\tip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, "
                      "nd-router-solicit } accept\n"
                      "\t\tip6 hoplimit 1 ip6 daddr ff02::/16 icmpv6 type { mld-listener-report, "
                      "mld-listener-done, mld2-listener-report } accept\n",
                      to);
        if (plan->dhcp)
                fputs("\t\tip6 daddr { fe80::/10, ff02::1:2, ff05::1:3 } udp sport 546 udp dport 547 "
                      "accept\n",
                      to);
        network_lookups_print_rules(&lookups[1], to);
        fprintf(to, "\t\tgoto %s\n\t}\n", otherwise);
}

static void print_output(const NetworkPlan *plan, const NetworkLookups lookups[2], FILE *to) {
        const char *otherwise = plan->monitor || plan->default_allow ? "passed" : "refuse";

        if (!plan->locked)
                print_versions(plan, lookups, otherwise, to);
        fprintf(to,
                "\tchain output {\n\t\ttype filter hook output priority " PRIORITY "; policy %s;\n"
                "\t\toif " LOOPBACK " accept\n",
                plan->monitor ? "accept" : "drop");
        if (plan->locked) {
                fprintf(to, "\t\tgoto %s\n\t}\n", plan->monitor ? "passed" : "refuse");
                return;
        }
        fprintf(to,
                "\t\tmeta nfproto ipv4 goto output4\n\t\tmeta nfproto ipv6 goto output6\n"
                "\t\tgoto %s\n\t}\n",
                otherwise);
}

static void print_forward(const NetworkPlan *plan, FILE *to) {
        bool pass = plan->monitor || (plan->default_allow && !plan->locked);

        fprintf(to,
                "\tchain forward {\n\t\ttype filter hook forward priority " PRIORITY "; policy %s;\n"
                "\t\tgoto %s\n\t}\n",
                pass ? "accept" : "drop", pass ? "passed" : "forwarded");
}

static void clear_both(NetworkLookups (*lookups)[2]) {
        for (size_t i = 0; i < ELEMENTS(*lookups); i++)
                network_lookups_clear(&(*lookups)[i]);
}

static int print_table(const NetworkPlan *plan, FILE *to) {
        CLEANUP(scope_network_chains_free) NetworkChains *chains = network_chains_new(plan);
        CLEANUP(clear_both) NetworkLookups lookups[2] = {0};
        int r;

        if (!chains)
                return -ENOMEM;
        r = network_lookups_make(plan, chains, 32, &lookups[0]);
        if (r == 0)
                r = network_lookups_make(plan, chains, 128, &lookups[1]);
        if (r < 0)
                return r;
        fputs("table inet " NETWORK_TABLE " {\n\tcounter " NETWORK_COUNT_REFUSED " { }\n"
              "\tcounter " NETWORK_COUNT_PASSED " { }\n\tcounter " NETWORK_COUNT_QUIET " { }\n",
              to);
        print_seen(to);
        for (size_t i = 0; i < ELEMENTS(lookups); i++)
                network_lookups_print(&lookups[i], to);
        print_passed(to);
        print_refused(to, "refuse", NETWORK_LOG_REFUSED);
        print_refused(to, "forwarded", NETWORK_LOG_FORWARDED);
        network_chains_print(chains, to);
        print_output(plan, lookups, to);
        print_forward(plan, to);
        fputs("}\n", to);
        return 0;
}

int network_table_text(const NetworkPlan *plan, char **ret) {
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);
        int r = 0;

        if (!f)
                return -ENOMEM;
        /* added first, since what is not there cannot be deleted */
        fputs("add table inet " NETWORK_TABLE "\ndelete table inet " NETWORK_TABLE "\n", f);
        if (!plan->off || plan->locked)
                r = print_table(plan, f);
        if (fclose(f) != 0 && r == 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        if (length > NETWORK_TABLE_MAX)
                return -E2BIG;
        *ret = STEAL_PTR(text);
        return 0;
}
