/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_text.h: for tests that start from a policy's text. */
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policy/build.h"
#include "policy/load.h"

static inline Policy *policy_of(const char *text) {
        PolicyFaults faults = {0};
        Policy *policy = NULL;
        int r = policy_load_buffer("p.yaml", text, strlen(text), &policy, &faults);

        cr_assert_eq(r, 0, "refused: %s in line %zu", faults.n ? faults.items[0].message : strerror(-r),
                     faults.n ? faults.items[0].line : 0);
        cr_assert_eq(faults.n, 0);
        return policy;
}

#define HEAD "version: 1\nserial: 7\n"

/* "uid1001" is uid 1001; any other name does not exist. */
static inline int numbered_user(void *userdata, const char *name, uid_t *ret) {
        (void)userdata;
        if (strncmp(name, "uid", 3) != 0)
                return -2; /* ENOENT */
        *ret = (uid_t)strtoul(name + 3, NULL, 10);
        return 0;
}

static inline int numbered_group(void *userdata, const char *name, gid_t *ret) {
        (void)userdata;
        if (strncmp(name, "gid", 3) != 0)
                return -2; /* ENOENT */
        *ret = (gid_t)strtoul(name + 3, NULL, 10);
        return 0;
}

static inline void policy_number_users(Policy *policy) {
        PolicyResolver resolver = {.user = numbered_user, .group = numbered_group};

        cr_assert_eq(policy_resolve(policy, &resolver), 0);
}
