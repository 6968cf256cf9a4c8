/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By whatever way somebody tries to reach what is not approved, the call fails with EPERM, and it is told
 * with the program's name; what is approved goes on as before.
 */
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <net/ethernet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/integration/hooks_machine.h"

#define APPROVING(rules) NETWORK "  allow:\n" rules
#define ONE              "  - {name: server, to: 10.1.2.3, protocol: tcp, ports: [443]}\n"

static HooksMachine machine;

static void begin(void) {
        machine_start(&machine);
}

static void end(void) {
        machine_end(&machine);
}
TestSuite(ways, .init = begin, .fini = end);

/* What CALL fails with; 0 if it does not. */
static int error_of(long r) {
        return r < 0 ? errno : 0;
}

static int connects(int type, int protocol, const char *to, unsigned port) {
        struct sockaddr_storage address;
        int family = socket_address(to, port, &address);
        CLEANUP_CLOSE int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

        return fd < 0 ? errno : error_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int sends(int type, int protocol, const char *to, unsigned port, int flags) {
        struct sockaddr_storage address;
        int family = socket_address(to, port, &address);
        CLEANUP_CLOSE int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

        return fd < 0 ? errno
                      : error_of(sendto(fd, "x", 1, flags, (struct sockaddr *)&address, sizeof(address)));
}

static int sends_message(const char *to, unsigned port) {
        struct sockaddr_storage address;
        int family = socket_address(to, port, &address);
        CLEANUP_CLOSE int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct iovec part = {.iov_base = (char[]){"x"}, .iov_len = 1};
        struct mmsghdr message = {.msg_hdr = {.msg_name = &address,
                                              .msg_namelen = sizeof(address),
                                              .msg_iov = &part,
                                              .msg_iovlen = 1}};

        return fd < 0 ? errno : error_of(sendmmsg(fd, &message, 1, 0));
}

static int connects_by_ring(const char *to, unsigned port) {
        struct io_uring_params set = {0};
        struct sockaddr_storage address;
        int family = socket_address(to, port, &address);
        CLEANUP_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CLEANUP_CLOSE int ring = (int)syscall(SYS_io_uring_setup, 2, &set);
        struct io_uring_sqe *entries;
        const struct io_uring_cqe *done;
        char *queue;
        unsigned *array, *tail;

        if (fd < 0 || ring < 0)
                return -1;
        entries = mmap(NULL, set.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
        queue = mmap(NULL, set.cq_off.cqes + set.cq_entries * sizeof(*done), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
        cr_assert(entries != MAP_FAILED && queue != MAP_FAILED);
        entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
                                           .fd = fd,
                                           .addr = (uint64_t)(uintptr_t)&address,
                                           .off = sizeof(address)};
        array = (unsigned *)(void *)(queue + set.sq_off.array);
        tail = (unsigned *)(void *)(queue + set.sq_off.tail);
        array[0] = 0;
        __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        cr_assert_eq(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
        done = (const struct io_uring_cqe *)(const void *)(queue + set.cq_off.cqes);
        return -done->res;
}

/* As somebody who is not an administrator, in a process of its own. The error that FUNCTION returns. */
static int as_somebody(int (*function)(void)) {
        pid_t child = fork();
        int status;

        if (child == 0) {
                if (setgid(1001) < 0 || setuid(1001) < 0)
                        _exit(255);
                _exit(function());
        }
        cr_assert_gt(child, 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) != 255);
        return WEXITSTATUS(status);
}

Test(ways, of_connecting_to_what_is_not_approved_all_fail) {
        machine_apply_text(&machine, APPROVING(ONE));
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.3", 444), EPERM);
        cr_expect_eq(connects(SOCK_DGRAM, 0, "10.1.2.3", 443), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "2001:db8::1", 443), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "fe80::1", 443), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "::ffff:10.1.2.4", 443), EPERM);
        cr_expect_eq(connects(SOCK_DGRAM, 0, "::ffff:10.1.2.4", 443), EPERM);
        cr_expect_eq(connects(SOCK_DGRAM, IPPROTO_ICMP, "10.1.2.4", 0), EPERM);
        cr_expect_eq(sends(SOCK_DGRAM, 0, "10.1.2.3", 53, 0), EPERM);
        cr_expect_eq(sends(SOCK_DGRAM, 0, "fe80::1", 53, 0), EPERM);
        cr_expect_eq(sends(SOCK_DGRAM, 0, "::ffff:10.1.2.3", 53, 0), EPERM);
        cr_expect_eq(sends(SOCK_DGRAM, 0, "255.255.255.255", 53, 0), EPERM);
        cr_expect_eq(sends_message("10.1.2.4", 9), EPERM);
        cr_expect_eq(sends(SOCK_STREAM, 0, "10.1.2.4", 443, MSG_FASTOPEN), EPERM);
        cr_expect_eq(sends(SOCK_STREAM, 0, "2001:db8::1", 443, MSG_FASTOPEN), EPERM);
        cr_expect_eq(connects_by_ring("10.1.2.4", 443), EPERM);
        machine_forget(&machine);
}

