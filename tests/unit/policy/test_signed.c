/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bundles that minisign has signed, as a directory of policies holds them, and what differs from such. */
#include <criterion/criterion.h>
#include <errno.h>

#include "policy/build.h"
#include "policy/floor.h"
#include "policy/load.h"
#include "signed_directory.h"

TestSuite(signed_policy, .init = signed_setup, .fini = signed_teardown, .timeout = 100);

static const char text[] = "version: 1\nserial: 5\nremovable:\n  default: deny\n";

/* What policy.d gives: its serial, or -errno with FAULT (static) the first. */
static int64_t load(const char **ret_fault) {
        static char fault[512];
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_POLICY Policy *policy = NULL;
        int r = policy_load(signed_path("policy.d"), &policy, &faults);

        snprintf(fault, sizeof(fault), "%s", faults.n > 0 ? faults.items[0].message : "");
        if (ret_fault)
                *ret_fault = fault;
        if (r < 0)
                return r;
        cr_assert(r == 1 || policy->signature || access(signed_path("policy.d/" BUNDLE_NAME), F_OK) < 0);
        return (int64_t)policy->serial;
}

Test(signed_policy, bundle_is_the_whole_policy) {
        signed_put(text, "office");
        signed_write(signed_path("policy.d/90-more.yaml"), "version: 1\nserial: 9\n", 21);
        cr_assert_eq(load(NULL), 5);
}

Test(signed_policy, legacy_signature_counts) {
        size_t length;
        char *sealed = signed_seal(text, "office", "-l", &length);

        signed_write(signed_path("policy.d/" BUNDLE_NAME), sealed, length);
        free(sealed);
        cr_assert_eq(load(NULL), 5);
}

Test(signed_policy, who_signed_it_is_known) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_POLICY Policy *policy = NULL;

        signed_put(text, "office");
        cr_assert_eq(policy_load(signed_path("policy.d"), &policy, &faults), 0);
        cr_assert(policy->signature && policy->signature->prehashed);
        cr_assert_not_null(strstr(policy->signature->comment, "timestamp:"));
}

Test(signed_policy, faults_name_the_file_in_the_bundle) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        Policy *policy;

        signed_put("version: 1\nserial: x\n", "office");
        cr_assert_eq(policy_load(signed_path("policy.d"), &policy, &faults), -EBADMSG);
        cr_assert_not_null(strstr(faults.items[0].file, "/policy.d/policy.bundle/10-base.yaml"));
        cr_assert_eq(faults.items[0].line, 2);
}

Test(signed_policy, key_that_is_not_known_does_not_count) {
        const char *fault;

        signed_make_key("other");
        signed_put(text, "other");
        cr_assert_eq(load(&fault), -EBADMSG);
        cr_assert_not_null(strstr(fault, "which is not known here"), "%s", fault);
}

Test(signed_policy, without_any_key_nothing_counts) {
        signed_put(text, "office");
        signed_run("rm -r %s/keys.d", signed_root);
        cr_assert_eq(load(NULL), -EBADMSG);
}

Test(signed_policy, two_keys_count_while_one_takes_over) {
        signed_make_key("next");
        signed_run("cp %s/next.pub %s/keys.d/", signed_root, signed_root);
        signed_put(text, "office");
        cr_assert_eq(load(NULL), 5);
        signed_put(text, "next");
        cr_assert_eq(load(NULL), 5);
}

Test(signed_policy, revoked_key_does_not_count_under_any_name) {
        const char *fault;

        signed_put(text, "office");
        signed_run("cd %s/keys.d && cp office.pub office.revoked", signed_root);
        cr_assert_eq(load(&fault), -EBADMSG);
        cr_assert_not_null(strstr(fault, "revoked"), "%s", fault);
        signed_run("cd %s/keys.d && rm office.pub", signed_root);
        cr_assert_eq(load(&fault), -EBADMSG);
        cr_assert_not_null(strstr(fault, "revoked"), "%s", fault);
}

