/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure_policy: loads the policy POLICY a number of times and decides for the USB device 0951:1666 with
 * SERIAL. For tests/bench; never installed.
 *
 *   sekisho-measure-policy POLICY SERIAL RULE ROUNDS   prints per round: ms of a load, ns of a decision
 *
 * RULE must be what decides, so that what is measured is what was meant. Exit 0, 1 with a message, 2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/decide.h"
#include "policy/load.h"
#include "policy/scope.h"

enum {
        EXIT_USAGE = 2,
        DECISIONS = 2000,
        ROUNDS_MAX = 1000
};

DEFINE_CLEANUP(Policy, policy_unref);

static double now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int measure_round(const char *path, DeviceIdentity *device, const char *rule) {
        CLEANUP(scope_policy_unref) Policy *policy = NULL;
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        double start, loaded, decided;
        PolicyTime now;
        Decision decision;
        int r;

        if (policy_time_from_wall(time(NULL), &now) < 0)
                return EXIT_FAILURE;
        start = now_ns();
        r = policy_load(path, &policy, &faults);
        loaded = now_ns();
        if (r < 0) {
                policy_faults_print(&faults, stderr);
                fprintf(stderr, "sekisho-measure-policy: %s: %s\n", path, strerror(-r));
                return EXIT_FAILURE;
        }
        for (int i = 0; i < DECISIONS; i++)
                decide_device(policy, device, &now, &decision);
        decided = now_ns();
        if (strcmp(decision.rule, rule) != 0) {
                fprintf(stderr, "sekisho-measure-policy: \"%s\" decides, not \"%s\"\n", decision.rule, rule);
                return EXIT_FAILURE;
        }
        printf("%.3f %.1f\n", (loaded - start) / 1e6, (decided - loaded) / DECISIONS);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static char vendor[] = "0951", product[] = "1666";
        DeviceIdentity device = {
                .vendor = vendor, .product = product, .bus = DEVICE_BUS_USB, .hotplug = true};
        long rounds = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
        int r = EXIT_SUCCESS;

        if (rounds < 1 || rounds > ROUNDS_MAX) {
                fputs("Usage: sekisho-measure-policy POLICY SERIAL RULE ROUNDS\n", stderr);
                return EXIT_USAGE;
        }
        device.serial = argv[2];
        for (long i = 0; i < rounds && r == EXIT_SUCCESS; i++)
                r = measure_round(argv[1], &device, argv[3]);
        return r;
}
