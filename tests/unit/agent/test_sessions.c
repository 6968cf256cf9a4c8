/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sessions.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        PID_LIMIT = 4194304 /* proc(5), pid_max: no process has it, or a higher one */
};

static char directory[] = "/tmp/sekisho-sessions-XXXXXX";

static void setup(void) {
        cr_assert_not_null(mkdtemp(directory));
}

static void teardown(void) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/sessions", directory);
        (void)unlink(path);
        (void)rmdir(directory);
}

TestSuite(sessions, .init = setup, .fini = teardown);

static Session session_of(const char *id, uid_t uid, const char *person, const char *terminal,
                          pid_t leader) {
        Session session = {.uid = uid, .leader = leader};

        cr_assert_eq(session_set(session.id, id), 0);
        cr_assert_eq(session_set(session.person, person), 0);
        cr_assert_eq(session_set(session.factors, "password,totp"), 0);
        cr_assert_eq(session_set(session.terminal, terminal), 0);
        cr_assert_eq(session_set(session.service, "login"), 0);
        return session;
}

static Sessions *sessions_with(const Session *list, size_t n) {
        Sessions *sessions = NULL;

        cr_assert_eq(sessions_new(directory, &sessions), 0);
        for (size_t i = 0; i < n; i++)
                cr_assert_eq(sessions_open(sessions, &list[i]), 0);
        return sessions;
}

static void expect_person(Sessions *sessions, const char *id, uid_t loginuid, uid_t uid,
                          const char *expected) {
        Record *record = record_new(EVENT_WRITE_DENIED);

        record_set(record, TEXT_SESSION, id);
        record->loginuid = loginuid;
        record->uid = uid;
        sessions_describe(sessions, record);
        if (expected) {
                cr_expect_str_eq(record->text[TEXT_PERSON] ? record->text[TEXT_PERSON] : "(none)", expected);
                cr_expect_str_eq(record->text[TEXT_FACTORS] ? record->text[TEXT_FACTORS] : "(none)",
                                 "password,totp");
        } else
                cr_expect_null(record->text[TEXT_PERSON], "%s", record->text[TEXT_PERSON]);
        record_free(record);
}

Test(sessions, name_the_person_of_a_session_and_else_of_a_user_who_is_one_person) {
        const Session list[] = {
                session_of("1", 1001, "12345", "tty1", 11), session_of("2", 1001, "67890", "tty2", 12),
                session_of("3", 1002, "sato", "tty3", 13),  session_of("", 1003, "a", "tty4", 14),
                session_of("c9", 1003, "a", "", 15),
        };
        const uid_t none = (uid_t)-1;
        Sessions *sessions = sessions_with(list, ELEMENTS(list));

        expect_person(sessions, "1", 1001, 1001, "12345");
        expect_person(sessions, "2", 1001, 0, "67890");
        expect_person(sessions, NULL, 1001, 1001, NULL); /* either of two */
        expect_person(sessions, "77", 1002, 0, "sato");
        expect_person(sessions, NULL, none, 1002, "sato");
        expect_person(sessions, NULL, 0, 1002, NULL); /* root's login, whoever it is now */
        expect_person(sessions, NULL, 1003, 1003, "a");
        expect_person(sessions, NULL, none, none, NULL);
        expect_person(sessions, "", 1004, 1004, NULL);
        sessions_free(sessions);
}

Test(sessions, are_known_to_the_next_agent_and_forgotten_when_they_end) {
        const Session list[] = {session_of("1", 1001, "12345", "tty1", 11),
                                session_of("", 1002, "sato", "", 12)};
        Sessions *sessions = sessions_with(list, ELEMENTS(list)), *next = NULL;

        cr_expect_eq(sessions_close(sessions, 99), 0);
        sessions_free(sessions);
        cr_assert_eq(sessions_new(directory, &next), 0);
        expect_person(next, "1", 1001, 1001, "12345");
        expect_person(next, NULL, 1002, 1002, "sato");
        cr_expect_eq(sessions_close(next, 11), 1);
        sessions_free(next);
        cr_assert_eq(sessions_new(directory, &next), 0);
        expect_person(next, "1", 1001, 1001, NULL);
        expect_person(next, NULL, 1002, 1002, "sato");
        sessions_free(next);
}

Test(sessions, change_the_person_where_it_is_clear_which_one_is_meant) {
        const Session list[] = {
                session_of("1", 1001, "12345", "tty1", 11),
                session_of("2", 1001, "12345", "tty2", 12),
                session_of("3", 1002, "12345", "tty3", 13),
                session_of("4", 1003, "a", "tty4", 14),
        };
        static const struct {
                const char *id, *terminal, *person;
                uid_t uid;
                int expected;
                const char *changed; /* the id of the session */
        } cases[] = {
                {"2", "", "b", 1001, 1, "2"},           {"2", "", "b", 1001, 0, "2"},
                {"", "tty1", "c", 1001, 1, "1"},        {"", "", "d", 1001, -ENOENT, NULL},
                {"", "tty9", "d", 1001, -ENOENT, NULL}, {"", ":0", "e", 1002, 1, "3"},
                {"4", "", "f", 1002, -ENOENT, NULL}, /* another user's */
                {"77", "", "g", 1003, 1, "4"},          {"", "", "h", 1004, -ENOENT, NULL},
        };
        Sessions *sessions = sessions_with(list, ELEMENTS(list));

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Session by = session_of(cases[i].id, cases[i].uid, cases[i].person, cases[i].terminal, 99),
                        before = {0}, now = {0};

                cr_expect_eq(sessions_change_person(sessions, &by, &before, &now), cases[i].expected, "%zu",
                             i);
                if (cases[i].changed) {
                        cr_expect_str_eq(before.id, cases[i].changed, "%zu", i);
                        expect_person(sessions, cases[i].changed, (uid_t)-1, (uid_t)-1, cases[i].person);
                }
        }
        sessions_free(sessions);
}

