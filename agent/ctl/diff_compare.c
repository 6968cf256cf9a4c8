/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks both policies about one object, and puts what differs together: the people for whom a change has the
 * same hours, and the moments between which it stays so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/conditions.h"
#include "agent/ctl/diff.h"
#include "agent/ctl/timespec.h"

enum {
        DAYS = 7,
        HOURS_TEXT_MAX = 128,
        MINUTES_OF_DAY = 1440
};

typedef struct Cell {
        uint32_t verdict[DIFF_SIDES];
        const char *rule[DIFF_SIDES];
} Cell;

/* The cells of one object: by moment, person and hour of the week, in this order. */
typedef struct Cells {
        Diff *diff;
        const DiffGrid *grid;
        const DiffObject *object;
        Cell *cells;
        bool *told;
        size_t n, n_hours;
} Cells;

static void cells_clear(Cells *cells) {
        free(cells->cells);
        free(cells->told);
}

bool diff_may_ask(Diff *diff, size_t n) {
        if (diff->limit - diff->asked < n)
                diff->cut = true;
        return !diff->cut;
}

static Cell *cell_at(const Cells *cells, size_t moment, size_t person, size_t hour) {
        return &cells->cells[(moment * cells->grid->n_people + person) * cells->n_hours + hour];
}

static bool *told_at(const Cells *cells, size_t moment, size_t person, size_t hour) {
        return &cells->told[(moment * cells->grid->n_people + person) * cells->n_hours + hour];
}

static bool differs(const Cell *cell) {
        return cell->verdict[DIFF_BEFORE] != cell->verdict[DIFF_AFTER];
}

static bool same_change(const Cell *a, const Cell *b) {
        return a->verdict[DIFF_BEFORE] == b->verdict[DIFF_BEFORE] &&
               a->verdict[DIFF_AFTER] == b->verdict[DIFF_AFTER];
}

static void ask(const Cells *cells, size_t moment, size_t person, size_t hour) {
        const DiffGrid *grid = cells->grid;
        const DiffPerson *who = &grid->people[person];
        const Subject subject = {.uid = who->user_set ? who->user : (uid_t)-2,
                                 .loginuid = (uid_t)-1,
                                 .gid = (gid_t)-2,
                                 .groups = who->groups,
                                 .n_groups = who->n_groups};
        const PolicyTime now = {.weekday = (int)(hour / grid->n_minutes),
                                .minute = grid->minutes[hour % grid->n_minutes],
                                .expiry_now = grid->moments[moment]};
        Cell *cell = cell_at(cells, moment, person, hour);

        for (int side = 0; side < DIFF_SIDES; side++)
                cell->verdict[side] =
                        cells->object->ask(cells->object->userdata, cells->diff->policies[side], &subject,
                                           &now, &cell->rule[side]);
        cells->diff->asked++;
}

/* whom, when and from when on */

static struct json_object *person_json(const Diff *diff, const DiffPerson *person) {
        struct json_object *object = json_object_new_object(), *groups = json_object_new_array();

        json_put_text(object, "user", person->user_set ? diff->users.names[person->user] : NULL);
        for (size_t i = 0; i < person->n_groups; i++)
                json_append_text(groups, diff->groups.names[person->groups[i]]);
        json_object_object_add(object, "groups", groups);
        return object;
}

/* null: everybody. The entry without any name is everybody else. */
static struct json_object *people_json(const Cells *cells, const bool *people) {
        struct json_object *list;
        size_t n = 0;

        for (size_t i = 0; i < cells->grid->n_people; i++)
                n += people[i];
        if (n == cells->grid->n_people)
                return NULL;
        list = json_object_new_array();
        for (size_t i = 1; i <= cells->grid->n_people; i++) {
                size_t at = i % cells->grid->n_people; /* everybody else comes last */

                if (people[at])
                        json_object_array_add(list, person_json(cells->diff, &cells->grid->people[at]));
        }
        return list;
}

