/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "agent/ctl/chain_check.h"
#include "policy/scope.h"

enum {
        RECORDS = 9
};

#define SECOND UINT64_C(1000000)
#define START  (UINT64_C(1795217415) * SECOND)

typedef struct World {
        ChainItem items[RECORDS]; /* sequence 1 to RECORDS */
        ChainHead head;
} World;

static void record_of(uint64_t seed, unsigned char ret[static CHAIN_LINK_SIZE]) {
        ChainDigest digest = {.n = 0};
        char field[64];

        snprintf(field, sizeof(field), "SEKISHO_SEQUENCE=%" PRIu64, seed);
        chain_digest_add_data(&digest, field, strlen(field));
        cr_assert_eq(chain_digest_end(&digest, ret), 0);
}

static World chain_of_nine(void) {
        World world = {.head = {.sequence = 0}};

        chain_new(&world.head);
        for (size_t i = 0; i < RECORDS; i++) {
                ChainItem *item = &world.items[i];

                memcpy(item->id, world.head.id, sizeof(item->id));
                item->writer = WRITER_KEEPER;
                item->begin = i == 0 ? CHAIN_NEW : CHAIN_GOES_ON;
                item->kind = EVENT_WRITE_DENIED;
                item->sequence = ++world.head.sequence;
                item->written = item->realtime = START + i * SECOND;
                record_of(item->sequence, item->record);
                chain_link(world.head.link, item->record, world.head.link);
                memcpy(item->link, world.head.link, CHAIN_LINK_SIZE);
        }
        return world;
}

static void take_in(ChainCheck *check, const World *world, uint64_t from, uint64_t to) {
        for (uint64_t sequence = from; sequence <= to; sequence++)
                cr_assert_eq(chain_check_add(check, &world->items[sequence - 1]), 0);
}

static void expect(const ChainCheck *check, size_t i, ChainFindingKind kind, uint64_t from, uint64_t to) {
        cr_assert_gt(check->n_findings, i, "there is no finding %zu", i);
        cr_expect_str_eq(chain_finding_to_string(check->findings[i].kind), chain_finding_to_string(kind));
        cr_expect_eq(check->findings[i].from, from);
        cr_expect_eq(check->findings[i].to, to);
}

Test(chain_check, finds_nothing_where_all_is_there_in_any_order) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        take_in(&check, &world, 5, RECORDS);
        take_in(&check, &world, 1, 4);
        cr_assert_eq(chain_check_run(&check, true), 0);
        cr_assert_eq(chain_check_end(&check, &world.head, WRITER_KEEPER, false, true), 0);
        cr_expect_eq(check.n_findings, 0);
        cr_expect_eq(check.chains, 1);
        cr_expect_eq(check.chained, RECORDS);
}

Test(chain_check, finds_what_was_taken_away) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        take_in(&check, &world, 1, 3);
        take_in(&check, &world, 6, RECORDS);
        cr_assert_eq(chain_check_run(&check, true), 0);
        expect(&check, 0, CHAIN_MISSING, 4, 5);
        cr_expect_eq(check.n_findings, 1);
        cr_expect_eq(chain_check_faults(&check), 1);
}

Test(chain_check, finds_that_the_end_was_cut_off) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        take_in(&check, &world, 1, 6);
        cr_assert_eq(chain_check_run(&check, true), 0);
        cr_assert_eq(chain_check_end(&check, &world.head, WRITER_AGENT, false, true), 0);
        expect(&check, 0, CHAIN_LAST_MISSING, 7, RECORDS);
}

Test(chain_check, finds_that_everything_is_gone) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        cr_assert_eq(chain_check_run(&check, true), 0);
        cr_assert_eq(chain_check_end(&check, &world.head, WRITER_AGENT, false, false), 0);
        cr_expect_eq(check.n_findings, 0, "the journal does not go back that far");
        cr_assert_eq(chain_check_end(&check, &world.head, WRITER_AGENT, false, true), 0);
        expect(&check, 0, CHAIN_LAST_MISSING, RECORDS, RECORDS);
}

Test(chain_check, a_record_that_was_just_being_written_may_be_missing_at_the_end) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        take_in(&check, &world, 1, RECORDS - 1);
        cr_assert_eq(chain_check_run(&check, true), 0);
        cr_assert_eq(chain_check_end(&check, &world.head, WRITER_AGENT, true, true), 0);
        cr_expect_eq(check.n_findings, 0);
}

Test(chain_check, finds_what_was_changed_wherever_it_is) {
        for (uint64_t which = 1; which <= RECORDS; which++) {
                CLEANUP_CHAIN_CHECK ChainCheck check = {0};
                World world = chain_of_nine();

                record_of(100, world.items[which - 1].record);
                take_in(&check, &world, 1, RECORDS);
                cr_assert_eq(chain_check_run(&check, true), 0);
                expect(&check, 0, CHAIN_CHANGED, which, which);
                cr_expect_eq(check.n_findings, 1);
        }
}

