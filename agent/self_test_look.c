/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes of what is somebody's: nothing is tried on it, the kernel is asked. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/device/hold.h"
#include "agent/self_test.h"
#include "agent/selftest/evidence.h"
#include "policy/scope.h"
#include "policy/translate.h"

typedef struct Look {
        Agent *agent;
        Result *result;
        unsigned seen;
} Look;

static int found(Look *look, const char *name, const char *what, int error) {
        look->result->state = PROBED_FAILED;
        look->result->what = what;
        look->result->error = error;
        (void)snprintf(look->result->name, sizeof(look->result->name), "%s", name ? name : "?");
        return 1;
}

/* A disk on which a LUKS2 volume waits to be opened is let go for that. */
static int look_at_disk(void *userdata, const Device *device) {
        Look *look = userdata;
        Agent *agent = look->agent;

        if (!device->block || !device->decision.external || device->decision.access == ACCESS_WRITE ||
            device->n_closed > 0 || device->enforcement < 0 || agent_self_test_owns(agent, &device->id))
                return 0;
        look->seen++;
        if (hold_is_read_only(NULL, device->id.devnum) == 0)
                return found(look, device->id.name, N_("the disk is not read-only"), 0);
        if (agent->lsm && !lsm_disk_known(agent->lsm, device->id.devnum) &&
            access(device->syspath, F_OK) == 0)
                return found(look, device->id.name, N_("the kernel has no verdict on the disk"), 0);
        return 0;
}

static int look_at_mount(void *userdata, const Superblock *sb) {
        Look *look = userdata;
        Agent *agent = look->agent;
        int marked;

        if (sb->guard == GUARD_NONE || sb->guard == GUARD_FAILED || sb->guard == GUARD_SHUT_DOWN)
                return 0;
        look->seen++;
        if (!agent_backstop_holds(agent, sb))
                return found(look, sb->mount, N_("the kernel has no verdict on the file system"), 0);
        if (!sb->gate)
                return 0;
        marked = evidence_of_mark(gate_fd(sb->gate), sb->identity.devnum);
        return marked == 1 ? 0 : found(look, sb->mount, N_("the gate has no mark"), -marked);
}

void self_test_look(Agent *agent, SelfTest *test) {
        Look disks = {.agent = agent, .result = &test->results[PROBE_HELD_DISKS]},
             mounts = {.agent = agent, .result = &test->results[PROBE_GUARDED_MOUNTS]};
        int r;

        *disks.result = *mounts.result = (Result){.what = N_("there is none")};
        if (devices_foreach(agent->devices, look_at_disk, &disks) == 0 && disks.seen > 0)
                self_test_set(test, PROBE_HELD_DISKS, PROBED_PASSED, NULL, 0);
        if (superblocks_foreach(agent->superblocks, look_at_mount, &mounts) == 0 && mounts.seen > 0)
                self_test_set(test, PROBE_GUARDED_MOUNTS, PROBED_PASSED, NULL, 0);
        if (!agent->lsm) {
                self_test_set(test, PROBE_KERNEL_PROGRAMS, PROBED_NOT, N_("there is none"), 0);
                return;
        }
        r = lsm_in_force(agent->lsm);
        self_test_set(test, PROBE_KERNEL_PROGRAMS, r < 0 ? PROBED_FAILED : PROBED_PASSED,
                      r < 0 ? N_("a program is not attached") : NULL, -r);
}

/* In the discard prefixes: nobody is there. Source: RFC 5737, RFC 3849. */
static const char *const nowhere[] = {"192.0.2.1", "2001:db8::1"};

bool agent_is_self_test(const char *destination, unsigned port) {
        for (size_t i = 0; i < ELEMENTS(nowhere); i++)
                if (port == ATTEMPT_PORT && strcmp(destination, nowhere[i]) == 0)
                        return true;
        return false;
}

static void try_connection(SelfTest *test, const char *address) {
        Result *result = &test->results[PROBE_CONNECTION];
        int why = 0;
        Probed state = attempt_connection(address, NETWORK_MARK_SELF_TEST, &why);

        if (result->state == PROBED_FAILED || (state == PROBED_NOT && result->state != PROBED_NOT))
                return; /* the other family said more */
        *result = (Result){.state = state, .what = N_("sending"), .error = why};
        (void)snprintf(result->name, sizeof(result->name), "%s", address);
}

void self_test_connect(Agent *agent, SelfTest *test) {
        Result *result = &test->results[PROBE_CONNECTION];
        const char *why = agent_connections_are_free(agent);

        *result = (Result){.what = why};
        for (size_t i = 0; !why && i < ELEMENTS(nowhere); i++)
                if (agent_refuses_connection(agent, nowhere[i], ATTEMPT_PORT))
                        try_connection(test, nowhere[i]);
                else if (result->state == PROBED_NOT)
                        result->what = N_("the policy approves where it would lead");
}
