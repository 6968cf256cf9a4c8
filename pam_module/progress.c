/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEAD "sekisho-progress 1 "
#define END  "end\n"

enum {
        SUM_SIZE = crypto_generichash_BYTES,
        SUM_HEX = 2 * SUM_SIZE,
        BEGIN = sizeof(HEAD) - 1 + SUM_HEX + 1, /* where that begins which the sum is of */
        RECOVERY_ALL = (1 << RECOVERY_SLOTS) - 1
};

void progress_of(const Enrolment *enrolment, uint64_t generation, bool noted, Progress *ret) {
        Progress progress = {.base = enrolment->base,
                             .generation = generation,
                             .noted = noted,
                             .totp_last = enrolment->totp.last,
                             .substitute_uses = enrolment->substitute.uses};

        for (unsigned i = 0; i < RECOVERY_SLOTS; i++)
                progress.recovery |= enrolment->recovery[i][0] ? 1U << i : 0;
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                progress.counters[i] = enrolment->fido2[i].counter;
        memcpy(progress.failures, enrolment->failures, sizeof(progress.failures));
        *ret = progress;
}

static bool can_follow(const Progress *progress, const Enrolment *enrolment) {
        if (progress->base != enrolment->generation || progress->generation <= progress->base ||
            progress->totp_last < enrolment->totp.last ||
            progress->substitute_uses < enrolment->substitute.uses)
                return false;
        for (unsigned i = 0; i < RECOVERY_SLOTS; i++)
                if ((progress->recovery & 1U << i) && !enrolment->recovery[i][0])
                        return false;
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                if (progress->counters[i] < enrolment->fido2[i].counter)
                        return false;
        return true;
}

int progress_apply(const Progress *progress, Enrolment *enrolment) {
        if (!can_follow(progress, enrolment))
                return -EBADMSG;
        enrolment->totp.last = progress->totp_last;
        enrolment->substitute.uses = progress->substitute_uses;
        for (unsigned i = 0; i < RECOVERY_SLOTS; i++)
                if (!(progress->recovery & 1U << i))
                        sodium_memzero(enrolment->recovery[i], HASH_SIZE);
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                enrolment->fido2[i].counter = progress->counters[i];
        memcpy(enrolment->failures, progress->failures, sizeof(enrolment->failures));
        enrolment->generation = progress->noted ? progress->generation - 1 : progress->generation;
        return 0;
}

static __attribute__((format(printf, 3, 4))) void add(char *text, size_t *length, const char *format, ...) {
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(text + *length, PROGRESS_SIZE - *length, format, arguments);
        va_end(arguments);
        *length = n > 0 && (size_t)n < PROGRESS_SIZE - *length ? *length + (size_t)n : PROGRESS_SIZE - 1;
}

static void put_sum(char *text, size_t end) {
        unsigned char sum[SUM_SIZE];
        char hex[SUM_HEX + 1];

        (void)crypto_generichash(sum, sizeof(sum), (const unsigned char *)text + BEGIN, end - BEGIN, NULL,
                                 0);
        sodium_bin2hex(hex, sizeof(hex), sum, sizeof(sum));
        memcpy(text + sizeof(HEAD) - 1, hex, SUM_HEX);
}

int progress_format(const Progress *progress, char ret[static PROGRESS_SIZE]) {
        char text[PROGRESS_SIZE] = {0};
        size_t length = 0;

        add(text, &length, HEAD "%0*d\n", SUM_HEX, 0);
        add(text, &length, "edition %" PRIu64 " %" PRIu64 " %s\n", progress->generation, progress->base,
            progress->noted ? "noted" : "kept");
        add(text, &length, "totp %" PRIu64 "\nrecovery %u\nsubstitute %u\n", progress->totp_last,
            progress->recovery, progress->substitute_uses);
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                add(text, &length, "fido2 %zu %" PRIu32 "\n", i, progress->counters[i]);
        for (unsigned i = 0; i < FACTORS_N; i++)
                if (progress->failures[i].n > 0)
                        add(text, &length, "failures %s %u %lld %" PRIu64 " %s\n",
                            factor_to_string((Factor)i), progress->failures[i].n,
                            (long long)progress->failures[i].wall, progress->failures[i].boottime,
                            progress->failures[i].boot_id);
        add(text, &length, END);
        if (length == PROGRESS_SIZE - 1)
                return -EINVAL;
        put_sum(text, length);
        memcpy(ret, text, PROGRESS_SIZE);
        return 0;
}

/* "failures FACTOR N WALL BOOTTIME BOOT-ID", as in the text of an enrolment. */
static bool take_failures(const char *line, Progress *progress) {
        char name[32];
        long long wall;
        Failures failures = {0};
        int factor;

        if (sscanf(line, "failures %31s %u %lld %" SCNu64 " %36s", name, &failures.n, &wall,
                   &failures.boottime, failures.boot_id) != 5)
                return false;
        factor = factor_from_string(name);
        if (factor < 0 || factor >= FACTORS_N || failures.n == 0 || failures.n > INT_MAX || wall < 0)
                return false;
        failures.wall = (time_t)wall;
        progress->failures[factor] = failures;
        return true;
}

static bool take_line(const char *line, Progress *progress) {
        char how[8];
        size_t index;
        uint32_t counter;

        if (sscanf(line, "edition %" SCNu64 " %" SCNu64 " %7s", &progress->generation, &progress->base,
                   how) == 3) {
                progress->noted = strcmp(how, "noted") == 0;
                return progress->noted || strcmp(how, "kept") == 0;
        }
        if (sscanf(line, "fido2 %zu %" SCNu32, &index, &counter) == 2) {
                if (index < FIDO2_KEYS_MAX)
                        progress->counters[index] = counter;
                return index < FIDO2_KEYS_MAX;
        }
        if (sscanf(line, "recovery %u", &progress->recovery) == 1)
                return progress->recovery <= RECOVERY_ALL;
        return sscanf(line, "totp %" SCNu64, &progress->totp_last) == 1 ||
               sscanf(line, "substitute %u", &progress->substitute_uses) == 1 ||
               take_failures(line, progress);
}

/* What it says, in the form in which it would be written: nothing else is right. */
static bool take_lines(const char *text, Progress *ret) {
        char again[PROGRESS_SIZE];

        for (const char *line = text + BEGIN; strcmp(line, END) != 0; line = strchr(line, '\n') + 1)
                if (!strchr(line, '\n') || !take_line(line, ret))
                        return false;
        return progress_format(ret, again) == 0 && memcmp(again, text, PROGRESS_SIZE) == 0;
}

int progress_parse(const char text[static PROGRESS_SIZE], Progress *ret) {
        Progress progress = {0};

        if (sodium_is_zero((const unsigned char *)text, PROGRESS_SIZE))
                return 0;
        if (text[PROGRESS_SIZE - 1] != '\0' || strncmp(text, HEAD, sizeof(HEAD) - 1) != 0 ||
            strlen(text) < BEGIN || !take_lines(text, &progress))
                return -EBADMSG;
        *ret = progress;
        return 1;
}
