/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network/plan.h"
#include "policy/scope.h"

enum {
        MARKS = NETWORK_MARK_SELF_TEST - NETWORK_MARK - 1 /* from 1, without the self-test's */
};

/* FNV-1a: from 0, below MARKS. */
static uint32_t hash(const char *path) {
        uint64_t hash = 14695981039346656037U;

        for (; *path; path++)
                hash = (hash ^ (unsigned char)*path) * 1099511628211U;
        return (uint32_t)(hash % MARKS);
}

/* The first rule of the N that has MARK. */
static const char *owner_of(const Policy *policy, const uint32_t *marks, size_t n, uint32_t mark) {
        for (size_t i = 0; i < n; i++)
                if (marks[i] == mark)
                        return policy->network[i].program;
        return NULL;
}

/* Where two programs have one hash, the later of the policy has the next one: with one in many millions. */
static uint32_t mark_of(const Policy *policy, const uint32_t *marks, size_t i) {
        const char *program = policy->network[i].program, *owner;

        for (uint32_t number = hash(program);; number = (number + 1) % MARKS) {
                uint32_t mark = NETWORK_MARK + 1 + number;

                owner = owner_of(policy, marks, i, mark);
                if (!owner || strcmp(owner, program) == 0)
                        return mark;
        }
}

int network_marks_make(const Policy *policy, uint32_t **ret) {
        uint32_t *marks = calloc(policy->n_network + 1, sizeof(*marks));

        if (!marks)
                return -ENOMEM;
        for (size_t i = 0; i < policy->n_network; i++)
                if (policy->network[i].program)
                        marks[i] = mark_of(policy, marks, i);
        *ret = marks;
        return 0;
}
