/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vocabulary in both languages, and the tables of the helpdesk guides as sekishoctl prints them. */
#include <criterion/criterion.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/event_record.h"
#include "agent/ctl/table.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"
#include "agent/mount/superblocks.h"
#include "policy/load.h"
#include "policy/model.h"

static void english(void) {
        setenv("TZ", "Asia/Tokyo", 1);
        tzset();
        unsetenv("LANGUAGE");
        cr_assert_not_null(setlocale(LC_ALL, "C.UTF-8"));
}

static void japanese(void) {
        english();
        setenv("LANGUAGE", "ja", 1);
        bindtextdomain("sekisho", LOCALE_DIR);
        bind_textdomain_codeset("sekisho", "UTF-8");
        textdomain("sekisho");
}

#define EVENT_CASE_(constant, word, id, priority) {word, word_event},
#define ACCESS_CASE_(constant, word)              {word, word_access},
#define GUARD_CASE_(constant, word)               {word, word_guard},
#define ZONE_CASE_(constant, word)                {word, word_zone},
#define MODE_CASE_(constant, word)                {word, word_mode},

static const struct {
        const char *word;
        const char *(*translate)(const char *word);
} vocabulary[] = {EVENT_LIST(EVENT_CASE_) ACCESS_LIST(ACCESS_CASE_) GUARD_LIST(GUARD_CASE_)
                          POLICY_ZONE_LIST(ZONE_CASE_) POLICY_MODE_LIST(MODE_CASE_)};

Test(words, stand_for_themselves_in_english, .init = english) {
        for (size_t i = 0; i < ELEMENTS(vocabulary); i++)
                cr_expect_str_eq(vocabulary[i].translate(vocabulary[i].word), vocabulary[i].word);
}

Test(words, all_have_a_japanese_one, .init = japanese) {
        cr_expect_str_eq(word_event("none"), "none", "no event is not shown to anybody");
        for (size_t i = 1; i < ELEMENTS(vocabulary); i++) {
                const char *found = vocabulary[i].translate(vocabulary[i].word);

                cr_expect_str_neq(found, vocabulary[i].word);
                cr_expect(found[0] & 0x80 || strstr(found, "Sekisho") || strstr(found, "LGWAN") ||
                                  strstr(found, "USB"),
                          "%s", found);
        }
}

Test(words, for_why_a_session_locks_have_japanese_ones, .init = japanese) {
        cr_expect_str_eq(word_lock_reason("token-removed"), "カード・キーの取り外し");
        cr_expect_str_eq(word_lock_reason("idle"), "操作なし");
        cr_expect_str_eq(word_lock_reason("none"), "none", "it is never shown");
        cr_expect_null(word_lock_reason(NULL));
}

Test(words, that_are_not_in_the_vocabulary_stay_as_they_are, .init = japanese) {
        cr_expect_str_eq(word_event("write-allowed"), "write-allowed");
        cr_expect_str_eq(word_access(""), "");
        cr_expect_str_eq(word_text(""), "", "not the header of the catalog");
        cr_expect_null(word_guard(NULL));
        cr_expect_null(word_text(NULL));
        cr_expect_null(word_state(NULL));
}

Test(reasons, are_told_in_japanese, .init = japanese) {
        for (int reason = 0; reason_to_string((Reason)reason); reason++) {
                const char *told = reason_for_person((Reason)reason);

                cr_expect_str_neq(word_text(told), told);
                cr_expect_not_null(strstr(word_text(told), "。"), "%s", word_text(told));
        }
}

