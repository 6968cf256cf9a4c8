/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ctl/random_policy.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/load.h"
#include "policy/scope.h"

enum {
        NAMES = 3, /* in policies; one more asks */
        UID_FIRST = 1000,
        GID_FIRST = 2000
};

static const char *const users[] = {"root", "daemon", "bin", "nobody"};
static const char *const groups[] = {"daemon", "bin", "sys", "nogroup"};

static const char *const vendors[] = {"0951", "13fe"};
static const char *const products[] = {"1666", "4200"};
static const char *const serials[] = {"S0", "S1", "S2"};
static const char *const buses[] = {"usb", "mmc", "loop", "ata"};
static const char *const accesses[] = {"deny", "read-only", "write"};
static const char *const hours[] = {"Mon-Fri 08:30-17:15", "22:00-06:00", "Sat 00:00-24:00",
                                    "Fri-Mon 12:00-12:30"};
static const char *const ends[] = {"2020-01-01", "2030-06-30", "2031-01-01 12:00"};
static const char *const classes[] = {"printer", "hid", "mass-storage", "vendor-specific"};
static const char *const types[] = {"cifs", "nfs4", "fuse.sshfs"};
static const char *const sources[] = {"//a/x", "//b/y"};
static const char *const places[] = {"10.0.0.0/8",  "10.1.0.0/16", "10.1.2.3", "fd00::/8",
                                     "fd00:1::/32", "a.example",   "B.example"};
static const char *const programs[] = {"/usr/bin/a", "/usr/bin/b"};
static const char *const interfaces[] = {"eth0", "eth1"};
static const char *const servers[] = {"10.1.2.3", "192.0.2.1", "fd00::1"};
static const char *const reached[] = {"127.0.0.9", "10.1.2.3",  "10.1.2.4", "10.9.9.9",
                                      "192.0.2.1", "fd00:1::2", "fd00::1",  "::1",
                                      "A.example", "b.example", "c.example"};
static const char *const services[] = {"login", "sshd", "sudo"};
static const char *const asked_services[] = {"login", "sshd", "sudo", "gdm-password"};
static const char *const from[] = {"local", "remote", "192.0.2.0/24", "192.0.2.7", "desk.example"};
static const char *const rhosts[] = {"", "192.0.2.7", "192.0.2.9", "198.51.100.1", "DESK.example"};
static const char *const factors[] = {"password, totp", "password, card", "password, fido2, totp"};

#define PICK(random, list) ((list)[random_below(random, ELEMENTS(list))])

Random random_begin(void) {
        const char *given = getenv("SEKISHO_TEST_SEED");
        struct timespec now;
        Random random;

        clock_gettime(CLOCK_REALTIME, &now);
        random.seed = given ? strtoull(given, NULL, 0)
                            : (uint64_t)now.tv_sec * 1000000007U ^ (uint64_t)now.tv_nsec;
        random.state = random.seed;
        fprintf(stderr, "SEKISHO_TEST_SEED=%llu\n", (unsigned long long)random.seed);
        return random;
}

/* splitmix64, Sebastiano Vigna, public domain. */
static uint64_t next(Random *random) {
        uint64_t z = (random->state += 0x9e3779b97f4a7c15U);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
}

unsigned random_below(Random *random, unsigned n) {
        return (unsigned)(next(random) % n);
}

bool random_one_in(Random *random, unsigned n) {
        return random_below(random, n) == 0;
}

/* text */

/* MAIN makes the policy; NOISE says now and then that a place is made otherwise. */
typedef struct Maker {
        Random main, own, *noise;
        FILE *to;
        int n_rules;
} Maker;

/* The chance of one place: what it takes does not move the places behind it. */
static Random *chance(Maker *maker) {
        uint64_t state = next(&maker->main);

        maker->own.state = random_one_in(maker->noise, 60) ? next(maker->noise) : state;
        return &maker->own;
}