Test(signed_policy, keys_that_somebody_else_could_have_written_are_refused) {
        const char *fault;

        signed_put(text, "office");
        signed_run("chmod g+w %s/keys.d/office.pub", signed_root);
        cr_assert_eq(load(&fault), -EBADMSG);
        cr_assert_not_null(strstr(fault, "writable by group"), "%s", fault);
        signed_run("chmod g-w %s/keys.d/office.pub && chmod o+w %s/keys.d", signed_root, signed_root);
        cr_assert_eq(load(NULL), -EBADMSG);
        signed_run("cd %s && chmod o-w keys.d && mv keys.d/office.pub . && ln -s ../office.pub keys.d/",
                   signed_root);
        cr_assert_eq(load(NULL), -EBADMSG);
}

Test(signed_policy, what_is_no_key_is_a_fault) {
        signed_put(text, "office");
        signed_write(signed_path("keys.d/x.pub"), "x\n", 2);
        cr_assert_eq(load(NULL), -EBADMSG);
}

Test(signed_policy, bundle_of_a_directory_has_to_be_signed) {
        BundleFile file = {.name = (char *)"a.yaml", .text = text, .length = strlen(text)};
        char *bundle;
        size_t length;

        cr_assert_eq(bundle_make(&file, 1, &bundle, &length), 0);
        signed_write(signed_path("policy.d/" BUNDLE_NAME), bundle, length);
        free(bundle);
        cr_assert_eq(load(NULL), -EBADMSG);
}

/* Signed, and still no policy: minisign signs anything. */
Test(signed_policy, other_things_that_the_key_signed_are_refused) {
        const char *fault;

        signed_run("cd %s && printf 'version: 1\\nserial: 5\\n' >f && minisign -S -s office.key -m f "
                   ">/dev/null && "
                   "cat f.minisig f >policy.d/" BUNDLE_NAME " && chmod 600 policy.d/" BUNDLE_NAME,
                   signed_root);
        cr_assert_eq(load(&fault), -EBADMSG);
        cr_assert_not_null(strstr(fault, "is no policy bundle"), "%s", fault);
}