Test(sessions, do_not_take_one_from_elsewhere_for_one_at_the_machine) {
        Session list[] = {session_of("1", 1001, "12345", "pts/0", 11),
                          session_of("2", 1001, "12345", "tty2", 12)},
                by = session_of("", 1001, "b", "", 99), before, now;
        Sessions *sessions;

        list[0].remote = true;
        sessions = sessions_with(list, ELEMENTS(list));
        cr_expect_eq(sessions_change_person(sessions, &by, &before, &now), 1);
        cr_expect_str_eq(before.id, "2");
        sessions_free(sessions);
}

Test(sessions, within_another_do_not_take_its_place_while_its_leader_lives) {
        Session outer = session_of("1", 1001, "sato", "tty1", getpid()),
                inner = session_of("1", 0, "root", "pts/0", PID_LIMIT + 1);
        Sessions *sessions = sessions_with(&outer, 1);

        cr_expect_eq(sessions_open(sessions, &inner), 1);
        expect_person(sessions, "1", (uid_t)-1, (uid_t)-1, "sato");
        cr_expect_eq(sessions_close(sessions, inner.leader), 0);
        cr_expect_eq(sessions_close(sessions, outer.leader), 1);
        cr_expect_eq(sessions_open(sessions, &inner), 0);
        expect_person(sessions, "1", (uid_t)-1, (uid_t)-1, "root");
        sessions_free(sessions);
}

static void take_token(void *userdata, const Session *session) {
        snprintf(userdata, SESSION_TEXT_MAX, "%s", session->token);
}

Test(sessions, keep_their_token_for_the_next_agent_until_it_has_had_its_effect) {
        Session session = session_of("1", 1001, "sato", "tty1", 11);
        char token[SESSION_TEXT_MAX] = "";
        Sessions *sessions, *next = NULL;

        cr_assert_eq(session_set(session.token, "key:/sys/devices/a"), 0);
        sessions = sessions_with(&session, 1);
        cr_assert_eq(sessions_new(directory, &next), 0);
        sessions_foreach(next, take_token, token);
        cr_expect_str_eq(token, "key:/sys/devices/a");
        sessions_free(next);
        cr_expect_eq(sessions_forget_token(sessions, 12), 0);
        cr_expect_eq(sessions_forget_token(sessions, 11), 0);
        sessions_free(sessions);
        cr_assert_eq(sessions_new(directory, &next), 0);
        sessions_foreach(next, take_token, token);
        cr_expect_str_eq(token, "");
        sessions_free(next);
}

Test(sessions, make_room_only_of_processes_that_are_gone) {
        Sessions *sessions = NULL;
        Session more = session_of("more", 1001, "b", "", 0);

        cr_assert_eq(sessions_new(directory, &sessions), 0);
        for (int i = 0; i < SESSIONS_MAX; i++) {
                char id[16];
                Session session;

                snprintf(id, sizeof(id), "s%d", i);
                session = session_of(id, 1001, "a", "", i == 1 ? getpid() : PID_LIMIT + i);
                cr_assert_eq(sessions_open(sessions, &session), 0);
        }
        more.leader = PID_LIMIT + SESSIONS_MAX;
        cr_expect_eq(sessions_open(sessions, &more), 0);
        expect_person(sessions, "s0", (uid_t)-1, (uid_t)-1, NULL);
        expect_person(sessions, "s1", (uid_t)-1, (uid_t)-1, "a");
        expect_person(sessions, "more", (uid_t)-1, (uid_t)-1, "b");
        sessions_free(sessions);
}

Test(sessions, with_texts_that_the_file_could_not_hold_are_none) {
        Session session = {0};
        char longer[SESSION_TEXT_MAX + 1];

        memset(longer, 'a', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        cr_expect_eq(session_set(session.id, "a b"), -EINVAL);
        cr_expect_eq(session_set(session.id, "a\nb"), -EINVAL);
        cr_expect_eq(session_set(session.id, "a\177b"), -EINVAL);
        cr_expect_eq(session_set(session.id, longer), -EINVAL);
        cr_expect_eq(session_set(session.id, longer + 1), 0);
        cr_expect_eq(session_set(session.id, "職員"), 0);
}

Test(sessions, of_a_file_that_is_not_whole_are_those_that_can_be_read) {
        static const char text[] =
                "1001 11 0 1 12345 password,totp login tty1 key:/a\n1001 x 0 2 a b c d\n\n"
                "1002 12 7 3 a b c d e\n1003 13 0 4 a b c d e f\n1004 14 0 - sato password,totp";
        char path[PATH_MAX];
        Sessions *sessions = NULL;
        FILE *f;

        snprintf(path, sizeof(path), "%s/sessions", directory);
        f = fopen(path, "we");
        cr_assert_not_null(f);
        cr_assert_gt(fputs(text, f), 0);
        cr_assert_eq(fclose(f), 0);
        cr_assert_eq(sessions_new(directory, &sessions), 0);
        expect_person(sessions, "1", 1001, 1001, "12345");
        for (uid_t uid = 1002; uid <= 1004; uid++)
                expect_person(sessions, NULL, uid, uid, NULL);
        sessions_free(sessions);
}
