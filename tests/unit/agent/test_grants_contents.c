/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/grants/contents.h"
#include "policy/scope.h"

#define SEC            UINT64_C(1000000)
#define SHA256_OF_ABC  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_OF_ABCD "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589"

enum {
        TOLD_MAX = 2 * CONTENTS_MAX
};

/* What came out, in its order. */
typedef struct Told {
        Record *records[TOLD_MAX];
        size_t n;
} Told;

static void on_done(void *userdata, Record *record) {
        Told *told = userdata;

        cr_assert_lt(told->n, TOLD_MAX);
        told->records[told->n++] = record;
}

static void clear(Told *told) {
        while (told->n > 0)
                record_free(told->records[--told->n]);
}

static Contents *start(Told *told) {
        Contents *contents = NULL;

        cr_assert_eq(contents_new(on_done, told, &contents), 0);
        return contents;
}

static int file_with(const char *name, const char *text) {
        int fd = memfd_create(name, MFD_CLOEXEC);

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        return fd;
}

static int file_of(const char *name, off_t size) {
        int fd = memfd_create(name, MFD_CLOEXEC);

        cr_assert_geq(fd, 0);
        cr_assert_eq(ftruncate(fd, size), 0);
        return fd;
}

static void add(Contents *contents, int fd, uint64_t now) {
        contents_add(contents, fd, record_new(EVENT_GRANT_WRITE), now);
}

static const char *text(const Told *told, size_t i, RecordText which) {
        cr_assert_lt(i, told->n, "only %zu were told", told->n);
        return told->records[i]->text[which] ? told->records[i]->text[which] : "";
}

static bool is_named(const Told *told, size_t i, const char *name) {
        return strstr(text(told, i, TEXT_PATH), name);
}

static void finish(Contents *contents) {
        while (contents_step(contents, 0))
                ;
}

Test(contents, a_file_is_told_with_its_size_and_hash) {
        Told told = {0};
        Contents *contents = start(&told);
        int fd = file_with("kept", "abc");

        cr_assert(!contents_is_busy(contents));
        add(contents, dup(fd), 0);
        cr_assert(contents_is_busy(contents));
        finish(contents);
        cr_assert_eq(told.n, 1);
        cr_assert(is_named(&told, 0, "kept"));
        cr_assert_str_eq(text(&told, 0, TEXT_SIZE), "3");
        cr_assert_str_eq(text(&told, 0, TEXT_SHA256), SHA256_OF_ABC);
        contents_free(contents);
        clear(&told);
        close(fd);
}

Test(contents, a_small_file_does_not_wait_for_a_huge_one) {
        Told told = {0};
        Contents *contents = start(&told);

        add(contents, file_of("huge", CONTENTS_SIZE_MAX), 0);
        for (int i = 0; i < 10; i++)
                cr_assert(contents_step(contents, 0));
        add(contents, file_with("small", "abc"), 0);
        cr_assert(contents_step(contents, 0));
        cr_assert(contents_step(contents, 0));
        cr_assert_eq(told.n, 1);
        cr_assert(is_named(&told, 0, "small"));
        cr_assert_str_eq(text(&told, 0, TEXT_SHA256), SHA256_OF_ABC);
        contents_free(contents);
        clear(&told);
}

Test(contents, what_takes_too_long_is_told_without_its_hash_and_why) {
        Told told = {0};
        Contents *contents = start(&told);

        add(contents, file_of("huge", CONTENTS_SIZE_MAX), 0);
        cr_assert(contents_step(contents, CONTENTS_SECONDS_MAX * SEC));
        cr_assert_eq(told.n, 0);
        cr_assert(!contents_step(contents, CONTENTS_SECONDS_MAX * SEC + 1));
        cr_assert_eq(told.n, 1);
        cr_assert_str_eq(text(&told, 0, TEXT_SHA256), "");
        cr_assert_str_eq(text(&told, 0, TEXT_SIZE), "68719476736");
        cr_assert_str_eq(text(&told, 0, TEXT_ERROR), "not hashed: it took too long to read");
        contents_free(contents);
        clear(&told);
}

