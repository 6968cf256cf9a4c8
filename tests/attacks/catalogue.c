/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalogue.c: all tables in the order in which they are run. */
#include "tests/attacks/harness.h"

static const AttackTable *const tables[] = {
        &attacks_open,     &attacks_reopen,     &attacks_before, &attacks_copy,
        &attacks_uring,    &attacks_abi,        &attacks_race,   &attacks_names,
        &attacks_metadata, &attacks_attributes, &attacks_ioctl,  &attacks_mounts,
        &attacks_spaces,   &attacks_raw,        &attacks_scsi,   &attacks_stacked,
};

const Attack *catalogue(size_t i) {
        for (size_t t = 0; t < ELEMENTS(tables); t++) {
                if (i < tables[t]->n)
                        return &tables[t]->attacks[i];
                i -= tables[t]->n;
        }
        return NULL;
}
