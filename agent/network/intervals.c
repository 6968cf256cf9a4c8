/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/intervals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

typedef struct Span {
        AddressNumber from, to;
        size_t destination;
} Span;

/* Spans that are open at POSITION, the outermost first. Prefixes never overlap in part. */
typedef struct Sweep {
        Span *open;
        size_t n;
        size_t *covering; /* room for the sorted numbers of those */
        AddressNumber position;
        bool finished; /* the highest address is behind us */
        IntervalVisit visit;
        void *userdata;
} Sweep;

static AddressNumber number_of(const Address *address) {
        AddressNumber number = 0;

        for (int i = 0; i < address->bits / 8; i++)
                number = number << 8 | address->bytes[i];
        return number;
}

Address address_of_number(AddressNumber number, int bits) {
        Address address = {.bits = bits};

        for (int i = bits / 8 - 1; i >= 0; i--, number >>= 8)
                address.bytes[i] = (unsigned char)number;
        return address;
}

static AddressNumber all_ones(int bits) {
        return bits == 0 ? 0 : ~(AddressNumber)0 >> (128 - bits);
}

static int compare_spans(const void *a, const void *b) {
        const Span *x = a, *y = b;

        if (x->from != y->from)
                return x->from < y->from ? -1 : 1;
        if (x->to != y->to)
                return x->to > y->to ? -1 : 1;
        return x->destination < y->destination ? -1 : x->destination > y->destination;
}

static int compare_numbers(const void *a, const void *b) {
        const size_t *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

static int visit_until(Sweep *sweep, AddressNumber to) {
        int r;

        if (sweep->finished || sweep->n == 0 || sweep->position > to)
                return 0;
        for (size_t i = 0; i < sweep->n; i++)
                sweep->covering[i] = sweep->open[i].destination;
        qsort(sweep->covering, sweep->n, sizeof(*sweep->covering), compare_numbers);
        r = sweep->visit(sweep->userdata, sweep->position, to, sweep->covering, sweep->n);
        sweep->position = to + 1;
        sweep->finished = sweep->position == 0;
        return r;
}

static int close_before(Sweep *sweep, AddressNumber from, bool all) {
        int r = 0;

        while (r == 0 && sweep->n > 0 && (all || sweep->open[sweep->n - 1].to < from)) {
                r = visit_until(sweep, sweep->open[sweep->n - 1].to);
                sweep->n--;
        }
        return r;
}

static int open_span(Sweep *sweep, const Span *span) {
        int r = close_before(sweep, span->from, false);

        if (r == 0 && sweep->n > 0 && span->from > 0)
                r = visit_until(sweep, span->from - 1);
        sweep->open[sweep->n++] = *span;
        sweep->position = span->from;
        return r;
}

int network_intervals(const NetworkPlan *plan, int bits, IntervalVisit visit, void *userdata) {
        size_t room = plan->n_destinations + 1, n = 0;
        CLEANUP_FREE Span *spans = calloc(room, sizeof(*spans));
        CLEANUP_FREE Span *open = calloc(room, sizeof(*open));
        CLEANUP_FREE size_t *covering = calloc(room, sizeof(*covering));
        Sweep sweep = {.open = open, .covering = covering, .visit = visit, .userdata = userdata};
        int r = 0;

        if (!spans || !open || !covering)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_destinations; i++) {
                const NetworkDestination *destination = &plan->destinations[i];
                AddressNumber from = number_of(&destination->address);

                if (destination->address.bits != bits)
                        continue;
                spans[n++] = (Span){
                        .from = from, .to = from | all_ones(bits - destination->prefix), .destination = i};
        }
        qsort(spans, n, sizeof(*spans), compare_spans);
        for (size_t i = 0; i < n && r == 0; i++)
                r = open_span(&sweep, &spans[i]);
        return r == 0 ? close_before(&sweep, 0, true) : r;
}