static void print_scope(Maker *maker, bool people) {
        Random own = *chance(maker);

        if (people && random_one_in(&own, 3))
                fprintf(maker->to, ", users: [%s]", users[random_below(&own, NAMES)]);
        if (people && random_one_in(&own, 3))
                fprintf(maker->to, ", groups: [%s, %s]", groups[random_below(&own, NAMES - 1)],
                        groups[NAMES - 1]);
        if (people && random_one_in(&own, 3))
                fprintf(maker->to, ", hours: \"%s\"", PICK(&own, hours));
        if (random_one_in(&own, 3))
                fprintf(maker->to, ", expires: %s", PICK(&own, ends));
}

static void print_match(Maker *maker) {
        Random own = *chance(maker);
        unsigned set = 1 + random_below(&own, 15);
        const char *separator = "";

        fputs(", match: {", maker->to);
        if (set & 1)
                fprintf(maker->to, "vendor: \"%s\"", PICK(&own, vendors));
        separator = set & 1 ? ", " : "";
        if (set & 2)
                fprintf(maker->to, "%sproduct: \"%s\"", separator, PICK(&own, products));
        separator = set & 3 ? ", " : "";
        if (set & 4)
                fprintf(maker->to, "%sserial: \"%s\"", separator, PICK(&own, serials));
        separator = set & 7 ? ", " : "";
        if (set & 8)
                fprintf(maker->to, "%sbus: %s", separator, PICK(&own, buses));
        fputs("}", maker->to);
}

static void print_name(Maker *maker) {
        fprintf(maker->to, "    - {name: rule %d", maker->n_rules++);
}

static void print_devices(Maker *maker) {
        Random *random = chance(maker);

        fprintf(maker->to, "removable:\n  default: %s\n", PICK(random, accesses));
        if (random_one_in(chance(maker), 3))
                fputs("  also-external: [loop]\n", maker->to);
        fputs("  devices:\n", maker->to);
        for (unsigned n = 1 + random_below(chance(maker), 5); n > 0; n--) {
                const char *access = PICK(chance(maker), accesses);
                bool writing = strcmp(access, "write") == 0;

                print_name(maker);
                print_match(maker);
                fprintf(maker->to, ", access: %s", access);
                if (writing && random_one_in(chance(maker), 3))
                        fputs(", encrypted: required", maker->to);
                print_scope(maker, writing);
                fputs("}\n", maker->to);
        }
}

static void print_usb(Maker *maker) {
        static const char *const answers[] = {"allow", "deny"};

        fprintf(maker->to, "usb:\n  default: %s\n", PICK(chance(maker), answers));
        fprintf(maker->to, "  interfaces: {%s: %s}\n", PICK(chance(maker), classes),
                PICK(chance(maker), answers));
        fputs("  devices:\n", maker->to);
        for (unsigned n = 1 + random_below(chance(maker), 3); n > 0; n--) {
                print_name(maker);
                print_match(maker);
                fprintf(maker->to, ", access: %s", PICK(chance(maker), answers));
                print_scope(maker, false);
                fputs("}\n", maker->to);
        }
}

static void print_filesystems(Maker *maker) {
        fprintf(maker->to, "filesystems:\n  default: %s\n  allow:\n", PICK(chance(maker), accesses));
        for (unsigned n = 1 + random_below(chance(maker), 3); n > 0; n--) {
                const char *access = PICK(chance(maker), accesses);

                print_name(maker);
                fprintf(maker->to, ", type: %s", PICK(chance(maker), types));
                if (random_one_in(chance(maker), 2))
                        fprintf(maker->to, ", source: \"%s\"", PICK(chance(maker), sources));
                fprintf(maker->to, ", access: %s", access);
                print_scope(maker, strcmp(access, "write") == 0);
                fputs("}\n", maker->to);
        }
}

