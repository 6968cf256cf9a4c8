/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/report/fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

typedef struct Entry {
        Record *sample;   /* the last one that was counted here, or the first one's twin: the key */
        bool any_path;    /* folds whatever the path */
        uint64_t counted; /* not yet written */
        uint64_t window, ends;
} Entry;

struct Fold {
        Entry entries[FOLD_ENTRIES];
        size_t n;
};

/* What must agree for two denials to be repeats of one another. The verdict's mode is part of the rule. */
static const RecordText key_texts[] = {TEXT_EXE,   TEXT_RULE, TEXT_REASON, TEXT_DEVICE, TEXT_FSTYPE,
                                       TEXT_MOUNT, TEXT_MODE, TEXT_PERSON, TEXT_LABEL};

Fold *fold_new(void) {
        return calloc(1, sizeof(Fold));
}

Fold *fold_free(Fold *fold) {
        if (!fold)
                return NULL;
        for (size_t i = 0; i < fold->n; i++)
                record_free(fold->entries[i].sample);
        free(fold);
        return NULL;
}

static bool same_text(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_family(const Record *a, const Record *b) {
        if (a->kind != b->kind || a->uid != b->uid || a->loginuid != b->loginuid)
                return false;
        for (size_t i = 0; i < ELEMENTS(key_texts); i++)
                if (!same_text(a->text[key_texts[i]], b->text[key_texts[i]]))
                        return false;
        return true;
}

static bool same_event(const Record *a, const Record *b) {
        return same_family(a, b) && a->operation == b->operation &&
               same_text(a->text[TEXT_PATH], b->text[TEXT_PATH]) &&
               same_text(a->text[TEXT_DESTINATION], b->text[TEXT_DESTINATION]) &&
               same_text(a->text[TEXT_PORT], b->text[TEXT_PORT]) &&
               same_text(a->text[TEXT_PROTOCOL], b->text[TEXT_PROTOCOL]);
}

static Record *copy_record(const Record *from) {
        Record *copy = record_new(from->kind);

        if (!copy)
                return NULL;
        copy->operation = from->operation;
        copy->count = from->count;
        copy->policy_serial = from->policy_serial;
        copy->pid = from->pid;
        copy->uid = from->uid;
        copy->loginuid = from->loginuid;
        for (size_t i = 0; i < RECORD_TEXTS; i++)
                record_set(copy, (RecordText)i, from->text[i]);
        return copy;
}

/* Close the window of entry I and forget it: the aggregate, or NULL if nothing was counted. */
static Record *close_entry(Fold *fold, size_t i) {
        Entry *entry = &fold->entries[i];
        Record *aggregate = NULL;

        if (entry->counted > 0) {
                aggregate = entry->sample;
                aggregate->count = entry->counted;
        } else
                record_free(entry->sample);
        *entry = fold->entries[--fold->n];
        return aggregate;
}

static void count_in(Entry *entry, Record *record) {
        entry->counted += record->count;
        record_free(entry->sample);
        entry->sample = record;
}

static Entry *open_entry(Fold *fold, Record *sample, bool any_path, uint64_t now, Record **ret_evicted) {
        size_t oldest = 0;
        Entry *entry;

        if (fold->n == FOLD_ENTRIES) {
                for (size_t i = 1; i < fold->n; i++)
                        if (fold->entries[i].ends < fold->entries[oldest].ends)
                                oldest = i;
                *ret_evicted = close_entry(fold, oldest);
        }
        entry = &fold->entries[fold->n++];
        *entry = (Entry){.sample = sample, .any_path = any_path, .window = FOLD_WINDOW_MIN_USEC};
        entry->ends = now + entry->window;
        return entry;
}

Record *fold_offer(Fold *fold, Record *record, uint64_t now, Record **ret_second) {
        size_t family = 0;
        Record *twin;

        *ret_second = NULL;
        for (size_t i = 0; i < fold->n; i++) {
                Entry *entry = &fold->entries[i];

                if (!same_family(entry->sample, record))
                        continue;
                if (entry->any_path || same_event(entry->sample, record)) {
                        count_in(entry, record);
                        return NULL;
                }
                family++;
        }
        if (family >= FOLD_PATHS) {
                Entry *entry = open_entry(fold, record, true, now, ret_second);

                entry->counted = record->count;
                return STEAL_PTR(*ret_second);
        }
        twin = copy_record(record);
        if (twin)
                open_entry(fold, twin, false, now, ret_second);
        return record;
}

Record *fold_take_due(Fold *fold, uint64_t now) {
        for (size_t i = 0; i < fold->n;) {
                Entry *entry = &fold->entries[i];
                Record *aggregate;

                if (entry->ends > now) {
                        i++;
                        continue;
                }
                aggregate = entry->counted > 0 ? copy_record(entry->sample) : NULL;
                if (entry->counted > 0 && aggregate) { /* it goes on: a longer window */
                        aggregate->count = entry->counted;
                        entry->counted = 0;
                        entry->window = entry->window * 2 > FOLD_WINDOW_MAX_USEC ? FOLD_WINDOW_MAX_USEC
                                                                                 : entry->window * 2;
                        entry->ends = now + entry->window;
                        return aggregate;
                }
                aggregate = close_entry(fold, i);
                if (aggregate)
                        return aggregate;
        }
        return NULL;
}

uint64_t fold_next_due(const Fold *fold) {
        uint64_t next = UINT64_MAX;

        for (size_t i = 0; i < fold->n; i++)
                if (fold->entries[i].ends < next)
                        next = fold->entries[i].ends;
        return next;
}