/* The next stretch of DAY from minute *AT on in which MASK is set. */
static bool next_stretch(const DiffGrid *grid, const bool *mask, int day, size_t *at, Hours *ret) {
        const bool *of_day = mask + (size_t)day * grid->n_minutes;
        size_t i = *at;

        while (i < grid->n_minutes && !of_day[i])
                i++;
        if (i == grid->n_minutes)
                return false;
        *ret = (Hours){.set = true, .from = grid->minutes[i]};
        while (i < grid->n_minutes && of_day[i])
                i++;
        ret->to = i < grid->n_minutes ? grid->minutes[i] : MINUTES_OF_DAY;
        *at = i;
        return true;
}

static bool has_stretch(const DiffGrid *grid, const bool *mask, int day, const Hours *stretch) {
        Hours other;

        for (size_t at = 0; next_stretch(grid, mask, day, &at, &other);)
                if (other.from == stretch->from && other.to == stretch->to)
                        return true;
        return false;
}

static void append_hours(struct json_object *list, const Hours *hours) {
        char text[HOURS_TEXT_MAX] = "";
        FILE *to = fmemopen(text, sizeof(text), "w");

        if (!to)
                return;
        conditions_print_hours(hours, to);
        fclose(to);
        json_append_text(list, text);
}

/* ["Mon-Fri 08:30-17:15", ...]; null: always. */
static struct json_object *hours_json(const Cells *cells, const bool *mask) {
        const DiffGrid *grid = cells->grid;
        struct json_object *list;
        bool always = true;

        for (size_t i = 0; i < cells->n_hours; i++)
                always = always && mask[i];
        if (always)
                return NULL;
        list = json_object_new_array();
        for (int day = 0; day < DAYS; day++) {
                Hours stretch;

                for (size_t at = 0; next_stretch(grid, mask, day, &at, &stretch);) {
                        bool first = true;

                        for (int earlier = 0; earlier < day; earlier++)
                                first = first && !has_stretch(grid, mask, earlier, &stretch);
                        if (!first)
                                continue;
                        for (int other = day; other < DAYS; other++)
                                if (has_stretch(grid, mask, other, &stretch))
                                        stretch.days |= (uint8_t)(1U << other);
                        append_hours(list, &stretch);
                }
        }
        return list;
}

static void put_moment(const Cells *cells, struct json_object *change, const char *key, size_t moment) {
        char text[TIMESPEC_TEXT_MAX];

        if (moment == 0 || moment >= cells->grid->n_moments)
                json_put_text(change, key, NULL);
        else
                json_put_text(change, key,
                              timespec_iso((uint64_t)cells->grid->moments[moment] * USEC_PER_SEC, text));
}

static int tell(const Cells *cells, const Cell *cell, const bool *people, const bool *mask, size_t from,
                size_t until) {
        const DiffObject *object = cells->object;
        struct json_object *change = json_object_new_object();

        if (!change)
                return -ENOMEM;
        json_put_text(change, "section", object->section);
        json_object_object_add(change, "what", json_object_get(object->what));
        json_object_object_add(change, "before", object->word(cell->verdict[DIFF_BEFORE]));
        json_object_object_add(change, "after", object->word(cell->verdict[DIFF_AFTER]));
        json_put_text(change, "rule_before", cell->rule[DIFF_BEFORE]);
        json_put_text(change, "rule_after", cell->rule[DIFF_AFTER]);
        json_object_object_add(change, "people", people_json(cells, people));
        json_object_object_add(change, "hours", hours_json(cells, mask));
        put_moment(cells, change, "from", from);
        put_moment(cells, change, "until", until);
        return json_object_array_add(cells->diff->changes, change) < 0 ? -ENOMEM : 0;
}

/* Whether PERSON has the change of CELL at MOMENT in exactly the hours of MASK. */
static bool has_mask(const Cells *cells, size_t moment, size_t person, const Cell *cell, const bool *mask) {
        for (size_t hour = 0; hour < cells->n_hours; hour++) {
                const Cell *other = cell_at(cells, moment, person, hour);

                if ((differs(other) && same_change(other, cell)) != mask[hour] ||
                    (mask[hour] && *told_at(cells, moment, person, hour)))
                        return false;
        }
        return true;
}

static void find_people(const Cells *cells, size_t moment, const Cell *cell, const bool *mask, bool *ret) {
        for (size_t i = 0; i < cells->grid->n_people; i++)
                ret[i] = has_mask(cells, moment, i, cell, mask);
}