Test(states, are_told_in_japanese_with_what_is_behind_them, .init = japanese) {
        static const char *const cases[][2] = {
                {"ok", "正常"},
                {"off", "停止"},
                {"off: no such thing", "停止: no such thing"},
                {"ok: permission events", "正常: 許可イベント"},
                {"failed: details were lost because more happened at once than the queue holds",
                 "失敗: 一度に多くの事象が起きたため、詳細が失われました"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *told = word_state(cases[i][0]);

                cr_expect_str_eq(told, cases[i][1]);
        }
}

static char *fault_of(Translate translate) {
        static const char text[] = "version: 1\nserial: [1]\n";
        CLEANUP(policy_faults_clear) PolicyFaults faults = {.translate = translate};
        Policy *policy = NULL;

        cr_assert_lt(policy_load_buffer("p.yaml", text, sizeof(text) - 1, &policy, &faults), 0);
        cr_assert_eq(faults.n, 1);
        return strdup(faults.items[0].message);
}

Test(faults, are_told_in_the_language_that_was_asked_for, .init = japanese) {
        CLEANUP_FREE char *asked = fault_of(word_text), *not_asked = fault_of(NULL);

        cr_expect_str_eq(asked, "リストです。整数が必要です");
        cr_expect_str_eq(not_asked, "a list; expected a whole number");
}

/* the guides */

/* What the guides tell of: who, when, what. Fields as the journal has them, up to NULL. */
static const struct {
        unsigned minute;
        const char *fields[24];
} story[] = {
        {0,
         {"SEKISHO_EVENT=device-verdict", "MESSAGE_ID=9cb6e383ace74c0c84777362459b6ab4",
          "SEKISHO_VERDICT=read-only", "SEKISHO_RULE=removable.default", "SEKISHO_REASON=default",
          "SEKISHO_DEVICE=sdb", "SEKISHO_DEVICE_VENDOR=0781", "SEKISHO_DEVICE_PRODUCT=5581",
          "SEKISHO_DEVICE_SERIAL=4C530001"}},
        {2,
         {"SEKISHO_EVENT=write-denied", "MESSAGE_ID=6601ec7f17b44a1a88fb7cb3bb75a96e",
          "SEKISHO_VERDICT=deny", "SEKISHO_RULE=removable.default", "SEKISHO_REASON=default",
          "SEKISHO_PATH=/media/sato/USB/名簿.csv", "SEKISHO_EXE=/usr/bin/nautilus", "SEKISHO_UID=1001",
          "SEKISHO_LOGINUID=1001", "SEKISHO_DEVICE=sdb", "SEKISHO_DEVICE_VENDOR=0781",
          "SEKISHO_DEVICE_PRODUCT=5581", "SEKISHO_DEVICE_SERIAL=4C530001", "SEKISHO_COUNT=2"}},
        {9,
         {"SEKISHO_EVENT=write-denied", "MESSAGE_ID=6601ec7f17b44a1a88fb7cb3bb75a96e",
          "SEKISHO_VERDICT=deny", "SEKISHO_RULE=課税課 暗号化USB 01", "SEKISHO_REASON=outside-hours",
          "SEKISHO_PATH=/media/suzuki/KAZEI01/報告.ods", "SEKISHO_EXE=/usr/bin/soffice.bin",
          "SEKISHO_UID=1002", "SEKISHO_LOGINUID=1002", "SEKISHO_DEVICE=sdc", "SEKISHO_DEVICE_VENDOR=0951",
          "SEKISHO_DEVICE_PRODUCT=1666", "SEKISHO_DEVICE_SERIAL=E0D55EA574", "SEKISHO_COUNT=1"}},
        {15,
         {"SEKISHO_EVENT=raw-write-denied", "MESSAGE_ID=161670469e8f4f54aa988cbea86eb5e0",
          "SEKISHO_VERDICT=deny", "SEKISHO_RULE=removable.default", "SEKISHO_REASON=default",
          "SEKISHO_PATH=/dev/sdb", "SEKISHO_EXE=/usr/bin/dd", "SEKISHO_UID=0", "SEKISHO_LOGINUID=1001",
          "SEKISHO_DEVICE=sdb", "SEKISHO_DEVICE_VENDOR=0781", "SEKISHO_DEVICE_PRODUCT=5581",
          "SEKISHO_DEVICE_SERIAL=4C530001", "SEKISHO_COUNT=1"}},
};

static char *name_of(void *userdata, const char *uid) {
        (void)userdata;
        return strdup(strcmp(uid, "1001") == 0 ? "sato" : strcmp(uid, "1002") == 0 ? "suzuki" : "root");
}

static void add_to(Table *table, size_t i) {
        /* 2026-11-20 17:30:00 in Tokyo, a Friday */
        CLEANUP_EVENT_RECORD EventRecord record = {
                .realtime = (UINT64_C(1795163400) + story[i].minute * 60ULL) * USEC_PER_SEC};
        static const char *const guard[] = {"_TRANSPORT=journal", "_UID=0", "_COMM=sekishod",
                                            "_EXE=/usr/sbin/sekishod"};
        CLEANUP_EVENT_ROW EventRow row = {0};

        for (size_t j = 0; j < ELEMENTS(guard); j++)
                cr_assert_eq(event_record_add(&record, guard[j], strlen(guard[j])), 0);
        for (size_t j = 0; story[i].fields[j]; j++)
                cr_assert_eq(event_record_add(&record, story[i].fields[j], strlen(story[i].fields[j])), 0);
        cr_assert_eq(event_record_row(&record, name_of, NULL, &row), 0);
        cr_assert_eq(table_add(table, (const char *const *)row.cells), 0);
}

/* The table of the story, as the command events prints it. */
static char *told(void) {
        const char *const headings[EVENT_COLUMNS - 1] = {gettext("TIME"), gettext("EVENT"),  gettext("USER"),
                                                         gettext("WHAT"), gettext("DEVICE"), gettext("RULE"),
                                                         gettext("TIMES")};
        CLEANUP_TABLE Table *table = table_new(headings, ELEMENTS(headings));
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);

        cr_assert(table && to);
        for (size_t i = 0; i < ELEMENTS(story); i++)
                add_to(table, i);
        table_print(table, to);
        cr_assert_eq(fclose(to), 0);
        return text;
}

static void expect_in(const char *path) {
        static char guide[65536];
        CLEANUP_FILE FILE *file = fopen(path, "re");
        CLEANUP_FREE char *table = told();

        cr_assert_not_null(file, "%s", path);
        guide[fread(guide, 1, sizeof(guide) - 1, file)] = '\0';
        cr_assert(feof(file));
        cr_expect_not_null(strstr(guide, table), "%s does not show what is printed:\n%s", path, table);
}

Test(guides, show_the_table_of_events_as_it_is_printed, .init = english) {
        expect_in("docs/helpdesk.md");
}

Test(guides, show_the_japanese_table_as_it_is_printed, .init = japanese) {
        expect_in("docs/helpdesk.ja.md");
}