static void print_network(Maker *maker) {
        static const char *const protocols[] = {"any",
                                                "tcp",
                                                "udp",
                                                "icmp",
                                                "tcp, ports: [443, 8000-8010]",
                                                "udp, ports: [53]",
                                                "tcp, ports: [1-8005]"};

        if (random_one_in(chance(maker), 8))
                return;
        fprintf(maker->to, "network:\n  default: %s\n", random_one_in(chance(maker), 4) ? "allow" : "deny");
        if (random_one_in(chance(maker), 2))
                fprintf(maker->to, "  resolvers: [\"%s\"]\n", PICK(chance(maker), servers));
        if (random_one_in(chance(maker), 2))
                fprintf(maker->to, "  ntp: [\"%s\"]\n", PICK(chance(maker), servers));
        fputs("  allow:\n", maker->to);
        for (unsigned n = 1 + random_below(chance(maker), 3); n > 0; n--) {
                print_name(maker);
                fprintf(maker->to, ", to: \"%s\", protocol: %s", PICK(chance(maker), places),
                        PICK(chance(maker), protocols));
                if (random_one_in(chance(maker), 4))
                        fprintf(maker->to, ", program: %s", PICK(chance(maker), programs));
                if (random_one_in(chance(maker), 4))
                        fprintf(maker->to, ", interface: %s", PICK(chance(maker), interfaces));
                print_scope(maker, true);
                fputs("}\n", maker->to);
        }
}

static void print_logins(Maker *maker) {
        static const char *const needs[] = {"required", "off", "deny"};
        static const char *const service_needs[] = {"required", "off"};

        fprintf(maker->to, "mfa:\n  factors: [%s]\n  default: %s\n  services: {%s: %s}\n",
                PICK(chance(maker), factors), PICK(chance(maker), needs), PICK(chance(maker), services),
                PICK(chance(maker), service_needs));
        if (random_one_in(chance(maker), 3))
                fputs("  exempt: [daemon]\n", maker->to);
        if (random_one_in(chance(maker), 3))
                fputs("  break-glass: [{user: bin, factors: [password, recovery]}]\n", maker->to);
        if (random_one_in(chance(maker), 3))
                fputs("  grace: {until: 2030-06-30}\n", maker->to);
        fputs("  rules:\n", maker->to);
        for (unsigned n = 1 + random_below(chance(maker), 4); n > 0; n--) {
                print_name(maker);
                if (random_one_in(chance(maker), 2))
                        fprintf(maker->to, ", services: [%s]", PICK(chance(maker), services));
                if (random_one_in(chance(maker), 2))
                        fprintf(maker->to, ", from: [%s]", PICK(chance(maker), from));
                fprintf(maker->to, ", login: %s", PICK(chance(maker), needs));
                print_scope(maker, true);
                fputs("}\n", maker->to);
        }
}

char *random_policy_text(Random *random, uint64_t number) {
        char *text = NULL;
        size_t size = 0;
        Maker maker = {.main = {.state = number}, .noise = random, .to = open_memstream(&text, &size)};

        cr_assert_not_null(maker.to);
        fputs("version: 1\nserial: 1\nzone: lgwan\n", maker.to);
        fprintf(maker.to, "without-lsm: %s\n", random_one_in(chance(&maker), 2) ? "gate" : "read-only");
        print_devices(&maker);
        print_usb(&maker);
        print_filesystems(&maker);
        print_network(&maker);
        print_logins(&maker);
        cr_assert_eq(fclose(maker.to), 0);
        return text;
}

Policy *random_policy(Random *random, uint64_t number) {
        CLEANUP_FREE char *text = random_policy_text(random, number);
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        Policy *policy = NULL;
        int r = policy_load_buffer("random", text, strlen(text), &policy, &faults);

        cr_assert_eq(r, 0, "%s: %s\n%s", strerror(-r), faults.n ? faults.items[0].message : "?", text);
        return policy;
}

/* names */

static int number_of(const char *name, const char *const *list, unsigned first, uint32_t *ret) {
        for (unsigned i = 0; i < ELEMENTS(users); i++)
                if (strcmp(list[i], name) == 0) {
                        *ret = first + i;
                        return 0;
                }
        return -ENOENT;
}

