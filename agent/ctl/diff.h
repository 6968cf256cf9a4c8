/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff.h: what policy_diff() is made of. A policy's verdict about an object hangs on who asks and when, and
 * changes only where some rule about that object says so: at the people it names, at the minutes at which
 * its hours begin and end, at its expiry. So a grid of these, with one that nobody names, is all there is to
 * ask. Pure.
 */
#pragma once

#include "agent/ctl/json.h"
#include "policy/decide.h"

enum {
        DIFF_BEFORE,
        DIFF_AFTER,
        DIFF_SIDES
};

/* Names as numbers, the same for both policies: what the machine knows does not matter. */
typedef struct DiffNames {
        char **names;
        size_t n;
} DiffNames;

typedef struct Diff {
        Policy *policies[DIFF_SIDES];
        DiffNames users, groups;
        time_t now;
        size_t asked, limit; /* questions */
        bool cut;            /* there were more than may be asked */
        struct json_object *changes;
} Diff;

/* Somebody who has at most these names. */
typedef struct DiffPerson {
        bool user_set;
        uid_t user;
        gid_t groups[2];
        size_t n_groups;
} DiffPerson;

typedef struct DiffGrid {
        DiffPerson *people; /* the first is nobody that is named */
        size_t n_people;
        uint16_t *minutes; /* of a day, ascending from 0; one without hours */
        size_t n_minutes;
        bool weekly;     /* some rule has hours */
        time_t *moments; /* ascending from now */
        size_t n_moments;
} DiffGrid;

int diff_grid_begin(Diff *diff, DiffGrid *grid);
void diff_grid_clear(DiffGrid *grid);
/* What a scope names. 0 or -ENOMEM. */
int diff_grid_add_scope(DiffGrid *grid, const RuleScope *scope);
int diff_grid_add_user(DiffGrid *grid, uid_t user);
int diff_grid_add_moment(DiffGrid *grid, time_t moment);
/* Also those who have two of the names: needed where the order of rules decides between people. */
int diff_grid_add_pairs(DiffGrid *grid);

#define CLEANUP_DIFF_GRID CLEANUP(diff_grid_clear)

/* What is asked about an object. */
typedef struct DiffObject {
        const char *section;
        struct json_object *what; /* borrowed */
        /* The verdict as a number, and the rule that gave it, borrowed from POLICY or static. */
        uint32_t (*ask)(const void *userdata, const Policy *policy, const Subject *subject,
                        const PolicyTime *now, const char **ret_rule);
        /* A verdict for programs. */
        struct json_object *(*word)(uint32_t verdict);
        const void *userdata;
} DiffObject;

/* Asks both policies everything on GRID, and adds the changes. 0 or -ENOMEM. */
int diff_compare(Diff *diff, const DiffGrid *grid, const DiffObject *object);

/* The same where neither person nor time matters. */
int diff_compare_once(Diff *diff, const DiffObject *object);

/* Whether N further questions may be asked; if not the answer is cut. */
bool diff_may_ask(Diff *diff, size_t n);

/* Whether two rules are about the same people, hours and days. */
bool diff_same_scope(const RuleScope *a, const RuleScope *b);

/* The sections. 0 or -ENOMEM. */
int diff_devices(Diff *diff);
int diff_usb(Diff *diff);
int diff_filesystems(Diff *diff);
int diff_network(Diff *diff);
int diff_logins(Diff *diff);
int diff_settings(Diff *diff);

/* What is refused is only recorded; among the bits of a verdict. */
#define DIFF_MONITOR 0x100U

/* Whether two rules are tried out alike. */
bool diff_same_monitor(const MonitorSpan *a, const MonitorSpan *b);

/* "deny", "read-only", "write" and "deny", "allow" as JSON, with " (monitor)" behind where it is. */
struct json_object *diff_access_word(uint32_t verdict);
struct json_object *diff_verdict_word(uint32_t verdict);
