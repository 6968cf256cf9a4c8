/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/cards.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define READER "Gemalto PC Twin Reader (ABC) 00 00"
#define OTHER  "Sony FeliCa Port/PaSoRi 3.0 01 00"

typedef struct Slot {
        const char *name;
        bool card;
        uint32_t changes;
} Slot;

static CardReaders readers_of(uint64_t session, const Slot *slots, size_t n) {
        CardReaders readers = {.session = session, .asked = true, .n = n};

        for (size_t i = 0; i < n; i++) {
                (void)snprintf(readers.list[i].name, CARD_READER_SIZE, "%s", slots[i].name);
                readers.list[i].card = slots[i].card;
                readers.list[i].changes = slots[i].changes;
        }
        return readers;
}

#define READERS(session, ...)                                                                               \
        readers_of(session, (const Slot[]){__VA_ARGS__}, sizeof((const Slot[]){__VA_ARGS__}) / sizeof(Slot))

/* What is said of READER's card after each of these looks. */
static void expect_states(const char *reader, const CardReaders *looks, const CardState *expected,
                          size_t n) {
        CardMark mark = {0};

        for (size_t i = 0; i < n; i++)
                cr_expect_eq(card_look(&looks[i], reader, &mark), expected[i], "look %zu", i);
}

Test(card, is_here_until_it_is_taken_out) {
        const CardReaders looks[] = {
                READERS(1, {READER, true, 3}, {OTHER, false, 0}),
                READERS(1, {READER, true, 3}, {OTHER, true, 1}),
                READERS(1, {READER, true, 3}, {OTHER, false, 2}),
                READERS(1, {READER, false, 4}, {OTHER, true, 3}),
        };

        expect_states(READER, looks, (CardState[]){CARD_HERE, CARD_HERE, CARD_HERE, CARD_GONE}, 4);
}

Test(card, is_gone_if_another_one_or_the_same_was_put_in_since) {
        const CardReaders looks[] = {READERS(1, {READER, true, 3}), READERS(1, {READER, true, 5})};

        expect_states(READER, looks, (CardState[]){CARD_HERE, CARD_GONE}, 2);
}

Test(card, is_gone_with_its_reader) {
        const CardReaders looks[] = {READERS(1, {READER, true, 3}, {OTHER, true, 1}),
                                     READERS(1, {OTHER, true, 1})};

        expect_states(READER, looks, (CardState[]){CARD_HERE, CARD_GONE}, 2);
}

Test(card, is_gone_if_it_was_never_seen) {
        const CardReaders empty = READERS(1, {READER, false, 2}, {OTHER, true, 1}),
                          none = {.session = 1, .asked = true};

        expect_states(READER, &empty, (CardState[]){CARD_GONE}, 1);
        expect_states(READER, &none, (CardState[]){CARD_GONE}, 1);
}

Test(card, is_counted_anew_by_a_pcscd_that_started_anew) {
        const CardReaders looks[] = {READERS(1, {READER, true, 3}), READERS(2, {READER, true, 1}),
                                     READERS(2, {READER, true, 3})};

        expect_states(READER, looks, (CardState[]){CARD_HERE, CARD_HERE, CARD_GONE}, 3);
}

Test(card, is_unknown_while_pcscd_does_not_answer) {
        const CardReaders not_asked = {0}, unseen = {.asked = true},
                          looks[] = {READERS(1, {READER, true, 3}), unseen, READERS(2, {READER, true, 1})};

        expect_states(READER, &not_asked, (CardState[]){CARD_UNKNOWN}, 1);
        expect_states(READER, looks, (CardState[]){CARD_HERE, CARD_UNSEEN, CARD_HERE}, 3);
}

Test(card, in_a_reader_of_another_name_is_that_of_any) {
        const CardReaders looks[] = {
                READERS(1, {READER, true, 3}, {OTHER, true, 1}),
                READERS(1, {READER, true, 3}, {OTHER, true, 1}),
                READERS(1, {READER, true, 3}, {OTHER, false, 2}),
        };

        expect_states("Slot 1", looks, (CardState[]){CARD_HERE, CARD_HERE, CARD_GONE}, 3);
        expect_states("", looks, (CardState[]){CARD_HERE, CARD_HERE, CARD_GONE}, 3);
}

Test(card, is_found_by_as_much_of_the_name_as_pkcs11_has_room_for) {
        static const char whole[] =
                "A reader by a maker whose name is of quite some length, and more of it 00 00";
        char description[65] = "";
        const CardReaders looks[] = {READERS(1, {whole, true, 3}, {OTHER, true, 1}),
                                     READERS(1, {whole, true, 3}, {OTHER, false, 2}),
                                     READERS(1, {whole, false, 4}, {OTHER, true, 3})};

        memcpy(description, whole, 64);
        expect_states(description, looks, (CardState[]){CARD_HERE, CARD_HERE, CARD_GONE}, 3);
        description[10] = '\0'; /* a shorter one is the whole of another name */
        expect_states(description, looks, (CardState[]){CARD_HERE, CARD_GONE}, 2);
}