static int user_number(void *userdata, const char *name, uid_t *ret) {
        (void)userdata;
        return number_of(name, users, UID_FIRST, ret);
}

static int group_number(void *userdata, const char *name, gid_t *ret) {
        (void)userdata;
        return number_of(name, groups, GID_FIRST, ret);
}

void random_policy_resolve(Policy *policy) {
        const PolicyResolver resolver = {.user = user_number, .group = group_number};

        cr_assert_eq(policy_resolve(policy, &resolver), 0);
}

const char *random_user(const RandomQuestion *question) {
        return users[question->subject.uid - UID_FIRST];
}

/* questions */

static char *pick_or_none(Random *random, const char *const *list, size_t n) {
        unsigned at = random_below(random, (unsigned)n + 1);

        return at < n ? (char *)list[at] : NULL;
}

void random_question(Random *random, RandomQuestion *ret) {
        static const uint16_t ports[] = {1, 53, 123, 443, 8000, 8005, 8006, 8011, 65535};
        static const time_t moments[] = {1900000000, 1909200000, 1925000000}; /* 2030-03, 2030-07, 2031-01 */
        static const uint8_t codes[] = {0x03, 0x07, 0x08, 0x0e, 0x11, 0xff};

        *ret = (RandomQuestion){.class = PICK(random, codes), .writing = random_one_in(random, 2)};
        ret->device = (DeviceIdentity){.vendor = pick_or_none(random, vendors, ELEMENTS(vendors)),
                                       .product = pick_or_none(random, products, ELEMENTS(products)),
                                       .serial = pick_or_none(random, serials, ELEMENTS(serials)),
                                       .bus = (DeviceBus)device_bus_from_string(PICK(random, buses)),
                                       .luks2 = random_one_in(random, 3),
                                       .marked_external = random_one_in(random, 2)};
        ret->device.hotplug = ret->device.bus == DEVICE_BUS_USB || ret->device.bus == DEVICE_BUS_MMC;
        ret->superblock = (SuperblockIdentity){.kind = SUPERBLOCK_BLOCK, .device = &ret->device};
        ret->filesystem = (SuperblockIdentity){.kind = SUPERBLOCK_NETWORK,
                                               .fstype = PICK(random, types),
                                               .source = pick_or_none(random, sources, ELEMENTS(sources)),
                                               .device = random_one_in(random, 4) ? &ret->device : NULL};
        for (unsigned i = 0; i < NAMES; i++)
                ret->groups[i] = GID_FIRST + random_below(random, NAMES + 1);
        ret->subject = (Subject){.uid = UID_FIRST + random_below(random, NAMES + 1),
                                 .gid = ret->groups[0],
                                 .groups = ret->groups,
                                 .n_groups = random_below(random, NAMES + 1)};
        ret->subject.loginuid = ret->subject.uid;
        if (ret->subject.n_groups == 0)
                ret->subject.gid = (gid_t)-1;
        ret->now = (PolicyTime){.weekday = (int)random_below(random, 7),
                                .minute = (int)random_below(random, 1440),
                                .expiry_now = PICK(random, moments)};
        ret->network =
                (NetworkQuestion){.to = PICK(random, reached),
                                  .protocol = (Protocol)random_below(random, PROTOCOL_ICMP + 1),
                                  .subject = &ret->subject,
                                  .now = ret->now,
                                  .program = pick_or_none(random, programs, ELEMENTS(programs)),
                                  .interface = pick_or_none(random, interfaces, ELEMENTS(interfaces))};
        if (ret->network.protocol == PROTOCOL_TCP || ret->network.protocol == PROTOCOL_UDP)
                ret->network.port = PICK(random, ports);
        ret->login = (MfaQuestion){.service = PICK(random, asked_services),
                                   .subject = &ret->subject,
                                   .rhost = PICK(random, rhosts),
                                   .now = ret->now};
}
