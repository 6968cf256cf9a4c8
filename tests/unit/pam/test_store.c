/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/store.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/pam/store_directory.h"

TestSuite(store, .init = store_init, .fini = store_fini);

static int load(const char *user, uid_t uid, uint64_t *ret_generation) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        int r = store_load(&store, user, uid, enrolment);

        if (ret_generation)
                *ret_generation = enrolment->generation;
        return r;
}

static void save(const char *user, uid_t uid) {
        CLEANUP_ENROLMENT Enrolment *enrolment = store_enrolment(uid);
        int r = store_load(&store, user, uid, enrolment);

        cr_assert(r == 0 || r == -ENOENT);
        enrolment->uid = uid;
        cr_assert_eq(store_save(&store, user, enrolment), 0);
}

Test(store, counts_editions) {
        uint64_t generation;

        cr_expect_eq(load("sato", 1001, NULL), -ENOENT);
        for (uint64_t i = 1; i <= 3; i++) {
                save("sato", 1001);
                cr_expect_eq(load("sato", 1001, &generation), 0);
                cr_expect_eq(generation, i);
        }
        cr_expect_eq(load("sato", 1002, NULL), -EKEYREJECTED);
}

Test(store, names_lead_nowhere_else) {
        static const char *const names[] = {"..",        ".",   "../x", "/etc/passwd", "a/b",
                                            ".new",      "%2E", "佐藤", "a b",         "DOMAIN\\sato",
                                            "sato@x.jp", "A",   "a"};
        struct stat st;

        for (size_t i = 0; i < ELEMENTS(names); i++)
                save(names[i], (uid_t)(1000 + i));
        for (size_t i = 0; i < ELEMENTS(names); i++)
                cr_expect_eq(load(names[i], (uid_t)(1000 + i), NULL), 0, "%s", names[i]);
        cr_expect_eq(fstatat(store.factors_fd, "%2E%2E%2Fx", &st, 0), 0);
        cr_expect_eq(load("", 0, NULL), -EINVAL);
}

Test(store, names_that_are_too_long_are_refused) {
        char name[300];

        memset(name, 'a', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        cr_expect_eq(load(name, 0, NULL), -ENAMETOOLONG);
}

Test(store, notices_what_is_older_or_gone) {
        save("sato", 1001);
        cr_assert_eq(renameat(store.factors_fd, "sato", store.factors_fd, "old"), 0);
        cr_expect_eq(load("sato", 1001, NULL), -ESTALE);
        cr_assert_eq(linkat(store.factors_fd, "old", store.factors_fd, "sato", 0), 0);
        save("sato", 1001);
        cr_expect_eq(load("sato", 1001, NULL), 0);
        cr_assert_eq(renameat(store.factors_fd, "old", store.factors_fd, "sato"), 0);
        cr_expect_eq(load("sato", 1001, NULL), -ESTALE);
}

Test(store, holds_through_any_number_of_writes_that_were_cut_off) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();

        save("sato", 1001);
        cr_assert_eq(mkdirat(store.generations_fd, ".sato.new", 0700), 0); /* the number cannot be written */
        cr_assert_eq(mkdirat(store.generations_fd, ".sato.new/x", 0700), 0);
        cr_assert_eq(store_load(&store, "sato", 1001, enrolment), 0);
        for (int i = 0; i < 3; i++)
                cr_expect_lt(store_save(&store, "sato", enrolment), 0);
        cr_expect_eq(load("sato", 1001, NULL), 0);
        cr_assert_eq(unlinkat(store.generations_fd, ".sato.new/x", AT_REMOVEDIR), 0);
        cr_assert_eq(unlinkat(store.generations_fd, ".sato.new", AT_REMOVEDIR), 0);
        save("sato", 1001);
        cr_expect_eq(load("sato", 1001, NULL), 0);
}

Test(store, begins_anew_after_whatever_there_was) {
        CLEANUP_ENROLMENT Enrolment *enrolment = store_enrolment(1001);
        uint64_t generation;

        for (int i = 0; i < 3; i++)
                save("sato", 1001);
        cr_assert_eq(store_begin_anew(&store, "sato", enrolment), 0);
        enrolment->uid = 1001;
        cr_assert_eq(store_save(&store, "sato", enrolment), 0);
        cr_expect_eq(load("sato", 1001, &generation), 0);
        cr_expect_eq(generation, 5);
}