/* xorshift: the same mutations each time. */
static uint64_t next_random(uint64_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

typedef struct Mutant {
        char text[8192];
        size_t length;
} Mutant;

static void flip(Mutant *m, uint64_t *state) {
        size_t at = next_random(state) % m->length;

        m->text[at] = (char)((unsigned char)m->text[at] ^ (1U << next_random(state) % 8));
}

static void cut(Mutant *m, uint64_t *state) {
        m->length = next_random(state) % m->length;
}

static void cut_out(Mutant *m, uint64_t *state) {
        size_t at = next_random(state) % m->length, n = next_random(state) % (m->length - at) % 64 + 1;

        n = n > m->length - at ? m->length - at : n;
        memmove(m->text + at, m->text + at + n, m->length - at - n);
        m->length -= n;
}

static void repeat(Mutant *m, uint64_t *state) {
        size_t at = next_random(state) % m->length, n = next_random(state) % 64 + 1;

        n = n > m->length - at ? m->length - at : n;
        memmove(m->text + at + n, m->text + at, m->length - at);
        m->length += n;
}

static void swap(Mutant *m, uint64_t *state) {
        size_t a = next_random(state) % m->length, b = next_random(state) % m->length;
        char c = m->text[a];

        m->text[a] = m->text[b];
        m->text[b] = c;
}

/* Line A where line B was, and the other way round. */
static void swap_lines(Mutant *m, uint64_t *state) {
        char *lines[64], copy[sizeof(m->text)];
        size_t lengths[64], n = 0, at = 0, a, b;

        memcpy(copy, m->text, m->length);
        while (at < m->length && n < 64) {
                char *newline = memchr(copy + at, '\n', m->length - at);
                size_t end = newline ? (size_t)(newline - copy) + 1 : m->length;

                lines[n] = copy + at;
                lengths[n++] = end - at;
                at = end;
        }
        a = next_random(state) % n;
        b = next_random(state) % n;
        m->length = 0;
        for (size_t i = 0; i < n; i++) {
                size_t from = i == a ? b : i == b ? a : i;

                memcpy(m->text + m->length, lines[from], lengths[from]);
                m->length += lengths[from];
        }
}

/* The first line of a signature is for people and signed by nobody. */
static bool says_the_same(const Mutant *m, const char *sealed, size_t length) {
        const char *a = memchr(m->text, '\n', m->length), *b = memchr(sealed, '\n', length);

        return a && b && m->length - (size_t)(a - m->text) == length - (size_t)(b - sealed) &&
               memcmp(a, b, length - (size_t)(b - sealed)) == 0;
}

Test(signed_policy, of_10000_mutants_none_is_taken_that_says_something_else) {
        static void (*const ways[])(Mutant *, uint64_t *) = {flip, cut, cut_out, repeat, swap, swap_lines};
        static Mutant m;
        char *sealed[3];
        size_t lengths[3], taken = 0, refused = 0;
        uint64_t state = 0x5eed;

        signed_make_key("other");
        sealed[0] = signed_seal(text, "office", "", &lengths[0]);
        sealed[1] = signed_seal("version: 1\nserial: 4\nremovable:\n  default: write\n", "office", "-l",
                                &lengths[1]);
        sealed[2] = signed_seal("version: 1\nserial: 6\nremovable:\n  default: write\n", "other", "",
                                &lengths[2]);
        for (int i = 0; i < 10000; i++) {
                CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
                CLEANUP_POLICY Policy *policy = NULL;
                size_t which = next_random(&state) % 3, others = next_random(&state) % 8;
                int r;

                memcpy(m.text, sealed[which], lengths[which]);
                m.length = lengths[which];
                if (others == 0) { /* the signature of one on the other */
                        size_t from = (which + 1) % 3, end = 0, at = 0;

                        cr_assert_eq(bundle_unseal(sealed[from], lengths[from], &end), 0);
                        cr_assert_eq(bundle_unseal(sealed[which], lengths[which], &at), 0);
                        memcpy(m.text, sealed[from], end);
                        memcpy(m.text + end, sealed[which] + at, lengths[which] - at);
                        m.length = end + lengths[which] - at;
                }
                for (size_t n = next_random(&state) % 3 + (others != 0); n > 0 && m.length > 0; n--)
                        ways[next_random(&state) % ELEMENTS(ways)](&m, &state);
                r = policy_load_sealed("mutant", m.text, m.length, signed_path("keys.d"), &policy, &faults);
                if (r == -EBADMSG) {
                        refused++;
                        cr_assert_gt(faults.n, 0);
                        continue;
                }
                cr_assert_eq(r, 0);
                taken++;
                cr_assert(which < 2 && says_the_same(&m, sealed[which], lengths[which]),
                          "mutant %d was taken", i);
        }
        cr_assert_eq(taken + refused, 10000);
        cr_assert(taken > 0 && taken < 1000, "%zu: a few have mutations of what is not signed", taken);
        for (int i = 0; i < 3; i++)
                free(sealed[i]);
}

/* The floor */

static Policy *policy_of(const char *yaml, uint64_t signer) {
        PolicyFaults faults = {0};
        Policy *policy = NULL;

        cr_assert_eq(policy_load_buffer("x.yaml", yaml, strlen(yaml), &policy, &faults), 0);
        if (signer) {
                policy->signature = calloc(1, sizeof(*policy->signature));
                policy->signature->id = signer;
        }
        return policy;
}

static FloorVerdict judge(const Floor *floor, const char *yaml, uint64_t signer) {
        CLEANUP_POLICY Policy *policy = policy_of(yaml, signer);

        return floor_judge(floor, policy);
}

static bool learn(Floor *floor, const char *yaml, uint64_t signer) {
        CLEANUP_POLICY Policy *policy = policy_of(yaml, signer);

        return floor_learn(floor, policy);
}

#define PLAIN    "version: 1\nserial: 1\n"
#define REQUIRED "version: 1\nserial: 2\nsigning:\n  required: true\n"
#define LIFTED   "version: 1\nserial: 3\nsigning:\n  required: false\n"

Test(floor, only_a_signed_policy_can_require_and_lift_signing) {
        Floor floor = {0};

        cr_assert_eq(judge(&floor, PLAIN, 0), FLOOR_GOOD);
        cr_assert_eq(judge(&floor, REQUIRED, 0), FLOOR_ASKS_UNSIGNED);
        cr_assert_eq(judge(&floor, REQUIRED, 7), FLOOR_GOOD);
        cr_assert(learn(&floor, REQUIRED, 7));
        cr_assert_eq(judge(&floor, PLAIN, 0), FLOOR_UNSIGNED);
        cr_assert_eq(judge(&floor, LIFTED, 0), FLOOR_UNSIGNED);
        cr_assert(learn(&floor, "version: 1\nserial: 3\n", 7), "the serial");
        cr_assert(floor.signing_required, "what is left out lifts nothing");
        cr_assert(learn(&floor, LIFTED, 7));
        cr_assert_eq(judge(&floor, PLAIN, 0), FLOOR_GOOD);
}

Test(floor, revoked_key_stays_revoked) {
        static const char revoking[] = "version: 1\nserial: 2\nsigning:\n  revoked: [\"7\", ABCD]\n";
        Floor floor = {0};

        cr_assert_eq(judge(&floor, revoking, 7), FLOOR_REVOKED, "by itself");
        cr_assert_not(learn(&floor, PLAIN, 0) && floor.n_revoked > 0);
        cr_assert(learn(&floor, revoking, 8));
        cr_assert_eq(floor.n_revoked, 2);
        cr_assert_eq(judge(&floor, PLAIN, 7), FLOOR_REVOKED);
        cr_assert_eq(judge(&floor, PLAIN, 0xABCD), FLOOR_REVOKED);
        cr_assert_eq(judge(&floor, PLAIN, 8), FLOOR_GOOD);
        cr_assert_not(learn(&floor, revoking, 8), "nothing new");
}

Test(floor, text_of_it_is_read_again) {
        Floor floor = {.serial = 2026112101,
                       .signing_required = true,
                       .revoked = {0xA266A3C8B735E67},
                       .n_revoked = 1},
              again = {0};
        char out[FLOOR_TEXT_MAX];

        cr_assert_eq(floor_format(&floor, out), strlen(out));
        cr_assert_str_eq(out, "serial 2026112101\nsigning required\nrevoked A266A3C8B735E67\n");
        cr_assert_eq(floor_parse(out, &again), 0);
        cr_assert_eq(again.serial, floor.serial);
        cr_assert(again.signing_required && again.n_revoked == 1);
        cr_assert_eq(floor_parse("serial 1x\n", &again), -EBADMSG);
        cr_assert_eq(floor_parse("serial 1\nsigning off\n", &again), -EBADMSG);
        cr_assert_eq(floor_parse("serial 1\nrevoked g\n", &again), -EBADMSG);
        cr_assert_eq(floor_parse("", &again), -EBADMSG, "emptied");
        cr_assert_eq(floor_parse("serial 12", &again), -EBADMSG, "cut off");
        cr_assert_eq(floor_parse("signing required\n", &again), -EBADMSG, "its beginning is lost");
}

Test(floor, full_of_revoked_keys_fits_its_text) {
        Floor floor = {.serial = UINT64_MAX, .signing_required = true, .n_revoked = REVOKED_MAX}, again;
        char out[FLOOR_TEXT_MAX];

        for (size_t i = 0; i < REVOKED_MAX; i++)
                floor.revoked[i] = UINT64_MAX - i;
        cr_assert_eq(floor_format(&floor, out), strlen(out));
        cr_assert_eq(floor_parse(out, &again), 0);
        cr_assert_eq(again.n_revoked, REVOKED_MAX);
}
