/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/chain_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

/* How far the journal's time may be from the record's own: journald may be busy, or not even started. */
#define TIME_SLACK_USEC (UINT64_C(600) * 1000000)

#define FINDING_ENTRY_(constant, word, fault) [constant] = {word, fault},
static const struct {
        const char *word;
        bool fault;
} kinds[] = {CHAIN_FINDING_LIST(FINDING_ENTRY_)};

static const char *const writers[] = {[WRITER_UNKNOWN] = "unknown",
                                      [WRITER_AGENT] = "agent",
                                      [WRITER_KEEPER] = "keeper",
                                      [WRITER_LOGINS] = "logins",
                                      [WRITER_LOGIN] = "login"};

const char *chain_finding_to_string(ChainFindingKind kind) {
        return (size_t)kind < ELEMENTS(kinds) ? kinds[kind].word : NULL;
}

bool chain_finding_is_fault(ChainFindingKind kind) {
        return (size_t)kind >= ELEMENTS(kinds) || kinds[kind].fault;
}

ChainWriter chain_writer_from_string(const char *word) {
        for (size_t i = WRITER_AGENT; word && i < ELEMENTS(writers); i++)
                if (strcmp(writers[i], word) == 0)
                        return (ChainWriter)i;
        return WRITER_UNKNOWN;
}

const char *chain_writer_to_string(ChainWriter writer) {
        return (size_t)writer < ELEMENTS(writers) ? writers[writer] : writers[WRITER_UNKNOWN];
}

void chain_check_clear(ChainCheck *check) {
        free(check->items);
        free(check->findings);
        *check = (ChainCheck){0};
}

/* Room for one more of SIZE bytes in *LIST. */
static int make_room(void **list, size_t n, size_t *allocated, size_t size) {
        size_t more = *allocated ? 2 * *allocated : 64;
        void *grown;

        if (n < *allocated)
                return 0;
        grown = reallocarray(*list, more, size);
        if (!grown)
                return -ENOMEM;
        *list = grown;
        *allocated = more;
        return 0;
}

int chain_check_add(ChainCheck *check, const ChainItem *item) {
        void *items = check->items;
        int r = make_room(&items, check->n, &check->allocated, sizeof(*check->items));

        check->items = items;
        if (r < 0)
                return r;
        check->items[check->n] = *item;
        check->items[check->n].order = check->n;
        check->n++;
        return 0;
}

static int find(ChainCheck *check, ChainFindingKind kind, const ChainItem *item, uint64_t from,
                uint64_t to) {
        void *findings = check->findings;
        int r = make_room(&findings, check->n_findings, &check->findings_allocated,
                          sizeof(*check->findings));

        check->findings = findings;
        if (r < 0)
                return r;
        check->findings[check->n_findings++] =
                (ChainFinding){.kind = kind, .item = item, .from = from, .to = to};
        return 0;
}

static int three_way(uint64_t a, uint64_t b) {
        return a < b ? -1 : a > b;
}

static int compare_items(const void *left, const void *right) {
        const ChainItem *a = left, *b = right;
        int r = strcmp(a->id, b->id);

        if (r == 0)
                r = three_way(a->sequence, b->sequence);
        return r != 0 ? r : three_way(a->order, b->order);
}

static int compare_findings(const void *left, const void *right) {
        const ChainFinding *a = left, *b = right;
        int r = three_way(a->item->realtime, b->item->realtime);

        return r != 0 ? r : three_way(a->from, b->from);
}

static bool follows(const unsigned char previous[static CHAIN_LINK_SIZE], const ChainItem *item) {
        unsigned char link[CHAIN_LINK_SIZE];

        chain_link(previous, item->record, link);
        return memcmp(link, item->link, sizeof(link)) == 0;
}

/* One chain being walked along. */
typedef struct Walk {
        ChainCheck *check;
        const ChainItem *items; /* of this chain, by sequence */
        size_t n;
        unsigned char previous[CHAIN_LINK_SIZE];
        bool known; /* PREVIOUS is the link before */
        bool from_start;
} Walk;

/* Which of the records from I up to END, all of one number, is the true one: the one that follows from what
 * is before; else the one that the next follows from. */
static size_t choose(const Walk *walk, size_t i, size_t end) {
        for (size_t k = i; walk->known && k < end; k++)
                if (follows(walk->previous, &walk->items[k]))
                        return k;
        for (size_t k = i; end < walk->n && k < end; k++)
                if (follows(walk->items[k].link, &walk->items[end]))
                        return k;
        return i;
}

static int judge_gap(Walk *walk, uint64_t expected, const ChainItem *item) {
        if (item->sequence == expected)
                return 0;
        walk->known = false;
        if (expected == 1)
                return walk->from_start ? find(walk->check, CHAIN_LAPSED, item, 1, item->sequence - 1) : 0;
        if (item->begin == CHAIN_UNCERTAIN && item->sequence == expected + 1)
                return find(walk->check, CHAIN_KILLED, item, expected, expected);
        return find(walk->check, CHAIN_MISSING, item, expected, item->sequence - 1);
}

static int judge_record(const Walk *walk, const ChainItem *item) {
        uint64_t apart = item->written > item->realtime ? item->written - item->realtime
                                                        : item->realtime - item->written;
        int r = 0;

        if (walk->known && !follows(walk->previous, item))
                r = find(walk->check, CHAIN_CHANGED, item, item->sequence, item->sequence);
        else if (apart > TIME_SLACK_USEC)
                r = find(walk->check, CHAIN_TIME_CHANGED, item, item->sequence, item->sequence);
        if (r == 0 && item->begin == CHAIN_FOUND)
                r = find(walk->check, CHAIN_RECOVERED, item, item->sequence, item->sequence);
        if (r == 0 && item->begin == CHAIN_NEW && item->writer == WRITER_AGENT)
                r = find(walk->check, CHAIN_BEGUN, item, item->sequence, item->sequence);
        return r;
}

