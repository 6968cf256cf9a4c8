/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom of those who share an account an exception is for, and until when; and media that were out. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/grants/holder.h"
#include "agent/grants/medium.h"

enum {
        MANAGER = 99,
        ALLOWED_MAX = 8
};

static Permit permit;
static HolderSessions sessions;

static void log_in(uint32_t audit, const char *person) {
        HolderSession *session = &sessions.items[sessions.n++];

        session->audit = audit;
        cr_assert_eq(permit_set(session->person, person), 0);
}

static void set_up(void) {
        permit = (Permit){.state = PERMIT_RUNNING};
        sessions = (HolderSessions){0};
        cr_assert_eq(permit_set(permit.user, "desk"), 0);
}

TestSuite(grants_holder, .init = set_up);

static const char *follow(void) {
        bool changed = false;

        return holder_follow(&permit, &sessions, "logout", &changed);
}

static void expect_allowed(const char *expected) {
        uint32_t allowed[ALLOWED_MAX];
        size_t n = holder_allowed(&permit, &sessions, MANAGER, allowed, ALLOWED_MAX);
        char text[128] = "";

        for (size_t i = 0; i < n; i++)
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", i ? " " : "",
                               allowed[i]);
        cr_expect_str_eq(text, expected);
}

Test(grants_holder, the_only_session_is_the_one) {
        log_in(5, "desk");
        cr_assert(holder_begin(&permit, &sessions));
        cr_assert_eq(permit.session, 5);
        expect_allowed("5 99");
        log_in(6, "desk");
        expect_allowed("5");
        cr_assert_null(follow());
        sessions.items[0] = sessions.items[1];
        sessions.n = 1;
        cr_assert_str_eq(follow(), "logout");
        expect_allowed("");
}

Test(grants_holder, a_person_who_is_known_is_the_one_in_every_session) {
        log_in(5, "12345");
        log_in(6, "12345");
        cr_assert(holder_begin(&permit, &sessions));
        cr_assert_eq(permit.session, 0);
        cr_assert_str_eq(permit.person, "12345");
        expect_allowed("5 6 99");
        log_in(7, "67890");
        expect_allowed("5 6");
        sessions.items[0] = sessions.items[2];
        sessions.n = 2;
        cr_assert_null(follow());
        expect_allowed("6");
        sessions.n = 1;
        cr_assert_str_eq(follow(), "logout");
}

Test(grants_holder, where_nobody_has_logged_in_the_first_who_does_is_the_one) {
        cr_assert(holder_begin(&permit, &sessions));
        cr_assert_null(follow());
        expect_allowed("");
        log_in(5, "desk");
        cr_assert_null(follow());
        cr_assert_eq(permit.session, 5);
        log_in(6, "desk");
        cr_assert_null(follow());
        expect_allowed("5");
}

Test(grants_holder, two_at_once_are_nobody) {
        cr_assert(holder_begin(&permit, &sessions));
        log_in(5, "desk");
        log_in(6, "desk");
        cr_assert_str_eq(follow(), "session-unknown");
        cr_assert_not(holder_begin(&permit, &sessions));
        sessions.n = 1;
        sessions.items[0].audit = 0;
        cr_assert_not(holder_begin(&permit, &sessions), "audit does not know it");
}

Test(grants_holder, two_persons_are_nobody_and_who_asks_is_one) {
        log_in(5, "12345");
        log_in(6, "67890");
        cr_assert_not(holder_begin(&permit, &sessions));
        holder_ask(&permit, &sessions, 7);
        cr_assert_not(holder_begin(&permit, &sessions), "of another account");
        holder_ask(&permit, &sessions, 6);
        cr_assert(holder_begin(&permit, &sessions));
        expect_allowed("6");
}

Test(grants_holder, who_asked_and_left_is_not_followed_by_another) {
        log_in(5, "desk");
        log_in(6, "desk");
        holder_ask(&permit, &sessions, 5);
        cr_assert(holder_begin(&permit, &sessions));
        cr_assert_eq(permit.session, 5);
        sessions.items[0].audit = 8;
        sessions.n = 1;
        cr_assert_not(holder_begin(&permit, &sessions));
}

Test(grants_holder, who_comes_into_the_session_is_somebody_else) {
        log_in(5, "desk");
        cr_assert(holder_begin(&permit, &sessions));
        cr_assert_eq(permit_set(sessions.items[0].person, "12345"), 0);
        cr_assert_null(follow(), "who it is was not known yet");
        cr_assert_eq(permit_set(sessions.items[0].person, "67890"), 0);
        cr_assert_str_eq(follow(), "logout");
}

Test(grants_holder, a_medium_is_another_one_once_it_was_out) {
        static char pattern[] = "/tmp/sekisho-medium-XXXXXX";
        char first[MEDIUM_TOKEN_MAX], second[MEDIUM_TOKEN_MAX], path[PATH_MAX], kept[PATH_MAX];

        cr_assert_not_null(mkdtemp(pattern));
        snprintf(path, sizeof(path), "%s/sdx", pattern);
        snprintf(kept, sizeof(kept), "%s/kept", pattern);
        cr_assert_eq(mkdir(path, 0700), 0);
        cr_assert_eq(medium_token(path, 7, first), 0);
        cr_assert_eq(medium_token(path, 7, second), 0);
        cr_expect_str_eq(first, second);
        cr_assert_eq(medium_token(path, 8, second), 0);
        cr_expect_str_neq(first, second, "another medium in the same drive");
        cr_assert_eq(rename(path, kept), 0); /* so that its inode number is taken */
        cr_assert_eq(mkdir(path, 0700), 0);
        cr_assert_eq(medium_token(path, 7, second), 0);
        cr_expect_str_neq(first, second, "another device of that name");
        (void)rmdir(path);
        (void)rmdir(kept);
        (void)rmdir(pattern);
}

Test(grants_holder, media_that_are_not_there_have_not_stayed) {
        static char null[] = "/sys/class/block/loop0";
        char real[PATH_MAX];
        DeviceIdentity device = {.syspath = realpath(null, real)};

        cr_assert(medium_stayed(&permit), "it knows of none");
        cr_assert_eq(permit_set(permit.media, MEDIUM_UNKNOWN), 0);
        cr_assert_not(medium_stayed(&permit), "one that was not noted is never there");
        permit.media[0] = '\0';
        if (!device.syspath)
                cr_skip("there is no block device");
        FILE *file = fopen("/sys/class/block/loop0/diskseq", "re");

        cr_assert_not_null(file);
        cr_assert_eq(fscanf(file, "%lu", &device.diskseq), 1);
        (void)fclose(file);
        cr_assert_eq(medium_add(&permit, &device), 1);
        cr_assert_eq(medium_add(&permit, &device), 0);
        cr_expect(medium_stayed(&permit));
        cr_assert_eq(permit_set(permit.media, "loop0:1:1"), 0);
        cr_expect_not(medium_stayed(&permit));
}
