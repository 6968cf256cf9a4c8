/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "agent/grants/volumes.h"
#include "policy/scope.h"

static const MountTable nothing = {0};

static int take(WrittenVolumes *volumes, const MountTable *table, dev_t devnum, uint32_t id) {
        const WrittenVolume as = {.devnum = devnum, .seen = devnum, .id = id, .policy_serial = 7};

        return written_volumes_take(volumes, table, &as, "/media", NULL);
}

static const char *grant_of_file(WrittenVolumes *volumes, dev_t seen) {
        static char ret[16];
        Record *record = record_new(EVENT_GRANT_WRITE);

        written_volumes_count_file(volumes, seen, record);
        snprintf(ret, sizeof(ret), "%s", record->text[TEXT_GRANT] ? record->text[TEXT_GRANT] : "none");
        record_free(record);
        return ret;
}

static void fill(WrittenVolumes *volumes, const MountTable *table) {
        for (dev_t i = 1; i <= WRITES_VOLUMES_MAX; i++)
                cr_assert_eq(take(volumes, table, i, (uint32_t)i), 0);
}

Test(written_volumes, a_file_is_counted_and_told_under_its_grant) {
        CLEANUP(written_volumes_clear) WrittenVolumes volumes = {0};

        cr_assert_eq(take(&volumes, &nothing, 1, 10), 0);
        cr_assert_eq(take(&volumes, &nothing, 2, 20), 0);
        cr_assert_str_eq(grant_of_file(&volumes, 2), "20");
        cr_assert_str_eq(grant_of_file(&volumes, 2), "20");
        cr_assert_str_eq(grant_of_file(&volumes, 3), "none");
        cr_assert_eq(written_volumes_count(&volumes, 20), 2);
        cr_assert_eq(written_volumes_count(&volumes, 10), 0);
}

Test(written_volumes, the_next_grant_for_a_volume_counts_anew) {
        CLEANUP(written_volumes_clear) WrittenVolumes volumes = {0};

        cr_assert_eq(take(&volumes, &nothing, 1, 10), 0);
        grant_of_file(&volumes, 1);
        cr_assert_eq(take(&volumes, &nothing, 1, 10), 0);
        cr_assert_eq(written_volumes_count(&volumes, 10), 1);
        cr_assert_eq(take(&volumes, &nothing, 1, 11), 0);
        cr_assert_eq(written_volumes_count(&volumes, 11), 0);
}

Test(written_volumes, one_that_is_no_longer_mounted_gives_its_place_to_another) {
        CLEANUP(written_volumes_clear) WrittenVolumes volumes = {0};

        fill(&volumes, &nothing);
        for (dev_t i = 1; i <= 100; i++) {
                cr_assert_eq(take(&volumes, &nothing, 1000 + i, (uint32_t)(1000 + i)), 0);
                cr_assert_neq(atoi(grant_of_file(&volumes, 1000 + i)), 0);
        }
}

Test(written_volumes, the_oldest_goes_first) {
        CLEANUP(written_volumes_clear) WrittenVolumes volumes = {0};

        fill(&volumes, &nothing);
        cr_assert_eq(take(&volumes, &nothing, 1, 1000), 0);
        cr_assert_eq(take(&volumes, &nothing, 1001, 1001), 0);
        cr_assert_str_eq(grant_of_file(&volumes, 2), "none");
        cr_assert_str_eq(grant_of_file(&volumes, 1), "1000");
}

Test(written_volumes, one_that_is_written_to_keeps_its_place) {
        CLEANUP(written_volumes_clear) WrittenVolumes volumes = {0};
        MountEntry entries[WRITES_VOLUMES_MAX] = {0};
        const MountTable table = {.entries = entries, .n = WRITES_VOLUMES_MAX};

        for (dev_t i = 1; i <= WRITES_VOLUMES_MAX; i++)
                entries[i - 1].devnum = i;
        fill(&volumes, &table);
        cr_assert_eq(take(&volumes, &table, 1000, 1000), -ENOSPC);
        written_volumes_find(&volumes, 5)->on = false;
        cr_assert_eq(take(&volumes, &table, 1000, 1000), 0);
        cr_assert_null(written_volumes_find(&volumes, 5));
        cr_assert_not_null(written_volumes_find(&volumes, 1000));
}

Test(written_volumes, a_grant_keeps_the_count_of_a_place_that_another_gets) {
        CLEANUP(written_volumes_clear) WrittenVolumes volumes = {0};

        cr_assert_eq(take(&volumes, &nothing, 1, 10), 0);
        cr_assert_eq(take(&volumes, &nothing, 2, 10), 0);
        for (dev_t i = 3; i <= WRITES_VOLUMES_MAX; i++)
                cr_assert_eq(take(&volumes, &nothing, i, (uint32_t)(10 * i)), 0);
        grant_of_file(&volumes, 1);
        cr_assert_eq(take(&volumes, &nothing, 1000, 1000), 0);
        cr_assert_eq(written_volumes_count(&volumes, 10), 1);
        cr_assert_eq(take(&volumes, &nothing, 1001, 10), 0);
        cr_assert_eq(written_volumes_count(&volumes, 10), 1);
}