/* The same entry may be in two files of a journal. */
static bool same_entry(const ChainItem *a, const ChainItem *b) {
        return a->realtime == b->realtime && memcmp(a->link, b->link, sizeof(a->link)) == 0 &&
               memcmp(a->record, b->record, sizeof(a->record)) == 0;
}

static int walk_chain(Walk *walk) {
        uint64_t expected = 1;
        int r = 0;

        walk->known = true; /* nothing but zeros is before the first */
        for (size_t i = 0, end; i < walk->n && r == 0; i = end) {
                size_t chosen;

                for (end = i + 1; end < walk->n && walk->items[end].sequence == walk->items[i].sequence;)
                        end++;
                r = judge_gap(walk, expected, &walk->items[i]);
                chosen = choose(walk, i, end);
                if (r == 0)
                        r = judge_record(walk, &walk->items[chosen]);
                for (size_t k = i; k < end && r == 0; k++)
                        if (k != chosen && !same_entry(&walk->items[k], &walk->items[chosen]))
                                r = find(walk->check, CHAIN_INSERTED, &walk->items[k],
                                         walk->items[k].sequence, walk->items[k].sequence);
                memcpy(walk->previous, walk->items[chosen].link, CHAIN_LINK_SIZE);
                walk->known = true;
                expected = walk->items[i].sequence + 1;
        }
        return r;
}

/* since when a terminal's records are chained */

typedef struct Machine {
        uint64_t id, since;
} Machine;

static int compare_machines(const void *left, const void *right) {
        const Machine *a = left, *b = right;
        int r = three_way(a->id, b->id);

        return r != 0 ? r : three_way(a->since, b->since);
}

static int compare_ids(const void *left, const void *right) {
        return three_way(((const Machine *)left)->id, ((const Machine *)right)->id);
}

/* The items in no chain come first, N of them. */
static int judge_unchained(ChainCheck *check, size_t n) {
        CLEANUP_FREE Machine *machines = calloc(check->n - n + 1, sizeof(*machines));
        size_t kept = 0;
        int r = 0;

        if (!machines)
                return -ENOMEM;
        for (size_t i = n; i < check->n; i++)
                machines[i - n] = (Machine){check->items[i].machine, check->items[i].realtime};
        qsort(machines, check->n - n, sizeof(*machines), compare_machines);
        for (size_t i = 0; i < check->n - n; i++)
                if (kept == 0 || machines[kept - 1].id != machines[i].id)
                        machines[kept++] = machines[i];
        for (size_t i = 0; i < n && r == 0; i++) {
                const ChainItem *item = &check->items[i];
                const Machine wanted = {.id = item->machine};
                const Machine *machine = bsearch(&wanted, machines, kept, sizeof(*machines), compare_ids);

                if (!machine || item->realtime < machine->since)
                        check->unchained_before++;
                else
                        r = find(check, CHAIN_UNCHAINED, item, 0, 0);
        }
        return r;
}

int chain_check_run(ChainCheck *check, bool from_start) {
        size_t unchained = 0;
        int r = 0;

        if (check->n == 0)
                return 0;
        qsort(check->items, check->n, sizeof(*check->items), compare_items);
        while (unchained < check->n && check->items[unchained].id[0] == '\0')
                unchained++;
        r = judge_unchained(check, unchained);
        for (size_t i = unchained, end; i < check->n && r == 0; i = end) {
                Walk walk = {.check = check, .items = &check->items[i], .from_start = from_start};

                for (end = i + 1; end < check->n && strcmp(check->items[end].id, check->items[i].id) == 0;)
                        end++;
                walk.n = end - i;
                r = walk_chain(&walk);
                check->chains++;
        }
        check->chained = check->n - unchained;
        if (r == 0 && check->n_findings > 0)
                qsort(check->findings, check->n_findings, sizeof(*check->findings), compare_findings);
        return r;
}

int chain_check_end(ChainCheck *check, const ChainHead *head, ChainWriter writer, bool writing,
                    bool reliable) {
        static const ChainItem nothing;
        const ChainItem *last = NULL;
        uint64_t end = writing ? head->sequence - 1 : head->sequence;

        for (size_t i = 0; i < check->n; i++)
                if (strcmp(check->items[i].id, head->id) == 0 &&
                    (!last || check->items[i].sequence >= last->sequence))
                        last = &check->items[i];
        if (!last)
                return reliable && end > 0 && writer != WRITER_UNKNOWN
                               ? find(check, CHAIN_LAST_MISSING, &nothing, end, end)
                               : 0;
        if (last->sequence < end)
                return find(check, CHAIN_LAST_MISSING, last, last->sequence + 1, end);
        if (last->sequence == head->sequence && memcmp(last->link, head->link, sizeof(head->link)) != 0)
                return find(check, CHAIN_CHANGED, last, last->sequence, last->sequence);
        return 0;
}

size_t chain_check_faults(const ChainCheck *check) {
        size_t faults = 0;

        for (size_t i = 0; i < check->n_findings; i++)
                faults += chain_finding_is_fault(check->findings[i].kind);
        return faults;
}
