/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random policies and random questions: what the kernel answers to a connect is what decide_network() says.
 * Each question is a real call, by a socket of its own, with the ids of the person.
 */
#include <grp.h>
#include <sys/syscall.h>
#include <time.h>

#include "policy/decide_network.h"
#include "tests/integration/hooks_machine.h"

enum {
        POLICIES = 150,
        QUESTIONS = 60,
        RULES_MAX = 14
};

static unsigned long long state;

static unsigned dice(unsigned sides) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (unsigned)(state >> 11) % sides;
}

static const char *const prefixes[] = {
        "10.0.0.0/8",  "10.1.0.0/16", "10.1.2.0/24",      "10.1.2.3",        "0.0.0.0/0", "192.0.2.0/25",
        "192.0.2.129", "::/0",        "2001:db8::/32",    "2001:db8:1::/48", "fe80::/10", "2001:db8:1::7",
        "10.1.2.2/31", "10.0.0.0/7",  "2001:db8:1::/127", "224.0.0.0/4",     "fc00::/7",  "10.1.2.128/25",
};
static const char *const addresses[] = {
        "10.1.2.3",       "10.1.2.2",    "10.1.3.1",        "10.200.0.1",      "11.0.0.1",
        "192.0.2.1",      "192.0.2.129", "198.51.100.7",    "2001:db8::1",     "2001:db8:1::7",
        "fe80::1",        "2001:db9::1", "::ffff:10.1.2.3", "2001:db8:1::1",   "224.0.0.251",
        "::ffff:8.8.8.8", "fd00::1",     "10.1.2.200",      "255.255.255.255",
};
static const char *const words[] = {"any", "tcp", "udp", "icmp"};

/* This program's path. */
static char self[PATH_MAX];

static void put_rule(FILE *f, unsigned number) {
        static const char *const hours[] = {"Mon-Fri 08:00-18:00", "Mon-Sun 13:00-14:00", "Sun 00:00-23:00"};
        unsigned protocol = dice(4);

        fprintf(f, "  - {name: r%u, to: \"%s\", protocol: %s", number, prefixes[dice(ELEMENTS(prefixes))],
                words[protocol]);
        if ((protocol == 1 || protocol == 2) && dice(2)) {
                unsigned from = 1 + dice(5);

                fprintf(f, ", ports: [%u, \"%u-%u\"]", 8 + dice(3), from, from + dice(3));
        }
        if (dice(4) == 0)
                fprintf(f, ", users: [uid%u, uid%u]", 1001 + dice(3), 1001 + dice(3));
        if (dice(5) == 0)
                fprintf(f, ", groups: [gid%u]", 200 + dice(3));
        if (dice(5) == 0)
                fprintf(f, ", hours: \"%s\"", hours[dice(ELEMENTS(hours))]);
        if (dice(5) == 0)
                fprintf(f, ", program: %s", dice(2) ? self : "/usr/bin/env");
        fputs("}\n", f);
}

static NetworkPlan *random_plan(char **ret_text) {
        size_t size;
        FILE *f = open_memstream(ret_text, &size);
        unsigned n = 1 + dice(RULES_MAX);

        cr_assert_not_null(f);
        fprintf(f, NETWORK "  default: %s\n  allow:\n", dice(6) ? "deny" : "allow");
        for (unsigned i = 0; i < n; i++)
                put_rule(f, i);
        fclose(f);
        return plan_of(*ret_text, NULL, NULL);
}

/* Whether the kernel refuses, with the ids of SUBJECT. -1: no such socket here. */
static int is_refused(const char *to, Protocol protocol, unsigned port, const Subject *subject,
                      bool sending) {
        struct sockaddr_storage address;
        int family = socket_address(to, port, &address), r, error;
        int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
        int number = protocol == PROTOCOL_TCP   ? IPPROTO_TCP
                     : protocol == PROTOCOL_UDP ? IPPROTO_UDP
                     : protocol == PROTOCOL_ANY ? IPPROTO_UDPLITE
                     : family == AF_INET        ? IPPROTO_ICMP
                                                : IPPROTO_ICMPV6;
        CLEANUP_CLOSE int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, number);

        if (fd < 0)
                return -1;
        cr_assert_eq(syscall(SYS_setgroups, subject->n_groups, subject->groups), 0);
        (void)setfsgid(subject->gid);
        (void)setfsuid(subject->uid);
        r = sending ? (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address))
                    : connect(fd, (struct sockaddr *)&address, sizeof(address));
        error = errno;
        (void)setfsuid(0);
        (void)setfsgid(0);
        return r < 0 && error == EPERM;
}

static void ask(const NetworkPlan *plan, const char *text, size_t *asked, size_t *refusals) {
        gid_t groups[] = {200 + dice(4), 300};
        Subject subject = {
                .uid = 1001 + dice(4), .gid = 199 + dice(3), .groups = groups, .n_groups = dice(3)};
        NetworkQuestion question = {.to = addresses[dice(ELEMENTS(addresses))],
                                    .protocol = (Protocol)dice(4),
                                    .subject = &subject,
                                    .program = self,
                                    .now = monday_noon};
        /* of UDP-Lite the kernel does not ask when it is connected */
        bool sending = question.protocol == PROTOCOL_ANY || (question.protocol == PROTOCOL_UDP && dice(2));
        OpenDecision decision;
        int refused;

        question.port = (uint16_t)(question.protocol == PROTOCOL_ICMP ? 0 : 1 + dice(11));
        refused = is_refused(question.to, question.protocol, question.port, &subject, sending);
        if (refused < 0)
                return;
        decide_network(plan->policy, &question, &decision);
        cr_assert_eq(refused, decision.verdict == VERDICT_DENY,
                     "%s port %u of %s by uid %u gid %u groups %zu:%u %s: the kernel %s, by rule %s\n%s",
                     words[question.protocol], question.port, question.to, subject.uid, subject.gid,
                     subject.n_groups, groups[0], sending ? "sent" : "connected",
                     refused ? "refuses" : "lets through", decision.rule, text);
        (*asked)++;
        *refusals += (size_t)refused;
}

static HooksMachine machine;

static void begin(void) {
        machine_start(&machine);
}

static void end(void) {
        machine_end(&machine);
}
TestSuite(hooks, .init = begin, .fini = end);

Test(hooks, answer_what_the_policy_decides) {
        size_t asked = 0, refusals = 0;
        const char *seed = getenv("SEKISHO_SEED");

        cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
        state = seed ? strtoull(seed, NULL, 10) : (unsigned long long)time(NULL) * 2654435761U | 1;
        printf("SEKISHO_SEED=%llu\n", state);
        for (size_t i = 0; i < POLICIES; i++) {
                CLEANUP_FREE char *text = NULL;
                NetworkPlan *plan = random_plan(&text);

                machine_apply(&machine, plan);
                for (size_t j = 0; j < QUESTIONS; j++)
                        ask(plan, text, &asked, &refusals);
                network_plan_free(plan);
        }
        network_hooks_drain(machine.hooks);
        cr_expect_geq(asked, POLICIES * QUESTIONS / 2);
        cr_expect_geq(refusals, asked / 10);
        cr_expect_leq(refusals, asked - asked / 10);
        cr_expect_eq(machine.refused, refusals, "told of %llu, refused were %zu",
                     (unsigned long long)machine.refused, refusals);
}
