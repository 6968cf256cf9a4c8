/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables.h: a plan in the form that the programs in the kernel look things up in. Of every prefix the list
 * of all destinations that cover it, so that one look at the longest that covers an address finds them all,
 * in the plan's order. Pure.
 */
#pragma once

#include "agent/lsm/verdict.h"
#include "agent/network/hooks/layout.h"
#include "agent/network/plan.h"

typedef struct HooksPlace {
        struct hooks_place place;
        struct hooks_list list;
} HooksPlace;

/* A program that some destination is for, and the mark of its sockets. */
typedef struct HooksProgram {
        const char *path; /* the plan's */
        uint32_t mark;
} HooksProgram;

typedef struct HooksTables {
        struct hooks_head head;
        HooksPlace *places;
        size_t n_places;
        uint32_t *lists;
        size_t n_lists;
        struct hooks_row *rows;
        size_t n_rows;
        struct hooks_person *people;
        size_t n_people;
        HooksProgram *programs;
        size_t n_programs;
} HooksTables;

/* The tables of PLAN, which is not off, or locked all the same, from NOW on. 0; -ENOMEM; -E2BIG: more than
 * the kernel is given. */
int hooks_tables_make(const NetworkPlan *plan, const LsmMoment *now, HooksTables **ret);

HooksTables *hooks_tables_free(HooksTables *tables); /* returns NULL */

/* The key of ADDRESS, or of its first PREFIX bits. */
struct hooks_place hooks_place_of(const Address *address, int prefix);
