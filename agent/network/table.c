/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network/chains.h"
#include "agent/network/intervals.h"
#include "policy/scope.h"

/* Behind every other filter and after addresses were rewritten, so that what is judged is what leaves. */
#define PRIORITY "300"

/* So many packets a second are told one by one; all are counted. */
#define LOG_LIMIT "limit rate 200/second burst 1000 packets"
#define LOG       "snaplen 128 queue-threshold 8 group "

DEFINE_CLEANUP(NetworkChains, network_chains_free);

/* A map in the making: neighbouring ranges with the same verdict become one. */
typedef struct Map {
        const NetworkPlan *plan;
        NetworkChains *chains;
        FILE *to;
        int bits;
        AddressNumber from, last;
        int verdict; /* of the range that is not written yet; CHAIN_NONE: there is none */
} Map;

static void print_range(FILE *to, AddressNumber from, AddressNumber last, int bits) {
        int family = bits == 32 ? AF_INET : AF_INET6;
        Address a = address_of_number(from, bits), b = address_of_number(last, bits);
        char text[INET6_ADDRSTRLEN] = "";

        fputs(inet_ntop(family, a.bytes, text, sizeof(text)), to);
        if (from != last)
                fprintf(to, "-%s", inet_ntop(family, b.bytes, text, sizeof(text)));
}

static void flush_range(Map *map) {
        if (map->verdict == CHAIN_NONE)
                return;
        fputs("\t\t\t", map->to);
        print_range(map->to, map->from, map->last, map->bits);
        if (map->verdict == CHAIN_ACCEPT)
                fputs(" : accept,\n", map->to);
        else
                fprintf(map->to, " : goto to_%d,\n", map->verdict);
        map->verdict = CHAIN_NONE;
}

static int add_range(void *userdata, AddressNumber from, AddressNumber to, const size_t *covering,
                     size_t n) {
        Map *map = userdata;
        int verdict = network_chains_of(map->chains, map->plan, covering, n);

        if (verdict < 0 && verdict != CHAIN_ACCEPT)
                return verdict;
        if (map->verdict == verdict && map->last + 1 == from) {
                map->last = to;
                return 0;
        }
        flush_range(map);
        map->from = from;
        map->last = to;
        map->verdict = verdict;
        return 0;
}

static int print_map(const NetworkPlan *plan, NetworkChains *chains, FILE *to, int bits) {
        Map map = {.plan = plan, .chains = chains, .to = to, .bits = bits, .verdict = CHAIN_NONE};
        CLEANUP_FREE char *elements = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&elements, &length);
        int r;

        if (!f)
                return -ENOMEM;
        map.to = f;
        r = plan->locked ? 0 : network_intervals(plan, bits, add_range, &map);
        flush_range(&map);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        fprintf(to, "\tmap to%d {\n\t\ttype ipv%d_addr : verdict\n\t\tflags interval\n", bits == 32 ? 4 : 6,
                bits == 32 ? 4 : 6);
        if (length > 0)
                fprintf(to, "\t\telements = {\n%s\t\t}\n", elements);
        fputs("\t}\n", to);
        return 0;
}

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

/* Hop limit 255: what a router has passed on is no neighbour's. */
static void print_services(const NetworkPlan *plan, FILE *to) {
        if (plan->neighbours)
                fputs("\t\tip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, "
                      "nd-router-solicit } accept\n"
                      "\t\tip6 hoplimit 1 ip6 daddr ff02::/16 icmpv6 type { mld-listener-report, "
                      "mld-listener-done, mld2-listener-report } accept\n",
                      to);
        if (plan->dhcp)
                fputs("\t\tmeta nfproto ipv4 udp sport 68 udp dport 67 accept\n"
                      "\t\tip6 daddr { fe80::/10, ff02::1:2, ff05::1:3 } udp sport 546 udp dport 547 "
                      "accept\n",
                      to);
}

static void print_output(const NetworkPlan *plan, FILE *to) {
        const char *otherwise = plan->monitor || plan->default_allow ? "passed" : "refuse";

        fprintf(to,
                "\tchain output {\n\t\ttype filter hook output priority " PRIORITY "; policy %s;\n"
                "\t\toifname \"lo\" accept\n",
                plan->monitor ? "accept" : "drop");
        if (plan->locked) {
                fprintf(to, "\t\tgoto %s\n\t}\n", plan->monitor ? "passed" : "refuse");
                return;
        }
        /* where these lead is not where the packet says it goes */
        fprintf(to,
                "\t\tip option lsrr exists goto %1$s\n\t\tip option ssrr exists goto %1$s\n"
                "\t\tmeta nfproto ipv6 exthdr rt exists goto %1$s\n",
                plan->monitor ? "passed" : "refuse");
        print_services(plan, to);
        fprintf(to, "\t\tip daddr vmap @to4\n\t\tip6 daddr vmap @to6\n\t\tgoto %s\n\t}\n", otherwise);
}

static void print_forward(const NetworkPlan *plan, FILE *to) {
        bool pass = plan->monitor || (plan->default_allow && !plan->locked);

        fprintf(to,
                "\tchain forward {\n\t\ttype filter hook forward priority " PRIORITY "; policy %s;\n"
                "\t\tgoto %s\n\t}\n",
                pass ? "accept" : "drop", pass ? "passed" : "forwarded");
}

static int print_table(const NetworkPlan *plan, FILE *to) {
        CLEANUP(scope_network_chains_free) NetworkChains *chains = network_chains_new(plan);
        int r;

        if (!chains)
                return -ENOMEM;
        fputs("table inet " NETWORK_TABLE " {\n\tcounter " NETWORK_COUNT_REFUSED " { }\n"
              "\tcounter " NETWORK_COUNT_PASSED " { }\n\tcounter " NETWORK_COUNT_QUIET " { }\n",
              to);
        print_seen(to);
        r = print_map(plan, chains, to, 32);
        if (r == 0)
                r = print_map(plan, chains, to, 128);
        if (r < 0)
                return r;
        print_passed(to);
        print_refused(to, "refuse", NETWORK_LOG_REFUSED);
        print_refused(to, "forwarded", NETWORK_LOG_FORWARDED);
        network_chains_print(chains, to);
        print_output(plan, to);
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