Test(ways, to_what_is_approved_are_as_they_were) {
        static const char *const places[] = {"10.1.2.3", "::ffff:10.1.2.3"};

        machine_apply_text(&machine, APPROVING(ONE));
        for (size_t i = 0; i < ELEMENTS(places); i++)
                cr_expect_eq(connects(SOCK_STREAM, 0, places[i], 443), ENETUNREACH, "%s", places[i]);
        cr_expect_eq(sends(SOCK_STREAM, 0, "10.1.2.3", 443, MSG_FASTOPEN), ENETUNREACH);
        cr_expect_eq(connects_by_ring("10.1.2.3", 443), ENETUNREACH);
        cr_expect_eq(connects(SOCK_STREAM, 0, "127.0.0.1", 9), EINPROGRESS);
        cr_expect_eq(connects(SOCK_DGRAM, 0, "::1", 9), 0);
        cr_expect_eq(sends(SOCK_DGRAM, 0, "127.8.9.1", 9, 0), 0);
        machine_forget(&machine);
        cr_expect_eq(machine.refused, 0);
}

static int makes_sctp(void) {
        return connects(SOCK_STREAM, IPPROTO_SCTP, "127.0.0.1", 9);
}

static int makes_mptcp(void) {
        return connects(SOCK_STREAM, IPPROTO_MPTCP, "10.9.0.1", 9);
}

static int makes_udplite(void) {
        return connects(SOCK_DGRAM, IPPROTO_UDPLITE, "127.0.0.1", 9);
}

/* Root in a namespace of its own, which is no administrator of this one. */
static int makes_raw_inside(void) {
        if (unshare(CLONE_NEWUSER) < 0)
                return errno;
        return connects(SOCK_RAW, IPPROTO_RAW, "10.1.2.4", 0);
}

/* A network of its own has no way out. */
static int leaves_by_its_own_network(void) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                return errno;
        return connects(SOCK_STREAM, 0, "10.1.2.4", 443);
}

Test(ways, around_are_no_sockets_for_people) {
        int error;

        machine_apply_text(&machine, APPROVING(ONE));
        error = as_somebody(makes_sctp); /* which not every kernel has */
        cr_expect(error == EPERM || error == EPROTONOSUPPORT, "%s", strerror(error));
        cr_expect_eq(as_somebody(makes_mptcp), EPERM);
        cr_expect_eq(as_somebody(makes_udplite), EPERM);
        cr_expect_eq(as_somebody(makes_raw_inside), EPERM);
        cr_expect_eq(as_somebody(leaves_by_its_own_network), EPERM);
        machine_apply_text(&machine, APPROVING("  - {name: any, to: 10.9.0.1}\n"));
        cr_expect_neq(as_somebody(makes_mptcp), EPERM, "the packet filter tells where it goes");
        cr_expect_eq(as_somebody(makes_raw_inside), EPERM);
        machine_forget(&machine);
}

Test(ways, are_told_with_the_program_and_the_destination) {
        char self[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        const NetworkRefusal *refusal = &machine.refusals[0];

        self[n > 0 ? n : 0] = '\0';
        machine_apply_text(&machine, APPROVING(ONE));
        machine_forget(&machine);
        for (int i = 0; i < 3; i++)
                cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), EPERM);
        for (uint64_t until = moment_at(&monday_noon).boottime + UINT64_C(1000000000);
             machine.refused < 3 && moment_at(&monday_noon).boottime < until;)
                cr_assert_geq(sd_event_run(machine.event, 100000), 0);
        cr_assert_eq(machine.refused, 3, "within a second");
        cr_expect_eq(refusal->kind, HOOKS_TOLD_CONNECT);
        cr_expect_eq(refusal->operation, OPERATION_CONNECT);
        cr_expect_str_eq(refusal->destination, "10.1.2.4");
        cr_expect_str_eq(refusal->protocol, "tcp");
        cr_expect_eq(refusal->port, 443);
        cr_expect_eq(refusal->pid, getpid());
        cr_expect_eq(refusal->uid, 0);
        cr_expect(strlen(refusal->exe) > 0 &&
                          strcmp(self + strlen(self) - strlen(refusal->exe), refusal->exe) == 0,
                  "%s", refusal->exe);
        cr_expect_str_eq(refusal->comm, "sekisho-hooks-w");
        cr_expect_eq(sends(SOCK_DGRAM, 0, "2001:db8::1", 53, 0), EPERM);
        machine_forget(&machine);
}