/* Puts together whoever has the change of the cell at MOMENT, PERSON, HOUR in the same hours, for as long as
 * it is the same people, and tells it. */
static int gather(const Cells *cells, size_t moment, size_t person, size_t hour) {
        const Cell *cell = cell_at(cells, moment, person, hour);
        size_t n_people = cells->grid->n_people, until = moment + 1;
        CLEANUP_FREE bool *mask = calloc(cells->n_hours, sizeof(*mask));
        CLEANUP_FREE bool *people = calloc(n_people, sizeof(*people));
        CLEANUP_FREE bool *later = calloc(n_people, sizeof(*later));

        if (!mask || !people || !later)
                return -ENOMEM;
        for (size_t i = 0; i < cells->n_hours; i++) {
                const Cell *other = cell_at(cells, moment, person, i);

                mask[i] = differs(other) && same_change(other, cell);
        }
        find_people(cells, moment, cell, mask, people);
        for (; until < cells->grid->n_moments; until++) {
                find_people(cells, until, cell, mask, later);
                if (memcmp(people, later, n_people * sizeof(*people)) != 0)
                        break;
        }
        for (size_t at = moment; at < until; at++)
                for (size_t i = 0; i < n_people; i++)
                        for (size_t h = 0; people[i] && h < cells->n_hours; h++)
                                *told_at(cells, at, i, h) |= mask[h];
        return tell(cells, cell, people, mask, moment, until);
}

static bool ask_all(const Cells *cells) {
        bool changed = false;

        for (size_t moment = 0; moment < cells->grid->n_moments; moment++)
                for (size_t person = 0; person < cells->grid->n_people; person++)
                        for (size_t hour = 0; hour < cells->n_hours; hour++) {
                                ask(cells, moment, person, hour);
                                changed = changed || differs(cell_at(cells, moment, person, hour));
                        }
        return changed;
}

static int tell_all(const Cells *cells) {
        int r = 0;

        for (size_t moment = 0; moment < cells->grid->n_moments; moment++)
                for (size_t person = 0; person < cells->grid->n_people; person++)
                        for (size_t hour = 0; r == 0 && hour < cells->n_hours; hour++)
                                if (differs(cell_at(cells, moment, person, hour)) &&
                                    !*told_at(cells, moment, person, hour))
                                        r = gather(cells, moment, person, hour);
        return r;
}

int diff_compare(Diff *diff, const DiffGrid *grid, const DiffObject *object) {
        CLEANUP(cells_clear)
        Cells cells = {.diff = diff,
                       .grid = grid,
                       .object = object,
                       .n_hours = grid->weekly ? DAYS * grid->n_minutes : 1};

        cells.n = grid->n_moments * grid->n_people * cells.n_hours;
        if (!diff_may_ask(diff, cells.n))
                return 0;
        cells.cells = calloc(cells.n, sizeof(*cells.cells));
        cells.told = calloc(cells.n, sizeof(*cells.told));
        if (!cells.cells || !cells.told)
                return -ENOMEM;
        return ask_all(&cells) ? tell_all(&cells) : 0;
}

int diff_compare_once(Diff *diff, const DiffObject *object) {
        CLEANUP_DIFF_GRID DiffGrid grid = {0};
        int r = diff_grid_begin(diff, &grid);

        return r < 0 ? r : diff_compare(diff, &grid, object);
}

bool diff_same_monitor(const MonitorSpan *a, const MonitorSpan *b) {
        return a->on == b->on && a->until == b->until;
}

static struct json_object *word_of(const char *word, uint32_t verdict) {
        char text[64];

        snprintf(text, sizeof(text), "%s%s", word ? word : "?", verdict & DIFF_MONITOR ? " (monitor)" : "");
        return json_object_new_string(text);
}

struct json_object *diff_access_word(uint32_t verdict) {
        return word_of(access_to_string((Access)(verdict & ~DIFF_MONITOR)), verdict);
}

struct json_object *diff_verdict_word(uint32_t verdict) {
        return word_of(verdict_to_string((Verdict)(verdict & ~DIFF_MONITOR)), verdict);
}