Test(store, is_one_processes_at_a_time) {
        Store other = STORE_CLOSED;
        int status;
        pid_t child;

        cr_assert_eq(store_lock(&store), 0);
        child = fork();
        if (child == 0) {
                store_close(&store); /* a lock is the open file's, which a fork shares */
                if (store_open(store_path, &other) < 0 || store_lock(&other) < 0)
                        _exit(1);
                _exit(0);
        }
        cr_expect_eq(waitpid(child, &status, WNOHANG), 0);
        store_unlock(&store);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(store, of_somebody_else_or_open_to_others_is_refused) {
        static const mode_t modes[] = {0750, 0705, 0720, 0777};
        Store other = STORE_CLOSED;

        for (size_t i = 0; i < ELEMENTS(modes); i++) {
                cr_assert_eq(chmod(store_path, modes[i]), 0);
                cr_expect_eq(store_open(store_path, &other), -EPERM);
        }
        cr_assert_eq(chmod(store_path, 0700), 0);
        cr_assert_eq(fchmodat(store.factors_fd, "../lock", 0640, 0), 0);
        cr_expect_eq(store_open(store_path, &other), -EPERM);
        cr_expect_eq(store_open("/nonexistent", &other), -ENOENT);
}

Test(store, has_words_for_errors) {
        cr_expect_not_null(strstr(store_error(-ESTALE), "older"));
        cr_expect_str_eq(store_error(-ENOSPC), strerrordesc_np(ENOSPC));
        cr_expect_str_eq(store_error(-99999), "unknown error");
}

static int add_person(const char *person, void *userdata) {
        FILE *people = userdata;

        return fprintf(people, "%s ", person) < 0 ? -EIO : 0;
}

static int stop(const char *person, void *userdata) {
        (void)person;
        return (*(int *)userdata)++ == 1 ? -ECANCELED : 0;
}

Test(store, names_the_people_of_an_account) {
        static const char *const keys[] = {
                "madoguchi", "madoguchi:1",  "madoguchi:a.b-c_D",
                "mado:2",    "madoguchi2:3", "madoguchi:12345678901234567890123456789012"};
        char people[256] = "";
        CLEANUP_FILE FILE *file = fmemopen(people, sizeof(people), "w");
        int calls = 0, fd;

        for (size_t i = 0; i < ELEMENTS(keys); i++)
                save(keys[i], 1001);
        /* what nobody but root can have put there, and no staff number is */
        fd = openat(store.factors_fd, "madoguchi%3A%2F", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        cr_assert_geq(fd, 0);
        close(fd);
        fd = openat(store.factors_fd, "madoguchi%3A123456789012345678901234567890123",
                    O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        cr_assert_geq(fd, 0);
        close(fd);
        cr_assert_eq(store_each_person(&store, "madoguchi", add_person, file), 0);
        cr_assert_eq(fflush(file), 0);
        cr_expect_eq(strlen(people), strlen("1 a.b-c_D 12345678901234567890123456789012 "), "%s", people);
        cr_expect_not_null(strstr(people, "1 "));
        cr_expect_not_null(strstr(people, "a.b-c_D "));
        cr_expect_not_null(strstr(people, "12345678901234567890123456789012 "));
        cr_expect_eq(store_each_person(&store, "nobody", stop, &calls), 0);
        cr_expect_eq(calls, 0);
        cr_expect_eq(store_each_person(&store, "madoguchi", stop, &calls), -ECANCELED);
        cr_expect_eq(calls, 2);
}

Test(store, keeps_people_of_one_account_apart) {
        static const char *const bad[] = {"",     "a b",  "a:b", "a/b",
                                          "../x", "職員", "?",   "123456789012345678901234567890123"};
        char key[STORE_KEY_SIZE], other[STORE_KEY_SIZE];

        cr_assert_eq(store_key("madoguchi", "12345", key), 0);
        cr_assert_eq(store_key("madoguchi", "madoguchi", other), 0);
        cr_expect_str_eq(other, "madoguchi");
        save(other, 1001);
        cr_expect_eq(store_is_shared(&store, "madoguchi"), 0, "one of its own");
        save(key, 1001);
        cr_expect_eq(store_is_shared(&store, "madoguchi"), 1);
        cr_expect_eq(store_is_shared(&store, "mado"), 0);
        cr_expect_eq(store_is_shared(&store, "madoguchi:1"), 0);
        cr_expect_eq(load(key, 1001, NULL), 0);
        cr_expect_eq(load("madoguchi:67890", 1001, NULL), -ENOENT);
        cr_assert_eq(unlinkat(store.factors_fd, "madoguchi%3A12345", 0), 0);
        cr_expect_eq(store_is_shared(&store, "madoguchi"), 1, "that it was is not forgotten");
        cr_expect_eq(load(key, 1001, NULL), -ESTALE);
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                cr_expect_eq(store_key("madoguchi", bad[i], key), -EINVAL, "%s", bad[i]);
        cr_expect_eq(store_key("山田", "山田", key), 0, "an account may have any name");
}