Test(ways, for_one_program_are_for_no_other) {
        char self[PATH_MAX], text[2 * PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        NetworkPlan *plan;
        uint32_t mark = 0;
        socklen_t size = sizeof(mark);

        self[n > 0 ? n : 0] = '\0';
        snprintf(text, sizeof(text),
                 APPROVING("  - {name: mine, to: 10.1.2.4, program: %s}\n"
                           "  - {name: other, to: 10.1.2.5, program: /usr/bin/env}\n"),
                 self);
        plan = plan_of(text, NULL, NULL);
        machine_apply(&machine, plan);
        cr_expect_not(network_hooks_outdated(machine.hooks, plan));
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), ENETUNREACH);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.5", 443), EPERM);
        {
                CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

                cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &size), 0);
                cr_assert_str_eq(plan->destinations[0].rule, "mine");
                cr_expect_neq(mark, 0);
                cr_expect_eq(mark, plan->destinations[0].mark, "so that the packet filter knows it: %x",
                             mark);
        }
        network_plan_free(plan);
        machine_forget(&machine);
}

Test(ways, are_watched_or_closed_as_a_whole) {
        NetworkPlan *plan = plan_of(APPROVING(ONE), NULL, NULL);

        plan->monitor = true;
        machine_apply(&machine, plan);
        machine_forget(&machine);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), ENETUNREACH);
        network_hooks_drain(machine.hooks);
        cr_expect_eq(machine.refused, 1);
        cr_expect(machine.refusals[0].monitor);
        plan->monitor = false;
        plan->locked = true;
        machine_apply(&machine, plan);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.3", 443), EPERM);
        cr_expect_eq(connects(SOCK_DGRAM, 0, "127.0.0.1", 9), 0);
        machine_forget(&machine);
        plan->locked = false;
        plan->default_allow = true;
        machine_apply(&machine, plan);
        for (int i = 0; i < 3; i++)
                cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), ENETUNREACH);
        network_hooks_drain(machine.hooks);
        cr_expect_eq(machine.refused, 0);
        cr_expect_eq(machine.seen, 1, "the first time of a destination");
        plan->off = true;
        plan->default_allow = false;
        machine_apply(&machine, plan);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), ENETUNREACH);
        network_plan_free(plan);
}

/* Who lets DHCP be needs no destination of it; only what is bound to the client's port is DHCP. */
Test(ways, of_dhcp_are_a_service) {
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(68)};
        struct sockaddr_storage to;
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        socket_address("10.1.2.9", 67, &to);
        cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
        machine_apply_text(&machine, APPROVING(ONE));
        cr_expect_eq(error_of(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to))), ENETUNREACH);
        cr_expect_eq(sends(SOCK_DGRAM, 0, "10.1.2.9", 67, 0), EPERM);
        machine_apply_text(&machine, APPROVING(ONE) "  services: {dhcp: deny}\n");
        cr_expect_eq(error_of(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to))), EPERM);
        machine_forget(&machine);
}

/* Nobody has to be there at the moment. */
Test(ways, lapse_by_themselves) {
        NetworkPlan *plan = plan_of(
                APPROVING("  - {name: today, to: 10.1.2.3, hours: \"Mon 08:00-12:01\"}\n"), NULL, NULL);
        LsmMoment now = moment_at(&monday_noon);

        now.second = 59;
        cr_assert_eq(network_hooks_apply(machine.hooks, plan, &now), 0);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.3", 443), ENETUNREACH);
        while (moment_at(&monday_noon).boottime < now.boottime + UINT64_C(1000000000))
                (void)poll(NULL, 0, 10);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.3", 443), EPERM);
        network_hooks_drain(machine.hooks);
        cr_expect_eq(machine.refusals[0].why, HOOKS_WHY_HOURS);
        cr_expect_eq(machine.refusals[0].number, 1);
        network_plan_free(plan);
}

