/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The book of permits: what is written is read again, and what is doubtful grants nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/grants/book.h"
#include "policy/scope.h"

static char directory[PATH_MAX], path[PATH_MAX];
static Book book;

static Permit *add(PermitState state) {
        Permit *permit;

        cr_assert_eq(book_add(&book, &permit), 0);
        permit->state = state;
        permit->uid = 1000;
        permit->minutes = 30;
        permit->until = 1800000000;
        permit->boot_until = 1;
        cr_assert_eq(permit_set(permit->serial, "E0D55EA574"), 0);
        cr_assert_eq(permit_set(permit->boot, "b"), 0);
        cr_assert_eq(permit_set(permit->carrier, "課税課 \"山田\""), 0);
        return permit;
}

static void set_up(void) {
        snprintf(directory, sizeof(directory), "/tmp/sekisho-book-XXXXXX");
        cr_assert_not_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%.64s/grants", directory);
}

static void tear_down(void) {
        book_clear(&book);
        (void)unlink(path);
        (void)rmdir(directory);
}

TestSuite(grants_book, .init = set_up, .fini = tear_down);

Test(grants_book, is_read_as_it_was_written) {
        CLEANUP(book_clear) Book found = {0};
        struct stat st;

        cr_assert_eq(book_read(directory, &found), 0, "there is none");
        cr_assert_eq(found.n, 0);
        add(PERMIT_ENDED)->writes = 12;
        add(PERMIT_RUNNING);
        book.wrong = 3;
        book.wrong_at = 77;
        cr_assert_eq(book_write(directory, &book), 0);
        cr_assert_eq(stat(path, &st), 0);
        cr_assert_eq(st.st_mode & 0777, 0600);
        cr_assert_eq(book_read(directory, &found), 0);
        cr_assert_eq(found.n, 2);
        cr_assert_eq(found.wrong, 3);
        cr_assert_eq(found.wrong_at, 77);
        cr_assert_eq(found.next, 3);
        CLEANUP_FREE char *read = book_text(&found), *written = book_text(&book);

        cr_assert_str_eq(read, written);
}

Test(grants_book, one_that_is_cut_off_is_refused_wherever_that_is) {
        CLEANUP_FREE char *text = NULL;
        CLEANUP(book_clear) Book found = {0};

        add(PERMIT_RUNNING);
        text = book_text(&book);
        for (size_t length = 0; length < strlen(text); length++) {
                CLEANUP_FREE char *part = strndup(text, length);

                cr_assert_eq(book_parse(part, length, &found), -EBADMSG, "%zu", length);
        }
        cr_assert_eq(book_parse(text, strlen(text), &found), 0);
}

Test(grants_book, one_of_before_sessions_and_media_were_kept_is_read) {
        CLEANUP_FREE char *text = NULL;
        CLEANUP(book_clear) Book found = {0};
        char *at;

        cr_assert_eq(permit_set(add(PERMIT_RUNNING)->person, "12345"), 0);
        book.permits[0].session = 7;
        text = book_text(&book);
        cr_assert_eq(book_parse(text, strlen(text), &found), 0);
        cr_assert_eq(found.permits[0].session, 7);
        cr_assert_str_eq(found.permits[0].person, "12345");
        book_clear(&found);
        at = strstr(text, ",\"person\"");
        cr_assert_not_null(at);
        memcpy(at, "}]}", sizeof("}]}"));
        cr_assert_eq(book_parse(text, strlen(text), &found), 0);
        cr_assert_eq(found.permits[0].session, 0);
        cr_assert_str_eq(found.permits[0].person, "");
        cr_assert_str_eq(found.permits[0].media, "");
}

/* What is there as OLD is NEW instead. */
static int parse_with(const char *old, const char *new) {
        CLEANUP_FREE char *text = book_text(&book), *changed = NULL;
        CLEANUP(book_clear) Book found = {0};
        const char *at = strstr(text, old);

        cr_assert_not_null(at, "%s", old);
        cr_assert_geq(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)), 0);
        return book_parse(changed, strlen(changed), &found);
}

Test(grants_book, what_makes_no_sense_is_refused) {
        static const char *const cases[][2] = {
                {"\"version\":1", "\"version\":2"},
                {"\"next\":2", "\"next\":1"},
                {"\"state\":\"running\"", "\"state\":\"walking\""},
                {"\"id\":1", "\"id\":0"},
                {"\"uid\":1000", "\"uid\":-1"},
                {"\"uid\":1000", "\"uid\":4294967295"},
                {"\"serial\":\"E0D55EA574\"", "\"serial\":\"\""},
                {"\"serial\":\"E0D55EA574\"", "\"serial\":\"a\\nb\""},
                {"\"serial\":\"E0D55EA574\"", "\"serial\":7"},
                {"\"until\":1800000000", "\"until\":0"},
                {"\"minutes\":30", "\"minutes\":0"},
                {"\"boot\":\"b\"", "\"boot\":\"\""},
                {"\"wrong\":0,", ""},
                {"\"session\":0", "\"session\":-1"},
                {"\"person\":\"\"", "\"person\":1"},
        };

        add(PERMIT_RUNNING);
        cr_assert_eq(parse_with("\"uid\":1000", "\"uid\":1001"), 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                cr_assert_eq(parse_with(cases[i][0], cases[i][1]), -EBADMSG, "%s", cases[i][1]);
}

Test(grants_book, one_that_others_could_have_written_is_refused) {
        CLEANUP(book_clear) Book found = {0};

        add(PERMIT_RUNNING);
        cr_assert_eq(book_write(directory, &book), 0);
        cr_assert_eq(chmod(path, 0620), 0);
        cr_assert_eq(book_read(directory, &found), -EPERM);
        cr_assert_eq(unlink(path), 0);
        cr_assert_eq(symlink("/etc/passwd", path), 0);
        cr_assert_eq(book_read(directory, &found), -ELOOP);
        cr_assert_eq(found.n, 0);
}

Test(grants_book, a_full_one_forgets_the_oldest_that_is_closed_and_no_other) {
        Permit *permit;

        for (size_t i = 0; i < PERMITS_MAX; i++)
                add(i == 5 ? PERMIT_CLOSED : PERMIT_ENDED);
        cr_assert_eq(book_add(&book, &permit), 0);
        permit->state = PERMIT_ENDED;
        cr_assert_eq(permit->id, PERMITS_MAX + 1);
        cr_assert_null(book_find(&book, 6));
        cr_assert_not_null(book_find(&book, 5));
        cr_assert_eq(book_add(&book, &permit), -ENOSPC);
        cr_assert_eq(book.n, PERMITS_MAX);
}
