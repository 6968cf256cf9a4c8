/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fold.h: repeats become one record with a count, so that a flood neither loses a denial nor fills the
 * journal. The first of a kind goes out at once; those like it that follow within a window are counted and
 * go out as one record when it ends. A window lasts a second at first and doubles, up to half a minute,
 * while repeats keep coming. Where one person's program is refused on very many paths, what follows the
 * first FOLD_PATHS of them in a window folds without regard to the path. A destination on the network is a
 * path here. Pure: time is an argument.
 */
#pragma once

#include <stdint.h>

#include "agent/report/record.h"

enum {
        FOLD_PATHS =
                32, /* records with paths of their own per person, program, device and rule in a window */
        FOLD_ENTRIES = 512, /* windows open at a time; the oldest is closed when one more is needed */
};
#define FOLD_WINDOW_MIN_USEC UINT64_C(1000000)
#define FOLD_WINDOW_MAX_USEC UINT64_C(30000000)

typedef struct Fold Fold;

/* NULL if memory is short. */
Fold *fold_new(void);
Fold *fold_free(Fold *fold); /* drops what is counted and not yet out; returns NULL */

/* Offer a denial at time NOW (microseconds, any steady clock). Ownership passes. Returns the record to write
 * now (the same one, or an aggregate whose window had to be closed to make room), or NULL if it was counted.
 * Sets *RET_SECOND if two records have to go out. */
Record *fold_offer(Fold *fold, Record *record, uint64_t now, Record **ret_second);

/* An aggregate whose window is over at NOW, NULL if there is none (left); call until NULL. */
Record *fold_take_due(Fold *fold, uint64_t now);

/* When fold_take_due has something next; UINT64_MAX for never. */
uint64_t fold_next_due(const Fold *fold);
