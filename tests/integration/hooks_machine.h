/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks_machine.h: the programs of the network guard on this kernel, for a control group and a network
 * namespace of this process's own, so that nobody else's network is touched.
 */
#pragma once

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/network/hooks/hooks.h"
#include "policy/scope.h"
#include "tests/unit/network/plans.h"

enum {
        REFUSALS_MAX = 64
};

typedef struct HooksMachine {
        char group[64], root[64];
        sd_event *event;
        NetworkHooks *hooks;
        NetworkRefusal refusals[REFUSALS_MAX]; /* told since the last look */
        size_t n_refusals;
        uint64_t refused, seen; /* the sums of their counts */
} HooksMachine;

static inline int put_line(const char *path, const char *line) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, line, strlen(line)) < 0 ? -errno : 0;
}

static inline void on_refusal(void *userdata, const NetworkRefusal *refusal) {
        HooksMachine *machine = userdata;

        if (refusal->kind == HOOKS_TOLD_SEEN)
                machine->seen += refusal->count;
        else
                machine->refused += refusal->count;
        if (machine->n_refusals < REFUSALS_MAX)
                machine->refusals[machine->n_refusals++] = *refusal;
}

static inline void machine_forget(HooksMachine *machine) {
        network_hooks_drain(machine->hooks);
        machine->n_refusals = 0;
        machine->refused = machine->seen = 0;
}

static inline void bring_loopback_up(void) {
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

        cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static inline void machine_start(HooksMachine *machine) {
        static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
        NetworkHooksSettings settings = {.root = machine->root, .group = machine->group};
        char why[LSM_WHY], line[96];
        bool made = false;

        cr_assert_eq(unshare(CLONE_NEWNET), 0, "%s", strerror(errno));
        bring_loopback_up();
        cr_assert_eq(put_line("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"), 0);
        snprintf(machine->root, sizeof(machine->root), "/sys/fs/bpf/sekisho-test-%d", getpid());
        for (size_t i = 0; i < ELEMENTS(places) && !made; i++) {
                snprintf(line, sizeof(line), "%s/cgroup.procs", places[i]);
                snprintf(machine->group, sizeof(machine->group), "%s/sekisho-test-%d", places[i], getpid());
                made = access(line, F_OK) == 0 && mkdir(machine->group, 0755) == 0;
        }
        cr_assert(made, "no control groups of the second kind");
        snprintf(line, sizeof(line), "%s/cgroup.procs", machine->group);
        cr_assert_eq(put_line(line, "0"), 0);
        cr_assert_geq(sd_event_new(&machine->event), 0);
        cr_assert_eq(network_hooks_new(machine->event, &settings, on_refusal, machine, &machine->hooks, why),
                     0, "%s", why);
}

static inline void machine_end(HooksMachine *machine) {
        char line[96];

        network_hooks_free(machine->hooks);
        sd_event_unref(machine->event);
        (void)network_hooks_remove(machine->root);
        snprintf(line, sizeof(line), "%s", machine->group);
        *strrchr(line, '/') = '\0';
        strcat(line, "/cgroup.procs");
        (void)put_line(line, "0");
        (void)rmdir(machine->group);
}

static inline LsmMoment moment_at(const PolicyTime *now) {
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (LsmMoment){.time = *now,
                           .boottime = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec};
}

static inline void machine_apply(HooksMachine *machine, const NetworkPlan *plan) {
        LsmMoment now = moment_at(&monday_noon);

        cr_assert_eq(network_hooks_apply(machine->hooks, plan, &now), 0);
}

static inline void machine_apply_text(HooksMachine *machine, const char *text) {
        NetworkPlan *plan = plan_of(text, NULL, NULL);

        machine_apply(machine, plan);
        network_plan_free(plan);
}

/* What the caller is told; a connection or datagram that was let through comes to nothing for other reasons.
 */
static inline int socket_address(const char *to, unsigned port, struct sockaddr_storage *ret) {
        Address address = address_parse(to, strlen(to));
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
        struct sockaddr_in *four = (struct sockaddr_in *)ret;

        *ret = (struct sockaddr_storage){0};
        if (address.bits == 32 && strchr(to, ':') == NULL) {
                four->sin_family = AF_INET;
                four->sin_port = htons((uint16_t)port);
                memcpy(&four->sin_addr, address.bytes, 4);
                return AF_INET;
        }
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        inet_pton(AF_INET6, to, &six->sin6_addr);
        return AF_INET6;
}