Test(chain_check, finds_a_change_for_which_the_link_was_made_anew) {
        for (uint64_t which = 1; which <= RECORDS; which++) {
                CLEANUP_CHAIN_CHECK ChainCheck check = {0};
                World world = chain_of_nine();
                ChainItem *item = &world.items[which - 1];
                static const unsigned char zeros[CHAIN_LINK_SIZE];

                record_of(100, item->record);
                chain_link(which == 1 ? zeros : item[-1].link, item->record, item->link);
                take_in(&check, &world, 1, RECORDS);
                cr_assert_eq(chain_check_run(&check, true), 0);
                cr_assert_eq(chain_check_end(&check, &world.head, WRITER_AGENT, false, true), 0);
                /* the next one does not follow from it; for the last, its writer knows what it wrote */
                expect(&check, 0, CHAIN_CHANGED, which < RECORDS ? which + 1 : which,
                       which < RECORDS ? which + 1 : which);
                cr_expect_eq(check.n_findings, 1);
        }
}

Test(chain_check, finds_what_was_inserted_and_not_what_is_true) {
        for (int before = 0; before <= 1; before++) {
                CLEANUP_CHAIN_CHECK ChainCheck check = {0};
                World world = chain_of_nine();
                ChainItem forged = world.items[4];

                record_of(100, forged.record);
                forged.realtime += 7;
                if (before)
                        cr_assert_eq(chain_check_add(&check, &forged), 0);
                take_in(&check, &world, 1, RECORDS);
                if (!before)
                        cr_assert_eq(chain_check_add(&check, &forged), 0);
                cr_assert_eq(chain_check_run(&check, true), 0);
                expect(&check, 0, CHAIN_INSERTED, 5, 5);
                cr_expect_eq(check.n_findings, 1);
                cr_expect_eq(check.findings[0].item->realtime, forged.realtime);
        }
}

Test(chain_check, an_entry_that_is_in_two_files_is_one) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        take_in(&check, &world, 1, RECORDS);
        take_in(&check, &world, 3, 5);
        cr_assert_eq(chain_check_run(&check, true), 0);
        cr_expect_eq(check.n_findings, 0);
}

Test(chain_check, a_copy_at_another_time_is_inserted) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();
        ChainItem copy = world.items[2];

        copy.realtime += 60 * SECOND;
        take_in(&check, &world, 1, RECORDS);
        cr_assert_eq(chain_check_add(&check, &copy), 0);
        cr_assert_eq(chain_check_run(&check, true), 0);
        expect(&check, 0, CHAIN_INSERTED, 3, 3);
}

Test(chain_check, finds_another_time) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        world.items[3].realtime -= 3600 * SECOND;
        take_in(&check, &world, 1, RECORDS);
        cr_assert_eq(chain_check_run(&check, true), 0);
        expect(&check, 0, CHAIN_TIME_CHANGED, 4, 4);
}

Test(chain_check, what_the_journal_does_not_keep_is_no_fault) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();

        take_in(&check, &world, 4, RECORDS);
        cr_assert_eq(chain_check_run(&check, true), 0);
        expect(&check, 0, CHAIN_LAPSED, 1, 3);
        cr_expect_eq(chain_check_faults(&check), 0);
}

Test(chain_check, what_its_writer_was_killed_over_is_no_fault_but_only_that_one) {
        for (uint64_t missing = 1; missing <= 2; missing++) {
                CLEANUP_CHAIN_CHECK ChainCheck check = {0};
                World world = chain_of_nine();

                world.items[6].begin = CHAIN_UNCERTAIN;
                take_in(&check, &world, 1, 6 - missing);
                take_in(&check, &world, 7, RECORDS);
                cr_assert_eq(chain_check_run(&check, true), 0);
                expect(&check, 0, missing == 1 ? CHAIN_KILLED : CHAIN_MISSING, 7 - missing, 6);
        }
}

Test(chain_check, what_is_in_no_chain_is_inserted_once_there_are_chains) {
        CLEANUP_CHAIN_CHECK ChainCheck check = {0};
        World world = chain_of_nine();
        ChainItem before = {.realtime = START - SECOND, .kind = EVENT_WRITE_DENIED},
                  after = {.realtime = START + SECOND, .kind = EVENT_WRITE_DENIED},
                  elsewhere = {.realtime = START + SECOND, .kind = EVENT_WRITE_DENIED, .machine = 5};

        cr_assert_eq(chain_check_add(&check, &before), 0);
        take_in(&check, &world, 1, RECORDS);
        cr_assert_eq(chain_check_add(&check, &after), 0);
        cr_assert_eq(chain_check_add(&check, &elsewhere), 0);
        cr_assert_eq(chain_check_run(&check, true), 0);
        cr_expect_eq(check.unchained_before, 2);
        expect(&check, 0, CHAIN_UNCHAINED, 0, 0);
        cr_expect_eq(check.n_findings, 1);
}
