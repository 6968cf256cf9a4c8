/* SPDX-License-Identifier: GPL-2.0-or-later */
/* People, minutes and moments that verdicts about an object can hang on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/diff.h"

enum {
        MINUTES_OF_DAY = 1440
};

#define ADD(array, n, value)                                                                                \
        __extension__({                                                                                     \
                void *grown_ = reallocarray((array), (n) + 1, sizeof(*(array)));                            \
                if (grown_) {                                                                               \
                        (array) = grown_;                                                                   \
                        (array)[(n)++] = (value);                                                           \
                }                                                                                           \
                grown_ ? 0 : -ENOMEM;                                                                       \
        })

int diff_grid_begin(Diff *diff, DiffGrid *grid) {
        int r;

        *grid = (DiffGrid){0};
        r = ADD(grid->people, grid->n_people, (DiffPerson){0});
        if (r == 0)
                r = ADD(grid->minutes, grid->n_minutes, 0);
        if (r == 0)
                r = ADD(grid->moments, grid->n_moments, diff->now);
        return r;
}

void diff_grid_clear(DiffGrid *grid) {
        free(grid->people);
        free(grid->minutes);
        free(grid->moments);
        *grid = (DiffGrid){0};
}

static bool is_same_person(const DiffPerson *a, const DiffPerson *b) {
        if (a->user_set != b->user_set || (a->user_set && a->user != b->user) || a->n_groups != b->n_groups)
                return false;
        return a->n_groups < 2 ? a->n_groups == 0 || a->groups[0] == b->groups[0]
                               : (a->groups[0] == b->groups[0] && a->groups[1] == b->groups[1]) ||
                                         (a->groups[0] == b->groups[1] && a->groups[1] == b->groups[0]);
}

static int add_person(DiffGrid *grid, DiffPerson person) {
        for (size_t i = 0; i < grid->n_people; i++)
                if (is_same_person(&grid->people[i], &person))
                        return 0;
        return ADD(grid->people, grid->n_people, person);
}

int diff_grid_add_user(DiffGrid *grid, uid_t user) {
        return add_person(grid, (DiffPerson){.user_set = true, .user = user});
}

static int add_minute(DiffGrid *grid, unsigned minute) {
        size_t at = 0;
        int r;

        minute %= MINUTES_OF_DAY;
        while (at < grid->n_minutes && grid->minutes[at] < minute)
                at++;
        if (at < grid->n_minutes && grid->minutes[at] == minute)
                return 0;
        r = ADD(grid->minutes, grid->n_minutes, 0);
        if (r < 0)
                return r;
        memmove(&grid->minutes[at + 1], &grid->minutes[at],
                (grid->n_minutes - 1 - at) * sizeof(*grid->minutes));
        grid->minutes[at] = (uint16_t)minute;
        return 0;
}

int diff_grid_add_moment(DiffGrid *grid, time_t moment) {
        size_t at = 0;
        int r;

        if (moment <= grid->moments[0]) /* what has expired stays so */
                return 0;
        while (at < grid->n_moments && grid->moments[at] < moment)
                at++;
        if (at < grid->n_moments && grid->moments[at] == moment)
                return 0;
        r = ADD(grid->moments, grid->n_moments, 0);
        if (r < 0)
                return r;
        memmove(&grid->moments[at + 1], &grid->moments[at],
                (grid->n_moments - 1 - at) * sizeof(*grid->moments));
        grid->moments[at] = moment;
        return 0;
}

int diff_grid_add_scope(DiffGrid *grid, const RuleScope *scope) {
        int r = diff_grid_add_moment(grid, scope->expires);

        for (size_t i = 0; r == 0 && i < scope->n_uids; i++)
                r = diff_grid_add_user(grid, scope->uids[i]);
        for (size_t i = 0; r == 0 && i < scope->n_gids; i++)
                r = add_person(grid, (DiffPerson){.groups = {scope->gids[i]}, .n_groups = 1});
        if (r < 0 || !scope->hours.set)
                return r;
        grid->weekly = true;
        r = add_minute(grid, scope->hours.from);
        return r < 0 ? r : add_minute(grid, scope->hours.to);
}

int diff_grid_add_pairs(DiffGrid *grid) {
        size_t n = grid->n_people;
        int r = 0;

        for (size_t i = 1; i < n; i++)
                for (size_t j = i + 1; r == 0 && j < n; j++) {
                        DiffPerson both = grid->people[i];
                        const DiffPerson *other = &grid->people[j];

                        if (both.user_set && other->user_set)
                                continue; /* nobody is two */
                        if (other->user_set) {
                                both.user_set = true;
                                both.user = other->user;
                        }
                        for (size_t g = 0; g < other->n_groups && both.n_groups < 2; g++)
                                both.groups[both.n_groups++] = other->groups[g];
                        r = add_person(grid, both);
                }
        return r;
}

static bool same_names(char *const *a, size_t n_a, char *const *b, size_t n_b) {
        bool same = n_a == n_b;

        for (size_t i = 0; same && i < n_a; i++)
                same = strcmp(a[i], b[i]) == 0;
        return same;
}

bool diff_same_scope(const RuleScope *a, const RuleScope *b) {
        return same_names(a->users, a->n_users, b->users, b->n_users) &&
               same_names(a->groups, a->n_groups, b->groups, b->n_groups) && a->expires == b->expires &&
               a->hours.set == b->hours.set && a->hours.days == b->hours.days &&
               a->hours.from == b->hours.from && a->hours.to == b->hours.to;
}
