/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/lookups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

static int version_of(const NetworkLookups *lookups) {
        return lookups->bits == 32 ? 4 : 6;
}

static void print_address(const NetworkLookups *lookups, AddressNumber number, FILE *to) {
        Address address = address_of_number(number, lookups->bits);
        char text[INET6_ADDRSTRLEN] = "";

        fputs(inet_ntop(lookups->bits == 32 ? AF_INET : AF_INET6, address.bytes, text, sizeof(text)), to);
}

/* The length of the prefix that RANGE is, -1 where it is none. */
static int prefix_of(const NetworkLookups *lookups, const NetworkRange *range) {
        AddressNumber free_bits = range->from ^ range->last;
        int length = lookups->bits;

        if ((free_bits & (free_bits + 1)) != 0 || (range->from & free_bits) != 0)
                return -1;
        for (; free_bits; free_bits >>= 1)
                length--;
        return length;
}

/* Neighbouring ranges with the same verdict become one. */
static int add_range(void *userdata, AddressNumber from, AddressNumber to, const size_t *covering,
                     size_t n) {
        NetworkLookups *lookups = userdata;
        NetworkRange *last = lookups->n > 0 ? &lookups->ranges[lookups->n - 1] : NULL;
        int verdict = network_chains_of(lookups->chains, lookups->plan, covering, n);

        if (verdict < 0 && verdict != CHAIN_ACCEPT)
                return verdict;
        if (last && last->verdict == verdict && last->last + 1 == from) {
                last->last = to;
                return 0;
        }
        if (!lookups->ranges || lookups->n == lookups->allocated) {
                size_t more = lookups->allocated ? lookups->allocated * 2 : 64;
                NetworkRange *larger = reallocarray(lookups->ranges, more, sizeof(*larger));

                if (!larger)
                        return -ENOMEM;
                lookups->ranges = larger;
                lookups->allocated = more;
        }
        lookups->ranges[lookups->n++] = (NetworkRange){.from = from, .last = to, .verdict = verdict};
        return 0;
}

/* The lengths that have a map of their own: those with the most prefixes. */
static void choose_lengths(NetworkLookups *lookups) {
        size_t counts[128 + 1] = {0};

        for (size_t i = 0; i < lookups->n; i++) {
                int length = prefix_of(lookups, &lookups->ranges[i]);

                if (length >= 0)
                        counts[length]++;
        }
        while (lookups->n_hashed < LOOKUPS_HASHED) {
                int most = 0;

                for (int length = 1; length <= lookups->bits; length++)
                        if (counts[length] > counts[most])
                                most = length;
                if (counts[most] < LOOKUPS_HASH_MIN)
                        return;
                counts[most] = 0;
                lookups->hashed[lookups->n_hashed++] = most;
        }
}

int network_lookups_make(const NetworkPlan *plan, NetworkChains *chains, int bits, NetworkLookups *ret) {
        CLEANUP(network_lookups_clear)
        NetworkLookups lookups = {.plan = plan, .chains = chains, .bits = bits};
        int r = plan->locked ? 0 : network_intervals(plan, bits, add_range, &lookups);

        if (r < 0)
                return r;
        choose_lengths(&lookups);
        *ret = lookups;
        lookups.ranges = NULL;
        return 0;
}

/* The length of the map of its own that RANGE is in, -1 where it is in that of ranges. */
static int length_of(const NetworkLookups *lookups, const NetworkRange *range) {
        int length = prefix_of(lookups, range);

        for (size_t i = 0; i < lookups->n_hashed; i++)
                if (lookups->hashed[i] == length)
                        return length;
        return -1;
}

/* Those of LENGTH; a prefix stands there as its first address. */
static void print_elements(const NetworkLookups *lookups, int length, FILE *to) {
        bool some = false;

        for (size_t i = 0; i < lookups->n; i++) {
                const NetworkRange *range = &lookups->ranges[i];

                if (length_of(lookups, range) != length)
                        continue;
                fputs(some ? "\t\t\t" : "\t\telements = {\n\t\t\t", to);
                some = true;
                print_address(lookups, range->from, to);
                if (length < 0 && range->last != range->from) {
                        fputc('-', to);
                        print_address(lookups, range->last, to);
                }
                if (range->verdict == CHAIN_ACCEPT)
                        fputs(" : accept,\n", to);
                else
                        fprintf(to, " : goto to_%d,\n", range->verdict);
        }
        if (some)
                fputs("\t\t}\n", to);
}

/* The kernel makes a hash of a map that says how large it is. */
void network_lookups_print(const NetworkLookups *lookups, FILE *to) {
        int version = version_of(lookups);

        for (size_t i = 0; i < lookups->n_hashed; i++) {
                fprintf(to, "\tmap to%d_%d {\n\t\ttype ipv%d_addr : verdict\n\t\tsize %zu\n", version,
                        lookups->hashed[i], version, lookups->n);
                print_elements(lookups, lookups->hashed[i], to);
                fputs("\t}\n", to);
        }
        fprintf(to, "\tmap to%d {\n\t\ttype ipv%d_addr : verdict\n\t\tflags interval\n", version, version);
        print_elements(lookups, -1, to);
        fputs("\t}\n", to);
}

void network_lookups_print_rules(const NetworkLookups *lookups, FILE *to) {
        const char *family = lookups->bits == 32 ? "ip" : "ip6";
        AddressNumber all = ~(AddressNumber)0 >> (128 - lookups->bits);

        for (size_t i = 0; i < lookups->n_hashed; i++) {
                int length = lookups->hashed[i];

                fprintf(to, "\t\t%s daddr", family);
                if (length < lookups->bits) {
                        fputs(" & ", to);
                        print_address(lookups, all ^ (all >> length), to);
                }
                fprintf(to, " vmap @to%d_%d\n", version_of(lookups), length);
        }
        fprintf(to, "\t\t%s daddr vmap @to%d\n", family, version_of(lookups));
}

void network_lookups_clear(NetworkLookups *lookups) {
        free(lookups->ranges);
        lookups->ranges = NULL;
        lookups->n = lookups->allocated = 0;
}
