/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "policy/chain_file.h"
#include "policy/scope.h"

static void digest_of(const char *const *fields, size_t n, unsigned char ret[static CHAIN_LINK_SIZE]) {
        ChainDigest digest = {.n = 0};

        for (size_t i = 0; i < n; i++)
                chain_digest_add_data(&digest, fields[i], strlen(fields[i]));
        cr_assert_eq(chain_digest_end(&digest, ret), 0);
}

static const char *const plain[] = {"MESSAGE=one", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7"};

/* Whether a record of these fields has the hash of PLAIN. */
struct same {
        const char *label;
        const char *fields[5];
        int same;
};

Test(chain, canonical_form) {
        static const struct same cases[] = {
                {"another order", {"SEKISHO_SEQUENCE=7", "SEKISHO_EVENT=write-denied", "MESSAGE=one"}, 1},
                {"what the journal adds",
                 {"MESSAGE=one", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7", "_PID=1"},
                 1},
                {"the link itself",
                 {"MESSAGE=one", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7", "SEKISHO_CHAIN=00"},
                 1},
                {"another value", {"MESSAGE=one", "SEKISHO_EVENT=read-denied", "SEKISHO_SEQUENCE=7"}, 0},
                {"another message", {"MESSAGE=two", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7"}, 0},
                {"one field less", {"MESSAGE=one", "SEKISHO_EVENT=write-denied"}, 0},
                {"one field more",
                 {"MESSAGE=one", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7", "SEKISHO_PATH="},
                 0},
                {"a field twice",
                 {"MESSAGE=one", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7", "MESSAGE=one"},
                 0},
                {"another chain",
                 {"MESSAGE=one", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7", "SEKISHO_CHAIN_ID=a"},
                 0},
                {"a boundary moved",
                 {"MESSAGE=on", "SEKISHO_EVENT=write-denied", "SEKISHO_SEQUENCE=7", "PRIORITY=e"},
                 0},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                unsigned char expected[CHAIN_LINK_SIZE], found[CHAIN_LINK_SIZE];
                size_t n = 0;

                while (n < ELEMENTS(cases[i].fields) && cases[i].fields[n])
                        n++;
                digest_of(plain, ELEMENTS(plain), expected);
                digest_of(cases[i].fields, n, found);
                cr_expect_eq(memcmp(expected, found, sizeof(found)) == 0, cases[i].same, "%s",
                             cases[i].label);
        }
}

Test(chain, form_never_changes) {
        unsigned char record[CHAIN_LINK_SIZE], link[CHAIN_LINK_SIZE] = {0};
        char text[CHAIN_LINK_TEXT];

        digest_of(plain, ELEMENTS(plain), record);
        chain_link(link, record, link);
        chain_link_text(link, text);
        /* by Python's hashlib.blake2b(digest_size=32): records that were written stay verifiable */
        cr_expect_str_eq(text, "2f0395ce716f036089c0a2c41f0ce24c33d32c6c3ba03632656ca17e78aed3a8");
}

Test(chain, a_record_of_too_many_fields_has_no_place) {
        unsigned char record[CHAIN_LINK_SIZE];
        ChainDigest digest = {.n = 0};

        for (size_t i = 0; i <= CHAIN_FIELDS_MAX; i++)
                chain_digest_add_data(&digest, "MESSAGE=x", 9);
        cr_expect_eq(chain_digest_end(&digest, record), -E2BIG);
}

Test(chain, new_chains_are_different_and_their_names_valid) {
        ChainHead a, b;

        chain_new(&a);
        chain_new(&b);
        cr_expect(chain_id_is_valid(a.id));
        cr_expect_str_neq(a.id, b.id);
        cr_expect_eq(a.sequence, 0);
}

Test(chain, numbers_are_digits_from_one_on) {
        static const char *const bad[] = {"", "0", "01", "-1", "+1", " 1", "1x", "99999999999999999999"};
        uint64_t number;

        for (size_t i = 0; i < ELEMENTS(bad); i++)
                cr_expect_not(chain_number_parse(bad[i], &number), "%s", bad[i]);
        cr_assert(chain_number_parse("18446744073709551615", &number));
        cr_expect_eq(number, UINT64_MAX);
}

static int temporary_file(void) {
        int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

        cr_assert_geq(fd, 0);
        return fd;
}

Test(chain_file, says_where_the_chain_ended) {
        CLEANUP_CLOSE int fd = temporary_file();
        ChainHead head, found = {.sequence = 0};
        bool writing = false;

        chain_new(&head);
        cr_expect_eq(chain_file_read(fd, &found, &writing), 0);
        head.sequence = UINT64_MAX;
        head.link[31] = 0xab;
        cr_assert_eq(chain_file_write(fd, &head, true), 0);
        cr_assert_eq(chain_file_read(fd, &found, &writing), 1);
        cr_expect(writing);
        cr_expect_eq(found.sequence, UINT64_MAX);
        cr_expect_str_eq(found.id, head.id);
        cr_expect_arr_eq(found.link, head.link, CHAIN_LINK_SIZE);
        head.sequence = 3;
        cr_assert_eq(chain_file_write(fd, &head, false), 0);
        cr_assert_eq(chain_file_read(fd, &found, &writing), 1);
        cr_expect_not(writing);
        cr_expect_eq(found.sequence, 3);
}

Test(chain_file, what_makes_no_sense_is_refused) {
        CLEANUP_CLOSE int fd = temporary_file();
        ChainHead head;
        bool writing;

        chain_new(&head);
        head.sequence = 1;
        cr_assert_eq(chain_file_write(fd, &head, false), 0);
        cr_assert_eq(pwrite(fd, "X", 1, 10), 1);
        cr_expect_eq(chain_file_read(fd, &head, &writing), -EBADMSG);
        cr_assert_eq(ftruncate(fd, 30), 0);
        cr_expect_eq(chain_file_read(fd, &head, &writing), -EBADMSG);
}

Test(chain_file, of_which_others_could_have_written_is_refused) {
        char directory[] = "/tmp/sekisho-chain-XXXXXX";
        CLEANUP_CLOSE int at = mkdtemp(directory) ? open(directory, O_PATH | O_CLOEXEC) : -1;

        cr_assert_geq(at, 0);
        CLEANUP_CLOSE int fd = chain_file_open(at, "chain");
        cr_assert_geq(fd, 0);
        cr_assert_eq(fchmod(fd, 0620), 0);
        cr_expect_eq(chain_file_open(at, "chain"), -EPERM);
        cr_assert_eq(unlinkat(at, "chain", 0), 0);
        cr_assert_eq(symlinkat("elsewhere", at, "chain"), 0);
        cr_expect_eq(chain_file_open(at, "chain"), -ELOOP);
        cr_assert_eq(unlinkat(at, "chain", 0), 0);
        cr_assert_eq(rmdir(directory), 0);
}