typedef struct Hammer {
        atomic_bool stop;
        unsigned long refused_approved, let_through, tries;
} Hammer;

static void *hammer(void *userdata) {
        Hammer *tries = userdata;

        while (!atomic_load(&tries->stop)) {
                tries->refused_approved += connects(SOCK_DGRAM, 0, "10.1.2.3", 443) == EPERM;
                tries->let_through += connects(SOCK_DGRAM, 0, "10.1.2.4", 443) != EPERM;
                tries->tries++;
        }
        return NULL;
}

Test(ways, are_as_closed_and_as_open_while_policies_change) {
        NetworkPlan *plans[] = {
                plan_of(APPROVING("  - {name: a, to: 10.1.2.3}\n"), NULL, NULL),
                plan_of(APPROVING("  - {name: b, to: 10.1.2.2/31, ports: [443], protocol: udp}\n"
                                  "  - {name: c, to: 10.9.0.0/16}\n"),
                        NULL, NULL),
        };
        Hammer tries = {0};
        pthread_t thread;

        machine_apply(&machine, plans[0]);
        cr_assert_eq(pthread_create(&thread, NULL, hammer, &tries), 0);
        for (size_t i = 1; i < 60; i++)
                machine_apply(&machine, plans[i % 2]);
        atomic_store(&tries.stop, true);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_expect_gt(tries.tries, 100);
        cr_expect_eq(tries.refused_approved, 0);
        cr_expect_eq(tries.let_through, 0);
        network_hooks_drain(machine.hooks);
        cr_expect_eq(machine.refused, tries.tries);
        for (size_t i = 0; i < ELEMENTS(plans); i++)
                network_plan_free(plans[i]);
}

/* An agent that is gone is missed by nobody, and the next one goes on where it was. */
Test(ways, stay_closed_without_an_agent) {
        NetworkHooksSettings settings = {.root = machine.root, .group = machine.group};
        uint32_t generation;
        char why[LSM_WHY];

        machine_apply_text(&machine, APPROVING(ONE));
        machine_apply_text(&machine, APPROVING(ONE));
        generation = network_hooks_generation(machine.hooks);
        machine.hooks = network_hooks_free(machine.hooks);
        machine.n_refusals = 0;
        machine.refused = 0;
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.3", 443), ENETUNREACH);
        cr_assert_eq(network_hooks_new(machine.event, &settings, on_refusal, &machine, &machine.hooks, why),
                     0, "%s", why);
        cr_expect_eq(network_hooks_generation(machine.hooks), generation);
        network_hooks_drain(machine.hooks);
        cr_expect_eq(machine.refused, 1);
        machine_apply_text(&machine, APPROVING(ONE));
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.1.2.4", 443), EPERM);
        machine_forget(&machine);
}

enum {
        FLOOD_PROCESSES = 2,
        FLOOD_TRIES = 100000,
        SCAN_PLACES = 20000
};

/* One program knocks as fast as it can, at one place. */
static int floods(void) {
        struct sockaddr_storage address;
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        (void)socket_address("10.1.2.4", 9, &address);
        for (int i = 0; i < FLOOD_TRIES; i++)
                if (connect(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in)) == 0)
                        return 1;
        return 0;
}

/* At very many places. */
static int scans(void) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        for (uint32_t i = 0; i < SCAN_PLACES; i++) {
                address.sin_addr.s_addr = htonl(0x0a020000 + i);
                address.sin_port = htons((uint16_t)(1 + i % 60000));
                if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                        return 1;
        }
        return 0;
}