Test(contents, what_is_too_big_is_not_even_begun) {
        Told told = {0};
        Contents *contents = start(&told);

        add(contents, file_of("huge", INT64_C(15) << 40), 0);
        cr_assert(!contents_is_busy(contents));
        cr_assert_eq(told.n, 1);
        cr_assert_str_eq(text(&told, 0, TEXT_SIZE), "16492674416640");
        cr_assert_str_eq(text(&told, 0, TEXT_ERROR), "not hashed: it is too big");
        contents_free(contents);
        clear(&told);
}

Test(contents, of_too_many_the_longest_waits_no_longer) {
        Told told = {0};
        Contents *contents = start(&told);

        add(contents, file_of("first", 10), 0);
        add(contents, file_of("huge", CONTENTS_SIZE_MAX), 0);
        for (int i = 2; i < CONTENTS_MAX; i++)
                add(contents, file_of("other", 100), 0);
        cr_assert_eq(told.n, 0);
        add(contents, file_with("last", "abc"), 0);
        cr_assert_eq(told.n, 1);
        cr_assert(is_named(&told, 0, "huge"));
        cr_assert_str_eq(text(&told, 0, TEXT_ERROR), "not hashed: too many files were written at once");
        finish(contents);
        cr_assert_eq(told.n, CONTENTS_MAX + 1);
        cr_assert(is_named(&told, 1, "last"));
        contents_free(contents);
        clear(&told);
}

/* Whoever closes one file again and again has it read once more at most. */
Test(contents, a_hash_is_shared_by_all_that_was_closed_before_its_reading_began) {
        Told told = {0};
        Contents *contents = start(&told);
        int fd = file_with("again", "abc");

        for (int i = 0; i < 100; i++)
                add(contents, dup(fd), 0);
        add(contents, file_with("another", "abcd"), 0);
        cr_assert(contents_step(contents, 0));
        cr_assert(contents_step(contents, 0));
        cr_assert_eq(told.n, 100);
        for (size_t i = 0; i < told.n; i++) {
                cr_assert(is_named(&told, i, "again"));
                cr_assert_str_eq(text(&told, i, TEXT_SHA256), SHA256_OF_ABC);
        }
        finish(contents);
        cr_assert_str_eq(text(&told, 100, TEXT_SHA256), SHA256_OF_ABCD);
        contents_free(contents);
        clear(&told);
        close(fd);
}

/* Times that say the same prove nothing: people set them. */
Test(contents, what_was_closed_later_is_read_anew) {
        Told told = {0};
        Contents *contents = start(&told);
        int fd = file_with("again", "abc");

        add(contents, dup(fd), 0);
        cr_assert(contents_step(contents, 0));
        cr_assert_eq(pwrite(fd, "xyz", 3, 0), 3);
        add(contents, dup(fd), 0);
        finish(contents);
        cr_assert_eq(told.n, 2);
        cr_assert_str_eq(text(&told, 0, TEXT_SHA256), SHA256_OF_ABC);
        cr_assert_str_eq(text(&told, 1, TEXT_SHA256),
                         "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282");
        contents_free(contents);
        clear(&told);
        close(fd);
}

Test(contents, what_cannot_be_read_is_told_with_that) {
        Told told = {0};
        Contents *contents = start(&told);
        int ends[2];

        cr_assert_eq(pipe(ends), 0);
        add(contents, ends[0], 0);
        finish(contents);
        cr_assert_eq(told.n, 1);
        cr_assert_str_eq(text(&told, 0, TEXT_ERROR), "not hashed: Illegal seek");
        contents_free(contents);
        clear(&told);
        close(ends[1]);
}

Test(contents, what_waits_at_the_end_is_told) {
        Told told = {0};
        Contents *contents = start(&told);

        add(contents, file_with("waits", "abc"), 0);
        contents_free(contents);
        cr_assert_eq(told.n, 1);
        cr_assert(is_named(&told, 0, "waits"));
        cr_assert_str_eq(text(&told, 0, TEXT_SIZE), "3");
        cr_assert_str_eq(text(&told, 0, TEXT_ERROR), "not hashed: the agent ended");
        clear(&told);
}
