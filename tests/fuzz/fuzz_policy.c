/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a policy file. It is taken whole or refused with a fault that has a place; what is taken
 * answers every question, and a question about something internal is the only one that no rule or default
 * decides.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/load.h"
#include "policy/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_user(void *userdata, const char *name, uid_t *ret) {
        (void)userdata;
        if (strlen(name) % 2)
                return -ENOENT;
        *ret = 1000;
        return 0;
}

static int no_group(void *userdata, const char *name, gid_t *ret) {
        return no_user(userdata, name, ret);
}

static void require(bool holds) {
        if (!holds)
                abort();
}

static void ask(const Policy *policy) {
        static char vendor[] = "0951", product[] = "1666", serial[] = "E0D55EA574";
        DeviceIdentity stick = {
                .vendor = vendor, .product = product, .serial = serial, .bus = DEVICE_BUS_USB};
        DeviceIdentity disk = {.bus = DEVICE_BUS_NVME};
        SuperblockIdentity on_stick = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &stick};
        SuperblockIdentity share = {
                .kind = SUPERBLOCK_NETWORK, .fstype = "cifs", .source = "//fs01.juki.local/kyoyu"};
        Subject nobody = {.uid = 65534, .loginuid = (uid_t)-1, .gid = 65534};
        PolicyTime now = {.weekday = 1, .minute = 600, .expiry_now = 1800000000};
        Decision decision;
        OpenDecision opening;

        decide_device(policy, &disk, &now, &decision);
        require(policy->bus_external[DEVICE_BUS_NVME] || decision.reason == REASON_INTERNAL);
        decide_device(policy, &stick, &now, &decision);
        require(decision.external && decision.rule && decision.origin);
        for (int class = 0; class < 256; class ++) {
                decide_usb_interface(policy, &stick, (uint8_t) class, &now, &decision);
                require(decision.rule && decision.origin && decision.access != ACCESS_READ_ONLY);
        }
        decide_superblock(policy, &share, &now, &decision);
        require(decision.external && decision.rule && decision.origin);
        decide_open(policy, &on_stick, &nobody, true, &now, &opening);
        require(opening.rule && opening.origin);
        decide_open(policy, &share, &nobody, true, &now, &opening);
        require(opening.verdict == VERDICT_DENY || decision.access == ACCESS_WRITE);
        require(policy_next_expiry(policy, now.expiry_now) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const PolicyResolver resolver = {.user = no_user, .group = no_group};
        PolicyFaults faults = {0};
        Policy *policy = NULL;
        int r = policy_load_buffer("fuzz.yaml", (const char *)data, size, &policy, &faults);

        if (r == 0) {
                require(faults.n == 0 && policy && policy->version == 1);
                require(policy_resolve(policy, &resolver) == 0);
                ask(policy);
        } else {
                require(r == -EBADMSG && faults.n > 0 && !policy);
                for (size_t i = 0; i < faults.n; i++) {
                        require(strcmp(faults.items[i].file, "fuzz.yaml") == 0 &&
                                faults.items[i].message[0]);
                        /* the two readings have to agree: libcyaml's refusal alone has no place */
                        require(faults.items[i].line > 0 ||
                                strstr(faults.items[i].message, "has more faults"));
                }
        }
        policy_faults_clear(&faults);
        policy_unref(policy);
        return 0;
}