static int bound_connects(const char *to, unsigned port) {
        struct sockaddr_storage address;
        int family = socket_address(to, port, &address);
        CLEANUP_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")), 0);
        return error_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

Test(ways, to_the_terminals_own_addresses_are_open_in_its_own_network_alone) {
        const OwnPlace own[] = {
                {.address = address_parse("192.0.2.7", strlen("192.0.2.7")), .prefix = 32},
                {.address = address_parse("2001:db8::7", strlen("2001:db8::7")), .prefix = 128},
                {.address = address_parse("10.9.0.0", strlen("10.9.0.0")), .prefix = 16}};

        machine_apply_text(&machine, APPROVING(ONE));
        cr_expect_eq(connects(SOCK_STREAM, 0, "192.0.2.7", 631), EPERM, "nothing has been said yet");
        cr_assert_eq(network_hooks_set_own(machine.hooks, own, ELEMENTS(own)), 0);
        cr_expect_neq(connects(SOCK_STREAM, 0, "192.0.2.7", 631), EPERM);
        cr_expect_neq(connects(SOCK_STREAM, 0, "::ffff:192.0.2.7", 631), EPERM);
        cr_expect_neq(connects(SOCK_STREAM, 0, "2001:db8::7", 631), EPERM);
        cr_expect_neq(connects(SOCK_DGRAM, 0, "10.9.200.1", 631), EPERM);
        cr_expect_neq(sends(SOCK_DGRAM, 0, "192.0.2.7", 631, 0), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "192.0.2.8", 631), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "2001:db8::8", 631), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "10.8.200.1", 631), EPERM);
        cr_expect_eq(bound_connects("192.0.2.7", 631), EPERM);
        machine_apply_text(&machine, APPROVING(ONE));
        cr_expect_neq(connects(SOCK_STREAM, 0, "192.0.2.7", 631), EPERM, "another plan changes nothing");
        cr_assert_eq(unshare(CLONE_NEWNET), 0);
        cr_expect_eq(connects(SOCK_STREAM, 0, "192.0.2.7", 631), EPERM, "elsewhere it is another machine's");
        cr_assert_eq(network_hooks_set_own(machine.hooks, own, 1),
                     0); /* and so an agent that is here says */
        cr_expect_neq(connects(SOCK_STREAM, 0, "192.0.2.7", 631), EPERM);
        cr_expect_eq(connects(SOCK_STREAM, 0, "2001:db8::7", 631), EPERM, "what is gone is forgotten");
        cr_expect_eq(connects(SOCK_DGRAM, 0, "10.9.200.1", 631), EPERM);
}

/* By as many people as there are processes, or by one. */
static void run_at_once(int (*function)(void), pid_t *children, size_t n, bool same) {
        for (size_t i = 0; i < n; i++) {
                children[i] = fork();
                if (children[i] == 0)
                        _exit(setuid(1001 + (same ? 0 : (uid_t)i)) < 0 ? 255 : function());
                cr_assert_gt(children[i], 0);
        }
}

/* Runs the loop, as an agent does, until they have ended. */
static void wait_for(pid_t *children, size_t n) {
        for (size_t left = n; left > 0;) {
                int status;
                pid_t ended = waitpid(-1, &status, WNOHANG);

                cr_assert_geq(sd_event_run(machine.event, 10000), 0);
                if (ended <= 0)
                        continue;
                cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                left--;
        }
        (void)children;
}

Test(ways, by_the_hundred_thousand_are_all_counted) {
        pid_t children[FLOOD_PROCESSES];
        uint64_t began, took;

        machine_apply_text(&machine, APPROVING(ONE));
        machine_forget(&machine);
        began = moment_at(&monday_noon).boottime;
        run_at_once(floods, children, ELEMENTS(children), true);
        wait_for(children, ELEMENTS(children));
        took = moment_at(&monday_noon).boottime - began;
        network_hooks_drain(machine.hooks);
        printf("%.0f refusals a second\n", FLOOD_PROCESSES * FLOOD_TRIES / ((double)took / 1e9));
        cr_expect_eq(machine.refused, (uint64_t)FLOOD_PROCESSES * FLOOD_TRIES, "%llu",
                     (unsigned long long)machine.refused);
}

Test(ways, to_very_many_places_are_all_counted_by_person) {
        pid_t children[FLOOD_PROCESSES];

        machine_apply_text(&machine, APPROVING(ONE));
        machine_forget(&machine);
        run_at_once(scans, children, ELEMENTS(children), false);
        wait_for(children, ELEMENTS(children));
        for (uint64_t until = moment_at(&monday_noon).boottime + UINT64_C(5000000000);
             machine.refused < (uint64_t)FLOOD_PROCESSES * SCAN_PLACES &&
             moment_at(&monday_noon).boottime < until;)
                cr_assert_geq(sd_event_run(machine.event, 100000), 0);
        cr_expect_eq(machine.refused, (uint64_t)FLOOD_PROCESSES * SCAN_PLACES, "%llu",
                     (unsigned long long)machine.refused);
}
